/* Tools: tasks. What an agent may do to a task is what the operations allow, except that a run
 * cannot start, stop or end its own task. */
#include "core/domain/task.h"

#include "core/catalog.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"
#include "jobrunner/tools/tools_int.h"

#define RUNTIME_DOC \
	"Runtime that executes the task: claude-code, openai-codex-app-server, " \
	"anthropic-direct, openai-direct or ollama"

static const struct field LIST[] = {
	{ "projectId", F_STRING,
	    .doc = "Only tasks of this project; default: the current one; empty: all projects" },
	{ "status", F_ENUM, .words = &TASK_STATUSES, .doc = "Only tasks in this state" },
};
const struct shape PARAMS_LIST_TASKS = { "list_tasks", LIST, COUNT(LIST) };

enum rc tool_list_tasks(struct tool_env *env, const json_t *args, json_t **out)
{
	const struct task_page page = { .limit = TOOL_ROWS_MAX, .priority = TASK_PAGE_FIRST };
	const char *project = tool_project(env, args);
	struct draft d;

	if (project && !*project)
		project = NULL;
	task_write_list(
	    env->cx, draft_begin(&d), project, json_str(args, "status"), &page, NULL);
	return draft_end(env, &d, RC_OK, out);
}

static const struct field CREATE[] = {
	{ "title", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200, .doc = "Title of the task" },
	{ "description", F_STRING, F_MAX, .max = 2000,
	    .doc = "The brief: all that the agent who does the task needs to know" },
	{ "projectId", F_STRING, .doc = "Project of the task; default: the current one" },
	{ "priority", F_NUMBER, F_MIN | F_MAX, 0, 3, .doc = "0 is the most urgent",
	    .otherwise = "2" },
	{ "assignedAgent", F_STRING, .doc = RUNTIME_DOC },
	{ "agentProfile", F_STRING, .doc = "Id of the profile; default: chosen at execution" },
};
const struct shape PARAMS_CREATE_TASK = { "create_task", CREATE, COUNT(CREATE) };

static enum rc check_runtime(struct tool_env *env, const json_t *args)
{
	const char *runtime = json_str(args, "assignedAgent");

	if (!runtime || catalog_find(runtime))
		return RC_OK;
	return ctx_fail(env->cx, RC_INVALID,
	    "Invalid runtime \"%s\". Valid: claude-code, openai-codex-app-server, "
	    "anthropic-direct, openai-direct, ollama",
	    text_cut(env->cx->arena, runtime, 100));
}

static enum rc load(struct tool_env *env, const json_t *args, struct task *t)
{
	const char *id = json_str(args, "taskId");

	return task_load(
	    env->cx, id, arena_printf(env->cx->arena, "Task not found: %s", id), t);
}

static enum rc row(struct tool_env *env, const char *id, json_t **out)
{
	struct draft d;
	enum rc rc = task_write(env->cx, draft_begin(&d), id, false);

	return draft_end(env, &d, rc, out);
}

enum rc tool_create_task(struct tool_env *env, const json_t *args, json_t **out)
{
	json_t *in = json_keep(env->cx->arena, json_copy((json_t *)(uintptr_t)args));
	const char *id;
	enum rc rc = check_runtime(env, args);

	if (rc != RC_OK)
		return rc;
	if (tool_project(env, args))
		json_object_set_new(in, "projectId", json_string(tool_project(env, args)));
	rc = task_create(env->cx, in, NULL, &id);
	return rc != RC_OK ? rc : row(env, id, out);
}

#define TASK_ID { "taskId", F_STRING, F_REQUIRED, .doc = "Id of the task" }

static const struct field UPDATE[] = {
	TASK_ID,
	{ "title", F_STRING, F_MIN | F_MAX, 1, 200, .doc = "New title" },
	{ "description", F_STRING, F_MAX, .max = 2000, .doc = "New brief" },
	{ "status", F_ENUM, .words = &TASK_STATUSES,
	    .doc = "New state; from planned to queued, for example" },
	{ "priority", F_NUMBER, F_MIN | F_MAX, 0, 3, .doc = "0 is the most urgent" },
	{ "assignedAgent", F_STRING, .doc = RUNTIME_DOC },
	{ "agentProfile", F_STRING, .doc = "Id of the profile" },
};
const struct shape PARAMS_UPDATE_TASK = { "update_task", UPDATE, COUNT(UPDATE) };

static const struct field ID_ONLY[] = { TASK_ID };
const struct shape PARAMS_TASK_ID = { "task_id", ID_ONLY, COUNT(ID_ONLY) };

static const struct field EXECUTE[] = {
	TASK_ID,
	{ "assignedAgent", F_STRING, .doc = RUNTIME_DOC "; default: the one of the task" },
};
const struct shape PARAMS_EXECUTE_TASK = { "execute_task", EXECUTE, COUNT(EXECUTE) };

static enum rc refuse_own(struct tool_env *env, const struct task *t)
{
	if (env->task_id && strcmp(env->task_id, t->id) == 0)
		return ctx_fail(env->cx, RC_DENIED, "A task cannot execute itself");
	return RC_OK;
}

enum rc tool_update_task(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *status = json_str(args, "status");
	struct task t;
	enum rc rc = load(env, args, &t);

	if (rc == RC_OK)
		rc = check_runtime(env, args);
	if (rc == RC_OK && status && strcmp(status, t.status) != 0)
		rc = refuse_own(env, &t);
	if (rc == RC_OK)
		rc = task_update(env->cx, t.id, args);
	return rc != RC_OK ? rc : row(env, t.id, out);
}

enum rc tool_get_task(struct tool_env *env, const json_t *args, json_t **out)
{
	struct task t;
	enum rc rc = load(env, args, &t);

	return rc != RC_OK ? rc : row(env, t.id, out);
}

/* What the life cycle lets be queued is queued first; of all others the claim says why not. */
static enum rc prepare(struct tool_env *env, const struct task *t, const char *runtime)
{
	bool waiting = strcmp(t->status, "planned") == 0 || strcmp(t->status, "failed") == 0;
	json_t *in = json_keep(env->cx->arena, json_object());

	if (waiting)
		json_object_set_new(in, "status", json_string("queued"));
	if (runtime && (waiting || strcmp(t->status, "queued") == 0))
		json_object_set_new(in, "assignedAgent", json_string(runtime));
	return json_object_size(in) ? task_update(env->cx, t->id, in) : RC_OK;
}

enum rc tool_execute_task(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *runtime = json_str(args, "assignedAgent");
	struct task t;
	enum rc rc = load(env, args, &t);

	if (rc == RC_OK)
		rc = refuse_own(env, &t);
	if (rc == RC_OK && strcmp(t.status, "running") == 0)
		rc = ctx_fail(env->cx, RC_CONFLICT, "Task is already running");
	if (rc == RC_OK)
		rc = check_runtime(env, args);
	if (rc == RC_OK)
		rc = prepare(env, &t, runtime);
	if (rc == RC_OK)
		rc = task_execute(env->cx, t.id);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "message", "Execution started", "taskId", t.id,
		    "runtime", runtime ? runtime : t.runtime);
	return rc;
}

enum rc tool_cancel_task(struct tool_env *env, const json_t *args, json_t **out)
{
	struct task t;
	enum rc rc = load(env, args, &t);

	if (rc == RC_OK)
		rc = refuse_own(env, &t);
	if (rc == RC_OK && strcmp(t.status, "running") != 0)
		rc = ctx_fail(
		    env->cx, RC_CONFLICT, "Task is not running (status: %s)", t.status);
	if (rc == RC_OK)
		rc = task_cancel(env->cx, t.id);
	if (rc == RC_OK)
		*out = json_pack(
		    "{s:s, s:s}", "message", "Task cancelled", "taskId", t.id);
	return rc;
}
