/* Workflows: creating, editing, pausing, deleting. */
#include "core/domain/workflow.h"

#include <math.h>
#include <stdio.h>

#include "core/domain/document.h"
#include "core/domain/flow.h"
#include "core/domain/task.h"
#include "core/domain/workflow_int.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"

#define PRIORITY_DEFAULT 2
#define WHOLE_MAX 9007199254740991.0 /* of a double */
#define ANSWER_MAX ((size_t)32 << 20) /* held back until the commit */

/* What a body says of a new workflow, checked. */
struct body {
	const char *name, *project;
	json_t *definition; /* without run state */
	const char *text;   /* the same as it is stored */
};

static enum rc read_name(struct ctx *cx, const json_t *in, const char **name)
{
	*name = json_str(in, "name");
	if (!*name || text_is_blank(*name))
		return ctx_fail(cx, RC_INVALID, "Name is required");
	*name = text_trim(cx->arena, *name);
	return RC_OK;
}

/* A run state that a client sends is not taken over. */
static enum rc read_definition(struct ctx *cx, const json_t *in, struct body *b)
{
	const json_t *definition = json_object_get(in, "definition");
	enum rc rc = workflow_check(cx, definition);

	if (rc != RC_OK)
		return rc;
	b->definition = json_keep(cx->arena, json_copy((json_t *)(uintptr_t)definition));
	json_object_del(b->definition, "_state");
	json_object_del(b->definition, "_loopState");
	b->text = json_text(cx->arena, b->definition);
	return RC_OK;
}

static enum rc read_body(struct ctx *cx, const json_t *in, struct body *b)
{
	enum rc rc = read_name(cx, in, &b->name);

	b->project = flow_some(in, "projectId");
	return rc != RC_OK ? rc : read_definition(cx, in, b);
}

/* Inside a transaction. */
static enum rc insert(struct ctx *cx, const struct body *b, const char *status, struct jw *w,
    const char **id)
{
	struct q *row;

	if (b->project && !db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", b->project))
		return ctx_fail(cx, RC_NOTFOUND, "Project not found");
	*id = id_make(cx->arena);
	row = db_query(cx->db, Q_WORKFLOW_INSERT, "ttttti", *id, b->project, b->name, b->text,
	    status, cx->now);
	if (db_next(row) && w)
		row_json(w, row, &MODEL_WORKFLOW, 0);
	db_done(row);
	audit(cx, "workflow.create", "workflow", *id, NULL);
	return cx->err.rc;
}

enum rc workflow_create(struct ctx *cx, const json_t *in, const char **id)
{
	struct body b;
	enum rc rc = read_body(cx, in, &b);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	return tx_end(cx, insert(cx, &b, "draft", NULL, id));
}

enum rc workflow_add(struct ctx *cx, const char *project, const char *name, const char *definition,
    const char **id)
{
	struct body b = { .name = name, .project = project, .text = definition };
	enum rc rc = tx_begin(cx);

	return rc != RC_OK ? rc : tx_end(cx, insert(cx, &b, "draft", NULL, id));
}

/* ---- from an assist ---- */

static double read_priority(const json_t *in)
{
	double v = json_num(in, "priority", PRIORITY_DEFAULT);

	return v == floor(v) && fabs(v) <= WHOLE_MAX ? v : PRIORITY_DEFAULT;
}

/* A planned task for each step; their ids are written as an array. */
static void plan_steps(struct ctx *cx, const struct flow *f, const json_t *in, struct jw *w)
{
	double priority = read_priority(in);

	jw_arr(w);
	for (size_t i = 0; i < f->n; i++) {
		const json_t *step = flow_step(f, i);
		const char *agent = flow_some(step, "assignedAgent");
		struct task t = {
			.id = id_make(cx->arena),
			.project_id = f->project_id,
			.workflow_id = f->id,
			.title = flow_step_name(cx->arena, f, i),
			.description = flow_step_prompt(f, i),
			.assigned_agent = agent ? agent : flow_some(in, "assignedAgent"),
			.profile = flow_some(step, "agentProfile"),
		};

		task_add_planned(cx, &t, priority);
		jw_str(w, t.id);
	}
	jw_end_arr(w);
}

static enum rc create_and_plan(struct ctx *cx, const struct body *b, const json_t *in, bool run,
    struct jw *w)
{
	struct flow f = { .project_id = b->project, .name = b->name, .text = b->text };
	enum rc rc;

	jw_obj(w);
	jw_key(w, "workflow");
	rc = insert(cx, b, run ? "active" : "draft", w, &f.id);
	if (rc != RC_OK)
		return rc;
	flow_read(cx->arena, &f);
	jw_key(w, "taskIds");
	plan_steps(cx, &f, in, w);
	jw_knull(w, "parentTaskId");
	jw_kstr(w, "status", run ? "started" : "created");
	jw_end_obj(w);
	return run ? workflow_begin_run(cx, &f, NULL) : cx->err.rc;
}

enum rc workflow_create_from_assist(struct ctx *cx, const json_t *in, struct jw *w)
{
	struct buf out;
	struct jw draft = jw_on(&out);
	struct body b;
	enum rc rc = read_body(cx, in, &b);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	buf_init(&out, ANSWER_MAX);
	rc = create_and_plan(cx, &b, in, json_flag(in, "executeImmediately"), &draft);
	if (rc == RC_OK && out.failed)
		rc = ctx_fail(cx, RC_TOOLARGE, "The workflow is too large");
	rc = tx_end(cx, rc);
	if (rc == RC_OK)
		jw_raw(w, buf_text(&out), out.len);
	else if (rc_http_status(rc) == 500)
		snprintf(cx->err.msg, sizeof cx->err.msg, "Failed to create workflow and tasks");
	buf_fini(&out);
	return rc;
}

/* ---- editing and pausing ---- */

/* What is new, checked: looks at files, so it is done before the transaction. */
static enum rc read_edit(struct ctx *cx, const json_t *in, struct body *b)
{
	enum rc rc = RC_OK;

	if (json_object_get(in, "name"))
		rc = read_name(cx, in, &b->name);
	if (rc == RC_OK && json_object_get(in, "definition"))
		rc = read_definition(cx, in, b);
	return rc;
}

/* The state of a workflow, in the arena; NULL with a failure where there is none. */
static const char *status_of(struct ctx *cx, const char *id)
{
	const char *status = db_get_text(cx->db, cx->arena, Q_WORKFLOW_STATUS, "t", id);

	if (!status)
		ctx_fail(cx, RC_NOTFOUND, "Workflow not found");
	return status;
}

static enum rc check_editable(struct ctx *cx, const char *id)
{
	const char *status = status_of(cx, id);

	if (status && (strcmp(status, "active") == 0 || strcmp(status, "paused") == 0))
		ctx_fail(cx, RC_CONFLICT, "Cannot edit active or paused workflows");
	return cx->err.rc;
}

/* A workflow with a new name only is a draft, too, and its run is not shown any more. */
static enum rc make_draft(struct ctx *cx, const char *id)
{
	struct flow f;
	enum rc rc = flow_load(cx, id, &f);

	if (rc != RC_OK || strcmp(f.status, "draft") == 0)
		return rc;
	flow_clear(&f);
	return flow_store(cx, &f, "draft");
}

static enum rc edit(struct ctx *cx, const char *id, const json_t *in, struct jw *w)
{
	struct body b = { 0 };
	enum rc rc = check_editable(cx, id);

	if (rc == RC_OK)
		rc = read_edit(cx, in, &b);
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = check_editable(cx, id);
	if (rc == RC_OK && !b.text)
		rc = make_draft(cx, id);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	workflow_forget(cx, id);
	db_run(cx->db, Q_WORKFLOW_EDIT, "ttti", id, b.name, b.text, cx->now);
	audit(cx, "workflow.update", "workflow", id, NULL);
	rc = tx_end(cx, RC_OK);
	return rc != RC_OK || !w ? rc : workflow_write(cx, w, id);
}

static enum rc pause(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_WORKFLOW_PAUSE, "ti", id, cx->now);
	if (!db_changes(cx->db))
		return tx_end(cx, ctx_fail(cx, RC_CONFLICT, "Can only pause an active workflow"));
	workflow_wake(cx, id);
	audit(cx, "workflow.pause", "workflow", id, NULL);
	return tx_end(cx, RC_OK);
}

static enum rc set_status(struct ctx *cx, const char *id, const char *status, struct jw *w)
{
	enum rc rc;

	if (!status || !*status)
		return ctx_fail(cx, RC_INVALID, "status, name, or definition is required");
	if (strcmp(status, "active") == 0)
		return ctx_fail(cx, RC_INVALID,
		    "Use POST /api/workflows/[id]/execute to resume a workflow");
	if (strcmp(status, "paused") != 0)
		return ctx_fail(cx, RC_INVALID, "Invalid status transition: %s", status);
	rc = pause(cx, id);
	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	jw_kstr(w, "id", id);
	jw_kstr(w, "status", status);
	jw_end_obj(w);
	return RC_OK;
}

enum rc workflow_update(struct ctx *cx, const char *id, const json_t *in, struct jw *w)
{
	if (!db_get_int(cx->db, 0, Q_WORKFLOW_EXISTS, "t", id))
		return ctx_fail(cx, RC_NOTFOUND, "Workflow not found");
	if (json_object_get(in, "name") || json_object_get(in, "definition"))
		return edit(cx, id, in, w);
	return set_status(cx, id, json_str(in, "status"), w);
}

/* ---- deleting ---- */

static void remove_all(struct ctx *cx, const char *id)
{
	json_t *list, *item;
	size_t i;

	workflow_forget(cx, id);
	db_run(cx->db, Q_WORKFLOW_DELETE_USAGE, "t", id);
	list = ctx_list(cx, Q_WORKFLOW_TASK_DOCUMENTS, id);
	json_array_foreach(list, i, item)
		document_remove(cx, json_string_value(item));
	list = ctx_list(cx, Q_WORKFLOW_TASKS, id);
	json_array_foreach(list, i, item)
		task_remove(cx, json_string_value(item), true);
	db_run(cx->db, Q_WORKFLOW_DELETE_DOCUMENTS, "t", id);
	db_run(cx->db, Q_WORKFLOW_DELETE_TABLES, "t", id);
	workflow_close_questions(cx, id, "The workflow was deleted");
	db_run(cx->db, Q_WORKFLOW_DELETE, "t", id);
}

enum rc workflow_delete(struct ctx *cx, const char *id)
{
	const char *status;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	status = status_of(cx, id);
	if (status && strcmp(status, "active") == 0)
		ctx_fail(cx, RC_CONFLICT, "Cannot delete an active workflow \xe2\x80\x94 "
					  "pause or wait for completion");
	if (cx->err.rc != RC_OK)
		return tx_end(cx, cx->err.rc);
	remove_all(cx, id);
	audit(cx, "workflow.delete", "workflow", id, NULL);
	return tx_end(cx, RC_OK);
}
