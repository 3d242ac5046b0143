/* Reading, changing and writing the run state of a workflow. */
#include "core/domain/flow.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/json_out.h"

static const char *const PATTERN_WORDS[] = {
	[FLOW_UNKNOWN] = "",
	[FLOW_SEQUENCE] = "sequence",
	[FLOW_PLANNER] = "planner-executor",
	[FLOW_CHECKPOINT] = "checkpoint",
	[FLOW_LOOP] = "loop",
	[FLOW_PARALLEL] = "parallel",
	[FLOW_SWARM] = "swarm",
};

#define DEFINITION_MAX ((size_t)64 << 20)

enum flow_pattern flow_pattern_of(const char *word)
{
	for (size_t i = FLOW_SEQUENCE; word && i < COUNT(PATTERN_WORDS); i++)
		if (strcmp(PATTERN_WORDS[i], word) == 0)
			return (enum flow_pattern)i;
	return FLOW_UNKNOWN;
}

/* As many states as there are steps, each an object. */
static void mend_states(struct flow *f)
{
	json_t *states = json_object_get(f->state, "stepStates");

	if (!json_is_array(states)) {
		states = json_array();
		json_object_set_new(f->state, "stepStates", states);
	}
	for (size_t i = 0; i < f->n; i++)
		if (i >= json_array_size(states))
			json_array_append_new(states, json_pack("{s:s, s:s}", "stepId",
							  flow_step_id(f, i), "status", "pending"));
		else if (!json_is_object(json_array_get(states, i)))
			flow_set(f, i, "pending");
}

void flow_read(struct arena *a, struct flow *f)
{
	f->definition = json_read_text(a, f->text);
	f->readable = json_is_object(f->definition);
	if (!f->readable)
		f->definition = json_keep(a, json_object());
	f->pattern = flow_pattern_of(json_str(f->definition, "pattern"));
	f->steps = json_object_get(f->definition, "steps");
	f->n = json_array_size(f->steps);
	f->state = json_object_get(f->definition, "_state");
	f->loop = json_object_get(f->definition, "_loopState");
	if (!json_is_object(f->state))
		f->state = NULL;
	else
		mend_states(f);
	if (!json_is_object(f->loop) || !json_is_array(json_object_get(f->loop, "iterations")))
		f->loop = NULL;
}

enum rc flow_load(struct ctx *cx, const char *id, struct flow *f)
{
	struct q *q = db_query(cx->db, Q_WORKFLOW_LOAD, "t", id);
	struct arena *a = cx->arena;

	*f = (struct flow){ .id = arena_strdup(a, id) };
	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Workflow not found");
	f->project_id = db_text_dup(q, 0, a);
	f->name = db_text_dup(q, 1, a);
	f->text = db_text_dup(q, 2, a);
	f->status = db_text_dup(q, 3, a);
	f->run_number = db_int(q, 4);
	db_done(q);
	flow_read(a, f);
	return RC_OK;
}

enum rc flow_store(struct ctx *cx, struct flow *f, const char *status)
{
	struct buf b;
	struct jw w = jw_on(&b);
	enum rc rc = RC_OK;

	buf_init(&b, DEFINITION_MAX);
	if (f->readable)
		jw_json(&w, f->definition);
	else
		buf_str(&b, f->text);
	if (b.failed)
		rc = ctx_fail(cx, RC_TOOLARGE, "The state of the run is too large");
	else
		db_run(cx->db, Q_WORKFLOW_STORE, "tttii", f->id, buf_text(&b),
		    status ? status : f->status, f->run_number, cx->now);
	buf_fini(&b);
	if (status)
		f->status = status;
	return rc;
}

const json_t *flow_step(const struct flow *f, size_t i)
{
	return json_array_get(f->steps, i);
}

const char *flow_step_id(const struct flow *f, size_t i)
{
	return flow_text(flow_step(f, i), "id");
}

const char *flow_step_name(struct arena *a, const struct flow *f, size_t i)
{
	const char *name = json_str(flow_step(f, i), "name");

	return name ? name : arena_printf(a, "Step %zu", i + 1);
}

const char *flow_step_prompt(const struct flow *f, size_t i)
{
	return flow_text(flow_step(f, i), "prompt");
}

bool flow_depends(const json_t *step)
{
	return json_array_size(json_object_get(step, "dependsOn")) > 0;
}

size_t flow_joint(const struct flow *f)
{
	if (f->pattern == FLOW_SWARM && f->n)
		return f->n - 1;
	for (size_t i = 0; f->pattern == FLOW_PARALLEL && i < f->n; i++)
		if (flow_depends(flow_step(f, i)))
			return i;
	return f->n;
}

bool flow_is_branch(const struct flow *f, size_t i)
{
	if (f->pattern == FLOW_SWARM)
		return i > 0 && i + 1 < f->n;
	return f->pattern == FLOW_PARALLEL && i != flow_joint(f);
}

size_t flow_branches_at_once(const struct flow *f)
{
	const json_t *config = json_object_get(f->definition, "swarmConfig");
	double limit;

	if (f->pattern != FLOW_SWARM)
		return FLOW_BRANCHES_AT_ONCE;
	limit = json_num(config, "workerConcurrencyLimit", FLOW_WORKERS_AT_ONCE);
	return limit < 1 ? 1 : limit > FLOW_BRANCHES_MAX ? FLOW_BRANCHES_MAX : (size_t)limit;
}

json_t *flow_state(const struct flow *f, size_t i)
{
	return json_array_get(json_object_get(f->state, "stepStates"), i);
}

const char *flow_status(const struct flow *f, size_t i)
{
	const char *status = json_str(flow_state(f, i), "status");

	return status ? status : "pending";
}

bool flow_is(const struct flow *f, size_t i, const char *status)
{
	return strcmp(flow_status(f, i), status) == 0;
}

json_t *flow_set(struct flow *f, size_t i, const char *status)
{
	json_t *state = json_pack(
	    "{s:s, s:s}", "stepId", flow_step_id(f, i), "status", status);

	json_array_set_new(json_object_get(f->state, "stepStates"), i, state);
	return state;
}

const char *flow_text(const json_t *state, const char *key)
{
	const char *text = json_str(state, key);

	return text ? text : "";
}

const char *flow_some(const json_t *object, const char *key)
{
	const char *text = json_str(object, key);

	return text && *text ? text : NULL;
}

void flow_set_now(json_t *object, const char *key)
{
	char text[TIME_ISO_SIZE];

	json_object_set_new(object, key, json_string(time_iso_ms(text, now_ms())));
}

void flow_begin(struct flow *f)
{
	flow_clear(f);
	f->state = json_pack("{s:i, s:[], s:s}", "currentStepIndex", 0, "stepStates", "status",
	    "running");
	flow_set_now(f->state, "startedAt");
	json_object_set_new(f->definition, "_state", f->state);
	mend_states(f);
	if (f->pattern != FLOW_LOOP)
		return;
	f->loop = json_pack(
	    "{s:i, s:[], s:s}", "currentIteration", 0, "iterations", "status", "running");
	flow_set_now(f->loop, "startedAt");
	json_object_set_new(f->definition, "_loopState", f->loop);
}

void flow_clear(struct flow *f)
{
	json_object_del(f->definition, "_state");
	json_object_del(f->definition, "_loopState");
	f->state = NULL;
	f->loop = NULL;
}
