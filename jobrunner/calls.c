/* The tool calls of a turn on the HTTP runtimes: each is decided (decision.c), carried out, and has
 * its result written down before the next one is begun.
 *
 * A tool that only touches the database runs in the transaction that writes its result. */
#include "core/clock.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define LOOK_AGAIN_MS 1000
#define MAKE_ROOM_MS 1000

bool run_others_wait(struct run *r)
{
	return db_get_int(r->cx->db, 0, Q_JOB_RUN_WAITS, "i", now_ms()) > 0;
}

enum rc run_park(struct run *r, const struct call *c, int64_t until)
{
	enum rc rc = run_tx_begin(r);
	char *response;

	if (rc != RC_OK)
		return rc;
	response = db_get_text(
	    r->cx->db, r->cx->arena, Q_NOTIFICATION_RESPONSE, "t", c->notification);
	if (response ||
	    !db_get_int(r->cx->db, 0, Q_NOTIFICATION_OPEN, "t", c->notification))
		return tx_end(r->cx, RC_OK);
	db_run(r->cx->db, Q_RUN_PARK, "tt", r->task.id, r->job->run_id);
	db_run(r->cx->db, Q_JOB_PARK, "iii", r->job->id, r->job->fence, until ? until : INT64_MAX);
	rc = tx_end(r->cx, RC_OK);
	return rc == RC_OK ? RC_BUSY : rc;
}

/* Waits for the operator; wakes on SIGUSR1, and looks now and then in case a ring was lost. */
static enum rc wait_for_answer(struct run *r, struct call *c)
{
	int64_t since = mono_ms(), until = call_deadline(r, c), version = -1, waited;
	enum rc rc = RC_OK;

	while (rc == RC_OK && call_is(c, "asked")) {
		int64_t now_version = db_version(r->cx->db);

		if (now_version != version || (until && now_ms() > until))
			rc = call_look(r, c);
		version = now_version;
		if (rc != RC_OK || !call_is(c, "asked"))
			break;
		waited = mono_ms() - since;
		if (waited > r->cx->conf->runs_park_s * 1000 ||
		    (waited > MAKE_ROOM_MS && run_others_wait(r)))
			rc = run_park(r, c, until);
		if (rc == RC_OK)
			job_wait(r->job, LOOK_AGAIN_MS);
		if (rc == RC_OK && job_told_to_stop(r->job))
			rc = RC_TIMEOUT;
	}
	return rc;
}

static void note_done(struct run *r, struct call *c, const char *result, bool is_error)
{
	db_run(r->cx->db, Q_CALL_DONE, "tttb", r->job->run_id, c->of->id, result, is_error);
	run_note_progress(r);
	c->state = "done";
	c->result = result;
	c->is_error = is_error;
}

static enum rc finish(struct run *r, struct call *c, const char *message)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	note_done(r, c, tool_error_text(r->cx->arena, message), true);
	return tx_end(r->cx, RC_OK);
}

static enum rc execute(struct run *r, struct call *c, const struct tool *t)
{
	struct tool_env env = { r->cx, r->task.id, r->task.project_id, r->profile_id,
		r->output_dir, r->workdir };
	const char *text = "";
	bool is_error;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	if (t->flags & TOOL_FILES) {
		db_run(r->cx->db, Q_CALL_BEGUN, "tt", r->job->run_id, c->of->id);
		rc = tx_end(r->cx, RC_OK);
		if (rc != RC_OK)
			return rc;
	}
	r->cx->actor = arena_printf(r->cx->arena, "agent:%s", r->task.id);
	is_error = tool_run(&env, t, c->final_input, &text);
	if ((t->flags & TOOL_FILES) && (rc = run_tx_begin(r)) != RC_OK)
		return rc;
	audit(r->cx, "tool.call", "tool", t->name, is_error ? "error" : "ok");
	r->cx->actor = "runner";
	note_done(r, c, text, is_error);
	return tx_end(r->cx, RC_OK);
}

/* The result of an answered question: what was asked, and the answers, if there are any. */
static enum rc give_answers(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	const json_t *questions = json_object_get(c->final_input, "questions");
	const json_t *answers = json_object_get(c->final_input, "answers");
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	if (!json_array_size(questions))
		questions = json_object_get(c->of->input, "questions");
	note_done(r, c,
	    arena_printf(a, "{\"questions\":%s,\"answers\":%s}", json_text(a, questions),
		json_is_object(answers) ? json_text(a, answers) : "{}"),
	    false);
	return tx_end(r->cx, RC_OK);
}

enum rc call_carry_out(struct run *r, struct call *c)
{
	const struct tool *t = tool_find(c->of->name);

	if (call_is(c, "begun"))
		return finish(r, c, CALL_UNKNOWN_OUTCOME);
	if (!call_is(c, "decided"))
		return RC_OK;
	if (!c->allowed)
		return finish(r, c, c->message && *c->message ? c->message : CALL_DENIED);
	if (c->of->bad)
		return finish(r, c, c->of->bad);
	if (!t)
		return finish(r, c, arena_printf(r->cx->arena, "Unknown tool: %s", c->of->name));
	if (call_is_question(c))
		return give_answers(r, c);
	return execute(r, c, t);
}

static enum rc one_call(struct run *r, struct call *c)
{
	enum rc rc = call_note(r, c);

	if (rc == RC_OK)
		rc = call_decide(r, c);
	if (rc == RC_OK && call_is(c, "asked"))
		rc = wait_for_answer(r, c);
	return rc == RC_OK ? call_carry_out(r, c) : rc;
}

/* The id under which a call is written down: some servers begin to count anew in every turn. */
static const char *written_id(struct run *r, const struct tool_call *call, size_t i)
{
	return arena_printf(
	    r->cx->arena, "%lld.%zu %s", (long long)r->turns, i, call->id);
}

enum rc run_calls(struct run *r, const struct tool_call *calls, size_t n)
{
	enum rc rc = RC_OK;

	r->results = arena_array(r->cx->arena, struct tool_result, n);
	r->n_results = 0;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct tool_call of = calls[i];
		struct call c = { .of = &of };

		of.id = written_id(r, &calls[i], i);
		if (job_told_to_stop(r->job))
			return RC_TIMEOUT;
		rc = one_call(r, &c);
		if (rc == RC_OK)
			r->results[r->n_results++] = (struct tool_result){ calls[i].id,
				calls[i].name, c.result ? c.result : "", c.is_error };
	}
	return rc;
}
