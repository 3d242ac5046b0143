/* Updates of imported profiles: whether their repository has something newer, and taking it
 * over. */
#include "core/clock.h"
#include "core/domain/repo_import.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/repo.h"

#define UNKNOWN "unknown"
#define FETCH_ERROR "fetch-error"

/* The newest commit of a branch, asked for once. */
struct branch {
	struct branch *next;
	struct github_repo repo;
	const char *head; /* NULL: cannot be told */
	const char *first; /* the commit of its first profile */
	const char *why;
};

struct updates {
	struct github *g;
	struct branch *branches;
	struct arena *kept; /* of what is used for more than one profile */
};

/* An imported profile. */
struct imported {
	const char *id, *name, *hash, *commit, *path, *skill;
	struct github_repo repo;
	json_t *config;
};

/* Loads a profile with import metadata into A; false where there is none. */
static bool load(struct updates *u, struct arena *a, const char *id, struct imported *out)
{
	const struct profile *p = id ? profile_find(u->g->job->cx->conf, id) : NULL;
	const json_t *meta = p ? json_object_get(p->doc, "importMeta") : NULL;

	if (!meta)
		return false;
	out->config = shape_pick(a, &SHAPE_PROFILE, p->doc);
	meta = json_object_get(out->config, "importMeta");
	out->id = arena_strdup(a, p->id);
	out->name = arena_strdup(a, p->name);
	out->skill = arena_strdup(a, p->instructions);
	out->hash = json_str(meta, "contentHash");
	out->commit = json_str(meta, "commitSha");
	out->path = json_str(meta, "filePath");
	out->repo = (struct github_repo){ json_str(meta, "repoOwner"), json_str(meta, "repoName"),
		json_str(meta, "branch") };
	return true;
}

static bool same_repo(const struct github_repo *a, const struct github_repo *b)
{
	return strcmp(a->owner, b->owner) == 0 && strcmp(a->repo, b->repo) == 0 &&
	       strcmp(a->branch, b->branch) == 0;
}

static const struct branch *branch_of(struct updates *u, const struct imported *p)
{
	struct branch *b = u->branches;
	struct arena *a = u->kept, *each = u->g->arena;

	while (b && !same_repo(&b->repo, &p->repo))
		b = b->next;
	if (b)
		return b;
	b = arena_new_of(a, struct branch);
	b->repo = (struct github_repo){ arena_strdup(a, p->repo.owner),
		arena_strdup(a, p->repo.repo), arena_strdup(a, p->repo.branch) };
	b->first = arena_strdup(a, p->commit);
	b->why = "GitHub's answer cannot be read";
	u->g->arena = a;
	b->head = github_head(u->g, &b->repo, &b->why);
	u->g->arena = each;
	b->next = u->branches;
	u->branches = b;
	return b;
}

/* What the repository has in the place of the profile's text: its hash, or a word that it cannot be
 * told. */
static const char *remote_hash(struct updates *u, const struct imported *p)
{
	const struct branch *b = branch_of(u, p);
	const char *text, *why;

	if (!b->head)
		return UNKNOWN;
	if (strcmp(b->head, b->first) == 0)
		return p->hash;
	text = repo_fetch_skill(u->g, &p->repo, p->path, false, &why);
	return text ? github_hash(u->g->arena, text) : FETCH_ERROR;
}

static bool write_update(struct updates *u, struct jw *w, const struct imported *p)
{
	const char *remote = remote_hash(u, p);
	bool newer = strcmp(remote, p->hash) != 0 && strcmp(remote, UNKNOWN) != 0 &&
	    strcmp(remote, FETCH_ERROR) != 0;

	jw_obj(w);
	jw_kstr(w, "profileId", p->id);
	jw_kstr(w, "profileName", p->name);
	jw_kstr(w, "localHash", p->hash);
	jw_kstr(w, "remoteHash", remote);
	jw_kbool(w, "hasUpdate", newer);
	jw_end_obj(w);
	return newer;
}

/* Writes the updates; whether there is one. */
static bool write_updates(struct updates *u, struct jw *w, const json_t *ids)
{
	struct arena *each = arena_new(REPO_EACH_MEMORY);
	struct imported p;
	bool any = false;
	size_t i;
	json_t *v;

	jw_arr(w);
	u->g->arena = each;
	json_array_foreach(ids, i, v) {
		arena_reset(each);
		if (load(u, each, json_string_value(v), &p))
			any |= write_update(u, w, &p);
	}
	u->g->arena = u->kept;
	arena_free(each);
	jw_end_arr(w);
	return any;
}

int repo_check(struct job *j)
{
	struct ctx *cx = j->cx;
	const json_t *in = json_read_text(cx->arena, j->payload);
	const char *import = json_str(in, "repoImportId"), *list;
	struct github g;
	struct updates u = { .g = &g, .kept = cx->arena };
	struct buf b;
	struct jw w = jw_on(&b);
	bool any;

	github_init(&g, j);
	buf_init(&b, REPO_ANSWER_MAX);
	any = write_updates(&u, &w, json_object_get(in, "profileIds"));
	list = arena_strdup(cx->arena, buf_text(&b));
	buf_fini(&b);
	if (g.cancelled)
		return github_finish(&g, 500, NULL);
	cx->now = now_s();
	if (import && repo_import_note_check(cx, import) != RC_OK)
		return 1;
	return github_finish(&g, 200,
	    arena_printf(cx->arena, "{\"hasUpdates\":%s,\"updates\":%s}", any ? "true" : "false",
		list));
}

/* ---- taking updates over ---- */

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

/* The body of the updated profile; NULL, and why. */
static json_t *updated(struct updates *u, struct imported *p, const char **why)
{
	struct arena *a = u->g->arena;
	const struct branch *b = branch_of(u, p);
	const char *text, *readme, *repo_readme, *name, *none;
	const char *folder = skill_folder(p->path, p->repo.repo);
	json_t *meta = json_object_get(p->config, "importMeta"), *front;

	*why = b->why;
	text = b->head ? repo_fetch_skill(u->g, &p->repo, p->path, false, why) : NULL;
	if (!text)
		return NULL;
	repo_readme = text_or_empty(github_file(u->g, &p->repo, "", "README.md", NULL, &none));
	readme = *p->path ? text_or_empty(
	    github_file(u->g, &p->repo, p->path, "README.md", NULL, &none)) : repo_readme;
	front = skill_front(a, text);
	skill_add_tags(a, json_object_get(p->config, "tags"), folder, text, readme, front);
	json_object_set_new(meta, "contentHash", json_string(github_hash(a, text)));
	json_object_set_new(meta, "importedAt", json_string(repo_now(a)));
	json_object_set_new(meta, "commitSha", json_string(b->head));
	name = json_str(front, "name");
	text = skill_put_description(a, text,
	    skill_describe(a, &(struct skill_texts){
				  .name = name && *name ? name : folder,
				  .skill = text,
				  .readme = readme,
				  .repo_readme = repo_readme,
			      }));
	json_object_set_new(p->config, "skillMd", json_string(text));
	return p->config;
}

/* Takes one update over; why not, or NULL. */
static const char *apply(struct updates *u, const char *id)
{
	struct ctx *cx = u->g->job->cx;
	struct imported p;
	const char *why = NULL;
	json_t *body;

	if (!load(u, u->g->arena, id, &p))
		return "No import metadata";
	body = updated(u, &p, &why);
	if (!body || u->g->cancelled)
		return why ? why : "Cancelled";
	cx->now = now_s();
	if (profile_check_builtin(cx, p.id, "modify") == RC_OK &&
	    profile_replace(cx, p.id, body) == RC_OK)
		return NULL;
	why = cx->err.body ? json_str(json_read_text(u->g->arena, cx->err.body), "error")
			   : arena_strdup(u->g->arena, cx->err.msg);
	err_clear(&cx->err);
	return why ? why : "Internal server error";
}

int repo_apply(struct job *j)
{
	struct arena *a = j->cx->arena, *each = arena_new(REPO_EACH_MEMORY);
	const json_t *list = json_object_get(json_read_text(a, j->payload), "updates"), *v;
	json_t *errors = json_keep(a, json_array()), *out;
	json_int_t applied = 0, skipped = 0;
	struct github g;
	struct updates u = { .g = &g, .kept = a };
	size_t i;

	github_init(&g, j);
	json_array_foreach(list, i, v) {
		const char *id = json_str(v, "profileId"), *why;

		arena_reset(each);
		g.arena = each;
		if (!json_flag(v, "accept")) {
			skipped++;
			continue;
		}
		j->cx->arena = each;
		why = apply(&u, id);
		j->cx->arena = a;
		applied += !why;
		if (why)
			json_array_append_new(errors, json_string(arena_printf(each, "%s: %s",
			    id ? id : json_kind(json_object_get(v, "profileId")), why)));
	}
	g.arena = a;
	arena_free(each);
	out = json_keep(a,
	    json_pack("{s:b, s:I, s:I}", "ok", 1, "applied", applied, "skipped", skipped));
	if (json_array_size(errors))
		json_object_set(out, "errors", errors);
	return github_finish(&g, 200, json_text(a, out));
}
