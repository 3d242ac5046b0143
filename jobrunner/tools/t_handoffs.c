/* Tools: handoffs. A run sends in the name of its profile and of its task, and behind the handoff that
 * its task was made of, so that no chain of agents is longer than the limit. */
#include "core/domain/handoff.h"

#include "core/json_in.h"
#include "core/profile.h"
#include "jobrunner/tools/tools_int.h"

static const struct field SEND[] = {
	{ "toProfile", F_STRING, F_REQUIRED, .doc = "Id of the profile that is to take over" },
	{ "subject", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200, .doc = "What it is about" },
	{ "body", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 4000,
	    .doc = "The brief: all that the other agent needs to know" },
	{ "fromProfile", F_STRING, .doc = "Id of the profile that hands over; default: your own" },
	{ "sourceTaskId", F_STRING, .doc = "Id of the task that it comes from; default: your own" },
	{ "priority", F_INT, F_MIN | F_MAX, 0, 3, .doc = "0 is the most urgent", .otherwise = "2" },
	{ "requiresApproval", F_BOOL, .otherwise = "false",
	    .doc = "Whether the operator has to approve it first" },
};
const struct shape PARAMS_SEND_HANDOFF = { "send_handoff", SEND, COUNT(SEND) };

/* The text under KEY; where it is missing or empty, OTHERWISE. */
static const char *given(const json_t *args, const char *key, const char *otherwise)
{
	const char *s = json_str(args, key);

	return s && *s ? s : otherwise;
}

enum rc tool_send_handoff(struct tool_env *env, const json_t *args, json_t **out)
{
	const struct handoff_new h = {
		.from = given(args, "fromProfile",
		    env->profile_id ? env->profile_id : PROFILE_DEFAULT),
		.to = json_str(args, "toProfile"),
		.subject = json_str(args, "subject"),
		.body = json_str(args, "body"),
		.task = given(args, "sourceTaskId", env->task_id),
		.parent = env->task_id ? handoff_of_task(env->cx, env->task_id) : NULL,
		.priority = (int64_t)json_num(args, "priority", HANDOFF_PRIORITY),
		.needs_approval = json_flag(args, "requiresApproval"),
	};
	const char *id;
	enum rc rc = handoff_send(env->cx, &h, &id);

	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "message",
		    "Handoff created successfully", "messageId", id, "from", h.from, "to", h.to,
		    "subject", h.subject, "requiresApproval", h.needs_approval);
	return rc;
}
