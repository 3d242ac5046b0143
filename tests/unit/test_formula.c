/* Formulas: the grammar, every operator and function, errors, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/formula.h"
#include "core/json_in.h"

static struct arena *a;
static const json_t *row;
static int asked;

static int set_up(void **state UNUSED)
{
	a = arena_new(ARENA_REQUEST_MAX);
	row = json_read_text(a,
	    "{\"n\":4,\"price\":2.5,\"name\":\"Ann\",\"num\":\"7\",\"yes\":true,\"no\":false,"
	    "\"none\":null,\"empty\":\"\",\"list\":[1,null,[\"x\"]],\"o\":{\"k\":1},\"if\":9,"
	    "\"a b\":3}");
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return 0;
}

static struct cell value(void *arg UNUSED, const struct formula *f, size_t ref)
{
	size_t n;

	return cell_of(a, json_object_get(row, formula_refs(f, &n)[ref]));
}

static bool aggregate(void *arg UNUSED, enum aggregate what, const char *column, struct cell *out)
{
	asked++;
	if (strcmp(column, "never") == 0)
		return false;
	*out = cell_num(what * 100 + (double)strlen(column));
	return true;
}

static const char *result(const char *text)
{
	struct formula_env env = { .a = a, .value = value, .aggregate = aggregate,
		.now = 1700000000, .room = 1 << 20 };
	const struct formula *f = formula_parse(a, text);
	struct cell c = { CELL_NULL };

	if (f)
		assert_true(formula_eval(f, &env, &c));
	return json_text(a, json_keep(a, cell_json(&c)));
}

static void is(const char *formula, const char *expected)
{
	const char *got = result(formula);

	if (strcmp(got, expected) != 0)
		fail_msg("%s is %s, not %s", formula, got, expected);
}

static void test_numbers(void **state UNUSED)
{
	is("1+2*3", "7");
	is("(1+2)*3", "9");
	is("10-2-3", "5");
	is("2*3%4", "2");
	is("-7%3", "-1");
	is("7%0", "0");
	is("1/0", "null");
	is("1/4", "0.25");
	is("--3", "3");
	is("- -3", "3");
	is("2*-3", "-6");
	is("1.5.2", "1.5");
	is("5.", "5");
	is(".5", "0.5");
	is("007", "7");
	is("1e3", "null");
	is("0x1F", "null");
	is("{{n}}*{{price}}", "10");
	is("n*price", "10");
	is("{{ a b }}+1", "4");
	is("num-1", "6");
	is("name-1", "-1");
	is("yes+yes", "2");
	is("none+1", "1");
	is("missing", "null");
	is("-none", "0");
	is("list*2", "0");
}

static void test_texts(void **state UNUSED)
{
	is("\"a\"+1", "\"a1\"");
	is("1+2+\"a\"+3+4", "\"3a34\"");
	is("'a'+'b'-1", "-1");
	is("name+none", "\"Ann\"");
	is("'it''s'", "null");
	is("\"open", "\"open\"");
	is("{{name", "\"Ann\"");
	is("concat(name,' ',n,none,yes,list,o)", "\"Ann 4true1,,x{\\\"k\\\":1}\"");
	is("concat()", "\"\"");
	is("CONCAT('\\',\"'\")", "\"\\\\'\"");
	is("list", "[1,null,[\"x\"]]");
}

static void test_comparisons(void **state UNUSED)
{
	is("1==1", "true");
	is("1=='1'", "true");
	is("'a'==1", "false");
	is("'a'!=1", "true");
	is("true==1", "true");
	is("true=='1'", "true");
	is("none==missing", "true");
	is("none==0", "false");
	is("empty==0", "true");
	is("empty==none", "false");
	is("'abc'<'abd'", "true");
	is("'10'>'9'", "true");
	is("'a'>'B'", "true");
	is("name>1", "false");
	is("name<=1", "false");
	is("none>=0", "true");
	is("3<2<1", "true");
	is("'2024-02-01'>'2024-01-31'", "true");
	is("1=1", "null");
	is("!1", "null");
}

static void test_functions(void **state UNUSED)
{
	is("if(n>3,'big','small')", "\"big\"");
	is("IF(false,1,2)", "2");
	is("if('0',1,2)", "1");
	is("if('',1,2)", "2");
	is("if(true,1)", "1");
	is("if(false,1)", "null");
	is("if(true,1,nosuch())", "1");
	is("nosuch()", "null");
	is("if", "9");
	is("abs(-2)+floor(-1.5)+ceil(1.2)", "2");
	is("abs()", "null");
	is("abs(1,nosuch())", "1");
	is("round(-2.5)", "-2");
	is("round(2.5)", "3");
	is("round(1.005,2)", "1");
	is("round(2.345,2)", "2.35");
	is("round(1234.5,-2)", "1200");
	is("round(0.49999999999999994)", "0");
	is("today()", "\"2023-11-14\"");
	is("daysBetween('2024-01-01','2024-03-01')", "60");
	is("daysbetween('2024-03-01','2024-01-01')", "60");
	is("daysBetween('2024-01-01 12:00','2024-01-03 11:59')", "1");
	is("daysBetween('1/2/2024','2024-01-05')", "3");
	is("daysBetween('2024','2024-02')", "31");
	is("daysBetween('2024-13-01','2024-01-01')", "null");
	is("daysBetween('2023-02-29','2024-01-01')", "null");
	is("daysBetween('2024-01-01T00:00:00Z','2024-01-02T00:00:00+02:00')", "0");
	is("daysBetween('2024-01-01T00:00:00.5Z','2024-01-02T00:00:00.5-00:30')", "1");
	is("daysBetween('2024-01-01T10:00.5','2024-01-01')", "null");
	is("daysBetween('0000','0001')", "366");
	is("daysBetween('x','2024-01-01')", "null");
	is("daysBetween(none,'2024-01-01')", "null");
	is("true+TRUE+False", "2");
}

static void test_aggregates(void **state UNUSED)
{
	const struct formula *f;
	size_t n;

	is("sum({{price}})", "5");
	is("avg(price)", "105");
	is("min('price')+max(\"n\")", "506");
	is("count(concat('pri','ce'))", "405");
	is("sum()", "null");
	f = formula_parse(a, "sum({{ a }})+avg(b)+min('c')+max(d+1)+count(true)+e+sum(a)");
	assert_non_null(f);
	assert_string_equal(formula_columns(f, &n)[0], "a");
	assert_string_equal(formula_columns(f, &n)[2], "c");
	assert_int_equal(n, 3);
	assert_string_equal(formula_refs(f, &n)[0], "d");
	assert_string_equal(formula_refs(f, &n)[1], "e");
	assert_int_equal(n, 2);
}

static void test_aggregate_that_is_not_to_be_had(void **state UNUSED)
{
	struct formula_env env = { .a = a, .value = value, .aggregate = aggregate, .room = 100 };
	const struct formula *f = formula_parse(a, "concat(sum('never'),sum('other'))");
	struct cell c;

	asked = 0;
	assert_false(formula_eval(f, &env, &c));
	assert_int_equal(asked, 1);
}

static void test_errors(void **state UNUSED)
{
	static const char *const BAD[] = { "", "  ", "1+", "*1", "(1", "1)", "1 2", "a b", "f(1,)",
		"f(,1)", "{{a}}{{b}}", "a&b", "a|b", "[1]", "@", "1,2", "()", "-" };

	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_null(formula_parse(a, BAD[i]));
}

static const char *nested(int levels, const char *open, const char *close)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < levels; i++)
		buf_str(&b, open);
	buf_char(&b, '1');
	for (int i = 0; i < levels; i++)
		buf_str(&b, close);
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void test_limits(void **state UNUSED)
{
	is(nested(200, "(", ")"), "1");
	is(nested(201, "(", ")"), "null");
	is(nested(200, "-", ""), "1");
	is(nested(201, "-", ""), "null");
	is(nested(200, "abs(", ")"), "1");
	is(nested(201, "abs(", ")"), "null");
	is(nested(4999, "1+", ""), "5000");
	is(nested(5000, "1+", ""), "null");
	is(nested(400, "10*", ""), "null");
}

/* A formula that multiplies a text stops where its room ends. */
static void test_room(void **state UNUSED)
{
	struct formula_env env = { .a = a, .value = value, .aggregate = aggregate, .room = 100 };
	const struct formula *f = formula_parse(a, "concat(name,name,name)");
	struct cell c;

	assert_true(formula_eval(f, &env, &c));
	assert_int_equal(c.kind, CELL_TEXT);
	env.room = 10;
	assert_true(formula_eval(f, &env, &c));
	assert_int_equal(c.kind, CELL_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_comparisons),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_aggregates),
		cmocka_unit_test(test_aggregate_that_is_not_to_be_had),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
