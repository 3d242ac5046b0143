/* Handoffs: what the job runner makes of them, step by step, and what may come between the steps. */
#include "tests/unit/db_case.h"

#include "core/domain/handoff.h"
#include "core/domain/task.h"
#include "core/json_in.h"

#define NOW INT64_C(1700000000)

static int set_up(void **state UNUSED)
{
	const char *top = getenv("srcdir");

	set_up_db();
	setenv("HOME", scratch, 1);
	conf.share_dir = arena_printf(cx.arena, "%s/share", top ? top : ".");
	cx.now = NOW;
	sql("INSERT INTO projects (id, name, status, created_at, updated_at) "
	    "VALUES ('p', 'P', 'active', 1, 1)", NULL);
	sql("INSERT INTO tasks (id, project_id, title, status, priority, resume_count, created_at, "
	    "updated_at) VALUES ('src', 'p', 'Source', 'running', 2, 0, 1, 1)", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

/* A handoff as it may stand in the database; PRIORITY and EXPIRES as SQL. */
static void handoff(const char *id, const char *status, const char *to, const char *priority,
    const char *expires)
{
	sql(arena_printf(cx.arena,
		"INSERT INTO agent_messages (id, from_profile_id, to_profile_id, task_id, subject, "
		"body, priority, status, created_at, expires_at) "
		"VALUES ('%s', 'general', '%s', 'src', 'Subject', 'Body', %s, '%s', 1, %s)",
		id, to, priority, status, expires), NULL);
}

static void accepted(const char *id)
{
	handoff(id, "accepted", "researcher", "2", "NULL");
}

static void advance(void)
{
	int steps = 0;

	while (handoff_advance(&cx))
		assert_in_range(++steps, 1, 200);
	assert_int_equal(cx.err.rc, RC_OK);
	assert_int_equal(cx.tx_depth, 0);
}

static void is(const char *query, const char *want)
{
	assert_string_equal(rows(query), want);
}

static const char *target(const char *id)
{
	const char *task = rows(arena_printf(
	    cx.arena, "SELECT target_task_id FROM agent_messages WHERE id = '%s'", id));

	return arena_strndup(cx.arena, task, strlen(task) - 1);
}

#define STATES "SELECT id, status, responded_at FROM agent_messages ORDER BY rowid"
#define TASKS \
	"SELECT title, description, status, project_id, agent_profile, assigned_agent, priority, " \
	"source_type, result FROM tasks WHERE id <> 'src' ORDER BY rowid"

static void becomes_a_task_that_runs(void **state UNUSED)
{
	accepted("h");
	advance();
	is(STATES, "h|in_progress|1700000000\n");
	is(TASKS, "Handoff: Subject|Body|running|p|researcher|-|2|manual|-\n");
	is("SELECT kind, state, jobs.subject = target_task_id FROM jobs, agent_messages",
	    "agent_run|ready|1\n");
	is("SELECT count(*) FROM engine_runs", "1\n");
	for (int again = 0; again < 3; again++)
		advance();
	is("SELECT count(*) FROM jobs", "1\n");
	is("SELECT count(*) FROM tasks", "2\n");
}

/* Whoever had made the task died before it was begun. */
static void a_made_task_is_begun(void **state UNUSED)
{
	handoff("h", "in_progress", "researcher", "2", "NULL");
	sql("INSERT INTO tasks (id, title, status, agent_profile, priority, resume_count, created_at, "
	    "updated_at) VALUES ('t', 'T', 'queued', 'researcher', 2, 0, 1, 1)", NULL);
	sql("UPDATE agent_messages SET target_task_id = 't'", NULL);
	advance();
	is("SELECT subject FROM jobs", "t\n");
	is("SELECT status FROM tasks WHERE id = 't'", "running\n");
	advance();
	is("SELECT count(*) FROM jobs", "1\n");
}

static void waits_while_the_queue_is_full(void **state UNUSED)
{
	conf.queue_max = 1;
	accepted("a");
	accepted("b");
	advance();
	is("SELECT count(*) FROM jobs", "1\n");
	is("SELECT status FROM tasks WHERE id <> 'src' ORDER BY rowid", "running\nqueued\n");
	advance();
	is("SELECT count(*) FROM jobs", "1\n");
	sql("UPDATE jobs SET state = 'done'", NULL);
	advance();
	is("SELECT status FROM tasks WHERE id <> 'src' ORDER BY rowid", "running\nrunning\n");
	is("SELECT count(*) FROM jobs", "2\n");
}

static void many_are_taken_in_turn(void **state UNUSED)
{
	for (int i = 0; i < 45; i++)
		accepted(arena_printf(cx.arena, "h%02d", i));
	for (int i = 0; i < 10; i++)
		assert_true(handoff_advance(&cx));
	is("SELECT status, count(*), max(id) FROM agent_messages GROUP BY 1",
	    "accepted|35|h44\nin_progress|10|h09\n");
	advance();
	is("SELECT status, count(*) FROM agent_messages GROUP BY 1", "in_progress|45\n");
	is("SELECT count(DISTINCT subject), count(*) FROM jobs", "45|45\n");
	is("SELECT count(DISTINCT target_task_id) FROM agent_messages", "45\n");
}

static void the_priority_is_one(void **state UNUSED)
{
	static const char *const STORED[] = { "0", "3", "4", "-1", "'high'", "'1'", "1.5" };

	for (size_t i = 0; i < COUNT(STORED); i++)
		handoff(arena_printf(cx.arena, "h%zu", i), "accepted", "researcher", STORED[i],
		    "NULL");
	advance();
	is("SELECT priority FROM tasks WHERE id <> 'src' ORDER BY rowid", "0\n3\n2\n2\n2\n1\n2\n");
}

/* No profile, or one that does not fit, is no reason to try for ever. */
static void what_cannot_run_is_over(void **state UNUSED)
{
	handoff("h", "accepted", "gone", "2", "NULL");
	advance();
	is(STATES, "h|completed|1700000000\n");
	is(TASKS, "Handoff: Subject|Body|failed|p|gone|-|2|manual|Task profile \"gone\" was not "
		  "found\n");
	is("SELECT attachments FROM agent_messages",
	    "{\"result\":\"Task profile \\\"gone\\\" was not found\"}\n");
	is("SELECT count(*) FROM jobs", "0\n");
}

static void what_is_over_expires(void **state UNUSED)
{
	static const char *const STATUSES[] = { "pending", "accepted", "in_progress", "rejected",
		"completed" };

	for (size_t i = 0; i < COUNT(STATUSES); i++) {
		handoff(STATUSES[i], STATUSES[i], "researcher", "2", "1700000000");
		sql("UPDATE agent_messages SET target_task_id = 'src' WHERE status = 'in_progress'",
		    NULL);
	}
	handoff("later", "pending", "researcher", "2", "1700000001");
	sql("INSERT INTO notifications (id, type, title, read, created_at) "
	    "VALUES ('pending', 'agent_message', 'T', 0, 1), ('later', 'agent_message', 'T', 0, 1)",
	    NULL);
	advance();
	is(STATES, "pending|expired|1700000000\naccepted|expired|1700000000\nin_progress|in_progress|-\n"
		   "rejected|rejected|-\ncompleted|completed|-\nlater|pending|-\n");
	is("SELECT id, read, response, responded_at FROM notifications ORDER BY rowid",
	    "pending|1|{\"action\":\"expired\"}|1700000000\nlater|0|-|-\n");
	is("SELECT count(*) FROM jobs", "0\n");
	assert_int_equal(handoff_decide(&cx, "pending", true, "user"), RC_CONFLICT);
	assert_string_equal(cx.err.msg, "Cannot approve a handoff with status: expired");
}

/* Every way a task ends. */
static void the_end_completes(void **state UNUSED)
{
	static const struct {
		const char *status, *result, *attachments;
	} ENDS[] = {
		{ "completed", "A \"quoted\"\n\tline", "{\"result\":\"A \\\"quoted\\\"\\n\\tline\"}" },
		{ "failed", "Task stopped: error", "{\"result\":\"Task stopped: error\"}" },
		{ "cancelled", NULL, "{\"result\":\"\"}" },
	};

	for (size_t i = 0; i < COUNT(ENDS); i++) {
		const char *id = arena_printf(cx.arena, "h%zu", i);

		accepted(id);
		advance();
		sql(arena_printf(cx.arena, "UPDATE tasks SET status = '%s', result = nullif(?1, '-') "
					   "WHERE id = '%s'", ENDS[i].status, target(id)),
		    ENDS[i].result ? ENDS[i].result : "-", NULL);
		cx.now = NOW + 5;
		advance();
		assert_string_equal(rows(arena_printf(cx.arena,
					"SELECT status, responded_at, attachments FROM agent_messages "
					"WHERE id = '%s'", id)),
		    arena_printf(cx.arena, "completed|1700000005|%s\n", ENDS[i].attachments));
		cx.now = NOW;
	}
}

static void changed(const char *id, const char *status)
{
	json_t *in = json_keep(cx.arena, json_pack("{s:s, s:s}", "status", status, "result", "R"));

	assert_int_equal(task_update(&cx, target(id), in), RC_OK);
}

/* Of an older program's result, longer than ours ever are, the beginning is enough. */
static void a_long_result_is_cut(void **state UNUSED)
{
	accepted("h");
	advance();
	sql("UPDATE tasks SET status = 'completed', result = printf('%.*c', 3000000, char(10)) "
	    "WHERE id <> 'src'", NULL);
	advance();
	is("SELECT status, length(attachments) FROM agent_messages", "completed|2097165\n");
}

/* By a person, at once. */
static void a_person_may_end_it(void **state UNUSED)
{
	accepted("a");
	accepted("b");
	accepted("c");
	accepted("d");
	advance();
	assert_int_equal(task_cancel(&cx, target("a")), RC_OK);
	changed("b", "completed");
	assert_int_equal(task_delete(&cx, target("c")), RC_OK);
	is("SELECT id, status, attachments, target_task_id IS NULL FROM agent_messages ORDER BY rowid",
	    "a|completed|{\"result\":\"\"}|0\nb|completed|{\"result\":\"R\"}|0\n"
	    "c|completed|{\"result\":\"\"}|1\nd|in_progress|-|0\n");
	/* What comes later changes nothing. */
	sql("UPDATE tasks SET status = 'queued', result = 'Later'", NULL);
	advance();
	is("SELECT attachments FROM agent_messages WHERE id = 'b'", "{\"result\":\"R\"}\n");
}

/* Older programs deleted a task and left the handoff. */
static void a_lost_task_completes(void **state UNUSED)
{
	handoff("h", "in_progress", "researcher", "2", "NULL");
	advance();
	is("SELECT status, attachments FROM agent_messages", "completed|{\"result\":\"\"}\n");
}

static void a_decision_is_made_once(void **state UNUSED)
{
	handoff("h", "pending", "researcher", "2", "NULL");
	sql("INSERT INTO notifications (id, type, title, read, created_at) "
	    "VALUES ('h', 'agent_message', 'T', 0, 1)", NULL);
	advance();
	is(STATES, "h|pending|-\n");
	assert_int_equal(handoff_decide(&cx, "none", true, "user"), RC_NOTFOUND);
	err_clear(&cx.err);
	assert_int_equal(handoff_decide(&cx, "h", true, "Ann"), RC_OK);
	is("SELECT status, approved_by, responded_at FROM agent_messages", "accepted|Ann|1700000000\n");
	is("SELECT read, response FROM notifications", "1|{\"action\":\"approved\"}\n");
	assert_int_equal(handoff_decide(&cx, "h", false, "Bob"), RC_CONFLICT);
	err_clear(&cx.err);
	is("SELECT status, approved_by FROM agent_messages", "accepted|Ann\n");
	advance();
	is(STATES, "h|in_progress|1700000000\n");
}

static void a_failure_leaves_nothing(void **state UNUSED)
{
	struct handoff_new h = { .from = "general", .to = "researcher", .subject = "S", .body = "B",
		.task = "none", .priority = 2, .needs_approval = true };
	const char *id;

	assert_int_equal(handoff_send(&cx, &h, &id), RC_INVALID);
	assert_string_equal(cx.err.msg, "Source task not found: none");
	err_clear(&cx.err);
	is("SELECT count(*) FROM agent_messages", "0\n");
	is("SELECT count(*) FROM notifications", "0\n");
	h.task = "src";
	assert_int_equal(handoff_send(&cx, &h, &id), RC_OK);
	is("SELECT m.id = n.id, m.status, n.task_id, n.title, n.body, n.read FROM agent_messages m, "
	   "notifications n", "1|pending|src|Handoff approval: S|From general to researcher: B|0\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest TESTS[] = {
		CASE(becomes_a_task_that_runs),
		CASE(a_made_task_is_begun),
		CASE(waits_while_the_queue_is_full),
		CASE(many_are_taken_in_turn),
		CASE(the_priority_is_one),
		CASE(what_cannot_run_is_over),
		CASE(what_is_over_expires),
		CASE(the_end_completes),
		CASE(a_long_result_is_cut),
		CASE(a_person_may_end_it),
		CASE(a_lost_task_completes),
		CASE(a_decision_is_made_once),
		CASE(a_failure_leaves_nothing),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
