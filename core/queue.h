/* The queue of work for the job runner. A job is put in by whoever needs something done that is
 * slow, external or risky; the runner leases it, does it, and writes the outcome back. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/ctx.h"

/* Kinds of jobs; the runner's table (jobrunner/kinds.c) says what each does. */
#define JOB_AGENT_RUN "agent_run"
#define JOB_TASK_ASSIST "task_assist"
#define JOB_PROFILE_ASSIST "profile_assist"
#define JOB_PROFILE_TEST "profile_test"
#define JOB_PROFILE_FETCH "profile_fetch"
#define JOB_BLUEPRINT_FETCH "blueprint_fetch"
#define JOB_REPO_SCAN "repo_scan"
#define JOB_REPO_PREVIEW "repo_preview"
#define JOB_REPO_CHECK "repo_check"
#define JOB_REPO_APPLY "repo_apply"
#define JOB_SETTINGS_TEST "settings_test"
#define JOB_PRICING_REFRESH "pricing_refresh"
#define JOB_LEARN "learn"
#define JOB_CONDENSE "condense"
#define JOB_LEARN_CLOSE "learn_close"
#define JOB_REMEMBER "remember"
#define JOB_TABLE_IMPORT "table_import"
#define JOB_TABLE_UNDO "table_import_undo"
#define JOB_SWEEP "sweep"
#define JOB_EXTRACT "extract"
#define JOB_WORKFLOW "workflow"
#define JOB_OLLAMA_LIST "ollama_list"
#define JOB_OLLAMA_PULL "ollama_pull"

/* Puts a job in, inside the caller's transaction. SUBJECT is what it is about (a task's id), RUN
 * the id of the run, SLOT the class whose number of parallel jobs is limited (a runtime id);
 * PAYLOAD is JSON text; all may be NULL. Its id comes back in *ID, where that is not NULL. RC_BUSY
 * where too many wait already. */
enum rc queue_put(struct ctx *cx, const char *kind, const char *subject, const char *run,
    const char *slot, const char *payload, int64_t *id);
/* The same for a job that nobody misses, to be done in AFTER_MS milliseconds at the earliest: a full
 * queue leaves the caller's transaction whole. */
void queue_put_if_room(struct ctx *cx, const char *kind, const char *subject, const char *slot,
    const char *payload, int64_t after_ms);
/* Ends a job that is not wanted any more, inside the caller's transaction; nothing where it has
 * ended. Its process, if it has one, is stopped by the runner, which sees that the lease is gone. */
void queue_cancel(struct ctx *cx, int64_t id, const char *why);

#endif
