/* Tools: schedules. What starts at a schedule's time starts like any other task, so the checks are
 * those of the operations. */
#include "core/domain/schedule.h"

#include "core/interval.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"
#include "jobrunner/tools/tools_int.h"

#define SHOWN_UNITS 100
#define INTERVAL_DOC \
	"When: in words (every weekday at 9am), as shorthand (5m, 2h, 1d) or as a cron expression"

static const struct field LIST[] = {
	{ "status", F_ENUM, .words = &SCHEDULE_STATUSES, .doc = "Only schedules in this state" },
};
const struct shape PARAMS_LIST_SCHEDULES = { "list_schedules", LIST, COUNT(LIST) };

enum rc tool_list_schedules(struct tool_env *env, const json_t *args, json_t **out)
{
	struct draft d;

	schedule_write_latest(
	    env->cx, draft_begin(&d), json_str(args, "status"), TOOL_ROWS_MAX);
	return draft_end(env, &d, RC_OK, out);
}

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200, .doc = "Name of the schedule" },
	{ "prompt", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 2000,
	    .doc = "The brief of each task that it makes" },
	{ "interval", F_STRING, F_REQUIRED | F_MIN, 1, .doc = INTERVAL_DOC },
	{ "projectId", F_STRING, .doc = "Project of its tasks; default: the current one" },
	{ "assignedAgent", F_STRING, .doc = "Runtime that executes its tasks" },
	{ "agentProfile", F_STRING, .doc = "Id of the profile of its tasks" },
	{ "maxFirings", F_NUMBER, .doc = "How often it fires at most; a whole number" },
	{ "expiresInHours", F_NUMBER, .doc = "Hours until it ends; 0: never" },
};
const struct shape PARAMS_CREATE_SCHEDULE = { "create_schedule", CREATE, COUNT(CREATE) };

/* The refusal of an interval has words of its own here: WHAT, then the reason. */
static enum rc check_interval(struct tool_env *env, const char *text, const char *what)
{
	struct interval i;
	const char *why;

	if (!text || interval_parse(env->cx->arena, text, env->cx->now, &i, &why))
		return RC_OK;
	return ctx_fail(env->cx, RC_INVALID, "%s: %s", what, why);
}

static enum rc row(struct tool_env *env, const char *id, json_t **out)
{
	struct draft d;
	enum rc rc = schedule_write(env->cx, draft_begin(&d), id);

	return draft_end(env, &d, rc, out);
}

enum rc tool_create_schedule(struct tool_env *env, const json_t *args, json_t **out)
{
	json_t *in = json_keep(env->cx->arena, json_copy((json_t *)(uintptr_t)args));
	const char *text = json_str(args, "interval"), *id;
	enum rc rc = check_interval(env, text,
	    arena_printf(env->cx->arena, "Invalid interval \"%s\"",
		text_ellipsis(env->cx->arena, text, SHOWN_UNITS)));

	if (rc != RC_OK)
		return rc;
	if (!json_str(args, "projectId") && env->project_id)
		json_object_set_new(in, "projectId", json_string(env->project_id));
	rc = schedule_create(env->cx, in, &id);
	return rc != RC_OK ? rc : row(env, id, out);
}

#define SCHEDULE_ID { "scheduleId", F_STRING, F_REQUIRED, .doc = "Id of the schedule" }

static const struct field ID_ONLY[] = { SCHEDULE_ID };
const struct shape PARAMS_SCHEDULE_ID = { "schedule_id", ID_ONLY, COUNT(ID_ONLY) };

static const struct field UPDATE[] = {
	SCHEDULE_ID,
	{ "name", F_STRING, F_MIN | F_MAX, 1, 200, .doc = "New name" },
	{ "prompt", F_STRING, F_MAX, .max = 2000, .doc = "New brief" },
	{ "interval", F_STRING, .doc = INTERVAL_DOC },
	{ "status", F_STRING, .doc = "paused, or active to go on" },
	{ "assignedAgent", F_STRING, .doc = "Runtime that executes its tasks" },
	{ "agentProfile", F_STRING, .doc = "Id of the profile of its tasks" },
};
const struct shape PARAMS_UPDATE_SCHEDULE = { "update_schedule", UPDATE, COUNT(UPDATE) };

static enum rc find(struct tool_env *env, const json_t *args, const char **id, const char **name)
{
	*id = json_str(args, "scheduleId");
	*name = schedule_name(env->cx, *id);
	return *name ? RC_OK
		     : ctx_fail(env->cx, RC_NOTFOUND, "Schedule not found: %s", *id);
}

enum rc tool_get_schedule(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id, *name;
	enum rc rc = find(env, args, &id, &name);

	return rc != RC_OK ? rc : row(env, id, out);
}

enum rc tool_update_schedule(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *text = json_str(args, "interval"), *id, *name;
	enum rc rc = find(env, args, &id, &name);

	if (rc == RC_OK && text && !text_is_blank(text))
		rc = check_interval(env, text, "Invalid interval");
	if (rc == RC_OK)
		rc = schedule_update(env->cx, id, args);
	return rc != RC_OK ? rc : row(env, id, out);
}

enum rc tool_delete_schedule(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id, *name;
	enum rc rc = find(env, args, &id, &name);

	if (rc == RC_OK)
		rc = schedule_delete(env->cx, id);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "message", "Schedule deleted", "scheduleId", id,
		    "name", name);
	return rc;
}
