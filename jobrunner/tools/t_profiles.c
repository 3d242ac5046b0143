/* Tools: agent profiles. */
#include "core/profile.h"

#include "core/catalog.h"
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

/* Those keys of profile.yaml that are there, as they are. */
static void write_given(struct jw *w, const struct profile *p, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(p->doc, keys[i]);

		if (v)
			jw_kjson(w, keys[i], v);
	}
}

static void write_runtimes(struct jw *w, const struct profile *p)
{
	jw_key(w, "supportedRuntimes");
	jw_arr(w);
	for (unsigned i = 0; i < RUNTIMES_N; i++)
		if (p->runtimes & (1U << i))
			jw_str(w, RUNTIME_CATALOG[i].id);
	jw_end_arr(w);
}

static void write_profile(struct jw *w, const struct profile *p)
{
	static const char *const BEFORE[] = { "allowedTools", "mcpServers", "canUseToolPolicy",
		"maxTurns", "outputFormat", "version", "author", "source", "tests", "importMeta" };
	static const char *const OVERRIDES[] = { "runtimeOverrides" };
	static const char *const AFTER[] = { "preferredRuntime", "capabilityOverrides", "hooks" };

	jw_obj(w);
	write_head(w, p);
	jw_kstr(w, "skillMd", p->instructions);
	write_given(w, p, BEFORE, COUNT(BEFORE));
	write_runtimes(w, p);
	write_given(w, p, OVERRIDES, COUNT(OVERRIDES));
	jw_kbool(w, "isBuiltin", p->builtin);
	jw_kstr(w, "scope", p->builtin ? "builtin" : "user");
	jw_kstr(w, "origin", p->origin);
	jw_kbool(w, "readOnly", false);
	write_given(w, p, AFTER, COUNT(AFTER));
	jw_end_obj(w);
}

enum rc tool_get_profile(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "profileId");
	const struct profile *p = profile_find(env->cx->conf, id);
	struct draft d;

	if (!p)
		return ctx_fail(env->cx, RC_NOTFOUND, "Profile not found: %s", id);
	write_profile(draft_begin(&d), p);
	return draft_end(env, &d, RC_OK, out);
}
