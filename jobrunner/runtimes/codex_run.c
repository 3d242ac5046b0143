/* A run on Codex: one process of `codex app-server`, one thread a task, one turn a run. The program
 * makes the turn; this starts it, follows what it says, answers what it asks for, and ends the run
 * with what it came to. */
#include "core/clock.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/runtimes/codex.h"

#define RETRY_MS     300  /* while the process before still holds the thread */
#define GIVE_UP_MS   10000
#define THREADS_MAX  64   /* whose tokens are counted */
#define WORDS_UNITS  2000
#define WARNINGS_MAX 200  /* complaints and warnings that are kept */

static const char EMPTY_RESULT[] = "Completed without textual output.";
static const char GO_ON[] = CLIENT_GO_ON
    " A call that shows as aborted was cut off by the interruption, it was not refused: make it "
    "again where you still need it.";

/* ---- the end ---- */

/* What came before it talked: with the program, its version, and what mends it. */
static int cannot_begin(struct codex *c, const char *what)
{
	client_end(&c->cl, 0, CLIENT_TERM_MS);
	return client_fail(c->r,
	    program_broken(c->r->arena, c->cl.program, c->r->access.program, c->cl.version, what),
	    "");
}

static const char *failure_words(struct codex *c, const json_t *turn)
{
	const char *words =
	    codex_error_words(c->r->arena, json_object_get(turn, "error"));

	if (!words)
		words = c->complaint;
	return words ? text_cut(c->r->arena, words, WORDS_UNITS) : "Codex turn failed";
}

static int on_turn_completed(struct codex *c, const json_t *turn)
{
	struct run *r = c->r;
	const char *status = json_str(turn, "status"), *text = json_string_value(c->text);

	codex_flush(c);
	client_end(&c->cl, c->cl.stopping ? CLIENT_HURRY_MS : CLIENT_CLOSE_MS,
	    CLIENT_TERM_MS);
	if (c->cl.stopping)
		return run_end_cancelled(r);
	if (status && strcmp(status, "completed") == 0) {
		text = text ? text : codex_turn_text(turn);
		return run_end(r, &(struct ending){ .status = "completed",
				      .result = text && !text_is_blank(text) ? text
									     : EMPTY_RESULT });
	}
	if (c->limit)
		return client_stopped(c->r, "budget_exceeded", c->limit);
	if (status && strcmp(status, "interrupted") == 0)
		return run_end(r, &(struct ending){ .status = "cancelled" });
	return client_fail(c->r, failure_words(c, turn), "");
}

/* The process has ended in the middle. */
static int on_ended(void *arg)
{
	struct codex *c = arg;

	if (c->limit)
		return client_stopped(c->r, "budget_exceeded", c->limit);
	return client_fail(c->r,
	    client_failure(&c->cl, "Codex ended before its turn was completed"), "");
}

static int on_silence(void *arg, const char *what)
{
	struct codex *c = arg;
	const char *why;

	if (c->limit)
		return client_stopped(c->r, "budget_exceeded", c->limit);
	why = client_failure(&c->cl, what);
	return c->cl.spoke ? client_stopped(c->r, "error", why) : client_fail(c->r, why, "");
}

/* ---- sending ---- */

static void send(struct codex *c, const char *method, json_t *params)
{
	client_send(&c->cl, codex_request(++c->number, method, params));
}

/* A step, whose answer must come within MS. */
static void step(struct codex *c, enum codex_step next, const char *method, json_t *params,
    int64_t ms)
{
	c->step = next;
	send(c, method, params);
	client_expect(&c->cl, ms);
}

/* What a thread works with, whether it is new or not. */
static json_t *thread_params(struct codex *c)
{
	struct run *r = c->r;
	json_t *config = codex_thread_config(&r->access);

	if (r->output_dir)
		json_object_set_new(config, "sandbox_workspace_write.writable_roots",
		    json_pack("[s]", r->output_dir));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "cwd", r->workdir, "approvalPolicy",
	    "untrusted", "sandbox", "workspace-write", "developerInstructions",
	    client_system_text(r->arena, r->prompt.system_stable, r->prompt.system_rest), "config",
	    config);
}

static void ask_for_thread(struct codex *c)
{
	struct run *r = c->r;
	json_t *params = thread_params(c);

	if (c->thread) {
		json_object_set_new(params, "threadId", json_string(c->thread));
		json_object_set_new(params, "excludeTurns", json_true());
		step(c, CODEX_STEP_RESUME, "thread/resume", params, CODEX_THREAD_MS);
		return;
	}
	json_object_set_new(params, "serviceName", json_string("stagent"));
	json_object_set_new(params, "dynamicTools", codex_tools(r->tools));
	if (r->model)
		json_object_set_new(params, "model", json_string(r->model));
	step(c, CODEX_STEP_THREAD, "thread/start", params, CODEX_THREAD_MS);
}

static void start_turn(struct codex *c)
{
	step(c, CODEX_STEP_TURN, "turn/start",
	    json_pack("{s:s, s:[{s:s, s:s, s:[]}]}", "threadId", c->thread, "input", "type", "text",
		"text", c->prompt, "text_elements"),
	    CODEX_TURN_MS);
}

/* Tells it to end its turn; what it asks for until then is not answered. False where there is no
 * turn to be ended. */
static bool interrupt(void *arg)
{
	struct codex *c = arg;

	while (c->cl.n_pending)
		client_forget(&c->cl, &c->cl.pending[0]);
	if (!c->turn)
		return false;
	send(c, "turn/interrupt",
	    json_pack("{s:s, s:s}", "threadId", c->thread, "turnId", c->turn));
	client_expect(&c->cl, CLIENT_INTERRUPT_MS);
	return true;
}

/* ---- the steps in front of the turn ---- */

static void greeted(struct codex *c, const struct codex_msg *m)
{
	c->cl.spoke = true;
	client_note_version(&c->cl, codex_version(c->cl.event, m->result));
	client_send(&c->cl, codex_notice("initialized"));
	ask_for_thread(c);
}

/* The thread is there: it becomes the task's session. */
static int on_thread(struct codex *c, const struct codex_msg *m)
{
	struct run *r = c->r;
	const char *id = json_str(json_object_get(m->result, "thread"), "id");
	const char *model = json_str(m->result, "model");
	const char *policy = json_text(r->arena, json_object_get(m->result, "approvalPolicy"));

	if (!id || !*id || strlen(id) > CODEX_ID_MAX)
		return cannot_begin(c, "Codex has started a thread without an id");
	if (strcmp(policy, "\"untrusted\"") != 0)
		return cannot_begin(c, "Codex would not ask before it runs commands");
	c->thread = arena_strdup(r->arena, id);
	if (model)
		r->model = arena_strdup(r->arena, model);
	c->cl.rc = run_tx_begin(r);
	if (c->cl.rc != RC_OK)
		return CLIENT_GOES_ON;
	r->task.session_id = c->thread;
	db_run(r->cx->db, Q_TASK_SET_SESSION, "tt", r->task.id, c->thread);
	if (c->step == CODEX_STEP_THREAD || !(r->restarted || r->unparked))
		codex_log_thread(c);
	c->cl.rc = tx_end(r->cx, RC_OK);
	if (c->cl.rc == RC_OK)
		start_turn(c);
	return CLIENT_GOES_ON;
}

static bool says(const char *words, const char *const *parts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(words, parts[i]))
			return true;
	return false;
}

/* The thread cannot be resumed. */
static int on_no_thread(struct codex *c, const char *words)
{
	static const char *const GONE[] = { "no rollout found", "thread not found",
		"invalid thread id", "invalid session id" };
	static const char *const HELD[] = { "active writer" };

	if (says(words, GONE, COUNT(GONE)))
		return client_session_gone(&c->cl);
	if (says(words, HELD, COUNT(HELD)) && mono_ms() < c->give_up_ms) {
		c->retry_ms = mono_ms() + RETRY_MS;
		client_expect(&c->cl, CODEX_THREAD_MS);
		return CLIENT_GOES_ON;
	}
	client_end(&c->cl, CLIENT_CLOSE_MS, CLIENT_TERM_MS);
	return client_fail(c->r,
	    arena_printf(c->r->arena, "Codex cannot resume the thread: %s", words), "");
}

static int on_turn(struct codex *c, const char *id)
{
	if (!id || strlen(id) > CODEX_ID_MAX)
		return cannot_begin(c, "Codex has started a turn without an id");
	c->turn = arena_strdup(c->r->arena, id);
	c->step = CODEX_STEP_WORK;
	client_expect(&c->cl, 0);
	return CLIENT_GOES_ON;
}

static int on_answer(struct codex *c, const struct codex_msg *m)
{
	const char *words = m->error ? arena_strdup(c->r->arena, m->error) : NULL;

	if (m->number != c->number || c->step == CODEX_STEP_WORK)
		return CLIENT_GOES_ON;
	if (words && c->step == CODEX_STEP_RESUME)
		return on_no_thread(c, words);
	if (words && c->step == CODEX_STEP_INIT)
		return cannot_begin(c,
		    arena_printf(c->r->arena, "Codex refuses to begin: %s", words));
	if (words) {
		client_end(&c->cl, CLIENT_CLOSE_MS, CLIENT_TERM_MS);
		return client_fail(c->r,
		    arena_printf(c->r->arena, "Codex refuses to begin: %s", words), "");
	}
	switch (c->step) {
	case CODEX_STEP_INIT:
		greeted(c, m);
		break;
	case CODEX_STEP_RESUME:
	case CODEX_STEP_THREAD:
		return on_thread(c, m);
	default:
		return on_turn(c, json_str(json_object_get(m->result, "turn"), "id"));
	}
	return CLIENT_GOES_ON;
}

/* ---- usage ---- */

/* What THREAD has used since it was looked at last; TOTAL is its sum. The first sum of our own
 * thread that was there before the turn is not this run's. */
static struct codex_tokens used_since(struct codex *c, const struct codex_msg *m,
    const struct codex_tokens *total)
{
	const json_t *past = json_object_get(c->totals, m->thread);
	bool ours = strcmp(m->thread, c->thread) == 0;
	bool before = ours && !(c->turn && m->turn && strcmp(m->turn, c->turn) == 0);
	struct codex_tokens t = { 0, 0 };

	if (!before) {
		t.input = total->input - json_integer_value(json_array_get(past, 0));
		t.output = total->output - json_integer_value(json_array_get(past, 1));
	}
	json_object_set_new(c->totals, m->thread,
	    json_pack("[I, I]", (json_int_t)total->input, (json_int_t)total->output));
	t.input = t.input > 0 ? t.input : 0;
	t.output = t.output > 0 ? t.output : 0;
	return t;
}

static void check_limit(struct codex *c)
{
	struct run *r = c->r;

	if (c->limit || c->cl.stopping || run_spent(r) < run_spend_limit(r))
		return;
	c->limit = arena_printf(r->arena, "Spending limit of %.2f USD reached",
	    (double)run_spend_limit(r) / 1e6);
	interrupt(c);
}

static void on_usage(struct codex *c, const struct codex_msg *m)
{
	struct run *r = c->r;
	struct usage u = { .known = true };
	struct codex_tokens total, t;

	if (!m->thread || !c->thread || !codex_read_tokens(m, &total) ||
	    (json_object_size(c->totals) == THREADS_MAX &&
		!json_object_get(c->totals, m->thread)))
		return;
	t = used_since(c, m, &total);
	if (!t.input && !t.output)
		return;
	u.input = t.input;
	u.output = t.output;
	snprintf(u.model, sizeof u.model, "%s", r->model ? r->model : "");
	run_add_usage(r, &u);
	r->turns++;
	if (c->cl.stopping)
		return;
	c->cl.rc = run_tx_begin(r);
	if (c->cl.rc != RC_OK)
		return;
	run_save_turn(r);
	run_note_progress(r);
	c->cl.rc = tx_end(r->cx, RC_OK);
	if (c->cl.rc == RC_OK)
		check_limit(c);
}

/* ---- messages ---- */

static void on_turn_started(struct codex *c, const struct codex_msg *m)
{
	struct run *r = c->r;

	if (c->step == CODEX_STEP_TURN && m->turn && strlen(m->turn) <= CODEX_ID_MAX)
		on_turn(c, m->turn);
	if (!c->turn || !m->turn || strcmp(m->turn, c->turn) != 0)
		return;
	c->cl.rc = run_tx_begin(r);
	if (c->cl.rc != RC_OK)
		return;
	codex_log_turn(c);
	c->cl.rc = tx_end(r->cx, RC_OK);
}

static void on_error(struct codex *c, const struct codex_msg *m)
{
	const char *words =
	    codex_error_words(c->cl.event, json_object_get(m->params, "error"));

	if (words && c->warnings++ < WARNINGS_MAX)
		c->complaint =
		    arena_strdup(c->r->arena, text_cut(c->cl.event, words, WORDS_UNITS));
}

static void on_warning(struct codex *c, const struct codex_msg *m)
{
	const char *words = json_str(m->params, "message");

	if (!words)
		words = json_str(m->params, "summary");
	if (words && c->warnings++ < WARNINGS_MAX)
		log_info("run %s: Codex: %s", c->r->job->run_id,
		    text_cut(c->cl.event, words, WORDS_UNITS));
}

/* What is said of our own thread, not of one that it has started. */
static int on_notice(struct codex *c, const struct codex_msg *m)
{
	switch (m->method) {
	case CODEX_TURN_STARTED:
		on_turn_started(c, m);
		break;
	case CODEX_TURN_COMPLETED:
		if (c->turn && m->turn && strcmp(m->turn, c->turn) == 0)
			return on_turn_completed(c, m->object);
		break;
	case CODEX_OUTPUT_DELTA:
		codex_output(c, m);
		codex_delta(c, m);
		break;
	case CODEX_MESSAGE_DELTA:
	case CODEX_PLAN_DELTA:
		codex_delta(c, m);
		break;
	case CODEX_ERROR:
		on_error(c, m);
		break;
	default:
		break;
	}
	return CLIENT_GOES_ON;
}

static int on_message(void *arg, const json_t *v)
{
	struct codex *c = arg;
	struct codex_msg m;
	bool other;

	if (!codex_read(c->cl.event, v, &m))
		return CLIENT_GOES_ON;
	other = c->thread && m.thread && strcmp(m.thread, c->thread) != 0;
	if (m.kind == CODEX_ANSWER)
		return on_answer(c, &m);
	if (m.kind == CODEX_REQUEST && !c->cl.stopping && !c->limit)
		codex_asked(c, &m);
	else if (m.method == CODEX_RESOLVED && !c->cl.stopping)
		codex_resolved(c, &m);
	else if (m.method == CODEX_USAGE)
		on_usage(c, &m);
	else if (m.method == CODEX_WARNING)
		on_warning(c, &m);
	else if (c->cl.stopping && m.method != CODEX_TURN_COMPLETED)
		return CLIENT_GOES_ON;
	else if (m.method == CODEX_ITEM_STARTED || m.method == CODEX_ITEM_COMPLETED)
		codex_item(c, &m);
	else if (m.kind == CODEX_NOTICE && !other)
		return on_notice(c, &m);
	return CLIENT_GOES_ON;
}

/* The earlier of the rows' time and that of the next try; -1: neither. */
static int64_t due_in(void *arg)
{
	const struct codex *c = arg;
	int64_t flush = codex_flush_in(c), retry;

	if (!c->retry_ms)
		return flush;
	retry = c->retry_ms > mono_ms() ? c->retry_ms - mono_ms() : 0;
	return flush >= 0 && flush < retry ? flush : retry;
}

static void on_due(void *arg)
{
	struct codex *c = arg;

	codex_flush(c);
	if (!c->retry_ms || mono_ms() < c->retry_ms)
		return;
	c->retry_ms = 0;
	ask_for_thread(c);
}

static void on_decided(void *arg, struct pending *p)
{
	codex_decided(arg, p);
}

static void flush(void *arg)
{
	codex_flush(arg);
}

static const struct client_driver DRIVER = {
	.message = on_message,
	.decided = on_decided,
	.due_in = due_in,
	.due = on_due,
	.flush = flush,
	.interrupt = interrupt,
	.ended = on_ended,
	.silent = on_silence,
};

/* ---- the start ---- */

static enum rc begin(struct run *r)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	client_note_lost(r);
	return tx_end(r->cx, run_begin(r));
}

/* One process of the program, from its start to the end of the turn. */
static int one_process(struct codex *c)
{
	struct run *r = c->r;
	struct codex_command cmd;
	struct err e = { 0 };
	const char *why = codex_command(r->cx, r->arena, &r->access, r->workdir, &cmd);

	if (why)
		return client_fail(c->r, why, "");
	if (client_start(&c->cl, r, &PROGRAM_CODEX, cmd.argv, cmd.env, NULL, &e) != RC_OK)
		return client_fail(c->r,
		    program_broken(r->arena, &PROGRAM_CODEX, r->access.program, NULL,
			arena_printf(r->arena, "Codex cannot be started: %s", e.msg)),
		    "");
	step(c, CODEX_STEP_INIT, "initialize", codex_greeting(), CODEX_INIT_MS);
	return client_drive(&c->cl, &DRIVER, c);
}

static int drive_once(struct run *r, bool goes_on)
{
	struct codex c = { .r = r, .give_up_ms = mono_ms() + GIVE_UP_MS };
	int code;

	c.thread = goes_on ? r->task.session_id : NULL;
	c.prompt = goes_on && (r->restarted || r->unparked) && client_has_acted(r) ? GO_ON
										   : r->prompt.user;
	c.items = json_object();
	c.answered = json_object();
	c.totals = json_object();
	codex_rows_init(&c.rows);
	r->codex = &c;
	code = one_process(&c);
	r->codex = NULL;
	if (c.cl.r)
		client_free(&c.cl);
	codex_rows_fini(&c.rows);
	json_decref(c.text);
	json_decref(c.items);
	json_decref(c.answered);
	json_decref(c.totals);
	return code;
}

int codex_drive(struct run *r)
{
	bool goes_on = client_goes_on(r);
	enum rc rc;
	int code;

	if (run_spent(r) >= run_spend_limit(r))
		return client_stopped(r, "budget_exceeded", CLIENT_SPENT);
	rc = begin(r);
	if (rc != RC_OK)
		return run_leave(r, rc);
	code = drive_once(r, goes_on);
	return code == CLIENT_BEGINS_ANEW ? drive_once(r, false) : code;
}
