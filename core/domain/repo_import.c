/* Imports from repositories: addresses, records, the confirmed ones. */
#include "core/domain/repo_import.h"

#include <strings.h>

#include "core/domain/profile.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"

#define HOST "github.com"
#define RAW_HOST "raw.githubusercontent.com"

/* ---- addresses ---- */

/* The host and the path of an http(s) address, without port, query and fragment. */
static bool split_url(struct arena *a, const char *url, const char **host, const char **path)
{
	size_t scheme = strncasecmp(url, "https://", 8) == 0 ? 8
	    : strncasecmp(url, "http://", 7) == 0 ? 7 : 0, n, port;
	const char *p = url + scheme;

	if (!scheme)
		return false;
	n = strcspn(p, "/?#");
	if (memchr(p, '@', n))
		return false;
	*host = arena_strndup(a, p, n);
	port = strcspn(*host, ":");
	*host = text_lower(a, arena_strndup(a, *host, port));
	p += n;
	*path = arena_strndup(a, p, strcspn(p, "?#"));
	return true;
}

/* Takes the next segment off *PATH; NULL at the end, and for one that would lead elsewhere. */
static const char *next_segment(struct arena *a, const char **path)
{
	const char *p = *path + strspn(*path, "/");
	size_t n = strcspn(p, "/");

	*path = p + n;
	return n && strspn(p, ".") != n ? arena_strndup(a, p, n) : NULL;
}

static const char *rest_of(struct arena *a, const char *path)
{
	size_t n;

	path += strspn(path, "/");
	n = strlen(path);
	while (n && path[n - 1] == '/')
		n--;
	return arena_strndup(a, path, n);
}

bool repo_parse_url(struct arena *a, const char *url, struct repo_place *out)
{
	const char *host, *path, *word;
	bool raw;

	*out = (struct repo_place){ .path = "" };
	if (!split_url(a, url, &host, &path))
		return false;
	raw = out->raw = strcmp(host, RAW_HOST) == 0;
	if (!raw && strcmp(host, HOST) != 0)
		return false;
	out->owner = next_segment(a, &path);
	out->repo = next_segment(a, &path);
	if (!out->owner || !out->repo)
		return false;
	if (!raw && text_ends(out->repo, ".git") && strlen(out->repo) > 4)
		out->repo = arena_strndup(a, out->repo, strlen(out->repo) - 4);
	word = raw ? "tree" : next_segment(a, &path);
	if (word && (strcmp(word, "tree") == 0 || strcmp(word, "blob") == 0)) {
		out->branch = next_segment(a, &path);
		out->path = rest_of(a, path);
	}
	return !raw || out->branch;
}

/* ---- records ---- */

void repo_import_write_list(struct ctx *cx, struct jw *w)
{
	struct q *q = db_query(cx->db, Q_REPO_IMPORT_LIST, "");

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_REPO_IMPORT, 0);
	jw_end_arr(w);
}

enum rc repo_import_note_check(struct ctx *cx, const char *import)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_REPO_IMPORT_CHECKED, "ti", import, cx->now);
	return tx_end(cx, RC_OK);
}

/* Those of the ids that are profiles with import metadata. */
static const json_t *imported(struct ctx *cx, const json_t *ids)
{
	json_t *out = json_keep(cx->arena, json_array()), *v;
	size_t i;

	json_array_foreach(ids, i, v) {
		const char *id = json_string_value(v);
		const struct profile *p = id ? profile_find(cx->conf, id) : NULL;

		if (p && json_object_get(p->doc, "importMeta"))
			json_array_append(out, v);
	}
	return out;
}

enum rc repo_import_check(struct ctx *cx, const json_t *in, const json_t **ids,
    const char **import)
{
	const char *profile = json_str(in, "profileId"), *text;

	*import = json_str(in, "repoImportId");
	if (*import && **import) {
		text = db_get_text(cx->db, cx->arena, Q_REPO_IMPORT_PROFILES, "t", *import);
		if (!text)
			return ctx_fail(cx, RC_NOTFOUND, "Repo import not found");
		*ids = imported(cx, json_read_text(cx->arena, text));
		return RC_OK;
	}
	*import = NULL;
	if (!profile || !*profile)
		return ctx_fail(cx, RC_INVALID, "Provide repoImportId or profileId");
	*ids = imported(cx, json_keep(cx->arena, json_pack("[s]", profile)));
	if (!json_array_size(*ids))
		return ctx_fail(cx, RC_INVALID, "Profile has no import metadata");
	return RC_OK;
}

/* ---- what was confirmed ---- */

struct confirmed {
	int64_t imported, replaced, skipped;
	json_t *ids, *errors;
};

static void add_error(struct ctx *cx, struct confirmed *c, const char *id, const char *words)
{
	json_array_append_new(
	    c->errors, json_string(arena_printf(cx->arena, "%s: %s", id, words)));
}

/* The words of the failure in CX, which is over. */
static const char *words_of(struct ctx *cx)
{
	struct arena *a = cx->arena;
	const char *words = cx->err.body ? json_str(json_read_text(a, cx->err.body), "error")
					 : arena_strdup(a, cx->err.msg);

	err_clear(&cx->err);
	return words ? words : "Internal server error";
}

/* The configuration and the text as one body. */
static const json_t *body_of(struct ctx *cx, const json_t *item)
{
	json_t *in = json_keep(cx->arena, json_copy(json_object_get(item, "config")));
	json_t *skill = json_object_get(item, "skillMd");

	json_object_del(in, "skillMd");
	if (skill)
		json_object_set(in, "skillMd", skill);
	return in;
}

/* Replaces the user's profile, or creates it where there is none. */
static enum rc replace(struct ctx *cx, const char *id, const json_t *in)
{
	const struct profile *p = id ? profile_find(cx->conf, id) : NULL;

	return p && !p->builtin ? profile_replace(cx, id, in) : profile_create(cx, in);
}

static void confirm_item(struct ctx *cx, struct confirmed *c, const json_t *item, size_t i)
{
	const char *action = json_str(item, "action"), *id, *place;
	const json_t *config = json_object_get(item, "config"), *in;
	bool import = action && strcmp(action, "import") == 0;

	if (action && strcmp(action, "skip") == 0) {
		c->skipped++;
		return;
	}
	place = arena_printf(cx->arena, "imports[%zu]", i);
	if (!json_is_object(config)) {
		add_error(cx, c, place, "config is required");
		return;
	}
	id = json_str(config, "id");
	if (!import && (!action || strcmp(action, "replace") != 0)) {
		add_error(cx, c, id ? id : place, arena_printf(cx->arena, "Unknown action: %s",
		    action ? action : json_kind(json_object_get(item, "action"))));
		return;
	}
	in = body_of(cx, item);
	if ((import ? profile_create(cx, in) : replace(cx, id, in)) != RC_OK) {
		add_error(cx, c, id ? id : place, words_of(cx));
		return;
	}
	json_array_append_new(c->ids, json_string(id));
	c->imported += import;
	c->replaced += !import;
}

static enum rc store(struct ctx *cx, const json_t *in, const struct confirmed *c)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_REPO_IMPORT_INSERT, "tttttttii", id_make(cx->arena),
	    json_str(in, "repoUrl"), json_str(in, "owner"), json_str(in, "repo"),
	    json_str(in, "branch"), json_str(in, "commitSha"), json_text(cx->arena, c->ids),
	    (int64_t)json_array_size(c->ids), cx->now);
	audit(cx, "profile.import", "repository", json_str(in, "repoUrl"), NULL);
	return tx_end(cx, RC_OK);
}

static bool is_complete(const json_t *in)
{
	static const char *const TEXTS[] = { "owner", "repo", "branch", "commitSha" };
	const char *url = json_str(in, "repoUrl");

	for (size_t i = 0; i < COUNT(TEXTS); i++)
		if (!json_str(in, TEXTS[i]))
			return false;
	return url && *url && json_array_size(json_object_get(in, "imports")) > 0;
}

enum rc repo_import_confirm(struct ctx *cx, struct jw *w, const json_t *in)
{
	const json_t *items = json_object_get(in, "imports"), *item;
	struct confirmed c = { .ids = json_keep(cx->arena, json_array()),
		.errors = json_keep(cx->arena, json_array()) };
	enum rc rc = RC_OK;
	size_t i;

	if (!is_complete(in))
		return ctx_fail(cx, RC_INVALID, "Missing required fields");
	if (json_array_size(items) > REPO_ITEMS_MAX)
		return ctx_fail(cx, RC_INVALID, "Too many imports (max %d)", REPO_ITEMS_MAX);
	json_array_foreach(items, i, item)
		confirm_item(cx, &c, item, i);
	if (json_array_size(c.ids))
		rc = store(cx, in, &c);
	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	jw_kbool(w, "ok", true);
	jw_kint(w, "imported", c.imported);
	jw_kint(w, "replaced", c.replaced);
	jw_kint(w, "skipped", c.skipped);
	jw_kjson(w, "profileIds", c.ids);
	if (json_array_size(c.errors))
		jw_kjson(w, "errors", c.errors);
	jw_end_obj(w);
	return RC_OK;
}
