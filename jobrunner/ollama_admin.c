/* The two operations on an Ollama server: which models it has, and fetching one. The job's result
 * is the client's answer, whatever the server does: nothing is retried. */
#include "core/domain/runtime.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/runner.h"

#define ANSWER_MAX ((size_t)16 << 20)
#define LIST_MS 5000
#define PULL_MS (6L * 3600 * 1000)
#define REASON_UNITS 500
#define HINT "Start Ollama on its machine (ollama serve), and look at the address in the settings."

static bool take(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

/* {"error":WORDS} and, where there is one, a hint. */
static const char *error_body(struct arena *a, const char *words, const char *hint)
{
	json_t *o = json_object();

	json_object_set_new(o, "error", json_string(words));
	if (hint)
		json_object_set_new(o, "hint", json_string(hint));
	return json_text(a, json_keep(a, o));
}

static int finish(struct job *j, int status, const char *body)
{
	enum rc rc = job_finish(j, status, body, NULL);

	if (rc != RC_OK && rc != RC_FENCED)
		log_error("job %lld: %s %s", (long long)j->id, rc_name(rc), j->cx->err.cause);
	return rc == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}

/* Calls PATH; a 2xx answer, which has to be JSON, comes back in *OUT. */
static enum rc call(struct job *j, const char *path, const char *body, long limit_ms,
    struct http_answer *ans, json_t **out, struct err *e)
{
	static const char *const HEADERS[] = { "content-type: application/json", NULL };
	struct arena *a = j->cx->arena;
	struct buf b;
	struct http_request rq = {
		.url = arena_printf(a, "%s%s", runtime_ollama_url(j->cx), path),
		.headers = HEADERS,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.sink = take,
		.sink_arg = &b,
		.connect_timeout_ms = LIST_MS,
		.idle_timeout_ms = limit_ms,
		.total_timeout_ms = limit_ms,
	};
	enum rc rc;

	buf_init(&b, ANSWER_MAX);
	rc = http_call(j->http, a, &rq, ans, e);
	if (b.failed) {
		err_clear(e);
		rc = err_set(e, RC_UPSTREAM, "The answer of Ollama is too large");
	}
	*out = rc == RC_OK ? json_read(a, b.data ? b.data : "", b.len) : NULL;
	if (rc == RC_OK && !*out)
		rc = err_set(e, RC_UPSTREAM, "The answer of Ollama is not JSON");
	buf_fini(&b);
	return rc;
}

int ollama_list(struct job *j)
{
	struct arena *a = j->cx->arena;
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	json_t *doc;
	enum rc rc = call(j, "/api/tags", NULL, LIST_MS, &ans, &doc, &e);

	if (rc == RC_CANCELLED)
		return EXIT_INTERRUPTED;
	if (rc == RC_OK)
		return finish(j, 200, json_text(a, doc));
	if (ans.status >= 300)
		return finish(j, 502,
		    error_body(a,
			arena_printf(a, "Ollama responded with status %ld", ans.status), NULL));
	return finish(j, 502, error_body(a, *e.msg ? e.msg : "Ollama cannot be reached", HINT));
}

int ollama_pull(struct job *j)
{
	struct arena *a = j->cx->arena;
	const char *model = json_str(json_read_text(a, j->payload), "model");
	json_t *body = json_keep(a, json_pack("{s:s, s:b}", "name", model, "stream", 0));
	json_t *doc, *out;
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	enum rc rc = call(j, "/api/pull", json_text(a, body), PULL_MS, &ans, &doc, &e);

	if (rc == RC_CANCELLED)
		return EXIT_INTERRUPTED;
	if (rc == RC_OK) {
		out = json_keep(a, json_pack("{s:s, s:s}", "status", "ok", "model", model));
		json_object_update(out, doc); /* nothing where it is no object */
		return finish(j, 200, json_text(a, out));
	}
	if (ans.status >= 300)
		return finish(j, 502,
		    error_body(a,
			arena_printf(a, "Ollama pull failed (%ld): %s", ans.status,
			    text_cut(a, ans.error_body, REASON_UNITS)),
			NULL));
	return finish(j, 502, error_body(a, *e.msg ? e.msg : "Ollama cannot be reached", NULL));
}
