/* Tools: notifications. An agent that works on a task, or in another program, never answers for the
 * operator. */
#include "core/domain/notification.h"

#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "jobrunner/tools/tools_int.h"

#define LIMIT_DEFAULT 20

static const struct field LIST[] = {
	{ "pendingOnly", F_BOOL, .otherwise = "true",
	    .doc = "true: requests that wait for a decision; false: the latest of all kinds" },
	{ "limit", F_NUMBER, F_MIN | F_MAX, 1, 100, .otherwise = "20", .doc = "At most so many" },
};
const struct shape PARAMS_LIST_NOTIFICATIONS = { "list_notifications", LIST, COUNT(LIST) };

enum rc tool_list_notifications(struct tool_env *env, const json_t *args, json_t **out)
{
	bool pending = !json_is_false(json_object_get(args, "pendingOnly"));
	size_t limit = (size_t)json_num(args, "limit", LIMIT_DEFAULT), i;
	struct draft d;
	json_t *row;
	enum rc rc;

	if (pending)
		pending_approvals_write(env->cx, draft_begin(&d));
	else
		notification_write_list(env->cx, draft_begin(&d), false, NULL);
	rc = draft_end(env, &d, RC_OK, out);
	if (rc != RC_OK)
		return rc;
	while (json_array_size(*out) > limit)
		json_array_remove(*out, json_array_size(*out) - 1);
	if (!pending)
		json_array_foreach(*out, i, row) {
			json_object_del(row, "taskId");
			json_object_del(row, "toolInput");
		}
	return RC_OK;
}

static const char *const BEHAVIOR_WORDS[] = { "allow", "deny" };
static const struct word_set BEHAVIORS = WORDS(BEHAVIOR_WORDS);
static const struct field RESPOND[] = {
	{ "notificationId", F_STRING, F_REQUIRED, .doc = "Id of the notification" },
	{ "behavior", F_ENUM, F_REQUIRED, .words = &BEHAVIORS, .doc = "The decision" },
	{ "alwaysAllow", F_BOOL, .doc = "Also allow such calls from now on without asking" },
};
const struct shape PARAMS_RESPOND_NOTIFICATION = { "respond_notification", RESPOND,
	COUNT(RESPOND) };

/* Only the operator decides about what agents ask and what they have learned. */
static bool is_request(const char *type)
{
	static const char *const TYPES[] = { "permission_required", "agent_message",
		"context_proposal", "context_proposal_batch" };
	static const struct word_set SET = WORDS(TYPES);

	return word_in(&SET, type);
}

/* The row, or why it cannot be answered. */
static enum rc load(struct tool_env *env, const char *id, json_t **row)
{
	struct ctx *cx = env->cx;
	struct draft d;
	enum rc rc = notification_write(cx, draft_begin(&d), id);

	if (rc == RC_NOTFOUND) {
		err_clear(&cx->err);
		ctx_fail(cx, rc, "Notification not found: %s", id);
	}
	rc = draft_end(env, &d, rc, row);
	if (rc != RC_OK)
		return rc;
	json_keep(cx->arena, *row);
	if (!json_is_null(json_object_get(*row, "response")))
		return ctx_fail(cx, RC_CONFLICT, "Already responded to this notification");
	if ((env->task_id || env->outside) && is_request(json_str(*row, "type")))
		return ctx_fail(
		    cx, RC_DENIED, "Permission requests are answered by the operator");
	return RC_OK;
}

enum rc tool_respond_notification(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "notificationId"), *task;
	bool allow = strcmp(json_str(args, "behavior"), "allow") == 0;
	json_t *row, *in;
	bool always;
	enum rc rc = load(env, id, &row);

	if (rc != RC_OK)
		return rc;
	/* Only of a tool call a pattern can be kept. */
	always = json_flag(args, "alwaysAllow") &&
		 strcmp(json_str(row, "type"), "permission_required") == 0;
	in = json_keep(env->cx->arena,
	    json_pack("{s:s, s:s}", "notificationId", id, "behavior", allow ? "allow" : "deny"));
	if (!allow)
		json_object_set_new(in, "message", json_string("Denied via chat"));
	if (always)
		json_object_set_new(in, "alwaysAllow", json_true());
	task = json_str(row, "taskId");
	rc = task_respond(env->cx, task ? task : "", in);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:b}", "message",
		    allow ? "Notification approved" : "Notification denied", "notificationId", id,
		    "alwaysAllow", always);
	return rc;
}

enum rc tool_mark_notifications_read(struct tool_env *env, const json_t *args UNUSED,
    json_t **out)
{
	enum rc rc = notification_read_all(env->cx);

	if (rc == RC_OK)
		*out = json_pack("{s:s}", "message", "All notifications marked as read");
	return rc;
}
