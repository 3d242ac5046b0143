/* /api/views */
#include "core/domain/view.h"
#include "fcgi/handlers.h"

enum rc h_view_list(struct request *rq)
{
	const char *surface = query_get(rq, "surface");

	if (!surface)
		return ctx_fail(&rq->cx, RC_INVALID, "surface param required");
	view_write_list(&rq->cx, reply(rq, 200), surface);
	return RC_OK;
}

enum rc h_view_create(struct request *rq)
{
	const char *id;
	enum rc rc = view_create(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : view_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_view_update(struct request *rq)
{
	enum rc rc = view_update(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : view_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_view_delete(struct request *rq)
{
	enum rc rc = view_delete(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}
