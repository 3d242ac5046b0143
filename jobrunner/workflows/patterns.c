/* The patterns: what comes next in a run. */
#include <math.h>

#include "core/json_in.h"
#include "jobrunner/workflows/advance.h"
#include "jobrunner/workflows/compose.h"

#define INTERRUPTED "The run of this step was interrupted and could not go on"

static bool is_paused(const struct advance *v)
{
	return strcmp(v->f.status, "paused") == 0;
}

static void set_text(struct advance *v, json_t *object, const char *key, const char *text)
{
	if (strcmp(flow_text(object, key), text) == 0)
		return;
	json_object_set_new(object, key, json_string(text));
	v->changed = true;
}

static void fail_step(struct advance *v, size_t i, const char *error)
{
	json_t *state = flow_set(&v->f, i, "failed");

	json_object_set_new(state, "error", json_string(error));
	v->changed = true;
}

/* Steps that an older program has left running: their tasks are not known any more. */
static void fail_lost(struct advance *v)
{
	for (size_t i = 0; i < v->f.n; i++)
		if (flow_is(&v->f, i, "running") && !v->running[i])
			fail_step(v, i, INTERRUPTED);
}

static void end_with_step(struct advance *v, size_t i)
{
	struct arena *a = v->cx->arena;

	advance_end(v, arena_printf(a, "Step \"%s\" failed: %s", flow_step_name(a, &v->f, i),
			   flow_text(flow_state(&v->f, i), "error")));
}

/* ---- one after another: sequence, checkpoint, planner-executor ---- */

static bool may_begin(struct advance *v, size_t i)
{
	const json_t *step = flow_step(&v->f, i);

	if (v->f.pattern != FLOW_CHECKPOINT || !i ||
	    !json_truth(json_object_get(step, "requiresApproval")))
		return true;
	switch (advance_ask(v, i)) {
	case APPROVAL_GIVEN:
		return true;
	case APPROVAL_DENIED:
		fail_step(v, i, "Approval denied by user");
		end_with_step(v, i);
		return false;
	default:
		return false;
	}
}

static void one_by_one(struct advance *v)
{
	struct flow *f = &v->f;
	size_t i = 0;

	if (f->pattern == FLOW_PLANNER && f->n < 2) {
		advance_end(v, "Planner-executor needs a planner and at least one executor");
		return;
	}
	while (i < f->n && flow_is(f, i, "completed"))
		i++;
	if (i == f->n)
		advance_end(v, NULL);
	else if (flow_is(f, i, "failed"))
		end_with_step(v, i);
	else if (!v->running[i] && may_begin(v, i))
		advance_begin_step(v, i);
}

/* ---- side by side: parallel, swarm ---- */

/* Whether the branches have all ended; begins those that may. */
static bool run_branches(struct advance *v)
{
	struct flow *f = &v->f;
	size_t room = flow_branches_at_once(f), running = v->n_running;
	bool ended = true;

	for (size_t i = 0; i < f->n && v->rc == RC_OK; i++) {
		if (!flow_is_branch(f, i) || flow_is(f, i, "completed") || flow_is(f, i, "failed"))
			continue;
		ended = false;
		if (!v->running[i] && running < room) {
			advance_begin_step(v, i);
			running++;
		}
	}
	return ended && v->rc == RC_OK;
}

static void block_joint(struct advance *v, size_t joint, const char *failures)
{
	struct arena *a = v->cx->arena;
	bool swarm = v->f.pattern == FLOW_SWARM;
	const char *error = arena_printf(
	    a, "Blocked by failed %s: %s", swarm ? "workers" : "branches", failures);

	fail_step(v, joint, error);
	advance_end(v, error);
}

static void join(struct advance *v, size_t joint)
{
	struct flow *f = &v->f;
	const char *failures = compose_failures(v->cx->arena, f);

	if (failures) {
		block_joint(v, joint, failures);
	} else if (flow_is(f, joint, "completed")) {
		advance_end(v, NULL);
	} else if (flow_is(f, joint, "failed")) {
		end_with_step(v, joint);
	} else if (!v->running[joint]) {
		advance_set_index(v, joint);
		advance_begin_step(v, joint);
	}
}

/* Whether the mayor's result is there. */
static bool have_plan(struct advance *v)
{
	if (flow_is(&v->f, 0, "completed"))
		return true;
	if (flow_is(&v->f, 0, "failed"))
		end_with_step(v, 0);
	else if (!v->running[0])
		advance_begin_step(v, 0);
	return false;
}

static void side_by_side(struct advance *v)
{
	struct flow *f = &v->f;
	size_t joint = flow_joint(f), branches = 0;
	bool swarm = f->pattern == FLOW_SWARM;

	for (size_t i = 0; i < f->n; i++)
		branches += flow_is_branch(f, i);
	if (joint == f->n || !branches) {
		advance_end(v, "The definition does not fit its pattern");
		return;
	}
	if (swarm && !have_plan(v))
		return;
	if (flow_is(f, joint, "pending")) {
		flow_set(f, joint, "waiting_dependencies");
		advance_set_index(v, swarm);
		v->changed = true;
	}
	if (run_branches(v))
		join(v, joint);
}

/* ---- pausing ---- */

/* Nothing is begun any more; a step that failed meanwhile ends the run. */
static void settle(struct advance *v)
{
	struct flow *f = &v->f;
	const char *failures = compose_failures(v->cx->arena, f);

	if (v->n_running)
		return;
	if (failures) {
		block_joint(v, flow_joint(f), failures);
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		if (flow_is(f, i, "failed")) {
			end_with_step(v, i);
			return;
		}
	set_text(v, f->state, "status", "paused");
}

void advance_steps(struct advance *v)
{
	fail_lost(v);
	if (is_paused(v))
		settle(v);
	else if (v->f.pattern == FLOW_PARALLEL || v->f.pattern == FLOW_SWARM)
		side_by_side(v);
	else if (v->f.pattern != FLOW_UNKNOWN)
		one_by_one(v);
	else
		advance_end(v, "The definition has no known pattern");
}

/* ---- loop ---- */

static void end_loop(struct advance *v, const char *reason)
{
	json_t *loop = v->f.loop;

	json_object_set_new(loop, "status", json_string("completed"));
	json_object_set_new(loop, "stopReason", json_string(reason));
	flow_set_now(loop, "completedAt");
	json_object_set_new(
	    loop, "totalDurationMs", json_integer(advance_ms_since(loop, "startedAt")));
	advance_end(v, NULL);
}

static void fail_iteration(struct advance *v, json_t *iteration, const char *error)
{
	json_object_set_new(iteration, "status", json_string("failed"));
	json_object_set_new(iteration, "error", json_string(error));
	v->changed = true;
}

/* Why the loop ends with its newest iteration; NULL where it does not. */
static const char *reason_to_end(struct advance *v, const json_t *last, size_t n, double max)
{
	if (strcmp(flow_text(last, "status"), "failed") == 0)
		return "error";
	if (v->signalled ||
	    (last && compose_is_signal(v->cx->arena, &v->f, flow_text(last, "result"))))
		return "agent_signaled";
	return (double)n >= max ? "max_iterations" : NULL;
}

static bool out_of_time(const struct flow *f)
{
	const json_t *budget = json_object_get(
	    json_object_get(f->definition, "loopConfig"), "timeBudgetMs");
	double ms = json_number_value(budget);

	return json_is_number(budget) && ms > 0 &&
	       (double)advance_ms_since(f->loop, "startedAt") >= ms;
}

void advance_loop(struct advance *v)
{
	struct flow *f = &v->f;
	json_t *list = json_object_get(f->loop, "iterations"), *last;
	size_t n = json_array_size(list);
	const char *reason;
	double max = ceil(json_num(
	    json_object_get(f->definition, "loopConfig"), "maxIterations", 1));

	if (v->n_running)
		return;
	if (!n) /* what the job has waited is not the loop's time */
		flow_set_now(f->loop, "startedAt");
	last = n ? json_array_get(list, n - 1) : NULL;
	if (strcmp(flow_text(last, "status"), "running") == 0)
		fail_iteration(v, last, INTERRUPTED);
	reason = reason_to_end(v, last, n, max);
	if (reason) {
		end_loop(v, reason);
	} else if (is_paused(v)) {
		set_text(v, f->loop, "status", "paused");
		set_text(v, f->loop, "stopReason", "human_pause");
		set_text(v, f->state, "status", "paused");
	} else if (out_of_time(f)) {
		end_loop(v, "time_budget");
	} else {
		advance_begin_iteration(v, n + 1, max);
	}
}
