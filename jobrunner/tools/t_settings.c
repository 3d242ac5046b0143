/* Tools: usage and settings. Secrets are not readable, and only the settings of a short list can be
 * written: never keys, budgets or permissions. */
#include "core/json_in.h"
#include "core/setting.h"
#include "core/text.h"
#include "core/usage.h"
#include "core/workspace.h"
#include "jobrunner/tools/tools_int.h"

#define DAYS_DEFAULT 7
#define DAYS_MAX 90
#define KEY_SHOWN 60

static const struct field USAGE[] = {
	{ "days", F_NUMBER, F_MIN | F_MAX, 1, DAYS_MAX, .otherwise = "7",
	    .doc = "How many days the report covers, today included" },
};
const struct shape PARAMS_GET_USAGE_SUMMARY = { "get_usage_summary", USAGE, COUNT(USAGE) };

static void write_days(struct jw *w, const struct usage_day *d, size_t n, bool tokens)
{
	jw_key(w, tokens ? "tokens" : "spend");
	jw_arr(w);
	for (const struct usage_day *end = d + n; d < end; d++) {
		jw_obj(w);
		jw_kstr(w, "day", d->day);
		if (tokens) {
			jw_kint(w, "inputTokens", d->input_tokens);
			jw_kint(w, "outputTokens", d->output_tokens);
			jw_kint(w, "totalTokens", d->total_tokens);
		} else {
			jw_kint(w, "costMicros", d->cost_micros);
		}
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

enum rc tool_get_usage_summary(struct tool_env *env, const json_t *args, json_t **out)
{
	int days = (int)json_num(args, "days", DAYS_DEFAULT);
	struct usage_day list[DAYS_MAX];
	size_t n = usage_days(env->cx, days, list);
	struct draft d;
	struct jw *w = draft_begin(&d);

	jw_obj(w);
	jw_kstr(w, "period", arena_printf(env->cx->arena, "%d days", days));
	write_days(w, list, n, false);
	write_days(w, list, n, true);
	jw_key(w, "breakdown");
	usage_write_breakdown(env->cx, w, usage_since(env->cx, days));
	jw_end_obj(w);
	return draft_end(env, &d, RC_OK, out);
}

static const struct field GET[] = {
	{ "key", F_STRING,
	    .doc = "Name of one setting, or workspace_cwd, workspace_git_branch, "
		   "workspace_is_worktree, workspace_folder_name; default: an overview" },
};
const struct shape PARAMS_GET_SETTINGS = { "get_settings", GET, COUNT(GET) };

/* Names by which secrets are kept, in any case. */
static bool is_secret(struct arena *a, const char *key)
{
	static const char *const ENDS[] = { "key", "token", "secret", "password" };
	const char *lower = text_lower(a, key);

	for (size_t i = 0; i < COUNT(ENDS); i++)
		if (text_ends(lower, ENDS[i]))
			return true;
	return false;
}

/* The value of a setting as agents see it. */
static json_t *value_of(struct ctx *cx, const struct workspace *ws, const char *key)
{
	const char *value;

	if (strcmp(key, "workspace_cwd") == 0)
		return json_text_or_null(ws->cwd);
	if (strcmp(key, "workspace_git_branch") == 0)
		return json_text_or_null(ws->branch);
	if (strcmp(key, "workspace_is_worktree") == 0)
		return json_string(ws->worktree ? "true" : "false");
	if (strcmp(key, "workspace_folder_name") == 0)
		return json_text_or_null(ws->folder);
	if (text_starts(key, "workspace_"))
		return json_null();
	value = setting_get(cx, key);
	return json_text_or_null(value ? text_mask_keys(cx->arena, value) : NULL);
}

enum rc tool_get_settings(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const OVERVIEW[] = { "auth_method", "default_runtime",
		"runtime.sdkTimeoutSeconds", "budget_max_tokens_per_task",
		"budget_max_cost_per_task", "budget_max_daily_cost", "workspace_cwd",
		"workspace_git_branch", "workspace_is_worktree", "workspace_folder_name" };
	const char *key = json_str(args, "key");
	struct ctx *cx = env->cx;
	struct workspace ws;

	if (key && is_secret(cx->arena, key))
		return ctx_fail(cx, RC_DENIED, "Setting \"%s\" is not readable", key);
	workspace_read(cx->arena, &ws);
	if (key) {
		*out = json_pack("{s:s, s:o}", "key", key, "value", value_of(cx, &ws, key));
		return RC_OK;
	}
	*out = json_object();
	for (size_t i = 0; i < COUNT(OVERVIEW); i++)
		json_object_set_new(*out, OVERVIEW[i], value_of(cx, &ws, OVERVIEW[i]));
	return RC_OK;
}

static const struct field SET[] = {
	{ "key", F_STRING, F_REQUIRED,
	    .doc = "runtime.sdkTimeoutSeconds, runtime.maxTurns, routing.preference, "
		   "browser.chromeDevtoolsEnabled, browser.playwrightEnabled, "
		   "web.exaSearchEnabled, learning.contextCharLimit, ollama.baseUrl or "
		   "ollama.defaultModel" },
	{ "value", F_STRING, F_REQUIRED, .doc = "The new value, as text" },
};
const struct shape PARAMS_SET_SETTINGS = { "set_settings", SET, COUNT(SET) };

/* What a writable setting takes: a whole number, one of a few words, or any text. */
struct writable {
	const char *key;
	int64_t min, max, step;
	const char *const *words; /* NULL at the end */
	const char *reason;
};

static const char *const FLAGS[] = { "true", "false", NULL };
static const char *const PREFERENCES[] = { "cost", "latency", "quality", "manual", NULL };
#define FLAG_REASON "Must be 'true' or 'false'"

static const struct writable WRITABLE[] = {
	{ "runtime.sdkTimeoutSeconds", 10, 300, 1, NULL, "Must be integer 10\xe2\x80\x93" "300" },
	{ "runtime.maxTurns", 1, 50, 1, NULL, "Must be integer 1\xe2\x80\x93" "50" },
	{ "routing.preference", 0, 0, 0, PREFERENCES,
	    "Must be one of: cost, latency, quality, manual" },
	{ "browser.chromeDevtoolsEnabled", 0, 0, 0, FLAGS, FLAG_REASON },
	{ "browser.playwrightEnabled", 0, 0, 0, FLAGS, FLAG_REASON },
	{ "web.exaSearchEnabled", 0, 0, 0, FLAGS, FLAG_REASON },
	{ "learning.contextCharLimit", 2000, 32000, 1000, NULL,
	    "Must be integer 2000\xe2\x80\x93" "32000, step 1000" },
	{ "ollama.baseUrl", 0, 0, 0, NULL, "Must be non-empty URL" },
	{ "ollama.defaultModel", 0, 0, 0, NULL, "Must be non-empty string" },
};

static bool takes(const struct writable *s, const char *value)
{
	int64_t v;

	if (s->step)
		return !value[strspn(value, "0123456789")] &&
		       text_to_int(value, s->min, s->max, &v) && v % s->step == 0;
	if (!s->words)
		return !text_is_blank(value);
	for (size_t i = 0; s->words[i]; i++)
		if (strcmp(s->words[i], value) == 0)
			return true;
	return false;
}

static enum rc check_set(struct ctx *cx, const char *key, const char *value)
{
	struct buf names;
	const struct writable *s = NULL;
	enum rc rc;

	for (size_t i = 0; i < COUNT(WRITABLE) && !s; i++)
		if (strcmp(WRITABLE[i].key, key) == 0)
			s = &WRITABLE[i];
	if (s && takes(s, value))
		return RC_OK;
	if (s)
		return ctx_fail(
		    cx, RC_INVALID, "Invalid value for \"%s\": %s", key, s->reason);
	buf_init(&names, 1024);
	for (size_t i = 0; i < COUNT(WRITABLE); i++)
		buf_printf(&names, "%s%s", i ? ", " : "", WRITABLE[i].key);
	rc = ctx_fail(cx, RC_DENIED, "Key \"%s\" is not writable. Valid keys: %s",
	    text_cut(cx->arena, key, KEY_SHOWN), buf_text(&names));
	buf_fini(&names);
	return rc;
}

enum rc tool_set_settings(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *key = json_str(args, "key"), *value = json_str(args, "value"), *old;
	struct ctx *cx = env->cx;
	enum rc rc = check_set(cx, key, value);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	old = setting_get(cx, key);
	rc = setting_put(cx, key, value);
	audit(cx, "setting.set", "setting", key, value);
	rc = tx_end(cx, rc);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "key", key, "oldValue", old ? old : "(unset)",
		    "newValue", value);
	return rc;
}
