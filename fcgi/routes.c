/* THE table of operations: dispatch, 404 and 405, OPTIONS and the OpenAPI document come from it.
 * Rows of one path stand together; a fixed word wins over a {variable} wherever it stands. */
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
	    NOTIFICATION_QUERY },
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

	{ "POST", "/api/runtimes/suggest", "suggestRuntime", h_runtime_suggest, NO, NO, R_JSON,
	    "Which runtime suits a task, and which others would do", NO },
	{ "GET", "/api/runtimes/ollama", "listOllamaModels", h_ollama_list, NO, NO, 0,
	    "The models of the local Ollama server", NO },
	{ "POST", "/api/runtimes/ollama", "pullOllamaModel", h_ollama_pull, NO, NO, R_JSON,
	    "Let the Ollama server fetch a model; answers when it has it", NO },

	{ "POST", "/api/context/batch", "decideContextProposals", h_context_batch,
	    &SHAPE_CONTEXT_BATCH, NO, 0, "Approve or reject proposals of learned context", NO },
};
const size_t ROUTES_N = COUNT(ROUTES);
