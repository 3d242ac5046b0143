/* The order of names, and lower case. */
#include "tests/unit/arena_case.h"

#include "core/collate.h"

/* Each comes before the next, whichever way they are compared. */
static void test_order(void **state UNUSED)
{
	static const char *const NAMES[] = { "", " x", "_x", "-x", "\"Harbour\"", "(a)", "&c", "$1",
		"1", "10", "2", "a", "a b", "a-b", "a1", "ab", "\xc3\x84" "c", "Ad", "document",
		"E", "\xc3\xa9" "a", "eb", "O", "\xc3\x98" "a", "ob", "ss",
		"\xc3\x9f" "a", "z", "\xce\xb1", "\xce\x92", "\xd0\xb0", "\xe6\xbc\xa2" };

	for (size_t i = 1; i < COUNT(NAMES); i++) {
		const char *one = NAMES[i - 1], *two = NAMES[i];

		if (collate_names(one, two) >= 0 || collate_names(two, one) <= 0)
			fail_msg("%s, %s: %d", one, two, collate_names(one, two));
	}
}

static void test_equal(void **state UNUSED)
{
	assert_int_equal(collate_names("\xc3\x9c" "BER", "uber"), 0);
	assert_int_equal(collate_names("u\xcc\x88" "ber", "\xc3\xbc" "ber"), 0);
	assert_int_equal(collate_names("\xc3\x86on", "aeon"), 0);
	assert_int_equal(collate_names("STRASSE", "stra\xc3\x9f" "e"), 0);
	assert_int_equal(collate_names("\xd0\x90\xd0\xaf", "\xd0\xb0\xd1\x8f"), 0);
	assert_int_not_equal(collate_names("a", "aa"), 0);
}

static void test_broken(void **state UNUSED)
{
	assert_int_not_equal(collate_names("\xc3", "\xc3\xc3"), 0);
	assert_int_equal(collate_names("\xf0\x9f", "\xf0\x9f"), 0);
	assert_non_null(collate_lower(a, "\xc3\xf0\x9f\xc3\xc3\xc3"));
}

static void test_lower(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "", "" },
		{ "ABC xyz 1", "abc xyz 1" },
		{ "\xc3\x84\xc3\x9f\xc3\x97", "\xc3\xa4\xc3\x9f\xc3\x97" },
		{ "\xc5\x81\xc3\xb3\xc4\x90\xc5\xbb\xc5\xb8", "\xc5\x82\xc3\xb3\xc4\x91\xc5\xbc\xc3\xbf" },
		{ "\xce\x91\xce\xa9", "\xce\xb1\xcf\x89" },
		{ "\xd0\x81\xd0\x96", "\xd1\x91\xd0\xb6" },
		{ "\xe6\xbc\xa2\xf0\x9f\x98\x80", "\xe6\xbc\xa2\xf0\x9f\x98\x80" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(collate_lower(a, ROWS[i][0]), ROWS[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_equal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lower, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
