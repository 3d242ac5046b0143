/* GitHub: its API for what a repository has, and the files' texts as they are. */
#include "jobrunner/github.h"

#include <openssl/evp.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define FETCH_MS 15000
#define ALL_MS 300000
#define FILE_MAX ((size_t)1 << 20)
#define API_MAX ((size_t)16 << 20)
#define FILES_MAX 100000
#define REDIRECTS 5 /* a repository that was renamed has one */

void github_init(struct github *g, struct job *j)
{
	*g = (struct github){ .job = j, .arena = j->cx->arena, .end_ms = mono_ms() + ALL_MS };
}

static bool take(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

/* PATH with everything escaped that is not plain in a path. */
static const char *escaped(struct arena *a, const char *path)
{
	static const char HEX[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * strlen(path) + 1), *w = out;

	for (const unsigned char *s = (const unsigned char *)path; *s; s++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~/",
			*s)) {
			*w++ = (char)*s;
		} else {
			*w++ = '%';
			*w++ = HEX[*s >> 4];
			*w++ = HEX[*s & 15];
		}
	}
	return out;
}

/* Gets URL; RC_OK with the text in B. */
static enum rc get(struct github *g, const char *url, const char *const *headers, struct buf *b,
    struct http_answer *ans, struct err *e)
{
	struct http_request rq = { .url = url, .headers = headers, .sink = take, .sink_arg = b,
		.total_timeout_ms = FETCH_MS, .redirects = REDIRECTS };
	enum rc rc;

	*ans = (struct http_answer){ .error_body = (char[]){ "" } };
	if (g->cancelled || mono_ms() > g->end_ms)
		return err_set(e, RC_TIMEOUT, "It takes too long; try fewer at a time");
	rc = http_call(g->job->http, g->arena, &rq, ans, e);
	if (rc == RC_CANCELLED)
		g->cancelled = true;
	if (b->failed) {
		err_clear(e);
		rc = err_set(e, RC_TOOLARGE, "The file is too large (max 1 MiB)");
	}
	return rc;
}

/* What the API's refusal means. */
static const char *api_words(struct arena *a, const struct http_answer *ans, bool token)
{
	const char *in = "?";

	if (ans->status == 404)
		return "Repository not found. Check the URL and try again.";
	if (ans->status != 401 && ans->status != 403)
		return arena_printf(
		    a, "GitHub API error (%ld). Please try again later.", ans->status);
	if (ans->rate_left == 0) {
		if (ans->rate_reset_s >= 0) {
			int64_t s = ans->rate_reset_s - now_s();

			in = arena_printf(a, "%lld", (long long)(s > 0 ? s : 0));
		}
		return arena_printf(a, "GitHub API rate limit exceeded. Resets in %ss.%s", in,
		    token ? ""
			  : " Set a GITHUB_TOKEN environment variable for higher rate limits.");
	}
	return arena_printf(a, "Access denied (%ld).%s", ans->status,
	    token ? " Your GITHUB_TOKEN may lack access to this repository."
		  : " Set a GITHUB_TOKEN environment variable to access private repositories.");
}

/* An object of the API; NULL, and why. */
static const json_t *api(struct github *g, const char *path, const char **why)
{
	struct arena *a = g->arena;
	const struct conf *conf = g->job->cx->conf;
	bool token = conf->github_token && *conf->github_token;
	const char *const headers[] = { "Accept: application/vnd.github.v3+json",
		"User-Agent: Stagent/1.0",
		token ? arena_printf(a, "Authorization: Bearer %s", conf->github_token) : NULL,
		NULL };
	struct http_answer ans;
	struct err e = { 0 };
	json_t *v = NULL;
	struct buf b;

	buf_init(&b, API_MAX);
	path = arena_printf(a, "%s%s", conf->github_api, path);
	if (get(g, path, headers, &b, &ans, &e) == RC_OK) {
		v = json_read(a, b.data ? b.data : "", b.len);
		*why = "GitHub's answer cannot be read";
	} else {
		*why = ans.status >= 300 ? api_words(a, &ans, token) : arena_strdup(a, e.msg);
	}
	buf_fini(&b);
	return json_is_object(v) ? v : NULL;
}

static const char *repo_path(struct arena *a, const char *owner, const char *repo)
{
	return arena_printf(a, "/repos/%s/%s", escaped(a, owner), escaped(a, repo));
}

const char *github_default_branch(struct github *g, const char *owner, const char *repo,
    const char **why)
{
	const json_t *v = api(g, repo_path(g->arena, owner, repo), why);
	const char *branch = json_str(v, "default_branch");

	if (!v)
		return NULL;
	return branch && *branch ? branch : "main";
}

const char *github_head(struct github *g, const struct github_repo *r, const char **why)
{
	struct arena *a = g->arena;
	const json_t *v = api(g,
	    arena_printf(a, "%s/git/ref/heads/%s", repo_path(a, r->owner, r->repo),
		escaped(a, r->branch)),
	    why);
	const char *sha = json_str(json_object_get(v, "object"), "sha");

	return sha && *sha ? sha : NULL;
}

const json_t *github_files(struct github *g, const struct github_repo *r, const char *commit,
    const char **why)
{
	struct arena *a = g->arena;
	const json_t *v = api(g,
	    arena_printf(a, "%s/git/trees/%s?recursive=1", repo_path(a, r->owner, r->repo),
		escaped(a, commit)),
	    why);
	const json_t *tree = json_object_get(v, "tree"), *item;
	json_t *out = json_keep(a, json_array());
	size_t i;

	if (!v)
		return NULL;
	json_array_foreach(tree, i, item) {
		const char *type = json_str(item, "type"), *path = json_str(item, "path");

		if (path && type && strcmp(type, "blob") == 0 && i < FILES_MAX)
			json_array_append_new(out, json_string(path));
	}
	return out;
}

const char *github_file(struct github *g, const struct github_repo *r, const char *folder,
    const char *name, long *status, const char **why)
{
	static const char *const HEADERS[] = { "User-Agent: Stagent/1.0", NULL };
	struct arena *a = g->arena;
	const char *path = arena_printf(a, "%s%s%s", folder, *folder ? "/" : "", name);
	const char *text = NULL;
	const char *url = arena_printf(a, "%s/%s/%s/%s/%s", g->job->cx->conf->github_raw,
	    escaped(a, r->owner), escaped(a, r->repo), escaped(a, r->branch), escaped(a, path));
	struct http_answer ans;
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, FILE_MAX);
	if (get(g, url, HEADERS, &b, &ans, &e) != RC_OK)
		*why = ans.status >= 300
		    ? arena_printf(a, "%s cannot be fetched: HTTP %ld", name, ans.status)
		    : arena_strdup(a, e.msg);
	else if (!text_is_utf8(b.data ? b.data : "", b.len) || (b.len && memchr(b.data, 0, b.len)))
		*why = arena_printf(a, "%s is no text", name);
	else
		text = arena_strndup(a, b.data ? b.data : "", b.len);
	if (status)
		*status = ans.status;
	buf_fini(&b);
	return text;
}

const char *github_hash(struct arena *a, const char *text)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char *out = arena_alloc(a, GITHUB_SHA256_SIZE);
	unsigned n = 0;

	if (EVP_Digest(text, strlen(text), hash, &n, EVP_sha256(), NULL) != 1)
		abort();
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[i]);
	return out;
}

int github_finish(struct github *g, int status, const char *body)
{
	struct job *j = g->job;
	enum rc rc;

	if (g->cancelled)
		return EXIT_INTERRUPTED;
	rc = job_finish(j, status, body, NULL);
	return rc == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}
