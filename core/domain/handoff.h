/* Handoffs: work that an agent of one profile passes on to another profile. One that needs no
 * approval is accepted at once; an accepted one becomes a task of the recipient, whose end completes
 * it:
 *
 *	pending -> accepted -> in_progress -> completed
 *	pending -> rejected; pending, accepted -> expired
 *
 * The notification that asks for approval has the id of its handoff. */
#ifndef CORE_DOMAIN_HANDOFF_H
#define CORE_DOMAIN_HANDOFF_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

#define HANDOFF_CHAIN_MAX 5 /* so many may follow from each other */
#define HANDOFF_PRIORITY 2

struct handoff_new {
	const char *from, *to, *subject, *body;
	const char *task;   /* that it comes from, or NULL */
	const char *parent; /* the handoff that led to it, or NULL; an unknown one counts as none */
	int64_t priority;   /* 0 to 3 */
	bool needs_approval;
};

/* Writes the handoff as an object; RC_NOTFOUND ("Handoff not found") where there is none. */
enum rc handoff_write(struct ctx *cx, struct jw *w, const char *id);
/* The newest 100 as an array; STATUS and the recipient TO may be NULL. */
void handoff_write_list(struct ctx *cx, struct jw *w, const char *status, const char *to);

/* Checks and sends one; its id comes back in *ID (arena). RC_INVALID says what is wrong. Looks at
 * the files of profiles. */
enum rc handoff_send(struct ctx *cx, const struct handoff_new *h, const char **id);
/* The same for a request body, which may be any JSON. */
enum rc handoff_create(struct ctx *cx, const json_t *in, const char **id);

/* The decision of a person. RC_CONFLICT where it is not pending. */
enum rc handoff_decide(struct ctx *cx, const char *id, bool approve, const char *by);
/* The same as a request body has it. */
enum rc handoff_answer(struct ctx *cx, const char *id, const json_t *in);
/* Rejects it where it is still pending: its request was thrown away. Inside the caller's
 * transaction. */
void handoff_dismiss(struct ctx *cx, const char *id);
bool handoff_exists(struct ctx *cx, const char *id);

/* The handoff that a task was made of (arena), or NULL. */
const char *handoff_of_task(struct ctx *cx, const char *task);
/* The task has ended: completes the handoff that it was made of, if that is under way. Inside the
 * caller's transaction. */
void handoff_task_ended(struct ctx *cx, const char *task);

/* The job runner's part, one step of one handoff: what is over expires, what is accepted becomes a
 * task, the task is run, and what has ended unseen is completed. True where there may be more to do.
 * A step is a transaction and may be interrupted anywhere; a later call goes on. */
bool handoff_advance(struct ctx *cx);

#endif
