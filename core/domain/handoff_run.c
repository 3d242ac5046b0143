/* Handoffs: what becomes of an accepted one. The change of state decides who makes the task, and is
 * one transaction with it; a task that was made and not begun is found by its state. */
#include "core/domain/handoff.h"

#include "core/domain/notification.h"
#include "core/domain/task.h"
#include "core/id.h"
#include "core/json_out.h"
#include "core/log.h"

#define ATTACHMENTS_MAX ((size_t)8 << 20) /* of the characters of a result, all escaped */

/* A result may be long: none of this is kept in the arena. */
static void complete(struct ctx *cx, const char *id)
{
	struct buf b;
	struct jw w = jw_on(&b);
	struct q *q = db_query(cx->db, Q_HANDOFF_RESULT, "t", id);
	bool has = db_next(q) && !db_is_null(q, 0);

	buf_init(&b, ATTACHMENTS_MAX);
	jw_obj(&w);
	jw_kstr(&w, "result", has ? db_text(q, 0) : "");
	jw_end_obj(&w);
	db_done(q);
	db_run(cx->db, Q_HANDOFF_COMPLETE, "tti", id, b.failed ? NULL : buf_text(&b), cx->now);
	if (db_changes(cx->db))
		audit(cx, "handoff.complete", "handoff", id, NULL);
	buf_fini(&b);
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

/* In this order: what is over is not begun. FMT says whether the search takes the time. */
static const struct {
	enum stmt next;
	const char *fmt;
	enum rc (*step)(struct ctx *cx, const char *id);
} STEPS[] = {
	{ Q_HANDOFF_NEXT_DUE, "i", expire },
	{ Q_HANDOFF_NEXT_ACCEPTED, "", take_up },
	{ Q_HANDOFF_NEXT_WAITING, "", task_start },
	{ Q_HANDOFF_NEXT_OVER, "", complete_one },
};

bool handoff_advance(struct ctx *cx)
{
	for (size_t i = 0; i < COUNT(STEPS); i++) {
		const char *id =
		    db_get_text(cx->db, cx->arena, STEPS[i].next, STEPS[i].fmt, cx->now);
		enum rc rc = id ? STEPS[i].step(cx, id) : cx->err.rc;

		if (id && rc == RC_OK)
			return true;
		if (rc != RC_OK && rc != RC_BUSY)
			log_error("handoffs: %s %s", rc_name(rc), cx->err.cause);
		err_clear(&cx->err);
	}
	return false;
}
