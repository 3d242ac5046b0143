/* What the parts of the domain workflows share, also with the job that moves runs on. */
#ifndef CORE_DOMAIN_WORKFLOW_INT_H
#define CORE_DOMAIN_WORKFLOW_INT_H

#include "core/domain/flow.h"

#define WORKFLOW_AGENT "workflow-engine" /* agent_type of a run's log rows */

/* All inside the caller's transaction. */

/* Queues the job that moves the workflow on, unless one waits already. A full queue is no failure:
 * workflow_sweep comes back to it. */
void workflow_wake(struct ctx *cx, const char *id);
/* Begins a run of a workflow that was claimed: initial state, status active, first log row, job. */
enum rc workflow_begin_run(struct ctx *cx, struct flow *f, const char *context);
/* Answers the questions of the workflow's checkpoints that are open with a denial that says WHY. */
void workflow_close_questions(struct ctx *cx, const char *id, const char *why);
/* Adds a log row of no task. */
void workflow_log(struct ctx *cx, const char *agent, const char *event, const json_t *payload);
void workflow_log_started(struct ctx *cx, const struct flow *f);

#endif
