/* Text rules of the interface: UTF-8 everywhere, lengths in UTF-16 units as clients count them. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/arena.h"

struct buf;

/* Whether the N bytes are well-formed UTF-8 (no surrogates, nothing overlong). */
bool text_is_utf8(const char *s, size_t n);
/* A copy of the N bytes in which whatever is not UTF-8, or zero, is a question mark. */
char *text_as_utf8(struct arena *a, const char *s, size_t n);
/* Adds the N bytes to OUT with U+FFFD for every maximal part that is not UTF-8, and for zeros. */
void text_repair(struct buf *out, const char *s, size_t n);
/* The same as a copy. */
char *text_repaired(struct arena *a, const char *s, size_t n);
/* Writes the character C, no surrogate, as UTF-8; returns how many of the 4 bytes it took. */
size_t text_encode(char *out, uint32_t c);
/* Length in UTF-16 units: a character above U+FFFF counts two. */
size_t text_units(const char *s);
/* Number of bytes that the first UNITS units of S take; never splits a character. */
size_t text_prefix(const char *s, size_t units);
/* The first UNITS units of S; S itself where it is no longer than that. */
const char *text_cut(struct arena *a, const char *s, size_t units);
/* Cut with ellipsis: at most UNITS units, the last of them U+2026 where something was dropped. */
const char *text_ellipsis(struct arena *a, const char *s, size_t units);
/* Without the white space (as ECMAScript has it) at both ends. */
const char *text_trim(struct arena *a, const char *s);
/* The same for the *N bytes at *S, valid UTF-8, which are narrowed down to what stays. */
void text_trim_span(const char **s, size_t *n);
bool text_is_blank(const char *s);
/* Without white space at both ends, and with one blank for each stretch of it inside. */
char *text_squeeze(struct arena *a, const char *s);
/* ASCII lower case of everything A-Z, other bytes as they are. */
char *text_lower(struct arena *a, const char *s);
/* Lower case of the N bytes at S, in every script, character by character; *OUT_N bytes. */
char *text_lower_all(struct arena *a, const char *s, size_t n, size_t *out_n);
/* S with every provider key (sk- and at least 8 letters, digits, - or _) shown as sk-***; "sk-" at
 * the end of a word is none, unless ant- or proj- follows. What text_hide was told is shown so, too. */
const char *text_mask_keys(struct arena *a, const char *s);
/* A secret of whatever form, to be masked in this process from now on. Of the newest 4 it keeps a
 * copy; one of less than 8 bytes is taken for no secret. */
void text_hide(const char *secret);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* Reads a decimal integer that is the whole of S and lies within the bounds. */
bool text_to_int(const char *s, int64_t min, int64_t max, int64_t *out);

#endif
