/* Notifications. */
#include "core/domain/notification.h"

#include "core/clock.h"
#include "core/domain/handoff.h"
#include "core/domain/workflow.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/policy.h"
#include "core/text.h"

#define LOST_AFTER_S 60

/* Position of the columns that the domain looks at, in MODEL_NOTIFICATION. */
enum { N_ID, N_TASK, N_TYPE, N_TITLE, N_BODY, N_READ, N_TOOL, N_INPUT, N_RESPONSE, N_RESPONDED,
	N_CREATED, N_COLUMNS };

/* The names that the documentation uses for filters, and the stored types each stands for. */
static const struct {
	const char *name, *types[3];
} TYPE_NAMES[] = {
	{ "task_complete", { "task_completed" } },
	{ "error", { "task_failed" } },
	{ "approval", { "permission_required", "context_proposal", "context_proposal_batch" } },
	{ "system", { "budget_alert", "agent_message" } },
};

void notification_add_as(struct ctx *cx, const char *id, const char *task, const char *type,
    const char *title, const char *body, const char *tool, const char *input)
{
	db_run(cx->db, Q_NOTIFICATION_INSERT, "ttttttti", id, task, type, title, body, tool,
	    input, cx->now);
	cx->bells |= BELL_HUB;
}

const char *notification_add(struct ctx *cx, const char *task, const char *type, const char *title,
    const char *body, const char *tool, const char *input)
{
	const char *id = id_make(cx->arena);

	notification_add_as(cx, id, task, type, title, body, tool, input);
	return id;
}

static void wake_run(struct ctx *cx, const char *task)
{
	if (task)
		db_run(cx->db, Q_JOB_UNPARK, "ti", task, cx->now * 1000);
	cx->bells |= BELL_HUB | BELL_RUNNER;
}

bool notification_answer(struct ctx *cx, const char *id, const char *task, const char *response)
{
	db_run(cx->db, Q_NOTIFICATION_RESPOND, "tti", id, response, cx->now);
	if (!db_changes(cx->db))
		return false;
	wake_run(cx, task);
	workflow_request_answered(cx, id);
	return true;
}

void notification_close_of_task(struct ctx *cx, const char *task, const char *message)
{
	const char *response =
	    arena_printf(cx->arena, "{\"behavior\":\"deny\",\"message\":\"%s\"}", message);

	db_run(cx->db, Q_NOTIFICATION_CLOSE_OF_TASK, "tti", task, response, cx->now);
	cx->bells |= BELL_HUB;
}

enum rc notification_close_lost(struct ctx *cx)
{
	int64_t now = now_s();
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_NOTIFICATION_CLOSE_LOST, "tii", NOTIFICATION_TIMED_OUT, now,
	    now - MCP_WAIT_MAX_S - LOST_AFTER_S);
	if (db_changes(cx->db))
		cx->bells |= BELL_HUB;
	return tx_end(cx, RC_OK);
}

static const char *const *stored_types(struct arena *a, const char *type)
{
	const char **one;

	for (size_t i = 0; type && i < COUNT(TYPE_NAMES); i++)
		if (strcmp(TYPE_NAMES[i].name, type) == 0)
			return TYPE_NAMES[i].types;
	one = arena_array(a, const char *, 3);
	one[0] = type;
	return one;
}

void notification_write_list(struct ctx *cx, struct jw *w, bool unread, const char *type)
{
	const char *const *t = stored_types(cx->arena, type);
	struct q *q = db_query(cx->db, unread ? Q_NOTIFICATION_LIST_UNREAD : Q_NOTIFICATION_LIST,
	    "ttt", t[0], t[1], t[2]);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_NOTIFICATION, 0);
	jw_end_arr(w);
}

int64_t notification_count_unread(struct ctx *cx, const char *type)
{
	const char *const *t = stored_types(cx->arena, type);

	return db_get_int(cx->db, 0, Q_NOTIFICATION_COUNT_UNREAD, "ttt", t[0], t[1], t[2]);
}

enum rc notification_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_NOTIFICATION_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Not found");
	row_json(w, q, &MODEL_NOTIFICATION, 0);
	db_done(q);
	return RC_OK;
}

enum rc notification_set_read(struct ctx *cx, const char *id, bool read)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_NOTIFICATION_SET_READ, "tb", id, read);
	if (!db_changes(cx->db))
		rc = ctx_fail(cx, RC_NOTFOUND, "Not found");
	return tx_end(cx, rc);
}

enum rc notification_read_all(struct ctx *cx)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_NOTIFICATION_READ_ALL, "");
	return tx_end(cx, RC_OK);
}

enum rc notification_delete(struct ctx *cx, const char *id)
{
	char *task = NULL;
	struct q *q;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	q = db_query(cx->db, Q_NOTIFICATION_GET, "t", id);
	if (db_next(q)) {
		if (db_is_null(q, N_RESPONSE))
			task = db_text_dup(q, N_TASK, cx->arena);
		db_done(q);
		db_run(cx->db, Q_NOTIFICATION_DELETE, "t", id);
		handoff_dismiss(cx, id);
		workflow_request_answered(cx, id);
		audit(cx, "notification.delete", "notification", id, NULL);
		wake_run(cx, task);
	}
	return tx_end(cx, RC_OK);
}

static const char *deep_link(struct arena *a, const char *type, const char *tool,
    const char *task, const char *workflow)
{
	if (strcmp(type, "context_proposal_batch") == 0)
		return "/inbox";
	if (strcmp(type, "context_proposal") == 0)
		return arena_printf(a, "/profiles/%s", tool ? tool : "");
	if (task)
		return arena_printf(a, "/tasks/%s", task);
	return workflow ? arena_printf(a, "/workflows/%s", workflow) : "/inbox";
}

static void write_actions(struct jw *w, bool proposal)
{
	jw_key(w, "supportedActionIds");
	jw_arr(w);
	jw_str(w, "allow_once");
	if (!proposal)
		jw_str(w, "always_allow");
	jw_str(w, "deny");
	if (!proposal)
		jw_str(w, "open_inbox");
	jw_end_arr(w);
}

static void write_pending(struct ctx *cx, struct jw *w, struct q *q)
{
	struct arena *a = cx->arena;
	const char *id = db_text_dup(q, N_ID, a), *task = db_text_dup(q, N_TASK, a);
	const char *type = db_text_dup(q, N_TYPE, a);
	const char *tool = db_text_dup(q, N_TOOL, a), *workflow = db_text_dup(q, N_COLUMNS + 1, a);
	const char *workflow_name = db_text_dup(q, N_COLUMNS + 2, a), *summary;
	bool proposal = text_starts(type, "context_proposal");
	const json_t *input = json_read_text(a, db_text_dup(q, N_INPUT, a));

	if (!json_is_object(input) && !json_is_array(input))
		input = NULL;
	if (!workflow && tool && strcmp(tool, "WorkflowCheckpoint") == 0) {
		workflow = json_str(input, "workflowId");
		workflow_name = db_get_text(cx->db, a, Q_WORKFLOW_NAME, "t", workflow);
	}
	summary = policy_summary(a, type, tool, input);
	jw_obj(w);
	jw_kstr(w, "channel", "in_app");
	jw_kstr(w, "notificationId", id);
	jw_kstr(w, "taskId", task);
	jw_kstr(w, "workflowId", workflow);
	jw_kstr(w, "toolName", tool);
	jw_kstr(w, "permissionLabel", policy_label(a, type, tool));
	jw_kstr(w, "compactSummary", summary);
	jw_kstr(w, "deepLink", deep_link(a, type, tool, task, workflow));
	write_actions(w, proposal);
	jw_kstr(w, "title", db_text(q, N_TITLE));
	jw_kstr(w, "body", db_text(q, N_BODY));
	jw_kstr(w, "taskTitle", db_text(q, N_COLUMNS));
	jw_kstr(w, "workflowName", workflow_name);
	jw_kjson(w, "toolInput", input);
	jw_ktime(w, "createdAt", db_int(q, N_CREATED));
	jw_kbool(w, "read", db_int(q, N_READ) != 0);
	jw_kstr(w, "notificationType", type);
	jw_kstr(w, "id", id);
	jw_kstr(w, "message", summary);
	jw_end_obj(w);
}

void pending_approvals_write(struct ctx *cx, struct jw *w)
{
	struct q *q = db_query(cx->db, Q_NOTIFICATION_PENDING, "");

	jw_arr(w);
	while (db_next(q))
		write_pending(cx, w, q);
	jw_end_arr(w);
}
