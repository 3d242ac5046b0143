/* Tasks: their life cycle and what may happen to them. HTTP handlers, the agents' tools and the job
 * runner call the same functions; each runs its own transaction unless it says otherwise. Bodies
 * are valid by their shapes. */
#ifndef CORE_DOMAIN_TASK_H
#define CORE_DOMAIN_TASK_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

#define RUNTIME_DEFAULT "claude-code"
#define RESUMES_MAX 3

/* What the life cycle and the checks look at. */
struct task {
	const char *id, *project_id, *workflow_id, *schedule_id, *title, *description, *status;
	const char *runtime; /* never NULL: the default where none is assigned */
	const char *assigned_agent, *profile, *session_id, *result;
	int64_t resume_count;
};

/* Below every priority, also of those that other programs have written. */
#define TASK_PAGE_FIRST (-1e300)

/* Where a list begins, behind a row; and how long it may be. */
struct task_page {
	int64_t limit;   /* -1: all */
	double priority; /* TASK_PAGE_FIRST: from the start */
	int64_t created_at, rowid;
};

/* Whether a state is one of those that a run ends in. */
bool task_has_ended(const char *status);
/* Reads a task into the arena; RC_NOTFOUND with the text NOTFOUND. */
enum rc task_load(struct ctx *cx, const char *id, const char *notfound, struct task *out);
/* Writes the task as an object; with names and usage where FULL. */
enum rc task_write(struct ctx *cx, struct jw *w, const char *id, bool full);
/* Writes an array in list order; PROJECT and STATUS may be NULL. With *NEXT, the row behind which a
 * further page begins is noted there (rowid 0: there is none). */
void task_write_list(struct ctx *cx, struct jw *w, const char *project, const char *status,
    const struct task_page *page, struct task_page *next);

/* Creates one; its id comes back in *ID (arena), and the row is written to W, where that is not
 * NULL, before the commit: what was written counts only where the function succeeds. */
enum rc task_create(struct ctx *cx, const json_t *in, struct jw *w, const char **id);
/* Adds a planned task inside the caller's transaction, without a check: project_id, title,
 * description, assigned_agent and profile count. */
void task_add(struct ctx *cx, const struct task *t, double priority);
/* The same for a step of workflow_id that may be run one day; the id is the caller's. */
void task_add_planned(struct ctx *cx, const struct task *t, double priority);
/* Adds the task of a step of a run, already running, and hands it to the job runner. */
enum rc task_add_running(struct ctx *cx, const struct task *t, int64_t run_number);
enum rc task_update(struct ctx *cx, const char *id, const json_t *in);
enum rc task_delete(struct ctx *cx, const char *id);
/* Deletes the task and its children inside the caller's transaction and stops its run. WITH_CONTEXT
 * also deletes what was learned from it, else that is detached. */
void task_remove(struct ctx *cx, const char *id, bool with_context);

/* Claims the task and hands it to the job runner. */
enum rc task_execute(struct ctx *cx, const char *id);
/* The same where nobody is told of a refusal: then the task fails with the reason. RC_OK also where it
 * is gone, or not queued any more. */
enum rc task_start(struct ctx *cx, const char *id);
enum rc task_resume(struct ctx *cx, const char *id);
/* Stops the run, if there is one; a task that has ended stays as it is. */
enum rc task_cancel(struct ctx *cx, const char *id);
/* The same inside the caller's transaction, for a task whose state was changed there. */
void task_stop_run(struct ctx *cx, const char *id);
/* Before tasks are deleted (IDS, an array of texts): cancels their runs and gives them five seconds to
 * end. Not inside a transaction. */
void task_wind_down(struct ctx *cx, const json_t *ids);
/* Before the task's run is forgotten: what it has used is written to the ledger where no process of
 * the runner is left to do so. Inside the caller's transaction. */
void task_settle_run(struct ctx *cx, const char *id);
/* Tells whoever waits for the task that it has ended, inside the caller's transaction: its handoff
 * and its workflow. Whatever ends a task calls it. */
void task_ended(struct ctx *cx, const char *id);
/* Answers a permission request, a question, or the request to approve a handoff. */
enum rc task_respond(struct ctx *cx, const char *id, const json_t *in);

/* Profile PROFILE (may be NULL or empty) with RUNTIME (NULL: the default): RC_INVALID with a text
 * that begins with WHAT where it does not exist or does not support the runtime. */
enum rc task_check_profile(struct ctx *cx, const char *what, const char *profile,
    const char *runtime);
/* json, markdown, code or text. */
const char *task_content_type(struct arena *a, const char *result);
enum rc task_write_provenance(struct ctx *cx, struct jw *w, const char *id);

#endif
