/* Handoffs: what becomes of an accepted one. The change of state decides who makes the task, and is
 * one transaction with it; a task that was made and not begun is found by its state. */
#include "core/domain/handoff.h"

#include "core/domain/notification.h"
#include "core/domain/task.h"
#include "core/id.h"
#include "core/json_out.h"
#include "core/log.h"

#define AT_A_TIME 20

static void complete(struct ctx *cx, const char *id)
{
	const char *result = db_get_text(cx->db, cx->arena, Q_HANDOFF_RESULT, "t", id);

	db_run(cx->db, Q_HANDOFF_COMPLETE, "tti", id,
	    arena_printf(cx->arena, "{\"result\":%s}", json_quote(cx->arena, result ? result : "")),
	    cx->now);
	if (db_changes(cx->db))
		audit(cx, "handoff.complete", "handoff", id, NULL);
}

void handoff_task_ended(struct ctx *cx, const char *task)
{
	const char *id = db_get_text(cx->db, cx->arena, Q_HANDOFF_UNDER_WAY, "t", task);

	if (id)
		complete(cx, id);
}

static enum rc complete_one(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	complete(cx, id);
	return tx_end(cx, RC_OK);
}

static enum rc expire(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_HANDOFF_EXPIRE, "ti", id, cx->now);
	if (db_changes(cx->db)) {
		notification_answer(cx, id, NULL, "{\"action\":\"expired\"}");
		audit(cx, "handoff.expire", "handoff", id, NULL);
	}
	return tx_end(cx, RC_OK);
}

static enum rc take_up(struct ctx *cx, const char *id)
{
	const char *task = id_make(cx->arena);
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_HANDOFF_CLAIM, "ti", id, cx->now);
	if (db_changes(cx->db)) {
		db_run(cx->db, Q_HANDOFF_MAKE_TASK, "tti", id, task, cx->now);
		db_run(cx->db, Q_HANDOFF_SET_TARGET, "tt", id, task);
		audit(cx, "handoff.take", "handoff", id, task);
	}
	return tx_end(cx, RC_OK);
}

/* A task that may not be run now fails with the reason. */
static enum rc refuse(struct ctx *cx, const char *task)
{
	const char *why = arena_strdup(cx->arena, cx->err.msg);
	enum rc rc;

	err_clear(&cx->err);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	db_run(cx->db, Q_HANDOFF_REFUSE_TASK, "tti", task, why, cx->now);
	if (db_changes(cx->db)) {
		audit(cx, "task.refused", "task", task, why);
		handoff_task_ended(cx, task);
	}
	return tx_end(cx, RC_OK);
}

static enum rc start(struct ctx *cx, const char *task)
{
	enum rc rc = task_execute(cx, task);

	if (rc == RC_LIMIT || rc == RC_INVALID)
		return refuse(cx, task);
	if (rc == RC_NOTFOUND) {
		err_clear(&cx->err);
		return RC_OK;
	}
	return rc;
}

/* Does STEP for each of the first ids that STMT finds; FMT says whether that takes the time, too.
 * After a failure the rest waits for the next call. */
static bool each(struct ctx *cx, enum stmt stmt, const char *fmt,
    enum rc (*step)(struct ctx *cx, const char *id))
{
	const char *ids[AT_A_TIME];
	struct q *q = db_query(cx->db, stmt, fmt, (int64_t)AT_A_TIME, cx->now);
	size_t n = 0;
	enum rc rc = RC_OK;

	while (n < AT_A_TIME && db_next(q))
		ids[n++] = db_text_dup(q, 0, cx->arena);
	db_done(q);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = step(cx, ids[i]);
	if (rc == RC_OK)
		rc = cx->err.rc;
	if (rc != RC_OK && rc != RC_BUSY)
		log_error("handoffs: %s %s", rc_name(rc), cx->err.cause);
	err_clear(&cx->err);
	return rc == RC_OK;
}

void handoffs_advance(struct ctx *cx)
{
	if (each(cx, Q_HANDOFFS_DUE, "ii", expire) && each(cx, Q_HANDOFFS_ACCEPTED, "i", take_up))
		each(cx, Q_HANDOFFS_WAITING, "i", start);
	each(cx, Q_HANDOFFS_OVER, "i", complete_one);
}
