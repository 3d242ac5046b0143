/* Rows of tables: adding, changing, deleting, writing. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

void row_adder_begin(struct row_adder *ra, struct ctx *cx, const char *table)
{
	*ra = (struct row_adder){ .cx = cx, .table = table };
	ra->position = db_get_int(cx->db, 0, Q_TABLE_ROW_NEXT_POSITION, "t", table);
	ra->fire = fire_load(cx, table, "row_added");
}

void row_adder_add(struct row_adder *ra, const char *data, const char *by, const char *id)
{
	db_run(ra->cx->db, Q_TABLE_ROW_INSERT, "tttiti", id, ra->table, data,
	    ra->position + ra->n++, by, ra->cx->now);
	fire_row(ra->fire, data);
}

void row_adder_end(struct row_adder *ra)
{
	db_run(ra->cx->db, Q_TABLE_COUNT_ROWS, "tii", ra->table, ra->n, ra->cx->now);
}

/* A text column cannot hold a zero byte. */
static enum rc check_creators(struct ctx *cx, const json_t *rows)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row) {
		const json_t *by = json_object_get(row, "createdBy");

		if (strlen(by ? json_string_value(by) : "") != json_string_length(by))
			return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	}
	return RC_OK;
}

enum rc row_add(struct ctx *cx, const char *table, const json_t *rows, const char *by,
    const json_t **ids)
{
	json_t *list = json_keep(cx->arena, json_array()), *row;
	struct arena *a = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	struct row_adder ra;
	char id[ID_SIZE];
	size_t i;
	enum rc rc = check_creators(cx, rows);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = table_find(cx, table);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	row_adder_begin(&ra, cx, table);
	json_array_foreach(rows, i, row) {
		const char *creator = json_str(row, "createdBy");

		arena_reset(a);
		row_adder_add(&ra, json_text(a, json_object_get(row, "data")),
		    creator ? creator : by, id_new(id));
		json_array_append_new(list, json_string(id));
	}
	row_adder_end(&ra);
	audit(cx, "table.rows.add", "table", table,
	    arena_printf(cx->arena, "%zu", json_array_size(rows)));
	*ids = list;
	return tx_end(cx, RC_OK);
}

/* The row's data with that of IN merged into it. */
static const char *merged(struct arena *a, const char *old, const json_t *in)
{
	json_t *data = json_read_cells_text(a, old);

	if (!json_is_object(data))
		data = json_keep(a, json_object());
	json_object_update(data, (json_t *)(uintptr_t)in);
	return json_text(a, data);
}

static void note(struct ctx *cx, const char *table, const char *id, const char *old,
    const char *by, const char *change)
{
	db_run(cx->db, Q_TABLE_HISTORY_INSERT, "tttttti", id_make(cx->arena), id, table, old,
	    by, change, cx->now);
}

enum rc row_update(struct ctx *cx, const char *table, const char *id, const json_t *data,
    bool replace, const char *by)
{
	struct arena *a = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	const char *old, *text;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	old = db_get_text(cx->db, a, Q_TABLE_ROW_DATA, "tt", id, table);
	if (!old)
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Row not found"));
	text = replace ? json_text(a, data) : merged(a, old, data);
	note(cx, table, id, old, by, "update");
	db_run(cx->db, Q_TABLE_ROW_UPDATE, "ttti", id, table, text, cx->now);
	fire_row(fire_load(cx, table, "row_updated"), text);
	audit(cx, "table.row.update", "table", table, id);
	return tx_end(cx, RC_OK);
}

enum rc row_delete(struct ctx *cx, const char *table, const char *id, const char *by,
    bool *deleted)
{
	const char *old;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	old = db_get_text(cx->db, cx->arena, Q_TABLE_ROW_DATA, "tt", id, table);
	if (deleted)
		*deleted = old != NULL;
	if (!old)
		return tx_end(cx, RC_OK);
	note(cx, table, id, old, by, "delete");
	db_run(cx->db, Q_TABLE_ROW_DELETE, "tt", id, table);
	db_run(cx->db, Q_TABLE_COUNT_ROWS, "tii", table, (int64_t)-1, cx->now);
	fire_row(fire_load(cx, table, "row_deleted"), old);
	audit(cx, "table.row.delete", "table", table, id);
	return tx_end(cx, RC_OK);
}

enum rc row_write(struct ctx *cx, struct jw *w, const char *table, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_ROW_GET, "tt", id, table);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Row not found");
	row_json(w, q, &MODEL_TABLE_ROW, 0);
	db_done(q);
	return RC_OK;
}

const char *row_table(struct ctx *cx, const char *id)
{
	return db_get_text(cx->db, cx->arena, Q_TABLE_ROW_TABLE, "t", id);
}

static void write_data(struct jw *w, const char *text, bool parsed)
{
	if (parsed)
		jw_raw(w, text, strlen(text));
	else
		jw_str(w, text);
}

void row_write_scanned(struct jw *w, struct q *q, struct computed *c, struct arena *a, bool parsed)
{
	const char *data = db_text(q, ROW_DATA);

	if (!c && !parsed) {
		row_json(w, q, &MODEL_TABLE_ROW, 0);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "id", db_text(q, ROW_ID));
	jw_kstr(w, "tableId", db_text(q, ROW_TABLE));
	jw_key(w, "data");
	write_data(w, c ? json_text(a, computed_data(c, a, data)) : data, parsed);
	jw_kint(w, "position", db_int(q, ROW_POSITION));
	jw_kstr(w, "createdBy", db_text(q, ROW_CREATED_BY));
	jw_ktime(w, "createdAt", db_int(q, ROW_CREATED_BY + 1));
	jw_ktime(w, "updatedAt", db_int(q, ROW_CREATED_BY + 2));
	jw_end_obj(w);
}
