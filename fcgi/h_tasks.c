/* /api/tasks */
#include "core/domain/task.h"

#include <stdio.h>

#include "core/catalog.h"
#include "core/text.h"
#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"

#define PAGE_MAX 1000

/* A cursor is the place behind which the next page begins: priority, creation, row. */
static bool read_cursor(const char *text, struct task_page *p)
{
	long long created, row;
	int n = 0;

	if (sscanf(text, "%lf_%lld_%lld%n", &p->priority, &created, &row, &n) != 3 || text[n])
		return false;
	p->created_at = created;
	p->rowid = row;
	return true;
}

/* limit and cursor are ours: without them the list is whole, as clients of the interface expect. */
static enum rc read_page(struct request *rq, struct task_page *p)
{
	const char *limit = query_get(rq, "limit"), *cursor = query_get(rq, "cursor");

	*p = (struct task_page){ .limit = -1, .priority = TASK_PAGE_FIRST };
	if (limit && !text_to_int(limit, 1, PAGE_MAX, &p->limit))
		return ctx_fail(
		    &rq->cx, RC_INVALID, "limit must be a number from 1 to %d", PAGE_MAX);
	if (cursor && !read_cursor(cursor, p))
		return ctx_fail(&rq->cx, RC_INVALID, "Invalid cursor");
	return RC_OK;
}

enum rc h_task_list(struct request *rq)
{
	const char *status = query_get(rq, "status"), *project = query_get(rq, "projectId");
	struct task_page page, next;
	enum rc rc;

	if (status && !word_in(&TASK_STATUSES, status))
		return ctx_fail(&rq->cx, RC_INVALID,
		    "Invalid status. Must be one of: planned, queued, running, completed, failed, "
		    "cancelled");
	if ((rc = read_page(rq, &page)) != RC_OK)
		return rc;
	if (page.limit >= 0)
		reply_keep_whole(rq);
	task_write_list(&rq->cx, reply(rq, 200), project, status, &page, &next);
	if (next.rowid)
		rq->next_cursor = arena_printf(rq->cx.arena, "%.17g_%lld_%lld", next.priority,
		    (long long)next.created_at, (long long)next.rowid);
	return RC_OK;
}

enum rc h_task_create(struct request *rq)
{
	const char *id;

	return task_create(&rq->cx, rq->in, reply(rq, 201), &id);
}

enum rc h_task_get(struct request *rq)
{
	return task_write(&rq->cx, reply(rq, 200), rq->id, true);
}

enum rc h_task_update(struct request *rq)
{
	enum rc rc = task_update(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : task_write(&rq->cx, reply(rq, 200), rq->id, false);
}

enum rc h_task_delete(struct request *rq)
{
	enum rc rc = task_delete(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_success(rq);
}

static enum rc accepted(struct request *rq, const char *message)
{
	struct jw *w = reply(rq, 202);

	jw_obj(w);
	jw_kstr(w, "message", message);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_task_execute(struct request *rq)
{
	enum rc rc = task_execute(&rq->cx, rq->id);

	return rc != RC_OK ? rc : accepted(rq, "Execution started");
}

enum rc h_task_resume(struct request *rq)
{
	enum rc rc = task_resume(&rq->cx, rq->id);

	return rc != RC_OK ? rc : accepted(rq, "Resume started");
}

enum rc h_task_cancel(struct request *rq)
{
	enum rc rc = task_cancel(&rq->cx, rq->id);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_task_respond(struct request *rq)
{
	enum rc rc = task_respond(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_task_output(struct request *rq)
{
	struct task t;
	const char *result;
	struct jw *w;
	enum rc rc = task_load(&rq->cx, rq->id, "Task not found", &t);

	if (rc != RC_OK)
		return rc;
	result = t.result ? t.result : "";
	w = reply(rq, 200);
	jw_obj(w);
	jw_kstr(w, "taskId", t.id);
	jw_kstr(w, "status", t.status);
	jw_kstr(w, "result", result);
	jw_kstr(w, "contentType", task_content_type(rq->cx.arena, result));
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_task_provenance(struct request *rq)
{
	return task_write_provenance(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_task_siblings(struct request *rq)
{
	struct q *q = db_query(rq->cx.db, Q_TASK_SIBLINGS, "t", rq->id);
	struct jw *w = reply(rq, 200);

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		jw_kstr(w, "id", db_text(q, 0));
		jw_kstr(w, "title", db_text(q, 1));
		jw_kstr(w, "status", db_text(q, 2));
		jw_ktime(w, "createdAt", db_int(q, 3));
		jw_end_obj(w);
	}
	jw_end_arr(w);
	return RC_OK;
}

static bool blank(const json_t *in, const char *key)
{
	const char *s = json_str(in, key);

	return !s || text_is_blank(s);
}

/* Body fields of the wrong type are schema errors; no usable text at all has words of its own, and
 * so has a root that is no object. */
enum rc h_task_assist(struct request *rq)
{
	const json_t *in = rq->in;
	struct job_reply jr = { .kind = JOB_TASK_ASSIST, .activity = "task_assist",
		.audit = "task.assist", .timeout_ms = ASSIST_TIMEOUT_MS,
		.timeout_text = ASSIST_TIMEOUT_TEXT };
	enum rc rc;

	if (json_is_object(in) &&
	    (rc = shape_check(rq->cx.arena, &SHAPE_TASK_ASSIST, in, &rq->cx.err)) != RC_OK)
		return rc;
	if (blank(in, "title") && blank(in, "description"))
		return ctx_fail(
		    &rq->cx, RC_INVALID, "Provide at least a title or description");
	jr.runtime = catalog_resolve(json_str(in, "assignedAgent"))->id;
	jr.payload = json_text(rq->cx.arena, in);
	return reply_with_job(rq, &jr);
}
