/* /api/workflows */
#include "core/domain/workflow.h"
#include "fcgi/handlers.h"

enum rc h_workflow_list(struct request *rq)
{
	workflow_write_list(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_workflow_create(struct request *rq)
{
	const char *id;
	enum rc rc = workflow_create(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : workflow_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_workflow_from_assist(struct request *rq)
{
	return workflow_create_from_assist(&rq->cx, rq->in, reply(rq, 201));
}

enum rc h_workflow_update(struct request *rq)
{
	return workflow_update(&rq->cx, rq->id, rq->in, reply(rq, 200));
}

enum rc h_workflow_delete(struct request *rq)
{
	struct jw *w;
	enum rc rc = workflow_delete(&rq->cx, rq->id);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kbool(w, "deleted", true);
	jw_end_obj(w);
	return RC_OK;
}

static enum rc started(struct request *rq, const char *status)
{
	struct jw *w = reply(rq, 202);

	jw_obj(w);
	jw_kstr(w, "status", status);
	jw_kstr(w, "workflowId", rq->id);
	if (rq->id2)
		jw_kstr(w, "stepId", rq->id2);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_workflow_execute(struct request *rq)
{
	enum rc rc = workflow_start(&rq->cx, rq->id, NULL);

	return rc != RC_OK ? rc : started(rq, "started");
}

enum rc h_workflow_retry(struct request *rq)
{
	enum rc rc = workflow_retry(&rq->cx, rq->id, rq->id2);

	return rc != RC_OK ? rc : started(rq, "retry_started");
}

enum rc h_workflow_status(struct request *rq)
{
	return workflow_write_status(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_workflow_documents(struct request *rq)
{
	workflow_write_documents(&rq->cx, reply(rq, 200), rq->id);
	return RC_OK;
}

enum rc h_workflow_attach(struct request *rq)
{
	return workflow_attach(&rq->cx, rq->id, rq->in, reply(rq, 201));
}

/* No body at all means all bindings; one that is not JSON removes nothing. */
enum rc h_workflow_detach(struct request *rq)
{
	char *text;
	size_t n;
	enum rc rc = request_body(rq, (size_t)rq->cx.conf->http_body_max, &text, &n);

	if (rc == RC_OK && n) {
		rq->in = json_read(rq->cx.arena, text, n);
		if (!rq->in)
			rc = ctx_fail(&rq->cx, RC_INVALID, "Invalid JSON body");
	}
	if (rc == RC_OK)
		rc = workflow_detach(&rq->cx, rq->id, rq->in);
	return rc != RC_OK ? rc : reply_ok(rq, 200);
}
