/* Answers through jobs. */
#include "fcgi/job_reply.h"

#include <stdio.h>

#include "core/domain/budget.h"

/* The job, its reservation and its audit row. */
static enum rc put(struct ctx *cx, const struct job_reply *jr, int64_t *job)
{
	enum rc rc = queue_put(
	    cx, jr->kind, jr->subject, NULL, jr->runtime, jr->payload, job);

	if (rc != RC_OK)
		return rc;
	if (jr->activity)
		budget_reserve(cx, *job, jr->runtime);
	if (jr->audit)
		audit(cx, jr->audit, "job", jr->subject, NULL);
	return RC_OK;
}

/* What was blocked is noted, so a transaction ends well here. */
static enum rc put_if_allowed(struct ctx *cx, const struct job_reply *jr, int64_t *job)
{
	struct activity act = { .type = jr->activity, .runtime = jr->runtime };
	const char *why;
	struct budget b;
	enum rc rc;

	if (jr->activity)
		budget_prepare(cx, &b);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (jr->activity && budget_check(cx, &b, &act, &why) == RC_LIMIT) {
		rc = tx_end(cx, RC_OK);
		return rc != RC_OK ? rc : ctx_fail(cx, RC_LIMIT, "%s", why);
	}
	return tx_end(cx, put(cx, jr, job));
}

enum rc reply_with_job(struct request *rq, const struct job_reply *jr)
{
	struct hub_ticket t = { .kind = HUB_JOB, .timeout_ms = jr->timeout_ms };
	enum rc rc = put_if_allowed(&rq->cx, jr, &t.job);

	if (rc != RC_OK)
		return rc;
	snprintf(t.timeout_text, sizeof t.timeout_text, "%s", jr->timeout_text);
	return reply_through_hub(rq, &t);
}
