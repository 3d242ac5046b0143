/* Documents that are bound to a workflow: to one of its steps, or to all. */
#include "core/domain/workflow.h"

#include "core/id.h"
#include "core/json_in.h"

#define MISSING_MAX ((size_t)8 << 20)

void workflow_write_documents(struct ctx *cx, struct jw *w, const char *id)
{
	static const char *const KEYS[] = { "id", "originalName", "filename", "mimeType", "size",
		"direction", "status", "category" };
	struct q *q = db_query(cx->db, Q_WORKFLOW_DOCUMENTS, "t", id);

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		jw_kstr(w, "bindingId", db_text(q, 0));
		jw_kstr(w, "documentId", db_text(q, 1));
		jw_kstr(w, "stepId", db_text(q, 2));
		jw_ktime(w, "createdAt", db_int(q, 3));
		jw_key(w, "document");
		if (db_is_null(q, 4)) {
			jw_null(w);
		} else {
			jw_obj(w);
			for (int i = 0; i < (int)COUNT(KEYS); i++) {
				jw_key(w, KEYS[i]);
				if (i == 4)
					jw_int(w, db_int(q, 4 + i));
				else
					jw_str(w, db_text(q, 4 + i));
			}
			jw_end_obj(w);
		}
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static bool is_list_of_texts(const json_t *v)
{
	size_t i;
	json_t *item;

	json_array_foreach(v, i, item)
		if (!json_is_string(item))
			return false;
	return json_array_size(v) > 0;
}

static bool document_exists(struct ctx *cx, const char *id)
{
	return db_get_int(cx->db, 0, Q_DOCUMENT_EXISTS, "t", id) != 0;
}

/* All of the missing ones are named, however many. */
static enum rc check_documents(struct ctx *cx, const json_t *ids)
{
	struct buf list;
	json_t *v;
	size_t i;

	buf_init(&list, MISSING_MAX);
	json_array_foreach(ids, i, v)
		if (!document_exists(cx, json_string_value(v)))
			buf_printf(&list, "%s%s", list.len ? ", " : ": ",
			    json_string_value(v));
	if (!list.len && !list.failed)
		return cx->err.rc;
	ctx_fail(cx, RC_NOTFOUND, "Documents not found%s", list.failed ? "" : buf_text(&list));
	buf_fini(&list);
	return cx->err.rc;
}

static void bind_to(struct ctx *cx, const char *id, const char *document, const char *step)
{
	db_run(cx->db, Q_WORKFLOW_BIND, "tttti", id_make(cx->arena), id, document, step, cx->now);
}

bool workflow_bind(struct ctx *cx, const char *id, const char *document)
{
	if (!document_exists(cx, document))
		return false;
	bind_to(cx, id, document, NULL);
	return true;
}

enum rc workflow_attach(struct ctx *cx, const char *id, const json_t *in, struct jw *w)
{
	const json_t *ids = json_object_get(in, "documentIds");
	const char *step = json_str(in, "stepId");
	json_t *v;
	size_t i;
	enum rc rc;

	if (!is_list_of_texts(ids))
		return ctx_fail(cx, RC_INVALID, "documentIds must be a non-empty array");
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_WORKFLOW_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Workflow not found"));
	if ((rc = check_documents(cx, ids)) != RC_OK)
		return tx_end(cx, rc);
	json_array_foreach(ids, i, v)
		bind_to(cx, id, json_string_value(v), step);
	audit(cx, "workflow.attach", "workflow", id, step);
	rc = tx_end(cx, RC_OK);
	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	jw_kint(w, "attached", (int64_t)json_array_size(ids));
	jw_kstr(w, "workflowId", id);
	jw_kstr(w, "stepId", step);
	jw_end_obj(w);
	return RC_OK;
}

/* Whether the fields say which bindings are meant; those of the wrong type name none. */
static bool names_bindings(const json_t *in)
{
	const json_t *ids = json_object_get(in, "documentIds");
	const json_t *step = json_object_get(in, "stepId");

	return (!ids || json_is_null(ids) || json_is_array(ids)) &&
	       (!step || json_is_null(step) || json_is_string(step));
}

enum rc workflow_detach(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *ids = json_object_get(in, "documentIds");
	const char *step = json_str(in, "stepId");
	json_t *v;
	size_t i;
	enum rc rc;

	if (!names_bindings(in))
		return RC_OK;
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	json_array_foreach(ids, i, v)
		if (json_is_string(v))
			db_run(cx->db, Q_WORKFLOW_UNBIND, "ttt", id, json_string_value(v), step);
	if (!json_array_size(ids))
		db_run(cx->db, Q_WORKFLOW_UNBIND_STEP, "tt", id, step);
	audit(cx, "workflow.detach", "workflow", id, step);
	return tx_end(cx, RC_OK);
}
