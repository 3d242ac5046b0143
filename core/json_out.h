/* Writing JSON: compact UTF-8 straight into a buffer, with the commas put in by the writer.
 *
 * Values come out as JSON.stringify of ECMAScript has them: whole numbers without a fraction,
 * others in the shortest form that reads back the same, all of them as doubles; keys that are array
 * indexes first and in ascending order. Only what must be escaped is. */
#ifndef CORE_JSON_OUT_H
#define CORE_JSON_OUT_H

#include <jansson.h>
#include "core/buf.h"

struct jw {
	struct buf *b;
	bool comma; /* the next value or key needs one */
};

static inline struct jw jw_on(struct buf *b)
{
	return (struct jw){ b, false };
}

void jw_obj(struct jw *w);
void jw_end_obj(struct jw *w);
void jw_arr(struct jw *w);
void jw_end_arr(struct jw *w);
void jw_key(struct jw *w, const char *key);
/* NULL is written as null. */
void jw_str(struct jw *w, const char *s);
void jw_strn(struct jw *w, const char *s, size_t n);
void jw_int(struct jw *w, int64_t v);
void jw_num(struct jw *w, double v);
void jw_bool(struct jw *w, bool v);
void jw_null(struct jw *w);
/* Unix seconds as an ISO time. */
void jw_time(struct jw *w, int64_t t_s);
/* Text that is JSON already. */
void jw_raw(struct jw *w, const char *json, size_t n);
/* A parsed value. */
void jw_json(struct jw *w, const json_t *v);

/* Key and value. */
void jw_kstr(struct jw *w, const char *key, const char *s);
void jw_kint(struct jw *w, const char *key, int64_t v);
void jw_knum(struct jw *w, const char *key, double v);
void jw_kbool(struct jw *w, const char *key, bool v);
void jw_knull(struct jw *w, const char *key);
void jw_ktime(struct jw *w, const char *key, int64_t t_s);
void jw_kjson(struct jw *w, const char *key, const json_t *v);

/* The shortest ECMAScript form of V; returns its length. */
#define NUM_TEXT_SIZE 32
int num_text(char out[NUM_TEXT_SIZE], double v);

/* V as compact text in the arena. */
struct arena;
const char *json_text(struct arena *a, const json_t *v);
/* S as a JSON string, quotes included; null where it is no UTF-8. */
const char *json_quote(struct arena *a, const char *s);
/* V with two blanks of indentation, as JSON.stringify(v, null, 2) has it. */
const char *json_text_pretty(struct arena *a, const json_t *v);

/* Appends compact JSON with line ends and indentation of two blanks, as if it stood DEPTH levels
 * deep; empty containers stay on one line. */
void json_indent(struct buf *b, const char *compact, int depth);

#endif
