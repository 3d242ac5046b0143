/* Notifications: columns and request bodies. */
#include "core/model/models.h"

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "task_id", "taskId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "type", "type", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "title", "title", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "body", "body", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "read", "read", COL_BOOL, 0, NULL, NULL },
	{ "tool_name", "toolName", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "tool_input", "toolInput", COL_PACKED, COL_NULL | COL_READONLY, NULL, "JSON as text" },
	{ "response", "response", COL_PACKED, COL_NULL | COL_READONLY, NULL,
	    "The decision as JSON text; null while the request is open" },
	{ "responded_at", "respondedAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_NOTIFICATION = { "Notification", "notification", "notifications", COLUMNS,
	COUNT(COLUMNS), "What the application tells people, and what agents ask them" };

static const struct field UPDATE[] = {
	{ "read", F_BOOL, F_NULLABLE, .otherwise = "true" },
};
const struct shape SHAPE_NOTIFICATION_UPDATE = { "NotificationUpdate", UPDATE, COUNT(UPDATE) };
