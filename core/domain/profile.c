/* Profiles: lists, one profile, create, replace, remove. */
#include "core/domain/profile.h"

#include "core/catalog.h"
#include "core/collate.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/profile_int.h"
#include "core/profile_store.h"
#include "core/text.h"

/* Those keys of profile.yaml that are there, in the form of the shape. */
static void write_given(struct jw *w, const json_t *doc, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(doc, keys[i]);

		if (v)
			jw_kjson(w, keys[i], v);
	}
}

static void write_tags(struct jw *w, const struct profile *p)
{
	jw_key(w, "tags");
	jw_arr(w);
	for (size_t i = 0; i < p->n_tags; i++)
		jw_str(w, p->tags[i]);
	jw_end_arr(w);
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

static const char *scope_of(const struct profile *p)
{
	return p->in_project ? "project" : p->builtin ? "builtin" : "user";
}

void profile_write(struct jw *w, const struct profile *p, bool whole)
{
	static const char *const BEFORE[] = { "allowedTools", "mcpServers", "canUseToolPolicy",
		"maxTurns", "outputFormat", "version", "author", "source", "tests", "importMeta" };
	static const char *const OVERRIDES[] = { "runtimeOverrides" };
	static const char *const AFTER[] = { "preferredRuntime", "capabilityOverrides", "hooks" };
	struct arena *a = arena_new(ARENA_REQUEST_MAX);
	const json_t *doc = shape_pick(a, &SHAPE_PROFILE, p->doc);

	jw_obj(w);
	jw_kstr(w, "id", p->id);
	jw_kstr(w, "name", p->name);
	jw_kstr(w, "description", p->description);
	jw_kstr(w, "domain", p->domain);
	write_tags(w, p);
	if (whole)
		jw_kstr(w, "systemPrompt", p->instructions);
	jw_kstr(w, "skillMd", p->instructions);
	write_given(w, doc, BEFORE, COUNT(BEFORE));
	write_runtimes(w, p);
	write_given(w, doc, OVERRIDES, COUNT(OVERRIDES));
	jw_kbool(w, "isBuiltin", p->builtin);
	jw_kstr(w, "scope", scope_of(p));
	if (p->origin)
		jw_kstr(w, "origin", p->origin);
	jw_kbool(w, "readOnly", p->in_project);
	write_given(w, doc, AFTER, COUNT(AFTER));
	jw_end_obj(w);
	arena_free(a);
}

enum rc profile_write_one(struct ctx *cx, struct jw *w, const char *id)
{
	const struct profile *p;

	profile_store_copy_shipped(cx);
	p = profile_find(cx->conf, id);
	if (!p)
		return ctx_fail(cx, RC_NOTFOUND, "Profile not found");
	profile_write(w, p, true);
	return RC_OK;
}

struct place {
	const struct profile *p;
	size_t place; /* keeps equal names in their order */
};

static int by_name(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;
	int c = collate_names(a->p->name, b->p->name);

	return c ? c : (a->place > b->place) - (a->place < b->place);
}

/* The profiles of a project; none where it has no working directory. */
static const struct profile *const *project_profiles(struct ctx *cx, const char *project, size_t *n)
{
	const char *dir = project ? db_get_text(cx->db, cx->arena, Q_PROJECT_WORKDIR, "t", project)
				  : NULL;

	*n = 0;
	return dir && *dir ? profile_list_project(cx->conf, cx->arena, dir, n) : NULL;
}

enum rc profile_write_list(struct ctx *cx, struct jw *w, const char *scope, const char *project)
{
	bool only = scope && strcmp(scope, "project") == 0;
	bool all = scope && strcmp(scope, "all") == 0;
	const struct profile *const *own, *const *list;
	size_t n_own = 0, n = 0, count = 0;
	struct place *places;

	profile_store_copy_shipped(cx);
	own = only || all ? project_profiles(cx, project, &n_own) : NULL;
	list = profile_list(cx->conf, &n);
	places = arena_array(cx->arena, struct place, n + n_own + 1);
	for (size_t i = 0; !only && i < n; i++, count++)
		places[count] = (struct place){ list[i], count };
	for (size_t i = 0; i < n_own; i++, count++)
		places[count] = (struct place){ own[i], count };
	qsort(places, count, sizeof *places, by_name);
	jw_arr(w);
	for (size_t i = 0; i < count; i++)
		profile_write(w, places[i].p, false);
	jw_end_arr(w);
	return cx->err.rc;
}

static enum rc check_skill(struct ctx *cx, const json_t *v)
{
	if (v && !json_is_null(v) && !json_is_string(v))
		return ctx_fail(cx, RC_INVALID, "skillMd must be a string");
	if (json_string_length(v) > PROFILE_FILE_MAX)
		return ctx_fail(cx, RC_INVALID, "skillMd is too long (max 1 MiB)");
	return RC_OK;
}

enum rc profile_read_body(struct ctx *cx, const json_t *in, bool new_id, struct profile_text *out)
{
	const char *problems = profile_shape_problems(cx->arena, in);
	enum rc rc;

	if (problems)
		return ctx_fail(cx, RC_INVALID, "%s", problems);
	if ((rc = check_skill(cx, json_object_get(in, "skillMd"))) != RC_OK)
		return rc;
	out->id = json_str(in, "id");
	out->name = json_str(in, "name");
	if (new_id && !profile_id_ok(out->id))
		return ctx_fail(cx, RC_INVALID, "%s", PROFILE_ID_RULE);
	out->skill = json_str(in, "skillMd");
	if (!out->skill)
		out->skill = "";
	out->yaml = yaml_write(cx->arena, shape_pick(cx->arena, &SHAPE_PROFILE, in));
	return out->yaml ? RC_OK : ctx_fail(cx, RC_INVALID, "The profile is too large");
}

static enum rc note(struct ctx *cx, const char *op, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_PROFILE_SCANS_STALE, "i", cx->now);
	audit(cx, op, "profile", id, NULL);
	return tx_end(cx, RC_OK);
}

static enum rc not_found(struct ctx *cx, const char *id)
{
	return ctx_fail(cx, RC_INVALID, "Profile \"%s\" not found", id);
}

enum rc profile_create(struct ctx *cx, const json_t *in)
{
	struct profile_text t;
	enum rc rc = profile_read_body(cx, in, true, &t);

	if (rc != RC_OK)
		return rc;
	rc = profile_find(cx->conf, t.id) ? RC_CONFLICT
					  : profile_store_create(cx, t.id, t.yaml, t.skill);
	if (rc == RC_CONFLICT)
		return ctx_fail(cx, RC_INVALID, "Profile \"%s\" already exists", t.id);
	return rc != RC_OK ? rc : note(cx, "profile.create", t.id);
}

/* The user's folder of a profile; NULL where there is none. One whose profile.yaml cannot be read
 * is found by its name, so that it can be mended or removed. */
static const char *folder_of(struct ctx *cx, const char *id)
{
	const struct profile *p = profile_find(cx->conf, id);

	if (p)
		return p->in_user ? arena_strdup(cx->arena, p->folder) : NULL;
	return profile_name_ok(id) && profile_store_has(id) ? id : NULL;
}

enum rc profile_check_builtin(struct ctx *cx, const char *id, const char *verb)
{
	const struct profile *p = profile_find(cx->conf, id);

	if (p && p->builtin)
		return ctx_fail(cx, RC_DENIED, "Cannot %s built-in profiles", verb);
	return RC_OK;
}

enum rc profile_replace(struct ctx *cx, const char *id, const json_t *in)
{
	const char *folder;
	struct profile_text t;
	enum rc rc = profile_read_body(cx, in, false, &t);

	if (rc != RC_OK)
		return rc;
	if (strcmp(t.id, id) != 0)
		return ctx_fail(cx, RC_INVALID, "Profile id cannot be changed");
	folder = folder_of(cx, id);
	if (!folder)
		return not_found(cx, id);
	rc = profile_store_replace(cx, folder, t.yaml, t.skill);
	return rc != RC_OK ? rc : note(cx, "profile.update", id);
}

enum rc profile_remove(struct ctx *cx, const char *id)
{
	const char *folder = folder_of(cx, id);
	enum rc rc;

	if (!folder)
		return not_found(cx, id);
	rc = profile_store_remove(cx, folder);
	return rc != RC_OK ? rc : note(cx, "profile.delete", id);
}

const char *profile_slug(struct arena *a, const char *name)
{
	char *out = arena_alloc(a, PROFILE_SLUG_MAX + 1);
	size_t n = 0;

	for (const char *s = text_lower(a, name); *s && n < PROFILE_SLUG_MAX; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');

		if (plain)
			out[n++] = *s;
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	return out;
}

void profile_store_report(struct ctx *cx, const char *profile, const char *runtime,
    const char *report, int64_t passed, int64_t failed)
{
	db_run(cx->db, Q_PROFILE_REPORT_DELETE, "tt", profile, runtime);
	db_run(cx->db, Q_PROFILE_REPORT_INSERT, "ttttiii", id_make(cx->arena), profile, runtime,
	    report, passed, failed, cx->now);
	audit(cx, "profile.test", "profile", profile, runtime);
}
