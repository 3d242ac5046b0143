/* /api/settings: caps, prices, and the test of a connection. The last two wait for a job. */
#include <stdio.h>

#include "core/catalog.h"
#include "core/domain/budget.h"
#include "core/domain/pricing.h"
#include "core/log.h"
#include "core/queue.h"
#include "fcgi/handlers.h"

#define REFRESH_TIMEOUT_MS 45000
#define TEST_TIMEOUT_MS 75000

enum rc h_budget_get(struct request *rq)
{
	budget_write(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_budget_put(struct request *rq)
{
	enum rc rc = budget_put(&rq->cx, rq->in);

	return rc != RC_OK ? rc : h_budget_get(rq);
}

enum rc h_pricing_get(struct request *rq)
{
	pricing_write(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_pricing_refresh(struct request *rq)
{
	struct hub_ticket t = { .kind = HUB_JOB, .timeout_ms = REFRESH_TIMEOUT_MS };
	enum rc rc = pricing_refresh(&rq->cx, &t.job);

	if (rc != RC_OK)
		return rc;
	snprintf(t.timeout_text, sizeof t.timeout_text, "The refresh takes too long");
	return reply_through_hub(rq, &t);
}

/* The runtime that the body names; a body that cannot be read names none. */
static enum rc tested_runtime(struct request *rq, const struct runtime_info **info)
{
	const char *id;
	enum rc rc = request_json_lenient(rq);

	if (rc != RC_OK)
		return rc;
	id = json_str(rq->in, "runtime");
	*info = catalog_resolve(id);
	if (id && *id && !catalog_find(id))
		log_warn("connection test of an unknown runtime, %s is tested", (*info)->id);
	return RC_OK;
}

enum rc h_settings_test(struct request *rq)
{
	struct hub_ticket t = { .kind = HUB_JOB, .timeout_ms = TEST_TIMEOUT_MS, .is_test = true };
	const struct runtime_info *info;
	struct ctx *cx = &rq->cx;
	enum rc rc = tested_runtime(rq, &info);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = queue_put(cx, JOB_SETTINGS_TEST, NULL, NULL, NULL,
	    arena_printf(cx->arena, "{\"runtime\":\"%s\"}", info->id), &t.job);
	audit(cx, "settings.test", "runtime", info->id, NULL);
	if ((rc = tx_end(cx, rc)) != RC_OK)
		return rc;
	snprintf(t.timeout_text, sizeof t.timeout_text, "The job runner did not answer in time");
	return reply_through_hub(rq, &t);
}
