/* Values in the rows of users' tables: any JSON value, as they are compared, counted and printed.
 * The rules are those of the interface, which are ECMAScript's and, for order, SQLite's.
 *
 * A cell borrows its text from where it was read. Rows are read without building the whole of them:
 * row_pick takes the wanted keys out of their JSON text. */
#ifndef CORE_CELL_H
#define CORE_CELL_H

#include <jansson.h>
#include "core/arena.h"
#include "core/buf.h"
#include "core/json_out.h"

enum cell_kind {
	CELL_NONE, /* the key is missing */
	CELL_NULL,
	CELL_BOOL, /* num is 0 or 1 */
	CELL_NUM,
	CELL_TEXT,
	CELL_JSON, /* an array or object: s is its compact JSON */
};

struct cell {
	enum cell_kind kind;
	double num;
	const char *s; /* N bytes, which may contain zeros */
	size_t n;
};

static inline struct cell cell_num(double v)
{
	return (struct cell){ CELL_NUM, v, NULL, 0 };
}

static inline struct cell cell_bool(bool v)
{
	return (struct cell){ CELL_BOOL, v, NULL, 0 };
}

static inline struct cell cell_text(const char *s, size_t n)
{
	return (struct cell){ CELL_TEXT, 0, s, n };
}

/* Whether there is no value: the key is missing or null. */
static inline bool cell_is_none(const struct cell *c)
{
	return c->kind <= CELL_NULL;
}

/* A parsed value (NULL: missing). */
struct cell cell_of(struct arena *a, const json_t *v);
/* The value again, a new reference; missing is null. */
json_t *cell_json(const struct cell *c);

/* Appends the text of a value: nothing for none, numbers in their JSON form, the elements of an
 * array joined with commas, an object as compact JSON. */
void cell_add_text(struct buf *b, const struct cell *c);
/* The same as a cell that is a text. */
struct cell cell_as_text(struct arena *a, const struct cell *c);

/* Number() of ECMAScript; not a number (NaN) for what is none. */
double cell_number(const struct cell *c);
double number_of_text(const char *s, size_t n);
/* Whether it counts in sums: a number, a numeric text that is not blank, a boolean as 1 or 0. */
bool cell_numeric(const struct cell *c, double *out);
/* Math.round: halves go up. */
double number_round(double v);

/* Order: no value, then numbers and booleans, then texts byte by byte; arrays and objects are the
 * text of their JSON. */
int cell_compare(const struct cell *x, const struct cell *y);

/* Whether V, which is not none, has the text of WHAT in it, ASCII letters in any case; AT_START:
 * only at its start. Booleans are 1 and 0 there, and containers their JSON. */
bool cell_has_text(const struct cell *v, const struct cell *what, bool at_start);

/* A key of a row in the form in which it is looked for. */
struct row_key {
	const char *quoted; /* as a JSON text */
	size_t n;
};

struct row_key row_key(struct arena *a, const char *name);
/* Puts the values of the keys into OUT; DATA is the JSON text of an object, ended by a zero byte,
 * whatever else it is it has no values. Texts with escapes are decoded into A. */
void row_pick(struct arena *a, const char *data, const struct row_key *keys, size_t n_keys,
    struct cell *out);

#endif
