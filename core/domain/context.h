/* Learned context: what a profile's agents have found out, kept as a history of changes. Agents
 * propose, a person decides, each proposal once; the newest approved, rolled back or condensed text
 * goes into the profile's runs. Versions are taken inside the transaction that writes them. */
#ifndef CORE_DOMAIN_CONTEXT_H
#define CORE_DOMAIN_CONTEXT_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/domain/task.h"
#include "core/json_out.h"

/* The longest text that a person may add at once, in UTF-16 units. */
#define CONTEXT_ADDITION_MAX 32000

/* The text in force, in the arena of CX; NULL where there is none. */
const char *context_current(struct ctx *cx, const char *profile);
/* How long a profile's text should be at most, in UTF-16 units. */
int64_t context_limit(struct ctx *cx);
/* The size above which it is condensed. */
int64_t context_threshold(struct ctx *cx);

/* Queues the extraction for a run of T that completes in the caller's transaction, where the
 * setting learning.autoExtract wants one. A full queue is no failure: nothing is learned then. */
void context_learn_later(struct ctx *cx, const struct task *t, const char *profile);
/* Adds a proposal from a task, inside the caller's transaction; asks the person about it unless a
 * workflow collects it. */
void context_propose(struct ctx *cx, const char *profile, const char *task, const char *text);
/* Adds a row that gives the profile a new text, inside the caller's transaction. */
void context_add_summary(struct ctx *cx, const char *profile, const char *text, const char *note);

/* Writes {history, currentSize, limit, maxSize, needsSummarization} of a profile. */
enum rc context_write(struct ctx *cx, struct jw *w, const char *profile);
/* Adds a text by hand. *JOB is the job that condenses the text in force, or 0 where it is short
 * enough. */
enum rc context_add(struct ctx *cx, const char *profile, const json_t *in, int64_t *job);
/* Does what the body's action says: approve, reject or rollback. *JOB as above. */
enum rc context_change(struct ctx *cx, const char *profile, const json_t *in, int64_t *job);

/* Decides the proposals IDS in their order, in one transaction; *N is the number of those that were
 * open until now. */
enum rc context_decide_batch(struct ctx *cx, const json_t *ids, bool approve, int64_t *n);
/* The same for the proposal or the batch that a notification asks about; RC_NOTFOUND where it is no
 * such notification, RC_CONFLICT where it is answered. */
enum rc context_decide_notification(struct ctx *cx, const char *id, bool approve);

/* Queues the end of a workflow's session, in the transaction in which the workflow ends. */
enum rc context_close_session(struct ctx *cx, const char *workflow);
/* Writes the batch notification of what the workflow has collected, if anything; inside the
 * caller's transaction. */
void context_write_batch(struct ctx *cx, const char *workflow);

#endif
