/* Tools: projects. */
#include "core/domain/project.h"

#include "core/json_in.h"
#include "core/model/models.h"
#include "jobrunner/tools/tools_int.h"

static const struct field LIST[] = {
	{ "status", F_ENUM, .words = &PROJECT_STATUSES, .doc = "Only projects in this state" },
};
const struct shape PARAMS_LIST_PROJECTS = { "list_projects", LIST, COUNT(LIST) };

enum rc tool_list_projects(struct tool_env *env, const json_t *args, json_t **out)
{
	struct draft d;
	size_t i;
	json_t *row;
	enum rc rc;

	project_write_list(env->cx, draft_begin(&d), json_str(args, "status"));
	rc = draft_end(env, &d, RC_OK, out);
	if (rc == RC_OK)
		json_array_foreach(*out, i, row)
			json_object_del(row, "updatedAt");
	return rc;
}

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 100, .doc = "Name of the project" },
	{ "description", F_STRING, F_MAX, .max = 500, .doc = "What the project is about" },
	{ "workingDirectory", F_STRING, F_MAX, .max = 500,
	    .doc = "Absolute path of the folder in which the project's agents work" },
};
const struct shape PARAMS_CREATE_PROJECT = { "create_project", CREATE, COUNT(CREATE) };

enum rc tool_create_project(struct tool_env *env, const json_t *args, json_t **out)
{
	struct draft d;
	const char *id;
	enum rc rc = project_create(env->cx, args, &id);

	if (rc != RC_OK)
		return rc;
	rc = project_write(env->cx, draft_begin(&d), id);
	return draft_end(env, &d, rc, out);
}
