/* Imports in pieces: what is noted of them between one transaction and the next, so that one that
 * dies goes on where it was, and one that fails leaves no rows.
 *
 * A row of table_imports_open says how many rows are stored. It changes in the transaction that
 * stores more or takes some out, and only where it is as the writer left it: of two that believe
 * the import to be theirs, one is fenced off. */
#include "core/domain/table_int.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/queue.h"

#define PIECE_ROWS 500
#define PIECE_MS 25
#define STILL_MS 60000 /* after which a tool is taken for dead */
#define SWEPT_AT_ONCE 20

void table_import_begin(struct table_import *ti, struct ctx *cx, const char *table, int64_t job)
{
	struct q *q;

	*ti = (struct table_import){ .cx = cx, .table = table, .job = job };
	q = job ? db_query(cx->db, Q_TABLE_IMPORT_OF_JOB, "i", job) : NULL;
	if (!db_next(q)) {
		id_new(ti->id);
		return;
	}
	snprintf(ti->id, sizeof ti->id, "%s", db_text(q, 0));
	ti->done = db_int(q, 2);
	ti->open = true;
	db_done(q);
}

bool table_import_load(struct table_import *ti, struct ctx *cx, const char *id, int64_t job)
{
	struct q *q = db_query(cx->db, Q_TABLE_IMPORT_OPEN, "ti", id, job);

	*ti = (struct table_import){ .cx = cx, .job = job, .open = true };
	snprintf(ti->id, sizeof ti->id, "%s", id);
	if (!db_next(q))
		return false;
	ti->table = db_text_dup(q, 0, cx->arena);
	ti->done = db_int(q, 1);
	db_done(q);
	return true;
}

int64_t table_import_add(struct table_import *ti, const char **rows, const char *end)
{
	struct ctx *cx = ti->cx;
	int64_t begun = mono_ms();
	struct row_adder ra;
	char id[ID_SIZE];

	row_adder_begin(&ra, cx, ti->table);
	while (*rows < end && ra.n < PIECE_ROWS && mono_ms() - begun < PIECE_MS && !cx->err.rc) {
		row_adder_add(&ra, *rows, "user", id_of_part(id, ti->id, ti->done + ra.n));
		*rows += strlen(*rows) + 1;
	}
	row_adder_end(&ra);
	return ra.n;
}

/* What became of a statement that holds only where the import is as we left it. */
static enum rc held(struct table_import *ti)
{
	if (ti->cx->err.rc)
		return ti->cx->err.rc;
	return db_changes(ti->cx->db) ? RC_OK : RC_FENCED;
}

enum rc table_import_step(struct table_import *ti, int64_t n)
{
	struct db *db = ti->cx->db;

	if (ti->open)
		db_run(db, Q_TABLE_IMPORT_STEP, "tiiii", ti->id, ti->job, ti->done, ti->done + n,
		    now_ms());
	else
		db_run(db, Q_TABLE_IMPORT_BEGIN, "titii", ti->id, ti->job, ti->table, n, now_ms());
	return held(ti);
}

enum rc table_import_end(struct table_import *ti)
{
	if (!ti->open)
		return RC_OK;
	db_run(ti->cx->db, Q_TABLE_IMPORT_END, "tii", ti->id, ti->job, ti->done);
	return held(ti);
}

/* Takes out the rows from FIRST on. */
static void take_out(struct table_import *ti, int64_t first)
{
	struct ctx *cx = ti->cx;
	int64_t gone = 0;
	char id[ID_SIZE];

	for (int64_t n = ti->done; n-- > first;) {
		db_run(cx->db, Q_TABLE_ROW_DELETE, "tt", id_of_part(id, ti->id, n), ti->table);
		gone += db_changes(cx->db);
	}
	if (gone)
		db_run(cx->db, Q_TABLE_COUNT_ROWS, "tii", ti->table, -gone, cx->now);
}

enum rc table_import_undo(struct table_import *ti, bool *more)
{
	int64_t left = ti->done > PIECE_ROWS ? ti->done - PIECE_ROWS : 0;
	enum rc rc = tx_begin(ti->cx);

	if (rc != RC_OK)
		return rc;
	take_out(ti, left);
	rc = left ? table_import_step(ti, left - ti->done) : table_import_end(ti);
	rc = tx_end(ti->cx, rc);
	if (rc != RC_OK)
		return rc;
	ti->done = left;
	ti->open = *more = left > 0;
	return RC_OK;
}

/* The job that undoes the import becomes its only one; who still worked on it is fenced off. */
static void queue_undo(struct ctx *cx, const char *id, int64_t job)
{
	int64_t undo;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return;
	rc = queue_put(cx, JOB_TABLE_UNDO, id, NULL, NULL, NULL, &undo);
	if (rc == RC_OK) {
		db_run(cx->db, Q_TABLE_IMPORT_HAND_ON, "tii", id, job, undo);
		if (!db_changes(cx->db))
			rc = RC_FENCED;
	}
	if (tx_end(cx, rc) == RC_OK)
		log_info("import %s was left and is undone", id);
	else
		err_clear(&cx->err);
}

void table_import_sweep(struct ctx *cx)
{
	struct {
		char id[ID_SIZE];
		int64_t job;
	} list[SWEPT_AT_ONCE];
	size_t n = 0;
	struct q *q = db_query(cx->db, Q_TABLE_IMPORT_LEFT, "ii", now_ms() - STILL_MS,
	    (int64_t)COUNT(list));

	while (n < COUNT(list) && db_next(q)) {
		snprintf(list[n].id, sizeof list[n].id, "%s", db_text(q, 0));
		list[n++].job = db_int(q, 1);
	}
	db_done(q);
	for (size_t i = 0; i < n; i++)
		queue_undo(cx, list[i].id, list[i].job);
}
