/* Documents: columns and request bodies. */
#include "core/model/models.h"

static const char *const STATUSES[] = { "uploaded", "processing", "ready", "error" };
const struct word_set DOCUMENT_STATUSES = WORDS(STATUSES);

static const char *const DIRECTIONS[] = { "input", "output" };
const struct word_set DOCUMENT_DIRECTIONS = WORDS(DIRECTIONS);

#define COMMON_COLUMNS                                                                             \
	{ "id", "id", COL_ID, COL_READONLY, NULL, "Id of the document" },                          \
	    { "task_id", "taskId", COL_ID, COL_NULL, NULL, "The task it is attached to" },         \
	    { "project_id", "projectId", COL_ID, COL_NULL, NULL, NULL },                           \
	    { "filename", "filename", COL_TEXT, COL_READONLY, NULL, "Name of the stored file" },   \
	    { "original_name", "originalName", COL_TEXT, COL_READONLY, NULL,                       \
		    "Name that it was given" },                                                    \
	    { "mime_type", "mimeType", COL_TEXT, COL_READONLY, NULL, NULL },                       \
	    { "size", "size", COL_INT, COL_READONLY, NULL, "Bytes" },                              \
	    { "storage_path", "storagePath", COL_TEXT, COL_READONLY, NULL,                         \
		    "Path of the stored file on the server" },                                     \
	    { "version", "version", COL_INT, COL_READONLY, NULL,                                   \
		    "Counts the output documents of one name in a project" },                      \
	    { "direction", "direction", COL_TEXT, COL_READONLY, &DOCUMENT_DIRECTIONS, NULL },      \
	    { "category", "category", COL_TEXT, COL_NULL, NULL,                                    \
		    "A label, or metadata: a JSON object as text" },                               \
	    { "status", "status", COL_TEXT, COL_READONLY, &DOCUMENT_STATUSES,                      \
		    "How far the extraction of its text is" },                                     \
	    { "extracted_text", "extractedText", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },  \
	    { "processed_path", "processedPath", COL_TEXT, COL_NULL | COL_READONLY, NULL,          \
		    "Path of its thumbnail" },                                                     \
	    { "processing_error", "processingError", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL }
#define STAMP_COLUMNS                                                                              \
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },                         \
	    { "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL }

static const struct column COLUMNS[] = {
	COMMON_COLUMNS,
	STAMP_COLUMNS,
};
const struct model MODEL_DOCUMENT = { "Document", "document", "documents", COLUMNS, COUNT(COLUMNS),
	"A file that people or agents brought into the workspace" };

static const struct column ROW_COLUMNS[] = {
	COMMON_COLUMNS,
	{ "source", "source", COL_TEXT, COL_NULL | COL_READONLY, NULL, "upload or screenshot" },
	{ "conversation_id", "conversationId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "message_id", "messageId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	STAMP_COLUMNS,
};
const struct model MODEL_DOCUMENT_ROW = { "DocumentRow", "document_row", "documents", ROW_COLUMNS,
	COUNT(ROW_COLUMNS), "A document with where it came from" };

static const struct field TEXT_ITEM = { .type = F_STRING };

#define METADATA                                                                                   \
	{ "metadata", F_RECORD, .item = &TEXT_ITEM,                                                \
	    .doc = "Merged into the category, text to text" }

static const struct field CREATE[] = {
	{ "file_path", F_STRING, F_REQUIRED | F_MIN, .min = 1,
	    .doc = "Absolute path of a file on the server" },
	{ "taskId", F_STRING, .doc = "Task to attach it to" },
	{ "projectId", F_STRING },
	{ "direction", F_ENUM, .words = &DOCUMENT_DIRECTIONS, .otherwise = "\"output\"" },
	METADATA,
};
const struct shape SHAPE_DOCUMENT_CREATE = { "DocumentCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "taskId", F_STRING, F_NULLABLE, .format = FMT_UUID, .doc = "null: detach it" },
	{ "projectId", F_STRING, F_NULLABLE, .format = FMT_UUID, .doc = "null: detach it" },
	{ "category", F_STRING, F_MAX, .max = 100 },
	METADATA,
	{ "reprocess", F_BOOL, .doc = "true: extract its text again" },
};
const struct shape SHAPE_DOCUMENT_UPDATE = { "DocumentUpdate", UPDATE, COUNT(UPDATE) };
