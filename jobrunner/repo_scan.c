/* Finding the skills of a repository, and importing the one profile that an address names. */
#include <strings.h>

#include "core/clock.h"
#include "core/domain/repo_import.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "core/yaml.h"
#include "jobrunner/ask.h"
#include "jobrunner/repo.h"

#define YAML_NAME "profile.yaml"
#define SKILL_NAME "SKILL.md"
#define TMPL_NAME "SKILL.md.tmpl"
#define README_NAME "README.md"

const char *repo_now(struct arena *a)
{
	char *out = arena_alloc(a, TIME_ISO_SIZE);

	return time_iso_ms(out, now_ms());
}

const char *repo_fetch_skill(struct github *g, const struct github_repo *r, const char *path,
    bool tmpl, const char **why)
{
	long status = 404;
	const char *text = tmpl ? NULL : github_file(g, r, path, SKILL_NAME, &status, why);

	return text || status != 404 ? text : github_file(g, r, path, TMPL_NAME, NULL, why);
}

/* A folder of the tree with what it has. */
struct found {
	const char *path;
	bool yaml, skill, tmpl, readme;
};

struct tree {
	struct found *list;
	size_t n;
};

/* The folder of a path; "" for the root. */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(a, path, (size_t)(slash - path)) : "";
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct found *find(struct tree *t, const char *path)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->list[i].path, path) == 0)
			return &t->list[i];
	return NULL;
}

static int by_path(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;

	return strcmp(a->path, b->path);
}

/* The folders that have a SKILL.md, sorted. */
static void read_tree(struct arena *a, const json_t *files, struct tree *t)
{
	struct found *f;
	size_t i;
	json_t *v;

	t->list = arena_array(a, struct found, REPO_ITEMS_MAX);
	json_array_foreach(files, i, v) {
		const char *path = json_string_value(v), *name = name_of(path);
		bool skill = strcmp(name, SKILL_NAME) == 0, tmpl = strcmp(name, TMPL_NAME) == 0;

		if (!skill && !tmpl)
			continue;
		path = folder_of(a, path);
		f = find(t, path);
		if (!f && t->n < REPO_ITEMS_MAX) {
			f = &t->list[t->n++];
			f->path = path;
		}
		if (f) {
			f->skill |= skill;
			f->tmpl |= tmpl;
		}
	}
	json_array_foreach(files, i, v) {
		const char *path = json_string_value(v), *name = name_of(path);
		bool yaml = strcmp(name, YAML_NAME) == 0;
		bool readme = strcasecmp(name, README_NAME) == 0;

		if ((yaml || readme) && (f = find(t, folder_of(a, path)))) {
			f->yaml |= yaml;
			f->readme |= readme;
		}
	}
	qsort(t->list, t->n, sizeof *t->list, by_path);
}

static void write_skill(struct arena *a, struct jw *w, const struct found *f, const char *repo,
    const char *text)
{
	const json_t *front = skill_front(a, text);
	const char *name = json_str(front, "name"), *description = json_str(front, "description");

	jw_obj(w);
	jw_kstr(w, "name", name && *name ? name : skill_folder(f->path, repo));
	jw_kstr(w, "path", f->path);
	jw_kstr(w, "format", f->yaml ? "stagent"
		: json_object_size(front) ? "skillmd-only" : "unknown");
	jw_kbool(w, "hasProfileYaml", f->yaml);
	jw_kbool(w, "hasSkillMd", f->skill);
	jw_kbool(w, "hasSkillMdTmpl", f->tmpl);
	jw_kbool(w, "hasReadme", f->readme);
	jw_kstr(w, "description", description ? description : "");
	jw_kjson(w, "frontmatter", front);
	jw_end_obj(w);
}

static void write_scan(struct github *g, struct jw *w, const struct github_repo *r,
    const char *commit, const struct tree *t, int64_t began)
{
	struct arena *kept = g->arena, *each = arena_new(REPO_EACH_MEMORY);
	const char *text, *why;

	jw_obj(w);
	jw_kstr(w, "owner", r->owner);
	jw_kstr(w, "repo", r->repo);
	jw_kstr(w, "branch", r->branch);
	jw_kstr(w, "commitSha", commit);
	jw_key(w, "discoveredSkills");
	jw_arr(w);
	for (size_t i = 0; i < t->n; i++) {
		const struct found *f = &t->list[i];

		arena_reset(each);
		g->arena = each;
		text = github_file(g, r, f->path, f->skill ? SKILL_NAME : TMPL_NAME, NULL, &why);
		if (text)
			write_skill(each, w, f, r->repo, text);
	}
	g->arena = kept;
	arena_free(each);
	jw_end_arr(w);
	text = github_file(g, r, "", README_NAME, NULL, &why);
	jw_kstr(w, "repoReadme", text ? text : "");
	jw_kint(w, "scanDurationMs", mono_ms() - began);
	jw_end_obj(w);
}

/* Fills the branch and finds its newest commit and the files; NULL, or why not. */
static const char *look(struct github *g, struct github_repo *r, const char **commit,
    const json_t **files)
{
	const char *why = "GitHub's answer cannot be read";

	if (!r->branch || !*r->branch)
		r->branch = github_default_branch(g, r->owner, r->repo, &why);
	*commit = r->branch ? github_head(g, r, &why) : NULL;
	*files = *commit ? github_files(g, r, *commit, &why) : NULL;
	return *files ? NULL : why;
}

int repo_scan(struct job *j)
{
	struct arena *a = j->cx->arena;
	const json_t *in = json_read_text(a, j->payload), *files;
	struct github_repo r = { json_str(in, "owner"), json_str(in, "repo"),
		json_str(in, "branch") };
	const char *why, *commit;
	int64_t began = mono_ms();
	struct tree t = { 0 };
	struct github g;
	struct buf b;
	struct jw w = jw_on(&b);
	int status;

	github_init(&g, j);
	why = look(&g, &r, &commit, &files);
	if (why)
		return github_finish(&g, 400, ask_error_body(a, why));
	read_tree(a, files, &t);
	buf_init(&b, REPO_ANSWER_MAX);
	write_scan(&g, &w, &r, commit, &t, began);
	status = b.failed ? github_finish(&g, 400, ask_error_body(a, "The repository is too large"))
			  : github_finish(&g, 200, buf_text(&b));
	buf_fini(&b);
	return status;
}

/* ---- one profile ---- */

/* The profile at PATH, a folder or a file whose name ends in profile.yaml, as a body of create;
 * NULL, and why. */
static json_t *fetch_profile(struct github *g, const struct github_repo *r, const char *path,
    const char **why)
{
	struct arena *a = g->job->cx->arena;
	bool file = text_ends(path, YAML_NAME);
	const char *folder = file ? folder_of(a, path) : path;
	const char *problems, *skill, *none;
	long status;
	const char *text =
	    github_file(g, r, folder, file ? name_of(path) : YAML_NAME, &status, why);
	json_t *doc;

	if (!text) {
		if (status >= 300)
			*why = arena_printf(a, "Failed to fetch profile.yaml: %ld", status);
		return NULL;
	}
	doc = yaml_read(a, text, strlen(text), &problems);
	if (doc)
		problems = profile_problems(a, doc);
	if (problems) {
		*why = arena_printf(a, "Invalid profile.yaml: %s", problems);
		return NULL;
	}
	skill = github_file(g, r, folder, SKILL_NAME, NULL, &none);
	json_object_set_new(doc, "skillMd", json_string(skill ? skill : ""));
	return doc;
}

int profile_fetch(struct job *j)
{
	struct ctx *cx = j->cx;
	struct arena *a = cx->arena;
	const json_t *in = json_read_text(a, j->payload), *doc;
	struct github_repo r = { json_str(in, "owner"), json_str(in, "repo"),
		json_str(in, "branch") };
	const char *why = "Failed to fetch profile.yaml";
	struct github g;
	int status;

	github_init(&g, j);
	doc = fetch_profile(&g, &r, json_str(in, "path"), &why);
	if (!doc || g.cancelled)
		return github_finish(&g, 400, ask_error_body(a, why));
	cx->now = now_s();
	if (profile_create(cx, doc) != RC_OK) {
		status = cx->err.status ? cx->err.status : rc_http_status(cx->err.rc);
		why = cx->err.body ? cx->err.body
				   : ask_error_body(a, arena_strdup(a, cx->err.msg));
		err_clear(&cx->err);
		return github_finish(&g, status, why);
	}
	return github_finish(&g, 201,
	    json_text(a,
		json_keep(a, json_pack("{s:b, s:s, s:s}", "ok", 1, "id", json_str(doc, "id"), "name",
				 json_str(doc, "name")))));
}
