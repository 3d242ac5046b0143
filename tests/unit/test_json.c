/* JSON in and out: what is refused, and the exact bytes of what is written. */
#include "tests/unit/arena_case.h"

#include <float.h>
#include <math.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

static void check_number(double v, const char *expected)
{
	char text[NUM_TEXT_SIZE];
	int n = num_text(text, v);
	json_t *json = json_keep(a, json_real(v));

	assert_string_equal(text, expected);
	assert_int_equal(n, strlen(expected));
	if (json)
		assert_string_equal(json_text(a, json), expected);
}

/* Number::toString of ECMA-262. */
static void test_numbers(void **state UNUSED)
{
	check_number(0, "0");
	check_number(-0.0, "0");
	check_number(1, "1");
	check_number(-1, "-1");
	check_number(0.1, "0.1");
	check_number(-0.5, "-0.5");
	check_number(0.0006, "0.0006");
	check_number(1e-6, "0.000001");
	check_number(1.5e-6, "0.0000015");
	check_number(1e-7, "1e-7");
	check_number(-1.25e-7, "-1.25e-7");
	check_number(123456.789, "123456.789");
	check_number(1e20, "100000000000000000000");
	check_number(123456789012345680000.0, "123456789012345680000");
	check_number(1e21, "1e+21");
	check_number(1.5e21, "1.5e+21");
	check_number(1e100, "1e+100");
	check_number(9007199254740991.0, "9007199254740991");
	check_number(9007199254740992.0, "9007199254740992");
	check_number(9007199254740994.0, "9007199254740994");
	check_number(5e-324, "5e-324");
	check_number(DBL_MIN, "2.2250738585072014e-308");
	check_number(DBL_MAX, "1.7976931348623157e+308");
	check_number(1.0 / 3, "0.3333333333333333");
	check_number(2.0 / 3, "0.6666666666666666");
	check_number(0.1 + 0.2, "0.30000000000000004");
	check_number(100, "100");
	check_number(4.35, "4.35");
	check_number(NAN, "null");
	check_number(INFINITY, "null");
}

/* What is printed reads back the same, for doubles of every size. */
static void test_numbers_read_back(void **state UNUSED)
{
	uint64_t bits = 88172645463325252u;

	for (int i = 0; i < 20000; i++) {
		char text[NUM_TEXT_SIZE];
		double v;

		bits ^= bits << 13;
		bits ^= bits >> 7;
		bits ^= bits << 17;
		memcpy(&v, &bits, sizeof v);
		if (!isfinite(v))
			continue;
		num_text(text, v);
		if (strtod(text, NULL) != v)
			fail_msg("%a became %s", v, text);
		assert_true(strlen(text) < NUM_TEXT_SIZE - 1);
	}
}

static void test_integers(void **state UNUSED)
{
	static const char *const SAME[] = { "0", "-1", "9007199254740991", "-9007199254740992" };

	for (size_t i = 0; i < COUNT(SAME); i++)
		assert_string_equal(json_text(a, json_read_text(a, SAME[i])), SAME[i]);
	assert_string_equal(
	    json_text(a, json_read_text(a, "9007199254740993")), "9007199254740992");
	assert_string_equal(
	    json_text(a, json_read_text(a, "-9223372036854775808")), "-9223372036854776000");
	assert_string_equal(
	    json_text(a, json_read_text(a, "9223372036854775808")), "9223372036854776000");
	assert_string_equal(json_text(a, json_read_text(a, "[123456789012345678901234567890]")),
	    "[1.2345678901234568e+29]");
	assert_string_equal(json_text(a, json_read_text(a, "[1.0,-0,-0.0,1E2,1e-7,0.10]")),
	    "[1,0,0,100,1e-7,0.1]");
}

static void test_strings(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "\"\\u0008\\f\\n\\r\\t\\\"\\\\\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\"" },
		{ "\"\\u0001\\u001F\"", "\"\\u0001\\u001f\"" },
		{ "\"\\/<&\\u007f\\u2028\"", "\"/<&\x7f\xe2\x80\xa8\"" },
		{ "\"\\u00e9\\ud83d\\ude00\"", "\"é😀\"" },
		{ "\"\"", "\"\"" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(json_text(a, json_read_text(a, ROWS[i][0])), ROWS[i][1]);
}

static void test_order_of_keys(void **state UNUSED)
{
	assert_string_equal(
	    json_text(a, json_read_text(a, " {\"b\" : 1, \"a\" : [ ] , \"b\" : 2, \"\":{}} ")),
	    "{\"b\":2,\"a\":[],\"\":{}}");
	assert_string_equal(
	    json_text(a, json_read_text(a, "\xef\xbb\xbf[true,false,null]")), "[true,false,null]");
}

static void test_refused(void **state UNUSED)
{
	static const char *const BAD[] = { "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "'a'",
		"NaN", "Infinity", "-", "01", "1.", ".5", "+1", "0x1", "tru", "[1] x", "// c\n1",
		"\"a\nb\"",
		"\"\\x\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\u0000\"",
		"{\"\\u0000\":1}", "\"\xff\"", "\"\xed\xa0\x80\"", "1e999", "[-1e999]",
		"{\"a\" 1}", "[\"a]" };

	for (size_t i = 0; i < COUNT(BAD); i++)
		if (json_read_text(a, BAD[i]))
			fail_msg("%s was taken", BAD[i]);
	assert_null(json_read(a, "1\0", 2));
	assert_null(json_read_text(a, NULL));
}

static void test_depth(void **state UNUSED)
{
	char text[2 * JSON_DEPTH_MAX + 16] = "";

	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_non_null(json_read_text(a, text));
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_null(json_read_text(a, text));
	memset(text, '[', sizeof text - 1);
	text[1] = '"';
	memcpy(text + 80, "\\\"", 2);
	memcpy(text + sizeof text - 3, "\"]", 2);
	assert_non_null(json_read_text(a, text));
}

static void test_getters(void **state UNUSED)
{
	const json_t *v =
	    json_read_text(a, "{\"s\":\"x\",\"n\":1.5,\"i\":2,\"t\":true,\"z\":null}");

	assert_string_equal(json_str(v, "s"), "x");
	assert_null(json_str(v, "n"));
	assert_null(json_str(v, "none"));
	assert_null(json_str(NULL, "s"));
	assert_true(json_num(v, "n", 0) == 1.5);
	assert_true(json_num(v, "i", 0) == 2);
	assert_true(json_num(v, "s", 7) == 7);
	assert_true(json_flag(v, "t"));
	assert_false(json_flag(v, "z"));
	assert_false(json_flag(NULL, "t"));
}

static void test_writer(void **state UNUSED)
{
	struct buf b;
	struct jw w = jw_on(&b);

	buf_init(&b, 4096);
	jw_obj(&w);
	jw_kstr(&w, "s", "a\"b");
	jw_kstr(&w, "none", NULL);
	jw_kint(&w, "min", INT64_MIN);
	jw_knum(&w, "n", 0.25);
	jw_kbool(&w, "t", true);
	jw_knull(&w, "z");
	jw_ktime(&w, "at", 1773705600);
	jw_kjson(&w, "v", json_read_text(a, "{\"a\":[1,{}]}"));
	jw_kjson(&w, "no", NULL);
	jw_key(&w, "list");
	jw_arr(&w);
	jw_int(&w, 0);
	jw_raw(&w, "[ ]", 3);
	jw_obj(&w);
	jw_end_obj(&w);
	jw_strn(&w, "a\0b", 3);
	jw_end_arr(&w);
	jw_end_obj(&w);
	assert_string_equal(buf_text(&b),
	    "{\"s\":\"a\\\"b\",\"none\":null,\"min\":-9223372036854775808,\"n\":0.25,\"t\":true,"
	    "\"z\":null,\"at\":\"2026-03-17T00:00:00.000Z\",\"v\":{\"a\":[1,{}]},\"no\":null,"
	    "\"list\":[0,[ ],{},\"a\\u0000b\"]}");
	buf_fini(&b);
}

static void test_pretty(void **state UNUSED)
{
	const json_t *v = json_read_text(a,
	    "{\"a\":[],\"b\":{},\"c\":[1,{\"d\":\"x{,:}\\\"[\\\\\"}],\"e\":null}");

	assert_string_equal(json_text_pretty(a, v),
	    "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n"
	    "      \"d\": \"x{,:}\\\"[\\\\\"\n    }\n  ],\n  \"e\": null\n}");
	assert_string_equal(json_text_pretty(a, json_read_text(a, "5")), "5");
	assert_string_equal(json_text_pretty(a, json_read_text(a, "[]")), "[]");
}

/* Array indexes come first, in order of their numbers; what only looks like one is an ordinary key. */
static void test_key_order(void **state UNUSED)
{
	assert_string_equal(
	    json_text(a, json_read_text(a, "{\"b\":1,\"10\":2,\"9\":3,\"a\":{\"1\":0,\"0\":0},"
					   "\"01\":4,\"4294967294\":5,\"4294967295\":6,\"-1\":7,"
					   "\"2.5\":8,\"0\":9,\"\":10,\"b\":11}")),
	    "{\"0\":9,\"9\":3,\"10\":2,\"4294967294\":5,\"b\":11,\"a\":{\"0\":0,\"1\":0},"
	    "\"01\":4,\"4294967295\":6,\"-1\":7,\"2.5\":8,\"\":10}");
}

/* Numbers beyond a double are no value; nothing behind the text is looked at. */
static void test_cells(void **state UNUSED)
{
	static const char *const TEXTS[][2] = {
		{ "[1e400,-1E999,1e5,\"1e400\"]", "[null,null,100000,\"1e400\"]" },
		{ "1e400", "null" },
		{ "[1.]", NULL },
		{ "-1e30", "-1e+30" },
		{ "[\"a\\u0000b\"]", "[\"a\\u0000b\"]" },
	};

	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		size_t n = strlen(TEXTS[i][0]);
		char *exact = memcpy(malloc(n), TEXTS[i][0], n);
		const json_t *v = json_read_cells(a, exact, n);

		if (TEXTS[i][1])
			assert_string_equal(json_text(a, v), TEXTS[i][1]);
		else
			assert_null(v);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_numbers_read_back),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_key_order),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_order_of_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_getters),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_pretty),
		cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
