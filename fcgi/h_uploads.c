/* /api/uploads: a file is on disk, under a temporary name, when the last byte of the request has
 * come; it gets its name, and then its row. Whatever is refused leaves nothing behind. */
#include "core/domain/upload.h"

#include <errno.h>
#include <unistd.h>

#include "core/domain/document.h"
#include "core/id.h"
#include "core/store.h"
#include "fcgi/handlers.h"
#include "fcgi/multipart.h"
#include "fcgi/reply_file.h"

#define BLOCK	    65536
#define TASK_ID_MAX 1024u /* bytes of a task's id that are looked at */

enum part { PART_OTHER, PART_FILE, PART_TASK };

/* An upload under way. */
struct upload {
	struct request *rq;
	int dir;
	const char *dir_path;
	struct store_temp temp;
	enum part part; /* the one whose content comes */
	bool has_file, has_task, open, too_large;
	const char *name, *type;
	int64_t size;
	struct buf task;
	int failed; /* errno */
};

/* Begins the file, unless its part is none. */
static bool begin_file(struct upload *u, const struct multipart_part *p)
{
	u->has_file = true;
	if (!p->filename)
		return true;
	u->name = p->filename;
	u->type = p->type;
	u->open = store_temp_open(&u->temp, u->dir);
	if (!u->open)
		u->failed = errno;
	u->part = PART_FILE;
	return u->open;
}

static bool on_part(void *arg, const struct multipart_part *p)
{
	struct upload *u = arg;

	u->part = PART_OTHER;
	if (strcmp(p->name, "file") == 0 && !u->has_file)
		return begin_file(u, p);
	if (strcmp(p->name, "taskId") == 0 && !u->has_task) {
		u->has_task = true;
		u->part = PART_TASK;
	}
	return true;
}

static bool on_data(void *arg, const char *data, size_t n)
{
	struct upload *u = arg;

	if (u->part == PART_TASK)
		buf_add(&u->task, data, n);
	if (u->part != PART_FILE)
		return true;
	u->size += (int64_t)n;
	if (u->size > UPLOAD_MAX) {
		u->too_large = true;
		return false;
	}
	if (store_temp_write(&u->temp, data, n))
		return true;
	u->failed = errno;
	return false;
}

static enum rc no_file(struct upload *u, int cause)
{
	return store_failed(&u->rq->cx, "uploads", cause);
}

/* Reads the body into the file. */
static enum rc receive(struct upload *u)
{
	static const struct multipart_handler HANDLER = { on_part, on_data };
	static char block[BLOCK];
	struct request *rq = u->rq;
	struct multipart *m =
	    multipart_new(rq->cx.arena, rq->content_type ? rq->content_type : "", &HANDLER, u);
	int n;

	while (m && (n = FCGX_GetStr(block, BLOCK, rq->fcgi->in)) > 0)
		if (!multipart_feed(m, block, (size_t)n))
			break;
	if (u->failed)
		return no_file(u, u->failed);
	if (u->too_large)
		return ctx_fail(&rq->cx, RC_INVALID, "File too large (max 50MB)");
	if (!m || !multipart_complete(m))
		return ctx_fail(&rq->cx, RC_INVALID, "Invalid form data");
	if (!u->open)
		return ctx_fail(&rq->cx, RC_INVALID, "No file provided");
	return RC_OK;
}

/* The task that the form names; NULL for none. One that is no text is unknown, too. */
static const char *task_of(struct upload *u)
{
	struct arena *a = u->rq->cx.arena;
	const char *text = buf_text(&u->task);

	if (u->task.failed || memchr(text, '\0', u->task.len))
		return "?";
	return u->task.len ? arena_strdup(a, text) : NULL;
}

/* Gives the file its name and the row. */
static enum rc keep(struct upload *u, struct document_new *d)
{
	struct ctx *cx = &u->rq->cx;
	enum rc rc;

	*d = (struct document_new){ .id = id_make(cx->arena), .original_name = u->name,
		.mime = u->type, .direction = "input", .task_id = task_of(u), .size = u->size };
	if ((rc = document_check_owners(cx, d->task_id, NULL)) != RC_OK)
		return rc;
	d->filename = upload_stored_name(cx->arena, d->id, u->name);
	d->path = arena_printf(cx->arena, "%s/%s", u->dir_path, d->filename);
	u->open = false;
	rc = store_temp_close(&u->temp, d->filename) && fsync(u->dir) == 0 ? tx_begin(cx)
									   : no_file(u, errno);
	if (rc == RC_OK)
		rc = tx_end(cx, document_insert(cx, d));
	if (rc != RC_OK)
		unlinkat(u->dir, d->filename, 0);
	return rc;
}

static void write_made(struct jw *w, const struct document_new *d)
{
	jw_obj(w);
	jw_kstr(w, "id", d->id);
	jw_kstr(w, "filename", d->filename);
	jw_kstr(w, "originalName", d->original_name);
	jw_kint(w, "size", d->size);
	jw_kstr(w, "type", d->mime);
	jw_kstr(w, "taskId", d->task_id);
	jw_end_obj(w);
}

enum rc h_upload_create(struct request *rq)
{
	struct upload u = { .rq = rq };
	struct document_new d;
	enum rc rc;

	u.dir = store_open_fixed(&rq->cx, "uploads", true, &u.dir_path);
	if (u.dir < 0)
		return no_file(&u, errno);
	buf_init(&u.task, TASK_ID_MAX);
	rc = receive(&u);
	if (rc == RC_OK)
		rc = keep(&u, &d);
	if (u.open)
		store_temp_close(&u.temp, NULL);
	buf_fini(&u.task);
	close(u.dir);
	if (rc == RC_OK)
		write_made(reply(rq, 201), &d);
	return rc;
}

enum rc h_upload_get(struct request *rq)
{
	const char *name;
	struct file_reply f = { .fd = upload_open(&rq->cx, rq->id, &name) };

	if (f.fd < 0)
		return ctx_fail(&rq->cx, RC_NOTFOUND, "File not found");
	f.name = name;
	f.type = upload_type(name);
	return reply_file(rq, &f);
}

enum rc h_upload_delete(struct request *rq)
{
	enum rc rc = upload_delete(&rq->cx, rq->id);

	if (rc == RC_OK)
		reply(rq, 204);
	return rc;
}

enum rc h_upload_cleanup(struct request *rq)
{
	return upload_cleanup(&rq->cx, reply(rq, 200));
}
