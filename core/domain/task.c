/* Tasks: creating, changing, deleting, writing. What concerns runs is in task_run.c. */
#include "core/domain/task.h"

#include "core/catalog.h"
#include "core/domain/document.h"
#include "core/domain/handoff.h"
#include "core/domain/notification.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/profile.h"
#include "core/text.h"

/* Columns of MODEL_TASK. */
enum { T_ID, T_PROJECT, T_WORKFLOW, T_SCHEDULE, T_TITLE, T_DESCRIPTION, T_STATUS, T_AGENT,
	T_PROFILE, T_PRIORITY, T_RESULT, T_SESSION, T_RESUMES, T_SOURCE, T_RUN_NUMBER, T_CREATED,
	T_UPDATED, T_COLUMNS };

/* Which states may follow which, by PATCH. */
static const struct {
	const char *from, *to[4];
} EDGES[] = {
	{ "planned", { "queued", "cancelled" } },
	{ "queued", { "running", "planned", "cancelled" } },
	{ "running", { "completed", "failed", "cancelled" } },
	{ "completed", { "planned" } },
	{ "failed", { "planned", "queued", "running" } },
	{ "cancelled", { "planned", "running" } },
};

static bool may_follow(const char *from, const char *to)
{
	if (strcmp(from, to) == 0)
		return true;
	for (size_t i = 0; i < COUNT(EDGES); i++)
		for (size_t j = 0; strcmp(EDGES[i].from, from) == 0 && j < COUNT(EDGES[i].to); j++)
			if (EDGES[i].to[j] && strcmp(EDGES[i].to[j], to) == 0)
				return true;
	return false;
}

bool task_has_ended(const char *status)
{
	return strcmp(status, "completed") == 0 || strcmp(status, "failed") == 0 ||
	       strcmp(status, "cancelled") == 0;
}

enum rc task_load(struct ctx *cx, const char *id, const char *notfound, struct task *t)
{
	struct q *q = db_query(cx->db, Q_TASK_GET, "t", id);
	struct arena *a = cx->arena;

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "%s", notfound);
	*t = (struct task){
		.id = db_text_dup(q, T_ID, a),
		.project_id = db_text_dup(q, T_PROJECT, a),
		.workflow_id = db_text_dup(q, T_WORKFLOW, a),
		.schedule_id = db_text_dup(q, T_SCHEDULE, a),
		.title = db_text_dup(q, T_TITLE, a),
		.description = db_text_dup(q, T_DESCRIPTION, a),
		.status = db_text_dup(q, T_STATUS, a),
		.assigned_agent = db_text_dup(q, T_AGENT, a),
		.profile = db_text_dup(q, T_PROFILE, a),
		.session_id = db_text_dup(q, T_SESSION, a),
		.result = db_text_dup(q, T_RESULT, a),
		.resume_count = db_int(q, T_RESUMES),
	};
	t->runtime = t->assigned_agent && *t->assigned_agent ? t->assigned_agent : RUNTIME_DEFAULT;
	db_done(q);
	return RC_OK;
}

static void write_usage(struct ctx *cx, struct jw *w, const char *id)
{
	static const char *const KEYS[] = { "inputTokens", "outputTokens", "totalTokens",
		"costMicros" };
	struct q *q = db_query(cx->db, Q_TASK_USAGE, "t", id);

	if (!db_next(q))
		return;
	if (db_int(q, 7)) {
		jw_key(w, "usage");
		jw_obj(w);
		for (int i = 0; i < 4; i++) {
			jw_key(w, KEYS[i]);
			if (db_is_null(q, i))
				jw_null(w);
			else
				jw_int(w, db_int(q, i));
		}
		jw_kstr(w, "modelId", db_text(q, 4));
		jw_ktime(w, "startedAt", db_int(q, 5));
		jw_ktime(w, "finishedAt", db_int(q, 6));
		jw_end_obj(w);
	}
	db_done(q);
}

enum rc task_write(struct ctx *cx, struct jw *w, const char *id, bool full)
{
	static const char *const NAMES[] = { "projectName", "workflowName", "scheduleName" };
	struct q *q = db_query(cx->db, full ? Q_TASK_GET_FULL : Q_TASK_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Not found");
	jw_obj(w);
	row_json_members(w, q, &MODEL_TASK, 0);
	for (int i = 0; full && i < 3; i++)
		if (!db_is_null(q, T_COLUMNS + i))
			jw_kstr(w, NAMES[i], db_text(q, T_COLUMNS + i));
	db_done(q);
	if (full)
		write_usage(cx, w, id);
	jw_end_obj(w);
	return RC_OK;
}

static struct q *list_query(struct ctx *cx, const char *project, const char *status,
    const struct task_page *p, int64_t limit)
{
	if (project && status)
		return db_query(cx->db, Q_TASK_LIST_PROJECT_STATUS, "ttdiii", project, status,
		    p->priority, p->created_at, p->rowid, limit);
	if (project || status)
		return db_query(cx->db, project ? Q_TASK_LIST_PROJECT : Q_TASK_LIST_STATUS, "tdiii",
		    project ? project : status, p->priority, p->created_at, p->rowid, limit);
	return db_query(
	    cx->db, Q_TASK_LIST, "diii", p->priority, p->created_at, p->rowid, limit);
}

void task_write_list(struct ctx *cx, struct jw *w, const char *project, const char *status,
    const struct task_page *page, struct task_page *next)
{
	struct q *q = list_query(cx, project, status, page, page->limit < 0 ? -1 : page->limit + 1);
	int64_t n = 0;

	if (next)
		*next = (struct task_page){ .limit = page->limit };
	jw_arr(w);
	while (db_next(q)) {
		if (page->limit >= 0 && n++ == page->limit) {
			db_done(q);
			jw_end_arr(w);
			return;
		}
		row_json(w, q, &MODEL_TASK, 0);
		if (next && n == page->limit)
			*next = (struct task_page){ page->limit, db_num(q, T_PRIORITY),
				db_int(q, T_CREATED), db_int(q, T_COLUMNS) };
	}
	if (next)
		next->rowid = 0;
	jw_end_arr(w);
}

enum rc task_check_profile(struct ctx *cx, const char *what, const char *profile,
    const char *runtime)
{
	const struct runtime_info *r = catalog_resolve(runtime);
	const struct profile *p;

	if (!profile || !*profile)
		return RC_OK;
	p = profile_find(cx->conf, profile);
	if (!p)
		return ctx_fail(cx, RC_INVALID, "%s \"%s\" was not found", what, profile);
	if (!profile_supports(p, r->id))
		return ctx_fail(
		    cx, RC_INVALID, "%s \"%s\" does not support %s", what, p->name, r->label);
	return RC_OK;
}

/* Attaches documents to the task. AGAIN: their texts are extracted anew. */
static void link_documents(struct ctx *cx, const char *id, const char *project, const json_t *ids,
    bool again)
{
	size_t i;
	json_t *item;

	json_array_foreach(ids, i, item) {
		db_run(cx->db, Q_TASK_LINK_DOCUMENT, "ttti", json_string_value(item), id, project,
		    cx->now);
		if (again)
			document_queue(cx, json_string_value(item));
	}
}

enum rc task_create(struct ctx *cx, const json_t *in, struct jw *w, const char **id)
{
	const char *project = json_str(in, "projectId"), *agent = json_str(in, "assignedAgent");
	const char *profile = json_str(in, "agentProfile");
	const json_t *ids = json_object_get(in, "documentIds");
	struct q *row;
	enum rc rc = task_check_profile(cx, "Task profile", profile, agent);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (project && !db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", project))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Project not found"));
	*id = id_make(cx->arena);
	row = db_query(cx->db, Q_TASK_INSERT, "ttttttdi", *id, project, json_str(in, "title"),
	    json_str(in, "description"), agent, profile, json_num(in, "priority", 2), cx->now);
	if (db_next(row) && w)
		row_json(w, row, &MODEL_TASK, 0);
	db_done(row);
	link_documents(cx, *id, project,
	    document_listed(cx, ids ? ids : json_object_get(in, "fileIds")), true);
	audit(cx, "task.create", "task", *id, NULL);
	return tx_end(cx, RC_OK);
}

void task_add(struct ctx *cx, const struct task *t, double priority)
{
	const char *id = id_make(cx->arena);

	db_run(cx->db, Q_TASK_INSERT, "ttttttdi", id, t->project_id, t->title, t->description,
	    t->assigned_agent, t->profile, priority, cx->now);
	audit(cx, "task.create", "task", id, NULL);
}

/* Detaches the documents that are not listed, attaches those that are. */
static void replace_documents(struct ctx *cx, const struct task *t, const json_t *ids)
{
	json_t *gone = json_keep(cx->arena, json_array()), *item;
	struct q *q = db_query(cx->db, Q_TASK_DOCUMENT_IDS, "t", t->id);
	size_t i;

	while (db_next(q)) {
		bool listed = false;

		json_array_foreach(ids, i, item)
			listed |= strcmp(json_string_value(item), db_text(q, 0)) == 0;
		if (!listed)
			json_array_append_new(gone, json_string(db_text(q, 0)));
	}
	json_array_foreach(gone, i, item)
		db_run(cx->db, Q_TASK_UNLINK_DOCUMENT, "ti", json_string_value(item), cx->now);
	link_documents(cx, t->id, t->project_id, ids, false);
}

/* The profile that the task would have, with the runtime that it would have; looks at files, so it
 * is done before the transaction. What is stored meanwhile is checked again when the task runs. */
static enum rc check_profile_of(struct ctx *cx, const char *id, const json_t *in)
{
	const char *profile = json_str(in, "agentProfile"), *agent = json_str(in, "assignedAgent");
	struct task t;
	enum rc rc = task_load(cx, id, "Not found", &t);

	if (rc != RC_OK)
		return rc;
	return task_check_profile(
	    cx, "Task profile", profile ? profile : t.profile, agent ? agent : t.assigned_agent);
}

enum rc task_update(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *ids = json_object_get(in, "documentIds");
	const json_t *priority = json_object_get(in, "priority");
	const char *status = json_str(in, "status");
	struct task t;
	enum rc rc = check_profile_of(cx, id, in);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = task_load(cx, id, "Not found", &t);
	if (rc == RC_OK && status && !may_follow(t.status, status))
		rc = ctx_fail(cx, RC_INVALID, "Invalid transition from %s to %s", t.status, status);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TASK_UPDATE, priority ? "ttttdtttti" : "ttttDtttti", id,
	    json_str(in, "title"), json_str(in, "description"), status, json_number_value(priority),
	    json_str(in, "assignedAgent"), json_str(in, "agentProfile"), json_str(in, "result"),
	    json_str(in, "sessionId"), cx->now);
	if (ids)
		replace_documents(cx, &t, document_listed(cx, ids));
	if (status && strcmp(t.status, "running") == 0 && strcmp(status, "running") != 0)
		task_stop_run(cx, id);
	if (status && task_has_ended(status))
		task_ended(cx, id);
	audit(cx, "task.update", "task", id, status);
	return tx_end(cx, RC_OK);
}

static const enum stmt CHILDREN[] = {
	Q_TASK_DELETE_LOGS,
	Q_NOTIFICATION_DELETE_OF_TASK,
	Q_TASK_DELETE_TABLE_INPUTS,
	Q_TASK_DETACH_DOCUMENTS,
	Q_TASK_DETACH_USAGE,
	Q_TASK_DETACH_MEMORY,
	Q_TASK_DETACH_MESSAGES,
	Q_TASK_DETACH_TARGETS,
	Q_CALLS_DELETE_OF_TASK,
	Q_RUN_DELETE,
};

void task_remove(struct ctx *cx, const char *id, bool with_context)
{
	json_t *outputs = ctx_list(cx, Q_TASK_OUTPUT_DOCUMENTS, id), *item;
	size_t i;

	json_array_foreach(outputs, i, item)
		document_remove(cx, json_string_value(item));
	task_settle_run(cx, id);
	task_stop_run(cx, id);
	task_ended(cx, id);
	db_run(cx->db, with_context ? Q_TASK_DELETE_CONTEXT : Q_TASK_DETACH_CONTEXT, "t", id);
	for (i = 0; i < COUNT(CHILDREN); i++)
		db_run(cx->db, CHILDREN[i], "t", id);
	db_run(cx->db, Q_TASK_DELETE, "t", id);
	ctx_remove_later(cx, arena_printf(cx->arena, "%s/outputs/%s", cx->conf->data_dir, id));
	ctx_remove_later(cx, arena_printf(cx->arena, "%s/runs/%s.log", cx->conf->data_dir, id));
}

enum rc task_delete(struct ctx *cx, const char *id)
{
	enum rc rc;

	task_wind_down(cx, json_keep(cx->arena, json_pack("[s]", id)));
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Not found"));
	task_remove(cx, id, false);
	audit(cx, "task.delete", "task", id, NULL);
	return tx_end(cx, RC_OK);
}
