/* What rows were before they were changed or deleted, and the way back. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

void history_write(struct ctx *cx, struct jw *w, const char *table, const char *row, int64_t limit)
{
	struct q *q = row ? db_query(cx->db, Q_TABLE_HISTORY_LIST_ROW, "tti", table, row, limit)
			  : db_query(cx->db, Q_TABLE_HISTORY_LIST, "ti", table, limit);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TABLE_HISTORY, 0);
	jw_end_arr(w);
}

/* The row gets DATA again; where it is gone, it is made anew with its old id, at the end. */
static void restore(struct ctx *cx, const char *table, const char *row, const char *data)
{
	const char *present = db_get_text(cx->db, cx->arena, Q_TABLE_ROW_DATA, "tt", row, table);
	int64_t position;

	if (present) {
		db_run(cx->db, Q_TABLE_HISTORY_INSERT, "tttttti", id_make(cx->arena), row, table,
		    present, "rollback", "update", cx->now);
		db_run(cx->db, Q_TABLE_ROW_UPDATE, "ttti", row, table, data, cx->now);
		return;
	}
	position = db_get_int(cx->db, 0, Q_TABLE_ROW_NEXT_POSITION, "t", table);
	db_run(cx->db, Q_TABLE_ROW_INSERT, "tttiti", row, table, data, position, "user", cx->now);
	db_run(cx->db, Q_TABLE_COUNT_ROWS, "tii", table, (int64_t)1, cx->now);
}

enum rc history_rollback(struct ctx *cx, const char *table, const char *row, const json_t *in)
{
	const json_t *entry = json_object_get(in, "historyEntryId");
	const char *data;
	enum rc rc;

	if (json_is_null(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	if (!json_truth(entry))
		return ctx_fail(cx, RC_INVALID, "historyEntryId is required");
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	data = json_is_string(entry) ? db_get_text(cx->db, cx->arena, Q_TABLE_HISTORY_DATA, "ttt",
					   json_string_value(entry), row, table)
				     : NULL;
	if (!data)
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "History entry not found"));
	restore(cx, table, row, data);
	audit(cx, "table.row.rollback", "table", table, row);
	return tx_end(cx, RC_OK);
}
