/* What the source files of the tables' domain share. */
#ifndef CORE_DOMAIN_TABLE_INT_H
#define CORE_DOMAIN_TABLE_INT_H

#include "core/domain/table.h"

/* The columns in their order, as the table itself keeps them. Inside the caller's transaction. */
void column_sync(struct ctx *cx, const char *table);
/* Stores the column rows of DEFINITIONS. Inside the caller's transaction. */
void column_insert(struct ctx *cx, const char *table, const json_t *in, int64_t position,
    const char *id);

/* Fails with "Project not found" where the text under projectId names none. */
enum rc table_check_project(struct ctx *cx, const json_t *in);

/* Triggers of one event of a table (table_fire.c). */
struct fire *fire_load(struct ctx *cx, const char *table, const char *event);
/* Does what they do for a row with this data, inside the caller's transaction. Whatever goes wrong
 * with one of them leaves the rest as it is. */
void fire_row(struct fire *f, const char *data);
/* Whether OPERATOR is one that a condition may have. */
bool fire_knows(const char *operator);

#endif
