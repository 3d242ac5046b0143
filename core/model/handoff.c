/* Handoffs: columns and request bodies. The operations check the bodies themselves: their refusals
 * have words of their own, which are said in a certain order. */
#include "core/model/models.h"

static const char *const STATUS_WORDS[] = { "pending", "accepted", "in_progress", "completed",
	"rejected", "expired" };
const struct word_set HANDOFF_STATUSES = WORDS(STATUS_WORDS);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "from_profile_id", "fromProfileId", COL_ID, COL_READONLY, NULL, "Who hands over" },
	{ "to_profile_id", "toProfileId", COL_ID, COL_READONLY, NULL, "Who is to take over" },
	{ "task_id", "taskId", COL_ID, COL_NULL | COL_READONLY, NULL, "Task that it comes from" },
	{ "target_task_id", "targetTaskId", COL_ID, COL_NULL | COL_READONLY, NULL,
	    "Task that was made of it" },
	{ "subject", "subject", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "body", "body", COL_TEXT, COL_READONLY, NULL, "What is to be done" },
	{ "attachments", "attachments", COL_PACKED, COL_NULL | COL_READONLY, NULL,
	    "Once it is completed: an object with the task's result, as text" },
	{ "priority", "priority", COL_INT, COL_READONLY, NULL, "0 (most urgent) to 3" },
	{ "status", "status", COL_TEXT, COL_READONLY, &HANDOFF_STATUSES, NULL },
	{ "requires_approval", "requiresApproval", COL_BOOL, COL_READONLY, NULL, NULL },
	{ "approved_by", "approvedBy", COL_TEXT, COL_NULL | COL_READONLY, NULL,
	    "Who approved or rejected it" },
	{ "parent_message_id", "parentMessageId", COL_ID, COL_NULL | COL_READONLY, NULL,
	    "The handoff that led to this one" },
	{ "chain_depth", "chainDepth", COL_INT, COL_READONLY, NULL, "0 to 4" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "responded_at", "respondedAt", COL_TIME, COL_NULL | COL_READONLY, NULL,
	    "When its state changed last" },
	{ "expires_at", "expiresAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
};
const struct model MODEL_HANDOFF = { "Handoff", "handoff", "agent_messages", COLUMNS,
	COUNT(COLUMNS), "Work that one profile's agent passes on to another's" };

static const struct field CREATE[] = {
	{ "fromProfileId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "toProfileId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "subject", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Becomes the task's title" },
	{ "body", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Becomes its description" },
	{ "sourceTaskId", F_STRING, F_NULLABLE, .doc = "Task that it comes from" },
	{ "priority", F_INT, F_NULLABLE | F_MIN | F_MAX, 0, 3, .otherwise = "2",
	    .doc = "0 is the most urgent" },
	{ "requiresApproval", F_BOOL, .otherwise = "false",
	    .doc = "Whether a person has to approve it first" },
	{ "parentMessageId", F_STRING, F_NULLABLE, .doc = "The handoff that led to this one" },
};
const struct shape SHAPE_HANDOFF_CREATE = { "HandoffCreate", CREATE, COUNT(CREATE) };

static const char *const ACTION_WORDS[] = { "approve", "reject" };
static const struct word_set ACTIONS = WORDS(ACTION_WORDS);
static const struct field DECIDE[] = {
	{ "action", F_ENUM, F_REQUIRED, .words = &ACTIONS },
	{ "approvedBy", F_STRING, F_NULLABLE, .otherwise = "\"user\"", .doc = "Who decides" },
};
const struct shape SHAPE_HANDOFF_DECIDE = { "HandoffDecide", DECIDE, COUNT(DECIDE) };
