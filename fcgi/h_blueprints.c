/* /api/blueprints. Fetching one from GitHub is a job. */
#include "core/domain/blueprint.h"

#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"

#define IMPORT_TIMEOUT_MS 30000

enum rc h_blueprint_list(struct request *rq)
{
	blueprint_write_list(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_blueprint_create(struct request *rq)
{
	const char *text = json_str(rq->in, "yaml");
	const json_t *doc;
	enum rc rc;

	if (!text || !*text)
		return ctx_fail(&rq->cx, RC_INVALID, "yaml field is required");
	rc = blueprint_create(&rq->cx, text, &doc);
	if (rc == RC_OK)
		blueprint_write(reply(rq, 201), doc, false);
	return rc;
}

enum rc h_blueprint_import(struct request *rq)
{
	const char *url = json_str(rq->in, "url"), *place;
	struct job_reply jr = { .kind = JOB_BLUEPRINT_FETCH, .timeout_ms = IMPORT_TIMEOUT_MS,
		.timeout_text = "GitHub does not answer in time" };

	if (!url || !*url)
		return ctx_fail(&rq->cx, RC_INVALID, "url is required");
	place = blueprint_parse_url(rq->cx.arena, url);
	if (!place)
		return ctx_fail(&rq->cx, RC_INVALID, "Only GitHub URLs are supported");
	jr.payload = json_text(rq->cx.arena,
	    json_keep(rq->cx.arena, json_pack("{s:s}", "place", place)));
	return reply_with_job(rq, &jr);
}

enum rc h_blueprint_get(struct request *rq)
{
	return blueprint_write_one(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_blueprint_delete(struct request *rq)
{
	enum rc rc = blueprint_remove(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}

enum rc h_blueprint_instantiate(struct request *rq)
{
	return blueprint_instantiate(&rq->cx, reply(rq, 201), rq->id, rq->in);
}
