/* /api/documents */
#include "core/domain/document.h"

#include <strings.h>

#include "core/issues.h"
#include "core/json_in.h"
#include "core/store.h"
#include "core/text.h"
#include "fcgi/handlers.h"
#include "fcgi/reply_file.h"

#define LIST_MAX 500

/* A number of the query that does not fit counts as absent. */
static int64_t number(struct request *rq, const char *key, int64_t min, int64_t max,
    int64_t otherwise)
{
	const char *text = query_get(rq, key);
	int64_t v;

	return text && text_to_int(text, min, max, &v) ? v : otherwise;
}

enum rc h_document_list(struct request *rq)
{
	struct document_filter f = { .task = query_get(rq, "taskId"),
		.project = query_get(rq, "projectId"), .status = query_get(rq, "status"),
		.direction = query_get(rq, "direction"), .search = query_get(rq, "search") };

	if (f.status && !word_in(&DOCUMENT_STATUSES, f.status))
		return ctx_fail(&rq->cx, RC_INVALID,
		    "Invalid status. Must be one of: uploaded, processing, ready, error");
	if (f.direction && !word_in(&DOCUMENT_DIRECTIONS, f.direction))
		return ctx_fail(
		    &rq->cx, RC_INVALID, "Invalid direction. Must be one of: input, output");
	f.limit = number(rq, "limit", 1, LIST_MAX, -1);
	f.offset = number(rq, "offset", 0, INT64_MAX, 0);
	document_write_list(&rq->cx, reply(rq, 200), &f);
	return RC_OK;
}

enum rc h_document_create(struct request *rq)
{
	struct document_new d;
	struct jw *w;
	enum rc rc = issues_check(rq->cx.arena, &SHAPE_DOCUMENT_CREATE, rq->in, &rq->cx.err);

	if (rc == RC_OK)
		rc = document_take(&rq->cx, rq->in, TYPES_OF_OPERATION, NULL, &d);
	if (rc != RC_OK)
		return rc;
	w = reply(rq, 201);
	jw_obj(w);
	jw_kstr(w, "documentId", d.id);
	jw_kstr(w, "status", "uploaded");
	jw_kstr(w, "processingStatus", "queued");
	jw_kstr(w, "originalName", d.original_name);
	jw_kstr(w, "mimeType", d.mime);
	jw_kint(w, "size", d.size);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_document_get(struct request *rq)
{
	return document_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_document_update(struct request *rq)
{
	enum rc rc = issues_check(rq->cx.arena, &SHAPE_DOCUMENT_UPDATE, rq->in, &rq->cx.err);

	if (rc == RC_OK)
		rc = document_update(&rq->cx, rq->id, rq->in, "Document not found");
	return rc != RC_OK ? rc : document_write_row(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_document_delete(struct request *rq)
{
	enum rc rc = document_delete(&rq->cx, rq->id, query_flag(rq, "cascadeDelete"),
	    "Document not found", "Add ?cascadeDelete=true to confirm.");

	if (rc == RC_OK)
		reply(rq, 204);
	return rc;
}

enum rc h_document_versions(struct request *rq)
{
	return document_write_versions(&rq->cx, reply(rq, 200), rq->id);
}

static bool is_one(struct request *rq, const char *key)
{
	const char *v = query_get(rq, key);

	return v && strcmp(v, "1") == 0;
}

static bool may_be_shown(const char *type)
{
	return strcmp(type, "application/pdf") == 0 ||
	    (text_starts(type, "image/") && !text_starts(type, "image/svg+xml"));
}

enum rc h_document_file(struct request *rq)
{
	struct document_state d;
	struct file_reply f;
	bool thumb;
	enum rc rc = document_load(&rq->cx, rq->id, "Document not found", &d);

	if (rc != RC_OK)
		return rc;
	thumb = is_one(rq, "thumb") && d.processed_path;
	f = (struct file_reply){ .type = thumb ? "image/png" : d.mime_type,
		.name = d.original_name };
	f.shown = is_one(rq, "inline") && may_be_shown(f.type);
	f.fd = store_open_file(&rq->cx, thumb ? d.processed_path : d.storage_path);
	if (f.fd < 0)
		return ctx_fail(&rq->cx, RC_NOTFOUND, "File not found");
	return reply_file(rq, &f);
}
