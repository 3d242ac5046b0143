/* Documents: lists, changes, and removal with everything that points at them. */
#include "core/domain/document.h"

#include "core/json_in.h"
#include "core/model/models.h"
#include "core/queue.h"
#include "core/store.h"
#include "core/text.h"

/* ---- reading ---- */

static void write_joined(struct jw *w, struct q *q)
{
	static const char *const NAMES[] = { "taskTitle", "projectName", "workflowId",
		"workflowName" };
	int col = (int)MODEL_DOCUMENT.n_cols;

	jw_obj(w);
	row_json_members(w, q, &MODEL_DOCUMENT, 0);
	for (size_t i = 0; i < COUNT(NAMES); i++, col++)
		jw_kstr(w, NAMES[i], db_text(q, col));
	if (db_is_null(q, col))
		jw_knull(w, "workflowRunNumber");
	else
		jw_kint(w, "workflowRunNumber", db_int(q, col));
	jw_end_obj(w);
}

const char *document_pattern(struct arena *a, const char *text)
{
	char *out, *p;

	if (!text)
		return NULL;
	out = p = arena_alloc(a, 2 * strlen(text) + 3);
	*p++ = '%';
	for (; *text; *p++ = *text++)
		if (strchr("%_!", *text))
			*p++ = '!';
	*p = '%';
	return out;
}

void document_write_list(struct ctx *cx, struct jw *w, const struct document_filter *f)
{
	struct q *q = db_query(cx->db, Q_DOCUMENT_LIST, "tttttii", f->task, f->project, f->status,
	    f->direction, document_pattern(cx->arena, f->search), f->limit, f->offset);

	jw_arr(w);
	while (db_next(q))
		write_joined(w, q);
	jw_end_arr(w);
}

enum rc document_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_DOCUMENT_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Document not found");
	write_joined(w, q);
	db_done(q);
	return RC_OK;
}

enum rc document_write_row(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_DOCUMENT_ROW, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Document not found");
	row_json(w, q, &MODEL_DOCUMENT_ROW, 0);
	db_done(q);
	return RC_OK;
}

enum rc document_load(struct ctx *cx, const char *id, const char *notfound,
    struct document_state *out)
{
	struct q *q = db_query(cx->db, Q_DOCUMENT_STATE, "t", id);
	const char **to[] = { &out->task_id, &out->project_id, &out->direction,
		&out->original_name, &out->category, &out->status, &out->mime_type,
		&out->storage_path, &out->processed_path };

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "%s", notfound);
	for (int i = 0; i < (int)COUNT(to); i++)
		*to[i] = db_text_dup(q, i, cx->arena);
	db_done(q);
	return RC_OK;
}

enum rc document_write_versions(struct ctx *cx, struct jw *w, const char *id)
{
	struct document_state d;
	struct q *q;
	enum rc rc = document_load(cx, id, "Document not found", &d);

	if (rc != RC_OK)
		return rc;
	jw_arr(w);
	if (d.project_id && strcmp(d.direction, "output") == 0) {
		q = db_query(cx->db, Q_DOCUMENT_VERSIONS, "tt", d.project_id, d.original_name);
		while (db_next(q)) {
			jw_obj(w);
			jw_kstr(w, "id", db_text(q, 0));
			jw_kint(w, "version", db_int(q, 1));
			jw_kint(w, "size", db_int(q, 2));
			jw_kstr(w, "status", db_text(q, 3));
			jw_ktime(w, "createdAt", db_int(q, 4));
			if (db_is_null(q, 5))
				jw_knull(w, "workflowRunNumber");
			else
				jw_kint(w, "workflowRunNumber", db_int(q, 5));
			jw_end_obj(w);
		}
	}
	jw_end_arr(w);
	return RC_OK;
}

/* ---- extraction ---- */

static void queue_lane(struct ctx *cx, int64_t lane)
{
	const char *number = arena_printf(cx->arena, "%lld", (long long)lane);
	const char *slot = arena_printf(cx->arena, "extract-%s", number);

	if (!db_get_int(cx->db, 0, Q_EXTRACT_WAITING, "t", slot))
		queue_put_if_room(cx, JOB_EXTRACT, number, slot, NULL, 0);
}

/* Ids begin with a letter or a digit; of another one only the first byte counts here, and that of
 * the database's unicode() differs: the sweep finds it. */
void document_queue(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_EXTRACT_PENDING, "ti", id, cx->now);
	if (db_changes(cx->db))
		queue_lane(cx, (unsigned char)*id % EXTRACT_LANES);
}

void document_queue_forgotten(struct ctx *cx)
{
	int64_t lanes[EXTRACT_LANES];
	struct q *q = db_query(cx->db, Q_EXTRACT_FORGOTTEN, "i", (int64_t)EXTRACT_LANES);
	size_t n = 0;

	while (n < COUNT(lanes) && db_next(q))
		lanes[n++] = db_int(q, 0);
	db_done(q);
	if (!n || tx_begin(cx) != RC_OK)
		return;
	for (size_t i = 0; i < n; i++)
		queue_lane(cx, lanes[i]);
	tx_end(cx, RC_OK);
}

/* ---- changing ---- */

/* CATEGORY, where that is a JSON object, with METADATA put into it; as compact text. */
static const char *merged(struct arena *a, const char *category, const json_t *metadata)
{
	json_t *old = json_read_text(a, category), *out, *item;
	const char *key;

	out = json_keep(a, json_is_object(old) ? json_copy(old) : json_object());
	json_object_foreach((json_t *)(uintptr_t)metadata, key, item)
		json_object_set(out, key, item);
	return json_text(a, out);
}

enum rc document_check_owners(struct ctx *cx, const char *task, const char *project)
{
	if (task && !db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", task))
		return ctx_fail(cx, RC_NOTFOUND, "Task not found");
	if (project && !db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", project))
		return ctx_fail(cx, RC_NOTFOUND, "Project not found");
	return RC_OK;
}

/* Removes the stored file PATH after the commit. */
static void remove_stored(struct ctx *cx, const char *path)
{
	const char *rest = store_relative(cx, path);

	if (rest)
		ctx_remove_later(cx, arena_printf(cx->arena, "%s/%s", cx->conf->data_dir, rest));
}

/* Forgets what was extracted and starts anew. The thumbnail of a screenshot goes; one of ours is
 * written over, or goes with the document. */
static void reprocess(struct ctx *cx, const char *id, const struct document_state *d)
{
	if (d->processed_path && !strstr(d->processed_path, "/documents/thumbs/"))
		remove_stored(cx, d->processed_path);
	db_run(cx->db, Q_DOCUMENT_FORGET_TEXT, "t", id);
	document_queue(cx, id);
}

enum rc document_update(struct ctx *cx, const char *id, const json_t *in, const char *notfound)
{
	const json_t *metadata = json_object_get(in, "metadata");
	const char *category = json_str(in, "category"), *task = json_str(in, "taskId"),
		   *project = json_str(in, "projectId");
	struct document_state d;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = document_load(cx, id, notfound, &d);
	if (rc == RC_OK)
		rc = document_check_owners(cx, task, project);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	if (metadata)
		category = merged(cx->arena, d.category, metadata);
	db_run(cx->db, Q_DOCUMENT_UPDATE, "tbtbtbti", id, json_object_get(in, "taskId") != NULL,
	    task, json_object_get(in, "projectId") != NULL, project, category != NULL, category,
	    cx->now);
	if (json_flag(in, "reprocess"))
		reprocess(cx, id, &d);
	audit(cx, "document.update", "document", id, NULL);
	return tx_end(cx, RC_OK);
}

static const enum stmt CHILDREN[] = {
	Q_DOCUMENT_UNBIND_PROJECTS,
	Q_DOCUMENT_UNBIND_WORKFLOWS,
	Q_DOCUMENT_UNBIND_SCHEDULES,
	Q_DOCUMENT_UNBIND_TABLES,
	Q_DOCUMENT_DETACH_IMPORTS,
};

json_t *document_listed(struct ctx *cx, const json_t *ids)
{
	const char *text = json_array_size(ids) ? json_text(cx->arena, ids) : "[]";

	return ctx_list(cx, Q_DOCUMENTS_LISTED, text);
}

bool document_any_unknown(struct ctx *cx, const json_t *ids)
{
	return json_array_size(ids) &&
	       db_get_int(cx->db, 0, Q_DOCUMENT_UNKNOWN, "t", json_text(cx->arena, ids));
}

void document_remove(struct ctx *cx, const char *id)
{
	struct q *q;

	for (size_t i = 0; i < COUNT(CHILDREN); i++)
		db_run(cx->db, CHILDREN[i], "t", id);
	q = db_query(cx->db, Q_DOCUMENT_DELETE, "t", id);
	while (db_next(q))
		for (int col = 0; col < 2; col++)
			if (!db_is_null(q, col))
				remove_stored(cx, db_text(q, col));
	ctx_remove_later(cx,
	    arena_printf(cx->arena, "%s/documents/thumbs/%s.png", cx->conf->data_dir, id));
}

enum rc document_delete(struct ctx *cx, const char *id, bool confirmed, const char *notfound,
    const char *how)
{
	struct document_state d;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = document_load(cx, id, notfound, &d);
	if (rc == RC_OK && d.task_id && !confirmed)
		rc = ctx_fail(cx, RC_CONFLICT, "Document is linked to task %s. %s", d.task_id, how);
	if (rc == RC_OK) {
		document_remove(cx, id);
		audit(cx, "document.delete", "document", id, NULL);
	}
	return tx_end(cx, rc);
}
