/* Tasks and their log rows: columns and request bodies. */
#include "core/model/models.h"

static const char *const RUNTIME_IDS[] = { "claude-code", "openai-codex-app-server",
	"anthropic-direct", "openai-direct", "ollama" };
const struct word_set RUNTIMES = WORDS(RUNTIME_IDS);

static const char *const STATUSES[] = { "planned", "queued", "running", "completed", "failed",
	"cancelled" };
const struct word_set TASK_STATUSES = WORDS(STATUSES);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, "Id of the task" },
	{ "project_id", "projectId", COL_ID, COL_NULL, NULL, NULL },
	{ "workflow_id", "workflowId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "schedule_id", "scheduleId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "title", "title", COL_TEXT, 0, NULL, NULL },
	{ "description", "description", COL_TEXT, COL_NULL, NULL, "The brief for the agent" },
	{ "status", "status", COL_TEXT, 0, &TASK_STATUSES, NULL },
	{ "assigned_agent", "assignedAgent", COL_TEXT, COL_NULL, NULL,
	    "Runtime; null means claude-code" },
	{ "agent_profile", "agentProfile", COL_TEXT, COL_NULL, NULL,
	    "Profile; null: chosen at execution" },
	{ "priority", "priority", COL_NUM, 0, NULL, "0 (most urgent) to 3" },
	{ "result", "result", COL_TEXT, COL_NULL, NULL, "Text of the last run, or why it failed" },
	{ "session_id", "sessionId", COL_TEXT, COL_NULL, NULL, NULL },
	{ "resume_count", "resumeCount", COL_INT, COL_READONLY, NULL, NULL },
	{ "source_type", "sourceType", COL_TEXT, COL_NULL | COL_READONLY, NULL,
	    "manual, scheduled, heartbeat or workflow" },
	{ "workflow_run_number", "workflowRunNumber", COL_INT, COL_NULL | COL_READONLY, NULL,
	    NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TASK = { "Task", "task", "tasks", COLUMNS, COUNT(COLUMNS),
	"One piece of work for an agent" };

static const struct column LOG_COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "task_id", "taskId", COL_ID, COL_NULL, NULL, NULL },
	{ "agent_type", "agentType", COL_TEXT, 0, NULL, "Profile of the run" },
	{ "event", "event", COL_TEXT, 0, NULL, NULL },
	{ "payload", "payload", COL_PACKED, COL_NULL, NULL, "JSON as text" },
	{ "timestamp", "timestamp", COL_TIME, 0, NULL, NULL },
};
const struct model MODEL_LOG = { "LogEntry", "log", "agent_logs", LOG_COLUMNS,
	COUNT(LOG_COLUMNS), "One event of an agent's run" };

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field CREATE[] = {
	{ "title", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200,
	    .message_min = "Title is required", .doc = "Title of the task" },
	{ "description", F_STRING, F_MAX, .max = 2000, .doc = "The brief for the agent" },
	{ "projectId", F_STRING, .doc = "Project that the task belongs to" },
	{ "priority", F_NUMBER, F_MIN | F_MAX, 0, 3, .doc = "0 is the most urgent",
	    .otherwise = "2" },
	{ "assignedAgent", F_ENUM, .words = &RUNTIMES, .doc = "Runtime" },
	{ "agentProfile", F_STRING, .doc = "Profile of the agent" },
	{ "documentIds", F_ARRAY, .item = &TEXT_ITEM, .doc = "Documents to attach" },
	{ "fileIds", F_ARRAY, .item = &TEXT_ITEM,
	    .doc = "Older name of documentIds, used only where that is missing" },
};
const struct shape SHAPE_TASK_CREATE = { "TaskCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "title", F_STRING, F_MIN | F_MAX, 1, 200 },
	{ "description", F_STRING, F_MAX, .max = 2000 },
	{ "status", F_ENUM, .words = &TASK_STATUSES },
	{ "priority", F_NUMBER, F_MIN | F_MAX, 0, 3 },
	{ "assignedAgent", F_ENUM, .words = &RUNTIMES },
	{ "agentProfile", F_STRING },
	{ "result", F_STRING },
	{ "sessionId", F_STRING },
	{ "documentIds", F_ARRAY, .item = &TEXT_ITEM,
	    .doc = "The documents that stay attached; all others are detached" },
};
const struct shape SHAPE_TASK_UPDATE = { "TaskUpdate", UPDATE, COUNT(UPDATE) };

static const char *const BEHAVIOR_WORDS[] = { "allow", "deny" };
static const struct word_set BEHAVIORS = WORDS(BEHAVIOR_WORDS);

/* updatedInput is checked by the operation: its refusal has words of its own. */
static const struct field RESPOND[] = {
	{ "notificationId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "behavior", F_ENUM, F_REQUIRED, .words = &BEHAVIORS },
	{ "message", F_STRING, .doc = "Shown to the agent on deny" },
	{ "updatedInput", F_ANY, .doc = "Object that replaces the tool's input, or null" },
	{ "alwaysAllow", F_BOOL, .doc = "Also add a pattern to the allow list" },
	{ "permissionPattern", F_STRING, .doc = "That pattern; else one is derived" },
};
const struct shape SHAPE_TASK_RESPOND = { "TaskRespond", RESPOND, COUNT(RESPOND),
	.plain = "notificationId (string) and behavior ('allow' | 'deny') are required" };

static const struct field ASSIST[] = {
	{ "title", F_STRING },
	{ "description", F_STRING },
	{ "assignedAgent", F_STRING, F_NULLABLE, .doc = "Runtime; else the default" },
};
const struct shape SHAPE_TASK_ASSIST = { "TaskAssist", ASSIST, COUNT(ASSIST) };
