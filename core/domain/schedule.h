/* Schedules: each makes a task whenever its cron expression matches. A plain one executes its prompt;
 * a heartbeat lets an agent judge a checklist and notes whether something has to be done.
 *
 *	active <-> paused; active -> completed (fired, and fires once only)
 *	active -> expired (as often or as long as it may)
 *
 * The job runner looks for what is due. A plain firing is one transaction: the task, the count and
 * the next time. A heartbeat waits for the end of its task, which is one more. The instants at which
 * a schedule has fired are kept, so that none fires twice; those that were missed while nobody looked
 * make one firing. */
#ifndef CORE_DOMAIN_SCHEDULE_H
#define CORE_DOMAIN_SCHEDULE_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

/* Writes it as an object; RC_NOTFOUND ("Schedule not found") where there is none. */
enum rc schedule_write(struct ctx *cx, struct jw *w, const char *id);
/* The same with the checklist as a value and the tasks of its firings. */
enum rc schedule_write_full(struct ctx *cx, struct jw *w, const char *id);
/* All as an array, the newest first. */
void schedule_write_list(struct ctx *cx, struct jw *w);
/* At most LIMIT, the latest changed first; STATUS may be NULL. */
void schedule_write_latest(struct ctx *cx, struct jw *w, const char *status, int64_t limit);
/* Its name (arena); NULL where there is none. */
const char *schedule_name(struct ctx *cx, const char *id);
/* What its heartbeats have found, and its counts. RC_INVALID where it is no heartbeat. */
enum rc schedule_write_history(struct ctx *cx, struct jw *w, const char *id);

/* The operations take any JSON and say what is wrong with it. They look at the files of profiles. */
enum rc schedule_create(struct ctx *cx, const json_t *in, const char **id);
enum rc schedule_update(struct ctx *cx, const char *id, const json_t *in);
enum rc schedule_delete(struct ctx *cx, const char *id);

/* An interval that was read from a request, with the next three times. */
#define SCHEDULE_TIMES 3
struct schedule_preview {
	const char *cron, *description;
	double confidence;
	int64_t times[SCHEDULE_TIMES];
	size_t n;
};
enum rc schedule_preview(struct ctx *cx, const json_t *in, struct schedule_preview *out);

/* How far the job runner's look at the schedules has got. Zeros: at the start. */
struct schedule_pass {
	size_t step;
	int64_t after;
};
/* One step of one schedule: what is over expires, what is due fires, the tasks are executed, and the
 * ends of heartbeats are looked at. False at the end of a pass. A failure is logged and concerns one
 * schedule only; a step is a transaction and may be interrupted anywhere. */
bool schedule_advance(struct ctx *cx, struct schedule_pass *pass);
/* The clock was set back: what waits is planned anew by the next pass. Instants that have fired do not
 * fire again. */
void schedule_clock_set_back(struct ctx *cx);
/* The run of TASK has ended and is written down: completes the heartbeat that it was made by, if
 * any. Inside the caller's transaction. */
void schedule_task_ended(struct ctx *cx, const char *task);

#endif
