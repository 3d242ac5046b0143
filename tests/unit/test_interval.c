/* Intervals: every form in words, shorthand, what is described how, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "core/interval.h"

#define NOW INT64_C(1735689630) /* 2025-01-01T00:00:30Z */

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

/* "cron|description", with a question mark where it is not certain; or "! why". */
static const char *got(const char *text)
{
	struct interval i;
	const char *why;

	if (!interval_parse(arena, text, NOW, &i, &why))
		return arena_printf(arena, "! %s", why);
	assert_true(i.next > NOW);
	return arena_printf(arena, "%s|%s%s", i.cron, i.description, i.certain ? "" : "?");
}

#define CANNOT(text) \
	"! Cannot parse interval \"" text "\". Use formats like 5m, 2h, 1d, or a 5-field cron " \
	"expression."

struct pair {
	const char *text, *want;
};

static void check(const struct pair *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(got(list[i].text), list[i].want);
}

static void reads_words(void **state UNUSED)
{
	static const struct pair CASES[] = {
		{ "every monday at 9am", "0 9 * * 1|Every Monday at 9 AM" },
		{ "  Every\tTUES \n at  5 : 45 PM ", "45 17 * * 2|Every Tuesday at 5:45 PM" },
		{ "every\xc2\xa0wed at noon", "0 12 * * 3|Every Wednesday at 12 PM" },
		{ "every thurs at 12 midnight", "0 0 * * 4|Every Thursday at 12 AM" },
		{ "on fri at 0:05", "5 0 * * 5|Every Friday at 12:05 AM" },
		{ "on sunday at 23:59", "59 23 * * 0|Every Sunday at 11:59 PM" },
		{ "every sat at 9:00", "0 9 * * 6|Every Saturday at 9 AM" },
		{ "daily at 09:30am", "30 9 * * *|Daily at 9:30 AM" },
		{ "every day at 12:30am", "30 0 * * *|Daily at 12:30 AM" },
		{ "weekday at 7am", "0 7 * * 1-5|Weekdays at 7 AM" },
		{ "every weekdays at 19:05", "5 19 * * 1-5|Weekdays at 7:05 PM" },
		{ "on weekdays at 12pm", "0 12 * * 1-5|Weekdays at 12 PM" },
		{ "every 1 hour", "0 */1 * * *|Every 1 hour" },
		{ "every 23 hour", "0 */23 * * *|Every 23 hours" },
		{ "every 1 mins", "*/1 * * * *|Every 1 minute" },
		{ "every 059 min", "*/59 * * * *|Every 59 minutes" },
		{ "every night", "0 21 * * *|Every night at 9 PM" },
		{ "Hourly", "0 * * * *|Every hour" },
		{ "weekly", "0 9 * * 1|Every Monday at 9 AM" },
		{ "twice a day", "0 9,17 * * *|Twice a day at 9 AM and 5 PM" },
		{ "the first of every month", "0 9 1 * *|First of every month at 9 AM" },
		{ "first each month at 3:15pm", "15 15 1 * *|First of every month at 3:15 PM" },
		{ "every minute", "* * * * *|Every minute" },
		{ "at 15:00", "0 15 * * *|Daily at 3 PM?" },
		{ "AT NOON", "0 12 * * *|Daily at 12 PM?" },
	};

	check(CASES, COUNT(CASES));
}

static void reads_shorthand(void **state UNUSED)
{
	static const struct pair CASES[] = {
		{ "1m", "* * * * *|Every minute" },
		{ "5m", "*/5 * * * *|Every 5 minutes" },
		{ "005 Minutes", "*/5 * * * *|Every 5 minutes" },
		{ "1h", "0 * * * *|Every hour" },
		{ "2 hrs", "0 */2 * * *|Every 2 hours" },
		{ "1d", "0 9 * * *|Daily at 9:00 AM" },
		{ "3 days", "0 9 */3 * *|0 9 */3 * *" },
		{ "31d", "0 9 */31 * *|0 9 */31 * *" },
		{ "0m", "! Interval value must be positive" },
		{ "0 days", "! Interval value must be positive" },
		{ "60m", "! Minute interval must be 1-59" },
		{ "24 hours", "! Hour interval must be 1-23" },
		{ "32d", "! Day interval must be 1-31" },
		{ "99999999999999999999999m", "! Minute interval must be 1-59" },
	};

	check(CASES, COUNT(CASES));
}

static void keeps_cron_as_it_is(void **state UNUSED)
{
	static const struct pair CASES[] = {
		{ " */10 * * * * ", "*/10 * * * *|Every 10 minutes" },
		{ "0 0 * JAN Mon", "0 0 * JAN Mon|0 0 * JAN Mon" },
		{ "0  9 *\t* 1-5", "0  9 *\t* 1-5|Weekdays at 9:00 AM" },
		{ "0 9 * 6 *", "0 9 * 6 *|Daily at 9:00 AM" },
		{ "0 * * 6 *", "0 * * 6 *|Every hour" },
		{ "0 */6 * * *", "0 */6 * * *|Every 6 hours" },
		{ "* * * * 1", "* * * * 1|* * * * 1" },
		{ "*/5 9 * * *", "*/5 9 * * *|*/5 9 * * *" },
		{ "0 9 1 * 1-5", "0 9 1 * 1-5|0 9 1 * 1-5" },
		{ "0 24 * * *", "! Constraint error, got value 24 expected range 0-23" },
		{ "0 0 31 4,6,9,11 *", CANNOT("0 0 31 4,6,9,11 *") },
	};

	check(CASES, COUNT(CASES));
}

static void refuses_what_is_none(void **state UNUSED)
{
	static const struct pair CASES[] = {
		{ "", CANNOT("") }, { "zz", CANNOT("zz") }, { " @daily ", CANNOT("@daily") },
		{ "5.5m", CANNOT("5.5m") }, { "-5m", CANNOT("-5m") }, { "30s", CANNOT("30s") },
		{ "every monday", CANNOT("every monday") }, { "every day", CANNOT("every day") },
		{ "every 5 days", CANNOT("every 5 days") },
		{ "every 0 minutes", CANNOT("every 0 minutes") },
		{ "every 60 minutes", CANNOT("every 60 minutes") },
		{ "every 24 hours", CANNOT("every 24 hours") },
		{ "every 5minutes", CANNOT("every 5minutes") },
		{ "daily at 9", CANNOT("daily at 9") }, { "at 9:5am", CANNOT("at 9:5am") },
		{ "at 24:00", CANNOT("at 24:00") }, { "at 9:60am", CANNOT("at 9:60am") },
		{ "at 0am", CANNOT("at 0am") }, { "at 13pm", CANNOT("at 13pm") },
		{ "at 009am", CANNOT("at 009am") }, { "at 9am am", CANNOT("at 9am am") },
		{ "at", CANNOT("at") }, { "at ", CANNOT("at") },
		{ "daily at 9am at 9am", "! Invalid characters, got value: daily" },
		{ "every every day at 9am", "! Invalid characters, got value: every" },
		{ "first of month", CANNOT("first of month") },
		{ "every other tuesday", CANNOT("every other tuesday") },
		{ "every 2 hours during business hours",
		    CANNOT("every 2 hours during business hours") },
	};

	check(CASES, COUNT(CASES));
}

static void a_long_text_is_none(void **state UNUSED)
{
	char *text = arena_alloc(arena, (10 << 20) + 1);

	memset(text, 'x', 10 << 20);
	text[10 << 20] = '\0';
	assert_in_range(strlen(got(text)), 2000, 2200);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(reads_words),
		CASE(reads_shorthand),
		CASE(keeps_cron_as_it_is),
		CASE(refuses_what_is_none),
		CASE(a_long_text_is_none),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
