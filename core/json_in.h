/* Reading JSON: strict, UTF-8, at most 64 levels deep and of a million values (an empty object takes
 * a hundred times the memory of its text). Objects keep the order of their keys; of a
 * repeated key the last value counts, at the place of the first. Integers beyond 64 bits become
 * doubles. Refused: invalid UTF-8, lone surrogates, \u0000, numbers that overflow a double. */
#ifndef CORE_JSON_IN_H
#define CORE_JSON_IN_H

#include <jansson.h>
#include "core/arena.h"

#define JSON_DEPTH_MAX 64
#define JSON_VALUES_MAX 1000000

/* Parses the N bytes; the value lives as long as the arena. NULL where they are not JSON. */
json_t *json_read(struct arena *a, const char *text, size_t n);
/* The same for what goes into the cells of users' tables, which may be more: in a text \u0000
 * stands for itself, and a number that overflows a double is null. */
json_t *json_read_cells(struct arena *a, const char *text, size_t n);
/* The same for stored text that may be NULL. */
json_t *json_read_cells_text(struct arena *a, const char *text);
/* As json_read, for stored text that may be NULL. */
json_t *json_read_text(struct arena *a, const char *text);
/* The value between the first OPEN and the last CLOSE of a text that has other words around it;
 * NULL where there is none. */
json_t *json_read_part(struct arena *a, const char *text, char open, char close);

/* Makes V (a new reference) live as long as the arena, and returns it. */
json_t *json_keep(struct arena *a, json_t *v);

/* Whether V, itself a level, has at most LEVELS levels below it. */
bool json_is_shallow(const json_t *v, int levels);

/* The text under KEY, or NULL where it is absent or no text. */
const char *json_str(const json_t *object, const char *key);
/* The number under KEY, or DEFAULT. */
double json_num(const json_t *object, const char *key, double otherwise);
bool json_flag(const json_t *object, const char *key);
/* Whether the list has TEXT as an element. */
bool json_has_text(const json_t *list, const char *text);
/* Whether ECMAScript takes V, which may be NULL, for true. */
bool json_truth(const json_t *v);

#endif
