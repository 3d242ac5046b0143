/* The job that extracts texts: it takes the pending documents of its lane one after the other. What
 * is pending stands in the documents themselves, so that nothing is lost, whoever dies. */
#include "jobrunner/extract.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/domain/document.h"
#include "core/log.h"
#include "core/store.h"
#include "core/text.h"
#include "jobrunner/picture.h"

#define TEXT_MAX      ((size_t)20 << 20)
#define THUMBNAIL_MAX ((int64_t)64 << 20)
#define ATTEMPTS_MAX  3
#define OFFICE	      "application/vnd.openxmlformats-officedocument."

/* A document at hand. */
struct item {
	const char *id, *mime, *path, *status;
	struct buf text;
	const char *thumbnail;
};

const char *extract_kind(struct arena *a, const char *mime)
{
	static const struct {
		const char *mime, *kind;
	} KINDS[] = {
		{ "text/plain", "text" },
		{ "text/markdown", "text" },
		{ "application/json", "text" },
		{ "text/javascript", "text" },
		{ "text/typescript", "text" },
		{ "text/x-python", "text" },
		{ "text/html", "text" },
		{ "text/css", "text" },
		{ "text/yaml", "text" },
		{ "application/x-yaml", "text" },
		{ "text/csv", "csv" },
		{ "application/pdf", "pdf" },
		{ "image/png", "image" },
		{ "image/jpeg", "image" },
		{ "image/gif", "image" },
		{ "image/webp", "image" },
		{ OFFICE "wordprocessingml.document", "word" },
		{ OFFICE "presentationml.presentation", "slides" },
		{ OFFICE "spreadsheetml.sheet", "sheets" },
	};
	const char *type = text_lower(a,
	    text_trim(a, arena_strndup(a, mime, strcspn(mime, ";"))));

	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(type, KINDS[i].mime) == 0)
			return KINDS[i].kind;
	return NULL;
}

/* ---- one document ---- */

static bool add_text(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

struct thumbnail {
	struct store_temp temp;
	int64_t size;
};

static bool add_thumbnail(void *arg, const char *data, size_t n)
{
	struct thumbnail *t = arg;

	t->size += (int64_t)n;
	return t->size <= THUMBNAIL_MAX && store_temp_write(&t->temp, data, n);
}

/* Makes the thumbnail of the image FD; none is no failure. */
static void make_thumbnail(struct job *j, struct item *it, int fd)
{
	struct arena *a = j->cx->arena;
	const char *name = arena_printf(a, "%s.png", it->id), *dir_path;
	int dir = store_open_fixed(j->cx, "documents/thumbs", true, &dir_path);
	struct thumbnail t = { .size = 0 };
	struct err e = { 0 };

	if (dir >= 0 && store_temp_open(&t.temp, dir)) {
		bool ok = extract_run(j, "thumbnail", fd, add_thumbnail, &t, &e) == RC_OK;

		if (store_temp_close(&t.temp, ok && t.size ? name : NULL) && ok && t.size)
			it->thumbnail = arena_printf(a, "%s/%s", dir_path, name);
	}
	if (dir >= 0)
		close(dir);
	if (e.rc)
		log_debug("document %s: no thumbnail: %s", it->id, e.msg);
}

/* Whether the text of an image says that it is wider than thumbnails are. */
static bool is_wide(struct buf *text)
{
	unsigned width;

	return sscanf(buf_text(text), "Image: %ux", &width) == 1 && width > PICTURE_THUMBNAIL_WIDTH;
}

static enum rc extract(struct job *j, struct item *it, const char *kind, struct err *e)
{
	int fd = store_open_file(j->cx, it->path);
	enum rc rc;

	if (fd < 0)
		return err_set(e, RC_IO, "The stored file cannot be read: %s", strerror(errno));
	rc = extract_run(j, kind, fd, add_text, &it->text, e);
	if (rc == RC_OK && strcmp(kind, "image") == 0 && is_wide(&it->text))
		make_thumbnail(j, it, fd);
	close(fd);
	return rc;
}

/* Writes what it came to; RC_NOTFOUND where the document has gone meanwhile. */
static enum rc write_outcome(struct ctx *cx, struct item *it, const char *text, const char *note,
    const char *failure)
{
	bool there = true;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if (failure)
		db_run(cx->db, Q_EXTRACT_FAILED, "tti", it->id, failure, cx->now);
	else
		there = db_get_text(cx->db, cx->arena, Q_EXTRACT_DONE, "tttti", it->id, text,
			    it->thumbnail, note, cx->now) != NULL;
	rc = tx_end(cx, RC_OK);
	return rc == RC_OK && !there ? RC_NOTFOUND : rc;
}

static enum rc begin(struct ctx *cx, const struct item *it)
{
	enum rc rc;

	if (strcmp(it->status, "uploaded") != 0)
		return RC_OK;
	rc = tx_begin(cx);
	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_EXTRACT_BEGIN, "ti", it->id, cx->now);
	return tx_end(cx, RC_OK);
}

static enum rc process(struct job *j, struct item *it)
{
	struct ctx *cx = j->cx;
	const char *kind = extract_kind(cx->arena, it->mime), *text = NULL, *note = NULL;
	struct err e = { 0 };
	enum rc rc = begin(cx, it);

	if (rc != RC_OK)
		return rc;
	if (kind)
		rc = extract(j, it, kind, &e);
	else
		note = arena_printf(cx->arena, "No processor for MIME type: %s", it->mime);
	if (rc == RC_CANCELLED)
		return rc;
	if (kind && rc == RC_OK)
		text = buf_text(&it->text);
	cx->now = now_s();
	rc = write_outcome(cx, it, text, note, rc == RC_OK ? NULL : e.msg);
	if (rc == RC_NOTFOUND && it->thumbnail)
		unlink(it->thumbnail);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

/* ---- the lane ---- */

static bool next_item(struct ctx *cx, int64_t lane, struct item *it)
{
	struct q *q = db_query(cx->db, Q_EXTRACT_NEXT, "ii", lane, (int64_t)EXTRACT_LANES);

	*it = (struct item){ .id = NULL };
	if (!db_next(q))
		return false;
	it->id = db_text_dup(q, 0, cx->arena);
	it->mime = db_text_dup(q, 1, cx->arena);
	it->path = db_text_dup(q, 2, cx->arena);
	it->status = db_text_dup(q, 3, cx->arena);
	db_done(q);
	return true;
}

/* Notes what is in hand, once a process of this job has died. */
static enum rc note_in_hand(struct job *j, const char *id)
{
	enum rc rc;

	if (j->attempts < 2)
		return RC_OK;
	rc = tx_begin(j->cx);
	if (rc != RC_OK)
		return rc;
	db_run(j->cx->db, Q_EXTRACT_IN_HAND, "iit", j->id, j->fence, id);
	return tx_end(j->cx, RC_OK);
}

/* Whether processes of this job have died of the document IT, again and again. */
static bool is_deadly(const struct job *j, const struct item *it)
{
	return j->attempts >= ATTEMPTS_MAX && j->payload && strcmp(j->payload, it->id) == 0;
}

static enum rc do_item(struct job *j, struct item *it)
{
	enum rc rc = note_in_hand(j, it->id);

	if (rc == RC_OK && is_deadly(j, it)) {
		rc = begin(j->cx, it);
		if (rc == RC_OK)
			rc = write_outcome(j->cx, it, NULL, NULL, "Its extraction was broken off");
	} else if (rc == RC_OK) {
		rc = process(j, it);
	}
	if (rc == RC_CANCELLED)
		note_in_hand(j, NULL);
	return rc;
}

/* Does the lane's documents, each with the memory for itself. */
static enum rc work(struct job *j, int64_t lane)
{
	struct ctx *cx = j->cx;
	struct arena *whole = cx->arena, *one = arena_new(ARENA_REQUEST_MAX);
	struct item it;
	enum rc rc = RC_OK;

	cx->arena = one;
	while (rc == RC_OK && !job_told_to_stop(j) && next_item(cx, lane, &it)) {
		buf_init(&it.text, TEXT_MAX);
		rc = do_item(j, &it);
		buf_fini(&it.text);
		if (rc == RC_OK)
			rc = cx->err.rc;
		arena_reset(one);
	}
	cx->arena = whole;
	arena_free(one);
	return rc;
}

int extract_documents(struct job *j)
{
	int64_t lane;
	enum rc rc;

	if (!j->subject || !text_to_int(j->subject, 0, EXTRACT_LANES - 1, &lane)) {
		job_finish(j, 500, NULL, "no such lane");
		return EXIT_DONE;
	}
	rc = work(j, lane);
	if (rc == RC_CANCELLED || j->stopping)
		return EXIT_INTERRUPTED;
	if (rc != RC_OK) {
		log_warn("extraction: %s %s", rc_name(rc), j->cx->err.cause);
		err_clear(&j->cx->err);
	}
	rc = rc == RC_OK ? job_finish(j, 200, NULL, NULL) : job_finish(j, 500, NULL, rc_name(rc));
	return rc == RC_OK ? EXIT_DONE : 1;
}
