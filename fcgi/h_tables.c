/* /api/tables: tables, their columns, rows and history. */
#include "core/domain/table.h"

#include <math.h>

#include "core/model/models.h"
#include "core/text.h"
#include "fcgi/handlers.h"

#define HISTORY_DEFAULT 100
#define HISTORY_MAX 500
#define ROW_HISTORY_DEFAULT 50
#define ROW_HISTORY_MAX 200

enum rc h_table_list(struct request *rq)
{
	table_write_list(&rq->cx, reply(rq, 200), query_get(rq, "projectId"),
	    query_get(rq, "source"), query_get(rq, "search"), -1);
	return RC_OK;
}

/* With a template the body is of another shape. */
enum rc h_table_create(struct request *rq)
{
	bool clone = json_truth(json_object_get(rq->in, "templateId"));
	const char *id;
	enum rc rc = shape_check(rq->cx.arena, clone ? &SHAPE_TABLE_CLONE : &SHAPE_TABLE_CREATE,
	    rq->in, &rq->cx.err);

	if (rc != RC_OK)
		return rc;
	if (clone) {
		reply_keep_whole(rq);
		return table_clone(&rq->cx, rq->in, reply(rq, 201), &id);
	}
	rc = table_create(&rq->cx, rq->in, &id);
	return rc != RC_OK ? rc : table_write(&rq->cx, reply(rq, 201), id, false);
}

enum rc h_table_get(struct request *rq)
{
	return table_write(&rq->cx, reply(rq, 200), rq->id, true);
}

enum rc h_table_update(struct request *rq)
{
	enum rc rc = table_update(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : table_write(&rq->cx, reply(rq, 200), rq->id, false);
}

static enum rc no_content(struct request *rq, enum rc rc)
{
	if (rc == RC_OK)
		reply(rq, 204);
	return rc;
}

enum rc h_table_delete(struct request *rq)
{
	return no_content(rq, table_delete(&rq->cx, rq->id));
}

/* The body, once it is sure that the table exists. */
static enum rc late_body(struct request *rq, const struct shape *shape)
{
	enum rc rc = table_find(&rq->cx, rq->id);

	if (rc == RC_OK)
		rc = shape == &SHAPE_TABLE_ROWS ? request_cells(rq) : request_json(rq);
	if (rc == RC_OK)
		rc = shape_check(rq->cx.arena, shape, rq->in, &rq->cx.err);
	return rc;
}

enum rc h_column_add(struct request *rq)
{
	const char *id;
	enum rc rc = late_body(rq, &SHAPE_TABLE_COLUMN);

	if (rc == RC_OK)
		rc = column_add(&rq->cx, rq->id, rq->in, &id);
	return rc != RC_OK ? rc : column_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_column_reorder(struct request *rq)
{
	enum rc rc = late_body(rq, &SHAPE_TABLE_REORDER);

	if (rc == RC_OK)
		rc = column_reorder(&rq->cx, rq->id, json_object_get(rq->in, "columnIds"));
	if (rc == RC_OK)
		table_write_columns(&rq->cx, reply(rq, 200), rq->id);
	return rc;
}

/* A number of the query, as far as it is one, into IN; else what is wrong with it. */
static void read_number(struct request *rq, json_t *in, const char *key, struct problem ***end)
{
	const char *text = query_get(rq, key), *message = NULL;
	double v = text ? number_of_text(text, strlen(text)) : 0;

	if (isnan(v))
		message = "Invalid input: expected number, received NaN";
	else if (isinf(v))
		message = "Invalid input: expected number, received number";
	else if (text)
		json_object_set_new(in, key, json_real(v));
	if (message) {
		**end = arena_new_of(rq->cx.arena, struct problem);
		***end = (struct problem){ NULL, key, message };
		*end = &(**end)->next;
	}
}

static enum rc read_list(struct request *rq, json_t *in, const char *key)
{
	const char *text = query_get(rq, key);
	json_t *v = json_read_cells_text(rq->cx.arena, text);

	if (text && !v)
		return ctx_fail(&rq->cx, RC_INVALID, "Invalid %s JSON", key);
	if (v)
		json_object_set(in, key, v);
	return RC_OK;
}

/* limit, offset, filters and sorts: valid by their shape. */
static enum rc read_query(struct request *rq, const json_t **query)
{
	json_t *in = json_keep(rq->cx.arena, json_object());
	struct problem *first = NULL, **end = &first;
	enum rc rc = read_list(rq, in, "filters");

	if (rc == RC_OK)
		rc = read_list(rq, in, "sorts");
	if (rc != RC_OK)
		return rc;
	read_number(rq, in, "limit", &end);
	read_number(rq, in, "offset", &end);
	*end = shape_problems(rq->cx.arena, &SHAPE_ROW_QUERY, in);
	*query = in;
	if (!first)
		return RC_OK;
	rq->cx.err.body = shape_errors_body(rq->cx.arena, first);
	return ctx_fail(&rq->cx, RC_INVALID, "%s", first->message);
}

static enum rc start_scan(struct request *rq, struct table_query *query, struct row_scan *scan)
{
	const json_t *in;
	enum rc rc = read_query(rq, &in);

	if (rc == RC_OK)
		rc = db_begin_read(rq->cx.db);
	if (rc == RC_OK)
		rc = table_query_read(&rq->cx, rq->id, json_object_get(in, "filters"),
		    json_object_get(in, "sorts"), query);
	if (rc != RC_OK)
		return rc;
	query->limit = (int64_t)json_num(in, "limit", TABLE_PAGE);
	query->offset = (int64_t)json_num(in, "offset", 0);
	return row_scan_begin(scan, &rq->cx, query);
}

enum rc h_row_list(struct request *rq)
{
	bool parsed = query_flag(rq, "parsed");
	struct computed *computed = NULL;
	struct table_query query;
	const json_t *schema;
	struct row_scan scan;
	struct arena *a;
	struct jw *w;
	struct q *q;
	enum rc rc = table_find(&rq->cx, rq->id);

	if (rc == RC_OK)
		rc = start_scan(rq, &query, &scan);
	if (rc == RC_OK)
		rc = table_schema(&rq->cx, rq->id, &schema);
	if (rc != RC_OK)
		return rc;
	if (query_flag(rq, "computed"))
		computed = computed_new(&rq->cx, rq->id, schema);
	a = arena_scratch(rq->cx.arena, TABLE_SCRATCH_MAX);
	w = reply(rq, 200);
	jw_arr(w);
	while ((q = row_scan_next(&scan))) {
		arena_reset(a);
		row_write_scanned(w, q, computed, a, parsed);
	}
	jw_end_arr(w);
	return RC_OK;
}

enum rc h_row_add(struct request *rq)
{
	const char *shape = query_get(rq, "return");
	const json_t *ids;
	struct jw *w;
	json_t *id;
	size_t i;
	enum rc rc = late_body(rq, &SHAPE_TABLE_ROWS);

	if (rc == RC_OK)
		rc = row_add(&rq->cx, rq->id, json_object_get(rq->in, "rows"), "user", &ids);
	if (rc != RC_OK)
		return rc;
	w = reply(rq, 201);
	jw_arr(w);
	json_array_foreach(ids, i, id) {
		if (shape && strcmp(shape, "rows") == 0)
			row_write(&rq->cx, w, rq->id, json_string_value(id));
		else
			jw_str(w, json_string_value(id));
	}
	jw_end_arr(w);
	return RC_OK;
}

enum rc h_row_update(struct request *rq)
{
	enum rc rc = request_cells(rq);

	if (rc == RC_OK)
		rc = shape_check(rq->cx.arena, &SHAPE_TABLE_ROW_UPDATE, rq->in, &rq->cx.err);
	if (rc == RC_OK)
		rc = row_update(&rq->cx, rq->id, rq->id2, json_object_get(rq->in, "data"),
		    json_flag(rq->in, "replace"), "user");
	return rc != RC_OK ? rc : row_write(&rq->cx, reply(rq, 200), rq->id, rq->id2);
}

enum rc h_row_delete(struct request *rq)
{
	return no_content(rq, row_delete(&rq->cx, rq->id, rq->id2, "user", NULL));
}

/* The whole number that a text begins with, if it begins with one. */
static int64_t history_limit(struct request *rq, int64_t otherwise, int64_t max)
{
	const char *text = query_get(rq, "limit");
	const char *s = text ? text_trim(rq->cx.arena, text) : "";
	double v = 0;

	s += *s == '+';
	if (*s < '0' || *s > '9')
		return strcmp(s, "-0") == 0 ? 0 : otherwise;
	for (; *s >= '0' && *s <= '9' && v <= (double)max; s++)
		v = v * 10 + (*s - '0');
	return v > (double)max ? max : (int64_t)v;
}

enum rc h_table_history(struct request *rq)
{
	history_write(&rq->cx, reply(rq, 200), rq->id, NULL,
	    history_limit(rq, HISTORY_DEFAULT, HISTORY_MAX));
	return RC_OK;
}

enum rc h_row_history(struct request *rq)
{
	history_write(&rq->cx, reply(rq, 200), rq->id, rq->id2,
	    history_limit(rq, ROW_HISTORY_DEFAULT, ROW_HISTORY_MAX));
	return RC_OK;
}

enum rc h_row_rollback(struct request *rq)
{
	enum rc rc = history_rollback(&rq->cx, rq->id, rq->id2, rq->in);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}
