/* Users' tables: typed columns, rows of any JSON, history, triggers, charts, templates. HTTP
 * handlers, the agents' tools and the job runner call the same functions; those that write run a
 * transaction of their own (a part of the caller's, where there is one) unless they say otherwise.
 * Bodies are valid by their shapes where a shape checks them, else any JSON.
 *
 * An unknown table is RC_NOTFOUND with the text "Table not found", unless a function says
 * otherwise. */
#ifndef CORE_DOMAIN_TABLE_H
#define CORE_DOMAIN_TABLE_H

#include <jansson.h>
#include "core/cell.h"
#include "core/ctx.h"
#include "core/id.h"
#include "core/json_out.h"

#define TABLE_PAGE 100
#define TABLE_EXPORT_ROWS 10000
#define TABLE_SCRATCH_MAX ((size_t)96 << 20) /* what may be made of one row */

/* RC_OK where there is such a table. */
enum rc table_find(struct ctx *cx, const char *id);
/* Its columns as the table itself has them: an array, empty where they are unreadable. */
enum rc table_schema(struct ctx *cx, const char *id, const json_t **schema);

/* The table as an object; with its columns. */
enum rc table_write(struct ctx *cx, struct jw *w, const char *id, bool columns);
/* Array of tables, the latest first; each argument may be NULL. LIMIT -1: all. */
void table_write_list(struct ctx *cx, struct jw *w, const char *project, const char *source,
    const char *search, int64_t limit);
/* Creates one (valid by SHAPE_TABLE_CREATE), or makes one from a template (valid by
 * SHAPE_TABLE_CLONE). The new id comes back in *ID (arena). The clone as it is before it gets its
 * sample rows is written to W, where that is not NULL, before the commit: what was written counts
 * only where the function succeeds. */
enum rc table_create(struct ctx *cx, const json_t *in, const char **id);
/* The same with COLUMNS (may be NULL) in the form in which the table is to keep them. */
enum rc table_create_as(struct ctx *cx, const json_t *in, const json_t *columns, const char **id);
enum rc table_clone(struct ctx *cx, const json_t *in, struct jw *w, const char **id);
enum rc table_update(struct ctx *cx, const char *id, const json_t *in);
/* With everything of its own. No triggers fire. */
enum rc table_delete(struct ctx *cx, const char *id);

/* Columns (table_column.c) */
void table_write_columns(struct ctx *cx, struct jw *w, const char *table);
/* "Column not found" where there is none. */
enum rc column_write(struct ctx *cx, struct jw *w, const char *id);
/* Adds one behind the others; RC_CONFLICT where its name is taken. */
enum rc column_add(struct ctx *cx, const char *table, const json_t *in, const char **id);
/* Puts the listed columns first. RC_INVALID where one is unknown, or listed twice. */
enum rc column_reorder(struct ctx *cx, const char *table, const json_t *ids);
/* Changes displayName, dataType and config, as far as they are given. */
enum rc column_update(struct ctx *cx, const char *id, const json_t *in);
/* The data of rows keeps its key. */
enum rc column_delete(struct ctx *cx, const char *id);

/* Asking for rows (table_query.c) */
struct table_query {
	const char *table;
	struct row_key *keys;   /* that filters and sorts look at */
	struct filter *filters; /* all must hold */
	struct sort *sorts;
	size_t n_keys, n_filters, n_sorts;
	int64_t limit, offset; /* limit -1: all, only without sorts */
};
/* Reads filters and sorts (arrays valid by FIELD_FILTER and FIELD_SORT; NULL: none) for a table.
 * RC_INVALID for an unknown column, and for a value that its operator cannot take. */
enum rc table_query_read(struct ctx *cx, const char *table, const json_t *filters,
    const json_t *sorts, struct table_query *out);

/* Rows of an answer, one by one. Begin it, step until NULL comes back; in between no other scan. */
struct row_scan {
	struct ctx *cx;
	const struct table_query *query;
	struct arena *scratch;
	struct cell *cells;
	struct q *q;
	struct hit **hits; /* sorted ones */
	size_t n_hits, at;
	int64_t passed, given;
};
/* RC_TOOLARGE where sorting would take too much memory. */
enum rc row_scan_begin(struct row_scan *s, struct ctx *cx, const struct table_query *query);
/* A row with the columns of MODEL_TABLE_ROW, valid until the next step; NULL at the end. */
struct q *row_scan_next(struct row_scan *s);
/* Ends it before its last row. */
void row_scan_end(struct row_scan *s);
enum { ROW_ID, ROW_TABLE, ROW_DATA, ROW_POSITION, ROW_CREATED_BY };

/* Computed columns (table_computed.c) */
struct computed;
/* Of a table with the columns SCHEMA; NULL where none is computed. */
struct computed *computed_new(struct ctx *cx, const char *table, const json_t *schema);
/* Works out all of them for the row with this data; the values are valid until the next call. Where
 * the formulas would take too long, RC_TOOLARGE is noted. */
const struct cell *computed_row(struct computed *c, const char *data);
/* The place of a column in there; -1 where it is not computed. */
int computed_find(const struct computed *c, const char *name);
/* The data of a row as an object with its computed columns (C may be NULL), in the arena. */
json_t *computed_data(struct computed *c, struct arena *a, const char *data);

/* Rows (table_row.c) */
/* Adds rows ({data, createdBy?}); their ids come back as an array (arena). BY: where createdBy is
 * missing. */
enum rc row_add(struct ctx *cx, const char *table, const json_t *rows, const char *by,
    const json_t **ids);
/* Merges DATA into the row's, or replaces that. BY is for the history. "Row not found" */
enum rc row_update(struct ctx *cx, const char *table, const char *id, const json_t *data,
    bool replace, const char *by);
/* Nothing happens where the table has no such row; *DELETED (may be NULL) says so. */
enum rc row_delete(struct ctx *cx, const char *table, const char *id, const char *by,
    bool *deleted);
/* "Row not found" */
enum rc row_write(struct ctx *cx, struct jw *w, const char *table, const char *id);
/* The table of a row (arena); NULL where there is no such row. */
const char *row_table(struct ctx *cx, const char *id);
/* Writes the current row of a scan: with computed columns where C is not NULL; PARSED has its data
 * as an object. A is for what is made on the way. */
void row_write_scanned(struct jw *w, struct q *q, struct computed *c, struct arena *a,
    bool parsed);

/* Many rows in one transaction of the caller's. */
struct row_adder {
	struct ctx *cx;
	const char *table;
	int64_t position, n;
	struct fire *fire;
};
void row_adder_begin(struct row_adder *ra, struct ctx *cx, const char *table);
/* DATA is the compact JSON of an object; ID is to be the row's. */
void row_adder_add(struct row_adder *ra, const char *data, const char *by, const char *id);
void row_adder_end(struct row_adder *ra);

/* Imports that are stored in pieces (table_import.c), each a transaction of its own. The rows of
 * one have ids that follow from its id and their numbers, so that what was stored can be found
 * again. */
struct table_import {
	struct ctx *cx;
	const char *table;
	int64_t job;  /* that does it; 0: none */
	int64_t done; /* rows that are stored, from the first on */
	bool open;    /* noted in the database */
	char id[ID_SIZE];
};
/* A new one; where JOB has begun one already, that. */
void table_import_begin(struct table_import *ti, struct ctx *cx, const char *table, int64_t job);
/* Adds the next rows to the piece that is being stored; *ROWS, texts each ended by a zero byte up
 * to END, is moved behind them. Returns how many they are; a piece is small in number and time. The
 * caller's transaction ends with one of the two that follow. */
int64_t table_import_add(struct table_import *ti, const char **rows, const char *end);
/* Notes that N more rows are stored. RC_FENCED where another has taken the import over. */
enum rc table_import_step(struct table_import *ti, int64_t n);
/* Forgets how far it is: it is complete. RC_FENCED as above. */
enum rc table_import_end(struct table_import *ti);
/* Takes some of the last rows out again, in a transaction of its own, and fires no triggers. *MORE
 * is false once it has none; then it is forgotten, too. */
enum rc table_import_undo(struct table_import *ti, bool *more);
/* The import ID that JOB is to undo; false where there is none (any more). */
bool table_import_load(struct table_import *ti, struct ctx *cx, const char *id, int64_t job);
/* Puts in jobs that undo what nobody goes on with. */
void table_import_sweep(struct ctx *cx);

/* History (table_history.c). ROW may be NULL: of the whole table. */
void history_write(struct ctx *cx, struct jw *w, const char *table, const char *row,
    int64_t limit);
enum rc history_rollback(struct ctx *cx, const char *table, const char *row, const json_t *in);

/* Triggers (table_trigger.c) */
enum rc trigger_write_list(struct ctx *cx, struct jw *w, const char *table);
/* "Trigger not found" */
enum rc trigger_find(struct ctx *cx, const char *table, const char *id);
enum rc trigger_write(struct ctx *cx, struct jw *w, const char *table, const char *id);
enum rc trigger_create(struct ctx *cx, const char *table, const json_t *in, const char **id);
enum rc trigger_update(struct ctx *cx, const char *table, const char *id, const json_t *in);
/* The same as the older operation has it: triggerId and status. */
enum rc trigger_set_status(struct ctx *cx, const char *table, const json_t *in);
enum rc trigger_delete(struct ctx *cx, const char *table, const char *id);

/* Charts (table_chart.c). "Chart not found" */
void chart_write_list(struct ctx *cx, struct jw *w, const char *table);
enum rc chart_find(struct ctx *cx, const char *table, const char *id);
enum rc chart_write(struct ctx *cx, struct jw *w, const char *table, const char *id);
enum rc chart_create(struct ctx *cx, const char *table, const json_t *in, const char **id);
enum rc chart_update(struct ctx *cx, const char *table, const char *id, const json_t *in);
enum rc chart_delete(struct ctx *cx, const char *table, const char *id);
/* The points of a chart. RC_TOOLARGE where it has more labels than a chart can show. */
enum rc chart_write_data(struct ctx *cx, struct jw *w, const char *table, const char *id);

/* Templates (table_template.c) */
/* Each may be NULL. */
void template_write_list(struct ctx *cx, struct jw *w, const char *category, const char *scope);
enum rc template_write(struct ctx *cx, struct jw *w, const char *id);
/* Saves a table as a template of the user's. */
enum rc template_save(struct ctx *cx, const json_t *in, const char **id);
/* Puts in the built-in templates that are missing, each once, however many do it at a time. */
enum rc template_seed(struct ctx *cx);

/* Export (table_export.c): the columns in their order, at most TABLE_EXPORT_ROWS rows. */
struct table_export {
	struct ctx *cx;
	size_t n; /* columns */
	const char **headers;
	struct cell *cells; /* of the current row */
	bool with_computed;
	struct computed *computed;
	struct row_key *keys;
	int *places;
	struct arena *scratch;
	struct table_query query;
	struct row_scan scan;
};
/* COMPUTED false leaves what is computed blank. Then exactly one of the others. */
enum rc table_export_begin(struct table_export *x, struct ctx *cx, const char *table,
    bool computed);
void table_export_csv(struct table_export *x, struct buf *b);
void table_export_json(struct table_export *x, struct buf *b);
/* The next row, whose cells are valid until the one after it; false at the end. */
bool table_export_next(struct table_export *x);

#endif
