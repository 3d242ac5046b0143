/* /api/context */
#include "core/domain/context.h"
#include "fcgi/handlers.h"

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
