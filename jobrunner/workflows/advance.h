/* Moving a run of a workflow on: one transaction takes over the outcomes of what has ended, decides
 * by the pattern what comes next, begins it, and writes the state. It may be repeated at any time
 * and does nothing then: an outcome is taken over together with the removal of its row in
 * workflow_waits, and a step is begun together with the addition of one. So the process may die at
 * any instant; nothing is lost and no step is run twice. */
#ifndef JOBRUNNER_WORKFLOWS_ADVANCE_H
#define JOBRUNNER_WORKFLOWS_ADVANCE_H

#include "core/domain/flow.h"
#include "core/profile.h"

struct advance {
	struct ctx *cx;
	struct flow f;
	/* The profiles there are, looked up before the transaction. */
	const struct profile *const *profiles;
	size_t n_profiles;
	bool *running;     /* by step: its task is under way; of a loop the first stands for all */
	size_t n_running;
	bool signalled;    /* the iteration that has just ended says that the loop is done */
	bool changed;      /* the state has to be written */
	const char *status; /* of the workflow, where the run is over; else NULL */
	enum rc rc;        /* the first failure */
};

/* Decides and begins what comes next (patterns.c). The workflow is active or paused. */
void advance_steps(struct advance *v);
void advance_loop(struct advance *v);

/* Begins step I, or the iteration N (from 1) of a loop (begin.c): its task, and its state. */
void advance_begin_step(struct advance *v, size_t i);
void advance_begin_iteration(struct advance *v, size_t n, double max);

enum approval { APPROVAL_OPEN, APPROVAL_GIVEN, APPROVAL_DENIED };
/* What has become of the question whether step I may run, which is asked where it was not yet
 * (approval.c). */
enum approval advance_ask(struct advance *v, size_t i);

/* Ends the run (advance.c). ERROR is for the log; NULL: it is completed. */
void advance_end(struct advance *v, const char *error);
/* The step that clients are shown as the current one. */
void advance_set_index(struct advance *v, size_t i);
/* Milliseconds since the instant under KEY of an object; 0 where there is none. */
int64_t advance_ms_since(const json_t *object, const char *key);

#endif
