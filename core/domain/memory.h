/* Memories: short statements that a profile's agents have learned. Each has a confidence in
 * thousandths that fades from day to day unless the memory is used; what has faded stays stored and
 * is given to nobody. */
#ifndef CORE_DOMAIN_MEMORY_H
#define CORE_DOMAIN_MEMORY_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/domain/task.h"
#include "core/json_out.h"

#define MEMORY_CONFIDENCE 700 /* thousandths */
#define MEMORY_CONFIDENCE_MAX 1000
#define MEMORY_DECAY_RATE 10 /* thousandths a day */

struct memory_new {
	const char *profile, *category, *content;
	const char *task; /* that it was learned from, or NULL */
	const char *tags; /* a JSON array of texts, or NULL */
	int64_t confidence;
};

/* The memories of a profile as an array, the most certain first; CATEGORY and STATUS may be NULL. */
void memory_write_list(struct ctx *cx, struct jw *w, const char *profile, const char *category,
    const char *status);
/* The operations on one memory. IN is any JSON; what does not fit is RC_INVALID, and changes
 * nothing. The id of a new one comes back in *ID (arena). That an id is unknown is no failure. */
enum rc memory_create(struct ctx *cx, const json_t *in, const char **id);
enum rc memory_update(struct ctx *cx, const json_t *in);
/* It can be restored by an update. */
enum rc memory_archive(struct ctx *cx, const json_t *in);

/* Adds an active memory inside the caller's transaction; its id. */
const char *memory_add(struct ctx *cx, const struct memory_new *m);

/* Queues what is to be learned from a run of T that completes in the caller's transaction with
 * RESULT (NULL where there is none). A heartbeat teaches nothing, nor does a result without a
 * line's length; a full queue is no failure. */
void memory_learn_later(struct ctx *cx, const struct task *t, const char *profile,
    const char *result);

/* Lets the active memories fade, once a day by CX's clock, a piece at a time: each call is one short
 * transaction. True where there is more to do. What is interrupted goes on with the piece that is
 * next, and no day counts twice. */
bool memory_decay(struct ctx *cx);

#endif
