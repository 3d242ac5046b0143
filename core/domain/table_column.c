/* Columns of tables. The rows of columns are the truth; the table keeps a copy of them as one text,
 * which is written anew after every change. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

/* Columns of MODEL_TABLE_COLUMN. */
enum { C_ID, C_TABLE, C_NAME, C_DISPLAY, C_TYPE, C_POSITION, C_REQUIRED, C_DEFAULT, C_CONFIG };

#define SCHEMA_MAX ((size_t)16 << 20)

void table_write_columns(struct ctx *cx, struct jw *w, const char *table)
{
	struct q *q = db_query(cx->db, Q_TABLE_COLUMN_LIST, "t", table);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TABLE_COLUMN, 0);
	jw_end_arr(w);
}

enum rc column_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_COLUMN_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Column not found");
	row_json(w, q, &MODEL_TABLE_COLUMN, 0);
	db_done(q);
	return RC_OK;
}

void column_insert(struct ctx *cx, const char *table, const json_t *in, int64_t position,
    const char *id)
{
	const json_t *config = json_object_get(in, "config");

	db_run(cx->db, Q_TABLE_COLUMN_INSERT, "tttttibtti", id, table, json_str(in, "name"),
	    json_str(in, "displayName"), json_str(in, "dataType"), position,
	    json_flag(in, "required"), json_str(in, "defaultValue"),
	    json_is_object(config) ? json_text(cx->arena, config) : NULL, cx->now);
}

static void write_definition(struct jw *w, struct q *q)
{
	jw_obj(w);
	jw_kstr(w, "name", db_text(q, C_NAME));
	jw_kstr(w, "displayName", db_text(q, C_DISPLAY));
	jw_kstr(w, "dataType", db_text(q, C_TYPE));
	jw_kint(w, "position", db_int(q, C_POSITION));
	jw_kbool(w, "required", db_int(q, C_REQUIRED) != 0);
	jw_kstr(w, "defaultValue", db_text(q, C_DEFAULT));
	jw_key(w, "config");
	if (db_is_null(q, C_CONFIG))
		jw_null(w);
	else
		jw_raw(w, db_text(q, C_CONFIG), db_text_len(q, C_CONFIG));
	jw_end_obj(w);
}

void column_sync(struct ctx *cx, const char *table)
{
	struct q *q = db_query(cx->db, Q_TABLE_COLUMN_LIST, "t", table);
	struct buf b;
	struct jw w = jw_on(&b);

	buf_init(&b, SCHEMA_MAX);
	jw_arr(&w);
	while (db_next(q))
		write_definition(&w, q);
	jw_end_arr(&w);
	if (b.failed)
		ctx_fail(cx, RC_TOOLARGE, "Too many columns");
	db_run(cx->db, Q_TABLE_SET_SCHEMA, "tti", table, buf_text(&b), cx->now);
	buf_fini(&b);
}

enum rc column_add(struct ctx *cx, const char *table, const json_t *in, const char **id)
{
	const json_t *picked = shape_pick(cx->arena, &SHAPE_TABLE_COLUMN, in);
	const char *name = json_str(in, "name");
	int64_t position;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = table_find(cx, table);
	if (rc == RC_OK &&
	    db_get_text(cx->db, cx->arena, Q_TABLE_COLUMN_NAMED, "tt", table, name))
		rc = ctx_fail(cx, RC_CONFLICT, "Column already exists: %s", name);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	position = db_get_int(cx->db, 0, Q_TABLE_COLUMN_COUNT, "t", table);
	*id = id_make(cx->arena);
	column_insert(cx, table, picked, position, *id);
	column_sync(cx, table);
	audit(cx, "table.column.add", "table", table, name);
	return tx_end(cx, RC_OK);
}

/* Moves what LISTED names to the front of ALL, both arrays of ids. */
static enum rc arrange(struct ctx *cx, const json_t *listed, json_t *all, json_t *order)
{
	json_t *known = json_keep(cx->arena, json_object()), *item;
	size_t i;

	json_array_foreach(all, i, item)
		json_object_set_new(known, json_string_value(item), json_false());
	json_array_foreach(listed, i, item) {
		const char *id = json_string_value(item);
		const json_t *seen = json_object_get(known, id);

		if (!seen)
			return ctx_fail(cx, RC_INVALID, "Unknown column: %s", id);
		if (json_is_true(seen))
			return ctx_fail(cx, RC_INVALID, "Duplicate column: %s", id);
		json_object_set_new(known, id, json_true());
		json_array_append(order, item);
	}
	json_array_foreach(all, i, item)
		if (json_is_false(json_object_get(known, json_string_value(item))))
			json_array_append(order, item);
	return RC_OK;
}

enum rc column_reorder(struct ctx *cx, const char *table, const json_t *ids)
{
	json_t *all = json_keep(cx->arena, json_array()), *item;
	json_t *order = json_keep(cx->arena, json_array());
	struct q *q;
	size_t i;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = table_find(cx, table);
	q = db_query(cx->db, Q_TABLE_COLUMN_LIST, "t", table);
	while (db_next(q))
		json_array_append_new(all, json_string(db_text(q, C_ID)));
	if (rc == RC_OK)
		rc = arrange(cx, ids, all, order);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	json_array_foreach(order, i, item)
		db_run(cx->db, Q_TABLE_COLUMN_MOVE, "tii", json_string_value(item), (int64_t)i,
		    cx->now);
	column_sync(cx, table);
	audit(cx, "table.column.reorder", "table", table, NULL);
	return tx_end(cx, RC_OK);
}

/* The table of a column (arena); NULL, and the failure noted, where there is no such column. */
static const char *table_of(struct ctx *cx, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_COLUMN_GET, "t", id);
	const char *table;

	if (!db_next(q)) {
		ctx_fail(cx, RC_NOTFOUND, "Column not found");
		return NULL;
	}
	table = db_text_dup(q, C_TABLE, cx->arena);
	db_done(q);
	return table;
}

enum rc column_update(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *config = json_object_get(in, "config");
	const char *table;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	table = table_of(cx, id);
	if (!table)
		return tx_end(cx, cx->err.rc);
	if (config)
		config = shape_pick(cx->arena, &SHAPE_COLUMN_CONFIG, config);
	db_run(cx->db, Q_TABLE_COLUMN_UPDATE, "tttti", id, json_str(in, "displayName"),
	    json_str(in, "dataType"), config ? json_text(cx->arena, config) : NULL, cx->now);
	column_sync(cx, table);
	audit(cx, "table.column.update", "table", table, id);
	return tx_end(cx, RC_OK);
}

enum rc column_delete(struct ctx *cx, const char *id)
{
	const char *table;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	table = table_of(cx, id);
	if (!table)
		return tx_end(cx, cx->err.rc);
	db_run(cx->db, Q_TABLE_COLUMN_DELETE, "t", id);
	column_sync(cx, table);
	audit(cx, "table.column.delete", "table", table, id);
	return tx_end(cx, RC_OK);
}
