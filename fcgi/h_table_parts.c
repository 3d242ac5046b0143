/* /api/tables: triggers, charts and templates. */
#include "core/domain/table.h"

#include "core/model/models.h"
#include "fcgi/handlers.h"

enum rc h_trigger_list(struct request *rq)
{
	return trigger_write_list(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_trigger_create(struct request *rq)
{
	const char *id;
	enum rc rc = table_find(&rq->cx, rq->id);

	if (rc == RC_OK)
		rc = request_cells(rq);
	if (rc == RC_OK)
		rc = trigger_create(&rq->cx, rq->id, rq->in, &id);
	return rc != RC_OK ? rc : trigger_write(&rq->cx, reply(rq, 201), rq->id, id);
}

enum rc h_trigger_set_status(struct request *rq)
{
	enum rc rc = trigger_set_status(&rq->cx, rq->id, rq->in);

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_trigger_update(struct request *rq)
{
	enum rc rc = trigger_find(&rq->cx, rq->id, rq->id2);

	if (rc == RC_OK)
		rc = request_cells(rq);
	if (rc == RC_OK)
		rc = trigger_update(&rq->cx, rq->id, rq->id2, rq->in);
	return rc != RC_OK ? rc : trigger_write(&rq->cx, reply(rq, 200), rq->id, rq->id2);
}

static enum rc no_content(struct request *rq, enum rc rc)
{
	if (rc == RC_OK)
		reply(rq, 204);
	return rc;
}

enum rc h_trigger_delete(struct request *rq)
{
	return no_content(rq, trigger_delete(&rq->cx, rq->id, rq->id2));
}

enum rc h_chart_list(struct request *rq)
{
	chart_write_list(&rq->cx, reply(rq, 200), rq->id);
	return RC_OK;
}

static enum rc id_and_name(struct request *rq, const char *id, const char *name)
{
	struct jw *w = reply(rq, 201);

	jw_obj(w);
	jw_kstr(w, "id", id);
	jw_kstr(w, "name", name);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_chart_create(struct request *rq)
{
	const char *id;
	enum rc rc = table_find(&rq->cx, rq->id);

	if (rc == RC_OK)
		rc = request_json(rq);
	if (rc == RC_OK)
		rc = chart_create(&rq->cx, rq->id, rq->in, &id);
	return rc != RC_OK ? rc : id_and_name(rq, id, json_str(rq->in, "title"));
}

enum rc h_chart_update(struct request *rq)
{
	enum rc rc = chart_find(&rq->cx, rq->id, rq->id2);

	if (rc == RC_OK)
		rc = request_json(rq);
	if (rc == RC_OK)
		rc = chart_update(&rq->cx, rq->id, rq->id2, rq->in);
	return rc != RC_OK ? rc : chart_write(&rq->cx, reply(rq, 200), rq->id, rq->id2);
}

enum rc h_chart_delete(struct request *rq)
{
	return no_content(rq, chart_delete(&rq->cx, rq->id, rq->id2));
}

enum rc h_chart_data(struct request *rq)
{
	enum rc rc = db_begin_read(rq->cx.db);

	return rc != RC_OK ? rc : chart_write_data(&rq->cx, reply(rq, 200), rq->id, rq->id2);
}

/* An empty value is no category, and no scope. */
enum rc h_template_list(struct request *rq)
{
	const char *category = query_get_raw(rq, "category"), *scope = query_get_raw(rq, "scope");
	json_t *in = json_keep(rq->cx.arena, json_object());
	enum rc rc;

	if (category)
		json_object_set_new(in, "category", json_string(category));
	if (scope)
		json_object_set_new(in, "scope", json_string(scope));
	rc = shape_check(rq->cx.arena, &SHAPE_TEMPLATE_QUERY, in, &rq->cx.err);
	if (rc == RC_OK)
		template_write_list(&rq->cx, reply(rq, 200), category, scope);
	return rc;
}

enum rc h_template_save(struct request *rq)
{
	const char *id;
	enum rc rc = template_save(&rq->cx, rq->in, &id);

	return rc != RC_OK ? rc : id_and_name(rq, id, json_str(rq->in, "name"));
}
