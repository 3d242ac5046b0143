/* Cron expressions: what is one, and when it matches: over changes of the clock in several zones, leap
 * days, ends of months and days that never come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "core/clock.h"
#include "core/cron.h"

static struct arena *arena;

static int set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_REQUEST_MAX);
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

static void go_to(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static struct cron read_cron(const char *text)
{
	struct cron c;
	const char *why;

	if (!cron_parse(arena, text, &c, &why))
		fail_msg("%s: %s", text, why ? why : "no five fields");
	return c;
}

static const char *problem(const char *text)
{
	struct cron c;
	const char *why;

	assert_false(cron_parse(arena, text, &c, &why));
	return why ? why : "-";
}

static int64_t at(const char *iso)
{
	int64_t t = 0;

	assert_true(time_parse_iso(arena_printf(arena, "%sZ", iso), &t));
	return t;
}

/* The first N matches behind FROM (UTC), as UTC times without seconds. */
static const char *matches(const char *text, const char *from, int n)
{
	struct cron c = read_cron(text);
	char iso[TIME_ISO_SIZE];
	const char *out = "";
	int64_t t = at(from);

	for (int i = 0; i < n; i++) {
		t = cron_next(&c, t);
		if (t == CRON_NEVER)
			return arena_printf(arena, "%s%snever", out, i ? " " : "");
		out = arena_printf(arena, "%s%s%.16s", out, i ? " " : "", time_iso(iso, t));
	}
	return out;
}

static void is(const char *text, const char *from, int n, const char *want)
{
	assert_string_equal(matches(text, from, n), want);
}

static void says_what_is_wrong(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} CASES[] = {
		{ "", "-" }, { "* * * *", "-" }, { "* * * * * *", "-" }, { "@daily", "-" },
		{ "61 * * * *", "Constraint error, got value 61 expected range 0-59" },
		{ "061 * * * *", "Constraint error, got value 61 expected range 0-59" },
		{ "99999999999 * * * *",
		    "Constraint error, got value 99999999999 expected range 0-59" },
		{ "0 24 * * *", "Constraint error, got value 24 expected range 0-23" },
		{ "0 0 0 * *", "Constraint error, got value 0 expected range 1-31" },
		{ "0 0 * 13 *", "Constraint error, got value 13 expected range 1-12" },
		{ "0 0 * * 8", "Constraint error, got value 8 expected range 0-7" },
		{ "5-70 * * * *", "Constraint error, got range 5-70 expected range 0-59" },
		{ "5- * * * *", "Constraint error, got range 5-NaN expected range 0-59" },
		{ "-5 * * * *", "Constraint error, got range NaN-5 expected range 0-59" },
		{ "1-2-3 * * * *", "Constraint error, got range 1-NaN expected range 0-59" },
		{ "0 0 0-5 * *", "Constraint error, got range 0-5 expected range 1-31" },
		{ "0 17-9 * * *", "Invalid range: 17-9, min(17) > max(9)" },
		{ "0 0 * dec-jan *", "Invalid range: 12-1, min(12) > max(1)" },
		{ "*/0 * * * *", "Constraint error, cannot repeat at every 0 time." },
		{ "*/-5 * * * *", "Constraint error, cannot repeat at every -5 time." },
		{ "*/ * * * *", "Constraint error, cannot repeat at every NaN time." },
		{ "1/2/3 * * * *", "Invalid repeat: 1/2/3" },
		{ "*/2/3 * * * *", "Invalid repeat: 0-59/2/3" },
		{ "1,,2 * * * *", "Invalid list value format" },
		{ ",1 * * * *", "Invalid list value format" },
		{ "1, * * * *", "Invalid list value format" },
		{ "/5 * * * *", "Invalid list value format" },
		{ "a b c d e", "Invalid characters, got value: a" },
		{ "H * * * *", "Invalid characters, got value: H" },
		{ "0 0 * * H", "Invalid characters, got value: H" },
		{ "L * * * *", "Invalid characters, got value: L" },
		{ "0 0 * * L", "Invalid characters, got value: L" },
		{ "0 0 5L * *", "Invalid characters, got value: 5L" },
		{ "0 0 * * 8L", "Invalid characters, got value: 8L" },
		{ "0 0 * * 1-5L", "Invalid characters, got value: 1-5L" },
		{ "\xe6\x97\xa5 * * * *", "Invalid characters, got value: \xe6\x97\xa5" },
		{ "0 0 * foo *", "Validation error, cannot resolve alias \"foo\"" },
		{ "0 0 * FOO *", "Validation error, cannot resolve alias \"foo\"" },
		{ "0 0 * * monday", "Validation error, cannot resolve alias \"day\"" },
		{ "0 0 * mon *", "Validation error, cannot resolve alias \"mon\"" },
		{ "0 0 31 2 *", "Invalid explicit day of month definition" },
		{ "0 0 30,31 feb *", "Invalid explicit day of month definition" },
		{ "0 0 31 4 1", "Invalid explicit day of month definition" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(problem(CASES[i].text), CASES[i].why);
}

static void refuses_doubles_and_mixtures(void **state UNUSED)
{
	static const char *const CASES[] = { "5,5 * * * *", "1-3,2 * * * *", "*,7 * * * *",
		"0 0 * * 0,7", "0 0 * * sun,0", "0 0 L,L * *", "0 0 * * 5L,5L", "0 0 * * 1#0",
		"0 0 * * 1#6", "0 0 * * 1#", "0 0 * * #1", "0 0 * * 1#1,2", "0 0 * * 1-2#1",
		"0 0 * * 1/2#1", "0 0 * * 1#1#2", "0 0 * * *#1", "0 0 * * 1L#1", "0 0 1#1 * *" };

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_not_equal(problem(CASES[i]), "-");
}

static void a_long_text_is_none(void **state UNUSED)
{
	char *text = arena_alloc(arena, 100001);

	memset(text, '*', 100000);
	for (int i = 1; i < 5; i++)
		text[i * 2 - 1] = ' ';
	text[100000] = '\0';
	assert_string_equal(problem(text), "-");
}

static void every_form_matches(void **state UNUSED)
{
	static const struct {
		const char *text, *want;
	} CASES[] = { /* from Wednesday, 2025-01-01 00:00:30 */
		{ "* * * * *", "2025-01-01T00:01 2025-01-01T00:02" },
		{ "? ? ? ? ?", "2025-01-01T00:01 2025-01-01T00:02" },
		{ "*/20 * * * *", "2025-01-01T00:20 2025-01-01T00:40" },
		{ "5/25 * * * *", "2025-01-01T00:05 2025-01-01T00:30" },
		{ "50-59/4 * * * *", "2025-01-01T00:50 2025-01-01T00:54" },
		{ "0 9,17 * * *", "2025-01-01T09:00 2025-01-01T17:00" },
		{ "0 0 1 * *", "2025-02-01T00:00 2025-03-01T00:00" },
		{ "0 0 * FEB,Apr *", "2025-02-01T00:00 2025-02-02T00:00" },
		{ "0 0 * * Mon", "2025-01-06T00:00 2025-01-13T00:00" },
		{ "0 0 * * 7", "2025-01-05T00:00 2025-01-12T00:00" },
		{ "0 0 * * 0", "2025-01-05T00:00 2025-01-12T00:00" },
		{ "0 0 * * fri-7", "2025-01-03T00:00 2025-01-04T00:00" },
		{ "0 0 * * 6/2", "2025-01-04T00:00 2025-01-11T00:00" },
		{ "0 0 L * *", "2025-01-31T00:00 2025-02-28T00:00" },
		{ "0 0 L 2 *", "2025-02-28T00:00 2026-02-28T00:00" },
		{ "0 0 30,L * *", "2025-01-30T00:00 2025-01-31T00:00" },
		{ "0 0 * * 5L", "2025-01-31T00:00 2025-02-28T00:00" },
		{ "0 0 * * SunL", "2025-01-26T00:00 2025-02-23T00:00" },
		{ "0 0 * * 1#1", "2025-01-06T00:00 2025-02-03T00:00" },
		{ "0 0 * * fri#5", "2025-01-31T00:00 2025-05-30T00:00" },
		{ "0 0 13 * 5", "2025-01-03T00:00 2025-01-10T00:00" },
		{ "0 0 13 * ?", "2025-01-13T00:00 2025-02-13T00:00" },
		{ "0 0 29 2 *", "2028-02-29T00:00 2032-02-29T00:00" },
		{ "0 0 31 * *", "2025-01-31T00:00 2025-03-31T00:00" },
		{ "0 0 1-31 * 1", "2025-01-02T00:00 2025-01-03T00:00" },
		{ "59 23 31 12 *", "2025-12-31T23:59 2026-12-31T23:59" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		is(CASES[i].text, "2025-01-01T00:00:30", 2, CASES[i].want);
}

static void begins_behind_its_own_minute(void **state UNUSED)
{
	is("0 12 * * *", "2025-01-01T12:00:00", 1, "2025-01-02T12:00");
	is("0 12 * * *", "2025-01-01T12:00:59", 1, "2025-01-02T12:00");
	is("0 12 * * *", "2025-01-01T11:59:59", 1, "2025-01-01T12:00");
	is("* * * * *", "2025-01-01T12:00:00", 1, "2025-01-01T12:01");
	is("0 0 1 1 *", "2024-12-31T23:59:59", 1, "2025-01-01T00:00");
	is("30 6 * * *", "1969-12-30T06:30:00", 2, "1969-12-31T06:30 1970-01-01T06:30");
}

static void leap_years_have_their_day(void **state UNUSED)
{
	is("0 0 29 2 *", "2096-03-01T00:00:00", 1, "2104-02-29T00:00");
	is("0 0 29 2 *", "2000-02-28T00:00:00", 2, "2000-02-29T00:00 2004-02-29T00:00");
	is("0 0 L 2 *", "2099-12-31T00:00:00", 2, "2100-02-28T00:00 2101-02-28T00:00");
}

static void what_never_comes_ends_the_search(void **state UNUSED)
{
	is("0 0 31 4,6,9,11 *", "2025-01-01T00:00:00", 1, "never");
}

/* Berlin: 02:00 becomes 03:00 on 2025-03-30 (01:00 UTC), 03:00 becomes 02:00 on 2025-10-26. */
static void a_time_that_is_left_out_comes_later(void **state UNUSED)
{
	go_to("Europe/Berlin");
	is("30 2 * * *", "2025-03-29T00:00:00", 3, "2025-03-29T01:30 2025-03-30T01:30 2025-03-31T00:30");
	is("0 2,3 * * *", "2025-03-30T00:00:00", 2, "2025-03-30T01:00 2025-03-31T00:00");
	is("0,30 2,3 30 3 *", "2025-03-30T00:00:00", 3, "2025-03-30T01:00 2025-03-30T01:30 2026-03-30T00:00");
	is("59 1 * * *", "2025-03-30T00:00:00", 2, "2025-03-30T00:59 2025-03-30T23:59");
	is("0 * * * *", "2025-03-29T23:30:00", 3, "2025-03-30T00:00 2025-03-30T01:00 2025-03-30T02:00");
	is("*/30 * * * *", "2025-03-30T00:15:00", 3, "2025-03-30T00:30 2025-03-30T01:00 2025-03-30T01:30");
}

static void a_time_that_comes_twice_counts_once(void **state UNUSED)
{
	go_to("Europe/Berlin");
	is("30 2 * * *", "2025-10-25T12:00:00", 2, "2025-10-26T00:30 2025-10-27T01:30");
	is("30 2 * * *", "2025-10-26T00:30:00", 1, "2025-10-27T01:30");
	is("30 2 * * *", "2025-10-26T01:10:00", 1, "2025-10-27T01:30");
	is("0 1-4 * * *", "2025-10-25T22:30:00", 4, "2025-10-25T23:00 2025-10-26T00:00 2025-10-26T02:00 2025-10-26T03:00");
	/* An hour that is not named goes by, whatever the clock says. */
	is("0 * * * *", "2025-10-25T23:30:00", 3, "2025-10-26T00:00 2025-10-26T01:00 2025-10-26T02:00");
	is("*/30 * * * *", "2025-10-26T00:15:00", 3, "2025-10-26T00:30 2025-10-26T01:00 2025-10-26T01:30");
}

static void the_clock_may_change_at_midnight(void **state UNUSED)
{
	/* Santiago: 00:00 becomes 01:00 on 2025-09-07 (04:00 UTC), 24:00 becomes 23:00 on 2025-04-05. */
	go_to("America/Santiago");
	is("15 0 * * *", "2025-09-06T12:00:00", 2, "2025-09-07T04:15 2025-09-08T03:15");
	is("0 0 7 9 *", "2025-09-01T00:00:00", 1, "2025-09-07T04:00");
	is("30 23 * * *", "2025-04-05T12:00:00", 2, "2025-04-06T02:30 2025-04-07T03:30");
	/* Half an hour, on Lord Howe: 02:00 becomes 02:30 on 2025-10-05 (2025-10-04T15:30 UTC). */
	go_to("Australia/Lord_Howe");
	is("10 2 * * *", "2025-10-03T20:00:00", 2, "2025-10-04T15:40 2025-10-05T15:10");
	is("45 2 * * *", "2025-10-04T12:00:00", 1, "2025-10-04T15:45");
	/* A whole day, on Samoa: there was no 2011-12-30. */
	go_to("Pacific/Apia");
	is("0 9 * * *", "2011-12-29T12:00:00", 2, "2011-12-29T19:00 2011-12-30T19:00");
}

/* Whether the local minute fits, looked up in another way than the search does. */
static bool fits(const struct cron *c, const struct tm *tm, int last)
{
	bool day = (c->days >> tm->tm_mday & 1) || (c->last_day && tm->tm_mday == last);
	bool weekday = ((c->weekdays >> tm->tm_wday & 1) &&
			   (!c->nth || (tm->tm_mday - 1) / 7 + 1 == c->nth)) ||
		       ((c->last_weekdays >> tm->tm_wday & 1) && tm->tm_mday > last - 7);

	if (c->any_day || c->any_weekday)
		day = c->any_day ? weekday || c->any_weekday : day;
	else
		day = day || weekday;
	return day && (c->minutes >> tm->tm_min & 1) && (c->hours >> tm->tm_hour & 1) &&
	       (c->months >> (tm->tm_mon + 1) & 1);
}

static int64_t next_by_hand(const struct cron *c, int64_t t, int64_t end)
{
	for (t = (t / 60 + 1) * 60; t < end; t += 60) {
		time_t when = (time_t)t;
		struct tm tm;

		localtime_r(&when, &tm);
		if (fits(c, &tm, (int)days_in_month(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1)))
			return t;
	}
	return CRON_NEVER;
}

/* Where the clock does not change, every minute of a year and a half. */
static void the_search_finds_the_first(void **state UNUSED)
{
	static const char *const TEXTS[] = { "7 3 * * *", "*/17 */5 * * *", "0 0 L * *", "30 12 29 2 *",
		"1 1 13 * 5", "0 6 * * 2#3", "0 6 15 * 2#3", "59 23 31 * *", "0 0 * * 1L,3",
		"15 10 1-7 1,6 *", "0 22 L 2,4 0" };
	static const char *const ZONES[] = { "UTC", "Asia/Kolkata", "Pacific/Kiritimati",
		"America/Phoenix" };
	int64_t from = at("2023-11-15T13:14:15"), end = from + INT64_C(560) * 86400;

	for (size_t z = 0; z < COUNT(ZONES); z++) {
		go_to(ZONES[z]);
		for (size_t i = 0; i < COUNT(TEXTS); i++) {
			struct cron c = read_cron(TEXTS[i]);
			int64_t t = from;

			for (int k = 0; k < 12 && t < end; k++) {
				int64_t want = next_by_hand(&c, t, end), got = cron_next(&c, t);

				if (want == CRON_NEVER)
					break;
				assert_int_equal(got, want);
				t = got;
			}
		}
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(says_what_is_wrong),
		CASE(refuses_doubles_and_mixtures),
		CASE(a_long_text_is_none),
		CASE(every_form_matches),
		CASE(begins_behind_its_own_minute),
		CASE(leap_years_have_their_day),
		CASE(what_never_comes_ends_the_search),
		CASE(a_time_that_is_left_out_comes_later),
		CASE(a_time_that_comes_twice_counts_once),
		CASE(the_clock_may_change_at_midnight),
		CASE(the_search_finds_the_first),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
