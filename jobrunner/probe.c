/* The test of a provider connection: connected is what was proven just now, nothing else. The answer
 * goes to the client that waits for the job. */
#include <stdlib.h>
#include <unistd.h>

#include "core/catalog.h"
#include "core/domain/provider.h"
#include "core/domain/runtime.h"
#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/runner.h"
#include "jobrunner/runtimes/claude.h"
#include "jobrunner/runtimes/codex.h"

#define CALL_TIMEOUT_MS 20000
#define OLLAMA_TIMEOUT_MS 5000
#define ANTHROPIC_BODY \
	"{\"model\":\"claude-sonnet-4-20250514\",\"max_tokens\":1,\"messages\":" \
	"[{\"role\":\"user\",\"content\":\"ping\"}],\"stream\":false}"
#define OPENAI_BODY \
	"{\"model\":\"gpt-4.1-mini\",\"input\":\"ping\",\"stream\":false," \
	"\"max_output_tokens\":16}"

struct probe {
	bool connected;
	const char *source, *error; /* NULL: not said */
	const char *setting;        /* that keeps the source of a connection, or NULL */
};

static const char *join_url(struct arena *a, const char *base, const char *path)
{
	size_t n = strlen(base);

	while (n && base[n - 1] == '/')
		n--;
	return arena_printf(a, "%.*s%s", (int)n, base, path);
}

static bool swallow(void *arg UNUSED, const char *data UNUSED, size_t n UNUSED)
{
	return true;
}

static enum rc call(struct job *j, const char *url, const char *const *headers, const char *body,
    long timeout_ms, struct http_answer *ans, struct err *e)
{
	struct http_request rq = {
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = body ? strlen(body) : 0,
		.sink = swallow,
		.total_timeout_ms = timeout_ms,
	};

	return http_call(j->http, j->cx->arena, &rq, ans, e);
}

/* What a call with the key from FROM came to. */
static enum rc conclude(struct job *j, struct probe *p, const char *from, enum rc rc,
    const struct err *e)
{
	p->connected = rc == RC_OK;
	if (rc == RC_OK)
		p->source = from;
	else
		p->error = arena_strdup(j->cx->arena, e->msg);
	return rc == RC_CANCELLED ? rc : RC_OK;
}

static enum rc try_anthropic(struct job *j, struct probe *p)
{
	struct arena *a = j->cx->arena;
	const char *from, *key = provider_key_from(j->cx, "anthropic", &from);
	const char *headers[] = { "content-type: application/json", "anthropic-version: 2023-06-01",
		key ? arena_printf(a, "x-api-key: %s", key) : NULL, NULL };
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	enum rc rc;

	if (!key) {
		p->error = "No Anthropic API key configured. Set one in Settings > Authentication.";
		return RC_OK;
	}
	text_hide(key);
	rc = call(j, join_url(a, j->cx->conf->anthropic_url, "/v1/messages"), headers,
	    ANTHROPIC_BODY, CALL_TIMEOUT_MS, &ans, &e);
	return conclude(j, p, from, rc, &e);
}

static enum rc try_openai(struct job *j, struct probe *p)
{
	struct arena *a = j->cx->arena;
	const char *from, *key = provider_key_from(j->cx, "openai", &from);
	const char *headers[] = { "content-type: application/json",
		key ? arena_printf(a, "authorization: Bearer %s", key) : NULL, NULL };
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	enum rc rc;

	if (!key) {
		p->error = "No OpenAI API key configured. Set one in Settings > Authentication.";
		return RC_OK;
	}
	text_hide(key);
	rc = call(j, join_url(a, j->cx->conf->openai_url, "/responses"), headers, OPENAI_BODY,
	    CALL_TIMEOUT_MS, &ans, &e);
	return conclude(j, p, from, rc, &e);
}

static enum rc try_ollama(struct job *j, struct probe *p)
{
	static const char *const NO_HEADERS[] = { NULL };
	struct arena *a = j->cx->arena;
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	enum rc rc = call(j, join_url(a, runtime_ollama_url(j->cx), "/api/tags"), NO_HEADERS, NULL,
	    OLLAMA_TIMEOUT_MS, &ans, &e);

	p->connected = rc == RC_OK;
	if (rc == RC_TIMEOUT)
		p->error = "Ollama is not responding (timeout). Is it running?";
	else if (rc != RC_OK && ans.status)
		p->error = arena_printf(a, "Ollama responded with status %ld", ans.status);
	else if (rc != RC_OK)
		p->error = "Cannot connect to Ollama. Make sure it is running (ollama serve).";
	return rc == RC_CANCELLED ? rc : RC_OK;
}

/* The program has to work, and the provider to take the key; the list of models costs nothing. */
static enum rc try_codex(struct job *j, struct probe *p)
{
	struct arena *a = j->cx->arena;
	const char *from, *key = provider_key_from(j->cx, "openai", &from);
	const char *headers[] = {
		key ? arena_printf(a, "authorization: Bearer %s", key) : NULL, NULL };
	struct runtime_access access;
	struct http_answer ans = { 0 };
	struct err e = { 0 };
	enum rc rc = RC_OK;

	if (!key) {
		p->source = "unknown";
		p->error = "OpenAI API key is not configured";
		return RC_OK;
	}
	p->setting = SETTING_OPENAI_SOURCE;
	p->error = runtime_access(j->cx, RUNTIME_CODEX.id, &access);
	if (!p->error)
		p->error = codex_probe(j, &access, &rc);
	if (p->error)
		return rc == RC_CANCELLED ? rc : RC_OK;
	rc = call(j, join_url(a, access.base_url, "/models"), headers, NULL, CALL_TIMEOUT_MS, &ans,
	    &e);
	return conclude(j, p, from, rc, &e);
}

/* The source of the key in our words: the program reports its own. */
static const char *claude_source(const struct runtime_access *access, const char *reported)
{
	if (!reported)
		return "unknown";
	if (!access->key)
		return "oauth";
	return strcmp(reported, "ANTHROPIC_API_KEY") == 0 ? access->key_from : "unknown";
}

/* What runs without the program is tested in its place. */
static enum rc try_stand_in(struct job *j, const struct runtime_access *access, struct probe *p)
{
	enum rc rc = try_anthropic(j, p);

	if (rc != RC_OK)
		return rc;
	if (p->connected)
		log_info("connection test: %s, the built-in loop stands in", access->fallback);
	else
		p->error = arena_printf(j->cx->arena,
		    "%s, and the built-in loop that stands in cannot connect: %s", access->fallback,
		    p->error);
	return RC_OK;
}

static enum rc try_claude(struct job *j, struct probe *p)
{
	struct runtime_access access;
	const char *reported = NULL;
	enum rc rc;

	p->setting = SETTING_AUTH_SOURCE;
	p->error = runtime_access(j->cx, "claude-code", &access);
	if (access.fallback)
		return try_stand_in(j, &access, p);
	if (p->error)
		return RC_OK;
	rc = claude_probe(j, &access, &reported, &p->error);
	p->connected = rc == RC_OK && !p->error;
	if (p->connected)
		p->source = claude_source(&access, reported);
	return rc;
}

/* In the order of the catalogue. */
static enum rc (*const TESTS[RUNTIMES_N])(struct job *j, struct probe *p) = {
	try_claude, try_codex, try_anthropic, try_openai, try_ollama,
};

static const char *answer(struct arena *a, const struct probe *p, const struct runtime_info *info)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, 64 << 10);
	jw_obj(&w);
	jw_kbool(&w, "connected", p->connected);
	if (p->source)
		jw_kstr(&w, "apiKeySource", p->source);
	if (p->error)
		jw_kstr(&w, "error", text_mask_keys(a, p->error));
	jw_kstr(&w, "runtime", info->id);
	runtime_write_capabilities(&w, info);
	jw_end_obj(&w);
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

/* The answer, and what it tells of the key. */
static int finish(struct job *j, const struct probe *p, const struct runtime_info *info)
{
	struct ctx *cx = j->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return 1;
	if (p->setting && p->connected)
		rc = setting_put(cx, p->setting, p->source);
	if (rc == RC_OK)
		rc = job_finish(j, 200, answer(cx->arena, p, info), NULL);
	return tx_end(cx, rc) == RC_OK ? EXIT_DONE : 1;
}

int settings_test(struct job *j)
{
	const struct runtime_info *info =
	    catalog_resolve(json_str(json_read_text(j->cx->arena, j->payload), "runtime"));
	struct probe p = { 0 };

	if (TESTS[runtime_place(info)](j, &p) == RC_CANCELLED)
		return EXIT_INTERRUPTED;
	return finish(j, &p, info);
}
