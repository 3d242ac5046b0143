/* Importing a blueprint: its text is fetched from GitHub's files and stored as if it was posted.
 * What goes wrong is told to the person who asked. */
#include "core/clock.h"
#include "core/domain/blueprint.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/ask.h"
#include "jobrunner/github.h"

#define FETCH_MS 10000
#define REDIRECTS_MAX 3
#define TOO_LARGE "Blueprint is too large (max 1MB)"

static bool take(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

/* Whether both addresses have the same scheme, host and port. */
static bool same_host(const char *one, const char *other)
{
	const char *end = strstr(one, "://");
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end - one) + 3;
	n += strcspn(one + n, "/?#");
	return strncasecmp(one, other, n) == 0 && (!other[n] || strchr("/?#", other[n]));
}

/* The text at URL in B, after some redirects on the same host. */
static enum rc get(struct job *j, const char *url, struct buf *b, struct http_answer *ans,
    struct err *e)
{
	static const char *const HEADERS[] = { "User-Agent: Stagent/1.0", NULL };
	const char *first = url;
	int64_t end = mono_ms() + FETCH_MS;

	for (int n = 0;; n++) {
		int64_t left = end - mono_ms();
		struct http_request rq = { .url = url, .headers = HEADERS, .sink = take,
			.sink_arg = b, .total_timeout_ms = left > 1 ? left : 1 };
		enum rc rc = http_call(j->http, j->cx->arena, &rq, ans, e);

		if (rc == RC_OK || !ans->redirect || n == REDIRECTS_MAX ||
		    !same_host(first, ans->redirect))
			return rc;
		url = ans->redirect;
		err_clear(e);
	}
}

/* The text of the file at PLACE; NULL, and why. */
static const char *fetch(struct github *g, const char *place, const char **why)
{
	struct job *j = g->job;
	struct arena *a = g->arena;
	struct http_answer ans = { .error_body = (char[]){ "" } };
	struct err e = { 0 };
	const char *text = NULL;
	struct buf b;
	enum rc rc;

	buf_init(&b, BLUEPRINT_SIZE_MAX);
	rc = get(j, arena_printf(a, "%s%s", j->cx->conf->github_raw, place), &b, &ans, &e);
	g->cancelled = rc == RC_CANCELLED;
	if (b.failed)
		*why = TOO_LARGE;
	else if (ans.status >= 300)
		*why = arena_printf(a, "Failed to fetch blueprint: %ld", ans.status);
	else if (rc != RC_OK)
		*why = arena_strdup(a, *e.msg ? e.msg : "fetch failed");
	else if (!text_is_utf8(b.data ? b.data : "", b.len) || (b.len && memchr(b.data, 0, b.len)))
		*why = "The file is no text";
	else
		text = arena_strndup(a, b.data ? b.data : "", b.len);
	buf_fini(&b);
	return text;
}

int blueprint_fetch(struct job *j)
{
	struct ctx *cx = j->cx;
	struct arena *a = cx->arena;
	const char *place = json_str(json_read_text(a, j->payload), "place"), *text, *why = NULL;
	const json_t *doc;
	struct github g;
	int status;

	github_init(&g, j);
	text = fetch(&g, place ? place : "", &why);
	if (!text || g.cancelled)
		return github_finish(&g, 400, ask_error_body(a, why));
	cx->now = now_s();
	if (blueprint_create(cx, text, &doc) != RC_OK) {
		if (*cx->err.cause)
			log_error("blueprint import: %s", cx->err.cause);
		status = cx->err.status ? cx->err.status : rc_http_status(cx->err.rc);
		why = ask_error_body(a, err_text(&cx->err));
		err_clear(&cx->err);
		return github_finish(&g, status, why);
	}
	return github_finish(&g, 201,
	    json_text(a,
		json_keep(a,
		    json_pack("{s:b, s:s, s:s}", "ok", 1, "id", json_str(doc, "id"), "name",
			json_str(doc, "name")))));
}
