/* Lines out of bytes, however these come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "jobrunner/framing.h"

#define LINE_MAX 8

static struct framing f;
static char got[4096];

static int set_up(void **state UNUSED)
{
	framing_init(&f, LINE_MAX);
	got[0] = '\0';
	return 0;
}

static int tear_down(void **state UNUSED)
{
	framing_fini(&f);
	return 0;
}

/* Adds what there is to GOT: lines in brackets, long ones with their beginning in angles. */
static void take(void)
{
	enum frame fr;
	const char *line;
	size_t n, at = strlen(got);

	while ((fr = framing_next(&f, &line, &n)) != FRAME_NONE) {
		bool whole = fr == FRAME_LINE;

		at += (size_t)snprintf(got + at, sizeof got - at, "%c%.*s%c", whole ? '[' : '<',
		    whole ? (int)n : 3, line, whole ? ']' : '>');
	}
}

static void put(const char *data, size_t n)
{
	char *room = framing_room(&f);

	assert_non_null(room);
	memcpy(room, data, n);
	framing_add(&f, n);
	take();
}

static void put_text(const char *text)
{
	put(text, strlen(text));
}

static void finish(void)
{
	f.ended = true;
	take();
}

static void test_lines(void **state UNUSED)
{
	put_text("one\ntwo\r\n\n\r\nthr");
	assert_string_equal(got, "[one][two]");
	put_text("ee\r");
	assert_string_equal(got, "[one][two]");
	put_text("\nfo\rur\nend");
	assert_string_equal(got, "[one][two][three][fo\rur]");
	finish();
	assert_string_equal(got, "[one][two][three][fo\rur][end]");
}

static void test_length(void **state UNUSED)
{
	put_text("12345678\n123456789\nafter\n");
	assert_string_equal(got, "[12345678]<123>[after]");
	put_text("abcdefgh");
	put_text("i");
	put_text("jkl");
	put_text("mno\nx\n");
	assert_string_equal(got, "[12345678]<123>[after]<abc>[x]");
	put_text("long long long");
	finish();
	assert_string_equal(got, "[12345678]<123>[after]<abc>[x]<lon>");
}

static void test_byte_by_byte(void **state UNUSED)
{
	static const char TEXT[] = "one\r\n\n123456789\ntwo\nlast";

	for (size_t i = 0; i < sizeof TEXT - 1; i++)
		put(TEXT + i, 1);
	finish();
	assert_string_equal(got, "[one]<123>[two][last]");
}

static void test_zero_bytes(void **state UNUSED)
{
	const char *line;
	size_t n;

	memcpy(framing_room(&f), "a\0b\n", 4);
	framing_add(&f, 4);
	assert_int_equal(framing_next(&f, &line, &n), FRAME_LINE);
	assert_int_equal(n, 3);
	assert_memory_equal(line, "a\0b", 3);
}

static void test_drop(void **state UNUSED)
{
	put_text("half");
	framing_drop(&f);
	put_text("x\n");
	assert_string_equal(got, "[x]");
}

/* However much comes without an end, there is room for more. */
static void test_endless(void **state UNUSED)
{
	static char piece[FRAMING_READ];

	memset(piece, 'x', sizeof piece);
	for (int i = 0; i < 100; i++)
		put(piece, sizeof piece);
	put_text("\nend\n");
	assert_string_equal(got, "<xxx>[end]");
	assert_in_range(f.b.cap, 1, LINE_MAX + 2 * FRAMING_READ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_byte_by_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_zero_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_drop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_endless, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
