/* Tools: agent profiles. */
#include "core/domain/profile.h"
#include "core/json_in.h"
#include "jobrunner/tools/tools_int.h"

static void write_head(struct jw *w, const struct profile *p)
{
	jw_kstr(w, "id", p->id);
	jw_kstr(w, "name", p->name);
	jw_kstr(w, "description", p->description);
	jw_kstr(w, "domain", p->domain);
	jw_key(w, "tags");
	jw_arr(w);
	for (size_t i = 0; i < p->n_tags; i++)
		jw_str(w, p->tags[i]);
	jw_end_arr(w);
}

enum rc tool_list_profiles(struct tool_env *env, const json_t *args UNUSED, json_t **out)
{
	size_t n;
	const struct profile *const *list = profile_list(env->cx->conf, &n);
	struct draft d;
	struct jw *w = draft_begin(&d);

	jw_arr(w);
	for (size_t i = 0; i < n; i++) {
		jw_obj(w);
		write_head(w, list[i]);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	return draft_end(env, &d, RC_OK, out);
}

static const struct field GET[] = {
	{ "profileId", F_STRING, F_REQUIRED, .doc = "Id of the profile" },
};
const struct shape PARAMS_GET_PROFILE = { "get_profile", GET, COUNT(GET) };

enum rc tool_get_profile(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "profileId");
	const struct profile *p = profile_find(env->cx->conf, id);
	struct draft d;

	if (!p)
		return ctx_fail(env->cx, RC_NOTFOUND, "Profile not found: %s", id);
	profile_write(draft_begin(&d), p, false);
	return draft_end(env, &d, RC_OK, out);
}
