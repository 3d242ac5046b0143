/* Importing: records of CSV and JSON, types of columns, values. Spreadsheets are read in
 * test_xlsx.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/arena.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "jobrunner/import.h"

static struct arena *a;
static struct buf got;
static size_t left; /* records that are taken */

static int set_up(void **state UNUSED)
{
	a = arena_new(ARENA_REQUEST_MAX);
	buf_init(&got, 1 << 20);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	buf_fini(&got);
	arena_free(a);
	return 0;
}

static bool take(void *arg UNUSED, const struct field_text *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_char(&got, '|');
		buf_add(&got, fields[i].s ? fields[i].s : "", fields[i].n);
	}
	buf_char(&got, '#');
	return --left > 0;
}

static void csv(const char *text, size_t n, char separator, const char *expected)
{
	struct err e = { 0 };

	buf_clear(&got);
	left = 100;
	assert_int_equal(import_read_csv(text, n, separator, take, NULL, &e), RC_OK);
	assert_string_equal(buf_text(&got), expected);
}

static void check(const char *text, const char *expected)
{
	csv(text, strlen(text), ',', expected);
}

static void test_records(void **state UNUSED)
{
	check("a,b\n1,2", "a|b#1|2#");
	check("a,b\r\n1,2\r\n", "a|b#1|2#");
	check("\xef\xbb\xbf" "a , b\t\n \n\n,\n", "a|b#|#");
	check("a\rb,c\n", "a\rb|c#");
	check("a;b\n", "a;b#");
	csv("a\tb\n\t\n1\t2", 9, '\t', "a|b#1|2#");
	csv("a\0b", 3, ',', "a\xef\xbf\xbd" "b#");
}

static void test_quotes(void **state UNUSED)
{
	check("\"a,b\",\"c\"\"d\",\"\"", "a,b|c\"d|#");
	check(" \"x\ny\" ,z", "x\ny|z#");
	check("\"x\r\n\ny\"z\n1", "x\r\n\nyz#1#");
	check("5\" tall,b\nc", "5 tall,b#c#");
	check("a\"\"b,\"c\"d\"e\"", "ab|cde#");
	check("\"a\nb\nc", "a#b#c#");
	check("x,\"a\n\"b\"\n", "x|a\nb#");
	check("\"a\"\"\nb\",c", "a\"\nb|c#");
	check("\"", "#");
	check("\"\"", "#");
}

static void test_utf16(void **state UNUSED)
{
	csv("\xff\xfe" "a\0,\0\x3d\xd8\x00\xde\n\0", 12, ',', "a|\xf0\x9f\x98\x80#");
	csv("\xfe\xff\0a\0,\xd8\x3d\0b", 10, ',', "a|\xef\xbf\xbd" "b#");
	csv("\xff\xfe" "a\0b", 5, ',', "a#");
}

static void test_nothing(void **state UNUSED)
{
	static const char *const EMPTY[] = { "", "\n\n", " \t\r\n", "\xef\xbb\xbf" };
	struct err e;

	for (size_t i = 0; i < COUNT(EMPTY); i++) {
		e = (struct err){ 0 };
		assert_int_equal(
		    import_read_csv(EMPTY[i], strlen(EMPTY[i]), ',', take, NULL, &e), RC_INVALID);
		assert_string_equal(e.msg, "Empty file");
	}
}

static void test_a_reader_that_has_enough(void **state UNUSED)
{
	struct err e = { 0 };

	buf_clear(&got);
	left = 2;
	assert_int_equal(import_read_csv("a\nb\nc\n", 6, ',', take, NULL, &e), RC_OK);
	assert_string_equal(buf_text(&got), "a#b#");
}

static void json(const char *text, const char *expected)
{
	struct err e = { 0 };

	buf_clear(&got);
	left = 100;
	if (import_read_json(text, strlen(text), take, NULL, &e) == RC_OK)
		assert_string_equal(buf_text(&got), expected);
	else
		assert_string_equal(e.msg, expected);
}

static void test_json(void **state UNUSED)
{
	json("[{\"a\":1,\"b\":null},{\"c\":[1,{}],\"a\":\"x\"}]", "a|b|c#1||#x||[1,{}]#");
	json("[[\" h \",2],[1.50],[true,null,9],[]]", "h|2#1.5#true||9##");
	json("[]", "Empty file");
	json("{}", "JSON import needs an array of objects or an array of arrays");
	json("[1]", "JSON import needs an array of objects or an array of arrays");
	json("[{},[]]", "JSON import needs an array of objects or an array of arrays");
	json("[{}", "Invalid JSON file");
}

static void infer(const char *type, ...)
{
	struct field_text texts[32];
	json_t *options;
	va_list ap;
	const char *s;
	size_t n = 0;

	va_start(ap, type);
	while ((s = va_arg(ap, const char *)))
		texts[n++] = (struct field_text){ s, strlen(s) };
	va_end(ap);
	assert_string_equal(import_infer(texts, n, &options), type);
	assert_int_equal(options != NULL, strcmp(type, "select") == 0);
	json_decref(options);
}

static void test_types(void **state UNUSED)
{
	infer("text", NULL);
	infer("text", "", "", NULL);
	infer("email", "a@b.co", "", "x.y%+-_@c-d.e.fgh", NULL);
	infer("text", "a@b.c", NULL);
	infer("text", "a@b@c.de", NULL);
	infer("text", "@b.de", NULL);
	infer("text", "a@.de", "x", NULL);
	infer("url", "http://x", "https://y", NULL);
	infer("text", "HTTP://x", NULL);
	infer("text", "https://", NULL);
	infer("boolean", "1", "0", "YES", "No", "tRue", NULL);
	infer("number", "1", "2", NULL);
	infer("date", "2024-99-99 anything", "1/1/24", "31.12.2024", NULL);
	infer("text", "1/1/1", NULL);
	infer("text", "1-1-2024", NULL);
	infer("number", "$1", "\xe2\x82\xac 2",
	    "\xc2\xa3"
	    "1,000.5",
	    "3.5%", "1..%", "-7", "0x1F", NULL);
	infer("text", "$ -1", NULL);
	infer("text", "1.", "x", NULL);
	infer("text", "%", NULL);
	infer("select", "a", "b", "a", "a", "b", NULL);
	infer("text", "a", "b", "a", "b", NULL);
}

static void value(const char *type, const char *text, const char *expected)
{
	struct field_text f = { text, strlen(text) };

	assert_string_equal(json_text(a, json_keep(a, import_value(type, &f))), expected);
}

static void test_values(void **state UNUSED)
{
	value("number", "1,5", "15");
	value("number", "\xe2\x82\xac 1.234,56", "1.23456");
	value("number", "%", "0");
	value("number", "1e999", "null");
	value("number", "abc", "null");
	value("number", "\xc2\xa0-\xe2\x80\x89" "3", "-3");
	value("boolean", "TRUE", "true");
	value("boolean", "on", "false");
	value("date", "1/2/24", "\"2024-01-02\"");
	value("date", "01.02.2024", "\"2024-02-01\"");
	value("date", "1/2/199", "\"199-01-02\"");
	value("date", "2024-01-02T03:04", "\"2024-01-02T03:04\"");
	value("date", "soon", "\"soon\"");
	value("select", "x", "\"x\"");
	value("text", "", "null");
	value("boolean", "", "null");
}

/* Not even a file of nothing but open quotes takes longer than its length. */
static void test_open_quotes(void **state UNUSED)
{
	size_t n = 4 << 20;
	char *text = malloc(n);
	struct err e = { 0 };

	assert_non_null(text);
	for (size_t i = 0; i < n; i += 4)
		memcpy(text + i, i ? "\"\",\n" : "\"a,\n", 4);
	left = SIZE_MAX;
	buf_fini(&got);
	buf_init(&got, 16 << 20);
	assert_int_equal(import_read_csv(text, n, ',', take, NULL, &e), RC_OK);
	assert_int_equal(SIZE_MAX - left, n / 4);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_a_reader_that_has_enough),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_open_quotes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
