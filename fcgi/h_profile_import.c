/* /api/profiles/import and /api/profiles/import-repo. What needs GitHub is a job. */
#include "core/domain/repo_import.h"

#include "core/text.h"
#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"

#define GITHUB_TIMEOUT_MS 325000
#define MISSING "Missing required fields"
#define BAD_URL "Only GitHub URLs are supported (github.com or raw.githubusercontent.com)"
#define BAD_REPO "Invalid GitHub URL. Provide a URL like https://github.com/owner/repo"

static enum rc ask_github(struct request *rq, const char *kind, const json_t *payload)
{
	struct job_reply jr = { .kind = kind, .payload = json_text(rq->cx.arena, payload),
		.timeout_ms = GITHUB_TIMEOUT_MS, .timeout_text = "GitHub does not answer in time" };

	return reply_with_job(rq, &jr);
}

/* A part of an address, decoded; as it is where it has a broken escape. */
static const char *decoded(struct request *rq, const char *part)
{
	char *out;

	return part && url_decode(rq->cx.arena, part, strlen(part), &out) ? out : part;
}

static const json_t *place_json(struct request *rq, const struct repo_place *p)
{
	return json_keep(rq->cx.arena,
	    json_pack("{s:s, s:s, s:s*, s:s}", "owner", decoded(rq, p->owner), "repo",
		decoded(rq, p->repo), "branch", decoded(rq, p->branch), "path",
		decoded(rq, p->path)));
}

enum rc h_profile_import(struct request *rq)
{
	const char *url = json_str(rq->in, "url");
	struct repo_place p;

	if (!url || !*url)
		return ctx_fail(&rq->cx, RC_INVALID, "url is required");
	if (!repo_parse_url(rq->cx.arena, text_trim(rq->cx.arena, url), &p) || !p.branch ||
	    (!p.raw && !*p.path))
		return ctx_fail(&rq->cx, RC_INVALID, BAD_URL);
	return ask_github(rq, JOB_PROFILE_FETCH, place_json(rq, &p));
}

enum rc h_repo_import_list(struct request *rq)
{
	repo_import_write_list(&rq->cx, reply(rq, 200));
	return RC_OK;
}

enum rc h_repo_scan(struct request *rq)
{
	const char *given = json_str(rq->in, "url");
	const char *url = given ? text_trim(rq->cx.arena, given) : "";
	struct repo_place p;

	if (!*url)
		return ctx_fail(&rq->cx, RC_INVALID, "url is required");
	if (!repo_parse_url(rq->cx.arena, url, &p))
		return ctx_fail(&rq->cx, RC_INVALID, BAD_REPO);
	return ask_github(rq, JOB_REPO_SCAN, place_json(rq, &p));
}

static bool has_text(const json_t *in, const char *key)
{
	const char *s = json_str(in, key);

	return s && *s;
}

enum rc h_repo_preview(struct request *rq)
{
	size_t n = json_array_size(json_object_get(rq->in, "skills"));

	if (!has_text(rq->in, "owner") || !has_text(rq->in, "repo") ||
	    !has_text(rq->in, "branch") || !n)
		return ctx_fail(&rq->cx, RC_INVALID, MISSING);
	if (n > REPO_ITEMS_MAX)
		return ctx_fail(&rq->cx, RC_INVALID, "Too many skills (max %d)", REPO_ITEMS_MAX);
	return ask_github(rq, JOB_REPO_PREVIEW, rq->in);
}

enum rc h_repo_confirm(struct request *rq)
{
	return repo_import_confirm(&rq->cx, reply(rq, 201), rq->in);
}

static enum rc reply_no_updates(struct request *rq)
{
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_kbool(w, "hasUpdates", false);
	jw_key(w, "updates");
	jw_arr(w);
	jw_end_arr(w);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_repo_check(struct request *rq)
{
	const json_t *ids;
	const char *import;
	enum rc rc = repo_import_check(&rq->cx, rq->in, &ids, &import);

	if (rc != RC_OK)
		return rc;
	if (!json_array_size(ids)) {
		rc = repo_import_note_check(&rq->cx, import);
		return rc != RC_OK ? rc : reply_no_updates(rq);
	}
	return ask_github(rq, JOB_REPO_CHECK,
	    json_keep(rq->cx.arena,
		json_pack("{s:O, s:s*}", "profileIds", ids, "repoImportId", import)));
}

enum rc h_repo_apply(struct request *rq)
{
	const json_t *updates = json_object_get(rq->in, "updates");
	size_t n = json_array_size(updates);

	if (!n)
		return ctx_fail(&rq->cx, RC_INVALID, "No updates provided");
	if (n > REPO_ITEMS_MAX)
		return ctx_fail(&rq->cx, RC_INVALID, "Too many updates (max %d)", REPO_ITEMS_MAX);
	return ask_github(rq, JOB_REPO_APPLY, rq->in);
}
