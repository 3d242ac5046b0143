/* Tools that read and change the settings, report usage, and show profiles; and what stands behind
 * them. */
#include "tests/unit/tool_case.h"

#include "core/setting.h"
#include "core/usage.h"
#include "core/workspace.h"

static void set(struct fixture *f, const char *key, const char *value, const char *reason)
{
	const char *args = json_text(f->cx.arena,
	    json_keep(f->cx.arena, json_pack("{s:s, s:s}", "key", key, "value", value)));

	if (reason)
		bad(f, "set_settings", args,
		    arena_printf(f->cx.arena, "Invalid value for \"%s\": %s", key, reason));
	else
		assert_string_equal(json_str(good(f, "set_settings", args), "newValue"), value);
}

static void writable_settings(void **state)
{
	const char *seconds = "Must be integer 10\xe2\x80\x93" "300";
	const char *flag = "Must be 'true' or 'false'";
	const char *limit = "Must be integer 2000\xe2\x80\x93" "32000, step 1000";
	struct fixture *f = *state;

	set(f, "runtime.sdkTimeoutSeconds", "10", NULL);
	set(f, "runtime.sdkTimeoutSeconds", "300", NULL);
	set(f, "runtime.sdkTimeoutSeconds", "9", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "301", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "20x", seconds);
	set(f, "runtime.sdkTimeoutSeconds", " 20", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "-20", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "20.0", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "", seconds);
	set(f, "runtime.sdkTimeoutSeconds", "99999999999999999999", seconds);
	set(f, "runtime.maxTurns", "50", NULL);
	set(f, "runtime.maxTurns", "0", "Must be integer 1\xe2\x80\x93" "50");
	set(f, "routing.preference", "manual", NULL);
	set(f, "routing.preference", "Cost", "Must be one of: cost, latency, quality, manual");
	set(f, "browser.chromeDevtoolsEnabled", "true", NULL);
	set(f, "browser.playwrightEnabled", "1", flag);
	set(f, "web.exaSearchEnabled", "TRUE", flag);
	set(f, "learning.contextCharLimit", "2000", NULL);
	set(f, "learning.contextCharLimit", "2500", limit);
	set(f, "learning.contextCharLimit", "33000", limit);
	set(f, "ollama.baseUrl", " ", "Must be non-empty URL");
	set(f, "ollama.defaultModel", "", "Must be non-empty string");
	set(f, "ollama.defaultModel", "llama", NULL);
	bad(f, "set_settings", "{\"key\":\"permissions.allow\",\"value\":\"[]\"}",
	    "Key \"permissions.allow\" is not writable. Valid keys: runtime.sdkTimeoutSeconds, "
	    "runtime.maxTurns, routing.preference, browser.chromeDevtoolsEnabled, "
	    "browser.playwrightEnabled, web.exaSearchEnabled, learning.contextCharLimit, "
	    "ollama.baseUrl, ollama.defaultModel");
}

static void old_value(void **state)
{
	struct fixture *f = *state;
	const char *args = "{\"key\":\"runtime.maxTurns\",\"value\":\"7\"}";

	assert_string_equal(json_str(good(f, "set_settings", args), "oldValue"), "(unset)");
	assert_string_equal(json_str(good(f, "set_settings", args), "oldValue"), "7");
	assert_string_equal(
	    json_str(good(f, "get_settings", "{\"key\":\"runtime.maxTurns\"}"), "value"), "7");
}

static void secrets(void **state)
{
	static const char *const KEYS[] = { "auth.apiKey", "openai.authApiKey", "x.TOKEN",
		"channel.Secret", "a.passWord", "key" };
	struct fixture *f = *state;
	json_t *v;

	for (size_t i = 0; i < COUNT(KEYS); i++)
		bad(f, "get_settings", with_id(f, "{\"key\":\"$\"}", KEYS[i]),
		    arena_printf(f->cx.arena, "Setting \"%s\" is not readable", KEYS[i]));
	assert_int_equal(tx_begin(&f->cx), RC_OK);
	setting_put(&f->cx, "auth.apiKeySource", "db");
	setting_put(&f->cx, "browser.playwrightConfig", "--key sk-ant-0123456789abc");
	assert_int_equal(tx_end(&f->cx, RC_OK), RC_OK);
	v = good(f, "get_settings", "{\"key\":\"auth.apiKeySource\"}");
	assert_string_equal(json_str(v, "value"), "db");
	v = good(f, "get_settings", "{\"key\":\"browser.playwrightConfig\"}");
	assert_string_equal(json_str(v, "value"), "--key sk-***");
	v = good(f, "get_settings", "{\"key\":\"nothing\"}");
	assert_true(json_is_null(json_object_get(v, "value")));
}

static void settings_overview(void **state)
{
	static const char *const KEYS[] = { "auth_method", "default_runtime",
		"runtime.sdkTimeoutSeconds", "budget_max_tokens_per_task",
		"budget_max_cost_per_task", "budget_max_daily_cost", "workspace_cwd",
		"workspace_git_branch", "workspace_is_worktree", "workspace_folder_name" };
	struct fixture *f = *state;
	json_t *v, *item;
	const char *key;
	size_t i = 0;

	setenv("STAGENT_LAUNCH_CWD", f->dir, 1);
	v = good(f, "get_settings", "{}");
	json_object_foreach(v, key, item)
		assert_string_equal(key, KEYS[i++]);
	assert_int_equal(i, COUNT(KEYS));
	assert_true(json_is_null(json_object_get(v, "auth_method")));
	assert_string_equal(json_str(v, "workspace_cwd"), f->dir);
	assert_string_equal(json_str(v, "workspace_is_worktree"), "false");
	assert_string_equal(json_str(v, "workspace_folder_name"), strrchr(f->dir, '/') + 1);
	v = good(f, "get_settings", "{\"key\":\"workspace_other\"}");
	assert_true(json_is_null(json_object_get(v, "value")));
}

static void git_branch(void **state)
{
	struct fixture *f = *state;
	struct workspace ws;

	mkdir(below(f, "repo"), 0700);
	mkdir(below(f, "repo/.git"), 0700);
	mkdir(below(f, "repo/sub"), 0700);
	mkdir(below(f, "tree"), 0700);
	mkdir(below(f, "repo/.git/wt"), 0700);
	write_file(below(f, "repo/.git/HEAD"), "ref: refs/heads/a/b\n");
	write_file(below(f, "repo/.git/wt/HEAD"), "ref: refs/heads/side\n");
	write_file(below(f, "tree/.git"), "gitdir: ../repo/.git/wt\n");
	workspace_read_at(f->cx.arena, below(f, "repo/sub/"), &ws);
	assert_string_equal(ws.branch, "a/b");
	assert_string_equal(ws.folder, "sub");
	assert_false(ws.worktree);
	workspace_read_at(f->cx.arena, below(f, "tree"), &ws);
	assert_string_equal(ws.branch, "side");
	assert_true(ws.worktree);
	write_file(below(f, "repo/.git/HEAD"), "0123456789012345678901234567890123456789\n");
	workspace_read_at(f->cx.arena, below(f, "repo"), &ws);
	assert_null(ws.branch);
	workspace_read_at(f->cx.arena, "/", &ws);
	assert_string_equal(ws.folder, "");
}

static void spend(struct fixture *f, const char *model, int64_t in, int64_t out, int64_t cost,
    int64_t at)
{
	const struct usage_row r = { .activity_type = "task_run", .runtime_id = "anthropic-direct",
		.provider_id = "anthropic", .model_id = model, .status = "completed",
		.input_tokens = in, .output_tokens = out, .total_tokens = USAGE_UNKNOWN,
		.cost_micros = cost, .started_at = at, .finished_at = at };

	assert_int_equal(tx_begin(&f->cx), RC_OK);
	usage_add(&f->cx, &r);
	assert_int_equal(tx_end(&f->cx, RC_OK), RC_OK);
}

/* 2026-03-30 08:00 in a zone that had 23 hours the day before. */
static void usage(void **state)
{
	const int64_t now = 1774850400, midnight = now - 8 * 3600;
	struct fixture *f = *state;
	json_t *v;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	f->cx.now = now;
	spend(f, "m1", 10, 5, 100, midnight);
	spend(f, "m1", 1, 1, 50, midnight - 1);
	spend(f, "m2", 1, 1, USAGE_UNKNOWN, midnight - 23 * 3600);
	spend(f, "m2", USAGE_UNKNOWN, 4, 7, midnight - 23 * 3600 - 1);
	spend(f, "m1", 1000, 1000, 1000, midnight - 7 * 86400);
	v = good(f, "get_usage_summary", "{\"days\":3}");
	assert_string_equal(json_text(f->cx.arena, v),
	    "{\"period\":\"3 days\",\"spend\":[{\"day\":\"2026-03-28\",\"costMicros\":7},"
	    "{\"day\":\"2026-03-29\",\"costMicros\":50},"
	    "{\"day\":\"2026-03-30\",\"costMicros\":100}],\"tokens\":["
	    "{\"day\":\"2026-03-28\",\"inputTokens\":0,\"outputTokens\":4,\"totalTokens\":0},"
	    "{\"day\":\"2026-03-29\",\"inputTokens\":2,\"outputTokens\":2,\"totalTokens\":4},"
	    "{\"day\":\"2026-03-30\",\"inputTokens\":10,\"outputTokens\":5,\"totalTokens\":15}],"
	    "\"breakdown\":[{\"providerId\":\"anthropic\",\"modelId\":\"m1\","
	    "\"runtimeId\":\"anthropic-direct\",\"costMicros\":150,\"inputTokens\":11,"
	    "\"outputTokens\":6,\"totalTokens\":17,\"runs\":2,\"unknownPricingRuns\":0},"
	    "{\"providerId\":\"anthropic\",\"modelId\":\"m2\",\"runtimeId\":\"anthropic-direct\","
	    "\"costMicros\":7,\"inputTokens\":1,\"outputTokens\":5,\"totalTokens\":2,\"runs\":2,"
	    "\"unknownPricingRuns\":1}]}");
	v = good(f, "get_usage_summary", "{}");
	assert_string_equal(json_str(v, "period"), "7 days");
	assert_int_equal(json_array_size(json_object_get(v, "spend")), 3);
	v = good(f, "get_usage_summary", "{\"days\":90}");
	assert_int_equal(json_array_size(json_object_get(v, "spend")), 4);
}

static void profiles(void **state)
{
	struct fixture *f = *state;
	json_t *list = good(f, "list_profiles", "{}"), *p;

	assert_true(json_array_size(list) >= 20);
	p = json_array_get(list, 0);
	assert_int_equal(json_object_size(p), 5);
	assert_true(json_is_array(json_object_get(p, "tags")));
	p = good(f, "get_profile", "{\"profileId\":\"general\"}");
	assert_string_equal(json_str(p, "name"), "General");
	assert_true(strlen(json_str(p, "skillMd")) > 10);
	bad(f, "get_profile", "{\"profileId\":\"x\"}", "Profile not found: x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writable_settings),
		TEST(old_value),
		TEST(secrets),
		TEST(settings_overview),
		TEST(git_branch),
		TEST(usage),
		TEST(profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
