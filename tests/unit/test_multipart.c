/* Multipart bodies: what is a delimiter and what is not, in pieces of every size; and the headers of a
 * download. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/text.h"
#include "fcgi/multipart.h"
#include "fcgi/reply_file.h"

#define TYPE "multipart/form-data; boundary=xx"

static struct arena *a;
static struct buf out;
static int refuse_after;

static bool on_part(void *arg UNUSED, const struct multipart_part *p)
{
	buf_printf(&out, "[%s|%s|%s]", p->name, p->filename ? p->filename : "-", p->type);
	return refuse_after-- != 0;
}

static bool on_data(void *arg UNUSED, const char *data, size_t n)
{
	assert_true(n > 0);
	buf_add(&out, data, n);
	return true;
}

/* What becomes of BODY when it comes PIECE bytes at a time. */
static const char *parse_n(const char *type, const char *body, size_t n, size_t piece)
{
	static const struct multipart_handler HANDLER = { on_part, on_data };
	struct multipart *m = multipart_new(a, type, &HANDLER, NULL);
	bool ok = m != NULL;

	buf_clear(&out);
	for (size_t at = 0; ok && at < n; at += piece)
		ok = multipart_feed(m, body + at, n - at < piece ? n - at : piece);
	if (!ok || !multipart_complete(m))
		return "malformed";
	return arena_strdup(a, buf_text(&out));
}

/* The same in one piece, after all other pieces have given the same. */
static const char *parse(const char *type, const char *body)
{
	const char *whole = parse_n(type, body, strlen(body), strlen(body) + 1);

	for (size_t piece = 1; piece < 12; piece++)
		assert_string_equal(parse_n(type, body, strlen(body), piece), whole);
	return whole;
}

#define PART(head, content) "--xx\r\n" head "\r\n\r\n" content "\r\n"
#define NAME(name) "Content-Disposition: form-data; name=\"" name "\""

static void test_parts(void **state UNUSED)
{
	assert_string_equal(parse(TYPE, "--xx--\r\n"), "");
	assert_string_equal(parse(TYPE, "--xx--"), "");
	assert_string_equal(parse(TYPE, PART(NAME("a"), "one") PART(NAME("b"), "") "--xx--"),
	    "[a|-|text/plain]one[b|-|text/plain]");
	assert_string_equal(parse(TYPE, PART(NAME("f") "; filename=\"x.txt\"\r\nCONTENT-TYPE:  Text/CSV; A=B ",
				      "1,2\r\n3,4\r\n") "--xx--\r\nepilogue\r\n--xx\r\n"),
	    "[f|x.txt|text/csv; a=b]1,2\r\n3,4\r\n");
	assert_string_equal(parse(TYPE, "preamble\r\n" PART("X-Other: 1", "y") "--xx--"),
	    "[|-|text/plain]y");
	assert_string_equal(parse(TYPE, "--xx\r\n\r\nz\r\n--xx--"), "[|-|text/plain]z");
	assert_string_equal(parse(TYPE, "--xx \t \r\n" NAME("a") "\r\n\r\nz\r\n--xx--"), "[a|-|text/plain]z");
}

/* What only looks like a delimiter is content. */
static void test_lookalikes(void **state UNUSED)
{
	assert_string_equal(parse(TYPE, PART(NAME("a"), "--xx in a line, \n--xx\n, \r\n--xxy\r\n-\r\n--x")
				      "--xx--"),
	    "[a|-|text/plain]--xx in a line, \n--xx\n, \r\n--xxy\r\n-\r\n--x");
	assert_string_equal(parse(TYPE, PART(NAME("a"), "\r\r\n\r") "--xx--"), "[a|-|text/plain]\r\r\n\r");
	assert_string_equal(parse(TYPE, PART(NAME("a"), "\r\n--xx rest") "--xx--"),
	    "[a|-|text/plain]\r\n--xx rest");
}

static void test_boundaries(void **state UNUSED)
{
	static const char *const TYPES[] = { "Multipart/Form-Data; charset=utf-8; BOUNDARY=\"a b; c\"",
		"multipart/form-data;boundary=\"a b; c\"; x=y" };

	for (size_t i = 0; i < COUNT(TYPES); i++)
		assert_string_equal(parse(TYPES[i], "--a b; c\r\n" NAME("q") "\r\n\r\n1\r\n--a b; c--"),
		    "[q|-|text/plain]1");
	assert_string_equal(parse("multipart/form-data; boundary=xx ; y=1", "--xx--"), "");
	assert_string_equal(parse("multipart/form-data", "--xx--"), "malformed");
	assert_string_equal(parse("multipart/form-data; boundary=", "----"), "malformed");
	assert_string_equal(parse("multipart/mixed; boundary=xx", "--xx--"), "malformed");
	assert_string_equal(parse("multipart/form-databoundary=xx", "--xx--"), "malformed");
	assert_string_equal(parse("application/json", "{}"), "malformed");
	assert_string_equal(parse("", "--xx--"), "malformed");
}

static void test_cut_off(void **state UNUSED)
{
	const char *body = PART(NAME("a"), "one") PART(NAME("b"), "two") "--xx--";
	size_t n = strlen(body);

	for (size_t len = 0; len < n; len++)
		if (strcmp(parse_n(TYPE, body, len, 7), "malformed") != 0)
			fail_msg("%zu bytes are a form", len);
	assert_string_equal(parse_n(TYPE, body, n, 7), "[a|-|text/plain]one[b|-|text/plain]two");
}

#define FILENAME(value) parse(TYPE, PART(NAME("f") "; filename=" value, "") "--xx--")

static void test_names(void **state UNUSED)
{
	assert_string_equal(FILENAME("\"\""), "[f||text/plain]");
	assert_string_equal(FILENAME("plain.txt"), "[f|plain.txt|text/plain]");
	assert_string_equal(FILENAME("\"a%22b%0d%0A%20%41.txt\""), "[f|a\"b\r\n%20%41.txt|text/plain]");
	assert_string_equal(FILENAME("\"a; b=c.txt\"; x=\"y\""), "[f|a; b=c.txt|text/plain]");
	assert_string_equal(FILENAME("\"C:\\dir\\\""), "[f|C:\\dir\\|text/plain]");
	assert_string_equal(FILENAME("\"a\\\"b\""), "[f|a\"b|text/plain]");
	assert_string_equal(FILENAME("\"\xc3\xbc\xe4\xb8\xad.md\""), "[f|\xc3\xbc\xe4\xb8\xad.md|text/plain]");
	assert_string_equal(FILENAME("\"\xfc.md\""), "[f|\xef\xbf\xbd.md|text/plain]");
	assert_string_equal(
	    parse(TYPE, PART("Content-Disposition: form-data; filename=x; name=f", "") "--xx--"),
	    "[f|x|text/plain]");
}

static void test_bounds(void **state UNUSED)
{
	static const char NUL[] = PART(NAME("a") "; filename=\"b\0.txt\"", "") "--xx--";
	const char *two = PART(NAME("a"), "") PART(NAME("b"), "") "--xx--";
	struct buf b;

	buf_init(&b, 4 << 20);
	buf_str(&b, "--xx\r\nX: ");
	for (size_t i = 0; i < MULTIPART_HEAD_MAX; i++)
		buf_char(&b, 'x');
	buf_str(&b, "\r\n\r\nz\r\n--xx--");
	assert_string_equal(parse_n(TYPE, buf_text(&b), b.len, 1000), "malformed");
	buf_clear(&b);
	for (size_t i = 0; i <= MULTIPART_PARTS_MAX; i++)
		buf_str(&b, PART("A: b", ""));
	buf_str(&b, "--xx--");
	assert_string_equal(parse_n(TYPE, buf_text(&b), b.len, 100000), "malformed");
	buf_fini(&b);
	assert_string_equal(parse_n(TYPE, NUL, sizeof NUL - 1, 500), "malformed");
	refuse_after = 1;
	assert_string_equal(parse_n(TYPE, two, strlen(two), 500), "malformed");
	refuse_after = -1;
}

static void test_disposition(void **state UNUSED)
{
	static const char *const CASES[][2] = {
		{ "plain name.txt", "attachment; filename=\"plain name.txt\"" },
		{ "a/b\\c.txt", "attachment; filename=\"c.txt\"" },
		{ "q\"x.txt", "attachment; filename=\"q_x.txt\"; filename*=UTF-8''q%22x.txt" },
		{ "\xc3\xbc \xf0\x9f\x98\x80~.txt",
		  "attachment; filename=\"_ _~.txt\"; filename*=UTF-8''%C3%BC%20%F0%9F%98%80~.txt" },
		{ "a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab" },
		{ "", "attachment; filename=\"\"" },
	};
	char *longest = arena_alloc(a, 6001);

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(disposition(a, false, CASES[i][0]), CASES[i][1]);
	assert_string_equal(disposition(a, true, "x.pdf"), "inline; filename=\"x.pdf\"");
	for (int i = 0; i < 6000; i += 3)
		memcpy(longest + i, "\xe4\xb8\xad", 3);
	assert_in_range(strlen(disposition(a, false, longest)), 3000, 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_lookalikes),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_disposition),
	};
	int failed;

	refuse_after = -1;
	a = arena_new((size_t)256 << 20);
	buf_init(&out, 1 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&out);
	arena_free(a);
	return failed;
}
