/* Helpers for the results of tools. */
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/tools/tools_int.h"

/* Far more than what is shown of a result. */
#define DRAFT_MAX ((size_t)8 << 20)

const struct shape PARAMS_NONE = { .name = "none" };

struct jw *draft_begin(struct draft *d)
{
	buf_init(&d->b, DRAFT_MAX);
	d->w = jw_on(&d->b);
	return &d->w;
}

enum rc draft_end(struct tool_env *env, struct draft *d, enum rc rc, json_t **out)
{
	struct ctx *cx = env->cx;
	json_t *v = NULL;

	if (rc == RC_OK)
		rc = cx->err.rc;
	if (rc == RC_OK && d->b.failed)
		rc = ctx_fail(cx, RC_TOOLARGE, "The result is too large");
	if (rc == RC_OK) {
		v = json_read(cx->arena, buf_text(&d->b), d->b.len);
		if (!v)
			rc = err_internal(&cx->err, RC_BUG, "a tool's result is not JSON");
	}
	buf_fini(&d->b);
	*out = json_incref(v);
	return rc;
}

json_t *json_text_or_null(const char *s)
{
	json_t *v = s ? json_string(s) : NULL;

	return v ? v : json_null();
}

json_t *json_pick(const json_t *object, const char *const *keys, size_t n)
{
	json_t *out = json_object();

	for (size_t i = 0; i < n; i++) {
		json_t *v = json_object_get(object, keys[i]);

		if (v)
			json_object_set(out, keys[i], v);
	}
	return out;
}

const char *tool_project(const struct tool_env *env, const json_t *args)
{
	const char *project = json_str(args, "projectId");

	return project ? project : env->project_id;
}
