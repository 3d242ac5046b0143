/* Text rules: UTF-8, lengths in UTF-16 units, cuts, trimming, masking, numbers. */
#include "tests/unit/arena_case.h"

#include "core/text.h"

static void test_is_utf8(void **state UNUSED)
{
	static const char *const GOOD[] = { "", "a", "é", "日", "😀", "\xf4\x8f\xbf\xbf",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbd" };
	static const char *const BAD[] = { "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf",
		"\xe2\x82", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff", "\xc3(", "a\xe2\x28\xa1", "\xf0\x9f\x98" };

	for (size_t i = 0; i < COUNT(GOOD); i++)
		assert_true(text_is_utf8(GOOD[i], strlen(GOOD[i])));
	for (size_t i = 0; i < COUNT(BAD); i++)
		if (text_is_utf8(BAD[i], strlen(BAD[i])))
			fail_msg("row %zu was taken", i);
	assert_false(text_is_utf8("é", 1));
	assert_true(text_is_utf8("a\0b", 3));
}

static void test_units(void **state UNUSED)
{
	assert_int_equal(text_units(""), 0);
	assert_int_equal(text_units("abc"), 3);
	assert_int_equal(text_units("é日"), 2);
	assert_int_equal(text_units("😀"), 2);
	assert_int_equal(text_units("e\xcc\x81"), 2);
	assert_int_equal(text_prefix("a😀b", 0), 0);
	assert_int_equal(text_prefix("a😀b", 1), 1);
	assert_int_equal(text_prefix("a😀b", 2), 1);
	assert_int_equal(text_prefix("a😀b", 3), 5);
	assert_int_equal(text_prefix("a😀b", 99), 6);
}

static void test_cuts(void **state UNUSED)
{
	const char *s = "abcdef";

	assert_ptr_equal(text_cut(a, s, 6), s);
	assert_string_equal(text_cut(a, s, 5), "abcde");
	assert_string_equal(text_cut(a, s, 0), "");
	assert_string_equal(text_cut(a, "ab😀", 3), "ab");
	assert_ptr_equal(text_ellipsis(a, s, 6), s);
	assert_string_equal(text_ellipsis(a, s, 5), "abcd…");
	assert_string_equal(text_ellipsis(a, "ab😀c", 4), "ab…");
	assert_string_equal(text_ellipsis(a, "ab", 1), "…");
	assert_int_equal(text_units(text_ellipsis(a, "日本語日本語", 3)), 3);
}

static void test_trim(void **state UNUSED)
{
	const char *s = "a b";

	assert_ptr_equal(text_trim(a, s), s);
	assert_string_equal(text_trim(a, " \t\r\n\v\fa b \n"), "a b");
	assert_string_equal(
	    text_trim(a, "\xef\xbb\xbf\xc2\xa0\xe3\x80\x80\xe2\x80\xa8日\xe2\x80\x89"), "日");
	assert_string_equal(text_trim(a, ""), "");
	assert_string_equal(text_trim(a, " \xc2\xa0 "), "");
	assert_string_equal(text_trim(a, "\xc2\x85x"), "\xc2\x85x");
	assert_string_equal(text_trim(a, "\xe2\x80\x8bx"), "\xe2\x80\x8bx");
	assert_true(text_is_blank(""));
	assert_true(text_is_blank(" \n\xe2\x80\x83"));
	assert_false(text_is_blank(" x "));
}

static void test_squeeze(void **state UNUSED)
{
	assert_string_equal(text_squeeze(a, " \t a\xc2\xa0\xe3\x80\x80 b  日\n"), "a b 日");
	assert_string_equal(text_squeeze(a, "ab"), "ab");
	assert_string_equal(text_squeeze(a, " \xc2\xa0 "), "");
	assert_string_equal(text_squeeze(a, ""), "");
}

static void test_lower(void **state UNUSED)
{
	assert_string_equal(text_lower(a, "AbZ[@É"), "abz[@É");
}

static void test_mask_keys(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "no key", "no key" },
		{ "sk-12345678", "sk-***" },
		{ "sk-1234567", "sk-1234567" },
		{ "key=sk-ant-api03_AbC-9.", "key=sk-***." },
		{ "\"sk-aaaaaaaa\",\"sk-bbbbbbbb\"", "\"sk-***\",\"sk-***\"" },
		{ "sk-sk-sk-sk-", "sk-***" },
		{ "a risk-assessment, a task-breakdown", "a risk-assessment, a task-breakdown" },
		{ "xsk-ant-12345678", "xsk-***" },
		{ "%3Dsk-proj-12345678", "%3Dsk-***" },
		{ "risk-sk-12345678", "risk-sk-***" },
		{ "_sk-12345678", "_sk-***" },
		{ "ésk-12345678", "ésk-***" },
		{ "SK-12345678", "SK-12345678" },
		{ "sk-", "sk-" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(text_mask_keys(a, ROWS[i][0]), ROWS[i][1]);
}

static void test_hide(void **state UNUSED)
{
	text_hide("sk-ant-a.b/c+d");
	text_hide("sk-ant-a.b/c+d=longer");
	text_hide("no form at all");
	text_hide("sk-ant-a.b/c+d");
	text_hide("brief");
	text_hide(NULL);
	assert_string_equal(text_mask_keys(a, "(sk-ant-a.b/c+d)"), "(sk-***)");
	assert_string_equal(text_mask_keys(a, "sk-ant-a.b/c+d=longer"), "sk-***");
	assert_string_equal(text_mask_keys(a, "xno form at all, brief"), "xsk-***, brief");
	assert_string_equal(text_mask_keys(a, "no form"), "no form");
	for (char c = 'a'; c <= 'd'; c++)
		text_hide((char[]){ c, '-', 's', 'e', 'c', 'r', 'e', 't', '\0' });
	assert_string_equal(text_mask_keys(a, "a-secretd-secret"), "sk-***sk-***");
	assert_string_equal(text_mask_keys(a, "no form at all"), "no form at all");
}

static void test_ends(void **state UNUSED)
{
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("a", "ab"));
	assert_true(text_ends("abc", "bc"));
	assert_true(text_ends("", ""));
	assert_false(text_ends("c", "bc"));
}

static void test_to_int(void **state UNUSED)
{
	static const char *const BAD[] = { "", " 1", "1 ", "+1", "-", "0x10", "1.0", "1e3", "abc",
		"9223372036854775808", "-9223372036854775809", "--1" };
	int64_t v = 7;

	assert_true(text_to_int("0", 0, 10, &v));
	assert_int_equal(v, 0);
	assert_true(text_to_int("-5", -10, 10, &v));
	assert_int_equal(v, -5);
	assert_true(text_to_int("9223372036854775807", 0, INT64_MAX, &v));
	assert_int_equal(v, INT64_MAX);
	assert_true(text_to_int("-9223372036854775808", INT64_MIN, 0, &v));
	assert_int_equal(v, INT64_MIN);
	assert_false(text_to_int("11", 0, 10, &v));
	assert_false(text_to_int("-1", 0, 10, &v));
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_false(text_to_int(BAD[i], INT64_MIN, INT64_MAX, &v));
	assert_int_equal(v, INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_utf8),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_squeeze),
		cmocka_unit_test(test_lower),
		cmocka_unit_test(test_mask_keys),
		cmocka_unit_test(test_hide),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_to_int),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
