/* Spend caps: normal form, requests, statuses, the check and its reservations. */
#include <time.h>

#include "db_case.h"

#include "core/domain/budget.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/queue.h"
#include "core/setting.h"
#include "core/usage.h"

static int set_up(void **state UNUSED)
{
	setenv("TZ", "UTC", 1);
	tzset();
	set_up_db();
	conf.anthropic_key = "sk-ant-x";
	conf.openai_key = "";
	conf.share_dir = "/nonexistent";
	cx.now = 1796083200 - 86400; /* 2026-11-30 */
	sql("INSERT INTO settings VALUES ('auth.method', 'api_key', 1)", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const char *put(const char *body)
{
	err_clear(&cx.err);
	if (budget_put(&cx, json_read_text(cx.arena, body)) != RC_OK)
		return cx.err.body;
	return setting_get(&cx, BUDGET_SETTING);
}

#define LONG(overall, claude, codex) \
	"{\"overall\":{\"monthlySpendCapUsd\":" overall "},\"runtimes\":{\"claude-code\":" claude \
	",\"openai-codex-app-server\":" codex \
	",\"anthropic-direct\":{},\"openai-direct\":{},\"ollama\":{}}}"
#define STORED(overall, claude, codex) \
	"{\"overall\":{\"monthlySpendCapUsd\":" overall "},\"runtimes\":{\"claude-code\":{" \
	"\"monthlySpendCapUsd\":" claude "},\"openai-codex-app-server\":{\"monthlySpendCapUsd\":" \
	codex "},\"anthropic-direct\":{\"monthlySpendCapUsd\":null},\"openai-direct\":{" \
	"\"monthlySpendCapUsd\":null},\"ollama\":{\"monthlySpendCapUsd\":null}}}"

static void shares_are_made_of_the_overall_cap(void **state UNUSED)
{
	conf.openai_key = "sk-x";
	assert_string_equal(put(LONG("100", "{}", "{}")), STORED("100", "50", "50"));
	assert_string_equal(put(LONG("\"33.33\"", "{\"monthlySpendCapUsd\":1}",
				"{\"monthlySpendCapUsd\":\" 2 \"}")),
	    STORED("33.33", "11.11", "22.22"));
	assert_string_equal(put(LONG("0.01", "{}", "{}")), STORED("0.01", "0.01", "0"));
	assert_string_equal(
	    put(LONG("null", "{\"monthlySpendCapUsd\":9}", "{}")), STORED("null", "null", "null"));
}

static void without_openai_claude_code_gets_the_whole(void **state UNUSED)
{
	assert_string_equal(
	    put(LONG("80", "{}", "{\"monthlySpendCapUsd\":5}")), STORED("80", "80", "null"));
}

static void without_claude_code_codex_gets_the_whole(void **state UNUSED)
{
	conf.anthropic_key = "";
	conf.openai_key = "sk-x";
	assert_string_equal(put(LONG("80", "{\"monthlySpendCapUsd\":30}", "{\"monthlySpendCapUsd\":10}")),
	    STORED("80", "null", "80"));
}

static void a_lone_runtime_gets_the_cap(void **state UNUSED)
{
	conf.anthropic_key = "";
	assert_non_null(strstr(put(LONG("7", "{}", "{}")), "\"ollama\":{\"monthlySpendCapUsd\":7}"));
}

static void faults_are_said_together(void **state UNUSED)
{
	assert_string_equal(put(LONG("\"x\"", "{\"monthlySpendCapUsd\":[],\"claudeOAuthPlan\":null}",
				"5")),
	    "{\"error\":{\"formErrors\":[],\"fieldErrors\":{\"overall\":[\"Invalid input: expected "
	    "number, received NaN\"],\"runtimes\":[\"Invalid input: expected number, received "
	    "array\",\"Invalid option: expected one of \\\"pro\\\"|\\\"max_5x\\\"|\\\"max_20x\\\"\","
	    "\"Invalid input: expected object, received number\"]}}}");
	assert_non_null(strstr(put("{\"dailyLimit\":0,\"alertThreshold\":2}"),
	    "\"dailyLimit\":[\"Too small: expected number to be >0\"],\"alertThreshold\":[\"Too "
	    "big: expected number to be <=1\"]"));
	assert_non_null(strstr(put("[]"), "\"formErrors\":[\"Invalid input: expected object, "
					  "received array\"]"));
	assert_null(setting_get(&cx, BUDGET_SETTING));
}

static void numbers_are_read_as_scripts_do(void **state UNUSED)
{
	static const struct {
		const char *text;
		double cap;
	} GOOD[] = { { "1e1", 10 }, { " 10 ", 10 }, { "0x10", 16 }, { "+2.5", 2.5 }, { ".5", 0.5 },
		{ "0B101", 5 }, { "0o17", 15 }, { "0XfF", 255 } };
	static const char *const BAD[] = { "1 2", "1e", "0x", "nan", "inf", "1_0", "--1", "12px",
		"0b2", "0o8", "-0x1", "0b" };
	struct budget_policy old, p;

	budget_load(&cx, &old);
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		const char *body = arena_printf(cx.arena, "{\"dailyLimit\":\"%s\"}", GOOD[i].text);

		assert_int_equal(
		    budget_read(&cx, json_read_text(cx.arena, body), &old, &p), RC_OK);
		assert_true(p.daily == GOOD[i].cap);
	}
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_non_null(strstr(put(arena_printf(cx.arena, "{\"dailyLimit\":\"%s\"}", BAD[i])),
		    "received NaN"));
}

static void a_threshold_is_a_number(void **state UNUSED)
{
	static const struct {
		const char *value, *message;
	} BAD[] = { { "\"0.5\"", "Invalid input: expected number, received string" },
		{ "null", "Invalid input: expected number, received null" },
		{ "0", "Too small: expected number to be >0" },
		{ "1.01", "Too big: expected number to be <=1" } };

	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_non_null(strstr(
		    put(arena_printf(cx.arena, "{\"alertThreshold\":%s}", BAD[i].value)),
		    arena_printf(cx.arena, "\"alertThreshold\":[\"%s\"]", BAD[i].message)));
	assert_non_null(strstr(put("{\"alertThreshold\":1}"), "\"alertThreshold\":1}"));
}

static void a_huge_cap_is_a_limit(void **state UNUSED)
{
	struct budget_status list[BUDGET_STATUSES_MAX];
	struct budget b;

	conf.openai_key = "sk-x";
	assert_string_equal(
	    put(LONG("1e18", "{}", "{}")), STORED("1000000000000000000", "500000000000000000",
					       "500000000000000000"));
	budget_prepare(&cx, &b);
	budget_statuses(&cx, &b, false, 0, list);
	assert_true(list[1].limit == 1e24);
	assert_string_equal(budget_health(&list[1], &b.policy), "ok");
	put(LONG("1.7e308", "{}", "{}"));
	budget_prepare(&cx, &b);
	budget_statuses(&cx, &b, false, 0, list);
	assert_string_equal(budget_health(&list[1], &b.policy), "ok");
	assert_string_equal(budget_health(&list[3], &b.policy), "ok");
}

static void the_short_form_keeps_and_the_long_form_drops(void **state UNUSED)
{
	const char *text = put("{\"dailyLimit\":2,\"monthlyLimit\":40,\"alertThreshold\":0.5}");

	assert_non_null(strstr(text, "\"dailyLimitUsd\":2,\"alertThreshold\":0.5}"));
	assert_non_null(strstr(text, "\"overall\":{\"monthlySpendCapUsd\":40}"));
	assert_null(strstr(put(LONG("40", "{}", "{}")), "dailyLimitUsd"));
}

static void old_policies_are_understood(void **state UNUSED)
{
	struct budget_policy p;

	sql("INSERT INTO settings VALUES ('usage.budgetPolicy', "
	    "'{\"overall\":{\"dailySpendCapUsd\":\"12\"},\"runtimes\":{\"claude-code\":{"
	    "\"monthlySpendCapUsd\":-1,\"claudeOAuthPlan\":\"gold\"}}}', 1)", NULL);
	budget_load(&cx, &p);
	assert_true(p.overall == 12 && p.runtimes[0] < 0 && !p.plan);
	sql("UPDATE settings SET value = '{oops' WHERE key = 'usage.budgetPolicy'", NULL);
	budget_load(&cx, &p);
	assert_true(p.overall < 0);
}

static void amounts_and_times_in_words(void **state UNUSED)
{
	struct budget_status s = { NULL, false, 666666, 0, 1234567890100, 1795478400 };

	assert_string_equal(budget_amount(cx.arena, 666666), "$0.6667");
	assert_string_equal(budget_amount(cx.arena, 800000), "$0.80");
	assert_string_equal(budget_amount(cx.arena, 20000000), "$20.00");
	assert_string_equal(budget_amount(cx.arena, 1234567890100), "$1,234,567.8901");
	assert_string_equal(budget_amount(cx.arena, 0), "$0.00");
	assert_string_equal(budget_text(cx.arena, &s),
	    "Overall daily spend is $0.6667 of $1,234,567.8901. Resets Nov 24, 2026, 12:00 AM.");
}

static void windows_are_local_days_and_months(void **state UNUSED)
{
	struct budget_window day, month;

	setenv("TZ", "America/New_York", 1);
	tzset();
	budget_windows(1793595600, &day, &month); /* 2026-11-02 00:00 EST, the day after the change */
	assert_int_equal(day.start, 1793595600);
	assert_int_equal(month.start, 1793595600 - 25 * 3600);
	assert_int_equal(day.days, 30);
	assert_int_equal(month.reset, 1793595600 + 29 * 86400);
	setenv("TZ", "UTC", 1);
	tzset();
	budget_windows(1835438400, &day, &month); /* 2028-02-29 */
	assert_int_equal(day.days, 29);
	assert_int_equal(day.reset, month.reset);
}

static void spend(const char *status, int64_t micros, int64_t at)
{
	struct usage_row r = { .activity_type = "task_run", .runtime_id = "anthropic-direct",
		.provider_id = "anthropic", .status = status, .input_tokens = 1,
		.output_tokens = 1, .total_tokens = USAGE_UNKNOWN, .cost_micros = micros,
		.started_at = at, .finished_at = at };

	assert_int_equal(tx_begin(&cx), RC_OK);
	usage_add(&cx, &r);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
}

/* Checks an activity, and reserves it where it may begin; its job, or 0. */
static int64_t begin(const char **why)
{
	struct activity act = { .type = "task_run", .runtime = "anthropic-direct" };
	struct budget b;
	int64_t job = 0;

	err_clear(&cx.err);
	budget_prepare(&cx, &b);
	assert_int_equal(tx_begin(&cx), RC_OK);
	if (budget_check(&cx, &b, &act, why) == RC_OK) {
		queue_put(&cx, JOB_AGENT_RUN, NULL, NULL, "anthropic-direct", NULL, &job);
		budget_reserve(&cx, job, "anthropic-direct");
	}
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	return job;
}

static void what_is_under_way_counts_until_its_job_ends(void **state UNUSED)
{
	const char *why = NULL;
	int64_t first;

	put("{\"dailyLimit\":0.003}");
	spend("completed", 500, cx.now - 40 * 86400);
	spend("completed", 700, cx.now - 40 * 86400);
	first = begin(&why);
	for (int i = 1; i < 5; i++)
		assert_int_not_equal(begin(&why), 0);
	assert_int_equal(begin(&why), 0);
	assert_string_equal(
	    why, "Overall daily spend is $0.003 of $0.003. Resets Dec 1, 2026, 12:00 AM.");
	sql("UPDATE jobs SET state = 'done' WHERE id = ?1",
	    arena_printf(cx.arena, "%lld", (long long)first), NULL);
	assert_int_not_equal(begin(&why), 0);
	assert_string_equal(rows("SELECT count(*) FROM budget_reservations"), "5\n");
	assert_string_equal(rows("SELECT status, cost_micros, pricing_version, activity_type FROM "
				 "usage_ledger WHERE status = 'blocked'"),
	    "blocked|0|budget-guardrail|task_run\n");
	assert_string_equal(rows("SELECT type, title FROM notifications"),
	    "budget_alert|Anthropic Direct API blocked by daily spend cap\n");
}

/* What the ledger alone forbids is said in its figures. */
static void the_text_has_the_ledgers_figures(void **state UNUSED)
{
	const char *why = NULL;

	put("{\"dailyLimit\":0.02}");
	assert_int_not_equal(begin(&why), 0);
	spend("completed", 30000, cx.now);
	assert_int_equal(begin(&why), 0);
	assert_string_equal(
	    why, "Overall daily spend is $0.03 of $0.02. Resets Dec 1, 2026, 12:00 AM.");
}

static void a_runtime_without_history_is_taken_with_care(void **state UNUSED)
{
	const char *why;

	put("{\"dailyLimit\":0.02}");
	assert_int_not_equal(begin(&why), 0);
	assert_int_not_equal(begin(&why), 0);
	assert_int_equal(begin(&why), 0);
}

static void a_window_warns_once(void **state UNUSED)
{
	const char *why;

	put("{\"dailyLimit\":1,\"monthlyLimit\":1}");
	spend("completed", 805000, cx.now);
	assert_int_not_equal(begin(&why), 0);
	sql("DELETE FROM jobs", NULL);
	assert_int_not_equal(begin(&why), 0);
	assert_string_equal(rows("SELECT title, body FROM notifications ORDER BY rowid"),
	    "Overall daily spend at 81%|Overall daily spend is $0.805 of $1.00. Resets Dec 1, 2026, "
	    "12:00 AM.\n"
	    "Overall monthly spend at 81%|Overall monthly spend is $0.805 of $1.00. Resets Dec 1, "
	    "2026, 12:00 AM.\n");
	assert_string_equal(rows("SELECT value FROM settings WHERE key = 'usage.budgetWarningState'"),
	    "{\"overall:daily:spend\":\"2026-12-01\",\"overall:monthly:spend\":\"2026-12\"}\n");
}

static void what_is_not_configured_is_not_checked(void **state UNUSED)
{
	const char *why;

	put("{\"dailyLimit\":0.001}");
	spend("completed", 5000, cx.now);
	conf.anthropic_key = "";
	assert_int_not_equal(begin(&why), 0);
	conf.anthropic_key = "sk-ant-x";
	assert_int_equal(begin(&why), 0);
}

static void a_plan_replaces_the_usage(void **state UNUSED)
{
	struct budget_status list[BUDGET_STATUSES_MAX];
	struct budget b;

	sql("UPDATE settings SET value = 'oauth' WHERE key = 'auth.method'", NULL);
	put(LONG("20", "{}", "{}"));
	budget_prepare(&cx, &b);
	assert_int_equal(budget_statuses(&cx, &b, true, 0, list), 8);
	assert_int_equal(list[1].current, 20000000);
	assert_int_equal(list[0].current, 666667);
	assert_string_equal(budget_health(&list[1], &b.policy), "blocked");
	assert_int_equal(list[3].current, 20000000);
	assert_int_equal(list[5].current, 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(shares_are_made_of_the_overall_cap),
		CASE(without_openai_claude_code_gets_the_whole),
		CASE(without_claude_code_codex_gets_the_whole),
		CASE(a_lone_runtime_gets_the_cap),
		CASE(faults_are_said_together),
		CASE(numbers_are_read_as_scripts_do),
		CASE(a_threshold_is_a_number),
		CASE(a_huge_cap_is_a_limit),
		CASE(the_short_form_keeps_and_the_long_form_drops),
		CASE(old_policies_are_understood),
		CASE(amounts_and_times_in_words),
		CASE(windows_are_local_days_and_months),
		CASE(what_is_under_way_counts_until_its_job_ends),
		CASE(the_text_has_the_ledgers_figures),
		CASE(a_runtime_without_history_is_taken_with_care),
		CASE(a_window_warns_once),
		CASE(what_is_not_configured_is_not_checked),
		CASE(a_plan_replaces_the_usage),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
