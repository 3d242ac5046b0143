/* Memories: columns and request bodies. The operations check the bodies themselves: their refusals
 * have words of their own, which are said in a certain order. */
#include "core/model/models.h"

static const char *const CATEGORY_WORDS[] = { "fact", "preference", "pattern", "outcome" };
const struct word_set MEMORY_CATEGORIES = WORDS(CATEGORY_WORDS);
static const char *const STATUS_WORDS[] = { "active", "decayed", "archived", "rejected" };
const struct word_set MEMORY_STATUSES = WORDS(STATUS_WORDS);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "profile_id", "profileId", COL_ID, COL_READONLY, NULL, "Whose memory it is" },
	{ "category", "category", COL_TEXT, COL_READONLY, &MEMORY_CATEGORIES, NULL },
	{ "content", "content", COL_TEXT, COL_READONLY, NULL, "The statement" },
	{ "confidence", "confidence", COL_INT, 0, NULL, "0 to 1000; it fades from day to day" },
	{ "source_task_id", "sourceTaskId", COL_ID, COL_NULL | COL_READONLY, NULL,
	    "Task that it was learned from" },
	{ "tags", "tags", COL_PACKED, COL_NULL | COL_READONLY, NULL, "A JSON array as text" },
	{ "last_accessed_at", "lastAccessedAt", COL_TIME, COL_NULL | COL_READONLY, NULL,
	    "When a run was given it last" },
	{ "access_count", "accessCount", COL_INT, COL_READONLY, NULL, "How many runs were" },
	{ "decay_rate", "decayRate", COL_INT, COL_READONLY, NULL, "Thousandths a day" },
	{ "status", "status", COL_TEXT, 0, &MEMORY_STATUSES, "Agents are given active ones only" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_MEMORY = { "Memory", "memory", "agent_memory", COLUMNS, COUNT(COLUMNS),
	"A short statement that a profile's agents have learned" };

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field CREATE[] = {
	{ "profileId", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "It need not exist" },
	{ "category", F_ENUM, F_REQUIRED, .words = &MEMORY_CATEGORIES },
	{ "content", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "The statement" },
	{ "confidence", F_NUMBER, F_NULLABLE, .otherwise = "0.7",
	    .doc = "0 to 1; what is beyond counts as the limit" },
	{ "tags", F_ARRAY, F_NULLABLE, .item = &TEXT_ITEM,
	    .doc = "Words that bring it back to mind when a task has them" },
};
const struct shape SHAPE_MEMORY_CREATE = { "MemoryCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "id", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "confidence", F_NUMBER, F_NULLABLE,
	    .doc = "0 to 1000, rounded; what is beyond counts as the limit" },
	{ "status", F_ENUM, .words = &MEMORY_STATUSES },
};
const struct shape SHAPE_MEMORY_UPDATE = { "MemoryUpdate", UPDATE, COUNT(UPDATE) };

static const struct field ARCHIVE[] = {
	{ "id", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
};
const struct shape SHAPE_MEMORY_ARCHIVE = { "MemoryArchive", ARCHIVE, COUNT(ARCHIVE) };
