/* Values of users' tables: numbers of texts, texts of values, order, and reading rows. */
#include "tests/unit/arena_case.h"

#include <math.h>

#include "core/cell.h"
#include "core/json_in.h"

static struct cell cell(const char *json)
{
	return cell_of(a, json_read_cells(a, json, strlen(json)));
}

/* Number() of ECMAScript. */
static void test_numbers_of_texts(void **state UNUSED)
{
	static const struct {
		const char *text;
		double v;
	} GOOD[] = { { "", 0 }, { " \t\n", 0 }, { "12", 12 }, { "+5", 5 }, { "-.5", -.5 },
		{ "5.", 5 }, { "1e3", 1000 }, { "-2E-2", -.02 }, { "0x1F", 31 }, { "0o17", 15 },
		{ "0B101", 5 }, { " 2\xc2\xa0", 2 }, { "\xef\xbb\xbf""7", 7 }, { "02", 2 } };
	static const char *const BAD[] = { "x", "1,5", "1 2", "-0x1", "0x", "1e", ".", "+", "e3",
		"infinity", "1_000", "0b2", "NaN", "5px" };

	for (size_t i = 0; i < COUNT(GOOD); i++)
		if (number_of_text(GOOD[i].text, strlen(GOOD[i].text)) != GOOD[i].v)
			fail_msg("'%s'", GOOD[i].text);
	for (size_t i = 0; i < COUNT(BAD); i++)
		if (!isnan(number_of_text(BAD[i], strlen(BAD[i]))))
			fail_msg("'%s'", BAD[i]);
	assert_true(number_of_text("-Infinity", 9) == -INFINITY);
	assert_true(isnan(number_of_text("1\0", 2)));
}

static void check_text(const char *json, const char *expected)
{
	struct cell c = cell(json), t = cell_as_text(a, &c);

	assert_int_equal(t.n, strlen(expected));
	assert_memory_equal(t.s, expected, t.n);
}

static void test_texts(void **state UNUSED)
{
	check_text("\"a\"", "a");
	check_text("2.50", "2.5");
	check_text("true", "true");
	check_text("null", "");
	check_text("[1,null,[true,\"x\"],{\"k\":[]}]", "1,,true,x,{\"k\":[]}");
	check_text("{\"k\":1}", "{\"k\":1}");
	check_text("[]", "");
}

static void test_order(void **state UNUSED)
{
	static const char *const ASCENDING[] = {"null", "-5", "false", "true", "2.5", "1e6", "\"\"",
	    "\"10\"", "\"9\"", "\"B\"", "[1]", "\"a\"", "\"ab\"", "{}"};

	for (size_t i = 0; i < COUNT(ASCENDING); i++)
		for (size_t j = 0; j < COUNT(ASCENDING); j++) {
			struct cell x = cell(ASCENDING[i]), y = cell(ASCENDING[j]);
			int order = cell_compare(&x, &y);

			assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
		}
}

static void test_rows(void **state UNUSED)
{
	static const char *const NAMES[] = { "n", "a \"b\"", "o", "esc", "no", "\xc3\xa9" };
	struct row_key keys[COUNT(NAMES)];
	struct cell c[COUNT(NAMES)];

	for (size_t i = 0; i < COUNT(NAMES); i++)
		keys[i] = row_key(a, NAMES[i]);
	row_pick(a, "{\"x\":{\"n\":[1,\"}\"]},\"n\":1.5,\"a \\\"b\\\"\":true,\"o\":[1,\"]\"],"
	    "\"esc\":\"l\\n\\u0000\", \"\xc3\xa9\" : null}", keys, COUNT(NAMES), c);
	assert_int_equal(c[0].kind, CELL_NUM);
	assert_true(c[0].num == 1.5);
	assert_int_equal(c[1].kind, CELL_BOOL);
	assert_int_equal(c[2].kind, CELL_JSON);
	assert_memory_equal(c[2].s, "[1,\"]\"]", c[2].n);
	assert_int_equal(c[3].kind, CELL_TEXT);
	assert_int_equal(c[3].n, 3);
	assert_memory_equal(c[3].s, "l\n", 3);
	assert_int_equal(c[4].kind, CELL_NONE);
	assert_int_equal(c[5].kind, CELL_NULL);
}

/* What is stored may be anything; it then has no values. */
static void test_broken_rows(void **state UNUSED)
{
	static const char *const TEXTS[] = { "", "null", "[1]", "{", "{\"k", "{\"k\"", "{\"k\":",
		"{\"k\":\"v", "{\"k\":[1", "{\"k\":}", "{k:1}", "{\"z\":1 \"k\":2}" };
	struct row_key key = row_key(a, "k");
	struct cell c;

	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		row_pick(a, TEXTS[i], &key, 1, &c);
		assert_int_equal(c.kind, CELL_NONE);
	}
}

/* What cells may hold and other values may not. */
static void test_read_cells(void **state UNUSED)
{
	static const char IN[] =
	    "{\"z\":\"\\u0000\",\"10\":1e400,\"9\":-1.5E+999,\"e\":\"1e400\",\"2\":[1e3]}";
	static const char *const BAD[] = { "+1e400", "01e400", "1.e400", "1e400x", "[1e4001e400]" };
	const json_t *v = json_read_cells(a, IN, sizeof IN - 1);

	assert_non_null(v);
	assert_string_equal(json_text(a, v),
	    "{\"2\":[1000],\"9\":null,\"10\":null,\"z\":\"\\u0000\",\"e\":\"1e400\"}");
	assert_null(json_read(a, "1e400", 5));
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_null(json_read_cells(a, BAD[i], strlen(BAD[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_of_texts),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_broken_rows),
		cmocka_unit_test(test_read_cells),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
