/* Projects: columns and request bodies. */
#include "core/model/models.h"

static const char *const STATUSES[] = { "active", "paused", "completed" };
const struct word_set PROJECT_STATUSES = WORDS(STATUSES);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, "Id of the project" },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "description", "description", COL_TEXT, COL_NULL, NULL, NULL },
	{ "working_directory", "workingDirectory", COL_TEXT, COL_NULL, NULL,
	    "Folder on the server in which the project's agents work" },
	{ "status", "status", COL_TEXT, 0, &PROJECT_STATUSES, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};

const struct model MODEL_PROJECT = { "Project", "project", "projects", COLUMNS, COUNT(COLUMNS),
	"Groups tasks and what belongs to them, and can name a working directory" };

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 100, .message_min = "Name is required",
	    .doc = "Name of the project" },
	{ "description", F_STRING, F_MAX, .max = 500, .doc = "What the project is about" },
	{ "workingDirectory", F_STRING, F_MAX, .max = 500,
	    .doc = "Folder on the server; it need not exist yet" },
};
const struct shape SHAPE_PROJECT_CREATE = { "ProjectCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "name", F_STRING, F_MIN | F_MAX, 1, 100 },
	{ "description", F_STRING, F_MAX, .max = 500 },
	{ "workingDirectory", F_STRING, F_MAX, .max = 500 },
	{ "status", F_ENUM, .words = &PROJECT_STATUSES },
	{ "documentIds", F_ARRAY, .item = &TEXT_ITEM,
	    .doc = "Replaces the documents that every task of the project sees" },
};
const struct shape SHAPE_PROJECT_UPDATE = { "ProjectUpdate", UPDATE, COUNT(UPDATE) };
