/* Whether a definition can be a workflow's: the checks in their order; the first failure decides. */
#include "core/domain/workflow.h"

#include <stdio.h>

#include "core/domain/flow.h"
#include "core/domain/task.h"
#include "core/json_in.h"

#define WORKERS_MIN 2
#define BRANCHES_MIN 2
#define VALUES_MAX (JSON_VALUES_MAX / 2) /* with the state of a run it must still be readable */

static enum rc check_loop(struct ctx *cx, const json_t *definition)
{
	double n = json_num(json_object_get(definition, "loopConfig"), "maxIterations", 0);

	if (n >= 1)
		return RC_OK;
	return ctx_fail(
	    cx, RC_INVALID, "Loop pattern requires loopConfig with maxIterations >= 1");
}

static size_t count(const json_t *steps, bool (*has)(const json_t *step))
{
	size_t i, n = 0;
	json_t *step;

	json_array_foreach(steps, i, step)
		n += has(step);
	return n;
}

static bool asks(const json_t *step)
{
	return json_truth(json_object_get(step, "requiresApproval"));
}

static bool asks_as_branch(const json_t *step)
{
	return asks(step) && !flow_depends(step);
}

static enum rc check_swarm(struct ctx *cx, const json_t *definition, const json_t *steps)
{
	size_t n = json_array_size(steps);
	const json_t *limit = json_object_get(
	    json_object_get(definition, "swarmConfig"), "workerConcurrencyLimit");
	double at_once = json_number_value(limit);

	if (n < WORKERS_MIN + 2)
		return ctx_fail(cx, RC_INVALID, "Swarm pattern requires a mayor step, 2-5 worker "
						"steps, and a refinery step");
	if (n - 2 > FLOW_BRANCHES_MAX)
		return ctx_fail(cx, RC_INVALID, "Swarm pattern supports at most 5 worker steps");
	if (count(steps, asks))
		return ctx_fail(
		    cx, RC_INVALID, "Swarm steps cannot require approval in the first slice");
	if (count(steps, flow_depends))
		return ctx_fail(cx, RC_INVALID, "Swarm steps use fixed mayor/worker/refinery "
						"ordering and cannot declare dependencies");
	if (limit && !(json_is_number(limit) && at_once >= 1 && at_once <= (double)(n - 2)))
		return ctx_fail(cx, RC_INVALID,
		    "Swarm worker concurrency limit must be between 1 and %zu", n - 2);
	return RC_OK;
}

/* Whether the synthesis depends on every branch, and on nothing else. */
static bool depends_on_all(const json_t *steps, const json_t *depends)
{
	json_t *branches = json_array(), *v;
	bool all = true;
	size_t i;

	json_array_foreach(steps, i, v) {
		const char *id = flow_text(v, "id");

		if (flow_depends(v))
			continue;
		json_array_append_new(branches, json_string(id));
		all = all && json_has_text(depends, id);
	}
	json_array_foreach(depends, i, v)
		all = all && json_is_string(v) && json_has_text(branches, json_string_value(v));
	json_decref(branches);
	return all;
}

static enum rc check_parallel(struct ctx *cx, const json_t *steps)
{
	size_t joints = count(steps, flow_depends), branches = json_array_size(steps) - joints, i;
	const json_t *joint = NULL;
	json_t *step;

	if (joints != 1)
		return ctx_fail(cx, RC_INVALID,
		    "Parallel pattern requires branch steps and exactly one synthesis step");
	if (branches < BRANCHES_MIN)
		return ctx_fail(
		    cx, RC_INVALID, "Parallel pattern requires at least 2 branch steps");
	if (branches > FLOW_BRANCHES_MAX)
		return ctx_fail(
		    cx, RC_INVALID, "Parallel pattern supports at most 5 branch steps");
	if (count(steps, asks_as_branch))
		return ctx_fail(cx, RC_INVALID,
		    "Parallel branch steps cannot require approval in the first slice");
	json_array_foreach(steps, i, step)
		if (flow_depends(step))
			joint = step;
	if (asks(joint))
		return ctx_fail(cx, RC_INVALID,
		    "Parallel synthesis steps cannot require approval in the first slice");
	if (!depends_on_all(steps, json_object_get(joint, "dependsOn")))
		return ctx_fail(cx, RC_INVALID,
		    "Parallel synthesis step must depend on every branch exactly once");
	return RC_OK;
}

static enum rc check_profiles(struct ctx *cx, const json_t *definition, const json_t *steps)
{
	const json_t *loop = json_object_get(definition, "loopConfig");
	enum rc rc = task_check_profile(cx, "Loop profile", json_str(loop, "agentProfile"),
	    json_str(loop, "assignedAgent"));
	json_t *step;
	size_t i;

	json_array_foreach(steps, i, step) {
		char what[40];

		if (rc != RC_OK)
			break;
		if (!*flow_text(step, "agentProfile"))
			continue;
		snprintf(what, sizeof what, "Step %zu profile", i + 1);
		rc = task_check_profile(
		    cx, what, json_str(step, "agentProfile"), json_str(step, "assignedAgent"));
	}
	return rc;
}

static size_t count_values(const json_t *v)
{
	json_t *part = (json_t *)(uintptr_t)v, *item;
	const char *key;
	size_t i, n = 1;

	json_array_foreach(v, i, item)
		n += count_values(item);
	json_object_foreach(part, key, item)
		n += count_values(item);
	return n;
}

static enum rc check_size(struct ctx *cx, const json_t *definition, const json_t *steps)
{
	if (json_array_size(steps) > FLOW_STEPS_MAX)
		return ctx_fail(cx, RC_INVALID, "Definition must not have more than %d steps",
		    FLOW_STEPS_MAX);
	if (count_values(definition) > VALUES_MAX)
		return ctx_fail(cx, RC_INVALID, "Definition must not have more than %d values",
		    VALUES_MAX);
	return RC_OK;
}

enum rc workflow_check(struct ctx *cx, const json_t *definition)
{
	const char *word = json_str(definition, "pattern");
	const json_t *steps = json_object_get(definition, "steps");
	enum flow_pattern pattern = flow_pattern_of(word);
	enum rc rc = RC_OK;

	if (!word || !*word || !json_array_size(steps))
		return ctx_fail(cx, RC_INVALID,
		    "Definition must include pattern and at least one step");
	if (pattern == FLOW_UNKNOWN)
		return ctx_fail(cx, RC_INVALID,
		    "Pattern must be one of: sequence, planner-executor, checkpoint, loop, "
		    "parallel, swarm");
	if (pattern == FLOW_LOOP)
		rc = check_loop(cx, definition);
	else if (pattern == FLOW_SWARM)
		rc = check_swarm(cx, definition, steps);
	else if (pattern == FLOW_PARALLEL)
		rc = check_parallel(cx, steps);
	if (rc == RC_OK)
		rc = check_size(cx, definition, steps);
	return rc != RC_OK ? rc : check_profiles(cx, definition, steps);
}
