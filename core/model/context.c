/* Learned context: columns and the batch decision. */
#include "core/model/models.h"

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "profile_id", "profileId", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "version", "version", COL_INT, COL_READONLY, NULL, "1, 2, ... within the profile" },
	{ "content", "content", COL_TEXT, COL_NULL | COL_READONLY, NULL,
	    "The whole text after the change" },
	{ "diff", "diff", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "change_type", "changeType", COL_TEXT, COL_READONLY, NULL,
	    "proposal, approved, rejected, rollback or summarization" },
	{ "source_task_id", "sourceTaskId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "proposal_notification_id", "proposalNotificationId", COL_ID, COL_NULL | COL_READONLY,
	    NULL, NULL },
	{ "proposed_additions", "proposedAdditions", COL_TEXT, COL_NULL | COL_READONLY, NULL,
	    NULL },
	{ "approved_by", "approvedBy", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
};

const struct model MODEL_CONTEXT = { "LearnedContext", "learned", "learned_context", COLUMNS,
	COUNT(COLUMNS), "One change of what a profile's agents have learned" };

static const char *const ACTION_WORDS[] = { "approve", "reject" };
static const struct word_set ACTIONS = WORDS(ACTION_WORDS);
static const struct field ID_ITEM = { .type = F_STRING, .flags = F_MIN, .min = 1 };

static const struct field BATCH[] = {
	{ "proposalIds", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &ID_ITEM,
	    .doc = "Decided in this order; unknown and decided ones are passed over" },
	{ "action", F_ENUM, F_REQUIRED, .words = &ACTIONS },
};
const struct shape SHAPE_CONTEXT_BATCH = { "ContextBatch", BATCH, COUNT(BATCH),
	.plain = "proposalIds (string[]) and action ('approve'|'reject') are required" };
