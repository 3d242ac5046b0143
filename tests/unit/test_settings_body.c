/* The settings' operations: lenient numbers, all or nothing, keys that never show, sources. */
#include "db_case.h"

#include "core/domain/provider.h"
#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/setting.h"

static int set_up(void **state UNUSED)
{
	set_up_db();
	conf.anthropic_key = conf.openai_key = "";
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const json_t *json(const char *text)
{
	return json_read_text(cx.arena, text);
}

static const char *shown(void (*write)(struct ctx *cx, struct jw *w))
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, 64 << 10);
	write(&cx, &w);
	text = arena_strdup(cx.arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static const char *refused(enum rc rc)
{
	const char *text;

	assert_int_equal(rc, RC_INVALID);
	text = arena_strdup(cx.arena, cx.err.body ? cx.err.body : cx.err.msg);
	err_clear(&cx.err);
	return text;
}

static void integers_are_read_leniently(void **state UNUSED)
{
	static const struct {
		const char *json;
		int64_t n;
	} GOOD[] = { { "\"45.9\"", 45 }, { "\"60s\"", 60 }, { "\"+0060\"", 60 }, { "75", 75 },
		{ "3.99", 3 }, { "[75]", 75 }, { "[[\"8\"]]", 8 }, { "\" 12 turns\"", 12 },
		{ "\"0x40\"", 0 }, { "\"-30\"", -30 }, { "1e30", 1 },
		{ "\"99999999999999999999999999\"", 1000000000000000 } };
	static const char *const BAD[] = { "\"\"", "\"abc\"", "null", "true", "{}", "[]", "[null]",
		"\"- 1\"", "\"+\"" };
	int64_t n;

	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_true(lenient_int(cx.arena, json(GOOD[i].json), &n));
		assert_true(n == GOOD[i].n || n > 99999999999999);
	}
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_false(lenient_int(cx.arena, json(BAD[i]), &n));
}

static void one_bad_field_stores_none(void **state UNUSED)
{
	assert_string_equal(refused(settings_put_runtime(
				&cx, json("{\"sdkTimeoutSeconds\":90,\"maxTurns\":51}"))),
	    "maxTurns must be between 1 and 50");
	assert_string_equal(refused(settings_put_ollama(
				&cx, json("{\"baseUrl\":\"http://x\",\"defaultModel\":5}"))),
	    "defaultModel must be a string");
	assert_string_equal(refused(settings_put_browser(&cx,
				json("{\"playwrightEnabled\":1,\"chromeDevtoolsConfig\":[]}"))),
	    "chromeDevtoolsConfig must be a string");
	assert_string_equal(rows("SELECT count(*) FROM settings"), "0\n");
}

static void the_wait_for_permission_is_shown_while_it_ends(void **state UNUSED)
{
	static const char *const BAD[] = { "9", "2592001", "-1", "null", "\"x\"" };

	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_string_equal(
		    refused(settings_put_runtime(&cx,
			json(arena_printf(
			    cx.arena, "{\"permissionTimeoutSeconds\":%s}", BAD[i])))),
		    "permissionTimeoutSeconds must be 0 or between 10 and 2592000");
	assert_int_equal(
	    settings_put_runtime(&cx, json("{\"permissionTimeoutSeconds\":\"30\"}")), RC_OK);
	assert_string_equal(shown(settings_write_runtime),
	    "{\"sdkTimeoutSeconds\":\"60\",\"maxTurns\":\"10\","
	    "\"permissionTimeoutSeconds\":\"30\"}");
	assert_int_equal(
	    settings_put_runtime(&cx, json("{\"permissionTimeoutSeconds\":0}")), RC_OK);
	assert_string_equal(
	    shown(settings_write_runtime), "{\"sdkTimeoutSeconds\":\"60\",\"maxTurns\":\"10\"}");
}

static void null_is_no_body_and_other_roots_name_nothing(void **state UNUSED)
{
	assert_string_equal(refused(settings_put_search(&cx, json("null"))), "Invalid JSON body");
	assert_string_equal(refused(settings_put_learning(&cx, json("null"))), "Invalid JSON body");
	assert_int_equal(settings_put_runtime(&cx, json("[1]")), RC_OK);
	assert_int_equal(settings_put_search(&cx, json("\"x\"")), RC_OK);
	assert_string_equal(rows("SELECT count(*) FROM settings"), "0\n");
}

static void the_chat_model_echoes(void **state UNUSED)
{
	const json_t *v;

	assert_int_equal(settings_put_chat(&cx, json("{\"defaultModel\":\"opus\"}"), &v), RC_OK);
	assert_string_equal(json_string_value(v), "opus");
	assert_int_equal(settings_put_chat(&cx, json("{\"defaultModel\":null}"), &v), RC_OK);
	assert_string_equal(json_string_value(v), "haiku");
	assert_int_equal(settings_put_chat(&cx, json("{\"defaultModel\":0}"), &v), RC_OK);
	assert_true(json_is_integer(v));
	refused(settings_put_chat(&cx, json("{\"defaultModel\":\"gpt-9\"}"), &v));
	assert_string_equal(settings_chat_model(&cx), "opus");
}

static void keys_are_stored_and_never_shown(void **state UNUSED)
{
	const char *stored;

	assert_int_equal(settings_put_auth(&cx, json("{\"apiKey\":\"sk-ant-secret\"}")), RC_OK);
	assert_string_equal(shown(settings_write_auth),
	    "{\"method\":\"api_key\",\"hasKey\":true,\"apiKeySource\":\"db\"}");
	stored = setting_get(&cx, SETTING_AUTH_KEY);
	assert_null(strstr(stored, "secret"));
	assert_string_equal(provider_key(&cx, "anthropic"), "sk-ant-secret");
	assert_string_equal(rows("SELECT count(*) FROM audit WHERE detail LIKE '%secret%'"), "0\n");
	assert_int_equal(settings_put_auth(&cx, json("{\"method\":\"api-key\"}")), RC_OK);
	assert_int_equal(settings_put_auth(&cx, json("{\"method\":\"oauth\"}")), RC_OK);
	assert_null(setting_get(&cx, SETTING_AUTH_KEY));
	assert_string_equal(shown(settings_write_auth),
	    "{\"method\":\"oauth\",\"hasKey\":false,\"apiKeySource\":\"oauth\"}");
	assert_non_null(strstr(refused(settings_put_auth(&cx, json("{\"apiKey\":\"x\"}"))),
	    "\"fieldErrors\":{\"apiKey\":[\"API key must start with sk-ant-\"]}"));
}

static void runtimes_follow_the_keys(void **state UNUSED)
{
	struct runtime_state s[RUNTIMES_N];

	runtime_states(&cx, s);
	assert_true(s[0].configured && s[0].subscription && !s[2].configured && s[4].configured);
	assert_string_equal(s[2].source, "unknown");
	assert_int_equal(settings_put_auth(&cx, json("{\"method\":\"api_key\"}")), RC_OK);
	runtime_states(&cx, s);
	assert_true(!s[0].configured && !s[0].subscription);
	assert_string_equal(s[0].auth_method, "none");
	conf.anthropic_key = "sk-ant-env";
	runtime_states(&cx, s);
	assert_true(s[0].configured && s[2].configured && !s[3].configured);
	assert_string_equal(s[2].source, "env");
}

static void an_unknown_preference_counts_as_latency(void **state UNUSED)
{
	sql("INSERT INTO settings VALUES ('routing.preference', 'speed', 1)", NULL);
	assert_string_equal(settings_routing(&cx), "latency");
	refused(settings_put_routing(&cx, json("{\"preference\":\"Cost\"}")));
	assert_int_equal(settings_put_routing(&cx, json("{\"preference\":\"cost\"}")), RC_OK);
	assert_string_equal(settings_routing(&cx), "cost");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(integers_are_read_leniently),
		CASE(one_bad_field_stores_none),
		CASE(the_wait_for_permission_is_shown_while_it_ends),
		CASE(null_is_no_body_and_other_roots_name_nothing),
		CASE(the_chat_model_echoes),
		CASE(keys_are_stored_and_never_shown),
		CASE(runtimes_follow_the_keys),
		CASE(an_unknown_preference_counts_as_latency),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
