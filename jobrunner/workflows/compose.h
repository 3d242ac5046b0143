/* The prompts of a run's steps, as the patterns put them together from the steps and the results of
 * those before. The words around are free; the given parts come in a fixed order, and the step's
 * own prompt is always in it, unchanged. Everything lives in the arena. */
#ifndef JOBRUNNER_WORKFLOWS_COMPOSE_H
#define JOBRUNNER_WORKFLOWS_COMPOSE_H

#include "core/domain/flow.h"

#define LOOP_SIGNAL "LOOP_COMPLETE"

/* Of step I. */
const char *compose_step(struct arena *a, const struct flow *f, size_t i);
/* Of the iteration N (from 1) of a loop of MAX, after those in the state. */
const char *compose_iteration(struct arena *a, const struct flow *f, size_t n, double max);
/* Whether the result has one of the loop's signals, in whatever case. */
bool compose_is_signal(struct arena *a, const struct flow *f, const char *result);
/* "NAME: ERROR; NAME: ERROR" of the branches that failed; NULL where none did. */
const char *compose_failures(struct arena *a, const struct flow *f);

#endif
