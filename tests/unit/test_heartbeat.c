/* Heartbeats: the order for the agent, its answer in all its wrappings, hours in other zones, money. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/domain/heartbeat.h"
#include "core/text.h"

static struct arena *arena;

static int set_up(void **state UNUSED)
{
	arena = arena_new(ARENA_REQUEST_MAX);
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

static void lists_what_can_be_judged(void **state UNUSED)
{
	const char *text = heartbeat_prompt(arena, "Morning \"check\"",
	    "[{\"id\":\"inbox\",\"instruction\":\"look\",\"priority\":\"high\"},{\"id\":\"\",\"instruction\":\"x\"},"
	    "{\"id\":\"a\"},5,null,\"b\",{\"id\":7,\"instruction\":\"count\",\"priority\":\"low\"},"
	    "{\"instruction\":\"y\"},{\"id\":\"c\",\"instruction\":\"z\",\"priority\":\"urgent\"}]");

	assert_non_null(text);
	assert_non_null(strstr(text, "heartbeat check of \"Morning \"check\"\""));
	assert_non_null(strstr(text,
	    "\n1. [HIGH] (id: \"inbox\") look\n2. [LOW] (id: \"7\") count\n3. [MEDIUM] (id: \"c\") z\n\n"));
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(text, (const char *[]){ "- action_needed:", "- ok:", "- skipped:" }[i]));
	assert_non_null(strstr(text, "{\"action_needed\": "));
}

static void an_empty_list_gives_no_order(void **state UNUSED)
{
	static const char *const LISTS[] = { NULL, "", "[]", "{}", "null", "[{\"id\":\"a\"}]", "[1", "[[]]",
		"\"x\"", "{\"id\":\"a\",\"instruction\":\"b\"}" };
	char *list = arena_alloc(arena, 400000);

	for (size_t i = 0; i < COUNT(LISTS); i++)
		assert_null(heartbeat_prompt(arena, "n", LISTS[i]));
	memset(list, 'x', 400000);
	memcpy(list, "[{\"id\":\"a\",\"instruction\":\"", 26);
	memcpy(list + 399996, "\"}]", 4);
	assert_null(heartbeat_prompt(arena, "n", list));
}

#define NEEDED "{\"action_needed\":true,\"items\":[{\"id\":\"a\",\"status\":\"action_needed\",\"summary\":\"Do a\"}," \
	       "{\"id\":\"b\",\"status\":\"ok\",\"summary\":\"Fine\"}," \
	       "{\"id\":\"c\",\"status\":\"action_needed\",\"summary\":\"Do c\"}]}"
#define NOTHING "{\"action_needed\": false, \"items\": []}"

static void reads_answers(void **state UNUSED)
{
	static const struct {
		const char *result, *report;
	} CASES[] = {
		{ NEEDED, "Heartbeat action needed: Do a; Do c" },
		{ " \n" NOTHING "\n", "All is well, nothing had to be done (suppression #4)" },
		{ "Here:\n```json\n" NEEDED "\n```\nBye {", "Heartbeat action needed: Do a; Do c" },
		{ "```\n" NOTHING "```", "All is well, nothing had to be done (suppression #4)" },
		{ "```" NOTHING "``` and ```" NEEDED "```", "All is well, nothing had to be done (suppression #4)" },
		{ "I found this: " NEEDED " That is all.", "Heartbeat action needed: Do a; Do c" },
		{ "```text\nnothing\n```\n" NOTHING, "All is well, nothing had to be done (suppression #4)" },
		{ "{\"action_needed\":true,\"items\":[]}", "Heartbeat action needed: the agent did not say what" },
		{ "{\"action_needed\":true,\"items\":[1,{\"status\":\"action_needed\",\"summary\":5},null]}",
		    "Heartbeat action needed: the agent did not say what" },
		{ "{\"action_needed\":\"true\",\"items\":[]}", "Heartbeat action needed: the agent's answer could not be read" },
		{ "{\"action_needed\":false}", "Heartbeat action needed: the agent's answer could not be read" },
		{ "{\"action_needed\":false,\"items\":{}}", "Heartbeat action needed: the agent's answer could not be read" },
		{ "All is well.", "Heartbeat action needed: the agent's answer could not be read" },
		{ "```", "Heartbeat action needed: the agent's answer could not be read" },
		{ "[" NOTHING "]", "All is well, nothing had to be done (suppression #4)" },
		{ "", "Heartbeat action needed: the agent's answer could not be read" },
		{ NULL, "Heartbeat action needed: the agent's answer could not be read" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct heartbeat_answer r = heartbeat_read(arena, CASES[i].result);

		assert_string_equal(heartbeat_report(arena, &r, 4), CASES[i].report);
		assert_int_equal(r.action, text_starts(CASES[i].report, "Heartbeat action"));
	}
}

static void long_summaries_are_cut(void **state UNUSED)
{
	char *x = arena_alloc(arena, 5001);
	struct heartbeat_answer r;
	const char *item;
	struct buf b;

	memset(x, 'x', 5000);
	x[5000] = '\0';
	item = arena_printf(arena, "{\"status\":\"action_needed\",\"summary\":\"%s\"}", x);
	buf_init(&b, 4 << 20);
	buf_str(&b, "{\"action_needed\":true,\"items\":[");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%s%s", i ? "," : "", item);
	buf_str(&b, "]}");
	r = heartbeat_read(arena, buf_text(&b));
	buf_fini(&b);
	assert_true(r.readable && r.action);
	assert_in_range(strlen(r.summaries), 60000, 65536);
	assert_memory_equal(r.summaries + 1999, "x; x", 4);
}

static int64_t at(const char *iso)
{
	int64_t t = 0;

	assert_true(time_parse_iso(iso, &t));
	return t;
}

static void keeps_its_hours(void **state UNUSED)
{
	static const struct {
		int64_t start, end;
		const char *zone, *t, *opens; /* NULL: it is open */
	} CASES[] = {
		{ 9, 17, "UTC", "2025-06-02T09:00:00Z", NULL },
		{ 9, 17, "UTC", "2025-06-02T16:59:59Z", NULL },
		{ 9, 17, "UTC", "2025-06-02T17:00:00Z", "2025-06-03T09:00:00Z" },
		{ 9, 17, "UTC", "2025-06-02T08:59:59Z", "2025-06-02T09:00:00Z" },
		{ 9, 17, NULL, "2025-06-02T08:59:59Z", "2025-06-02T09:00:00Z" },
		{ 22, 6, "UTC", "2025-06-02T23:00:00Z", NULL },
		{ 22, 6, "UTC", "2025-06-02T05:59:00Z", NULL },
		{ 22, 6, "UTC", "2025-06-02T06:00:00Z", "2025-06-02T22:00:00Z" },
		{ 9, 9, "UTC", "2025-06-02T09:30:00Z", "2025-06-03T09:00:00Z" },
		{ 0, 23, "UTC", "2025-06-02T23:30:00Z", "2025-06-03T00:00:00Z" },
		{ 9, HOUR_NONE, "UTC", "2025-06-02T03:00:00Z", NULL },
		{ HOUR_NONE, 9, "UTC", "2025-06-02T13:00:00Z", NULL },
		{ 9, 17, "America/New_York", "2025-01-15T14:00:00Z", NULL },
		{ 9, 17, "America/New_York", "2025-01-15T13:59:00Z", "2025-01-15T14:00:00Z" },
		{ 9, 17, "America/New_York", "2025-07-15T13:30:00Z", NULL },
		{ 9, 17, "Asia/Kolkata", "2025-01-31T12:00:00Z", "2025-02-01T03:30:00Z" },
		{ 9, 17, "Europe/Berlin", "2025-03-29T18:00:00Z", "2025-03-30T07:00:00Z" },
		{ 9, 17, "Mars/Olympus", "2025-06-02T03:00:00Z", NULL },
		{ 9, 17, "../../etc/passwd", "2025-06-02T03:00:00Z", NULL },
		{ 9, 17, "/etc/localtime", "2025-06-02T03:00:00Z", NULL },
		{ 9, 17, "Europe", "2025-06-02T03:00:00Z", NULL },
		{ 9, 17, "tzdata.zi", "2025-06-02T03:00:00Z", NULL },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct heartbeat_hours h = { CASES[i].start, CASES[i].end, CASES[i].zone };
		int64_t opens = heartbeat_opens(&h, at(CASES[i].t));

		assert_int_equal(opens, CASES[i].opens ? at(CASES[i].opens) : 0);
	}
}

/* The server's own zone is what it was. */
static void leaves_the_clock_alone(void **state UNUSED)
{
	struct heartbeat_hours h = { 9, 17, "America/New_York" };
	time_t t = (time_t)at("2025-06-02T00:00:00Z");
	struct tm tm;

	for (int unset = 0; unset < 2; unset++) {
		if (unset)
			unsetenv("TZ");
		assert_int_not_equal(heartbeat_opens(&h, t), 0);
		assert_string_equal(getenv("TZ") ? getenv("TZ") : "-", unset ? "-" : "Asia/Tokyo");
		localtime_r(&t, &tm);
		if (!unset)
			assert_int_equal(tm.tm_hour, 9);
	}
}

static void counts_in_the_unit_of_the_budget(void **state UNUSED)
{
	assert_true(heartbeat_cost(5, 1500000) == 1.5);
	assert_true(heartbeat_cost(9999, 1000000) == 1);
	assert_true(heartbeat_cost(10000, 1500) == 1500);
	assert_true(heartbeat_convert(1.5, 5, 2000000) == 1500000);
	assert_true(heartbeat_convert(1500000, 2000000, 5) == 1.5);
	assert_true(heartbeat_convert(0.25, 5, 10) == 0.25);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(lists_what_can_be_judged),
		CASE(an_empty_list_gives_no_order),
		CASE(reads_answers),
		CASE(long_summaries_are_cut),
		CASE(keeps_its_hours),
		CASE(leaves_the_clock_alone),
		CASE(counts_in_the_unit_of_the_budget),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
