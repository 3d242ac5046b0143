/* Imports of more rows than one transaction stores: stopping, going on, failing, being left. */
#include "tests/unit/job_case.h"

#include <fcntl.h>

#include "core/domain/table.h"
#include "core/queue.h"
#include "jobrunner/import.h"

#define ROWS 1700
#define TABLE \
	"SELECT count(*), count(DISTINCT position), count(DISTINCT data), " \
	"(SELECT row_count FROM user_tables) FROM user_table_rows WHERE table_id = 't'"
#define OPEN "SELECT count(*) FROM table_imports_open"
#define PAYLOAD "{\"documentId\":\"d\"}"

static struct job job;

static int set_up(void **state UNUSED)
{
	const char *path;
	FILE *f;

	set_up_db();
	path = arena_printf(cx.arena, "%s/uploads", scratch);
	assert_int_equal(mkdir(path, 0700), 0);
	path = arena_printf(cx.arena, "%s/d.csv", path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("k,v\n", f);
	for (int i = 0; i < ROWS; i++)
		fprintf(f, "%d,row %d\n", i, i);
	fclose(f);
	sql("INSERT INTO documents (id, filename, original_name, mime_type, size, storage_path, "
	    "created_at, updated_at) VALUES ('d', 'd.csv', 'd.csv', 'text/csv', 1, ?1, 1, 1)",
	    path, NULL);
	sql("INSERT INTO user_tables (id, name, created_at, updated_at) VALUES ('t', 'T', 1, 1)",
	    NULL);
	sql("INSERT INTO jobs (kind, subject, state, run_at_ms, fence, created_at_ms) "
	    "VALUES ('table_import', 't', 'leased', 0, 1, 0)", NULL);
	job = (struct job){ .cx = &cx, .id = sqlite3_last_insert_rowid(side), .fence = 1,
		.attempts = 1, .kind = "table_import", .subject = "t", .payload = PAYLOAD,
		.signal_fd = -1 };
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

/* The whole number that a query gives. */
static int number(const char *query)
{
	return (int)strtol(rows(query), NULL, 10);
}

/* Imports as the job until it is told to stop, which it is after the first piece; how many rows are
 * stored then. */
static int begin_and_stop(void)
{
	int n;

	job.stopping = true;
	assert_int_equal(table_import(&job), EXIT_INTERRUPTED);
	job.stopping = false;
	n = number("SELECT rows_done FROM table_imports_open");
	assert_in_range(n, 1, ROWS - 1);
	assert_string_equal(
	    rows(TABLE), arena_printf(cx.arena, "%d|%d|%d|%d\n", n, n, n, n));
	return n;
}

static const char *answer(void)
{
	return rows("SELECT state, result_status, json_extract(result, '$.error'), "
		    "json_extract(result, '$.rowsImported') FROM jobs WHERE kind = 'table_import'");
}

static void assert_stored(void)
{
	assert_string_equal(rows(TABLE), "1700|1700|1700|1700\n");
	assert_string_equal(rows(OPEN), "0\n");
	assert_string_equal(
	    rows("SELECT row_count, status FROM user_table_imports"), "1700|completed\n");
	assert_string_equal(
	    rows("SELECT name FROM user_table_columns ORDER BY position"), "k\nv\n");
	assert_string_equal(rows("SELECT count(*) FROM table_document_inputs"), "1\n");
	assert_string_equal(rows("SELECT count(*) FROM user_table_rows r WHERE "
		"json_extract(data, '$.k') <> position OR length(id) <> 36 OR "
		"id NOT LIKE '________-____-4___-____-____________' OR "
		"substr(id, 20, 1) NOT IN ('8', '9', 'a', 'b')"), "0\n");
}

static void assert_complete(void)
{
	assert_stored();
	assert_string_equal(answer(), "done|200|-|1700\n");
}

static void test_at_once(void **state UNUSED)
{
	assert_int_equal(table_import(&job), EXIT_DONE);
	assert_complete();
}

/* With another process, and another lease. */
static void test_goes_on(void **state UNUSED)
{
	begin_and_stop();
	assert_string_equal(rows("SELECT count(*) FROM user_table_columns"), "0\n");
	assert_string_equal(rows("SELECT count(*) FROM user_table_imports"), "0\n");
	sql("UPDATE jobs SET fence = 2", NULL);
	job.fence = 2;
	begin_and_stop();
	assert_int_equal(table_import(&job), EXIT_DONE);
	assert_complete();
}

/* A trigger acts once for every row. */
static void test_triggers(void **state UNUSED)
{
	sql("INSERT INTO user_table_triggers (id, table_id, name, trigger_event, condition, "
	    "action_type, action_config, created_at, updated_at) "
	    "VALUES ('g', 't', 'g', 'row_added', "
	    "'{\"column\":\"v\",\"operator\":\"contains\",\"value\":\"9\"}', "
	    "'create_task', '{\"title\":\"x\"}', 1, 1)", NULL);
	begin_and_stop();
	assert_int_equal(table_import(&job), EXIT_DONE);
	assert_complete();
	assert_string_equal(rows("SELECT fire_count = (SELECT count(*) FROM tasks), fire_count = "
				 "(SELECT count(*) FROM user_table_rows WHERE data LIKE '%row%9%') "
				 "FROM user_table_triggers"), "1|1\n");
}

/* Whose lease is gone writes nothing more. */
static void test_fenced(void **state UNUSED)
{
	int n = begin_and_stop();

	sql("UPDATE jobs SET fence = 2", NULL);
	assert_int_equal(table_import(&job), 1);
	assert_string_equal(rows("SELECT rows_done FROM table_imports_open"),
	    arena_printf(cx.arena, "%d\n", n));
	assert_string_equal(answer(), "leased|-|-|-\n");
}

/* Two that both believe it to be theirs: the second one's piece does not count. */
static void test_two_at_once(void **state UNUSED)
{
	struct table_import one, two;

	begin_and_stop();
	table_import_begin(&one, &cx, "t", job.id);
	table_import_begin(&two, &cx, "t", job.id);
	assert_string_equal(one.id, two.id);
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(tx_end(&cx, table_import_step(&one, 5)), RC_OK);
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(tx_end(&cx, table_import_step(&two, 7)), RC_FENCED);
}

static const char *gone(const char *error)
{
	const char *left = rows(
	    "SELECT (SELECT count(*) FROM user_table_rows WHERE id <> 'mine'), "
	    "(SELECT count(*) FROM user_table_columns), "
	    "(SELECT count(*) FROM user_table_imports), "
	    "(SELECT count(*) FROM table_document_inputs), "
	    "(SELECT count(*) FROM table_imports_open)");

	assert_string_equal(left, "0|0|0|0|0\n");
	assert_string_equal(rows("PRAGMA foreign_key_check"), "");
	return arena_printf(cx.arena, "done|404|%s|-\n", error);
}

/* What it has stored is taken out again; what others have put in meanwhile stays. */
static void test_document_gone(void **state UNUSED)
{
	begin_and_stop();
	sql("INSERT INTO user_table_rows (id, table_id, data, position, created_at, updated_at) "
	    "VALUES ('mine', 't', '{}', 9999, 1, 1)", NULL);
	sql("UPDATE user_tables SET row_count = row_count + 1", NULL);
	sql("DELETE FROM documents", NULL);
	assert_int_equal(table_import(&job), EXIT_DONE);
	assert_string_equal(answer(), gone("Document not found"));
	assert_string_equal(rows(TABLE), "1|1|1|1\n");
}

static void test_table_gone(void **state UNUSED)
{
	begin_and_stop();
	assert_int_equal(table_delete(&cx, "t"), RC_OK);
	assert_int_equal(table_import(&job), EXIT_DONE);
	assert_string_equal(answer(), gone("Table not found"));
}

/* As an agent's tool has it. */
static void test_without_a_job(void **state UNUSED)
{
	const struct import im = { .table = "t", .document = "d" };
	struct buf b;
	struct jw w;

	buf_init(&b, 1 << 20);
	w = jw_on(&b);
	assert_int_equal(import_run(&cx, &im, &w), RC_OK);
	assert_non_null(strstr(buf_text(&b), "\"rowsImported\":1700,"));
	buf_fini(&b);
	assert_stored();
}

static enum rc go_wrong(void *arg UNUSED)
{
	return RC_IO;
}

/* The last piece fails: all that came before it goes. */
static void test_failure_at_the_end(void **state UNUSED)
{
	const struct import im = { .table = "t", .document = "d", .job = &job, .stored = go_wrong };
	struct buf b;
	struct jw w;

	buf_init(&b, 1 << 20);
	w = jw_on(&b);
	assert_int_equal(import_run(&cx, &im, &w), RC_IO);
	buf_fini(&b);
	gone("");
	assert_string_equal(rows(TABLE), "0|0|0|0\n");
}

static void sweep(void)
{
	table_import_sweep(&cx);
	assert_int_equal(cx.err.rc, RC_OK);
}

/* The job that undoes, as its process has it. */
static int undo(void)
{
	struct job j = { .cx = &cx, .fence = 1, .attempts = 1, .kind = JOB_TABLE_UNDO,
		.signal_fd = -1, .id = number("SELECT job_id FROM table_imports_open"),
		.subject = rows("SELECT id FROM table_imports_open") };

	((char *)(uintptr_t)j.subject)[36] = '\0';
	sql("UPDATE jobs SET state = 'leased', fence = 1 WHERE kind = 'table_import_undo'", NULL);
	return table_undo(&j);
}

/* A job that was given up, or cancelled. */
static void test_left_by_its_job(void **state UNUSED)
{
	begin_and_stop();
	sweep();
	sql("UPDATE jobs SET state = 'ready'", NULL);
	sweep();
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "1\n");
	sql("UPDATE jobs SET state = 'failed'", NULL);
	sweep();
	sweep();
	assert_string_equal(
	    rows("SELECT kind, state, subject = (SELECT id FROM table_imports_open) FROM jobs "
		 "WHERE state <> 'failed'"), "table_import_undo|ready|1\n");
	assert_int_equal(undo(), EXIT_DONE);
	gone("");
	assert_string_equal(rows(TABLE), "0|0|0|0\n");
}

/* An agent that dies in the middle of its tool; and one that was only slow, and comes too late. */
static void test_left_by_a_tool(void **state UNUSED)
{
	struct table_import ti;
	const char *data = "{\"a\":1}\0{\"a\":2}\0", *at = data;

	table_import_begin(&ti, &cx, "t", 0);
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(table_import_add(&ti, &at, data + 8), 1);
	assert_int_equal(tx_end(&cx, table_import_step(&ti, 1)), RC_OK);
	ti.done = 1;
	ti.open = true;
	sweep();
	assert_string_equal(rows("SELECT job_id FROM table_imports_open"), "0\n");
	sql("UPDATE table_imports_open SET touched_ms = touched_ms - 61000", NULL);
	sweep();
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(table_import_add(&ti, &at, data + 16), 1);
	assert_int_equal(tx_end(&cx, table_import_step(&ti, 1)), RC_FENCED);
	assert_int_equal(undo(), EXIT_DONE);
	gone("");
	assert_string_equal(rows(TABLE), "0|0|0|0\n");
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(test_at_once),
		EACH(test_goes_on),
		EACH(test_triggers),
		EACH(test_fenced),
		EACH(test_two_at_once),
		EACH(test_document_gone),
		EACH(test_table_gone),
		EACH(test_without_a_job),
		EACH(test_failure_at_the_end),
		EACH(test_left_by_its_job),
		EACH(test_left_by_a_tool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
