/* Templates of tables: those of the user, and the built-in ones, which ship as a file. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

#define SAMPLE_ROWS 5

/* Columns of MODEL_TABLE. */
enum { T_ID, T_PROJECT, T_NAME, T_DESCRIPTION, T_SCHEMA };

void template_write_list(struct ctx *cx, struct jw *w, const char *category, const char *scope)
{
	struct q *q = db_query(cx->db, Q_TABLE_TEMPLATE_LIST, "tt", category, scope);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TABLE_TEMPLATE, 0);
	jw_end_arr(w);
}

enum rc template_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_TEMPLATE_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Template not found");
	row_json(w, q, &MODEL_TABLE_TEMPLATE, 0);
	db_done(q);
	return RC_OK;
}

/* The data of the first rows as an array. */
static const char *samples(struct ctx *cx, const char *table)
{
	struct table_query query = { .table = table, .limit = SAMPLE_ROWS };
	struct row_scan scan;
	const char *text;
	struct buf b;
	struct jw w = jw_on(&b);
	struct q *q;

	if (row_scan_begin(&scan, cx, &query) != RC_OK)
		return NULL;
	buf_init(&b, ARENA_REQUEST_MAX);
	jw_arr(&w);
	while ((q = row_scan_next(&scan)))
		jw_raw(&w, db_text(q, ROW_DATA), db_text_len(q, ROW_DATA));
	jw_end_arr(&w);
	if (b.failed)
		ctx_fail(cx, RC_TOOLARGE, "The rows are too large for a template");
	text = arena_strdup(cx->arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static enum rc check(struct ctx *cx, const json_t *in)
{
	const json_t *category = json_object_get(in, "category");

	if (json_is_null(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	if (!json_truth(json_object_get(in, "tableId")) || !json_truth(json_object_get(in, "name")))
		return ctx_fail(cx, RC_INVALID, "tableId and name are required");
	if (!json_str(in, "name"))
		return ctx_fail(cx, RC_INVALID, "name must be a string");
	if (category && !json_is_null(category) &&
	    !word_in(&TEMPLATE_CATEGORIES, json_string_value(category)))
		return ctx_fail(cx, RC_INVALID,
		    "Invalid category. Must be one of: business, personal, pm, finance, content");
	return RC_OK;
}

static enum rc save(struct ctx *cx, const json_t *in, const char *id)
{
	const char *table = json_str(in, "tableId"), *about = json_str(in, "description");
	const char *category = json_str(in, "category"), *rows = NULL, *schema;
	struct q *q = db_query(cx->db, Q_TABLE_GET, "t", table ? table : "");

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Table not found");
	schema = db_text_dup(q, T_SCHEMA, cx->arena);
	if (!about)
		about = db_text_dup(q, T_DESCRIPTION, cx->arena);
	db_done(q);
	if (json_truth(json_object_get(in, "includeSampleData")))
		rows = samples(cx, table);
	db_run(cx->db, Q_TABLE_TEMPLATE_INSERT, "tttttti", id, json_str(in, "name"), about,
	    category ? category : "personal", schema, rows, cx->now);
	audit(cx, "table.template.save", "table", table, id);
	return RC_OK;
}

enum rc template_save(struct ctx *cx, const json_t *in, const char **id)
{
	enum rc rc = check(cx, in);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	*id = id_make(cx->arena);
	return tx_end(cx, save(cx, in, *id));
}

static void seed_one(struct ctx *cx, const json_t *t)
{
	const json_t *rows = json_object_get(t, "sampleData");

	db_run(cx->db, Q_TABLE_TEMPLATE_SEED, "ttttttti", id_make(cx->arena),
	    json_str(t, "name"), json_str(t, "description"), json_str(t, "category"),
	    json_text(cx->arena, json_object_get(t, "columns")),
	    rows ? json_text(cx->arena, rows) : NULL, json_str(t, "icon"), cx->now);
}

enum rc template_seed(struct ctx *cx)
{
	const char *path = arena_printf(cx->arena, "%s/table-templates.json", cx->conf->share_dir);
	json_t *list = json_keep(cx->arena, json_load_file(path, JSON_REJECT_DUPLICATES, NULL)), *t;
	size_t i;
	enum rc rc;

	if (!json_is_array(list))
		return err_internal(&cx->err, RC_IO, "no table templates in %s", path);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	json_array_foreach(list, i, t)
		seed_one(cx, t);
	return tx_end(cx, RC_OK);
}
