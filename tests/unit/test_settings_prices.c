/* Reading a price page. */
#include "tests/unit/arena_case.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "jobrunner/price_page.h"

static void only_words_are_left(void **state UNUSED)
{
	static const char HTML[] = "<html><SCRIPT a='1'>var x = \"$9 / 1M\";</script>\n\t<style>p{}"
				   "</style><p>Claude <b>Opus</b>\n 4.6</p><br/>$5<!-- c --";

	assert_string_equal(page_text(a, HTML, sizeof HTML - 1), "Claude Opus 4.6 $5 ");
	assert_string_equal(page_text(a, "<script>never closed", 20), "");
	assert_string_equal(page_text(a, "", 0), "");
}

static void prices_stand_near_their_labels(void **state UNUSED)
{
	static const char *const OPUS[] = { "Claude Opus 4.6", "Claude Opus 4", NULL };
	static const char *const PRO[] = { "Claude Pro", "Pro", NULL };
	const char *far_off = arena_printf(a, "Claude Opus 4.6 %0*d $5 / 1M $25 / 1M", 300, 0);
	double in = 0, out = 0;

	assert_true(page_model_price(
	    "Claude Opus 4.6 input $5 / 1M tokens, output $25.50/1M tokens", OPUS, &in, &out));
	assert_true(in == 5 && out == 25.5);
	assert_false(page_model_price(far_off, OPUS, &in, &out));
	assert_false(page_model_price("Claude Opus 4.6 $5 / month", OPUS, &in, &out));
	assert_true(page_model_price(
	    "Claude Opus 4.6 soon. claude opus 4 $15 / 1M $75 / 1M", OPUS, &in, &out));
	assert_true(in == 15 && out == 75);
	assert_true(page_plan_price("Free $ Claude Pro from $17 a month", PRO, &in));
	assert_true(in == 17);
}

static void rows_take_what_is_sane(void **state UNUSED)
{
	json_t *part = json_read_text(a,
	    "{\"rows\":[{\"key\":\"openai-gpt-5\",\"visible\":true,"
	    "\"inputCostPerMillionMicros\":1,\"outputCostPerMillionMicros\":2,"
	    "\"monthlyPriceUsd\":null},{\"key\":\"openai-gpt-4o\",\"visible\":true,"
	    "\"inputCostPerMillionMicros\":3,\"outputCostPerMillionMicros\":4}]}");
	const char *before = page_version(a, part, "openai"), *text;

	page_apply(part, "openai", "GPT-5.4 $1.25 / 1M $10 / 1M GPT-4o $2000 / 1M $3 / 1M");
	text = json_text(a, part);
	assert_non_null(strstr(text,
	    "\"inputCostPerMillionMicros\":1250000,\"outputCostPerMillionMicros\":10000000"));
	assert_non_null(strstr(
	    text, "\"inputCostPerMillionMicros\":3,\"outputCostPerMillionMicros\":3000000"));
	assert_int_equal(strlen(before), strlen("openai-registry-") + 10);
	assert_string_not_equal(before, page_version(a, part, "openai"));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(only_words_are_left),
		CASE(prices_stand_near_their_labels),
		CASE(rows_take_what_is_sane),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
