/* The tasks that a sweep's result becomes. */
#include "tests/unit/job_case.h"

static int set_up(void **state UNUSED)
{
	const char *top = getenv("srcdir");

	set_up_db();
	setenv("HOME", scratch, 1);
	conf.share_dir = arena_printf(cx.arena, "%s/share", top ? top : ".");
	sql("INSERT INTO projects (id, name, created_at, updated_at) VALUES ('p', 'P', 1, 1)",
	    NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

/* The tasks that come of RESULT. */
static const char *sweep(const char *status, const char *result)
{
	sql("DELETE FROM tasks", NULL);
	sql("INSERT INTO tasks (id, project_id, title, status, result, agent_profile, created_at, "
	    "updated_at) VALUES ('t', 'p', 'T', ?1, ?2, 'sweep', 0, 0)", status, result, NULL);
	assert_int_equal(run_job(sweep_result, "t", NULL), EXIT_DONE);
	assert_string_equal(rows("SELECT count(*) FROM jobs WHERE state <> 'done'"), "0\n");
	return rows("SELECT title, description, agent_profile, priority FROM tasks "
		    "WHERE id <> 't' ORDER BY rowid");
}

static void fields(void **state UNUSED)
{
	assert_string_equal(
	    sweep("completed",
		"I found:\n```json\n[{\"title\":\"A\",\"description\":\"B\",\"priority\":1,"
		"\"suggestedProfile\":\"researcher\"},"
		"{\"title\":\"C\",\"description\":\"\",\"priority\":9,"
		"\"suggestedProfile\":\"nobody\"},"
		"{\"title\":\"D\",\"description\":\"d\",\"priority\":-2.5,\"suggestedProfile\":7},"
		"{\"title\":\"E\",\"description\":\"e\",\"priority\":\"1\"},"
		"{\"title\":\"F\",\"description\":\"f\",\"priority\":1.5,"
		"\"suggestedProfile\":\"../general\"}]\n```\n"),
	    "A|[Sweep-generated] B|researcher|1\n"
	    "C|[Sweep-generated] |general|3\n"
	    "D|[Sweep-generated] d|general|1\n"
	    "E|[Sweep-generated] e|general|3\n"
	    "F|[Sweep-generated] f|general|1.5\n");
	assert_string_equal(rows("SELECT DISTINCT project_id, status, workflow_id, schedule_id, "
				 "assigned_agent, result, session_id, resume_count, source_type, "
				 "workflow_run_number, created_at = updated_at, "
				 "created_at > 1700000000 FROM tasks WHERE id <> 't'"),
	    "p|planned|-|-|-|-|-|0|-|-|1|1\n");
}

static void what_is_no_proposal(void **state UNUSED)
{
	assert_string_equal(
	    sweep("completed", "[5, null, {\"title\":\"A\"}, {\"title\":1,\"description\":\"B\"}, "
			       "{\"title\":\" \",\"description\":\"B\"}, "
			       "{\"title\":\"C\",\"description\":\"D\"}]"),
	    "C|[Sweep-generated] D|general|3\n");
	assert_string_equal(sweep("completed", "nothing to do"), "");
	assert_string_equal(sweep("completed", "] odd ["), "");
	assert_string_equal(sweep("completed", "[see {this}]"), "");
	assert_string_equal(sweep("completed", "[]"), "");
	assert_string_equal(sweep("completed", NULL), "");
	assert_string_equal(sweep("failed", "[{\"title\":\"A\",\"description\":\"B\"}]"), "");
	assert_int_equal(run_job(sweep_result, "gone", NULL), EXIT_DONE);
}

static void limits(void **state UNUSED)
{
	char *x = arena_alloc(cx.arena, 302);
	const char *result = "[1", *got;

	memset(x, 'x', 301);
	for (int i = 0; i < 12; i++)
		result = arena_printf(cx.arena, "%s,{\"title\":\"%s%d\",\"description\":\"%d\"}",
		    result, x, i, i);
	got = sweep("completed", arena_printf(cx.arena, "%s]", result));
	assert_non_null(strstr(got, "|[Sweep-generated] 9|"));
	assert_null(strstr(got, "|[Sweep-generated] 10|"));
	assert_string_equal(rows("SELECT count(*), max(length(title)), min(length(title)) "
				 "FROM tasks WHERE id <> 't'"), "10|200|200\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(fields),
		CASE(what_is_no_proposal),
		CASE(limits),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
