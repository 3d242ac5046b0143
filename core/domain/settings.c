/* Settings. One table says which text belongs to which key of a body. */
#include "core/domain/settings.h"

#include "core/crypt.h"
#include "core/domain/provider.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/setting.h"
#include "core/text.h"

#define INT_LIMIT INT64_C(1000000000000000)
#define CHANGES_MAX 8

/* What an operation is going to write. */
struct changes {
	struct {
		const char *key, *value;
	} list[CHANGES_MAX];
	size_t n;
};

static void change(struct changes *c, const char *key, const char *value)
{
	c->list[c->n].key = key;
	c->list[c->n++].value = value;
}

/* Writes them all, with one audit row; a value of NULL deletes. No value is noted in the audit. */
static enum rc apply(struct ctx *cx, const struct changes *c)
{
	enum rc rc;

	if (!c->n)
		return RC_OK;
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i].value)
			setting_put(cx, c->list[i].key, c->list[i].value);
		else
			setting_delete(cx, c->list[i].key);
		audit(cx, "setting.update", "setting", c->list[i].key, NULL);
	}
	return tx_end(cx, RC_OK);
}

static enum rc need_body(struct ctx *cx, const json_t *in)
{
	return json_is_null(in) ? ctx_fail(cx, RC_INVALID, "Invalid JSON body") : RC_OK;
}

bool lenient_int(struct arena *a, const json_t *v, int64_t *out)
{
	char number[NUM_TEXT_SIZE];
	const char *s = number;
	bool negative, any = false;

	for (int depth = 0; json_is_array(v) && depth < JSON_DEPTH_MAX; depth++)
		v = json_array_get(v, 0);
	if (json_is_string(v))
		s = text_trim(a, json_string_value(v));
	else if (json_is_number(v))
		num_text(number, json_number_value(v));
	else
		return false;
	negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	*out = 0;
	for (; *s >= '0' && *s <= '9'; s++, any = true)
		if (*out < INT_LIMIT)
			*out = *out * 10 + (*s - '0');
	if (negative)
		*out = -*out;
	return any;
}

/* The key NAME of the body as text for KEY, where it is there and within the bounds. */
static enum rc take_int(struct ctx *cx, struct changes *c, const json_t *in, const char *name,
    const char *key, int64_t min, int64_t max, int64_t step, const char *message)
{
	const json_t *v = json_object_get(in, name);
	int64_t n;

	if (!v)
		return RC_OK;
	if (!lenient_int(cx->arena, v, &n) || n < min || n > max || n % step)
		return ctx_fail(cx, RC_INVALID, "%s", message);
	change(c, key, arena_printf(cx->arena, "%lld", (long long)n));
	return RC_OK;
}

static enum rc take_text(struct ctx *cx, struct changes *c, const json_t *in, const char *name,
    const char *key)
{
	const json_t *v = json_object_get(in, name);

	if (!v)
		return RC_OK;
	if (!json_is_string(v))
		return ctx_fail(cx, RC_INVALID, "%s must be a string", name);
	change(c, key, json_string_value(v));
	return RC_OK;
}

static void take_switch(struct changes *c, const json_t *in, const char *name, const char *key)
{
	const json_t *v = json_object_get(in, name);

	if (v)
		change(c, key, json_truth(v) ? "true" : "false");
}

static const char *shown(struct ctx *cx, const char *key, const char *otherwise)
{
	const char *value = setting_get(cx, key);

	return value ? value : otherwise;
}

/* The forms that the documentation has and the interface did not: a key alone selects its method,
 * and the method has a second spelling. */
static const json_t *documented(struct arena *a, const json_t *in)
{
	const char *method = json_str(in, "method");
	json_t *copy;

	if (!json_is_object(in) ||
	    (method ? strcmp(method, "api-key") != 0
		    : json_object_get(in, "method") || !json_object_get(in, "apiKey")))
		return in;
	copy = json_keep(a, json_copy((json_t *)(uintptr_t)in));
	json_object_set_new(copy, "method", json_string("api_key"));
	return copy;
}

/* The encrypted key; reads or makes the key file, so it comes before the transaction. */
static enum rc seal(struct ctx *cx, struct changes *c, const char *plain, const char *key,
    const char *source_key)
{
	const char *sealed;
	enum rc rc =
	    crypt_encrypt(cx->arena, cx->conf->data_dir, plain, &sealed, &cx->err);

	if (rc != RC_OK)
		return rc;
	change(c, key, sealed);
	change(c, source_key, "db");
	return RC_OK;
}

enum rc settings_put_auth(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	const char *method, *key;
	enum rc rc;

	in = documented(cx->arena, in);
	rc = shape_check(cx->arena, &SHAPE_AUTH, in, &cx->err);
	if (rc != RC_OK)
		return rc;
	method = json_str(in, "method");
	key = json_str(in, "apiKey");
	change(&c, SETTING_AUTH_METHOD, method);
	if (key) {
		rc = seal(cx, &c, key, SETTING_AUTH_KEY, SETTING_AUTH_SOURCE);
	} else if (strcmp(method, "oauth") == 0) {
		change(&c, SETTING_AUTH_KEY, NULL);
		change(&c, SETTING_AUTH_SOURCE, "oauth");
	}
	return rc != RC_OK ? rc : apply(cx, &c);
}

enum rc settings_put_openai(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = seal(cx, &c, json_str(in, "apiKey"), SETTING_OPENAI_KEY,
	    SETTING_OPENAI_SOURCE);

	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_auth(struct ctx *cx, struct jw *w)
{
	struct auth_state s;

	auth_anthropic(cx, &s);
	jw_obj(w);
	jw_kstr(w, "method", s.method);
	jw_kbool(w, "hasKey", s.has_key);
	jw_kstr(w, "apiKeySource", s.source);
	jw_end_obj(w);
}

void settings_write_openai(struct ctx *cx, struct jw *w)
{
	struct auth_state s;

	auth_openai(cx, &s);
	jw_obj(w);
	jw_kbool(w, "hasKey", s.has_key);
	jw_kstr(w, "apiKeySource", s.source);
	jw_end_obj(w);
}

const char *settings_routing(struct ctx *cx)
{
	const char *value = setting_get(cx, SETTING_ROUTING);

	return value && word_in(&ROUTING_PREFERENCES, value) ? value : "latency";
}

enum rc settings_put_routing(struct ctx *cx, const json_t *in)
{
	const char *word = json_str(in, "preference");
	struct changes c = { .n = 0 };

	if (!word || !word_in(&ROUTING_PREFERENCES, word))
		return ctx_fail(cx, RC_INVALID,
		    "preference must be one of: cost, latency, quality, manual");
	change(&c, SETTING_ROUTING, word);
	return apply(cx, &c);
}

/* 0 or 10 to 2592000. */
static enum rc take_permission_timeout(struct ctx *cx, struct changes *c, const json_t *in)
{
	static const char MESSAGE[] = "permissionTimeoutSeconds must be 0 or between 10 and 2592000";
	const json_t *v = json_object_get(in, "permissionTimeoutSeconds");
	int64_t n;

	if (v && lenient_int(cx->arena, v, &n) && n == 0) {
		change(c, SETTING_PERMISSION_TIMEOUT, "0");
		return RC_OK;
	}
	return take_int(cx, c, in, "permissionTimeoutSeconds", SETTING_PERMISSION_TIMEOUT, 10,
	    2592000, 1, MESSAGE);
}

enum rc settings_put_runtime(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	if (rc == RC_OK)
		rc = take_int(cx, &c, in, "sdkTimeoutSeconds", SETTING_SDK_TIMEOUT, 10, 300, 1,
		    "sdkTimeoutSeconds must be between 10 and 300");
	if (rc == RC_OK)
		rc = take_int(cx, &c, in, "maxTurns", SETTING_MAX_TURNS, 1, 50, 1,
		    "maxTurns must be between 1 and 50");
	if (rc == RC_OK)
		rc = take_permission_timeout(cx, &c, in);
	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_runtime(struct ctx *cx, struct jw *w)
{
	const char *wait = setting_get(cx, SETTING_PERMISSION_TIMEOUT);

	jw_obj(w);
	jw_kstr(w, "sdkTimeoutSeconds", shown(cx, SETTING_SDK_TIMEOUT, "60"));
	jw_kstr(w, "maxTurns", shown(cx, SETTING_MAX_TURNS, "10"));
	if (wait && strcmp(wait, "0") != 0)
		jw_kstr(w, "permissionTimeoutSeconds", wait);
	jw_end_obj(w);
}

enum rc settings_put_learning(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	if (rc == RC_OK)
		rc = take_int(cx, &c, in, "contextCharLimit", SETTING_LEARNING_LIMIT, 2000, 32000,
		    1000, "contextCharLimit must be between 2,000 and 32,000 (step 1,000)");
	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_learning(struct ctx *cx, struct jw *w)
{
	jw_obj(w);
	jw_kstr(w, "contextCharLimit", shown(cx, SETTING_LEARNING_LIMIT, "8000"));
	jw_end_obj(w);
}

enum rc settings_put_ollama(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	if (rc == RC_OK)
		rc = take_text(cx, &c, in, "baseUrl", SETTING_OLLAMA_URL);
	if (rc == RC_OK)
		rc = take_text(cx, &c, in, "defaultModel", SETTING_OLLAMA_MODEL);
	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_ollama(struct ctx *cx, struct jw *w)
{
	const char *url = shown(cx, SETTING_OLLAMA_URL, "");

	jw_obj(w);
	jw_kstr(w, "baseUrl", *url ? url : OLLAMA_URL_DEFAULT);
	jw_kstr(w, "defaultModel", shown(cx, SETTING_OLLAMA_MODEL, ""));
	jw_end_obj(w);
}

enum rc settings_put_browser(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	take_switch(&c, in, "chromeDevtoolsEnabled", SETTING_CHROME_ON);
	take_switch(&c, in, "playwrightEnabled", SETTING_PLAYWRIGHT_ON);
	if (rc == RC_OK)
		rc = take_text(cx, &c, in, "chromeDevtoolsConfig", SETTING_CHROME_ARGS);
	if (rc == RC_OK)
		rc = take_text(cx, &c, in, "playwrightConfig", SETTING_PLAYWRIGHT_ARGS);
	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_browser(struct ctx *cx, struct jw *w)
{
	jw_obj(w);
	jw_kbool(w, "chromeDevtoolsEnabled", setting_flag(cx, SETTING_CHROME_ON));
	jw_kbool(w, "playwrightEnabled", setting_flag(cx, SETTING_PLAYWRIGHT_ON));
	jw_kstr(w, "chromeDevtoolsConfig", shown(cx, SETTING_CHROME_ARGS, ""));
	jw_kstr(w, "playwrightConfig", shown(cx, SETTING_PLAYWRIGHT_ARGS, ""));
	jw_end_obj(w);
}

enum rc settings_put_search(struct ctx *cx, const json_t *in)
{
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	take_switch(&c, in, "exaSearchEnabled", SETTING_EXA_ON);
	return rc != RC_OK ? rc : apply(cx, &c);
}

void settings_write_search(struct ctx *cx, struct jw *w)
{
	jw_obj(w);
	jw_kbool(w, "exaSearchEnabled", setting_flag(cx, SETTING_EXA_ON));
	jw_end_obj(w);
}

const char *settings_chat_model(struct ctx *cx)
{
	return shown(cx, SETTING_CHAT_MODEL, CHAT_MODEL_DEFAULT);
}

enum rc settings_put_chat(struct ctx *cx, const json_t *in, const json_t **answer)
{
	const json_t *v = json_object_get(in, "defaultModel");
	struct changes c = { .n = 0 };
	enum rc rc = need_body(cx, in);

	if (rc != RC_OK)
		return rc;
	*answer = v && !json_is_null(v)
	    ? v : json_keep(cx->arena, json_string(CHAT_MODEL_DEFAULT));
	if (!json_truth(v))
		return RC_OK;
	if (!json_is_string(v) || !word_in(&CHAT_MODELS, json_string_value(v)))
		return ctx_fail(cx, RC_INVALID,
		    "Invalid model. Must be one of: haiku, sonnet, opus, gpt-5.4-mini, "
		    "gpt-5.3-codex, gpt-5.4");
	change(&c, SETTING_CHAT_MODEL, json_string_value(v));
	return apply(cx, &c);
}
