/* A run of a task: what every one begins with, and the loop on the HTTP runtimes: one model call
 * after another until the model is done, with the tool calls of each turn between them.
 *
 * After every turn the conversation is a session_snapshot row, after every step of a tool call that
 * step is a row of engine_calls; so a run whose process dies at any instant goes on from there. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/catalog.h"
#include "core/clock.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define MAX_TOKENS 8192
#define THINKING_MIN 1024 /* the least that a model can be told */
#define LIMIT_SLACK_MS 60000
#define DOCUMENTS_MS 5000
#define DOCUMENTS_LOOK_MS 50
#define GO_ON "Please go on where you stopped."

static void free_json(void *v)
{
	json_decref(v);
}

static int fail_setup(struct run *r, const char *why)
{
	return run_end(r, &(struct ending){ .status = "failed", .result = why, .error = why,
			      .setup = true });
}

/* What an earlier process of the same run has stored. False where the run is not ours any more. */
static bool load_run(struct run *r, bool *cancelled, int64_t *restarts, int64_t *begun)
{
	struct q *q = db_query(r->cx->db, Q_RUN_GET, "t", r->job->subject);
	struct arena *a = r->arena;
	bool ours;

	if (!db_next(q))
		return false;
	ours = r->job->run_id && strcmp(db_text(q, 0), r->job->run_id) == 0;
	r->resume = db_int(q, 1) != 0;
	*cancelled = db_int(q, 2) != 0;
	r->started_at = db_int(q, 3);
	r->turns = db_int(q, 4);
	r->used = !db_is_null(q, 5);
	r->input_tokens = db_int(q, 5);
	r->output_tokens = db_int(q, 6);
	r->has_cost = !db_is_null(q, 7);
	r->cost_micros = db_int(q, 7);
	r->used_model = db_is_null(q, 8) ? NULL : arena_strdup(a, db_text(q, 8));
	r->pricing_version = db_is_null(q, 9) ? NULL : arena_strdup(a, db_text(q, 9));
	*begun = db_int(q, 10);
	r->text = db_is_null(q, 11) ? "" : arena_strdup(a, db_text(q, 11));
	*restarts = db_int(q, 12);
	db_done(q);
	return ours;
}

/* The profile as it is for this runtime, and what follows from it. NULL, or why it cannot run. */
static const char *set_profile(struct run *r)
{
	const char *runtime = catalog_resolve(r->task.runtime)->id;
	const struct profile *p;

	r->profile_id = r->task.profile && *r->task.profile ? r->task.profile : PROFILE_DEFAULT;
	p = profile_find(r->cx->conf, r->profile_id);
	if (!p)
		return arena_printf(r->arena, "Task profile \"%s\" was not found", r->profile_id);
	if (!profile_supports(p, runtime))
		return arena_printf(r->arena, "%s does not support %s", p->name, runtime);
	profile_resolve(r->arena, p, runtime, &r->profile);
	r->max_turns = r->profile.max_turns ? r->profile.max_turns : TURNS_DEFAULT;
	r->model = r->profile.model_id ? r->profile.model_id : r->access.model;
	return NULL;
}

static const char *set_runtime(struct run *r)
{
	const char *id = catalog_resolve(r->task.runtime)->id;
	const char *why = runtime_access(r->cx, id, &r->access);

	if (!catalog_find(r->task.runtime))
		log_warn("run %s: the task's runtime is unknown, %s takes it", r->job->run_id, id);
	r->ops = r->access.ops;
	return why;
}

/* The tools that the profile and the runtime leave, and those of the provider. */
static void set_tools(struct run *r)
{
	const json_t *allowed = r->profile.allowed_tools;
	json_t *some = json_keep(r->arena, json_array());

	for (const char *const *t = r->ops->default_tools; t && *t; t++)
		json_array_append_new(some, json_string(*t));
	if (json_array_size(some) && !tool_restricts(allowed))
		allowed = some;
	r->tools = json_keep(r->arena, tool_definitions(allowed, r->ops->tools_without));
	r->server_tools = json_keep(r->arena, r->profile.server_tools
		? json_deep_copy(r->profile.server_tools)
		: json_pack("{s:b}", "web_search_preview", 1));
}

/* The folder in which the project's agents work, else the one Stagent was started in. */
static const char *working_directory(struct run *r)
{
	const char *dir = r->task.project_id
	    ? db_get_text(r->cx->db, r->arena, Q_PROJECT_WORKDIR, "t", r->task.project_id) : NULL;
	const char *launch = getenv("STAGENT_LAUNCH_CWD");
	char cwd[4096];

	if (dir && *dir)
		return dir;
	if (launch && *launch)
		return launch;
	return arena_strdup(r->arena, getcwd(cwd, sizeof cwd) ? cwd : "/");
}

static const json_t *newest(struct run *r, enum stmt query)
{
	return json_read_text(
	    r->arena, db_get_text(r->cx->db, r->arena, query, "t", r->task.id));
}

/* A conversation to go on from: this run's own, or, on a resume, the one of the run before. */
static void restore(struct run *r)
{
	if (r->turns || r->resume)
		r->conversation = r->ops->restore(newest(r, Q_LOG_NEWEST_SNAPSHOT),
		    json_str(newest(r, Q_LOG_NEWEST_RESPONSE), "responseId"), r->prompt.user);
	r->restored = r->conversation != NULL;
	if (!r->restored)
		r->conversation = r->ops->start(r->prompt.user);
	arena_cleanup(r->arena, free_json, r->conversation);
}

void run_note_source(struct run *r, const char *from)
{
	const char *key = r->ops->source_setting, *noted;

	if (!key || !from)
		return;
	noted = setting_get(r->cx, key);
	if (!noted || strcmp(noted, from) != 0)
		setting_put(r->cx, key, from);
}

enum rc run_begin(struct run *r)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	db_run(r->cx->db, Q_RUN_BEGIN, "ttii", r->task.id, r->job->run_id, (int64_t)getpid(),
	    r->cx->now);
	run_note_source(r, r->access.key_from);
	if (!r->unparked)
		run_log_start(r);
	return tx_end(r->cx, RC_OK);
}

/* The runner counts from a little earlier on. */
bool run_took_too_long(const struct run *r)
{
	return mono_ms() - r->since_ms > RUN_MAX_S * 1000 - LIMIT_SLACK_MS;
}

int64_t run_spend_limit(const struct run *r)
{
	return r->task.workflow_id ? SPEND_LIMIT_WORKFLOW_MICROS : SPEND_LIMIT_MICROS;
}

int64_t run_spent(struct run *r)
{
	int64_t before = r->resume
	    ? db_get_int(r->cx->db, 0, Q_TASK_TOTAL_COST, "t", r->task.id) : 0;

	return before + r->cost_micros;
}

static enum rc call_model(struct run *r, struct turn *t, struct err *e)
{
	int64_t asked = r->profile.thinking_budget;
	int64_t thinking = !r->profile.thinking ? 0 : asked < THINKING_MIN ? THINKING_MIN : asked;
	bool claude = r->ops->flags & OPS_CLAUDE_ROWS;
	struct model_call mc = {
		.base_url = r->access.base_url,
		.key = r->access.key,
		.model = r->model,
		.system_stable = r->prompt.system_stable,
		.system_rest = r->prompt.system_rest,
		.conversation = r->conversation,
		.tools = r->tools,
		.server_tools = r->server_tools,
		.max_tokens = MAX_TOKENS + thinking,
		.thinking_budget = thinking,
		.stream = true,
		.on_event = claude ? claude_on_event : NULL,
		.on_event_arg = r,
	};
	enum rc rc = r->ops->call(r->job->http, r->cx->arena, &mc, t, e);

	if (claude)
		claude_flush(r);
	return rc;
}

/* Writes the rows and sums of a turn that another one follows. */
static enum rc save_turn(struct run *r, const struct turn *t)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	run_log_turn(r, t, false);
	run_save_turn(r);
	return tx_end(r->cx, RC_OK);
}

static int stopped(struct run *r, const char *why, const char *error, const struct turn *last)
{
	return run_end(r, &(struct ending){ .status = "failed",
			      .result = arena_printf(r->cx->arena, "Task stopped: %s", why),
			      .error = error, .last = last });
}

/* The model call failed. */
static int failed(struct run *r, const struct turn *t, const struct err *e)
{
	const char *words = t->failure ? t->failure : e->msg;

	if (r->ops->flags & OPS_PLAIN_ERROR)
		return run_end(r, &(struct ending){ .status = "failed", .result = words,
				      .error = words });
	return stopped(r, "error", words, NULL);
}

int run_leave(struct run *r, enum rc rc)
{
	switch (rc) {
	case RC_CANCELLED:
		return run_end_cancelled(r);
	case RC_BUSY:
	case RC_FENCED:
		return EXIT_DONE;
	case RC_TIMEOUT:
		return EXIT_INTERRUPTED;
	default:
		log_error("run %s: %s %s", r->job->run_id, rc_name(rc), r->cx->err.cause);
		return 1;
	}
}

/* A signal came: cancelled, at the limit of its time, or only told to stop. */
static int interrupted(struct run *r)
{
	enum rc rc = run_tx_begin(r);

	if (rc == RC_OK)
		rc = tx_end(r->cx, RC_OK);
	if (rc == RC_OK && run_took_too_long(r))
		return stopped(r, "error", RUN_TOO_LONG, NULL);
	return run_leave(r, rc == RC_OK ? RC_TIMEOUT : rc);
}

/* A turn without text leaves what an earlier one has said; a cut one is continued by the next. */
static void take_text(struct run *r, const struct turn *t)
{
	bool any = !text_is_blank(t->text);

	if (r->cut)
		r->text = arena_printf(r->arena, "%s%s", r->text, t->text);
	else if (any || !*r->text)
		r->text = arena_strdup(r->arena, t->text);
	r->cut = t->stop == STOP_LENGTH && (any || r->cut);
}

/* After a turn without tool calls. Returns -1 to go on, else the exit code. */
static int conclude(struct run *r, const struct turn *t)
{
	const char *empty = r->ops->empty_error;
	enum rc rc;

	switch (t->stop) {
	case STOP_REFUSED:
		return stopped(r, "refused", "The model refused to answer", t);
	case STOP_LENGTH:
		r->ops->add_user(r->conversation, GO_ON);
		break;
	case STOP_PAUSE:
		break;
	default:
		if (empty && text_is_blank(r->text))
			return run_end(r, &(struct ending){ .status = "failed", .result = empty,
					      .error = empty, .last = t });
		return run_end(r, &(struct ending){ .status = "completed", .result = r->text,
				      .last = t });
	}
	rc = save_turn(r, t);
	return rc == RC_OK ? -1 : run_leave(r, rc);
}

/* One model call and what follows from it. Returns -1 to go on, else the exit code. */
static int one_turn(struct run *r)
{
	struct turn t = { 0 };
	struct err e = { 0 };
	enum rc rc;

	if (r->turns >= r->max_turns)
		return stopped(r, "max_turns",
		    arena_printf(r->cx->arena, "Limit of %lld turns reached",
			(long long)r->max_turns),
		    NULL);
	if (run_spent(r) >= run_spend_limit(r))
		return stopped(r, "budget_exceeded",
		    arena_printf(r->cx->arena, "Spending limit of %.2f USD reached",
			(double)run_spend_limit(r) / 1e6),
		    NULL);
	rc = call_model(r, &t, &e);
	if (rc == RC_CANCELLED)
		return interrupted(r);
	r->turns++;
	if (rc != RC_OK)
		return failed(r, &t, &e);
	run_add_usage(r, &t.usage);
	r->ops->add_turn(r->conversation, &t);
	take_text(r, &t);
	if (t.stop == STOP_CONTEXT && !t.n_calls)
		return stopped(
		    r, "context_window", "The model's context window is exceeded", &t);
	if (!t.n_calls)
		return conclude(r, &t);
	rc = save_turn(r, &t);
	return rc == RC_OK ? -1 : run_leave(r, rc);
}

/* Runs the calls that have no result yet. Returns -1 to go on, else the exit code. */
static int open_calls(struct run *r, bool *had)
{
	struct tool_call *calls;
	size_t n = r->ops->open_calls(r->cx->arena, r->conversation, &calls);
	enum rc rc;

	*had = n > 0;
	if (!n)
		return -1;
	rc = run_calls(r, calls, n);
	if (rc != RC_OK)
		return rc == RC_TIMEOUT ? interrupted(r) : run_leave(r, rc);
	r->ops->add_results(r->conversation, r->results, r->n_results);
	r->n_results = 0;
	r->unsaved = true;
	return -1;
}

/* Before the first model call: a conversation that ends with an answer, and one that a person wants
 * to be resumed, needs a word from the user. */
static void continue_conversation(struct run *r)
{
	struct tool_call *calls;
	bool ended;

	if (!r->restored || r->ops->open_calls(r->cx->arena, r->conversation, &calls))
		return;
	ended = r->ops->ends_with_turn(r->conversation);
	/* A cut turn of this run has its word from the user already. */
	r->cut = r->turns && !ended;
	if (ended || (r->resume && !r->turns))
		r->ops->add_user(r->conversation, GO_ON);
}

static int loop(struct run *r)
{
	struct arena *turn = arena_new(ARENA_REQUEST_MAX);
	int code = -1;

	while (code < 0) {
		bool had;

		arena_reset(turn);
		r->cx->arena = turn;
		ctx_begin(r->cx, "runner", NULL);
		code = job_told_to_stop(r->job) ? interrupted(r) : open_calls(r, &had);
		if (code < 0 && job_told_to_stop(r->job))
			code = interrupted(r);
		if (code < 0)
			code = one_turn(r);
	}
	r->cx->arena = r->arena;
	arena_free(turn);
	claude_fini(r);
	return code;
}

/* Command-line clients work in the folder, and cannot do without. */
static const char *check_workdir(struct run *r)
{
	struct stat st;

	r->workdir = working_directory(r);
	if (!r->ops->drive || (stat(r->workdir, &st) == 0 && S_ISDIR(st.st_mode)))
		return NULL;
	return arena_printf(r->arena, "Working directory not found: %s", r->workdir);
}

/* Documents that were attached a moment ago are still being extracted: their texts are worth a short
 * wait. */
static void wait_for_documents(struct run *r)
{
	int64_t end = mono_ms() + DOCUMENTS_MS;

	while (!job_told_to_stop(r->job) && mono_ms() < end &&
	    db_get_int(r->cx->db, 0, Q_EXTRACT_AWAITED, "tt", r->task.id, r->task.project_id))
		job_wait(r->job, DOCUMENTS_LOOK_MS);
}

static int prepare(struct run *r)
{
	const char *why = set_runtime(r);
	enum rc rc;

	if (!why)
		why = set_profile(r);
	if (!why)
		why = check_workdir(r);
	if (why)
		return fail_setup(r, why);
	wait_for_documents(r);
	r->prompt.again = r->restarted || r->unparked;
	if (outputs_prepare(r->cx, r->task.id, !r->resume && !r->restarted && !r->unparked,
		&r->output_dir) != RC_OK ||
	    prompt_build(r->cx, &r->task, r->profile_id, r->profile.instructions, r->workdir,
		r->output_dir, !r->ops->drive, &r->prompt) != RC_OK)
		return fail_setup(r, r->cx->err.msg);
	set_tools(r);
	if (r->ops->drive)
		return r->ops->drive(r);
	restore(r);
	rc = run_begin(r);
	if (rc != RC_OK)
		return run_leave(r, rc);
	continue_conversation(r);
	return loop(r);
}

int agent_run(struct job *j)
{
	struct run r = { .job = j, .cx = j->cx, .arena = j->cx->arena, .text = "",
		.since_ms = mono_ms() };
	int64_t restarts = 0, begun = 0;
	bool cancelled = false, ours;
	int code;

	ours = load_run(&r, &cancelled, &restarts, &begun);
	if (!ours || task_load(r.cx, j->subject, "gone", &r.task) != RC_OK) {
		err_clear(&r.cx->err);
		job_finish(j, 200, NULL, "the run was replaced or its task deleted");
		return EXIT_DONE;
	}
	r.unparked = begun == 2;
	r.restarted = begun == 1;
	r.profile_id = r.task.profile && *r.task.profile ? r.task.profile : PROFILE_DEFAULT;
	r.ops = runtime_find(catalog_resolve(r.task.runtime)->id);
	if (cancelled || strcmp(r.task.status, "running") != 0)
		return run_end_cancelled(&r);
	if (restarts >= DEATHS_MAX)
		return run_end(&r, &(struct ending){ .status = "failed",
				       .result = "Task stopped: interrupted",
				       .error = "The runner was restarted", .interrupted = true });
	if (!begun && (code = run_check_budget(&r)) >= 0)
		return code;
	return prepare(&r);
}
