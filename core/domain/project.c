/* Projects. */
#include "core/domain/project.h"

#include "core/domain/document.h"
#include "core/domain/task.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

enum rc project_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_PROJECT_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Not found");
	row_json(w, q, &MODEL_PROJECT, 0);
	db_done(q);
	return RC_OK;
}

void project_write_list(struct ctx *cx, struct jw *w, const char *status)
{
	struct q *q = db_query(cx->db, Q_PROJECT_LIST, "t", status);

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		row_json_members(w, q, &MODEL_PROJECT, 0);
		jw_kint(w, "taskCount", db_int(q, (int)MODEL_PROJECT.n_cols));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

enum rc project_create(struct ctx *cx, const json_t *in, const char **id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	*id = id_make(cx->arena);
	db_run(cx->db, Q_PROJECT_INSERT, "tttti", *id, json_str(in, "name"),
	    json_str(in, "description"), json_str(in, "workingDirectory"), cx->now);
	audit(cx, "project.create", "project", *id, NULL);
	return tx_end(cx, RC_OK);
}

/* Binds each listed document once; RC_NOTFOUND where one does not exist. */
static enum rc bind_documents(struct ctx *cx, const char *id, const json_t *ids, int64_t *n)
{
	json_t *documents, *item;
	size_t i;

	if (document_any_unknown(cx, ids))
		return ctx_fail(cx, RC_NOTFOUND, "Document not found");
	db_run(cx->db, Q_PROJECT_UNBIND_ALL, "t", id);
	documents = document_listed(cx, ids);
	*n = (int64_t)json_array_size(documents);
	json_array_foreach(documents, i, item)
		db_run(cx->db, Q_PROJECT_BIND, "ttti", id_make(cx->arena), id,
		    json_string_value(item), cx->now);
	return RC_OK;
}

enum rc project_update(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *ids = json_object_get(in, "documentIds");
	int64_t n;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Not found"));
	if (ids && (rc = bind_documents(cx, id, ids, &n)) != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_PROJECT_UPDATE, "ttttti", id, json_str(in, "name"),
	    json_str(in, "description"), json_str(in, "workingDirectory"), json_str(in, "status"),
	    cx->now);
	audit(cx, "project.update", "project", id, NULL);
	return tx_end(cx, RC_OK);
}

enum rc project_set_documents(struct ctx *cx, const char *id, const json_t *ids,
    const char *notfound, int64_t *n)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "%s", notfound));
	rc = bind_documents(cx, id, ids, n);
	audit(cx, "project.documents", "project", id, NULL);
	return tx_end(cx, rc);
}

/* Statements that take the project's id, in an order in which no foreign key is broken: those
 * before its tasks and documents go, and those after. */
static const enum stmt BEFORE[] = {
	Q_PROJECT_DELETE_SYNC_OPS,
	Q_PROJECT_DELETE_CHECKPOINTS,
	Q_PROJECT_DELETE_ARTIFACTS,
	Q_PROJECT_DELETE_SCANS,
	Q_PROJECT_DELETE_MESSAGES,
	Q_PROJECT_DELETE_CHANNEL_BINDINGS,
	Q_PROJECT_DETACH_CONVERSATION_DOCUMENTS,
	Q_PROJECT_DELETE_CONVERSATIONS,
	Q_PROJECT_DELETE_WORKFLOW_WAITS,
	Q_PROJECT_DELETE_WORKFLOW_RUNS,
	Q_PROJECT_UNBIND_ALL,
	Q_PROJECT_DELETE_TABLE_DOCUMENTS,
	Q_PROJECT_DELETE_TABLE_TASKS,
	Q_PROJECT_DELETE_TABLE_WORKFLOWS,
	Q_PROJECT_DELETE_TABLE_SCHEDULES,
	Q_PROJECT_DELETE_TABLE_HISTORY,
	Q_PROJECT_DELETE_TABLE_TRIGGERS,
	Q_PROJECT_DELETE_TABLE_IMPORTS,
	Q_PROJECT_DELETE_TABLE_VIEWS,
	Q_PROJECT_DELETE_TABLE_RELATIONSHIPS,
	Q_PROJECT_DELETE_TABLE_ROWS,
	Q_PROJECT_DELETE_TABLE_COLUMNS,
	Q_PROJECT_DELETE_TABLES,
};
static const enum stmt AFTER[] = {
	Q_PROJECT_DELETE_USAGE,
	Q_PROJECT_DETACH_WORKFLOW_USAGE,
	Q_PROJECT_DETACH_SCHEDULE_USAGE,
	Q_PROJECT_DELETE_WORKFLOW_INPUTS,
	Q_PROJECT_DELETE_SCHEDULE_INPUTS,
	Q_PROJECT_DELETE_FIRINGS,
	Q_PROJECT_DELETE_WORKFLOW_NOTIFICATIONS,
	Q_PROJECT_DELETE_WORKFLOWS,
	Q_PROJECT_DELETE_SCHEDULES,
	Q_PROJECT_DELETE,
};

enum rc project_delete(struct ctx *cx, const char *id)
{
	json_t *tasks, *documents, *item;
	size_t i;
	enum rc rc;

	task_wind_down(cx, ctx_list(cx, Q_PROJECT_TASKS, id));
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Not found"));
	for (i = 0; i < COUNT(BEFORE); i++)
		db_run(cx->db, BEFORE[i], "t", id);
	documents = ctx_list(cx, Q_PROJECT_OWN_DOCUMENTS, id);
	json_array_foreach(documents, i, item)
		document_remove(cx, json_string_value(item));
	tasks = ctx_list(cx, Q_PROJECT_TASKS, id);
	json_array_foreach(tasks, i, item)
		task_remove(cx, json_string_value(item), true);
	for (i = 0; i < COUNT(AFTER); i++)
		db_run(cx->db, AFTER[i], "t", id);
	audit(cx, "project.delete", "project", id, NULL);
	return tx_end(cx, RC_OK);
}
