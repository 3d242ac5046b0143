/* Tools: workflows. */
#include "core/domain/workflow.h"

#include "core/clock.h"
#include "core/domain/flow.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"
#include "jobrunner/tools/tools_int.h"

#define PREVIEW_UNITS 200
#define STATUS_PREVIEW_UNITS 300
#define DEFINITION_DOC \
	"JSON text: {\"pattern\": sequence, planner-executor, checkpoint, loop, parallel or " \
	"swarm, \"steps\": [{\"id\", \"name\", \"prompt\", \"assignedAgent\"?, \"agentProfile\"?, " \
	"\"requiresApproval\"?, \"dependsOn\"?}], \"loopConfig\"?: {\"maxIterations\"}, " \
	"\"swarmConfig\"?: {\"workerConcurrencyLimit\"}}"
#define WORKFLOW_ID { "workflowId", F_STRING, F_REQUIRED, .doc = "Id of the workflow" }

static const struct field ITEM = { .type = F_STRING };

static const struct field LIST[] = {
	{ "projectId", F_STRING,
	    .doc = "Only those of this project; default: the current one; empty: all projects" },
	{ "status", F_ENUM, .words = &WORKFLOW_STATUSES, .doc = "Only workflows in this state" },
};
const struct shape PARAMS_LIST_WORKFLOWS = { "list_workflows", LIST, COUNT(LIST) };

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200, .doc = "Name of the workflow" },
	{ "projectId", F_STRING, .doc = "Project of the workflow; default: the current one" },
	{ "definition", F_STRING, F_REQUIRED, .doc = DEFINITION_DOC },
	{ "documentIds", F_ARRAY, .item = &ITEM, .doc = "Documents that every step is given" },
};
const struct shape PARAMS_CREATE_WORKFLOW = { "create_workflow", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	WORKFLOW_ID,
	{ "name", F_STRING, F_MIN | F_MAX, 1, 200, .doc = "Name of the workflow" },
	{ "definition", F_STRING, .doc = DEFINITION_DOC },
};
const struct shape PARAMS_UPDATE_WORKFLOW = { "update_workflow", UPDATE, COUNT(UPDATE) };

static const struct field ID_ONLY[] = { WORKFLOW_ID };
const struct shape PARAMS_WORKFLOW_ID = { "workflow_id", ID_ONLY, COUNT(ID_ONLY) };

/* The project that an optional argument means; NULL: none. */
static const char *project_of(const struct tool_env *env, const json_t *args)
{
	const char *project = json_str(args, "projectId");

	if (!project)
		project = env->project_id;
	return project && *project ? project : NULL;
}

static json_t *time_value(int64_t t_s)
{
	char text[TIME_ISO_SIZE];

	return json_string(time_iso(text, t_s));
}

enum rc tool_list_workflows(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "projectId", "status" };
	struct q *q = db_query(env->cx->db, Q_WORKFLOW_LIST_UPDATED, "tti", project_of(env, args),
	    json_str(args, "status"), (int64_t)TOOL_ROWS_MAX);

	*out = json_array();
	while (db_next(q)) {
		json_t *row = json_object();

		for (int i = 0; i < (int)COUNT(KEYS); i++)
			json_object_set_new(row, KEYS[i], json_text_or_null(db_text(q, i)));
		json_object_set_new(row, "createdAt", time_value(db_int(q, 4)));
		json_object_set_new(row, "updatedAt", time_value(db_int(q, 5)));
		json_array_append_new(*out, row);
	}
	return RC_OK;
}

static enum rc load(struct tool_env *env, const json_t *args, struct flow *f)
{
	const char *id = json_str(args, "workflowId");
	enum rc rc = flow_load(env->cx, id, f);

	if (rc != RC_NOTFOUND)
		return rc;
	err_clear(&env->cx->err);
	return ctx_fail(env->cx, rc, "Workflow not found: %s", id);
}

/* Puts the definition of the arguments, a text, into a body. */
static enum rc put_definition(struct tool_env *env, const json_t *args, json_t *body)
{
	json_t *v = json_read_text(env->cx->arena, json_str(args, "definition"));

	if (!v)
		return ctx_fail(env->cx, RC_INVALID, "Invalid JSON in definition");
	if (!*flow_text(v, "pattern") || !json_is_array(json_object_get(v, "steps")))
		return ctx_fail(env->cx, RC_INVALID,
		    "Definition must include \"pattern\" and \"steps\" array");
	json_object_set(body, "definition", v);
	return RC_OK;
}

/* Puts the row's KEYS (NULL at the end) into *OUT. */
static enum rc row(struct tool_env *env, const char *id, const char *const *keys, json_t **out)
{
	struct draft d;
	json_t *all, *some;
	enum rc rc = workflow_write(env->cx, draft_begin(&d), id);

	rc = draft_end(env, &d, rc, &all);
	if (rc != RC_OK)
		return rc;
	some = json_object();
	for (; *keys; keys++)
		json_object_set(some, *keys, json_object_get(all, *keys));
	json_decref(all);
	*out = some;
	return RC_OK;
}

enum rc tool_create_workflow(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "projectId", "status", "createdAt",
		NULL };
	const json_t *ids = json_object_get(args, "documentIds");
	const char *project = project_of(env, args), *id;
	json_t *body = json_keep(env->cx->arena, json_object()), *v;
	json_int_t attached = 0;
	size_t i;
	enum rc rc = put_definition(env, args, body);

	json_object_set(body, "name", json_object_get(args, "name"));
	if (project)
		json_object_set_new(body, "projectId", json_string(project));
	if (rc == RC_OK)
		rc = workflow_create(env->cx, body, &id);
	if (rc != RC_OK)
		return rc;
	json_array_foreach(ids, i, v)
		attached += workflow_bind(env->cx, id, json_string_value(v));
	rc = row(env, id, KEYS, out);
	if (rc == RC_OK)
		json_object_set_new(*out, "attachedDocuments", json_integer(attached));
	return rc;
}

static void set_stamps(struct tool_env *env, const char *id, bool created, json_t *out)
{
	struct q *q = db_query(env->cx->db, Q_WORKFLOW_STAMPS, "t", id);

	if (!db_next(q))
		return;
	if (created)
		json_object_set_new(out, "createdAt", time_value(db_int(q, 0)));
	json_object_set_new(out, "updatedAt", time_value(db_int(q, 1)));
	db_done(q);
}

/* The beginning of the step's result, where it has one. */
static void set_preview(struct tool_env *env, const struct flow *f, size_t i, size_t units,
    json_t *out)
{
	const char *result = json_str(flow_state(f, i), "result");

	if (result)
		json_object_set_new(out, "outputPreview",
		    json_string(text_cut(env->cx->arena, result, units)));
}

static json_t *execution_state(struct tool_env *env, const struct flow *f)
{
	json_t *list;

	if (!f->state)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < f->n; i++) {
		json_t *step = json_pack("{s:s, s:s}", "stepId", flow_step_id(f, i), "status",
		    flow_status(f, i));

		set_preview(env, f, i, PREVIEW_UNITS, step);
		json_array_append_new(list, step);
	}
	return json_pack("{s:o}", "stepStates", list);
}

enum rc tool_get_workflow(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "name", "prompt", "assignedAgent", "requiresApproval" };
	struct flow f;
	json_t *steps;
	enum rc rc = load(env, args, &f);

	if (rc != RC_OK)
		return rc;
	steps = json_array();
	for (size_t i = 0; i < f.n; i++) {
		json_t *step = json_object();

		for (size_t k = 0; k < COUNT(KEYS); k++)
			json_object_set(step, KEYS[k], json_object_get(flow_step(&f, i), KEYS[k]));
		json_array_append_new(steps, step);
	}
	*out = json_pack("{s:s, s:s, s:o, s:s, s:s, s:o, s:o}", "id", f.id, "name", f.name,
	    "projectId", json_text_or_null(f.project_id), "status", f.status, "pattern",
	    flow_text(f.definition, "pattern"), "steps", steps, "executionState",
	    execution_state(env, &f));
	if (*out)
		set_stamps(env, f.id, true, *out);
	return RC_OK;
}

enum rc tool_update_workflow(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "status", "updatedAt", NULL };
	json_t *body = json_keep(env->cx->arena, json_object());
	struct flow f;
	enum rc rc = load(env, args, &f);

	if (rc == RC_OK && strcmp(f.status, "draft") != 0)
		rc = ctx_fail(env->cx, RC_CONFLICT, "Cannot edit a workflow in '%s' status. Only "
						    "draft workflows can be edited.",
		    f.status);
	if (rc == RC_OK && json_str(args, "definition"))
		rc = put_definition(env, args, body);
	if (rc == RC_OK && json_str(args, "name"))
		json_object_set(body, "name", json_object_get(args, "name"));
	if (rc == RC_OK && json_object_size(body))
		rc = workflow_update(env->cx, f.id, body, NULL);
	return rc != RC_OK ? rc : row(env, f.id, KEYS, out);
}

enum rc tool_delete_workflow(struct tool_env *env, const json_t *args, json_t **out)
{
	struct flow f;
	enum rc rc = load(env, args, &f);

	if (rc == RC_OK && strcmp(f.status, "active") == 0)
		rc = ctx_fail(env->cx, RC_CONFLICT,
		    "Cannot delete an active workflow. Pause or stop it first.");
	if (rc == RC_OK)
		rc = workflow_delete(env->cx, f.id);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "message", "Workflow deleted", "workflowId",
		    f.id, "name", f.name);
	return rc;
}

enum rc tool_execute_workflow(struct tool_env *env, const json_t *args, json_t **out)
{
	struct flow f;
	enum rc rc = load(env, args, &f);

	if (rc == RC_OK && strcmp(f.status, "completed") == 0)
		rc = ctx_fail(env->cx, RC_CONFLICT, "Cannot execute a workflow in '%s' status",
		    f.status);
	if (rc == RC_OK)
		rc = workflow_start(env->cx, f.id, NULL);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "message", "Workflow execution started",
		    "workflowId", f.id, "name", f.name);
	return rc;
}

enum rc tool_get_workflow_status(struct tool_env *env, const json_t *args, json_t **out)
{
	struct flow f;
	json_t *steps;
	enum rc rc = load(env, args, &f);

	if (rc != RC_OK)
		return rc;
	steps = json_array();
	for (size_t i = 0; i < f.n; i++) {
		const char *error = json_str(flow_state(&f, i), "error");
		json_t *step = json_pack("{s:s, s:s}", "stepId",
		    f.state ? flow_step_id(&f, i) : flow_step_name(env->cx->arena, &f, i),
		    "status", flow_status(&f, i));

		set_preview(env, &f, i, STATUS_PREVIEW_UNITS, step);
		if (error)
			json_object_set_new(step, "error", json_string(error));
		json_array_append_new(steps, step);
	}
	*out = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "workflowId", f.id, "name", f.name,
	    "status", f.status, "pattern", flow_text(f.definition, "pattern"), "stepCount",
	    (json_int_t)f.n, "steps", steps);
	if (*out)
		set_stamps(env, f.id, false, *out);
	return RC_OK;
}
