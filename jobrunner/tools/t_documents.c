/* Tools: documents. An agent may read what there is and bring in files of its own folders. */
#include "core/domain/document.h"

#include "core/json_in.h"
#include "core/model/models.h"
#include "core/store.h"
#include "core/text.h"
#include "core/workspace.h"
#include "jobrunner/tools/tools_int.h"

#define CONTENT_UNITS 100000
#define RELATED_LIMIT 20
#define NO_PROJECT    "No project context \xe2\x80\x94 specify a projectId or set an active project"

#define DOCUMENT_ID { "documentId", F_STRING, F_REQUIRED, .doc = "Id of the document" }
#define DIRECTION(text) { "direction", F_ENUM, .words = &DOCUMENT_DIRECTIONS, .doc = text }

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field LIST[] = {
	{ "projectId", F_STRING,
	    .doc = "Only documents of this project; default: the current one; empty: all" },
	{ "taskId", F_STRING, .doc = "Only documents of this task" },
	DIRECTION("input: given to agents; output: made by them"),
	{ "status", F_ENUM, .words = &DOCUMENT_STATUSES, .doc = "Only documents in this state" },
};
const struct shape PARAMS_LIST_DOCUMENTS = { "list_documents", LIST, COUNT(LIST) };

static const struct field ID_ONLY[] = { DOCUMENT_ID };
const struct shape PARAMS_DOCUMENT_ID = { "document_id", ID_ONLY, COUNT(ID_ONLY) };

static const struct field READ[] = {
	DOCUMENT_ID,
	{ "offset", F_INT, F_MIN, 0, .doc = "Characters to pass over; default 0" },
	{ "limit", F_INT, F_MIN | F_MAX, 1, CONTENT_UNITS, .doc = "Characters to read at most" },
};
const struct shape PARAMS_READ_DOCUMENT = { "read_document_content", READ, COUNT(READ) };

static const struct field UPLOAD[] = {
	{ "file_path", F_STRING, F_REQUIRED | F_MIN, .min = 1,
	    .doc = "Absolute path of a file in the working directory or the output folder" },
	{ "taskId", F_STRING, .doc = "Task to attach it to" },
	{ "projectId", F_STRING, .doc = "Project; default: the current one" },
	DIRECTION("Default: output"),
	{ "metadata", F_RECORD, .item = &TEXT_ITEM, .doc = "Labels, text to text" },
};
const struct shape PARAMS_UPLOAD_DOCUMENT = { "upload_document", UPLOAD, COUNT(UPLOAD) };

static const struct field UPDATE[] = {
	DOCUMENT_ID,
	{ "metadata", F_RECORD, .item = &TEXT_ITEM, .doc = "Labels to add or to replace" },
	{ "reprocess", F_BOOL, .doc = "true: extract its text again" },
};
const struct shape PARAMS_UPDATE_DOCUMENT = { "update_document", UPDATE, COUNT(UPDATE) };

static const struct field DELETE[] = {
	DOCUMENT_ID,
	{ "cascadeDelete", F_BOOL, .doc = "true: also where it is linked to a task" },
};
const struct shape PARAMS_DELETE_DOCUMENT = { "delete_document", DELETE, COUNT(DELETE) };

static const struct field RELATED[] = {
	{ "projectId", F_STRING, .doc = "Project; default: the current one" },
	{ "query", F_STRING, F_MAX, .max = 500, .doc = "Text that its name contains" },
	DIRECTION("input: given to agents; output: made by them"),
	{ "sourceWorkflowId", F_STRING, .doc = "Only what tasks of this workflow have made" },
	{ "limit", F_INT, F_MIN | F_MAX, 1, 100, .doc = "Default 20" },
};
const struct shape PARAMS_FIND_RELATED = { "find_related_documents", RELATED, COUNT(RELATED) };

/* The text under KEY; NULL where it is absent or empty. */
static const char *given(const json_t *args, const char *key)
{
	const char *s = json_str(args, key);

	return s && *s ? s : NULL;
}

/* The project that an optional argument means; NULL for all. */
static const char *project_of(const struct tool_env *env, const json_t *args)
{
	return json_object_get(args, "projectId") ? given(args, "projectId") : env->project_id;
}

static const char *not_found(struct tool_env *env, const char *id)
{
	return arena_printf(env->cx->arena, "Document not found: %s", id);
}

/* ---- reading ---- */

/* A row of DOCUMENT_BRIEFS, with all that is known of it where it is the ONLY one. */
static void write_brief(struct jw *w, struct q *q, bool only)
{
	jw_obj(w);
	jw_kstr(w, "id", db_text(q, 0));
	jw_kstr(w, "originalName", db_text(q, 1));
	if (only)
		jw_kstr(w, "filename", db_text(q, 2));
	jw_kstr(w, "mimeType", db_text(q, 3));
	jw_kint(w, "size", db_int(q, 4));
	jw_kstr(w, "direction", db_text(q, 5));
	jw_kstr(w, "category", db_text(q, 6));
	jw_kstr(w, "status", db_text(q, 7));
	jw_kstr(w, "taskId", db_text(q, 8));
	jw_kstr(w, "projectId", db_text(q, 9));
	jw_ktime(w, "createdAt", db_int(q, 10));
	if (only) {
		jw_kstr(w, "processingError", db_text(q, 11));
		jw_ktime(w, "updatedAt", db_int(q, 12));
	}
	jw_end_obj(w);
}

enum rc tool_list_documents(struct tool_env *env, const json_t *args, json_t **out)
{
	struct q *q = db_query(env->cx->db, Q_DOCUMENT_BRIEFS, "ttttti", NULL,
	    given(args, "taskId"), project_of(env, args), json_str(args, "status"),
	    json_str(args, "direction"), (int64_t)TOOL_ROWS_MAX);
	struct draft d;
	struct jw *w = draft_begin(&d);

	jw_arr(w);
	while (db_next(q))
		write_brief(w, q, false);
	jw_end_arr(w);
	return draft_end(env, &d, RC_OK, out);
}

enum rc tool_get_document(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "documentId");
	struct q *q = db_query(env->cx->db, Q_DOCUMENT_BRIEFS, "ttttti", id, NULL, NULL, NULL, NULL,
	    (int64_t)1);
	struct draft d;

	if (!db_next(q))
		return ctx_fail(env->cx, RC_NOTFOUND, "%s", not_found(env, id));
	write_brief(draft_begin(&d), q, true);
	db_done(q);
	return draft_end(env, &d, RC_OK, out);
}

/* Writes the part of the text that is asked for. */
static void write_content(struct jw *w, struct q *q, const char *id, const json_t *args)
{
	const char *text = db_text(q, 2), *part = text + text_prefix(text,
					      (size_t)json_num(args, "offset", 0));
	size_t limit = (size_t)json_num(args, "limit", CONTENT_UNITS);

	jw_obj(w);
	jw_kstr(w, "documentId", id);
	jw_kstr(w, "originalName", db_text(q, 0));
	jw_key(w, "content");
	jw_strn(w, part, text_prefix(part, limit));
	jw_kint(w, "totalLength", (int64_t)text_units(text));
	jw_end_obj(w);
}

enum rc tool_read_document_content(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "documentId");
	struct q *q = db_query(env->cx->db, Q_DOCUMENT_TEXT, "t", id);
	struct draft d;
	enum rc rc = RC_OK;

	if (!db_next(q))
		return ctx_fail(env->cx, RC_NOTFOUND, "%s", not_found(env, id));
	if (strcmp(db_text(q, 1), "ready") != 0)
		rc = ctx_fail(env->cx, RC_CONFLICT,
		    "Document not ready (status: %s). Wait for preprocessing to complete.",
		    db_text(q, 1));
	else if (db_is_null(q, 2) || !*db_text(q, 2))
		rc = ctx_fail(
		    env->cx, RC_CONFLICT, "No extracted text available for this document.");
	else
		write_content(draft_begin(&d), q, id, args);
	db_done(q);
	return rc == RC_OK ? draft_end(env, &d, rc, out) : rc;
}

enum rc tool_find_related_documents(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "originalName", "mimeType", NULL, "direction",
		"category", "status", "taskId" };
	const char *project = project_of(env, args);
	struct draft d;
	struct jw *w;
	struct q *q;

	if (!project)
		return ctx_fail(env->cx, RC_INVALID, NO_PROJECT);
	q = db_query(env->cx->db, Q_DOCUMENT_RELATED, "tttti", project,
	    document_pattern(env->cx->arena, given(args, "query")), json_str(args, "direction"),
	    given(args, "sourceWorkflowId"), (int64_t)json_num(args, "limit", RELATED_LIMIT));
	w = draft_begin(&d);
	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		for (int i = 0; i < (int)COUNT(KEYS); i++)
			if (KEYS[i])
				jw_kstr(w, KEYS[i], db_text(q, i));
			else
				jw_kint(w, "size", db_int(q, i));
		jw_ktime(w, "createdAt", db_int(q, 8));
		jw_kstr(w, "sourceWorkflow", db_text(q, 9));
		jw_end_obj(w);
	}
	jw_end_arr(w);
	return draft_end(env, &d, RC_OK, out);
}

/* ---- changing ---- */

/* The folders whose files the caller may bring in. */
static const char *const *roots_of(struct tool_env *env)
{
	struct arena *a = env->cx->arena;
	const char **roots = arena_array(a, const char *, 4);
	struct workspace ws;
	size_t n = 0;

	roots[n++] = arena_printf(a, "%s/uploads", store_data(env->cx));
	if (env->output_dir)
		roots[n++] = env->output_dir;
	if (env->workdir) {
		roots[n++] = env->workdir;
	} else {
		workspace_read(a, &ws);
		roots[n++] = ws.cwd;
	}
	return roots;
}

enum rc tool_upload_document(struct tool_env *env, const json_t *args, json_t **out)
{
	json_t *in = json_keep(env->cx->arena, json_copy((json_t *)(uintptr_t)args));
	const char *project = project_of(env, args);
	struct document_new d;
	enum rc rc;

	json_object_set_new(in, "projectId", json_string(project ? project : ""));
	rc = document_take(env->cx, in, TYPES_OF_TOOL, roots_of(env), &d);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "documentId", d.id, "status",
		    "uploaded", "processingStatus", "queued", "originalName", d.original_name,
		    "mimeType", d.mime, "size", (json_int_t)d.size);
	return rc;
}

enum rc tool_update_document(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "documentId");
	bool again = json_flag(args, "reprocess");
	json_t *fields;
	struct document_state d;
	enum rc rc = document_update(env->cx, id, args, not_found(env, id));

	if (rc == RC_OK)
		rc = document_load(env->cx, id, not_found(env, id), &d);
	if (rc != RC_OK)
		return rc;
	fields = json_array();
	if (json_object_get(args, "metadata"))
		json_array_append_new(fields, json_string("metadata"));
	if (again)
		json_array_append_new(fields, json_string("processingStatus"));
	*out = json_pack("{s:s, s:o, s:s}", "documentId", id, "updatedFields", fields,
	    "processingStatus", again ? "queued" : d.status);
	return RC_OK;
}

enum rc tool_delete_document(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "documentId"), *message = "Document deleted.";
	struct document_state d;
	enum rc rc = document_load(env->cx, id, not_found(env, id), &d);

	if (rc == RC_OK)
		rc = document_delete(env->cx, id, json_flag(args, "cascadeDelete"),
		    not_found(env, id), "Set cascadeDelete to true to confirm deletion.");
	if (rc != RC_OK)
		return rc;
	if (d.task_id)
		message = arena_printf(env->cx->arena, "Document deleted. Task link removed: %s",
		    d.task_id);
	*out = json_pack("{s:b, s:s}", "success", true, "message", message);
	return RC_OK;
}
