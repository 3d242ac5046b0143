/* Tasks: what is derived for readers. */
#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/text.h"

static bool has(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(s, words[i]))
			return true;
	return false;
}

const char *task_content_type(struct arena *a, const char *result)
{
	static const char *const MARKDOWN[] = { "```", "# ", "**" };
	static const char *const CODE[] = { "function ", "const ", "import ", "def ", "class " };

	if (*result == '{' || *result == '[')
		return json_read_text(a, result) ? "json" : "text";
	if (has(result, MARKDOWN, COUNT(MARKDOWN)))
		return "markdown";
	return has(result, CODE, COUNT(CODE)) ? "code" : "text";
}

enum { ENTRY_LOG, ENTRY_APPROVAL, ENTRY_COST };

static void write_timeline(struct ctx *cx, struct jw *w, const char *id)
{
	static const char *const TYPES[] = { "log", "approval", "cost" };
	struct q *q = db_query(cx->db, Q_TASK_PROVENANCE, "t", id);

	jw_key(w, "timeline");
	jw_arr(w);
	while (db_next(q)) {
		int64_t kind = db_int(q, 0);

		jw_obj(w);
		jw_ktime(w, "timestamp", db_int(q, 1));
		jw_kstr(w, "type", TYPES[kind]);
		jw_kstr(w, "event", db_text(q, 2));
		jw_kstr(w, "detail", db_text(q, 3));
		if (kind == ENTRY_APPROVAL)
			jw_kstr(w, "status", db_text(q, 4));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

/* Where the task comes from: as it is stored, else by what it belongs to. */
static void write_source(struct jw *w, const struct task *t, const char *stored, bool heartbeat)
{
	const char *type = "manual", *parent = NULL;

	if (stored && *stored)
		type = strcmp(stored, "scheduled") == 0 ? "schedule" : stored;
	else if (t->workflow_id)
		type = "workflow";
	else if (t->schedule_id)
		type = heartbeat ? "heartbeat" : "schedule";
	if (strcmp(type, "workflow") == 0)
		parent = t->workflow_id;
	else if (strcmp(type, "schedule") == 0 || strcmp(type, "heartbeat") == 0)
		parent = t->schedule_id;
	jw_kstr(w, "sourceType", type);
	jw_kstr(w, "parentId", parent);
}

enum rc task_write_provenance(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_TASK_GET_STAMPS, "t", id);
	int64_t created, updated;
	const char *source;
	struct task t;
	bool heartbeat;

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Task not found");
	created = db_int(q, 0);
	updated = db_int(q, 1);
	source = db_text_dup(q, 2, cx->arena);
	heartbeat = !db_is_null(q, 3) && strcmp(db_text(q, 3), "heartbeat") == 0;
	db_done(q);
	if (task_load(cx, id, "Task not found", &t) != RC_OK)
		return cx->err.rc;
	jw_obj(w);
	jw_kstr(w, "taskId", t.id);
	jw_kstr(w, "taskTitle", t.title);
	jw_kstr(w, "taskStatus", t.status);
	jw_kstr(w, "initiator", "user");
	jw_kstr(w, "agentProfile", t.profile);
	jw_kstr(w, "runtime", t.assigned_agent);
	jw_ktime(w, "createdAt", created);
	jw_key(w, "completedAt");
	if (strcmp(t.status, "completed") == 0)
		jw_time(w, updated);
	else
		jw_null(w);
	write_timeline(cx, w, id);
	jw_knum(w, "totalCost",
	    (double)db_get_int(cx->db, 0, Q_TASK_TOTAL_COST, "t", id) / 1000000.0);
	jw_kint(w, "approvalCount", db_get_int(cx->db, 0, Q_TASK_APPROVAL_COUNT, "t", id));
	jw_kint(w, "toolCallCount", db_get_int(cx->db, 0, Q_TASK_TOOL_COUNT, "t", id));
	write_source(w, &t, source, heartbeat);
	jw_end_obj(w);
	return RC_OK;
}
