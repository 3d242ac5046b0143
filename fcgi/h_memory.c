/* /api/memory */
#include "core/domain/memory.h"
#include "fcgi/handlers.h"

enum rc h_memory_list(struct request *rq)
{
	const char *profile = query_get(rq, "profileId");

	if (!profile)
		return ctx_fail(&rq->cx, RC_INVALID, "profileId query parameter is required");
	memory_write_list(&rq->cx, reply(rq, 200), profile, query_get(rq, "category"),
	    query_get(rq, "status"));
	return RC_OK;
}

enum rc h_memory_create(struct request *rq)
{
	const char *id;
	struct jw *w;
	enum rc rc = memory_create(&rq->cx, rq->in, &id);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 201);
	jw_obj(w);
	jw_kstr(w, "id", id);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_memory_update(struct request *rq)
{
	enum rc rc = memory_update(&rq->cx, rq->in);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}

enum rc h_memory_archive(struct request *rq)
{
	enum rc rc = memory_archive(&rq->cx, rq->in);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}
