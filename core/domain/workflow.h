/* Workflows: named lists of steps with a pattern of execution. Each step of a run is a task of its
 * own. The state of a run is kept in the workflow's definition (flow.h); what a run waits for are
 * rows of workflow_waits. Nothing waits in memory: whatever ends a wait queues a job, and the job
 * runner (jobrunner/workflows) moves the run on in one transaction.
 *
 *	draft -> active -> completed, failed; active -> paused -> active; completed, failed -> draft
 *
 * Each function runs its own transaction, or is a part of the caller's, unless it says otherwise.
 * Bodies may be any JSON: a value of the wrong type counts as absent. */
#ifndef CORE_DOMAIN_WORKFLOW_H
#define CORE_DOMAIN_WORKFLOW_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

#define WORKFLOW_CHECKPOINT "WorkflowCheckpoint" /* tool_name of an approval's notification */

/* Writes the row as an object; RC_NOTFOUND ("Workflow not found") where there is none. */
enum rc workflow_write(struct ctx *cx, struct jw *w, const char *id);
/* All of them, newest first, with the numbers of their tasks and output documents. */
void workflow_write_list(struct ctx *cx, struct jw *w);
/* The run state, as GET /api/workflows/{id}/status has it. */
enum rc workflow_write_status(struct ctx *cx, struct jw *w, const char *id);

/* Whether DEFINITION (any JSON, may be NULL) can be a workflow's; RC_INVALID says what is wrong.
 * Looks at the files of profiles: not inside a transaction. */
enum rc workflow_check(struct ctx *cx, const json_t *definition);
/* Creates one from a body {name, projectId, definition}; its id comes back in *ID (arena). Checks
 * as above. */
enum rc workflow_create(struct ctx *cx, const json_t *in, const char **id);
/* Creates a draft whose DEFINITION is good without a look; PROJECT may be NULL. */
enum rc workflow_add(struct ctx *cx, const char *project, const char *name, const char *definition,
    const char **id);
/* Creates one with a planned task for each step, and a run where the body asks for one. Writes the
 * answer of POST /api/workflows/from-assist. */
enum rc workflow_create_from_assist(struct ctx *cx, const json_t *in, struct jw *w);
/* Edits or pauses, as the body asks, and writes the answer. */
enum rc workflow_update(struct ctx *cx, const char *id, const json_t *in, struct jw *w);
/* Deletes it with its tasks; RC_CONFLICT while it is active. */
enum rc workflow_delete(struct ctx *cx, const char *id);
/* Forgets what the workflow waits for, before the caller deletes its tasks and itself, inside the
 * caller's transaction. */
void workflow_forget(struct ctx *cx, const char *id);

/* Starts a run, or resumes a paused one: the claim, the initial state and the job that moves it on
 * are one transaction. CONTEXT is a text that every step of the run is given, or NULL. RC_NOTFOUND,
 * or RC_CONFLICT where it is active. */
enum rc workflow_start(struct ctx *cx, const char *id, const char *context);
/* Runs the failed step STEP (its id) anew and what follows from it; RC_NOTFOUND, RC_CONFLICT. */
enum rc workflow_retry(struct ctx *cx, const char *id, const char *step);

/* The bindings of documents, as an array; of an unknown workflow an empty one. */
void workflow_write_documents(struct ctx *cx, struct jw *w, const char *id);
/* Binds the documents of a body {documentIds, stepId} and writes the answer. */
enum rc workflow_attach(struct ctx *cx, const char *id, const json_t *in, struct jw *w);
/* Removes bindings; IN may be NULL, which means all. A field of the wrong type names none: what
 * is not understood removes nothing. */
enum rc workflow_detach(struct ctx *cx, const char *id, const json_t *in);
/* Binds one document to all steps, where it is not yet, inside the caller's transaction. False
 * where there is no such document. */
bool workflow_bind(struct ctx *cx, const char *id, const char *document);

/* What a run may wait for has happened: a task has ended (or is about to be deleted), a request was
 * answered or thrown away. Inside the caller's transaction; nothing where no workflow waits. */
void workflow_task_ended(struct ctx *cx, const char *task);
void workflow_request_answered(struct ctx *cx, const char *notification);

/* The job runner's part, once in a while: queues the workflows that should move on and have no job
 * for it, whatever the reason, and those whose requests have waited long enough. */
void workflow_sweep(struct ctx *cx);

#endif
