/* What a result teaches: lines, categories, repetition, tags, limits, and the job. */
#include "tests/unit/job_case.h"

#include "core/clock.h"
#include "core/domain/memory.h"
#include "core/text.h"
#include "jobrunner/remember.h"

static int set_up(void **state UNUSED)
{
	set_up_db();
	sql("INSERT INTO schedules (id, name, prompt, cron_expression, type, created_at, "
	    "updated_at) VALUES ('h', 'H', 'x', '* * * * *', 'heartbeat', 0, 0), "
	    "('s', 'S', 'x', '* * * * *', 'scheduled', 0, 0)", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

/* The statements of a result as lines "category confidence tags content". */
static const char *learn(const char *result, const char *const *known, size_t n_known)
{
	struct statement list[REMEMBER_MAX];
	size_t n = remember_statements(cx.arena, result, known, n_known, list);
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(cx.arena, "%s%s %lld %s %s\n", text, list[i].category,
		    (long long)list[i].confidence, list[i].tags ? list[i].tags : "-",
		    list[i].content);
	return text;
}

static void teaches(const char *line, const char *want)
{
	const char *got = learn(line, NULL, 0);

	if (strncmp(got, want, strlen(want)) != 0 || !*got != !*want)
		fail_msg("\"%s\" teaches \"%s\", not \"%s\"", line, got, want);
}

#define EXAMPLE                                                                \
	"- The system keeps its reports in TypeScript files of every tenant.\n" \
	"- ok\n"                                                               \
	"- Always run the linter before a commit in this repository.\n"        \
	"- The system keeps its reports in TypeScript files of every tenant.\n"

static void the_worked_example(void **state UNUSED)
{
	assert_string_equal(learn(EXAMPLE, NULL, 0),
	    "fact 700 [\"TypeScript\"] The system keeps its reports in TypeScript files of every "
	    "tenant.\n"
	    "preference 600 - Always run the linter before a commit in this repository.\n");
}

static void marks_and_blanks_go(void **state UNUSED)
{
	assert_string_equal(learn(" > ## - *\t The app keeps its own clock. \r\n\n \r\n#\n", NULL, 0),
	    "fact 700 - The app keeps its own clock.\n");
	assert_string_equal(learn("", NULL, 0), "");
	assert_string_equal(learn("\n\n", NULL, 0), "");
}

static void what_is_no_statement(void **state UNUSED)
{
	static const char *const LINES[] = {
		"The app is small 19",                        /* too short */
		"```the parser should be left alone",         /* code */
		"https://example.com should be read",         /* an address */
		"/srv/always/never/if/when/README.md",        /* a path */
		"C:\\users\\should\\always\\avoid\\this.txt", /* another */
		"Here is a line that says nothing much.",     /* no keyword */
		"The notification is different from it",      /* see below */
	};

	for (size_t i = 0; i + 1 < COUNT(LINES); i++)
		teaches(LINES[i], "");
	teaches(LINES[COUNT(LINES) - 1], "fact ");
	teaches("A notification is different from it", "");
	teaches("Prefers are prefixed, patterns resulted", "");
	teaches("The app is small, 20", "fact ");
}

static void lengths_are_units(void **state UNUSED)
{
	char *x = arena_alloc(cx.arena, 497);

	memset(x, 'x', 496);
	teaches(arena_printf(cx.arena, "The %s", x), "fact ");
	teaches(arena_printf(cx.arena, "The %sx", x), "");
	x[494] = '\0';
	teaches(arena_printf(cx.arena, "The %s\xf0\x9f\x98\x80", x), "fact ");
	teaches(arena_printf(cx.arena, "The %sx\xf0\x9f\x98\x80", x), "");
	teaches("The \xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "fact ");
	teaches("The \xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80x", "");
}

static void categories_in_their_order(void **state UNUSED)
{
	teaches("Tests should run WHEN a branch is pushed", "pattern 500");
	teaches("Such a job tends to end early here", "pattern 500");
	teaches("You should retry, it failed before", "preference 600");
	teaches("It is better to ask for the name", "preference 600");
	teaches("An upload failed on the last page", "outcome 600");
	teaches("(error) while the file was open", "outcome 600");
	teaches("Currently there are three servers", "fact 700");
	teaches("This repo uses tabs in all files", "fact 700");
	teaches("There are only three servers here", "");
	teaches("Es gibt \xc3\xa9if und if\xc3\xa9 auch hier", "");
}

static void repetition_is_skipped(void **state UNUSED)
{
	static const char *const KNOWN[] = { "the api returns dates in utc", " ",
		"a b c d e f g h i should" };

	assert_string_equal(learn("The API returns dates in UTC, as it says.\n", KNOWN, 3), "");
	assert_string_equal(learn("The api returns dates in\n", KNOWN, 3), "");
	/* 9 of 10 words, and 8 of 10. */
	assert_string_equal(learn("should B c d e f g h i zz", KNOWN, 3), "");
	assert_string_equal(learn("should B c d e f g h yy zz", KNOWN, 3),
	    "preference 600 - should B c d e f g h yy zz\n");
	assert_string_equal(learn("Users like short answers here.\nusers LIKE short answers here. "
				  "Yes.\nUsers like long answers here.\n", NULL, 0),
	    "fact 700 - Users like short answers here.\nfact 700 - Users like long answers here.\n");
}

static void tags(void **state UNUSED)
{
	teaches("The app has TypeScript, PostgreSQL, TypeScript and Java.",
	    "fact 700 [\"TypeScript\"] ");
	teaches("The app calls job-runner, `--dry-run`, X, HTTP, Dry-Run and MAX_SIZE.",
	    "fact 700 [\"job-runner\",\"dry-run\",\"HTTP\"] ");
	teaches("The app reads UTF-8 and --x-- and a--b, 2026-01-02 and Http2Server.",
	    "fact 700 [\"UTF\"] ");
	teaches("The app: AA BB CC DD EE FF AA.",
	    "fact 700 [\"AA\",\"BB\",\"CC\",\"DD\",\"EE\"] ");
	teaches("The (FooBar) \"baz-1-qux\" has no API's end", "fact 700 [\"FooBar\",\"baz-1-qux\","
						     "\"API\"] ");
	teaches("The app has \xc3\x9cTypeScript and no more", "fact 700 - ");
}

static const char *numbered(int from, int to)
{
	struct buf b;
	const char *text;

	buf_init(&b, 8 << 20);
	for (int i = from; i < to; i++)
		buf_printf(&b, "- The part n%d of it was m%d and o%d.\n", i, i, i);
	assert_false(b.failed);
	text = arena_strdup(cx.arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void twenty_at_most(void **state UNUSED)
{
	struct statement list[REMEMBER_MAX];

	assert_int_equal(remember_statements(cx.arena, numbered(0, 30), NULL, 0, list), 20);
	assert_string_equal(list[19].content, "The part n19 of it was m19 and o19.");
}

/* A result of a megabyte whose statements are all known, against as many memories as are read. */
static void huge_results_are_bounded(void **state UNUSED)
{
	const char **known = arena_array(cx.arena, const char *, 5000);
	struct statement list[REMEMBER_MAX];
	char *x = arena_alloc(cx.arena, ((size_t)3 << 20) + 1);
	int64_t began = mono_ms();

	for (size_t i = 0; i < 5000; i++)
		known[i] = arena_printf(cx.arena, "the part n%zu of it was m%zu and o%zu.", i, i, i);
	assert_int_equal(
	    remember_statements(cx.arena, numbered(0, 25000), known, 5000, list), 0);
	memset(x, 'x', (size_t)3 << 20);
	assert_int_equal(remember_statements(cx.arena, x, known, 5000, list), 0);
	memcpy(x + ((size_t)1 << 20), "\nThe app has an end.\n", 21);
	assert_int_equal(remember_statements(cx.arena, x, NULL, 0, list), 0);
	memcpy(x + 1000, "\nThe app has an end.\n", 21);
	assert_int_equal(remember_statements(cx.arena, x, NULL, 0, list), 0);
	memcpy(x + 1000, "\nThe app has an end..\n", 22);
	assert_int_equal(remember_statements(cx.arena, x, NULL, 0, list), 1);
	assert_true(mono_ms() - began < 60000);
}

static void task(const char *id, const char *status, const char *result)
{
	sql("INSERT INTO tasks (id, title, status, result, created_at, updated_at) "
	    "VALUES (?1, 'T', ?2, ?3, 0, 0)", id, status, result, NULL);
}

static void remember(const char *id)
{
	assert_int_equal(run_job(remember_result, id, "{\"profile\":\"p\"}"), EXIT_DONE);
	assert_string_equal(rows("SELECT count(*) FROM jobs WHERE state <> 'done'"), "0\n");
}

static void the_job_stores_rows(void **state UNUSED)
{
	task("t", "completed", EXAMPLE);
	task("u", "completed", "Always run the linter before a commit, in this repository.\n"
			       "Never run the linter after a commit was pushed.");
	sql("INSERT INTO agent_memory (id, profile_id, category, content, status, created_at, "
	    "updated_at) VALUES ('x', 'p', 'fact', 'Always run the linter before a commit in this "
	    "repository.', 'archived', 0, 0), ('y', 'q', 'fact', 'Always run the linter before a "
	    "commit in this repository.', 'active', 0, 0)", NULL);
	remember("t");
	assert_string_equal(
	    rows("SELECT profile_id, category, confidence, source_task_id, tags, "
		 "last_accessed_at, access_count, decay_rate, status, created_at = updated_at, "
		 "created_at > 1700000000 FROM agent_memory WHERE length(id) = 36 ORDER BY rowid"),
	    "p|fact|700|t|[\"TypeScript\"]|-|0|10|active|1|1\n"
	    "p|preference|600|t|-|-|0|10|active|1|1\n");
	remember("t");
	remember("u");
	assert_string_equal(rows("SELECT content, source_task_id FROM agent_memory "
				 "WHERE length(id) = 36 AND category <> 'fact' ORDER BY rowid"),
	    "Always run the linter before a commit in this repository.|t\n"
	    "Never run the linter after a commit was pushed.|u\n");
}

static void other_tasks_teach_nothing(void **state UNUSED)
{
	task("t", "failed", EXAMPLE);
	task("u", "completed", NULL);
	remember("t");
	remember("u");
	remember("gone");
	assert_string_equal(rows("SELECT count(*) FROM agent_memory"), "0\n");
}

static void later(const char *task, const char *result)
{
	assert_int_equal(tx_begin(&cx), RC_OK);
	memory_learn_later(&cx, &(struct task){ .id = task }, "p", result);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
}

static void what_is_queued(void **state UNUSED)
{
	sql("INSERT INTO tasks (id, title, schedule_id, source_type, created_at, updated_at) VALUES "
	    "('t', 'T', NULL, NULL, 0, 0), ('a', 'A', 's', 'scheduled', 0, 0), "
	    "('b', 'B', 'h', NULL, 0, 0), ('c', 'C', NULL, 'heartbeat', 0, 0)", NULL);
	later("t", NULL);
	later("t", "too short a result.");
	later("b", EXAMPLE);
	later("c", EXAMPLE);
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "0\n");
	later("t", EXAMPLE);
	later("a", EXAMPLE);
	assert_string_equal(rows("SELECT kind, subject, slot, payload FROM jobs ORDER BY id"),
	    "remember|t|memory:p|{\"profile\":\"p\"}\n"
	    "remember|a|memory:p|{\"profile\":\"p\"}\n");
	conf.queue_max = 2;
	later("t", EXAMPLE);
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "2\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(the_worked_example),
		CASE(marks_and_blanks_go),
		CASE(what_is_no_statement),
		CASE(lengths_are_units),
		CASE(categories_in_their_order),
		CASE(repetition_is_skipped),
		CASE(tags),
		CASE(twenty_at_most),
		CASE(huge_results_are_bounded),
		CASE(the_job_stores_rows),
		CASE(other_tasks_teach_nothing),
		CASE(what_is_queued),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
