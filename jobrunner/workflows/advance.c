/* The job that moves a workflow on. */
#include "jobrunner/workflows/advance.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/domain/context.h"
#include "core/domain/task.h"
#include "core/domain/workflow.h"
#include "core/domain/workflow_int.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/runner.h"
#include "jobrunner/workflows/compose.h"

#define ARENA_MAX (8 * ARENA_REQUEST_MAX)
#define RESULT_MAX ((size_t)1 << 20)   /* bytes of one result in the state */
#define RESULTS_MAX ((size_t)8 << 20)  /* of all; then the older ones are cut */
#define OLD_RESULT_MAX ((size_t)4 << 10)
#define RETRY_MS 1000
#define DEATHS_OF_JOBS_MAX 2
#define DEATHS_OF_ABORTS_MAX 4 /* then the state itself is not touched any more */
#define NOT_COMPLETED "Task did not complete successfully"

void advance_set_index(struct advance *v, size_t i)
{
	json_object_set_new(v->f.state, "currentStepIndex", json_integer((json_int_t)i));
	v->changed = true;
}

int64_t advance_ms_since(const json_t *object, const char *key)
{
	const char *text = flow_text(object, key), *dot = strchr(text, '.');
	int64_t t_s;

	if (!time_parse_iso(text, &t_s))
		return 0;
	return now_ms() - t_s * 1000 - (dot ? strtol(dot + 1, NULL, 10) : 0);
}

/* ---- the end of a run ---- */

static void log_end(struct ctx *cx, const char *id, const char *error)
{
	struct arena *a = cx->arena;
	json_t *payload = json_keep(a, json_pack("{s:s}", "workflowId", id));

	if (error)
		json_object_set_new(
		    payload, "error", json_string(text_cut(a, error, RESULT_MAX)));
	workflow_log(
	    cx, WORKFLOW_AGENT, error ? "workflow_failed" : "workflow_completed", payload);
}

void advance_end(struct advance *v, const char *error)
{
	enum rc rc;

	v->status = error ? "failed" : "completed";
	json_object_set_new(v->f.state, "status", json_string(v->status));
	if (!error)
		flow_set_now(v->f.state, "completedAt");
	db_run(v->cx->db, Q_WORKFLOW_DELETE_WAITS, "t", v->f.id);
	log_end(v->cx, v->f.id, error);
	audit(v->cx, "workflow.end", "workflow", v->f.id, v->status);
	rc = context_close_session(v->cx, v->f.id);
	if (rc != RC_OK && v->rc == RC_OK)
		v->rc = rc;
	v->changed = true;
}

/* ---- taking outcomes over ---- */

/* At most MAX bytes of TEXT, whole characters. New reference. */
static json_t *cut_text(struct arena *a, const char *text, size_t max)
{
	size_t n = strlen(text);
	json_t *v;

	if (n > max)
		for (n = max; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	v = json_stringn(text, n);
	return v ? v : json_string(text_as_utf8(a, text, n));
}

struct outcome {
	const char *task, *status, *result; /* status and result may be NULL */
};

static bool is_completed(const struct outcome *o)
{
	return o->status && strcmp(o->status, "completed") == 0;
}

static void set_outcome(struct advance *v, json_t *state, const struct outcome *o)
{
	struct arena *a = v->cx->arena;
	bool completed = is_completed(o);

	json_object_set_new(state, "status", json_string(completed ? "completed" : "failed"));
	json_object_set_new(state, "taskId", json_string(o->task));
	if (completed)
		json_object_set_new(
		    state, "result", cut_text(a, o->result ? o->result : "", RESULT_MAX));
	else
		json_object_set_new(state, "error",
		    cut_text(a, o->result && *o->result ? o->result : NOT_COMPLETED, RESULT_MAX));
	v->changed = true;
}

static void end_step(struct advance *v, size_t i, const struct outcome *o)
{
	const struct flow *f = &v->f;
	json_t *state = flow_state(f, i);

	if (!state)
		return;
	set_outcome(v, state, o);
	if (is_completed(o) || flow_is_branch(f, i) || i == flow_joint(f))
		flow_set_now(state, "completedAt");
}

static void end_iteration(struct advance *v, size_t i, const struct outcome *o)
{
	json_t *iteration = json_array_get(json_object_get(v->f.loop, "iterations"), i);

	if (!iteration)
		return;
	set_outcome(v, iteration, o);
	flow_set_now(iteration, "completedAt");
	json_object_set_new(
	    iteration, "durationMs", json_integer(advance_ms_since(iteration, "startedAt")));
	if (!is_completed(o))
		return;
	json_object_set_new(v->f.loop, "currentIteration", json_integer((json_int_t)i + 1));
	/* Looked for in the whole result: the state has only the beginning of a long one. */
	v->signalled = compose_is_signal(v->cx->arena, &v->f, o->result ? o->result : "");
}

static void note_running(struct advance *v, size_t i)
{
	v->n_running++;
	if (v->f.pattern != FLOW_LOOP && i < v->f.n)
		v->running[i] = true;
}

/* The tasks of the run: what has ended is taken over. */
static void absorb(struct advance *v)
{
	struct ctx *cx = v->cx;
	struct q *q = db_query(cx->db, Q_WORKFLOW_TASK_WAITS, "t", v->f.id);
	json_t *over = json_keep(cx->arena, json_array()), *id;
	size_t i;

	while (db_next(q)) {
		struct outcome o = { db_text(q, 0), db_text(q, 2), db_text(q, 3) };
		size_t step = (size_t)db_int(q, 1);

		if (o.status && strcmp(o.status, "running") == 0) {
			note_running(v, step);
			continue;
		}
		json_array_append_new(over, json_string(o.task));
		if (v->f.pattern == FLOW_LOOP)
			end_iteration(v, step, &o);
		else
			end_step(v, step, &o);
	}
	json_array_foreach(over, i, id)
		db_run(cx->db, Q_WORKFLOW_WAIT_OVER, "t", json_string_value(id));
}

/* Cuts results that nobody needs any more, the oldest first, where all together are too long. The
 * newest stays whole, and the first one of those that later steps look at. */
static void bound_results(struct advance *v)
{
	const struct flow *f = &v->f;
	bool keep_first = f->pattern == FLOW_PLANNER || f->pattern == FLOW_SWARM;
	json_t *list = f->pattern == FLOW_LOOP ? json_object_get(f->loop, "iterations")
					       : json_object_get(f->state, "stepStates");
	size_t total = 0, last = 0, i;
	json_t *state;

	json_array_foreach(list, i, state) {
		size_t n = json_string_length(json_object_get(state, "result"));

		total += n;
		if (n)
			last = i;
	}
	json_array_foreach(list, i, state) {
		size_t n = json_string_length(json_object_get(state, "result"));

		if (total <= RESULTS_MAX)
			break;
		if (n <= OLD_RESULT_MAX || i == last || (i == 0 && keep_first))
			continue;
		json_object_set_new(state, "result",
		    cut_text(v->cx->arena, flow_text(state, "result"), OLD_RESULT_MAX));
		total -= n - OLD_RESULT_MAX;
	}
}

/* ---- the transaction ---- */

/* An active workflow without a state: an older program did not come to write it. */
static void ensure_state(struct advance *v)
{
	struct flow *f = &v->f;

	if (f->state && (f->loop || f->pattern != FLOW_LOOP))
		return;
	flow_begin(f);
	workflow_log_started(v->cx, f);
	v->changed = true;
}

static enum rc move_on(struct advance *v, const char *id)
{
	struct ctx *cx = v->cx;
	struct flow *f = &v->f;
	enum rc rc = flow_load(cx, id, f);
	bool active;

	if (rc == RC_NOTFOUND) {
		err_clear(&cx->err);
		workflow_forget(cx, id);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	active = strcmp(f->status, "active") == 0;
	if (!active && strcmp(f->status, "paused") != 0) {
		db_run(cx->db, Q_WORKFLOW_DELETE_WAITS, "t", id);
		return RC_OK;
	}
	v->running = arena_array(cx->arena, bool, f->n + 1);
	ensure_state(v);
	absorb(v);
	if (f->pattern == FLOW_LOOP)
		advance_loop(v);
	else
		advance_steps(v);
	if (v->rc != RC_OK)
		return v->rc;
	bound_results(v);
	return v->changed ? flow_store(cx, f, v->status) : RC_OK;
}

/* Shows what an aborted run has left under way as failed, as far as that can be written. */
static void fail_states(struct ctx *cx, const char *id, const char *why)
{
	struct flow f;

	if (flow_load(cx, id, &f) == RC_OK && f.state) {
		for (size_t i = 0; i < f.n; i++)
			if (flow_is(&f, i, "running"))
				json_object_set_new(
				    flow_set(&f, i, "failed"), "error", json_string(why));
		json_object_set_new(f.state, "status", json_string("failed"));
		if (f.loop)
			json_object_set_new(f.loop, "status", json_string("failed"));
		flow_store(cx, &f, "failed");
	}
	if (cx->err.rc == RC_TOOLARGE || cx->err.rc == RC_NOTFOUND)
		err_clear(&cx->err);
}

/* An error that is none of the steps': the run is over, and its tasks are cancelled. */
static enum rc abort_run(struct ctx *cx, const char *id, const char *why)
{
	json_t *tasks = ctx_list(cx, Q_WORKFLOW_TASK_WAITS, id), *task;
	size_t i;

	db_run(cx->db, Q_WORKFLOW_DELETE_WAITS, "t", id);
	workflow_close_questions(cx, id, "The run was broken off");
	json_array_foreach(tasks, i, task) {
		db_run(cx->db, Q_TASK_CANCEL, "ti", json_string_value(task), cx->now);
		if (!db_changes(cx->db))
			continue;
		task_stop_run(cx, json_string_value(task));
		task_ended(cx, json_string_value(task));
	}
	db_run(cx->db, Q_WORKFLOW_SET_STATUS, "tti", id, "failed", cx->now);
	if (!db_changes(cx->db))
		return RC_OK;
	if (db_get_int(cx->db, 0, Q_WORKFLOW_FAILED_JOBS, "t", id) < DEATHS_OF_ABORTS_MAX)
		fail_states(cx, id, why);
	log_error("workflow %s: %s", id, why);
	log_end(cx, id, why);
	audit(cx, "workflow.end", "workflow", id, why);
	return context_close_session(cx, id);
}

/* What a later attempt may do better, as against what will never go. */
static bool is_temporary(enum rc rc)
{
	return rc == RC_BUSY || rc == RC_FULL || rc == RC_IO;
}

static enum rc in_transaction(struct job *j, struct advance *v, const char *abort_why)
{
	struct ctx *cx = j->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	cx->now = now_s();
	rc = abort_why ? abort_run(cx, j->subject, abort_why) : move_on(v, j->subject);
	if (rc == RC_OK)
		rc = job_finish(j, 200, NULL, NULL);
	return tx_end(cx, rc);
}

static int advance(struct job *j)
{
	struct ctx *cx = j->cx;
	struct advance v = { .cx = cx };
	const char *why = NULL;
	enum rc rc;

	if (db_get_int(cx->db, 0, Q_WORKFLOW_FAILED_JOBS, "t", j->subject) >= DEATHS_OF_JOBS_MAX)
		why = "The engine has failed repeatedly";
	v.profiles = profile_list(cx->conf, &v.n_profiles);
	rc = in_transaction(j, &v, why);
	if (rc != RC_OK && rc != RC_FENCED && !is_temporary(rc)) {
		why = arena_printf(cx->arena, "Internal error: %s",
		    *cx->err.msg ? cx->err.msg : rc_name(rc));
		err_clear(&cx->err);
		rc = in_transaction(j, &v, why);
	}
	err_clear(&cx->err);
	if (v.rc == RC_BUSY)
		rc = job_finish(j, 200, NULL, "put off: too many jobs are waiting");
	if (is_temporary(rc)) {
		log_warn("workflow %s is put off: %s", j->subject, rc_name(rc));
		job_wait(j, RETRY_MS);
		return EXIT_INTERRUPTED;
	}
	return rc == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}

int workflow_advance(struct job *j)
{
	struct arena *of_job = j->cx->arena;
	int status;

	j->cx->arena = arena_new(ARENA_MAX);
	status = advance(j);
	arena_free(j->cx->arena);
	j->cx->arena = of_job;
	return status;
}
