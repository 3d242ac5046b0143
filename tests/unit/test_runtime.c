/* Runtimes: what is configured, and which one is suggested. */
#include "tests/unit/db_case.h"

#include "core/domain/runtime.h"
#include "core/json_in.h"

static int set_up(void **state UNUSED)
{
	set_up_db();
	conf.anthropic_key = "sk-ant-x";
	conf.openai_key = "sk-x";
	conf.share_dir = "/nonexistent";
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static void put(const char *key, const char *value)
{
	sql("INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, 0)", key, value, NULL);
}

static const char *suggest(const char *title)
{
	json_t *in = json_keep(cx.arena, json_pack("{s:s}", "title", title));
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, 1 << 16);
	assert_int_equal(runtime_check_task(&cx, in), RC_OK);
	runtime_suggest(&cx, in, &w);
	text = json_str(json_read(cx.arena, b.data, b.len), "runtimeId");
	buf_fini(&b);
	return text;
}

static void configured(void **state UNUSED)
{
	assert_int_equal(runtime_configured(&cx), 31);
	conf.openai_key = "";
	assert_int_equal(runtime_configured(&cx), 1 | 4 | 16);
	conf.anthropic_key = "";
	assert_int_equal(runtime_configured(&cx), 1 | 16);
	put("auth.method", "api_key");
	assert_int_equal(runtime_configured(&cx), 16);
	put("auth.apiKeySource", "oauth");
	assert_int_equal(runtime_configured(&cx), 1 | 16);
}

static void examples(void **state UNUSED)
{
	assert_string_equal(suggest("Hello"), "anthropic-direct");
	assert_string_equal(suggest("edit"), "claude-code");
	assert_string_equal(suggest("sandbox review"), "anthropic-direct");
	assert_string_equal(suggest("edit sandbox"), "claude-code");
	assert_string_equal(suggest("\xc5\xbf" "andbo" "x"), "openai-codex-app-server");
	put("routing.preference", "cost");
	assert_string_equal(suggest("edit"), "ollama");
	assert_string_equal(suggest("sandbox isolated"), "openai-codex-app-server");
}

static void whole_answer(void **state UNUSED)
{
	json_t *in = json_keep(cx.arena, json_pack("{s:s}", "title", "edit"));
	struct buf b;
	struct jw w = jw_on(&b);

	conf.openai_key = "";
	buf_init(&b, 1 << 16);
	runtime_suggest(&cx, in, &w);
	assert_string_equal(buf_text(&b),
	    "{\"runtimeId\":\"claude-code\",\"reason\":\"Best match for task content (1 keyword "
	    "signals), optimizing for latency\",\"alternatives\":[{\"runtimeId\":\"anthropic-direct\","
	    "\"reason\":\"Optimizing for latency\"},{\"runtimeId\":\"ollama\",\"reason\":\"Optimizing "
	    "for latency\"}]}");
	put("routing.preference", "manual");
	buf_clear(&b);
	w = jw_on(&b);
	runtime_suggest(&cx, in, &w);
	assert_string_equal(buf_text(&b),
	    "{\"runtimeId\":\"claude-code\",\"reason\":\"Manual routing \xe2\x80\x94 using default "
	    "runtime\",\"alternatives\":[]}");
	buf_fini(&b);
}

static void refusals(void **state UNUSED)
{
	static const char *const CASES[][2] = {
		{ "{}", "title is required" },
		{ "{\"title\":5}", "title must be a string" },
		{ "{\"title\":\"a\",\"description\":5}", "description must be a string" },
		{ "{\"title\":\"a\",\"profileId\":[]}", "profileId must be a string" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(
		    runtime_check_task(&cx, json_read_text(cx.arena, CASES[i][0])), RC_INVALID);
		assert_string_equal(cx.err.msg, CASES[i][1]);
		err_clear(&cx.err);
	}
}

static void ollama(void **state UNUSED)
{
	static const char *const BAD[] = { "a\\nb", "a\\u007f", "a\\u0085" };
	const char *model;

	conf.ollama_url = "http://elsewhere:2/";
	assert_string_equal(runtime_ollama_url(&cx), "http://elsewhere:2");
	put("ollama.baseUrl", "http://host:1//");
	assert_string_equal(runtime_ollama_url(&cx), "http://host:1");
	for (size_t i = 0; i < COUNT(BAD); i++) {
		const char *body = arena_printf(
		    cx.arena, "{\"action\":\"pull\",\"model\":\"%s\"}", BAD[i]);

		assert_int_equal(runtime_check_pull(&cx, json_read_text(cx.arena, body), &model),
		    RC_INVALID);
		assert_string_equal(cx.err.msg, "model is not a valid name");
		err_clear(&cx.err);
	}
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(configured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(examples, set_up, tear_down),
		cmocka_unit_test_setup_teardown(whole_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ollama, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
