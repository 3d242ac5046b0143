/* The text of a configuration file with one option changed. Pure: text in, text out. */
#ifndef CTL_EDIT_H
#define CTL_EDIT_H

#include "core/buf.h"

/* Puts the N bytes of TEXT into OUT with NAME set to VALUE, or without NAME where VALUE is NULL;
 * every line that does not set NAME stays as it is, byte for byte.
 *
 * Of several lines that set NAME the last one counts for conf.c: it takes the new value, the others
 * go. Where there is none, the value goes below the last "#NAME = ...", else to the end. A line
 * keeps its kind of line end. Returns how many lines set NAME before. */
size_t edit_option(struct buf *out, const char *text, size_t n, const char *name,
    const char *value);

#endif
