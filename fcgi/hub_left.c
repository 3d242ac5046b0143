/* Jobs that nobody waits for any more: where a ticket says that the job ends with its client, and
 * the client leaves before the answer, the job is cancelled.
 *
 * This is the one thing that the hub writes. It has a connection of its own for it, open as long as
 * there is something to write, and never waits for the write lock: it tries again. */
#include "fcgi/hub_int.h"

#include <poll.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/queue.h"

#define TRY_AGAIN_MS 20
#define LAST_TRIES 25

void left_note(struct hub *h, int64_t job)
{
	if (h->n_left == LEFT_MAX) {
		log_warn("hub: too many clients have left; job %lld goes on", (long long)job);
		return;
	}
	h->left[h->n_left++] = job;
	h->left_due = h->now;
}

/* One transaction for all of them. */
static enum rc cancel_all(struct hub *h, struct ctx *cx)
{
	struct db_options o = { h->db_path, h->conf->db_synchronous, false, false };
	enum rc rc = cx->db ? RC_OK : db_open(&cx->db, &o, &cx->err);

	if (rc != RC_OK)
		return rc;
	ctx_begin(cx, "hub", NULL);
	if ((rc = db_begin_now(cx->db)) != RC_OK)
		return rc;
	for (size_t i = 0; i < h->n_left; i++)
		queue_cancel(cx, h->left[i], "its client has left");
	return db_end(cx->db, RC_OK);
}

void left_look(struct hub *h)
{
	struct ctx *cx = &h->left_cx;
	enum rc rc;

	if (!h->n_left || h->now < h->left_due)
		return;
	err_clear(&cx->err);
	rc = cancel_all(h, cx);
	h->left_due = h->now + TRY_AGAIN_MS;
	if (rc == RC_BUSY)
		return;
	if (rc == RC_OK)
		bell_ring(cx->bells);
	else
		log_error("hub: cannot cancel %zu jobs whose clients have left: %s", h->n_left,
		    *cx->err.cause ? cx->err.cause : cx->err.msg);
	h->n_left = 0;
	db_close(cx->db);
	cx->db = NULL;
}

void left_finish(struct hub *h)
{
	for (int i = 0; i < LAST_TRIES && h->n_left; i++) {
		if (i)
			poll(NULL, 0, TRY_AGAIN_MS);
		h->now = mono_ms();
		left_look(h);
	}
	db_close(h->left_cx.db);
}
