/* /api/notifications */
#include "core/domain/notification.h"
#include "fcgi/handlers.h"

enum rc h_notification_list(struct request *rq)
{
	const char *type = query_get(rq, "type");
	struct jw *w = reply(rq, 200);

	if (!query_flag(rq, "countOnly")) {
		notification_write_list(&rq->cx, w, query_flag(rq, "unread"), type);
		return RC_OK;
	}
	jw_obj(w);
	jw_kint(w, "count", notification_count_unread(&rq->cx, type));
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_notification_update(struct request *rq)
{
	const json_t *read = json_object_get(rq->in, "read");
	enum rc rc = notification_set_read(&rq->cx, rq->id, !json_is_false(read));

	return rc != RC_OK ? rc : notification_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_notification_delete(struct request *rq)
{
	enum rc rc = notification_delete(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_notification_read_all(struct request *rq)
{
	enum rc rc = notification_read_all(&rq->cx);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_approval_list(struct request *rq)
{
	pending_approvals_write(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_approval_stream(struct request *rq)
{
	struct hub_ticket t = { .kind = HUB_APPROVALS };

	return reply_through_hub(rq, &t);
}
