/* /api/projects */
#include "core/domain/project.h"
#include "fcgi/handlers.h"

enum rc h_project_list(struct request *rq)
{
	project_write_list(&rq->cx, reply(rq, 200), NULL);
	return RC_OK;
}

enum rc h_project_create(struct request *rq)
{
	const char *id;
	enum rc rc = project_create(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : project_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_project_get(struct request *rq)
{
	return project_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_project_update(struct request *rq)
{
	enum rc rc = project_update(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : project_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_project_delete(struct request *rq)
{
	enum rc rc = project_delete(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_project_documents(struct request *rq)
{
	static const char *const KEYS[] = { "id", "originalName", "filename", "mimeType", "size",
		"direction", "status", "category" };
	struct q *q = db_query(rq->cx.db, Q_PROJECT_DOCUMENTS, "t", rq->id);
	struct jw *w = reply(rq, 200);

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		for (int i = 0; i < (int)COUNT(KEYS); i++) {
			jw_key(w, KEYS[i]);
			if (i == 4)
				jw_int(w, db_int(q, i));
			else
				jw_str(w, db_text(q, i));
		}
		jw_end_obj(w);
	}
	jw_end_arr(w);
	return RC_OK;
}

static bool all_strings(const json_t *list)
{
	size_t i;
	json_t *item;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

enum rc h_project_set_documents(struct request *rq)
{
	const json_t *ids = json_object_get(rq->in, "documentIds");
	struct jw *w;
	int64_t n;
	enum rc rc;

	if (!all_strings(ids))
		return ctx_fail(&rq->cx, RC_INVALID, "documentIds must be an array");
	rc = project_set_documents(&rq->cx, rq->id, ids, "Project not found", &n);
	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kint(w, "updated", n);
	jw_kstr(w, "projectId", rq->id);
	jw_end_obj(w);
	return RC_OK;
}
