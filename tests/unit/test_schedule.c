/* Schedules: what the job runner makes of them, and what may come between the steps. */
#include "tests/unit/db_case.h"

#include <time.h>

#include "core/domain/schedule.h"
#include "core/domain/task.h"
#include "core/json_in.h"

#define NOW INT64_C(1700000040) /* 2023-11-14T22:14:00Z */

static int set_up(void **state UNUSED)
{
	const char *top = getenv("srcdir");

	setenv("TZ", "UTC", 1);
	tzset();
	set_up_db();
	setenv("HOME", scratch, 1);
	conf.share_dir = arena_printf(cx.arena, "%s/share", top ? top : ".");
	cx.now = NOW;
	sql("INSERT INTO projects (id, name, status, created_at, updated_at) "
	    "VALUES ('p', 'P', 'active', 1, 1)", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static void advance(void)
{
	struct schedule_pass pass = { 0 };
	int steps = 0;

	while (schedule_advance(&cx, &pass))
		assert_in_range(++steps, 1, 500);
	assert_int_equal(cx.err.rc, RC_OK);
	assert_int_equal(cx.tx_depth, 0);
}

static void is(const char *query, const char *want)
{
	assert_string_equal(rows(query), want);
}

/* A schedule as it may stand in the database: due every five minutes. MORE: columns and values. */
static void schedule_as(const char *id, const char *type, const char *columns, const char *values)
{
	sql(arena_printf(cx.arena,
		"INSERT INTO schedules (id, name, prompt, cron_expression, type, next_fire_at, "
		"heartbeat_checklist, created_at, updated_at%s) VALUES ('%s', 'N', 'Do it', "
		"'*/5 * * * *', '%s', %s, '[{\"id\":\"a\",\"instruction\":\"look\"}]', 1, 1%s)",
		columns, id, type, strstr(columns, "status") ? "NULL" : "1700000000", values), NULL);
}

static void plain(const char *id)
{
	schedule_as(id, "scheduled", "", "");
}

static void heartbeat(const char *columns, const char *values)
{
	schedule_as("h", "heartbeat", columns, values);
}

#define STATES \
	"SELECT id, status, firing_count, last_fired_at, next_fire_at FROM schedules ORDER BY rowid"
#define TASKS \
	"SELECT title, description, status, project_id, schedule_id, priority, source_type FROM tasks " \
	"ORDER BY rowid"

static const char *task_id(void)
{
	const char *id = rows("SELECT id FROM tasks ORDER BY rowid DESC LIMIT 1");

	return arena_strndup(cx.arena, id, strlen(id) - 1);
}

/* The run of the newest task ends, as the job runner writes it. */
static void end_run(const char *status, const char *result, const char *micros)
{
	const char *task = task_id();

	sql("UPDATE tasks SET status = ?2, result = nullif(?3, '-') WHERE id = ?1", task, status,
	    result, NULL);
	sql("INSERT INTO usage_ledger (id, task_id, activity_type, runtime_id, provider_id, status, "
	    "cost_micros, started_at, finished_at) VALUES (?1, ?1, 'scheduled_firing', 'r', 'p', "
	    "'completed', ?2, 1, 1)", task, micros, NULL);
	sql("DELETE FROM engine_runs WHERE task_id = ?1", task, NULL);
	sql("UPDATE jobs SET state = 'done'", NULL);
}

static void fires_once(void **state UNUSED)
{
	plain("s");
	sql("UPDATE schedules SET project_id = 'p', agent_profile = 'researcher'", NULL);
	sql("INSERT INTO documents (id, filename, original_name, mime_type, size, storage_path, "
	    "created_at, updated_at) VALUES ('d', 'd', 'd', 't', 1, '/d', 1, 1)", NULL);
	sql("INSERT INTO schedule_document_inputs (id, schedule_id, document_id, created_at) "
	    "VALUES ('i', 's', 'd', 1)", NULL);
	for (int i = 0; i < 3; i++)
		advance();
	is(STATES, "s|active|1|1700000040|1700000100\n");
	is(TASKS, "N \xe2\x80\x94 firing #1|Do it|running|p|s|2|scheduled\n");
	is("SELECT kind, state, jobs.subject = tasks.id FROM jobs, tasks", "agent_run|ready|1\n");
	is("SELECT instant, fired_at, open FROM schedule_firings", "1700000000|1700000040|0\n");
	is("SELECT d.project_id, d.task_id = t.id FROM documents d, tasks t", "p|1\n");
	is("SELECT agent_profile, assigned_agent FROM tasks", "researcher|-\n");
}

/* However many runners look: one had the row before the other came. */
static void an_instant_fires_once(void **state UNUSED)
{
	plain("s");
	advance();
	end_run("completed", "R", "1");
	sql("UPDATE schedules SET next_fire_at = 1700000000", NULL);
	advance();
	is(STATES, "s|active|1|1700000040|1700000100\n");
	is("SELECT count(*) FROM tasks", "1\n");
}

static void what_was_missed_is_one_firing(void **state UNUSED)
{
	plain("s");
	cx.now = NOW + 86400;
	advance();
	is(STATES, "s|active|1|1700086440|1700086500\n");
	is("SELECT count(*) FROM tasks", "1\n");
}

static void waits_for_its_last_task(void **state UNUSED)
{
	plain("s");
	advance();
	cx.now = NOW + 60;
	advance();
	is(STATES, "s|active|1|1700000040|1700000400\n");
	is("SELECT count(*) FROM tasks", "1\n");
	end_run("failed", "-", "0");
	cx.now = NOW + 360;
	advance();
	is(STATES, "s|active|2|1700000400|1700000700\n");
	is("SELECT title FROM tasks ORDER BY rowid DESC LIMIT 1", "N \xe2\x80\x94 firing #2\n");
}

static void ends_as_it_was_told(void **state UNUSED)
{
	plain("once");
	plain("last");
	plain("more");
	plain("full");
	plain("late");
	schedule_as("later", "scheduled", ", status, expires_at", ", 'paused', 1");
	sql("UPDATE schedules SET recurs = 0 WHERE id = 'once'", NULL);
	sql("UPDATE schedules SET max_firings = 3, firing_count = 2 WHERE id = 'last'", NULL);
	sql("UPDATE schedules SET max_firings = 3, firing_count = 1 WHERE id = 'more'", NULL);
	sql("UPDATE schedules SET max_firings = 3, firing_count = 3 WHERE id = 'full'", NULL);
	sql("UPDATE schedules SET expires_at = 1700000040, next_fire_at = 1800000000 WHERE id = 'late'", NULL);
	advance();
	is(STATES, "once|completed|1|1700000040|-\nlast|expired|3|1700000040|-\n"
		   "more|active|2|1700000040|1700000100\nfull|expired|3|-|-\nlate|expired|0|-|-\n"
		   "later|paused|0|-|-\n");
	is("SELECT schedule_id FROM tasks ORDER BY rowid", "once\nlast\nmore\n");
}

static void needs_an_active_project(void **state UNUSED)
{
	plain("s");
	sql("UPDATE projects SET status = 'paused'", NULL);
	sql("UPDATE schedules SET project_id = 'p'", NULL);
	advance();
	is(STATES, "s|active|0|-|1700000100\n");
	is("SELECT count(*) FROM tasks", "0\n");
}

static void makes_good_for_older_programs(void **state UNUSED)
{
	plain("s");
	plain("bad");
	sql("UPDATE schedules SET next_fire_at = NULL", NULL);
	sql("UPDATE schedules SET cron_expression = 'H 0 * * *' WHERE id = 'bad'", NULL);
	plain("odd");
	sql("UPDATE schedules SET cron_expression = '0 0 31 4,6 *' WHERE id = 'odd'", NULL);
	advance();
	is(STATES, "s|active|0|-|1700000100\nbad|paused|0|-|-\nodd|paused|1|1700000040|-\n");
}

/* Times that were computed before wait no longer; what has fired by them does not fire again. */
static void the_clock_may_be_set_back(void **state UNUSED)
{
	plain("s");
	heartbeat("", "");
	advance();
	sql("UPDATE tasks SET status = 'completed' WHERE schedule_id = 's'", NULL);
	cx.now = NOW - 7200;
	schedule_clock_set_back(&cx);
	advance();
	is("SELECT id, next_fire_at, firing_count FROM schedules ORDER BY rowid",
	    "s|1699992900|1\nh|-|0\n");
	cx.now = 1700000000;
	sql("UPDATE schedules SET next_fire_at = 1700000000 WHERE id = 's'", NULL);
	advance();
	is("SELECT next_fire_at, firing_count FROM schedules WHERE id = 's'", "1700000100|1\n");
}

/* Texts that would not fit into the memory are in nobody's way. */
static void a_huge_one_is_paused(void **state UNUSED)
{
	plain("s");
	plain("t");
	sql("UPDATE schedules SET prompt = printf('%.*c', 40000000, 'x') WHERE id = 's'", NULL);
	advance();
	is(STATES, "s|paused|0|-|-\nt|active|1|1700000040|1700000100\n");
	heartbeat("", "");
	advance();
	end_run("completed", "", "0");
	sql("UPDATE tasks SET result = printf('%.*c', 40000000, '{') WHERE schedule_id = 'h'", NULL);
	advance();
	is("SELECT status, firing_count FROM schedules WHERE id = 'h'", "active|1\n");
}

/* One that cannot be dealt with is not in the way of others. */
static void a_refused_task_fails(void **state UNUSED)
{
	plain("s");
	plain("t");
	sql("UPDATE schedules SET agent_profile = 'gone' WHERE id = 's'", NULL);
	advance();
	is("SELECT schedule_id, status, result FROM tasks ORDER BY rowid",
	    "s|failed|Task profile \"gone\" was not found\nt|running|-\n");
	is("SELECT open FROM schedule_firings", "0\n0\n");
	is(STATES, "s|active|1|1700000040|1700000100\nt|active|1|1700000040|1700000100\n");
}

static void waits_while_the_queue_is_full(void **state UNUSED)
{
	conf.queue_max = 1;
	plain("s");
	plain("t");
	advance();
	is("SELECT status FROM tasks ORDER BY rowid", "running\nqueued\n");
	is("SELECT open FROM schedule_firings ORDER BY id", "0\n1\n");
	sql("UPDATE jobs SET state = 'done'", NULL);
	advance();
	is("SELECT status FROM tasks ORDER BY rowid", "running\nrunning\n");
	is("SELECT count(*) FROM jobs", "2\n");
}

#define HEARTBEATS \
	"SELECT status, firing_count, last_fired_at, next_fire_at, suppression_count, last_action_at " \
	"FROM schedules"
#define LOGS "SELECT agent_type, event, payload, timestamp FROM agent_logs ORDER BY rowid"
#define FINE "{\"action_needed\":false,\"items\":[]}"

static void a_heartbeat_waits_for_its_end(void **state UNUSED)
{
	heartbeat("", "");
	advance();
	advance();
	is(HEARTBEATS, "active|0|-|-|0|-\n");
	is("SELECT title, status, source_type, description LIKE '%1. [MEDIUM] (id: \"a\") look%' FROM tasks",
	    "N \xe2\x80\x94 heartbeat #1|running|heartbeat|1\n");
	end_run("completed", FINE, "1500");
	cx.now = NOW + 100;
	advance();
	is(HEARTBEATS, "active|1|1700000040|1700000400|1|-\n");
	is(LOGS, "heartbeat|heartbeat_suppressed|All is well, nothing had to be done (suppression #1)|1700000040\n");
	is("SELECT heartbeat_spent_today FROM schedules", "0\n");
	for (int again = 0; again < 3; again++)
		advance();
	is("SELECT firing_count FROM schedules", "1\n");
}

static void a_heartbeat_asks_for_action(void **state UNUSED)
{
	static const struct {
		const char *status, *result, *payload;
	} CASES[] = {
		{ "completed",
		    "{\"action_needed\":true,\"items\":[{\"status\":\"action_needed\",\"summary\":\"Go\"}]}",
		    "Go" },
		{ "completed", "Fine", "the agent's answer could not be read" },
		{ "failed", FINE, "the agent's answer could not be read" },
		{ "cancelled", "-", "the agent's answer could not be read" },
	};

	heartbeat(", suppression_count", ", 2");
	for (size_t i = 0; i < COUNT(CASES); i++) {
		cx.now = NOW + 300 * (int64_t)i;
		advance();
		end_run(CASES[i].status, CASES[i].result, "0");
		advance();
		assert_string_equal(rows(HEARTBEATS),
		    arena_printf(cx.arena, "active|%zu|%lld|%lld|0|%lld\n", i + 1, (long long)cx.now,
			(long long)cx.now + 60 , (long long)cx.now));
		assert_string_equal(rows("SELECT payload FROM agent_logs ORDER BY rowid DESC LIMIT 1"),
		    arena_printf(cx.arena, "Heartbeat action needed: %s\n", CASES[i].payload));
	}
}

/* The end of the run and what follows from it are one transaction; a step finds what it missed. */
static void the_end_is_seen_once(void **state UNUSED)
{
	heartbeat("", "");
	advance();
	end_run("completed", FINE, "0");
	assert_int_equal(tx_begin(&cx), RC_OK);
	schedule_task_ended(&cx, task_id());
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	advance();
	is(HEARTBEATS, "active|1|1700000040|1700000100|1|-\n");
	is("SELECT count(*) FROM agent_logs", "1\n");
	/* As long as its run is not over, nothing is judged. */
	cx.now = NOW + 60;
	advance();
	sql("UPDATE tasks SET status = 'cancelled' WHERE status = 'running'", NULL);
	advance();
	is(HEARTBEATS, "active|1|1700000040|-|1|-\n");
	sql("DELETE FROM engine_runs", NULL);
	advance();
	is("SELECT firing_count, suppression_count FROM schedules", "2|0\n");
}

static void a_lost_task_ends_it(void **state UNUSED)
{
	heartbeat("", "");
	advance();
	assert_int_equal(task_delete(&cx, task_id()), RC_OK);
	advance();
	is(HEARTBEATS, "active|1|1700000040|1700000100|0|1700000040\n");
	is("SELECT count(*) FROM agent_logs", "0\n");
}

static void changed(const char *body)
{
	json_t *in = json_keep(cx.arena, json_loads(body, 0, NULL));

	assert_int_equal(schedule_update(&cx, "h", in), RC_OK);
}

static void may_be_changed_meanwhile(void **state UNUSED)
{
	heartbeat("", "");
	advance();
	changed("{\"status\":\"paused\"}");
	end_run("completed", FINE, "0");
	advance();
	is(HEARTBEATS, "paused|1|1700000040|-|1|-\n");
	changed("{\"status\":\"active\",\"interval\":\"every hour\"}");
	is(HEARTBEATS, "active|1|1700000040|1700002800|1|-\n");
	cx.now = 1700002800;
	advance();
	changed("{\"interval\":\"every minute\"}");
	is("SELECT next_fire_at FROM schedules", "1700002860\n");
	cx.now = 1700002860;
	advance();
	is("SELECT next_fire_at FROM schedules", "1700002920\n");
	is("SELECT count(*) FROM tasks", "2\n");
	assert_int_equal(schedule_delete(&cx, "h"), RC_OK);
	end_run("completed", FINE, "0");
	advance();
	is("SELECT schedule_id FROM tasks", "-\n-\n");
	is("SELECT count(*) FROM schedule_firings", "0\n");
}

static void a_heartbeat_ends_as_it_was_told(void **state UNUSED)
{
	heartbeat(", recurs, max_firings", ", 0, 1");
	advance();
	changed("{\"status\":\"paused\"}");
	end_run("completed", FINE, "0");
	advance();
	is(HEARTBEATS, "completed|1|1700000040|-|1|-\n");
	sql("UPDATE schedules SET recurs = 1, status = 'active', firing_count = 0, next_fire_at = 1700000010", NULL);
	advance();
	end_run("completed", FINE, "0");
	advance();
	is(HEARTBEATS, "expired|1|1700000040|-|2|-\n");
}

static void keeps_its_hours(void **state UNUSED)
{
	heartbeat(", active_hours_start, active_hours_end, active_timezone", ", 8, 20, 'Europe/Berlin'");
	advance();
	is(HEARTBEATS, "active|0|-|1700031600|0|-\n"); /* 07:00 UTC is 8 o'clock there */
	sql("UPDATE schedules SET next_fire_at = 1700000000, active_timezone = 'Nowhere/Land'", NULL);
	advance();
	is("SELECT count(*) FROM tasks", "1\n");
}

static void keeps_its_budget(void **state UNUSED)
{
	heartbeat(", heartbeat_budget_per_day", ", 0.002");
	advance();
	end_run("completed", FINE, "1500");
	advance();
	is("SELECT heartbeat_spent_today, heartbeat_budget_reset_at FROM schedules", "0.0015|1699920000\n");
	cx.now = NOW + 60;
	advance();
	end_run("completed", FINE, "1500");
	advance();
	is("SELECT heartbeat_spent_today, firing_count FROM schedules", "0.003|2\n");
	cx.now = NOW + 360;
	advance();
	is("SELECT firing_count, next_fire_at FROM schedules", "2|1700000700\n");
	is("SELECT count(*) FROM tasks", "2\n");
	changed("{\"heartbeatBudgetPerDay\":20000}");
	is("SELECT heartbeat_spent_today FROM schedules", "3000\n");
	changed("{\"heartbeatBudgetPerDay\":0.001}");
	cx.now = 1700006400; /* midnight */
	advance();
	is("SELECT heartbeat_spent_today, heartbeat_budget_reset_at FROM schedules", "0|1700006400\n");
	is("SELECT count(*) FROM tasks", "3\n");
}

static void needs_something_to_look_at(void **state UNUSED)
{
	heartbeat("", "");
	sql("UPDATE schedules SET heartbeat_checklist = '[{}]'", NULL);
	advance();
	is(HEARTBEATS, "active|0|-|1700000100|0|-\n");
	is("SELECT count(*) FROM tasks", "0\n");
}

static void many_are_taken_in_turn(void **state UNUSED)
{
	struct schedule_pass pass = { 0 };

	for (int i = 0; i < 45; i++)
		plain(arena_printf(cx.arena, "s%02d", i));
	for (int i = 0; i < 20; i++)
		assert_true(schedule_advance(&cx, &pass));
	is("SELECT count(*) FROM tasks WHERE status = 'queued'", "20\n");
	advance();
	is("SELECT count(DISTINCT subject), count(*) FROM jobs", "45|45\n");
	is("SELECT DISTINCT firing_count, next_fire_at FROM schedules", "1|1700000100\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(fires_once),
		CASE(an_instant_fires_once),
		CASE(what_was_missed_is_one_firing),
		CASE(waits_for_its_last_task),
		CASE(ends_as_it_was_told),
		CASE(needs_an_active_project),
		CASE(makes_good_for_older_programs),
		CASE(the_clock_may_be_set_back),
		CASE(a_huge_one_is_paused),
		CASE(a_refused_task_fails),
		CASE(waits_while_the_queue_is_full),
		CASE(a_heartbeat_waits_for_its_end),
		CASE(a_heartbeat_asks_for_action),
		CASE(the_end_is_seen_once),
		CASE(a_lost_task_ends_it),
		CASE(may_be_changed_meanwhile),
		CASE(a_heartbeat_ends_as_it_was_told),
		CASE(keeps_its_hours),
		CASE(keeps_its_budget),
		CASE(needs_something_to_look_at),
		CASE(many_are_taken_in_turn),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
