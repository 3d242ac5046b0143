/* What skills would be as profiles: fetched, made into a configuration and a text, and compared
 * with the profiles that exist. Nothing is written. */
#include <ctype.h>
#include <strings.h>

#include "core/collate.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "core/yaml.h"
#include "jobrunner/repo.h"

#define NEAR 0.6
#define TAGS_BONUS 0.1
#define ENOUGH_TAGS 3
#define VERSION "1.0.0"

/* One skill on its way. */
struct adapted {
	const json_t *in;  /* as it was found */
	const char *path, *folder;
	const char *text, *readme, *yaml; /* fetched; the last may be NULL */
	json_t *front;
	json_t *config;
	const char *skill; /* SKILL.md as it will be stored */
};

struct preview {
	struct github *g;
	const json_t *in;
	struct github_repo repo;
	const char *repo_readme;
	struct arena *a; /* of the one at work */
};

static void set_text(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, json_string(value));
}

static const char *text_or(const json_t *o, const char *key, const char *otherwise)
{
	const char *s = json_str(o, key);

	return s && *s ? s : otherwise;
}

static const char *repo_url(const struct preview *p)
{
	return text_or(p->in, "repoUrl",
	    arena_printf(p->a, "https://github.com/%s/%s", p->repo.owner, p->repo.repo));
}

static json_t *import_meta(const struct preview *p, const struct adapted *s, const char *format)
{
	json_t *o = json_object();

	set_text(o, "repoUrl", repo_url(p));
	set_text(o, "repoOwner", p->repo.owner);
	set_text(o, "repoName", p->repo.repo);
	set_text(o, "branch", p->repo.branch);
	set_text(o, "filePath", s->path);
	set_text(o, "commitSha", text_or(p->in, "commitSha", ""));
	set_text(o, "contentHash", github_hash(p->a, s->text));
	set_text(o, "importedAt", repo_now(p->a));
	set_text(o, "sourceFormat", format);
	return o;
}

static const char *source_url(const struct preview *p, const struct adapted *s)
{
	return arena_printf(p->a, "https://github.com/%s/%s/tree/%s%s%s", p->repo.owner,
	    p->repo.repo, p->repo.branch, *s->path ? "/" : "", s->path);
}

static const char *version_of(const struct adapted *s)
{
	const char *v = json_str(s->front, "version"), *p = v;

	for (int i = 0; p && i < 3; i++) {
		size_t n = strspn(p, "0123456789");

		p = !n ? NULL : i == 2 ? (p[n] ? NULL : p) : p[n] == '.' ? p + n + 1 : NULL;
	}
	return p ? v : VERSION;
}

static const char *domain_of(const char *name, const char *description)
{
	static const char *const PERSONAL[] = { "personal", "health", "fitness", "travel",
		"shopping", "nutrition", "workout", "hobby", "recipe", "meditation" };

	for (size_t i = 0; i < COUNT(PERSONAL); i++)
		if (strcasestr(name, PERSONAL[i]) || strcasestr(description, PERSONAL[i]))
			return "personal";
	return "work";
}

static const char *capitalised(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name);

	*out = (char)toupper((unsigned char)*out);
	return out;
}

static json_t *tool_list(struct arena *a, const char *tools)
{
	json_t *out = json_array();

	while (*tools) {
		size_t n = strcspn(tools, ",\n");
		const char *tool = text_trim(a, arena_strndup(a, tools, n));

		if (*tool)
			json_array_append_new(out, json_string(tool));
		tools += n + (tools[n] != '\0');
	}
	return out;
}

/* From SKILL.md alone. */
static void adapt_skill(const struct preview *p, struct adapted *s)
{
	const char *found = text_or(s->front, "name", s->folder);
	const char *name = capitalised(p->a, found);
	const char *description = json_str(skill_front(p->a, s->skill), "description");
	const char *tools = json_str(s->front, "allowed-tools");
	json_t *o = json_object(), *tags = json_array();

	s->config = json_keep(p->a, o);
	skill_add_tags(p->a, tags, s->folder, s->text, s->readme, s->front);
	set_text(o, "id", profile_slug(p->a, found));
	set_text(o, "name", name);
	set_text(o, "version", version_of(s));
	set_text(o, "domain", domain_of(name, description ? description : ""));
	json_object_set_new(o, "tags", tags);
	if (tools && *tools)
		json_object_set_new(o, "allowedTools", tool_list(p->a, tools));
	set_text(o, "author", p->repo.owner);
	set_text(o, "source", source_url(p, s));
	json_object_set_new(o, "importMeta", import_meta(p, s, "skillmd-only"));
}

/* From profile.yaml; why not, or NULL. */
static const char *adapt_native(const struct preview *p, struct adapted *s)
{
	const char *problems;
	json_t *doc = yaml_read(p->a, s->yaml, strlen(s->yaml), &problems), *tags;

	if (doc)
		problems = profile_problems(p->a, doc);
	if (problems)
		return arena_printf(p->a, "Invalid profile.yaml in %s: %s",
		    *s->path ? s->path : "the root", problems);
	s->config = shape_pick(p->a, &SHAPE_PROFILE, doc);
	tags = json_object_get(s->config, "tags");
	if (json_array_size(tags) < ENOUGH_TAGS)
		skill_add_tags(p->a, tags, s->folder, s->text, s->readme, s->front);
	json_object_set_new(s->config, "importMeta", import_meta(p, s, "stagent"));
	if (!json_object_get(s->config, "source"))
		set_text(s->config, "source", source_url(p, s));
	if (!json_object_get(s->config, "author"))
		set_text(s->config, "author", p->repo.owner);
	return NULL;
}

/* Fetches the files of a skill and makes a profile of them; why not, or NULL. */
static const char *adapt(const struct preview *p, struct adapted *s)
{
	const char *why = NULL, *none, *readme = NULL;
	bool tmpl = json_flag(s->in, "hasSkillMdTmpl") && !json_flag(s->in, "hasSkillMd");

	s->text = repo_fetch_skill(p->g, &p->repo, s->path, tmpl, &why);
	if (!s->text)
		return why;
	if (json_flag(s->in, "hasProfileYaml") &&
	    strcmp(text_or(s->in, "format", "stagent"), "stagent") == 0)
		s->yaml = github_file(p->g, &p->repo, s->path, "profile.yaml", NULL, &none);
	if (json_flag(s->in, "hasReadme"))
		readme = github_file(p->g, &p->repo, s->path, "README.md", NULL, &none);
	s->readme = readme ? readme : "";
	s->front = skill_front(p->a, s->text);
	s->skill = skill_put_description(p->a, s->text,
	    skill_describe(p->a, &(struct skill_texts){
				     .name = text_or(s->front, "name", s->folder),
				     .skill = s->text,
				     .readme = s->readme,
				     .repo_readme = p->repo_readme,
				 }));
	if (s->yaml)
		return adapt_native(p, s);
	adapt_skill(p, s);
	return NULL;
}

/* ---- comparing ---- */

static bool most_tags_shared(const json_t *tags, const struct profile *other)
{
	size_t shared = 0, i;
	json_t *v;

	json_array_foreach(tags, i, v)
		for (size_t k = 0; k < other->n_tags; k++)
			if (strcmp(json_string_value(v), other->tags[k]) == 0) {
				shared++;
				break;
			}
	return shared * 2 > json_array_size(tags);
}

static double likeness(const struct adapted *s, const struct profile *other)
{
	double v = skill_likeness(s->skill, other->instructions);

	if (most_tags_shared(json_object_get(s->config, "tags"), other))
		v += TAGS_BONUS;
	return v < 1 ? v : 1;
}

static void write_match(struct jw *w, const char *status, const char *reason, double similarity,
    const struct profile *p)
{
	jw_obj(w);
	jw_kstr(w, "status", status);
	if (p) {
		jw_kstr(w, "matchReason", reason);
		jw_knum(w, "similarity", similarity);
		jw_kstr(w, "matchedProfileId", p->id);
		jw_kstr(w, "matchedProfileName", p->name);
	}
	jw_end_obj(w);
}

static const struct profile *same_name(struct arena *a, const struct profile *const *list, size_t n,
    const char *name)
{
	const char *low = collate_lower(a, name);

	for (size_t i = 0; i < n; i++)
		if (strcmp(collate_lower(a, list[i]->name), low) == 0)
			return list[i];
	return NULL;
}

static void write_dedup(const struct preview *p, struct jw *w, const struct adapted *s)
{
	const char *id = json_str(s->config, "id"), *name = json_str(s->config, "name");
	size_t n;
	const struct profile *const *list = profile_list(p->g->job->cx->conf, &n);
	const struct profile *match = NULL;
	double best = 0;

	for (size_t i = 0; i < n && !match; i++)
		if (strcmp(list[i]->id, id) == 0)
			match = list[i];
	if (match) {
		write_match(w, "exact-match", arena_printf(p->a, "Same ID: \"%s\"", id), 1, match);
		return;
	}
	match = same_name(p->a, list, n, name);
	if (match) {
		write_match(
		    w, "exact-match", arena_printf(p->a, "Same name: \"%s\"", name), 1, match);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		double v = likeness(s, list[i]);

		if (v > best) {
			best = v;
			match = list[i];
		}
	}
	if (best > NEAR)
		write_match(w, "near-match",
		    arena_printf(
			p->a, "Similar content to \"%s\" (%.0f%%)", match->name, best * 100),
		    best, match);
	else
		write_match(w, "new", NULL, 0, NULL);
}

static void write_preview(const struct preview *p, struct jw *w, const json_t *skill)
{
	struct adapted s = { .in = skill, .path = text_or(skill, "path", "") };
	const char *why;

	s.folder = skill_folder(s.path, p->repo.repo);
	why = adapt(p, &s);
	jw_obj(w);
	jw_kjson(w, "skill", skill);
	if (why) {
		jw_knull(w, "config");
		jw_knull(w, "skillMd");
		jw_knull(w, "dedup");
		jw_kstr(w, "error", why);
	} else {
		jw_kjson(w, "config", s.config);
		jw_kstr(w, "skillMd", s.skill);
		jw_key(w, "dedup");
		write_dedup(p, w, &s);
		jw_knull(w, "error");
	}
	jw_end_obj(w);
}

static void write_all(struct preview *p, struct jw *w)
{
	const json_t *skills = json_object_get(p->in, "skills"), *skill;
	size_t i;

	p->a = p->g->arena = arena_new(REPO_EACH_MEMORY);
	jw_obj(w);
	jw_key(w, "previews");
	jw_arr(w);
	json_array_foreach(skills, i, skill) {
		arena_reset(p->a);
		write_preview(p, w, skill);
	}
	jw_end_arr(w);
	jw_end_obj(w);
	arena_free(p->a);
	p->g->arena = p->g->job->cx->arena;
}

int repo_preview(struct job *j)
{
	struct arena *a = j->cx->arena;
	struct github g;
	struct preview p = { .g = &g, .in = json_read_text(a, j->payload) };
	struct buf b;
	struct jw w = jw_on(&b);
	int status;

	github_init(&g, j);
	p.repo = (struct github_repo){ json_str(p.in, "owner"), json_str(p.in, "repo"),
		json_str(p.in, "branch") };
	p.repo_readme = text_or(p.in, "repoReadme", "");
	buf_init(&b, REPO_ANSWER_MAX);
	write_all(&p, &w);
	status = b.failed
	    ? github_finish(&g, 400, "{\"error\":\"The skills are too large; take fewer\"}")
	    : github_finish(&g, 200, buf_text(&b));
	buf_fini(&b);
	return status;
}
