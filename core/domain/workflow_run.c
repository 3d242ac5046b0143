/* Workflows: starting, pausing, retrying, and what wakes a run. Moving it on is the job runner's
 * (jobrunner/workflows). */
#include "core/domain/workflow.h"

#include "core/clock.h"
#include "core/domain/context.h"
#include "core/domain/flow.h"
#include "core/domain/workflow_int.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/queue.h"

#define SWEEP_MAX 100

void workflow_wake(struct ctx *cx, const char *id)
{
	if (!db_get_int(cx->db, 0, Q_WORKFLOW_JOB_READY, "t", id))
		queue_put_if_room(cx, JOB_WORKFLOW, id, id, NULL, 0);
	cx->bells |= BELL_RUNNER;
}

void workflow_log(struct ctx *cx, const char *agent, const char *event, const json_t *payload)
{
	db_run(cx->db, Q_LOG_INSERT, "ttttti", id_make(cx->arena), NULL, agent, event,
	    json_text(cx->arena, payload), cx->now);
	cx->bells |= BELL_HUB;
}

void workflow_log_started(struct ctx *cx, const struct flow *f)
{
	workflow_log(cx, WORKFLOW_AGENT, "workflow_started",
	    json_keep(cx->arena, json_pack("{s:s, s:s}", "workflowId", f->id, "pattern",
				     flow_text(f->definition, "pattern"))));
}

void workflow_close_questions(struct ctx *cx, const char *id, const char *why)
{
	db_run(cx->db, Q_WORKFLOW_CLOSE_CHECKPOINTS, "tti", id,
	    arena_printf(cx->arena, "{\"behavior\":\"deny\",\"message\":\"%s\"}", why), cx->now);
	if (db_changes(cx->db))
		cx->bells |= BELL_HUB;
}

/* The end of the last run's session does not wait any longer: its batch is written. */
static void close_last_session(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_WORKFLOW_CLOSE_NOW, "ti", id, now_ms());
	if (db_changes(cx->db))
		context_write_batch(cx, id);
}

enum rc workflow_begin_run(struct ctx *cx, struct flow *f, const char *context)
{
	enum rc rc;

	close_last_session(cx, f->id);
	workflow_close_questions(cx, f->id, "Another run has begun");
	db_run(cx->db, Q_WORKFLOW_DELETE_WAITS, "t", f->id);
	db_run(cx->db, Q_WORKFLOW_FORGET_FAILED_JOBS, "t", f->id);
	db_run(cx->db, Q_WORKFLOW_NOTE_RUN, "tt", f->id, context);
	flow_begin(f);
	rc = flow_store(cx, f, "active");
	workflow_log_started(cx, f);
	workflow_wake(cx, f->id);
	return rc;
}

/* Steps that an older program has left running without anybody at work on them are to be run. */
static void resume(struct ctx *cx, struct flow *f)
{
	if (!f->state)
		flow_begin(f);
	for (size_t i = 0; i < f->n; i++)
		if (flow_is(f, i, "running") &&
		    !db_get_int(cx->db, 0, Q_WORKFLOW_WAITS_FOR_STEP, "ti", f->id, (int64_t)i))
			flow_set(f, i, "pending");
	json_object_set_new(f->state, "status", json_string("running"));
	if (f->loop) {
		json_object_set_new(f->loop, "status", json_string("running"));
		json_object_del(f->loop, "stopReason");
	}
}

enum rc workflow_start(struct ctx *cx, const char *id, const char *context)
{
	struct flow f;
	bool paused;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = flow_load(cx, id, &f);
	if (rc == RC_OK && strcmp(f.status, "active") == 0)
		rc = ctx_fail(cx, RC_CONFLICT, "Workflow is already running");
	if (rc != RC_OK)
		return tx_end(cx, rc);
	paused = strcmp(f.status, "paused") == 0;
	if (paused) {
		resume(cx, &f);
		rc = flow_store(cx, &f, "active");
		workflow_wake(cx, id);
	} else {
		f.run_number++;
		rc = workflow_begin_run(cx, &f, context);
	}
	audit(cx, paused ? "workflow.resume" : "workflow.execute", "workflow", id, NULL);
	return tx_end(cx, rc);
}

/* ---- retry ---- */

/* The first failed step of that id, else the first of that id, else flow->n. */
static size_t find_step(const struct flow *f, const char *id)
{
	size_t found = f->n;

	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(flow_step_id(f, i), id) != 0)
			continue;
		if (flow_is(f, i, "failed"))
			return i;
		if (found == f->n)
			found = i;
	}
	return found;
}

static bool all_branches_completed(const struct flow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (flow_is_branch(f, i) && !flow_is(f, i, "completed"))
			return false;
	return true;
}

static enum rc check_retry(struct ctx *cx, const struct flow *f, const char *step, size_t i)
{
	bool joint = i == flow_joint(f), swarm = f->pattern == FLOW_SWARM;

	if (!f->state)
		return ctx_fail(cx, RC_CONFLICT, "Workflow has no execution state");
	if (i == f->n)
		return ctx_fail(cx, RC_NOTFOUND, "Step %s not found", step);
	if (f->pattern == FLOW_LOOP || !flow_is(f, i, "failed"))
		return ctx_fail(cx, RC_CONFLICT, "Step %s is not in failed state", step);
	if (strcmp(f->status, "failed") != 0)
		return ctx_fail(
		    cx, RC_CONFLICT, "Cannot retry a step while the workflow is active");
	if (swarm && joint && !all_branches_completed(f))
		return ctx_fail(cx, RC_CONFLICT,
		    "All swarm workers must complete before retrying the refinery");
	if (swarm && flow_is_branch(f, i) && !flow_is(f, 0, "completed"))
		return ctx_fail(cx, RC_CONFLICT,
		    "Swarm mayor output must complete before retrying downstream steps");
	if (!swarm && joint && !all_branches_completed(f))
		return ctx_fail(cx, RC_CONFLICT, "All parallel branches must complete before "
						 "retrying the synthesis step");
	return RC_OK;
}

/* The states from which the run goes on. A synthesis stays failed as long as another branch is. */
static void rewind_to(struct flow *f, size_t step)
{
	size_t joint = flow_joint(f), failed = 0;

	flow_set(f, step, "pending");
	for (size_t i = 0; i < f->n; i++)
		failed += flow_is_branch(f, i) && flow_is(f, i, "failed");
	if (f->pattern == FLOW_SWARM && step == 0)
		for (size_t i = 1; i < f->n; i++)
			flow_set(f, i, "pending");
	else if (flow_is_branch(f, step) && (f->pattern == FLOW_SWARM || !failed))
		flow_set(f, joint, "waiting_dependencies");
	json_object_set_new(f->state, "status", json_string("running"));
	json_object_del(f->state, "completedAt");
}

enum rc workflow_retry(struct ctx *cx, const char *id, const char *step)
{
	struct flow f;
	size_t i;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = flow_load(cx, id, &f);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	i = find_step(&f, step);
	rc = check_retry(cx, &f, step, i);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	rewind_to(&f, i);
	db_run(cx->db, Q_WORKFLOW_FORGET_FAILED_JOBS, "t", f.id);
	db_run(cx->db, Q_WORKFLOW_APPROVE_STEP, "ti", f.id, (int64_t)i);
	rc = flow_store(cx, &f, "active");
	workflow_wake(cx, id);
	audit(cx, "workflow.retry", "workflow", id, step);
	return tx_end(cx, rc);
}

/* ---- what wakes a run ---- */

static void wake_waiting(struct ctx *cx, const char *wait)
{
	const char *id = db_get_text(cx->db, cx->arena, Q_WORKFLOW_OF_WAIT, "t", wait);

	if (id)
		workflow_wake(cx, id);
}

void workflow_task_ended(struct ctx *cx, const char *task)
{
	wake_waiting(cx, task);
}

/* An approval is noted at once: the notification may be thrown away before the run goes on. */
void workflow_request_answered(struct ctx *cx, const char *notification)
{
	db_run(cx->db, Q_WORKFLOW_NOTE_APPROVAL, "t", notification);
	wake_waiting(cx, notification);
}

void workflow_forget(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_WORKFLOW_DELETE_WAITS, "t", id);
	db_run(cx->db, Q_WORKFLOW_DELETE_RUN, "t", id);
}

void workflow_sweep(struct ctx *cx)
{
	struct q *q = db_query(cx->db, Q_WORKFLOW_STALE, "i", now_ms());
	const char *list[SWEEP_MAX];
	size_t n = 0;

	while (n < SWEEP_MAX && db_next(q))
		list[n++] = arena_strdup(cx->arena, db_text(q, 0));
	db_done(q);
	if (!n || tx_begin(cx) != RC_OK)
		return;
	for (size_t i = 0; i < n; i++)
		workflow_wake(cx, list[i]);
	tx_end(cx, RC_OK);
	err_clear(&cx->err);
}
