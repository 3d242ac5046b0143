/* The run state of a workflow, as it stands in its definition: _state has the steps by their index,
 * _loopState the iterations of a loop. A flow is the workflow's row, read, with that state parsed;
 * changes stay in memory until flow_store. Everything lives in the arena of the context.
 *
 * What an older program or a person has written into the row may have any form: a definition that
 * is no object has no steps and stays as it is, a state of the wrong form counts as none, and
 * missing states of steps as pending. */
#ifndef CORE_DOMAIN_FLOW_H
#define CORE_DOMAIN_FLOW_H

#include <jansson.h>
#include "core/ctx.h"

enum flow_pattern {
	FLOW_UNKNOWN,
	FLOW_SEQUENCE,
	FLOW_PLANNER,
	FLOW_CHECKPOINT,
	FLOW_LOOP,
	FLOW_PARALLEL,
	FLOW_SWARM,
};

#define FLOW_STEPS_MAX 10000
#define FLOW_BRANCHES_MAX 5    /* of parallel, and workers of swarm */
#define FLOW_BRANCHES_AT_ONCE 3
#define FLOW_WORKERS_AT_ONCE 2 /* where the definition does not say */

struct flow {
	const char *id, *project_id, *name, *status;
	const char *text; /* the definition as it is stored */
	int64_t run_number;
	enum flow_pattern pattern;
	json_t *definition; /* an object */
	bool readable;      /* it is what the text says; else it is empty, and the text is kept */
	const json_t *steps; /* an array, or NULL */
	size_t n;           /* steps */
	json_t *state;      /* _state, NULL where there was no run */
	json_t *loop;       /* _loopState, or NULL */
};

enum flow_pattern flow_pattern_of(const char *word);

/* Reads the workflow; RC_NOTFOUND with "Workflow not found". */
enum rc flow_load(struct ctx *cx, const char *id, struct flow *f);
/* Parses what stands in its text. */
void flow_read(struct arena *a, struct flow *f);
/* Writes definition, STATUS (NULL: as it is) and the time of change; inside a transaction.
 * RC_TOOLARGE where the text has outgrown what can be kept. */
enum rc flow_store(struct ctx *cx, struct flow *f, const char *status);

/* A step as it is defined; its id ("" where it has none), its name ("Step N") and prompt (""). */
const json_t *flow_step(const struct flow *f, size_t i);
const char *flow_step_id(const struct flow *f, size_t i);
const char *flow_step_name(struct arena *a, const struct flow *f, size_t i);
const char *flow_step_prompt(const struct flow *f, size_t i);
/* Whether the step depends on others. */
bool flow_depends(const json_t *step);
/* The step that joins the others' results: of parallel the one with dependencies, of swarm the
 * last; flow->n where there is none. */
size_t flow_joint(const struct flow *f);
/* Whether step I is one of those whose results are joined. */
bool flow_is_branch(const struct flow *f, size_t i);
/* How many of them may run at a time. */
size_t flow_branches_at_once(const struct flow *f);

/* The state of step I, an object; NULL before the first run. */
json_t *flow_state(const struct flow *f, size_t i);
const char *flow_status(const struct flow *f, size_t i); /* "pending" before the first run */
bool flow_is(const struct flow *f, size_t i, const char *status);
/* Gives step I a new state of nothing but id and status. */
json_t *flow_set(struct flow *f, size_t i, const char *status);
/* The text of a state or iteration under KEY, "" where there is none. */
const char *flow_text(const json_t *state, const char *key);
/* The text of any object under KEY, NULL where there is none or it is empty. */
const char *flow_some(const json_t *object, const char *key);

/* Puts in the state in which every run begins: all steps pending, index 0. */
void flow_begin(struct flow *f);
/* Takes the run state away. */
void flow_clear(struct flow *f);
/* Sets KEY of an object to this moment. */
void flow_set_now(json_t *object, const char *key);

#endif
