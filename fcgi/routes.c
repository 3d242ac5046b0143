/* THE table of operations: dispatch, 404 and 405, OPTIONS and the OpenAPI document come from it.
 * Rows of one path stand together; a fixed word wins over a {variable} wherever it stands. */
#include "core/profile.h"
#include "fcgi/handlers.h"

#define NO NULL

static const struct param TASK_LIST_QUERY[] = {
	{ "projectId", "Only tasks of this project" },
	{ "status", "Only tasks in this state" },
	{ "limit", "At most so many (1 to 1000); the header X-Next-Cursor then says how to go on" },
	{ "cursor", "Where the page begins: the X-Next-Cursor of the page before" },
	{ NULL, NULL },
};
static const struct param LOG_QUERY[] = {
	{ "taskId", "Only rows of this task" },
	{ "eventType", "Only rows with this event" },
	{ "since", "ISO time: only rows of this second or later" },
	{ "tail", "1 to 500: only the newest so many of the stored rows" },
	{ NULL, NULL },
};
static const struct param NOTIFICATION_QUERY[] = {
	{ "unread", "true: unread only" },
	{ "type", "Only this type" },
	{ "countOnly", "true: the number of unread ones instead of the list" },
	{ NULL, NULL },
};
static const struct param HANDOFF_QUERY[] = {
	{ "status", "Only handoffs in this state" },
	{ "profileId", "Only those to this profile" },
	{ NULL, NULL },
};
static const struct param MEMORY_QUERY[] = {
	{ "profileId", "Required: only memories of this profile" },
	{ "category", "Only this category" },
	{ "status", "Only this state" },
	{ NULL, NULL },
};

static const struct param VIEW_QUERY[] = {
	{ "surface", "Required: the list that they are views of" },
	{ NULL, NULL },
};

static const struct param PROFILE_QUERY[] = {
	{ "scope", "project: only those of a project; all: those, too" },
	{ "projectId", "The project" },
	{ NULL, NULL },
};
static const struct param REPORT_QUERY[] = {
	{ "runtimeId", "The runtime of the tests; default claude-code" },
	{ NULL, NULL },
};

static const struct param DOCUMENT_LIST_QUERY[] = {
	{ "taskId", "Only documents of this task" },
	{ "projectId", "Only documents of this project" },
	{ "status", "Only documents in this state" },
	{ "direction", "input or output" },
	{ "search", "Only those with this text in their name or their text" },
	{ "limit", "At most so many (1 to 500)" },
	{ "offset", "Without the first so many" },
	{ NULL, NULL },
};
static const struct param DOCUMENT_DELETE_QUERY[] = {
	{ "cascadeDelete", "true: also where it is linked to a task" },
	{ NULL, NULL },
};
static const struct param DOCUMENT_FILE_QUERY[] = {
	{ "inline", "1: for display, where the type allows that" },
	{ "thumb", "1: the thumbnail, where there is one" },
	{ NULL, NULL },
};

static const char DOCUMENT_MADE[] =
    "{\"type\":\"object\",\"required\":[\"documentId\",\"status\",\"processingStatus\","
    "\"originalName\",\"mimeType\",\"size\"],\"properties\":{\"documentId\":{\"type\":"
    "\"string\"},\"status\":{\"type\":\"string\"},\"processingStatus\":{\"type\":\"string\"},"
    "\"originalName\":{\"type\":\"string\"},\"mimeType\":{\"type\":\"string\"},\"size\":{"
    "\"type\":\"integer\"}}}";
static const char UPLOAD_FORM[] =
    "{\"type\":\"object\",\"required\":[\"file\"],\"properties\":{\"file\":{\"type\":\"string\","
    "\"contentMediaType\":\"application/octet-stream\"},\"taskId\":{\"type\":\"string\"}}}";
static const char UPLOAD_MADE[] =
    "{\"type\":\"object\",\"required\":[\"id\",\"filename\",\"originalName\",\"size\",\"type\","
    "\"taskId\"],\"properties\":{\"id\":{\"type\":\"string\"},\"filename\":{\"type\":\"string\"},"
    "\"originalName\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\"},\"type\":{\"type\":"
    "\"string\"},\"taskId\":{\"type\":[\"string\",\"null\"]}}}";
static const char UPLOADS_CLEANED[] =
    "{\"type\":\"object\",\"required\":[\"deleted\",\"errors\",\"skipped\"],\"properties\":{"
    "\"deleted\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"errors\":{\"type\":"
    "\"array\","
    "\"items\":{\"type\":\"string\"}},\"skipped\":{\"type\":\"integer\"}}}";
static const struct param TABLE_QUERY[] = {
	{ "projectId", "Only tables of this project" },
	{ "source", "Only tables that came to be so: manual, imported, agent, template" },
	{ "search", "Only those with this text in their name or description" },
	{ NULL, NULL },
};
static const struct param ROW_QUERY[] = {
	{ "limit", "At most so many: 1 to 1000, default 100" },
	{ "offset", "Leave out so many before them" },
	{ "filters", "A JSON array of {column, operator, value}; all must hold" },
	{ "sorts", "A JSON array of {column, direction}" },
	{ "computed", "true: with computed columns" },
	{ "parsed", "true: the data as an object" },
	{ NULL, NULL },
};
static const struct param ROW_ADD_QUERY[] = {
	{ "return", "rows: the new rows instead of their ids" },
	{ NULL, NULL },
};
static const struct param EXPORT_QUERY[] = {
	{ "format", "csv (the default), json or xlsx" },
	{ "computed", "false: without computed columns" },
	{ NULL, NULL },
};
static const struct param HISTORY_QUERY[] = {
	{ "limit", "At most so many" },
	{ NULL, NULL },
};
static const struct param TEMPLATE_QUERY[] = {
	{ "category", "Only templates of this category" },
	{ "scope", "system or user: only those" },
	{ NULL, NULL },
};

static const char TABLE_ITEMS[] =
    "{\"type\":\"array\",\"items\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Table\"},"
    "{\"type\":\"object\",\"required\":[\"projectName\",\"columnCount\"],\"properties\":{"
    "\"projectName\":{\"type\":[\"string\",\"null\"]},\"columnCount\":{\"type\":"
    "\"integer\"}}}]}}";
static const char ROW_ITEMS[] =
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"id\",\"tableId\","
    "\"data\",\"position\",\"createdBy\",\"createdAt\",\"updatedAt\"],\"properties\":{"
    "\"id\":{\"type\":\"string\"},\"tableId\":{\"type\":\"string\"},"
    "\"data\":{\"type\":[\"string\",\"object\"]},\"position\":{\"type\":\"integer\"},"
    "\"createdBy\":{\"type\":[\"string\",\"null\"]},"
    "\"createdAt\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"updatedAt\":{\"type\":\"string\",\"format\":\"date-time\"}}}}";
static const char IDS_OR_ROWS[] =
    "{\"type\":\"array\",\"items\":{\"oneOf\":[{\"type\":\"string\"},"
    "{\"$ref\":\"#/components/schemas/TableRow\"}]}}";
static const char ID_AND_NAME[] =
    "{\"type\":\"object\",\"required\":[\"id\",\"name\"],\"properties\":{\"id\":{\"type\":"
    "\"string\"},\"name\":{\"type\":\"string\"}}}";
static const char CHART_POINTS[] =
    "{\"type\":\"object\",\"required\":[\"chart\",\"xAxis\",\"yAxis\",\"aggregation\","
    "\"dataPoints\"],\"properties\":{\"chart\":{\"type\":\"object\"},"
    "\"xAxis\":{\"type\":\"string\"},\"yAxis\":{\"type\":\"string\"},"
    "\"aggregation\":{\"type\":\"string\"},\"dataPoints\":{\"type\":\"array\",\"items\":{"
    "\"type\":\"object\",\"required\":[\"label\",\"value\"],\"properties\":{\"label\":{"
    "\"type\":\"string\"},\"value\":{\"type\":[\"number\",\"null\"]}}}}}}";
static const char INTERVAL[] =
    "{\"type\":\"object\",\"required\":[\"cronExpression\",\"description\",\"nextFireTimes\","
    "\"confidence\"],\"properties\":{\"cronExpression\":{\"type\":\"string\"},\"description\":{"
    "\"type\":\"string\"},\"nextFireTimes\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"confidence\":{\"type\":\"number\"}}}";
static const char SCHEDULE_FULL[] =
    "{\"type\":\"object\",\"required\":[\"id\",\"name\",\"status\",\"heartbeatChecklist\","
    "\"firingHistory\"],\"properties\":{\"id\":{\"type\":\"string\"},\"name\":{\"type\":"
    "\"string\"},\"status\":{\"type\":\"string\"},\"heartbeatChecklist\":{\"type\":[\"array\","
    "\"null\"]},\"firingHistory\":{\"type\":\"array\","
    "\"items\":{\"$ref\":\"#/components/schemas/Task\"}}}}";
static const char MEMORY_MADE[] =
    "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\"}}}";
static const char BLUEPRINT[] = "{\"$ref\":\"#/components/schemas/Blueprint\"}";
static const char BLUEPRINTS[] =
    "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Blueprint\"}}";
static const char BLUEPRINT_MADE[] =
    "{\"type\":\"object\",\"required\":[\"workflowId\",\"name\",\"stepsCount\","
    "\"skippedSteps\"],\"properties\":{\"workflowId\":{\"type\":\"string\"},\"name\":{\"type\":"
    "\"string\"},\"stepsCount\":{\"type\":\"integer\"},\"skippedSteps\":{\"type\":\"array\","
    "\"items\":{\"type\":\"string\"}}}}";
static const char LIST_OR_COUNT[] =
    "{\"oneOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Notification\"}},"
    "{\"type\":\"object\",\"required\":[\"count\"],\"properties\":{\"count\":{"
    "\"type\":\"integer\"}}}]}";

const struct route ROUTES[] = {
	{ "GET", "/api/openapi.json", "getOpenApi", h_openapi, NO, NO, 0,
	    "This interface, described", NO },

	{ "GET", "/api/projects", "listProjects", h_project_list, NO, &MODEL_PROJECT, R_LIST,
	    "All projects, oldest first, with the number of their tasks", NO },
	{ "POST", "/api/projects", "createProject", h_project_create, &SHAPE_PROJECT_CREATE,
	    &MODEL_PROJECT, R_CREATED, "Create a project", NO },
	{ "GET", "/api/projects/{id}", "getProject", h_project_get, NO, &MODEL_PROJECT, 0,
	    "One project", NO },
	{ "PATCH", "/api/projects/{id}", "updateProject", h_project_update, &SHAPE_PROJECT_UPDATE,
	    &MODEL_PROJECT, 0, "Change a project", NO },
	{ "DELETE", "/api/projects/{id}", "deleteProject", h_project_delete, NO, NO, 0,
	    "Delete a project with everything in it", NO },
	{ "GET", "/api/projects/{id}/documents", "listProjectDocuments", h_project_documents, NO,
	    NO, R_LIST, "Documents that every task of the project sees", NO },
	{ "PUT", "/api/projects/{id}/documents", "setProjectDocuments", h_project_set_documents,
	    NO, NO, R_JSON, "Replace the project's documents", NO },

	{ "GET", "/api/tasks", "listTasks", h_task_list, NO, &MODEL_TASK, R_LIST,
	    "Tasks, most urgent first, then newest", TASK_LIST_QUERY },
	{ "POST", "/api/tasks", "createTask", h_task_create, &SHAPE_TASK_CREATE, &MODEL_TASK,
	    R_CREATED, "Create a task", NO },
	{ "POST", "/api/tasks/assist", "assistTask", h_task_assist, NO, NO, R_JSON,
	    "Let a model improve and break down a task's text", NO },
	{ "GET", "/api/tasks/{id}", "getTask", h_task_get, NO, &MODEL_TASK, 0,
	    "One task, with names and usage", NO },
	{ "PATCH", "/api/tasks/{id}", "updateTask", h_task_update, &SHAPE_TASK_UPDATE,
	    &MODEL_TASK, 0, "Change a task or its state", NO },
	{ "DELETE", "/api/tasks/{id}", "deleteTask", h_task_delete, NO, NO, 0,
	    "Delete a task and stop its run", NO },
	{ "POST", "/api/tasks/{id}/execute", "executeTask", h_task_execute, NO, NO, R_ACCEPTED,
	    "Run a queued task", NO },
	{ "POST", "/api/tasks/{id}/resume", "resumeTask", h_task_resume, NO, NO, R_ACCEPTED,
	    "Continue a failed or cancelled task", NO },
	{ "POST", "/api/tasks/{id}/cancel", "cancelTask", h_task_cancel, NO, NO, 0,
	    "Cancel a task", NO },
	{ "POST", "/api/tasks/{id}/respond", "respondToTask", h_task_respond, &SHAPE_TASK_RESPOND,
	    NO, 0, "Answer a permission request or a question", NO },
	{ "GET", "/api/tasks/{id}/output", "getTaskOutput", h_task_output, NO, NO, 0,
	    "The task's result and its kind", NO },
	{ "GET", "/api/tasks/{id}/logs", "streamTaskLogs", h_task_logs, NO, &MODEL_LOG, R_STREAM,
	    "The task's log, live", NO },
	{ "GET", "/api/tasks/{id}/provenance", "getTaskProvenance", h_task_provenance, NO, NO, 0,
	    "How the task came to its result", NO },
	{ "GET", "/api/tasks/{id}/siblings", "listTaskSiblings", h_task_siblings, NO, NO, R_LIST,
	    "The other tasks of the same workflow run", NO },

	{ "GET", "/api/logs/stream", "streamLogs", h_log_stream, NO, &MODEL_LOG, R_STREAM,
	    "The agents' log, live", LOG_QUERY },

	{ "GET", "/api/notifications", "listNotifications", h_notification_list, NO,
	    &MODEL_NOTIFICATION, R_LIST, "Notifications, newest first, at most 100",
	    NOTIFICATION_QUERY, LIST_OR_COUNT },
	{ "PATCH", "/api/notifications/mark-all-read", "markAllNotificationsRead",
	    h_notification_read_all, NO, NO, 0, "Mark all as read", NO },
	{ "GET", "/api/notifications/pending-approvals", "listPendingApprovals", h_approval_list,
	    NO, NO, R_LIST, "Open requests, newest first, at most 20", NO },
	{ "GET", "/api/notifications/pending-approvals/stream", "streamPendingApprovals",
	    h_approval_stream, NO, NO, R_STREAM, "The open requests, whenever they change", NO },
	{ "PATCH", "/api/notifications/{id}", "updateNotification", h_notification_update,
	    &SHAPE_NOTIFICATION_UPDATE, &MODEL_NOTIFICATION, 0, "Mark as read or unread", NO },
	{ "DELETE", "/api/notifications/{id}", "deleteNotification", h_notification_delete, NO, NO,
	    0, "Delete a notification; an open request is thereby refused", NO },

	{ "GET", "/api/permissions", "listPermissions", h_permission_list, NO, NO, 0,
	    "The patterns of tool calls that agents may make without asking", NO },
	{ "POST", "/api/permissions", "addPermission", h_permission_add, &SHAPE_PERMISSION, NO, 0,
	    "Add a pattern", NO },
	{ "DELETE", "/api/permissions", "removePermission", h_permission_remove, &SHAPE_PERMISSION,
	    NO, 0, "Remove a pattern", NO },
	{ "GET", "/api/permissions/presets", "listPermissionPresets", h_preset_list, NO, NO, 0,
	    "Bundles of patterns, and which of them are complete", NO },
	{ "POST", "/api/permissions/presets", "addPermissionPreset", h_preset_add, &SHAPE_PRESET,
	    NO, 0, "Add a bundle", NO },
	{ "DELETE", "/api/permissions/presets", "removePermissionPreset", h_preset_remove,
	    &SHAPE_PRESET, NO, 0, "Remove a bundle", NO },

	{ "GET", "/api/settings", "getSettings", h_auth_get, NO, NO, 0,
	    "How Claude is paid for, and where its key comes from", NO },
	{ "POST", "/api/settings", "updateSettings", h_auth_put, NO, NO, R_JSON | R_SECRET,
	    "Set the method and the key", NO },
	{ "GET", "/api/settings/providers", "getProviders", h_providers_get, NO, NO, 0,
	    "Providers and runtimes as they are set up", NO },
	{ "GET", "/api/settings/openai", "getOpenAiSettings", h_openai_get, NO, NO, 0,
	    "Whether there is an OpenAI key", NO },
	{ "POST", "/api/settings/openai", "updateOpenAiSettings",
	    h_openai_put, &SHAPE_OPENAI_AUTH, NO, R_SECRET,
	    "Set the OpenAI key", NO },
	{ "GET", "/api/settings/budgets", "getBudgets", h_budget_get, NO, NO, 0,
	    "Spend caps and what was spent of them", NO },
	{ "POST", "/api/settings/budgets", "updateBudgets", h_budget_put, NO, NO, R_JSON,
	    "Set the spend caps", NO },
	{ "GET", "/api/settings/routing", "getRouting", h_routing_get, NO, NO, 0,
	    "What the choice of a runtime prefers", NO },
	{ "POST", "/api/settings/routing", "updateRouting", h_routing_put, NO, NO, R_JSON,
	    "Set that preference", NO },
	{ "GET", "/api/settings/pricing", "getPricing", h_pricing_get, NO, NO, 0,
	    "The prices in force", NO },
	{ "POST", "/api/settings/pricing", "refreshPricing", h_pricing_refresh, NO, NO, 0,
	    "Refresh them from the providers' pages", NO },
	{ "GET", "/api/settings/chat", "getChatSettings", h_chat_default_get, NO, NO, 0,
	    "The model that new chats begin with", NO },
	{ "PUT", "/api/settings/chat", "updateChatSettings", h_chat_default_put, NO, NO, R_JSON,
	    "Set that model", NO },
	{ "GET", "/api/settings/runtime", "getRuntimeSettings", h_runtime_limits_get, NO, NO, 0,
	    "Limits of time and turns", NO },
	{ "POST", "/api/settings/runtime", "updateRuntimeSettings",
	    h_runtime_limits_put, NO, NO, R_JSON,
	    "Set those limits", NO },
	{ "GET", "/api/settings/ollama", "getOllamaSettings", h_ollama_get, NO, NO, 0,
	    "Where Ollama is, and its model", NO },
	{ "POST", "/api/settings/ollama", "updateOllamaSettings", h_ollama_put, NO, NO, R_JSON,
	    "Set where Ollama is, and its model", NO },
	{ "GET", "/api/settings/learning", "getLearningSettings", h_learning_get, NO, NO, 0,
	    "Limit of the learned context", NO },
	{ "POST", "/api/settings/learning", "updateLearningSettings",
	    h_learning_put, NO, NO, R_JSON,
	    "Set that limit", NO },
	{ "GET", "/api/settings/browser-tools", "getBrowserTools", h_browser_tools_get, NO, NO, 0,
	    "Browser tool servers", NO },
	{ "POST", "/api/settings/browser-tools", "updateBrowserTools",
	    h_browser_tools_put, NO, NO, R_JSON,
	    "Switch browser tool servers on or off", NO },
	{ "GET", "/api/settings/web-search", "getWebSearch", h_web_search_get, NO, NO, 0,
	    "Whether agents may search the web", NO },
	{ "POST", "/api/settings/web-search", "updateWebSearch", h_web_search_put, NO, NO, R_JSON,
	    "Switch web search on or off", NO },
	{ "GET", "/api/settings/author-default", "getDefaultAuthor", h_author_get, NO, NO, 0,
	    "The user that the server runs as", NO },
	{ "POST", "/api/settings/test", "testConnection", h_settings_test, NO, NO, 0,
	    "Test the connection of a runtime", NO },
	{ "POST", "/api/runtimes/suggest", "suggestRuntime", h_runtime_suggest, NO, NO, R_JSON,
	    "Which runtime suits a task, and which others would do", NO },
	{ "GET", "/api/runtimes/ollama", "listOllamaModels", h_ollama_list, NO, NO, 0,
	    "The models of the local Ollama server", NO },
	{ "POST", "/api/runtimes/ollama", "pullOllamaModel", h_ollama_pull, NO, NO, R_JSON,
	    "Let the Ollama server fetch a model; answers when it has it", NO },

	{ "GET", "/api/profiles", "listProfiles", h_profile_list, NO, NO, R_LIST,
	    "Agent profiles, by name", PROFILE_QUERY },
	{ "POST", "/api/profiles", "createProfile", h_profile_create, &SHAPE_PROFILE_BODY, NO,
	    R_JSON | R_CREATED, "Create a profile", NO },
	{ "POST", "/api/profiles/assist", "assistProfile", h_profile_assist, NO, NO, R_JSON,
	    "Let a model write a profile, or improve one", NO },
	{ "POST", "/api/profiles/import", "importProfile", h_profile_import, NO, NO,
	    R_JSON | R_CREATED, "Import a profile from its address on GitHub", NO },
	{ "GET", "/api/profiles/import-repo", "listRepoImports", h_repo_import_list, NO,
	    &MODEL_REPO_IMPORT, R_LIST, "Imports from repositories, newest first", NO },
	{ "POST", "/api/profiles/import-repo/scan", "scanRepo", h_repo_scan, NO, NO, R_JSON,
	    "Find the skills of a repository", NO },
	{ "POST", "/api/profiles/import-repo/preview", "previewRepoImport", h_repo_preview, NO, NO,
	    R_JSON, "What skills would be as profiles", NO },
	{ "POST", "/api/profiles/import-repo/confirm", "confirmRepoImport", h_repo_confirm, NO,
	    NO, R_JSON | R_CREATED, "Create or replace the profiles that are chosen", NO },
	{ "POST", "/api/profiles/import-repo/check-updates", "checkRepoUpdates", h_repo_check, NO,
	    NO, R_JSON, "Whether the repository has newer texts", NO },
	{ "POST", "/api/profiles/import-repo/apply-updates", "applyRepoUpdates", h_repo_apply, NO,
	    NO, R_JSON, "Take newer texts over", NO },
	{ "GET", "/api/profiles/{id}", "getProfile", h_profile_get, NO, NO, 0, "One profile", NO },
	{ "PUT", "/api/profiles/{id}", "replaceProfile", h_profile_replace, &SHAPE_PROFILE_BODY,
	    NO, R_LATE, "Replace a profile of the user", NO },
	{ "DELETE", "/api/profiles/{id}", "deleteProfile", h_profile_delete, NO, NO, 0,
	    "Delete a profile of the user", NO },
	{ "POST", "/api/profiles/{id}/test", "testProfile", h_profile_test, NO, NO,
	    R_JSON | R_LATE, "Run the profile's tests and keep the report", NO },
	{ "POST", "/api/profiles/{id}/test-single", "testProfileOnce", h_profile_test_single, NO,
	    NO, R_JSON | R_LATE, "Run one of the profile's tests", NO },
	{ "GET", "/api/profiles/{id}/test-results", "getProfileTestResults",
	    h_profile_test_results, NO, NO, 0, "The newest report of the profile's tests",
	    REPORT_QUERY },
	{ "GET", "/api/profiles/{id}/context", "getProfileContext", h_context_get, NO, NO, 0,
	    "What the profile's agents have learned, newest first", NO },
	{ "POST", "/api/profiles/{id}/context", "addProfileContext", h_context_add, NO, NO, R_JSON,
	    "Add to it by hand", NO },
	{ "PATCH", "/api/profiles/{id}/context", "changeProfileContext", h_context_change, NO, NO,
	    R_JSON, "Approve or reject a proposal, or go back to a version", NO },

	{ "POST", "/api/context/batch", "decideContextProposals", h_context_batch,
	    &SHAPE_CONTEXT_BATCH, NO, 0, "Approve or reject proposals of learned context", NO },

	{ "GET", "/api/memory", "listMemories", h_memory_list, NO, &MODEL_MEMORY, R_LIST,
	    "A profile's memories, the most certain first", MEMORY_QUERY },
	{ "POST", "/api/memory", "createMemory", h_memory_create, &SHAPE_MEMORY_CREATE, NO,
	    R_JSON | R_CREATED, "Add a memory", NO, MEMORY_MADE },
	{ "PATCH", "/api/memory", "updateMemory", h_memory_update, &SHAPE_MEMORY_UPDATE, NO,
	    R_JSON, "Change a memory's confidence or state", NO },
	{ "DELETE", "/api/memory", "archiveMemory", h_memory_archive, &SHAPE_MEMORY_ARCHIVE, NO,
	    R_JSON, "Archive a memory; nothing is deleted", NO },

	{ "GET", "/api/workflows", "listWorkflows", h_workflow_list, NO, &MODEL_WORKFLOW, R_LIST,
	    "All workflows, newest first, with the numbers of their tasks and output documents",
	    NO },
	{ "POST", "/api/workflows", "createWorkflow", h_workflow_create, &SHAPE_WORKFLOW_CREATE,
	    &MODEL_WORKFLOW, R_JSON | R_CREATED, "Create a workflow", NO },
	{ "POST", "/api/workflows/from-assist", "createWorkflowFromAssist",
	    h_workflow_from_assist, &SHAPE_WORKFLOW_ASSIST, NO, R_JSON | R_CREATED,
	    "Create a workflow with a planned task for each step, and run it if wanted", NO },
	{ "PATCH", "/api/workflows/{id}", "updateWorkflow", h_workflow_update,
	    &SHAPE_WORKFLOW_UPDATE, NO, R_JSON, "Edit or pause a workflow", NO },
	{ "DELETE", "/api/workflows/{id}", "deleteWorkflow", h_workflow_delete, NO, NO, 0,
	    "Delete a workflow with its tasks", NO },
	{ "POST", "/api/workflows/{id}/execute", "executeWorkflow", h_workflow_execute, NO, NO,
	    R_ACCEPTED, "Run a workflow, or resume a paused one", NO },
	{ "GET", "/api/workflows/{id}/status", "getWorkflowStatus", h_workflow_status, NO, NO, 0,
	    "The state of the latest run, step by step", NO },
	{ "GET", "/api/workflows/{id}/documents", "listWorkflowDocuments", h_workflow_documents,
	    NO, NO, R_LIST, "The documents that the workflow's steps are given", NO },
	{ "POST", "/api/workflows/{id}/documents", "attachWorkflowDocuments", h_workflow_attach,
	    &SHAPE_WORKFLOW_ATTACH, NO, R_JSON | R_CREATED,
	    "Give documents to all steps, or to one", NO },
	{ "DELETE", "/api/workflows/{id}/documents", "detachWorkflowDocuments",
	    h_workflow_detach, &SHAPE_WORKFLOW_DETACH, NO, R_LATE,
	    "Take documents away; without a body all of them", NO },
	{ "POST", "/api/workflows/{id}/steps/{stepId}/retry", "retryWorkflowStep",
	    h_workflow_retry, NO, NO, R_ACCEPTED,
	    "Run a failed step anew, and what follows from it", NO },

	{ "GET", "/api/schedules", "listSchedules", h_schedule_list, NO, &MODEL_SCHEDULE, R_LIST,
	    "Schedules, newest first", NO },
	{ "POST", "/api/schedules", "createSchedule", h_schedule_create, &SHAPE_SCHEDULE_CREATE,
	    &MODEL_SCHEDULE, R_JSON | R_CREATED, "Create a schedule", NO },
	{ "POST", "/api/schedules/parse", "parseInterval", h_schedule_parse, &SHAPE_SCHEDULE_PARSE,
	    NO, R_JSON, "What an interval means, and its next three times", NO, INTERVAL },
	{ "GET", "/api/schedules/{id}", "getSchedule", h_schedule_get, NO, NO, 0,
	    "One schedule, its checklist as a value, with the tasks of its firings", NO,
	    SCHEDULE_FULL },
	{ "PATCH", "/api/schedules/{id}", "updateSchedule", h_schedule_update,
	    &SHAPE_SCHEDULE_UPDATE, &MODEL_SCHEDULE, R_JSON, "Change, pause or resume a schedule",
	    NO },
	{ "DELETE", "/api/schedules/{id}", "deleteSchedule", h_schedule_delete, NO, NO, 0,
	    "Delete a schedule; its tasks stay", NO },
	{ "GET", "/api/schedules/{id}/heartbeat-history", "getHeartbeatHistory",
	    h_schedule_history, NO, NO, 0, "What the latest heartbeats have found, and counts",
	    NO },

	{ "GET", "/api/blueprints", "listBlueprints", h_blueprint_list, NO, NO, R_LIST,
	    "Templates of workflows: the built-in ones, then the user's", NO, BLUEPRINTS },
	{ "POST", "/api/blueprints", "createBlueprint", h_blueprint_create,
	    &SHAPE_BLUEPRINT_CREATE, NO, R_JSON | R_CREATED, "Add a blueprint", NO, BLUEPRINT },
	{ "POST", "/api/blueprints/import", "importBlueprint", h_blueprint_import,
	    &SHAPE_BLUEPRINT_IMPORT, NO, R_JSON | R_CREATED,
	    "Add a blueprint from its address on GitHub", NO },
	{ "GET", "/api/blueprints/{id}", "getBlueprint", h_blueprint_get, NO, NO, 0,
	    "One blueprint", NO, BLUEPRINT },
	{ "DELETE", "/api/blueprints/{id}", "deleteBlueprint", h_blueprint_delete, NO, NO, 0,
	    "Delete a blueprint of the user", NO },
	{ "POST", "/api/blueprints/{id}/instantiate", "instantiateBlueprint",
	    h_blueprint_instantiate, &SHAPE_BLUEPRINT_INSTANTIATE, NO, R_JSON | R_CREATED,
	    "Make a draft workflow from a blueprint and values", NO, BLUEPRINT_MADE },

	{ "GET", "/api/handoffs", "listHandoffs", h_handoff_list, NO, &MODEL_HANDOFF, R_LIST,
	    "Handoffs between profiles, newest first, at most 100", HANDOFF_QUERY },
	{ "POST", "/api/handoffs", "createHandoff", h_handoff_create, &SHAPE_HANDOFF_CREATE,
	    &MODEL_HANDOFF, R_JSON | R_CREATED, "Hand work over to another profile", NO },
	{ "GET", "/api/handoffs/{id}", "getHandoff", h_handoff_get, NO, &MODEL_HANDOFF, 0,
	    "One handoff", NO },
	{ "PATCH", "/api/handoffs/{id}", "decideHandoff", h_handoff_decide, &SHAPE_HANDOFF_DECIDE,
	    &MODEL_HANDOFF, R_JSON, "Approve or reject a handoff", NO },

	{ "GET", "/api/views", "listViews", h_view_list, NO, &MODEL_VIEW, R_LIST,
	    "The saved views of a surface: the default, then by name", VIEW_QUERY },
	{ "POST", "/api/views", "createView", h_view_create, &SHAPE_VIEW_CREATE, &MODEL_VIEW,
	    R_JSON | R_CREATED, "Save a view", NO },
	{ "PATCH", "/api/views/{id}", "updateView", h_view_update, &SHAPE_VIEW_UPDATE, &MODEL_VIEW,
	    R_JSON, "Change a view", NO },
	{ "DELETE", "/api/views/{id}", "deleteView", h_view_delete, NO, NO, 0, "Delete a view",
	    NO },

	{ "GET", "/api/documents", "listDocuments", h_document_list, NO, &MODEL_DOCUMENT, R_LIST,
	    "Documents with their texts, newest first", DOCUMENT_LIST_QUERY },
	{ "POST", "/api/documents", "createDocument", h_document_create, &SHAPE_DOCUMENT_CREATE, NO,
	    R_JSON | R_CREATED, "Make a document of a file on the server", NO, DOCUMENT_MADE },
	{ "GET", "/api/documents/{id}", "getDocument", h_document_get, NO, &MODEL_DOCUMENT, 0,
	    "One document", NO },
	{ "PATCH", "/api/documents/{id}", "updateDocument", h_document_update,
	    &SHAPE_DOCUMENT_UPDATE, &MODEL_DOCUMENT_ROW, R_JSON,
	    "Link, label or reprocess a document", NO },
	{ "DELETE", "/api/documents/{id}", "deleteDocument", h_document_delete, NO, NO, R_EMPTY,
	    "Delete a document with its file", DOCUMENT_DELETE_QUERY },
	{ "GET", "/api/documents/{id}/file", "getDocumentFile", h_document_file, NO, NO, R_FILE,
	    "The document's file, or its thumbnail", DOCUMENT_FILE_QUERY },
	{ "GET", "/api/documents/{id}/versions", "listDocumentVersions", h_document_versions, NO,
	    NO, R_LIST, "All versions of an output document", NO },

	{ "POST", "/api/uploads", "uploadFile", h_upload_create, NO, NO, R_CREATED,
	    "Upload a file as a document", NO, UPLOAD_MADE, UPLOAD_FORM },
	{ "POST", "/api/uploads/cleanup", "cleanUpUploads", h_upload_cleanup, NO, NO, 0,
	    "Remove files that belong to no document", NO, UPLOADS_CLEANED },
	{ "GET", "/api/uploads/{id}", "getUpload", h_upload_get, NO, NO, R_FILE,
	    "The stored file of a document", NO },
	{ "DELETE", "/api/uploads/{id}", "deleteUpload", h_upload_delete, NO, NO, R_EMPTY,
	    "Delete a stored file with its document", NO },

	{ "GET", "/api/tables", "listTables", h_table_list, NO, &MODEL_TABLE, R_LIST,
	    "Tables, the latest first", TABLE_QUERY, TABLE_ITEMS },
	{ "POST", "/api/tables", "createTable", h_table_create, &SHAPE_TABLE_NEW, &MODEL_TABLE,
	    R_JSON | R_CREATED, "Create a table, or make one from a template", NO },
	{ "GET", "/api/tables/templates", "listTableTemplates", h_template_list, NO,
	    &MODEL_TABLE_TEMPLATE, R_LIST, "Templates, by name", TEMPLATE_QUERY },
	{ "POST", "/api/tables/templates", "saveTableTemplate", h_template_save,
	    &SHAPE_TEMPLATE_SAVE, NO, R_JSON | R_CREATED, "Save a table as a template", NO,
	    ID_AND_NAME },
	{ "GET", "/api/tables/{id}", "getTable", h_table_get, NO, &MODEL_TABLE, 0,
	    "One table with its columns", NO },
	{ "PATCH", "/api/tables/{id}", "updateTable", h_table_update, &SHAPE_TABLE_UPDATE,
	    &MODEL_TABLE, 0, "Change a table's name, description or project", NO },
	{ "DELETE", "/api/tables/{id}", "deleteTable", h_table_delete, NO, NO, R_EMPTY,
	    "Delete a table with everything in it", NO },
	{ "POST", "/api/tables/{id}/columns", "addTableColumn", h_column_add, &SHAPE_TABLE_COLUMN,
	    &MODEL_TABLE_COLUMN, R_LATE | R_CREATED, "Add a column", NO },
	{ "PATCH", "/api/tables/{id}/columns", "reorderTableColumns", h_column_reorder,
	    &SHAPE_TABLE_REORDER, &MODEL_TABLE_COLUMN, R_LATE | R_LIST,
	    "Put columns in another order", NO },
	{ "GET", "/api/tables/{id}/rows", "listTableRows", h_row_list, NO, NO, R_LIST,
	    "Rows of a table: filtered, sorted, a page of them", ROW_QUERY, ROW_ITEMS },
	{ "POST", "/api/tables/{id}/rows", "addTableRows", h_row_add, &SHAPE_TABLE_ROWS, NO,
	    R_LATE | R_CREATED, "Add rows", ROW_ADD_QUERY, IDS_OR_ROWS },
	{ "PATCH", "/api/tables/{id}/rows/{rowId}", "updateTableRow", h_row_update,
	    &SHAPE_TABLE_ROW_UPDATE, &MODEL_TABLE_ROW, R_LATE, "Change a row", NO },
	{ "DELETE", "/api/tables/{id}/rows/{rowId}", "deleteTableRow", h_row_delete, NO, NO,
	    R_EMPTY, "Delete a row; one that is not there is no error", NO },
	{ "GET", "/api/tables/{id}/rows/{rowId}/history", "listTableRowHistory", h_row_history, NO,
	    &MODEL_TABLE_HISTORY, R_LIST, "Changes of a row, the latest first", HISTORY_QUERY },
	{ "POST", "/api/tables/{id}/rows/{rowId}/history", "rollBackTableRow", h_row_rollback,
	    &SHAPE_TABLE_ROLLBACK, NO, R_JSON, "Take a row back to what it was before a change",
	    NO },
	{ "GET", "/api/tables/{id}/history", "listTableHistory", h_table_history, NO,
	    &MODEL_TABLE_HISTORY, R_LIST, "Changes of a table's rows, the latest first",
	    HISTORY_QUERY },
	{ "POST", "/api/tables/{id}/import", "importIntoTable", h_table_import,
	    &SHAPE_TABLE_IMPORT, NO, R_LATE, "Fill a table from a document", NO },
	{ "GET", "/api/tables/{id}/export", "exportTable", h_table_export, NO, NO, R_FILE,
	    "A table as a file", EXPORT_QUERY },
	{ "GET", "/api/tables/{id}/triggers", "listTableTriggers", h_trigger_list, NO,
	    &MODEL_TABLE_TRIGGER, R_LIST, "What happens by itself when rows change", NO },
	{ "POST", "/api/tables/{id}/triggers", "createTableTrigger", h_trigger_create,
	    &SHAPE_TRIGGER_CREATE, &MODEL_TABLE_TRIGGER, R_LATE | R_CREATED, "Create a trigger",
	    NO },
	{ "PATCH", "/api/tables/{id}/triggers", "setTableTriggerStatus", h_trigger_set_status,
	    &SHAPE_TRIGGER_STATUS, NO, R_JSON, "Pause a trigger or let it go on", NO },
	{ "PATCH", "/api/tables/{id}/triggers/{triggerId}", "updateTableTrigger",
	    h_trigger_update, &SHAPE_TRIGGER_UPDATE, &MODEL_TABLE_TRIGGER, R_LATE,
	    "Change a trigger", NO },
	{ "DELETE", "/api/tables/{id}/triggers/{triggerId}", "deleteTableTrigger",
	    h_trigger_delete, NO, NO, R_EMPTY, "Delete a trigger", NO },
	{ "GET", "/api/tables/{id}/charts", "listTableCharts", h_chart_list, NO,
	    &MODEL_TABLE_CHART, R_LIST, "Saved charts of a table", NO },
	{ "POST", "/api/tables/{id}/charts", "createTableChart", h_chart_create,
	    &SHAPE_CHART_CREATE, NO, R_LATE | R_CREATED, "Save a chart", NO, ID_AND_NAME },
	{ "PATCH", "/api/tables/{id}/charts/{chartId}", "updateTableChart", h_chart_update,
	    &SHAPE_CHART_UPDATE, &MODEL_TABLE_CHART, R_LATE, "Change a chart", NO },
	{ "DELETE", "/api/tables/{id}/charts/{chartId}", "deleteTableChart", h_chart_delete, NO,
	    NO, R_EMPTY, "Delete a chart", NO },
	{ "GET", "/api/tables/{id}/charts/{chartId}/data", "getTableChartData", h_chart_data, NO,
	    NO, 0, "The points of a chart", NO, CHART_POINTS },
};
const size_t ROUTES_N = COUNT(ROUTES);
