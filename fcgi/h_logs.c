/* The two log streams. The hub sends them; here the query is read. */
#include <stdio.h>

#include "core/clock.h"
#include "core/domain/task.h"
#include "core/text.h"
#include "fcgi/handlers.h"

#define TAIL_MAX 500

/* A final task whose log the client has read to its end: no stream, so that a browser stops
 * reconnecting. */
static bool nothing_more(struct request *rq, int64_t after)
{
	struct task t;
	bool ended = true;

	if (task_load(&rq->cx, rq->id, "", &t) == RC_OK)
		ended = task_has_ended(t.status);
	err_clear(&rq->cx.err);
	return ended && after >= db_get_int(rq->cx.db, 0, Q_TASK_LAST_LOG, "t", rq->id);
}

enum rc h_task_logs(struct request *rq)
{
	struct hub_ticket t = { .kind = HUB_LOGS, .one_task = true, .filter_task = true };

	if (*rq->last_event_id && text_to_int(rq->last_event_id, 0, INT64_MAX, &t.after) &&
	    nothing_more(rq, t.after)) {
		rq->status = 204;
		return RC_OK;
	}
	snprintf(t.task, sizeof t.task, "%s", rq->id);
	return reply_through_hub(rq, &t);
}

enum rc h_log_stream(struct request *rq)
{
	struct hub_ticket t = { .kind = HUB_LOGS };
	const char *task = query_get(rq, "taskId"), *event = query_get(rq, "eventType");
	const char *since = query_get(rq, "since"), *tail = query_get(rq, "tail");

	if (task)
		snprintf(t.task, sizeof t.task, "%s", task);
	if (event)
		snprintf(t.event, sizeof t.event, "%s", event);
	t.filter_task = task != NULL;
	t.filter_event = event != NULL;
	if (*rq->last_event_id && !text_to_int(rq->last_event_id, 0, INT64_MAX, &t.after))
		t.after = 0;
	if (since && !time_parse_iso(since, &t.since_s))
		t.since_s = 0;
	if (tail && !text_to_int(tail, 1, TAIL_MAX, &t.tail))
		t.tail = 0;
	return reply_through_hub(rq, &t);
}
