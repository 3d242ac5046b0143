/* /api/handoffs */
#include "core/domain/handoff.h"
#include "fcgi/handlers.h"

enum rc h_handoff_list(struct request *rq)
{
	handoff_write_list(&rq->cx, reply(rq, 200), query_get(rq, "status"),
	    query_get(rq, "profileId"));
	return RC_OK;
}

enum rc h_handoff_create(struct request *rq)
{
	const char *id;
	enum rc rc = handoff_create(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : handoff_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_handoff_get(struct request *rq)
{
	return handoff_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_handoff_decide(struct request *rq)
{
	enum rc rc = handoff_answer(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : handoff_write(&rq->cx, reply(rq, 200), rq->id);
}
