/* Instants: their ISO form, forth and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "core/clock.h"

static const struct {
	int64_t t;
	const char *iso;
} ROWS[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ -1, "1969-12-31T23:59:59.000Z" },
	{ 951782400, "2000-02-29T00:00:00.000Z" },
	{ 1709164800, "2024-02-29T00:00:00.000Z" },
	{ 1773705600, "2026-03-17T00:00:00.000Z" },
	{ 2147483648, "2038-01-19T03:14:08.000Z" },
	{ 4107542399, "2100-02-28T23:59:59.000Z" },
	{ 4107542400, "2100-03-01T00:00:00.000Z" },
	{ 253402300799, "9999-12-31T23:59:59.000Z" },
	{ -62167219200, "0000-01-01T00:00:00.000Z" },
};

static void test_rows(void **state UNUSED)
{
	char out[TIME_ISO_SIZE];
	int64_t t;

	for (size_t i = 0; i < COUNT(ROWS); i++) {
		assert_string_equal(time_iso(out, ROWS[i].t), ROWS[i].iso);
		assert_true(time_parse_iso(ROWS[i].iso, &t));
		assert_int_equal(t, ROWS[i].t);
	}
}

/* Against the C library, over some 400 years in steps of odd length. */
static void test_against_libc(void **state UNUSED)
{
	char out[TIME_ISO_SIZE], expected[64];
	struct tm tm;
	int64_t back;

	for (time_t t = -4000000000; t < 9000000000; t += 1234567) {
		assert_non_null(gmtime_r(&t, &tm));
		strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		assert_string_equal(time_iso(out, t), expected);
		assert_true(time_parse_iso(out, &back));
		assert_int_equal(back, t);
	}
}

static void test_milliseconds(void **state UNUSED)
{
	char out[TIME_ISO_SIZE];

	assert_string_equal(time_iso_ms(out, 1), "1970-01-01T00:00:00.001Z");
	assert_string_equal(time_iso_ms(out, 1773705600999), "2026-03-17T00:00:00.999Z");
	assert_string_equal(time_iso_ms(out, -1), "1969-12-31T23:59:59.999Z");
	assert_string_equal(time_iso_ms(out, -1000), "1969-12-31T23:59:59.000Z");
}

static void test_out_of_range(void **state UNUSED)
{
	char out[TIME_ISO_SIZE];

	assert_int_equal(strlen(time_iso(out, 253402300800)), 24);
	assert_int_equal(strlen(time_iso(out, INT64_MAX / 1000)), 24);
	assert_int_equal(strlen(time_iso(out, -62167219201)), 24);
}

static void test_parse(void **state UNUSED)
{
	static const char *const GOOD[] = { "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.7Z",
		"2024-02-29T12:34:56.123456789Z" };
	static const char *const BAD[] = { "", "2024-02-29", "2024-02-29T12:34:56",
		"2024-02-29T12:34:56.Z", "2024-02-29T12:34:56+00:00", "2024-02-29 12:34:56Z",
		"2023-02-29T12:34:56Z", "2100-02-29T12:34:56Z", "2024-04-31T12:34:56Z",
		"2024-13-01T12:34:56Z", "2024-00-01T12:34:56Z", "2024-01-00T12:34:56Z",
		"2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z", "2024-01-01T12:34:60Z",
		"2024-+1-01T12:34:56Z", " 024-01-01T12:34:56Z", "-024-01-01T12:34:56Z",
		"2024-1-01T12:34:56Z", "2024-01-01T12:34:56Zx", "2024-01-01T12:34:56z" };
	int64_t t;

	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_true(time_parse_iso(GOOD[i], &t));
		assert_int_equal(t, 1709210096);
	}
	for (size_t i = 0; i < COUNT(BAD); i++)
		if (time_parse_iso(BAD[i], &t))
			fail_msg("%s was taken", BAD[i]);
}

/* Every day of 800 years, one behind the other. */
static void test_days(void **state UNUSED)
{
	int64_t y = 1600, from = days_of_date(1600, 1, 1), got;
	unsigned m = 1, d = 1, month, day;

	for (int64_t n = from; y < 2400; n++) {
		date_of_days(n, &got, &month, &day);
		assert_true(got == y && month == m && day == d && days_of_date(y, m, d) == n);
		if (++d > days_in_month(y, m)) {
			d = 1;
			if (++m > 12) {
				m = 1;
				y++;
			}
		}
	}
	assert_int_equal(days_of_date(1970, 1, 1), 0);
	assert_int_equal(days_in_month(2000, 2), 29);
	assert_int_equal(days_in_month(1900, 2), 28);
	assert_int_equal(days_in_month(2001, 0), 0);
	assert_int_equal(days_in_month(2001, 13), 0);
}

static void test_now(void **state UNUSED)
{
	int64_t s = now_s(), ms = now_ms(), mono = mono_ms();

	assert_true(ms / 1000 - s <= 2);
	assert_true(llabs((int64_t)time(NULL) - s) <= 2);
	assert_true(mono_ms() >= mono);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_against_libc),
		cmocka_unit_test(test_milliseconds),
		cmocka_unit_test(test_out_of_range),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
