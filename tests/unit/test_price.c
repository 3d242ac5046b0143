/* The price registry and the cost of calls. The bundled prices are those that ship. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/migrate.h"
#include "core/price.h"
#include "core/setting.h"

static char dir[64];
static struct conf conf;
static struct ctx cx;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

/* The folder of what ships, seen from this file. */
static const char *share_dir(void)
{
	static char path[4096];

	snprintf(path, sizeof path, "%.*sshare",
	    (int)(sizeof __FILE__ - sizeof "tests/unit/test_price.c"), __FILE__);
	return path;
}

static int set_up(void **state UNUSED)
{
	struct err e = { 0 };

	log_init("test", LOG_ERROR);
	snprintf(dir, sizeof dir, "/tmp/test-price-XXXXXX");
	assert_non_null(mkdtemp(dir));
	conf = (struct conf){ .data_dir = dir, .share_dir = share_dir() };
	assert_int_equal(migrate_run(&conf, &e), RC_OK);
	cx = (struct ctx){ .arena = arena_new(ARENA_REQUEST_MAX), .conf = &conf };
	assert_int_equal(db_open(&cx.db,
			     &(struct db_options){
				 .path = arena_printf(cx.arena, "%s/%s", dir, DB_FILE),
				 .synchronous = "normal" },
			     &e),
	    RC_OK);
	ctx_begin(&cx, "test", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	db_close(cx.db);
	arena_free(cx.arena);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void store(const char *registry)
{
	assert_int_equal(tx_begin(&cx), RC_OK);
	setting_put(&cx, PRICE_SETTING, registry);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
}

/* MICROS -1: no price. */
static void check(const char *provider, const char *model, int64_t in, int64_t out, int64_t written,
    int64_t read, int64_t micros, const char *key)
{
	int64_t cost = -1;
	const char *version = NULL;
	bool known = price_cost(&cx, provider, model, in, out, written, read, &cost, &version);

	assert_int_equal(known, micros >= 0);
	if (known) {
		assert_int_equal(cost, micros);
		assert_string_equal(version, key);
	}
}

static void test_bundled(void **state UNUSED)
{
	check("anthropic", "claude-sonnet-4-20250514", 100, 20, 0, 0, 600,
	    "anthropic-claude-sonnet");
	check("anthropic", "claude-opus-4-6", 1, 1, 0, 0, 30, "anthropic-claude-opus");
	check("anthropic", "claude-haiku-4-5", 1, 0, 0, 0, 1, "anthropic-claude-haiku");
	check("openai", "gpt-5.4-mini", 1, 1, 0, 0, 40, "openai-gpt-5");
	check("openai", "o4-mini", 1, 0, 0, 0, 10, "openai-gpt-5");
	check("openai", "gpt-4o-mini", 2, 0, 0, 0, 5, "openai-gpt-4o");
	check("openai", "gpt-4.1", 1, 1, 0, 0, 40, "openai-fallback");
	check("openai", "codex-mini-latest", 1, 1, 0, 0, 8, "openai-codex-mini");
}

static void test_fallbacks(void **state UNUSED)
{
	check("anthropic", "claude-3-5-haiku-20241022", 1, 1, 0, 0, 30,
	    "anthropic-claude-fallback");
	check("anthropic", "opus", 1, 1, 0, 0, 30, "anthropic-claude-opus");
	check("anthropic", "sonnet", 1, 1, 0, 0, 18, "anthropic-claude-sonnet");
	check("anthropic", "haiku", 1, 1, 0, 0, 6, "anthropic-claude-haiku");
	check("anthropic", "mystery", 1, 1, 0, 0, -1, NULL);
	check("anthropic", NULL, 1, 1, 0, 0, -1, NULL);
	check("anthropic", "", 1, 1, 0, 0, -1, NULL);
	check("openai", "sonnet", 1, 1, 0, 0, 40, "openai-fallback");
	check("other", "claude-opus", 1, 1, 0, 0, -1, NULL);
	check("ollama", "llama3.2", 1000000, 1000000, 0, 0, 0, "local");
	check("ollama", NULL, 1, 1, 0, 0, 0, "local");
}

static void test_cached_tokens(void **state UNUSED)
{
	/* 100 plain, 400 written at 1.25, 500 read at 0.1; 3 dollars a million. */
	check("anthropic", "claude-sonnet-4-6", 1000, 0, 400, 500, 1950,
	    "anthropic-claude-sonnet");
	check("openai", "gpt-4o", 1000, 0, 400, 500, 2500, "openai-gpt-4o");
	check("anthropic", "claude-sonnet-4-6", 10, 0, 0, 100, 30, "anthropic-claude-sonnet");
	check("anthropic", "claude-sonnet-4-6", -1, -1, -1, -1, 0, "anthropic-claude-sonnet");
	check("anthropic", "claude-haiku-4-5", 0, 0, 0, 5, 1, "anthropic-claude-haiku");
}

static void test_stored(void **state UNUSED)
{
	const json_t *providers;

	store("{\"providers\":{\"anthropic\":{\"providerId\":\"anthropic\",\"version\":\"v\","
	      "\"rows\":["
	      "{\"key\":\"no-label\",\"providerId\":\"anthropic\",\"kind\":\"api_model\","
	      "\"visible\":true,\"matchPrefixes\":[\"claude\"],\"inputCostPerMillionMicros\":1,"
	      "\"outputCostPerMillionMicros\":1},"
	      "{\"key\":\"mine\",\"providerId\":\"anthropic\",\"kind\":\"api_model\","
	      "\"label\":\"M\",\"visible\":false,\"matchPrefixes\":[5,\"claude-opus\"],"
	      "\"inputCostPerMillionMicros\":7000000,\"outputCostPerMillionMicros\":9000000},"
	      "{\"key\":\"half\",\"providerId\":\"anthropic\",\"kind\":\"api_model\","
	      "\"label\":\"H\",\"visible\":true,\"matchPrefixes\":[\"claude-half\"],"
	      "\"inputCostPerMillionMicros\":null,\"outputCostPerMillionMicros\":9000000},"
	      "{\"key\":\"anthropic-plan-max-5x\",\"providerId\":\"anthropic\","
	      "\"kind\":\"subscription_plan\",\"label\":\"P\",\"visible\":true,"
	      "\"matchPrefixes\":[],\"monthlyPriceUsd\":99.5},"
	      "{\"key\":5},null,[]]}}}");
	check("anthropic", "claude-opus-4", 1, 1, 0, 0, 16, "mine");
	check("anthropic", "claude-sonnet-4", 1, 1, 0, 0, -1, NULL);
	check("anthropic", "claude-half", 1, 1, 0, 0, -1, NULL);
	check("openai", "gpt-4o", 2, 0, 0, 0, 5, "openai-gpt-4o");
	providers = json_object_get(price_registry(&cx), "providers");
	assert_string_equal(json_str(json_object_get(providers, "anthropic"), "version"), "v");
	assert_int_equal(
	    json_array_size(json_object_get(json_object_get(providers, "anthropic"), "rows")), 3);
	assert_true(price_plan_usd(&cx, "max_5x") == 99.5);
	assert_true(price_plan_usd(&cx, "max_20x") == 20);
}

static void test_unreadable(void **state UNUSED)
{
	static const char *const BAD[] = { "rubbish", "[]", "{\"providers\":5}",
		"{\"providers\":{\"anthropic\":{}}}",
		"{\"providers\":{\"anthropic\":{\"rows\":{}}}}" };

	for (size_t i = 0; i < COUNT(BAD); i++) {
		store(BAD[i]);
		check("anthropic", "claude-opus-4", 1, 1, 0, 0, 30, "anthropic-claude-opus");
	}
}

static void test_plans(void **state UNUSED)
{
	assert_true(price_plan_usd(&cx, "pro") == 20);
	assert_true(price_plan_usd(&cx, "max_5x") == 100);
	assert_true(price_plan_usd(&cx, "max_20x") == 200);
	assert_true(price_plan_usd(&cx, "other") == 20);
}

static void test_nothing_bundled(void **state UNUSED)
{
	log_init("test", LOG_ERROR + 1);
	conf.share_dir = "/nonexistent";
	check("anthropic", "claude-opus-4", 1, 1, 0, 0, -1, NULL);
	check("ollama", "x", 1, 1, 0, 0, 0, "local");
	assert_string_equal(json_text(cx.arena, price_registry(&cx)),
	    "{\"providers\":{\"anthropic\":{\"providerId\":\"anthropic\",\"rows\":[]},"
	    "\"openai\":{\"providerId\":\"openai\",\"rows\":[]}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bundled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fallbacks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cached_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_plans, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_bundled, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
