/* Learned context: proposals, decisions, batches, what is queued when. */
#include "tests/unit/job_case.h"

#include "core/domain/context.h"
#include "core/json_in.h"

static int set_up(void **state UNUSED)
{
	set_up_db();
	sql("INSERT INTO workflows (id, name, definition, status, run_number, created_at, "
	    "updated_at) VALUES ('w', 'W', '{}', 'active', 1, 0, 0)", NULL);
	sql("INSERT INTO tasks (id, title, status, created_at, updated_at) VALUES "
	    "('t', 'T', 'completed', 0, 0)", NULL);
	sql("INSERT INTO tasks (id, title, status, workflow_id, workflow_run_number, created_at, "
	    "updated_at) VALUES ('u', 'U', 'completed', 'w', 1, 0, 0)", NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const char *propose(const char *task, const char *text)
{
	const char *id;

	assert_int_equal(tx_begin(&cx), RC_OK);
	context_propose(&cx, "p", task, text);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	id = rows("SELECT id FROM learned_context ORDER BY version DESC LIMIT 1");
	return arena_strndup(cx.arena, id, strlen(id) - 1);
}

static int64_t decide(bool approve, const char *a, const char *b)
{
	json_t *ids = json_keep(cx.arena, json_pack("[s,s]", a, b));
	int64_t n;

	assert_int_equal(context_decide_batch(&cx, ids, approve, &n), RC_OK);
	return n;
}

static void once_and_in_order(void **state UNUSED)
{
	const char *a = propose("t", "A"), *b = propose("t", "B");

	assert_int_equal(decide(true, b, b), 1);
	assert_int_equal(decide(true, a, "unknown"), 1);
	assert_int_equal(decide(false, a, b), 0);
	assert_string_equal(rows("SELECT version, change_type, content, diff, approved_by FROM "
				 "learned_context ORDER BY version"),
	    "1|proposal|-|A|-\n2|proposal|-|B|-\n3|approved|B|B|human\n4|approved|B\n\nA|A|human\n");
	assert_string_equal(rows("SELECT type, read, response FROM notifications ORDER BY rowid"),
	    "context_proposal|1|{\"action\":\"approved\"}\n"
	    "context_proposal|1|{\"action\":\"approved\"}\n");
}

static void rejection_keeps_the_text(void **state UNUSED)
{
	const char *a = propose("t", "A"), *b = propose("t", "B");

	decide(true, a, a);
	assert_int_equal(decide(false, b, b), 1);
	assert_string_equal(context_current(&cx, "p"), "A");
	assert_string_equal(rows("SELECT content, approved_by FROM learned_context "
				 "WHERE change_type = 'rejected'"), "A|-\n");
}

static void workflow_batch(void **state UNUSED)
{
	const char *a = propose("u", "A"), *b = propose("u", "B");

	assert_string_equal(rows("SELECT count(*) FROM notifications"), "0\n");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tx_begin(&cx), RC_OK);
		context_write_batch(&cx, "w");
		assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	}
	assert_string_equal(rows("SELECT title, body, tool_input FROM notifications"),
	    arena_printf(cx.arena,
		"Workflow learning: 2 context proposals|**p** (2 proposals):\n  - A\n  - B|"
		"{\"workflowId\":\"w\",\"proposalIds\":[\"%s\",\"%s\"],\"profileIds\":[\"p\"]}\n",
		a, b));
	assert_int_equal(decide(true, a, a), 1);
	assert_string_equal(rows("SELECT response FROM notifications"), "-\n");
	assert_int_equal(decide(false, a, b), 1);
	assert_string_equal(
	    rows("SELECT response FROM notifications"), "{\"action\":\"rejected\"}\n");
}

static void session_lasts_until_closed(void **state UNUSED)
{
	sql("UPDATE workflows SET status = 'completed'", NULL);
	assert_int_equal(tx_begin(&cx), RC_OK);
	assert_int_equal(context_close_session(&cx, "w"), RC_OK);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	propose("u", "A");
	assert_string_equal(rows("SELECT count(*) FROM notifications"), "0\n");
	sql("UPDATE jobs SET state = 'done'", NULL);
	propose("u", "B");
	assert_string_equal(rows("SELECT type FROM notifications"), "context_proposal\n");
}

static void by_notification(void **state UNUSED)
{
	char *id;

	propose("t", "A");
	id = (char *)(uintptr_t)rows("SELECT id FROM notifications");
	id[strlen(id) - 1] = '\0';
	assert_int_equal(context_decide_notification(&cx, "none", true), RC_NOTFOUND);
	err_clear(&cx.err);
	assert_int_equal(context_decide_notification(&cx, id, true), RC_OK);
	assert_string_equal(context_current(&cx, "p"), "A");
	assert_int_equal(context_decide_notification(&cx, id, true), RC_CONFLICT);
}

static void long_text_is_condensed_later(void **state UNUSED)
{
	char text[6002];
	const char *a, *b;

	memset(text, 'x', sizeof text - 1);
	text[6000] = '\0';
	a = propose("t", text);
	decide(true, a, a);
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "0\n");
	b = propose("t", "y");
	decide(true, b, b);
	assert_string_equal(rows("SELECT kind, subject, slot FROM jobs"), "condense|p|p\n");
}

static void learn(const char *runtime)
{
	struct task t = { .id = "t", .runtime = runtime };

	assert_int_equal(tx_begin(&cx), RC_OK);
	context_learn_later(&cx, &t, "p");
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
}

static void extraction_as_set(void **state UNUSED)
{
	learn("anthropic-direct");
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "0\n");
	learn("claude-code");
	assert_string_equal(rows("SELECT kind, subject, slot FROM jobs"), "learn|t|p\n");
	sql("INSERT INTO settings (key, value, updated_at) VALUES ('learning.autoExtract', 'all', 0)",
	    NULL);
	learn("ollama");
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "2\n");
	sql("UPDATE settings SET value = 'off'", NULL);
	learn("claude-code");
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "2\n");
	sql("UPDATE settings SET value = 'all'", NULL);
	conf.queue_max = 2;
	learn("claude-code");
	assert_string_equal(rows("SELECT count(*) FROM jobs"), "2\n");
}

static void answers(void **state UNUSED)
{
	assert_null(learn_text(cx.arena, "[]"));
	assert_null(learn_text(cx.arena, "nothing"));
	assert_null(learn_text(cx.arena, "[{\"title\":\"x\"}, 5]"));
	assert_string_equal(learn_text(cx.arena,
				"So: [{\"title\":\"A\",\"description\":\"B\",\"category\":\"shortcut\"},"
				"{\"title\":\"C\",\"description\":\"D\",\"category\":\"odd\"}] ."),
	    "### A [shortcut]\nB\n\n### C [best_practice]\nD");
}

/* Where the caps leave no room, nothing is asked and nothing is said. */
static void spend_caps_hold_quietly(void **state UNUSED)
{
	char text[7002];
	const char *a;

	memset(text, 'x', sizeof text - 1);
	text[7001] = '\0';
	a = propose("t", text);
	decide(true, a, a);
	conf.anthropic_key = "sk-ant-x";
	conf.anthropic_url = "http://127.0.0.1:9";
	conf.claude_program = "/nonexistent";
	conf.runtime_fallback = "on";
	conf.share_dir = "/nonexistent";
	sql("INSERT INTO settings VALUES ('auth.method', 'api_key', 1), ('usage.budgetPolicy', "
	    "'{\"overall\":{\"monthlySpendCapUsd\":1},\"runtimes\":{}}', 1)", NULL);
	sql("INSERT INTO usage_ledger (id, activity_type, runtime_id, provider_id, status, "
	    "cost_micros, started_at, finished_at) VALUES ('u', 'task_run', 'ollama', 'ollama', "
	    "'completed', 1000000, ?1, ?1)", arena_printf(cx.arena, "%lld", (long long)cx.now), NULL);
	sql("DELETE FROM notifications", NULL);
	sql("DELETE FROM jobs", NULL);
	assert_int_equal(run_job(learn_patterns, "t", "{\"profile\":\"p\"}"), EXIT_DONE);
	assert_int_equal(run_job(learn_condense, "p", NULL), EXIT_DONE);
	assert_string_equal(rows("SELECT count(*) FROM usage_ledger"), "1\n");
	assert_string_equal(rows("SELECT count(*) FROM notifications"), "0\n");
	assert_string_equal(rows("SELECT count(*) FROM budget_reservations"), "0\n");
	assert_string_equal(rows("SELECT state, error LIKE 'Overall daily spend is $1.00 of $%' "
				 "FROM jobs"), "done|1\ndone|1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(once_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rejection_keeps_the_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(workflow_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(session_lasts_until_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(by_notification, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_text_is_condensed_later, set_up, tear_down),
		cmocka_unit_test_setup_teardown(extraction_as_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spend_caps_hold_quietly, set_up, tear_down),
		cmocka_unit_test_setup_teardown(answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
