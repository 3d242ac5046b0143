/* Documents: which a list names, and removal with everything that points at them. */
#include "core/domain/document.h"

#include "core/json_in.h"
#include "core/json_out.h"

static const enum stmt CHILDREN[] = {
	Q_DOCUMENT_UNBIND_PROJECTS,
	Q_DOCUMENT_UNBIND_WORKFLOWS,
	Q_DOCUMENT_UNBIND_SCHEDULES,
	Q_DOCUMENT_UNBIND_TABLES,
	Q_DOCUMENT_DETACH_IMPORTS,
};

json_t *document_listed(struct ctx *cx, const json_t *ids)
{
	json_t *list = json_keep(cx->arena, json_array());
	struct q *q;

	if (!json_array_size(ids))
		return list;
	q = db_query(cx->db, Q_DOCUMENTS_LISTED, "t", json_text(cx->arena, ids));
	while (db_next(q))
		json_array_append_new(list, json_string(db_text(q, 0)));
	return list;
}

bool document_any_unknown(struct ctx *cx, const json_t *ids)
{
	return json_array_size(ids) &&
	       db_get_int(cx->db, 0, Q_DOCUMENT_UNKNOWN, "t", json_text(cx->arena, ids));
}

void document_remove(struct ctx *cx, const char *id)
{
	struct q *q;

	for (size_t i = 0; i < COUNT(CHILDREN); i++)
		db_run(cx->db, CHILDREN[i], "t", id);
	q = db_query(cx->db, Q_DOCUMENT_DELETE, "t", id);
	while (db_next(q))
		for (int col = 0; col < 2; col++)
			if (!db_is_null(q, col))
				ctx_remove_later(cx, db_text(q, col));
}
