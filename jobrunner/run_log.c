/* What a run writes: fenced transactions, log rows, snapshots, sums. */
#include "core/clock.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/price.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define RESULT_UNITS 1000

enum rc run_tx_begin(struct run *r)
{
	struct ctx *cx = r->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	cx->now = now_s();
	if (db_get_int(cx->db, 0, Q_RUN_HOLDS, "ttii", r->task.id, r->job->run_id, r->job->id,
		r->job->fence))
		return RC_OK;
	if (db_get_int(cx->db, 0, Q_JOB_HELD, "ii", r->job->id, r->job->fence))
		rc = RC_CANCELLED;
	else
		rc = cx->err.rc ? cx->err.rc : RC_FENCED;
	return tx_end(cx, rc);
}

void run_log(struct run *r, const char *event, const char *payload)
{
	db_run(r->cx->db, Q_LOG_INSERT, "ttttti", id_make(r->cx->arena), r->task.id,
	    r->ops && r->ops->agent_type ? r->ops->agent_type : r->profile_id, event, payload, r->cx->now);
	r->cx->bells |= BELL_HUB;
}

/* Empties the snapshots behind the newest once they take more than the limit together. */
static void thin(struct run *r)
{
	struct q *q = db_query(r->cx->db, Q_LOG_SNAPSHOT_SIZES, "t", r->task.id);
	int64_t rows[256], total = 0;
	size_t n = 0, seen = 0;

	while (db_next(q)) {
		total += db_int(q, 1);
		if (seen++ && total > (int64_t)SNAPSHOT_MAX && db_int(q, 1) > 64 && n < COUNT(rows))
			rows[n++] = db_int(q, 0);
	}
	while (n)
		db_run(r->cx->db, Q_LOG_THIN, "i", rows[--n]);
}

void run_log_snapshot(struct run *r)
{
	struct arena *a = r->cx->arena;

	r->ops->shrink(r->conversation, SNAPSHOT_MAX);
	run_log(r, "session_snapshot", r->ops->snapshot(a, r->conversation));
	r->unsaved = false;
	thin(r);
}

void run_log_start(struct run *r)
{
	struct arena *a = r->cx->arena;
	bool local = r->ops->flags & OPS_LOCAL;

	if (r->restarted)
		run_log(r, "resumed", "{\"reason\":\"runner restarted\"}");
	else if (r->ops->log_start)
		r->ops->log_start(r);
	else
		run_log(r, r->resume ? "resumed" : "started",
		    arena_printf(a, "{\"runtime\":\"%s\",\"model\":%s%s%s,\"maxTurns\":%lld}",
			r->ops->id, json_quote(a, r->model), local ? ",\"baseUrl\":" : "",
			local ? json_quote(a, r->access.base_url) : "", (long long)r->max_turns));
}

void run_log_turn(struct run *r, const struct turn *t, bool last)
{
	struct arena *a = r->cx->arena;

	if ((r->ops->flags & OPS_RESPONSE_ID) && t->response_id)
		run_log(r, "openai_response_id",
		    arena_printf(a, "{\"responseId\":%s}", json_quote(a, t->response_id)));
	if (!last || (r->ops->flags & OPS_LAST_SNAPSHOT))
		run_log_snapshot(r);
}

/* The members turns and usage of a final row. */
static const char *usage_members(struct run *r)
{
	bool local = r->ops && (r->ops->flags & OPS_LOCAL);
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, 1024);
	jw_obj(&w);
	if (r->used) {
		if (local)
			jw_kstr(&w, "modelId", r->used_model);
		jw_kint(&w, "inputTokens", r->input_tokens);
		jw_kint(&w, "outputTokens", r->output_tokens);
		jw_kint(&w, "totalTokens", r->input_tokens + r->output_tokens);
		if (!local)
			jw_kstr(&w, "modelId", r->used_model);
		if (!local && r->has_cost)
			jw_knum(&w, "costUsd", (double)r->cost_micros / 1e6);
		else if (!local)
			jw_knull(&w, "costUsd");
	}
	jw_end_obj(&w);
	text = arena_printf(r->cx->arena, "\"turns\":%lld,\"usage\":%s", (long long)r->turns,
	    buf_text(&b));
	buf_fini(&b);
	return text;
}

void run_log_end(struct run *r, const char *status, const char *result, const char *error)
{
	struct arena *a = r->cx->arena;

	if (r->ops && r->ops->log_end)
		r->ops->log_end(r, status, result, error);
	else if (strcmp(status, "cancelled") == 0)
		run_log(r, status, arena_printf(a, "{%s}", usage_members(r)));
	else
		run_log(r, status,
		    arena_printf(a, "{\"result\":%s,%s}",
			json_quote(a, text_cut(a, result, RESULT_UNITS)), usage_members(r)));
}

void run_save_turn(struct run *r)
{
	db_run(r->cx->db, Q_RUN_SAVE_TURN,
	    r->used ? r->has_cost ? "ttiiiittt" : "ttiiiIttt" : "ttiIIIttt", r->task.id,
	    r->job->run_id, r->turns, r->input_tokens, r->output_tokens, r->cost_micros,
	    r->used_model, r->pricing_version, r->text);
}

void run_add_usage(struct run *r, const struct usage *u)
{
	int64_t cost = 0;
	const char *version = NULL;

	if (!u->known) {
		/* A call whose tokens nobody has counted; a local one is free all the same. */
		if (r->ops->flags & OPS_LOCAL) {
			r->has_cost = true;
			r->pricing_version = PRICE_VERSION_LOCAL;
		}
		return;
	}
	r->used = true;
	r->input_tokens += u->input;
	r->output_tokens += u->output;
	r->used_model = arena_strdup(r->arena, *u->model ? u->model : r->model);
	if (price_cost(r->cx, r->ops->provider, r->used_model, u->input, u->output, u->cache_write,
		u->cache_read, &cost, &version)) {
		r->has_cost = true;
		r->cost_micros += cost;
		r->pricing_version = version ? arena_strdup(r->arena, version) : NULL;
	}
}
