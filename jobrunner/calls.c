/* The tool calls of a turn. Every step of a call is written down before the next one is taken
 * (engine_calls), so that a call whose process dies is neither repeated nor asked for again:
 *
 *   new      logged, nothing decided
 *   asked    a person has the question (notification_id)
 *   decided  allowed or not
 *   begun    under way outside of a transaction; after a crash its outcome is unknown
 *   done     has a result
 *
 * A tool that only touches the database runs in the transaction that writes its result. */
#include "core/clock.h"
#include "core/domain/notification.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define BODY_UNITS 1000
#define LOOK_AGAIN_MS 1000
#define MAKE_ROOM_MS 1000

static const char DENIED[] = "Tool denied by user";
static const char UNKNOWN_OUTCOME[] =
    "The outcome of this call is unknown: the runner was restarted while it was under way. It was "
    "not run again. Check what it has changed before you repeat it.";

struct call {
	const struct tool_call *of;
	const char *input_text;
	const char *state, *notification, *message, *result;
	const json_t *final_input;
	bool allowed, is_error;
};

static void load(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	struct q *q = db_query(r->cx->db, Q_CALL_GET, "tt", r->job->run_id, c->of->id);

	c->state = NULL;
	if (!db_next(q))
		return;
	c->state = arena_strdup(a, db_text(q, 0));
	c->notification = db_is_null(q, 1) ? NULL : arena_strdup(a, db_text(q, 1));
	c->allowed = db_int(q, 2) != 0;
	c->message = db_is_null(q, 3) ? NULL : arena_strdup(a, db_text(q, 3));
	c->final_input = db_is_null(q, 4) ? c->of->input
					  : json_read_text(a, arena_strdup(a, db_text(q, 4)));
	c->result = db_is_null(q, 5) ? NULL : arena_strdup(a, db_text(q, 5));
	c->is_error = db_int(q, 6) != 0;
	db_done(q);
}

static bool in_state(const struct call *c, const char *state)
{
	return c->state && strcmp(c->state, state) == 0;
}

static enum rc note_new(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	db_run(r->cx->db, Q_CALL_INSERT, "ttittt", r->job->run_id, c->of->id,
	    db_get_int(r->cx->db, 0, Q_CALL_COUNT, "t", r->job->run_id), r->task.id, c->of->name,
	    c->input_text);
	run_log(r, "tool_start",
	    arena_printf(a, "{\"tool\":%s,\"input\":%s}",
		json_quote(a, c->of->name), c->input_text));
	c->state = "new";
	return tx_end(r->cx, RC_OK);
}

/* Inside a transaction. */
static void note_decided(struct run *r, struct call *c, bool allowed, const char *message,
    const json_t *final_input)
{
	const char *text = final_input && final_input != c->of->input
	    ? json_text(r->cx->arena, final_input) : NULL;

	db_run(r->cx->db, Q_CALL_DECIDED, "ttbtt", r->job->run_id, c->of->id, allowed, message,
	    text);
	c->state = "decided";
	c->allowed = allowed;
	c->message = message;
	c->final_input = final_input ? final_input : c->of->input;
}

static bool is_question(const struct call *c)
{
	return strcmp(c->of->name, "AskUserQuestion") == 0;
}

static void ask(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	bool question = is_question(c);

	c->notification = notification_add(r->cx, r->task.id,
	    question ? "agent_message" : "permission_required",
	    question ? "Agent has a question"
		     : arena_printf(a, "Permission required: %s", c->of->name),
	    text_cut(a, c->input_text, BODY_UNITS), c->of->name, c->input_text);
	db_run(r->cx->db, Q_CALL_ASKED, "ttt", r->job->run_id, c->of->id, c->notification);
	c->state = "asked";
}

/* A step of a call is done: the run is alive, and what killed it before is not its own doing. */
static void note_progress(struct run *r)
{
	db_run(r->cx->db, Q_RUN_PROGRESS, "tt", r->task.id, r->job->run_id);
}

static enum rc decide(struct run *r, struct call *c)
{
	const char *message;
	const json_t *final_input;
	enum verdict v;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	v = permit(r, c->of->name, c->of->input, c->input_text, &message, &final_input);
	note_progress(r);
	if (v == VERDICT_ASK)
		ask(r, c);
	else
		note_decided(r, c, v == VERDICT_ALLOW, message,
		    v == VERDICT_ALLOW ? final_input : NULL);
	return tx_end(r->cx, RC_OK);
}

/* Takes the answer RESPONSE of the operator over. */
static void take_answer(struct run *r, struct call *c, const char *response)
{
	const json_t *v = json_read_text(r->cx->arena, response);
	const char *behavior = json_str(v, "behavior");
	const json_t *upd = json_object_get(v, "updatedInput");

	if (behavior && strcmp(behavior, "allow") == 0)
		note_decided(r, c, true, NULL, json_is_object(upd) ? upd : c->of->input);
	else if (behavior && strcmp(behavior, "deny") == 0)
		note_decided(r, c, false, json_str(v, "message"), NULL);
	else
		note_decided(r, c, false, "Invalid response format", NULL);
}

/* Looks whether the question was answered, deleted, or has waited too long. */
static enum rc look(struct run *r, struct call *c, int64_t deadline_ms)
{
	struct ctx *cx = r->cx;
	const char *response = NULL;
	struct q *q;
	bool there;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	note_progress(r);
	q = db_query(cx->db, Q_NOTIFICATION_RESPONSE, "t", c->notification);
	there = db_next(q);
	if (there && !db_is_null(q, 0))
		response = arena_strdup(cx->arena, db_text(q, 0));
	db_done(q);
	if (!there) {
		note_decided(r, c, false, "Permission request dismissed", NULL);
	} else if (response) {
		take_answer(r, c, response);
	} else if (deadline_ms && now_ms() > deadline_ms) {
		notification_answer(cx, c->notification, NULL, NOTIFICATION_TIMED_OUT);
		note_decided(r, c, false, "Permission request timed out", NULL);
	}
	return tx_end(cx, RC_OK);
}

/* When the request counts as denied; 0: never. The time runs from its creation, also while the run
 * is parked. */
static int64_t deadline(struct run *r, const struct call *c)
{
	const char *text = setting_get(r->cx, "runtime.permissionTimeoutSeconds");
	int64_t seconds = 0;

	if (!text || !text_to_int(text, 10, 2592000, &seconds))
		return 0;
	return 1000 * (seconds + db_get_int(r->cx->db, r->cx->now, Q_NOTIFICATION_CREATED, "t",
				     c->notification));
}

static bool others_wait(struct run *r)
{
	return db_get_int(r->cx->db, 0, Q_JOB_WAITING_COUNT, "") > 0;
}

/* Leaves: the answer, or UNTIL, brings the run back. An answer that came in the meantime keeps us
 * here. */
static enum rc park(struct run *r, struct call *c, int64_t until)
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
	int64_t since = mono_ms(), until = deadline(r, c), version = -1, waited;
	enum rc rc = RC_OK;

	while (rc == RC_OK && in_state(c, "asked")) {
		int64_t now_version = db_version(r->cx->db);

		if (now_version != version || (until && now_ms() > until))
			rc = look(r, c, until);
		version = now_version;
		if (rc != RC_OK || !in_state(c, "asked"))
			break;
		waited = mono_ms() - since;
		if (waited > r->cx->conf->runs_park_s * 1000 ||
		    (waited > MAKE_ROOM_MS && others_wait(r)))
			rc = park(r, c, until);
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
	note_progress(r);
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
		r->output_dir };
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

static enum rc carry_out(struct run *r, struct call *c)
{
	const struct tool *t = tool_find(c->of->name);

	if (!c->allowed)
		return finish(r, c, c->message && *c->message ? c->message : DENIED);
	if (c->of->bad)
		return finish(r, c, c->of->bad);
	if (!t)
		return finish(r, c, arena_printf(r->cx->arena, "Unknown tool: %s", c->of->name));
	if (is_question(c))
		return give_answers(r, c);
	return execute(r, c, t);
}

static enum rc one_call(struct run *r, struct call *c)
{
	enum rc rc = RC_OK;

	c->input_text = json_text(r->cx->arena, c->of->input);
	load(r, c);
	if (!c->state)
		rc = note_new(r, c);
	if (rc == RC_OK && in_state(c, "new"))
		rc = decide(r, c);
	if (rc == RC_OK && in_state(c, "asked"))
		rc = wait_for_answer(r, c);
	if (rc == RC_OK && in_state(c, "begun"))
		rc = finish(r, c, UNKNOWN_OUTCOME);
	if (rc == RC_OK && in_state(c, "decided"))
		rc = carry_out(r, c);
	return rc;
}

enum rc run_calls(struct run *r, const struct tool_call *calls, size_t n)
{
	enum rc rc = RC_OK;

	r->results = arena_array(r->cx->arena, struct tool_result, n);
	r->n_results = 0;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct call c = { .of = &calls[i] };

		if (job_told_to_stop(r->job))
			return RC_TIMEOUT;
		rc = one_call(r, &c);
		if (rc == RC_OK)
			r->results[r->n_results++] = (struct tool_result){ calls[i].id,
				calls[i].name, c.result ? c.result : "", c.is_error };
	}
	return rc;
}
