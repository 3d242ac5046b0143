/* /api/schedules */
#include "core/domain/schedule.h"
#include "fcgi/handlers.h"

enum rc h_schedule_list(struct request *rq)
{
	schedule_write_list(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_schedule_create(struct request *rq)
{
	const char *id;
	enum rc rc = schedule_create(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : schedule_write(&rq->cx, reply(rq, 201), id);
}

enum rc h_schedule_get(struct request *rq)
{
	return schedule_write_full(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_schedule_update(struct request *rq)
{
	enum rc rc = schedule_update(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : schedule_write(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_schedule_delete(struct request *rq)
{
	struct jw *w;
	enum rc rc = schedule_delete(&rq->cx, rq->id);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kbool(w, "deleted", true);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_schedule_parse(struct request *rq)
{
	struct schedule_preview p;
	struct jw *w;
	enum rc rc = schedule_preview(&rq->cx, rq->in, &p);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kstr(w, "cronExpression", p.cron);
	jw_kstr(w, "description", p.description);
	jw_key(w, "nextFireTimes");
	jw_arr(w);
	for (size_t i = 0; i < p.n; i++)
		jw_time(w, p.times[i]);
	jw_end_arr(w);
	jw_knum(w, "confidence", p.confidence);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_schedule_history(struct request *rq)
{
	return schedule_write_history(&rq->cx, reply(rq, 200), rq->id);
}
