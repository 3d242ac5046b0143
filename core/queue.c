/* Putting jobs into the queue. */
#include "core/queue.h"

#include "core/clock.h"

static enum rc put(struct ctx *cx, const char *kind, const char *subject, const char *run,
    const char *slot, const char *payload, int64_t at_ms, int64_t *id)
{
	int64_t job;

	if (db_get_int(cx->db, 0, Q_JOB_WAITING_COUNT, "") >= cx->conf->queue_max)
		return ctx_fail(cx, RC_BUSY, "Too many jobs are waiting");
	job = db_get_int(cx->db, 0, Q_JOB_INSERT, "ttttit", kind, subject, run, slot ? slot : "",
	    at_ms, payload);
	if (id)
		*id = job;
	cx->bells |= BELL_RUNNER;
	return cx->err.rc;
}

enum rc queue_put(struct ctx *cx, const char *kind, const char *subject, const char *run,
    const char *slot, const char *payload, int64_t *id)
{
	return put(cx, kind, subject, run, slot, payload, now_ms(), id);
}

void queue_put_if_room(struct ctx *cx, const char *kind, const char *subject, const char *slot,
    const char *payload, int64_t after_ms)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return;
	rc = put(cx, kind, subject, NULL, slot, payload, now_ms() + after_ms, NULL);
	if (tx_end(cx, rc) == RC_BUSY)
		err_clear(&cx->err);
}

void queue_cancel(struct ctx *cx, int64_t id, const char *why)
{
	db_run(cx->db, Q_JOB_CANCEL, "iti", id, why, now_ms());
	cx->bells |= BELL_RUNNER | BELL_HUB;
}
