/* Storing the rows of an import, in pieces that are short enough for other writers to pass between
 * them; and taking them out again where the import comes to nothing. */
#include "jobrunner/import.h"

#include <poll.h>

#include "core/domain/table.h"
#include "core/log.h"
#include "jobrunner/runner.h"

/* Between two pieces: who waits for the write lock is awake by then. */
#define PAUSE_MS 3
/* How often in a row the write lock may not be had, each time after a long wait. */
#define BUSY_TIMES 10

/* False where the job was told to stop. */
static bool pause_between(struct job *j)
{
	if (!j) {
		poll(NULL, 0, PAUSE_MS);
		return true;
	}
	if (!job_told_to_stop(j))
		job_wait(j, PAUSE_MS);
	return !job_told_to_stop(j);
}

/* Whether everything is still there: the table, the document, and our right to the job. */
static enum rc check(const struct import *im, struct ctx *cx)
{
	enum rc rc = table_find(cx, im->table);

	if (rc != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_DOCUMENT_EXISTS, "t", im->document))
		return ctx_fail(cx, RC_NOTFOUND, "Document not found");
	if (im->job && !db_get_int(cx->db, 0, Q_JOB_HELD, "ii", im->job->id, im->job->fence))
		return cx->err.rc ? cx->err.rc : RC_FENCED;
	return cx->err.rc;
}

/* S and TI move on where it is committed. */
static enum rc store_piece(struct import_store *s, struct table_import *ti)
{
	struct ctx *cx = ti->cx;
	const char *next = s->rows;
	int64_t n;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = check(s->im, cx);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	n = table_import_add(ti, &next, s->end);
	if (next < s->end)
		rc = table_import_step(ti, n);
	else if ((rc = table_import_end(ti)) == RC_OK)
		rc = s->last(s->arg, ti->id);
	rc = tx_end(cx, rc);
	if (rc == RC_OK) {
		s->rows = next;
		ti->done += n;
		ti->open = next < s->end;
	}
	return rc;
}

/* The same, with patience. */
static enum rc store_next(struct import_store *s, struct table_import *ti)
{
	enum rc rc = store_piece(s, ti);

	for (int times = 1; rc == RC_BUSY && times < BUSY_TIMES; times++) {
		err_clear(&ti->cx->err);
		if (s->im->job && job_told_to_stop(s->im->job))
			return RC_CANCELLED;
		rc = store_piece(s, ti);
	}
	return rc;
}

enum rc import_store(struct import_store *s, struct table_import *ti)
{
	struct ctx *cx = ti->cx;
	struct arena *own = cx->arena, *piece = arena_scratch(own, TABLE_SCRATCH_MAX);
	enum rc rc;

	for (int64_t n = 0; n < ti->done && s->rows < s->end; n++)
		s->rows += strlen(s->rows) + 1;
	do {
		arena_reset(piece);
		cx->arena = piece;
		rc = store_next(s, ti);
		cx->arena = own;
		if (rc == RC_OK && ti->open && !pause_between(s->im->job))
			rc = RC_CANCELLED;
	} while (rc == RC_OK && ti->open);
	return rc;
}

void import_undo(struct table_import *ti, struct job *j)
{
	struct err why = ti->cx->err;
	bool more = ti->open;
	enum rc rc = RC_OK;

	err_clear(&ti->cx->err);
	while (rc == RC_OK && more) {
		rc = table_import_undo(ti, &more);
		if (rc == RC_OK && more && !pause_between(j))
			rc = RC_CANCELLED;
	}
	if (rc != RC_OK)
		log_warn("import %s is not undone yet: %s", ti->id, rc_name(rc));
	ti->cx->err = why;
}

/* Undoes an import that nobody goes on with. */
int table_undo(struct job *j)
{
	struct table_import ti;

	if (table_import_load(&ti, j->cx, j->subject, j->id))
		import_undo(&ti, j);
	else
		ti.open = false;
	if (ti.open)
		return j->stopping ? EXIT_INTERRUPTED : 1;
	return job_finish(j, 200, "{}", NULL) == RC_OK ? EXIT_DONE : 1;
}
