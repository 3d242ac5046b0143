/* Tables themselves: creating, changing, deleting, writing. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

/* Columns of MODEL_TABLE_TEMPLATE. */
enum { P_ID, P_NAME, P_DESCRIPTION, P_CATEGORY, P_SCHEMA, P_SAMPLE };

enum rc table_find(struct ctx *cx, const char *id)
{
	if (db_get_int(cx->db, 0, Q_TABLE_EXISTS, "t", id))
		return RC_OK;
	return ctx_fail(cx, RC_NOTFOUND, "Table not found");
}

enum rc table_schema(struct ctx *cx, const char *id, const json_t **schema)
{
	const char *text = db_get_text(cx->db, cx->arena, Q_TABLE_SCHEMA, "t", id);

	if (!text)
		return ctx_fail(cx, RC_NOTFOUND, "Table not found");
	*schema = json_read_text(cx->arena, text);
	if (!json_is_array(*schema))
		*schema = json_keep(cx->arena, json_array());
	return RC_OK;
}

enum rc table_write(struct ctx *cx, struct jw *w, const char *id, bool columns)
{
	struct q *q = db_query(cx->db, Q_TABLE_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Table not found");
	jw_obj(w);
	row_json_members(w, q, &MODEL_TABLE, 0);
	db_done(q);
	if (columns) {
		jw_key(w, "columns");
		table_write_columns(cx, w, id);
	}
	jw_end_obj(w);
	return RC_OK;
}

void table_write_list(struct ctx *cx, struct jw *w, const char *project, const char *source,
    const char *search, int64_t limit)
{
	struct q *q = db_query(cx->db, Q_TABLE_LIST, "ttti", project, source, search, limit);
	int extra = (int)MODEL_TABLE.n_cols;

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		row_json_members(w, q, &MODEL_TABLE, 0);
		jw_kstr(w, "projectName", db_text(q, extra));
		jw_kint(w, "columnCount", db_int(q, extra + 1));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

enum rc table_check_project(struct ctx *cx, const json_t *in)
{
	const char *project = json_str(in, "projectId");

	if (!project || db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", project))
		return RC_OK;
	return ctx_fail(cx, RC_NOTFOUND, "Project not found");
}

static enum rc check_names(struct ctx *cx, const json_t *columns)
{
	json_t *names = json_keep(cx->arena, json_object()), *item;
	size_t i;

	json_array_foreach(columns, i, item) {
		const char *name = json_str(item, "name");

		if (json_object_get(names, name))
			return ctx_fail(cx, RC_INVALID, "Duplicate column name: %s", name);
		json_object_set_new(names, name, json_true());
	}
	return RC_OK;
}

struct new_table {
	const char *project, *name, *description, *schema, *source, *template_id;
	const json_t *columns;
};

/* The table and its columns; its row is written to W, where that is not NULL. */
static const char *insert(struct ctx *cx, const struct new_table *t, struct jw *w)
{
	const char *id = id_make(cx->arena);
	struct q *q = db_query(cx->db, Q_TABLE_INSERT, "ttttttti", id, t->project,
	    t->name, t->description, t->schema, t->source, t->template_id, cx->now);
	size_t i;
	json_t *item;

	if (db_next(q) && w)
		row_json(w, q, &MODEL_TABLE, 0);
	db_done(q);
	json_array_foreach(t->columns, i, item)
		column_insert(cx, id, item, (int64_t)json_num(item, "position", (double)i),
		    id_make(cx->arena));
	audit(cx, "table.create", "table", id, NULL);
	return id;
}

enum rc table_create(struct ctx *cx, const json_t *in, const char **id)
{
	const json_t *picked = shape_pick(cx->arena, &SHAPE_TABLE_CREATE, in);

	return table_create_as(cx, in, json_object_get(picked, "columns"), id);
}

enum rc table_create_as(struct ctx *cx, const json_t *in, const json_t *columns, const char **id)
{
	const char *source = json_str(in, "source");
	struct new_table t = {
		.project = json_str(in, "projectId"),
		.name = json_str(in, "name"),
		.description = json_str(in, "description"),
		.source = source ? source : "manual",
		.template_id = json_str(in, "templateId"),
		.columns = columns,
	};
	enum rc rc = check_names(cx, t.columns);

	t.schema = t.columns ? json_text(cx->arena, t.columns) : "[]";
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = table_check_project(cx, in);
	if (rc == RC_OK)
		*id = insert(cx, &t, NULL);
	return tx_end(cx, rc);
}

static void add_samples(struct ctx *cx, const char *id, const json_t *samples)
{
	struct row_adder ra;
	char row[ID_SIZE];
	size_t i;
	json_t *item;

	row_adder_begin(&ra, cx, id);
	json_array_foreach(samples, i, item)
		if (json_is_object(item))
			row_adder_add(&ra, json_text(cx->arena, item), "user", id_new(row));
	row_adder_end(&ra);
}

enum rc table_clone(struct ctx *cx, const json_t *in, struct jw *w, const char **id)
{
	struct new_table t = {
		.project = json_str(in, "projectId"),
		.name = json_str(in, "name"),
		.source = "template",
		.template_id = json_str(in, "templateId"),
	};
	const json_t *samples;
	struct q *q;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	q = db_query(cx->db, Q_TABLE_TEMPLATE_GET, "t", t.template_id);
	if (!db_next(q))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Template not found"));
	t.schema = db_text_dup(q, P_SCHEMA, cx->arena);
	samples = json_read_cells_text(cx->arena, db_text(q, P_SAMPLE));
	db_done(q);
	t.columns = json_read_text(cx->arena, t.schema);
	rc = table_check_project(cx, in);
	if (rc == RC_OK)
		*id = insert(cx, &t, w);
	if (rc == RC_OK && json_flag(in, "includeSampleData"))
		add_samples(cx, *id, samples);
	return tx_end(cx, rc);
}

enum rc table_update(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *name = json_object_get(in, "name");
	const json_t *description = json_object_get(in, "description");
	const json_t *project = json_object_get(in, "projectId");
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = table_find(cx, id);
	if (rc == RC_OK)
		rc = table_check_project(cx, in);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TABLE_UPDATE, "tbtbtbti", id, name != NULL, json_string_value(name),
	    description != NULL, json_string_value(description), project != NULL,
	    json_string_value(project), cx->now);
	audit(cx, "table.update", "table", id, NULL);
	return tx_end(cx, RC_OK);
}

enum rc table_delete(struct ctx *cx, const char *id)
{
	static const enum stmt PARTS[] = {
		Q_TABLE_DELETE_DOCUMENTS, Q_TABLE_DELETE_TASKS, Q_TABLE_DELETE_WORKFLOWS,
		Q_TABLE_DELETE_SCHEDULES, Q_TABLE_DELETE_HISTORY, Q_TABLE_DELETE_TRIGGERS,
		Q_TABLE_DELETE_IMPORTS, Q_TABLE_DELETE_VIEWS, Q_TABLE_DELETE_RELATIONSHIPS,
		Q_TABLE_DELETE_ROWS, Q_TABLE_DELETE_COLUMNS, Q_TABLE_DELETE,
	};
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = table_find(cx, id);
	for (size_t i = 0; rc == RC_OK && i < COUNT(PARTS); i++)
		db_run(cx->db, PARTS[i], "t", id);
	if (rc == RC_OK)
		audit(cx, "table.delete", "table", id, NULL);
	return tx_end(cx, rc);
}
