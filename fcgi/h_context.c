/* /api/context and /api/profiles/{id}/context */
#include "core/domain/context.h"

#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"

/* Longer than the model has, and shorter than web servers wait. */
#define CONDENSE_WAIT_MS 315000

enum rc h_context_batch(struct request *rq)
{
	const char *action = json_str(rq->in, "action");
	int64_t n;
	struct jw *w;
	enum rc rc = context_decide_batch(&rq->cx, json_object_get(rq->in, "proposalIds"),
	    strcmp(action, "approve") == 0, &n);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kbool(w, "success", true);
	jw_kstr(w, "action", action);
	jw_kint(w, "count", n);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_context_get(struct request *rq)
{
	return context_write(&rq->cx, reply(rq, 200), rq->id);
}

/* The answer to what is stored already: after the job that condenses, where there is one. */
static enum rc reply_after(struct request *rq, int64_t job)
{
	struct hub_ticket t = { .kind = HUB_JOB, .timeout_ms = CONDENSE_WAIT_MS, .settled = true,
		.job = job };

	if (job && reply_through_hub(rq, &t) == RC_OK)
		return RC_OK;
	err_clear(&rq->cx.err);
	return reply_ok(rq, 200);
}

enum rc h_context_add(struct request *rq)
{
	int64_t job = 0;
	enum rc rc = context_add(&rq->cx, rq->id, rq->in, &job);

	return rc != RC_OK ? rc : reply_after(rq, job);
}

enum rc h_context_change(struct request *rq)
{
	int64_t job = 0;
	enum rc rc = context_change(&rq->cx, rq->id, rq->in, &job);

	return rc != RC_OK ? rc : reply_after(rq, job);
}
