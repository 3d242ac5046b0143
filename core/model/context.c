/* Learned context: the batch decision. */
#include "core/model/models.h"

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
