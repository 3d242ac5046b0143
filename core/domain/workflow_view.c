/* Workflows: what is shown of them. */
#include "core/domain/workflow.h"

#include "core/domain/flow.h"
#include "core/json_in.h"
#include "core/model/models.h"

enum rc workflow_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_WORKFLOW_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Workflow not found");
	row_json(w, q, &MODEL_WORKFLOW, 0);
	db_done(q);
	return RC_OK;
}

void workflow_write_list(struct ctx *cx, struct jw *w)
{
	static const char *const KEYS[] = { "id", "name", "projectId", "definition", "status" };
	struct q *q = db_query(cx->db, Q_WORKFLOW_LIST, "");

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		for (int i = 0; i < (int)COUNT(KEYS); i++)
			jw_kstr(w, KEYS[i], db_text(q, i));
		jw_kint(w, "runNumber", db_int(q, 5));
		jw_ktime(w, "createdAt", db_int(q, 6));
		jw_ktime(w, "updatedAt", db_int(q, 7));
		jw_kint(w, "taskCount", db_int(q, 8));
		jw_kint(w, "outputDocCount", db_int(q, 9));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

/* ---- status ---- */

static void write_steps(struct jw *w, const struct flow *f)
{
	const char *key;
	json_t *v;

	jw_key(w, "steps");
	if (f->pattern == FLOW_LOOP && f->steps) {
		jw_json(w, f->steps);
		return;
	}
	jw_arr(w);
	for (size_t i = 0; i < f->n; i++) {
		jw_obj(w);
		json_object_foreach((json_t *)(uintptr_t)flow_step(f, i), key, v)
			if (strcmp(key, "state") != 0)
				jw_kjson(w, key, v);
		jw_key(w, "state");
		if (flow_state(f, i)) {
			jw_json(w, flow_state(f, i));
		} else {
			jw_obj(w);
			jw_kstr(w, "stepId", flow_step_id(f, i));
			jw_kstr(w, "status", "pending");
			jw_end_obj(w);
		}
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void write_documents(struct jw *w, struct q *q)
{
	static const char *const KEYS[] = { "id", "originalName", "mimeType", "storagePath",
		"direction" };

	while (db_next(q)) {
		jw_obj(w);
		for (int i = 0; i < (int)COUNT(KEYS); i++)
			jw_kstr(w, KEYS[i], db_text(q, i));
		jw_end_obj(w);
	}
}

/* The output documents of a task that the state names, under its id; nothing where it has none. */
static void write_outputs(struct ctx *cx, struct jw *w, const char *task)
{
	if (!*task || !db_get_int(cx->db, 0, Q_WORKFLOW_HAS_OUTPUT, "t", task))
		return;
	jw_key(w, task);
	jw_arr(w);
	write_documents(w, db_query(cx->db, Q_WORKFLOW_OUTPUT_DOCUMENTS, "t", task));
	jw_end_arr(w);
}

static void write_step_documents(struct ctx *cx, struct jw *w, const struct flow *f)
{
	const json_t *iterations = json_object_get(f->loop, "iterations");
	json_t *v;
	size_t i;

	jw_key(w, "stepDocuments");
	jw_obj(w);
	for (i = 0; i < f->n; i++)
		write_outputs(cx, w, flow_text(flow_state(f, i), "taskId"));
	json_array_foreach(iterations, i, v)
		write_outputs(cx, w, flow_text(v, "taskId"));
	jw_end_obj(w);
}

static void write_parent_documents(struct ctx *cx, struct jw *w, const struct flow *f)
{
	const char *source = flow_text(f->definition, "sourceTaskId");

	jw_key(w, "parentDocuments");
	jw_arr(w);
	if (*source)
		write_documents(w, db_query(cx->db, Q_WORKFLOW_INPUT_DOCUMENTS, "t", source));
	jw_end_arr(w);
}

static void write_history(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_WORKFLOW_RUNS, "t", id);

	jw_key(w, "runHistory");
	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		jw_key(w, "runNumber");
		if (db_is_null(q, 0))
			jw_null(w);
		else
			jw_int(w, db_int(q, 0));
		jw_kint(w, "taskCount", db_int(q, 1));
		jw_kint(w, "completedCount", db_int(q, 2));
		jw_kint(w, "failedCount", db_int(q, 3));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void write_config(struct jw *w, const struct flow *f)
{
	const json_t *swarm = json_object_get(f->definition, "swarmConfig");

	jw_kstr(w, "pattern", flow_text(f->definition, "pattern"));
	if (f->pattern == FLOW_LOOP) {
		jw_kjson(w, "loopConfig", json_object_get(f->definition, "loopConfig"));
		jw_kjson(w, "loopState", f->loop);
	} else if (swarm) {
		jw_kjson(w, "swarmConfig", swarm);
	}
}

enum rc workflow_write_status(struct ctx *cx, struct jw *w, const char *id)
{
	struct flow f;
	enum rc rc = flow_load(cx, id, &f);

	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	jw_kstr(w, "id", f.id);
	jw_kstr(w, "name", f.name);
	jw_kstr(w, "status", f.status);
	jw_kstr(w, "projectId", f.project_id);
	jw_kstr(w, "definition", f.text);
	jw_kint(w, "runNumber", f.run_number);
	write_config(w, &f);
	write_steps(w, &f);
	if (f.pattern != FLOW_LOOP)
		jw_kjson(w, "workflowState", f.state);
	write_step_documents(cx, w, &f);
	write_parent_documents(cx, w, &f);
	write_history(cx, w, id);
	jw_end_obj(w);
	return cx->err.rc;
}
