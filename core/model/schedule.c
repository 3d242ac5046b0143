/* Schedules: columns and request bodies. The operations check the bodies themselves: their refusals
 * have words of their own, which are said in a certain order. */
#include "core/model/models.h"

static const char *const STATUS_WORDS[] = { "active", "paused", "completed", "expired" };
const struct word_set SCHEDULE_STATUSES = WORDS(STATUS_WORDS);
static const char *const TYPE_WORDS[] = { "scheduled", "heartbeat" };
const struct word_set SCHEDULE_TYPES = WORDS(TYPE_WORDS);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "project_id", "projectId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "prompt", "prompt", COL_TEXT, 0, NULL, "What its tasks are about" },
	{ "cron_expression", "cronExpression", COL_TEXT, 0, NULL, "Five fields" },
	{ "assigned_agent", "assignedAgent", COL_TEXT, COL_NULL, NULL, "Runtime of its tasks" },
	{ "agent_profile", "agentProfile", COL_TEXT, COL_NULL, NULL, NULL },
	{ "recurs", "recurs", COL_BOOL, COL_READONLY, NULL, "false: it fires once" },
	{ "status", "status", COL_TEXT, 0, &SCHEDULE_STATUSES, NULL },
	{ "max_firings", "maxFirings", COL_INT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "firing_count", "firingCount", COL_INT, COL_READONLY, NULL, NULL },
	{ "expires_at", "expiresAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
	{ "last_fired_at", "lastFiredAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
	{ "next_fire_at", "nextFireAt", COL_TIME, COL_NULL | COL_READONLY, NULL,
	    "null while it does not wait: paused, over, or a heartbeat under way" },
	{ "type", "type", COL_TEXT, COL_READONLY, &SCHEDULE_TYPES, NULL },
	{ "heartbeat_checklist", "heartbeatChecklist", COL_PACKED, COL_NULL, NULL,
	    "A JSON array as text" },
	{ "active_hours_start", "activeHoursStart", COL_INT, COL_NULL, NULL,
	    "Hour from which a heartbeat may fire" },
	{ "active_hours_end", "activeHoursEnd", COL_INT, COL_NULL, NULL,
	    "Hour from which it may not" },
	{ "active_timezone", "activeTimezone", COL_TEXT, COL_NULL, NULL,
	    "IANA name of the zone of these hours" },
	{ "suppression_count", "suppressionCount", COL_INT, COL_READONLY, NULL,
	    "Heartbeats in a row that found nothing to do" },
	{ "last_action_at", "lastActionAt", COL_TIME, COL_NULL | COL_READONLY, NULL,
	    "Time of the last heartbeat that found something to do" },
	{ "heartbeat_budget_per_day", "heartbeatBudgetPerDay", COL_NUM, COL_NULL, NULL,
	    "Below 10000: dollars, else millionths of a dollar" },
	{ "heartbeat_spent_today", "heartbeatSpentToday", COL_NUM, COL_READONLY, NULL,
	    "In the unit of the budget" },
	{ "heartbeat_budget_reset_at", "heartbeatBudgetResetAt", COL_TIME,
	    COL_NULL | COL_READONLY, NULL, "Midnight since which is counted" },
	{ "delivery_channels", "deliveryChannels", COL_PACKED, COL_NULL, NULL,
	    "A JSON array of channel ids as text" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_SCHEDULE = { "Schedule", "schedule", "schedules", COLUMNS, COUNT(COLUMNS),
	"Makes a task whenever its cron expression matches" };

static const struct field TEXT_ITEM = { .type = F_STRING };
static const struct field ANY_ITEM = { .type = F_ANY };

#define INTERVAL_DOC \
	"In words (every weekday at 9am), as shorthand (5m, 2h, 1d) or as a cron expression"
#define CHECKLIST \
	{ "heartbeatChecklist", F_ARRAY, F_NULLABLE, .item = &ANY_ITEM, \
	    .doc = "Objects with id, instruction and priority (high, medium or low)" }
#define HOURS(key, text) { key, F_INT, F_NULLABLE | F_MIN | F_MAX, 0, 23, .doc = text }
#define CHANNELS \
	{ "deliveryChannels", F_ARRAY, F_NULLABLE, .item = &TEXT_ITEM, \
	    .doc = "Ids of channels that get a message" }

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "interval", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = INTERVAL_DOC },
	{ "prompt", F_STRING, F_NULLABLE, .doc = "Required unless it is a heartbeat" },
	{ "type", F_ENUM, F_NULLABLE, .words = &SCHEDULE_TYPES, .otherwise = "\"scheduled\"" },
	{ "projectId", F_STRING, F_NULLABLE, .doc = "Project of its tasks" },
	{ "assignedAgent", F_STRING, F_NULLABLE, .doc = "Runtime of its tasks" },
	{ "agentProfile", F_STRING, F_NULLABLE, .doc = "Profile of its tasks" },
	{ "recurs", F_ANY, .otherwise = "true", .doc = "false: it fires once" },
	{ "maxFirings", F_INT, F_NULLABLE | F_MIN, .min = 1, .doc = "It expires with the last" },
	{ "expiresInHours", F_NUMBER, F_NULLABLE, .doc = "0: never" },
	CHECKLIST,
	HOURS("activeHoursStart", "Of heartbeats: the hour from which they may fire"),
	HOURS("activeHoursEnd", "The hour from which they may not; before the start: over night"),
	{ "activeTimezone", F_STRING, F_NULLABLE, .otherwise = "\"UTC\"",
	    .doc = "IANA name of the zone of these hours" },
	{ "heartbeatBudgetPerDay", F_NUMBER, F_NULLABLE,
	    .doc = "Below 10000: dollars, else millionths of a dollar" },
	{ "documentIds", F_ARRAY, F_NULLABLE, .item = &TEXT_ITEM,
	    .doc = "Documents that each of its tasks gets" },
	CHANNELS,
};
const struct shape SHAPE_SCHEDULE_CREATE = { "ScheduleCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "status", F_STRING, F_NULLABLE, .doc = "paused, or active again" },
	{ "name", F_STRING, F_MIN, .min = 1 },
	{ "prompt", F_STRING, F_MIN, .min = 1 },
	{ "interval", F_STRING, F_MIN, .min = 1, .doc = INTERVAL_DOC },
	{ "assignedAgent", F_STRING, F_NULLABLE, .doc = "Runtime of its tasks" },
	{ "agentProfile", F_STRING, F_NULLABLE, .doc = "Profile of its tasks" },
	CHECKLIST,
	HOURS("activeHoursStart", "Of heartbeats: the hour from which they may fire"),
	HOURS("activeHoursEnd", "The hour from which they may not"),
	{ "activeTimezone", F_STRING, F_NULLABLE, .otherwise = "\"UTC\"" },
	{ "heartbeatBudgetPerDay", F_NUMBER, F_NULLABLE },
	CHANNELS,
};
const struct shape SHAPE_SCHEDULE_UPDATE = { "ScheduleUpdate", UPDATE, COUNT(UPDATE) };

static const struct field PARSE[] = {
	{ "expression", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = INTERVAL_DOC },
};
const struct shape SHAPE_SCHEDULE_PARSE = { "ScheduleParse", PARSE, COUNT(PARSE) };
