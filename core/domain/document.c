/* Documents: removal with everything that points at them. */
#include "core/domain/document.h"

static const enum stmt CHILDREN[] = {
	Q_DOCUMENT_UNBIND_PROJECTS,
	Q_DOCUMENT_UNBIND_WORKFLOWS,
	Q_DOCUMENT_UNBIND_SCHEDULES,
	Q_DOCUMENT_UNBIND_TABLES,
	Q_DOCUMENT_DETACH_IMPORTS,
};

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
