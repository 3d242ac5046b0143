/* The log rows of a run on Claude Code, of the program or of the built-in loop that stands in for it:
 * seen from outside, both are the same.
 *
 * The provider's events become rows as they come. Deltas of one block that follow one another are
 * joined for half a second or 4 KiB; a joined row has the shape of a single delta. Behind
 * ROWS_MAX of them only block starts are written. Rows are progress, not state: a run that may not
 * write any more only stops writing them, and learns of it at its next step. */
#include "core/clock.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define ROWS_MAX     5000
#define JOIN_MS      500
#define JOIN_BYTES   4096u
#define JOIN_MAX     ((size_t)16 << 20)
#define RESULT_UNITS 1000
#define DELTA	     "content_block_delta"

/* The deltas that are joined: type and member. */
static const struct {
	const char *type, *member;
} KINDS[] = {
	{ "text_delta", "text" },
	{ "thinking_delta", "thinking" },
	{ "input_json_delta", "partial_json" },
};

void claude_log_start(struct run *r)
{
	struct arena *a = r->cx->arena;

	if (r->resume)
		run_log(r, "session_resumed",
		    arena_printf(a, "{\"sessionId\":%s,\"resumeCount\":%lld,\"profile\":%s}",
			json_quote(a, r->task.session_id), (long long)r->task.resume_count,
			json_quote(a, r->profile_id)));
}

void claude_new_session(struct run *r)
{
	r->task.session_id = id_make(r->arena);
	db_run(r->cx->db, Q_TASK_SET_SESSION, "tt", r->task.id, r->task.session_id);
}

void claude_builtin_log_start(struct run *r)
{
	struct arena *a = r->cx->arena;

	run_log(r, "runtime_fallback",
	    arena_printf(a, "{\"from\":\"claude-code\",\"to\":\"built-in\",\"reason\":%s}",
		json_quote(a, r->access.fallback ? r->access.fallback : "")));
	if (!r->resume || !r->task.session_id || !*r->task.session_id)
		claude_new_session(r);
	claude_log_start(r);
}

/* A failure has its error row already. */
void claude_log_end(struct run *r, const char *status, const char *result,
    const char *error UNUSED)
{
	struct arena *a = r->cx->arena;

	if (strcmp(status, "completed") == 0)
		run_log(r, status, arena_printf(a, "{\"result\":%s}",
				       json_quote(a, text_cut(a, result, RESULT_UNITS))));
	else if (strcmp(status, "cancelled") == 0)
		run_log(r, status, "{}");
}

static void write_row(struct run *r, const char *event, const char *payload)
{
	struct ctx *cx = r->cx;
	struct arena *turn = cx->arena;
	enum rc rc;

	if (r->claude.lost)
		return;
	cx->arena = r->claude.arena;
	rc = run_tx_begin(r);
	if (rc == RC_OK) {
		run_log(r, event, payload);
		rc = tx_end(cx, RC_OK);
	}
	cx->arena = turn;
	r->claude.lost = rc != RC_OK;
	r->claude.written_ms = mono_ms();
	err_clear(&cx->err);
}

void claude_flush(struct run *r)
{
	struct claude_rows *c = &r->claude;
	struct arena *a = c->arena;

	if (!c->text.len)
		return;
	if (c->n++ < ROWS_MAX)
		write_row(r, DELTA,
		    arena_printf(a,
			"{\"type\":\"" DELTA "\",\"index\":%lld,\"delta\":{\"type\":\"%s\",\"%s\":"
			"%s}}",
			(long long)c->index, KINDS[c->kind].type, KINDS[c->kind].member,
			json_quote(a, buf_text(&c->text))));
	buf_clear(&c->text);
}

/* Holds a delta back to be joined with its neighbours; false where it is of no such kind. */
static bool hold(struct run *r, const json_t *event)
{
	const json_t *delta = json_object_get(event, "delta");
	const char *type = json_str(delta, "type"), *piece;
	int64_t index = json_integer_value(json_object_get(event, "index"));
	struct claude_rows *c = &r->claude;
	size_t kind = 0;

	while (kind < COUNT(KINDS) && !(type && strcmp(KINDS[kind].type, type) == 0))
		kind++;
	piece = kind < COUNT(KINDS) ? json_str(delta, KINDS[kind].member) : NULL;
	if (!piece)
		return false;
	if (c->text.len && (c->index != index || c->kind != kind))
		claude_flush(r);
	c->index = index;
	c->kind = kind;
	buf_str(&c->text, piece);
	return true;
}

static bool is(const char *type, const char *what)
{
	return strcmp(type, what) == 0;
}

static void begin(struct claude_rows *c)
{
	if (c->arena)
		return;
	c->arena = arena_new(ARENA_REQUEST_MAX * 4);
	buf_init(&c->text, JOIN_MAX);
}

void claude_event(struct run *r, const char *type, const json_t *event)
{
	struct claude_rows *c = &r->claude;
	bool held = false;

	begin(c);
	if (is(type, DELTA))
		held = hold(r, event);
	if (!held && !is(type, "ping"))
		claude_flush(r);
	else if (c->text.len >= JOIN_BYTES || mono_ms() - c->written_ms >= JOIN_MS)
		claude_flush(r);
	if (is(type, "content_block_start") ||
	    (!held && c->n < ROWS_MAX && (is(type, "message_start") || is(type, DELTA)))) {
		c->n += is(type, DELTA);
		write_row(r, type, json_text(c->arena, event));
	}
	arena_reset(c->arena);
}

void claude_on_event(void *arg, const char *type, const char *json, size_t n)
{
	struct run *r = arg;

	begin(&r->claude);
	claude_event(r, type, json_read(r->claude.arena, json, n));
}

int64_t claude_flush_in(const struct run *r)
{
	int64_t left = r->claude.written_ms + JOIN_MS - mono_ms();

	return !r->claude.text.len ? -1 : left > 0 ? left : 0;
}

void claude_fini(struct run *r)
{
	if (!r->claude.arena)
		return;
	buf_fini(&r->claude.text);
	arena_free(r->claude.arena);
	r->claude.arena = NULL;
}
