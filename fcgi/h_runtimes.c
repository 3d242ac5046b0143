/* /api/runtimes. What needs the Ollama server is a job, whose answer the hub passes on. */
#include <stdio.h>

#include "core/domain/runtime.h"
#include "core/queue.h"
#include "fcgi/handlers.h"

#define LIST_TIMEOUT_MS 30000
#define PULL_TIMEOUT_MS (INT64_C(6) * 3600 * 1000 + 30000)

enum rc h_runtime_suggest(struct request *rq)
{
	enum rc rc = runtime_check_task(&rq->cx, rq->in);

	if (rc == RC_OK)
		runtime_suggest(&rq->cx, rq->in, reply(rq, 200));
	return rc;
}

/* Nobody can wait for the job. Returns RC, with its error. */
static enum rc give_up(struct request *rq, int64_t job, enum rc rc)
{
	struct ctx *cx = &rq->cx;
	struct err why = cx->err;

	err_clear(&cx->err);
	if (tx_begin(cx) == RC_OK) {
		queue_cancel(cx, job, "there was no place to wait for it");
		tx_end(cx, RC_OK);
	}
	cx->err = why;
	return rc;
}

/* BOUND: the job ends when the client leaves. */
static enum rc wait_for(struct request *rq, const char *kind, const char *payload,
    int64_t timeout_ms, bool bound)
{
	struct hub_ticket t = { .kind = HUB_JOB, .timeout_ms = timeout_ms, .bound = bound };
	enum rc rc = tx_begin(&rq->cx);

	if (rc != RC_OK)
		return rc;
	rc = queue_put(&rq->cx, kind, NULL, NULL, "", payload, &t.job);
	if ((rc = tx_end(&rq->cx, rc)) != RC_OK)
		return rc;
	snprintf(t.timeout_text, sizeof t.timeout_text, "The job runner did not answer in time");
	rc = reply_through_hub(rq, &t);
	return rc != RC_OK && bound ? give_up(rq, t.job, rc) : rc;
}

enum rc h_ollama_list(struct request *rq)
{
	return wait_for(rq, JOB_OLLAMA_LIST, NULL, LIST_TIMEOUT_MS, false);
}

enum rc h_ollama_pull(struct request *rq)
{
	const char *model;
	json_t *payload;
	enum rc rc = runtime_check_pull(&rq->cx, rq->in, &model);

	if (rc != RC_OK)
		return rc;
	payload = json_keep(rq->cx.arena, json_pack("{s:s}", "model", model));
	return wait_for(
	    rq, JOB_OLLAMA_PULL, json_text(rq->cx.arena, payload), PULL_TIMEOUT_MS,
	    true);
}
