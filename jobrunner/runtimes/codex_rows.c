/* The log rows of a run on Codex.
 *
 * Deltas of one item that follow one another are joined for half a second or 4 KiB; a joined row has
 * the shape of a single delta. Behind ROWS_MAX of them none is written. Such rows are progress, not
 * state: a run that may not write any more only stops writing them, and learns of it at its next
 * step. */
#include "core/clock.h"
#include "core/text.h"
#include "jobrunner/runtimes/codex.h"

#define ROWS_MAX     5000
#define JOIN_MS	     500
#define JOIN_BYTES   4096u
#define JOIN_MAX     ((size_t)16 << 20)
#define RESULT_UNITS 1000
#define ERROR_UNITS  8000

static const char *quoted(struct arena *a, const char *s)
{
	return s ? json_quote(a, s) : "null";
}

/* The first row of a run is that of its thread. */
void codex_log_start(struct run *r UNUSED)
{
}

void codex_log_thread(struct codex *c)
{
	struct run *r = c->r;
	struct arena *a = r->cx->arena;

	run_log(r, "thread_started",
	    arena_printf(a, "{\"threadId\":%s,\"profileId\":%s,\"runtime\":\"%s\"}",
		quoted(a, c->thread), quoted(a, r->profile_id), r->ops->id));
}

void codex_log_turn(struct codex *c)
{
	struct arena *a = c->r->cx->arena;

	run_log(c->r, "turn_started",
	    arena_printf(a, "{\"threadId\":%s,\"turnId\":%s}", quoted(a, c->thread),
		quoted(a, c->turn)));
}

/* The last row says why a run has failed; no other one does. */
void codex_log_end(struct run *r, const char *status, const char *result, const char *error)
{
	struct arena *a = r->cx->arena;
	const struct codex *c = r->codex;
	const char *why = error ? error : result;
	const char *ids = arena_printf(a, "\"threadId\":%s,\"turnId\":%s",
	    quoted(a, c ? c->thread : NULL), quoted(a, c ? c->turn : NULL));

	if (strcmp(status, "completed") == 0)
		run_log(r, status,
		    arena_printf(a, "{%s,\"result\":%s,\"profileId\":%s}", ids,
			json_quote(a, text_cut(a, result, RESULT_UNITS)),
			quoted(a, r->profile_id)));
	else if (strcmp(status, "cancelled") == 0)
		run_log(r, status, arena_printf(a, "{%s}", ids));
	else
		run_log(r, status,
		    arena_printf(a, "{%s,\"error\":%s}", ids,
			json_quote(a, text_cut(a, text_mask_keys(a, why), ERROR_UNITS))));
}

static void write_row(struct codex *c, const char *payload)
{
	struct ctx *cx = c->r->cx;
	struct arena *event = cx->arena;
	enum rc rc;

	cx->arena = c->rows.arena;
	rc = run_tx_begin(c->r);
	if (rc == RC_OK) {
		run_log(c->r, c->rows.event, payload);
		rc = tx_end(cx, RC_OK);
	}
	cx->arena = event;
	c->rows.lost = rc != RC_OK;
	err_clear(&cx->err);
}

void codex_flush(struct codex *c)
{
	struct codex_rows *rows = &c->rows;
	struct arena *a = rows->arena;

	if (!rows->text.len)
		return;
	if (!rows->lost && rows->n++ < ROWS_MAX)
		write_row(c,
		    arena_printf(a,
			"{\"threadId\":%s,\"turnId\":%s,\"itemId\":%s,\"delta\":%s}",
			quoted(a, c->thread), quoted(a, c->turn), json_quote(a, rows->item),
			json_quote(a, text_mask_keys(a, buf_text(&rows->text)))));
	rows->written_ms = mono_ms();
	buf_clear(&rows->text);
	arena_reset(a);
}

static const char *event_of(enum codex_method method)
{
	return method == CODEX_MESSAGE_DELTA ? "agent_message_delta"
	    : method == CODEX_OUTPUT_DELTA   ? "command_output_delta"
					     : "plan_delta";
}

void codex_delta(struct codex *c, const struct codex_msg *m)
{
	struct codex_rows *rows = &c->rows;
	const char *event = event_of(m->method);

	if (!m->delta || !*m->delta || !m->item || strlen(m->item) > CODEX_ID_MAX)
		return;
	if (rows->text.len &&
	    (strcmp(rows->item, m->item) != 0 || strcmp(rows->event, event) != 0))
		codex_flush(c);
	snprintf(rows->item, sizeof rows->item, "%s", m->item);
	rows->event = event;
	/* A piece that is too long by itself is cut. */
	buf_str(&rows->text, text_cut(c->cl.event, m->delta, JOIN_MAX / 8));
	if (rows->text.len >= JOIN_BYTES || mono_ms() - rows->written_ms >= JOIN_MS)
		codex_flush(c);
}

int64_t codex_flush_in(const struct codex *c)
{
	int64_t left = c->rows.written_ms + JOIN_MS - mono_ms();

	return !c->rows.text.len ? -1 : left > 0 ? left : 0;
}

void codex_rows_init(struct codex_rows *rows)
{
	*rows = (struct codex_rows){ .arena = arena_new(ARENA_REQUEST_MAX * 4), .event = "" };
	buf_init(&rows->text, JOIN_MAX);
}

void codex_rows_fini(struct codex_rows *rows)
{
	buf_fini(&rows->text);
	arena_free(rows->arena);
}
