/* Moving workflows on, with the ends of their tasks written by hand. */
#include "tests/unit/job_case.h"

#include "core/domain/flow.h"
#include "core/domain/task.h"
#include "core/domain/workflow.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/queue.h"
#include "jobrunner/workflows/compose.h"

#define MIB ((size_t)1 << 20)

static int set_up(void **state UNUSED)
{
	const char *top = getenv("srcdir");

	set_up_db();
	setenv("HOME", scratch, 1);
	conf.share_dir = arena_printf(cx.arena, "%s/share", top ? top : ".");
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const char *make(const char *definition)
{
	const char *id;
	json_t *in = json_keep(cx.arena, json_pack("{s:s, s:o}", "name", "W", "definition",
					       json_loads(definition, 0, NULL)));

	assert_int_equal(workflow_create(&cx, in, &id), RC_OK);
	return id;
}

static void advance(const char *id)
{
	assert_int_equal(run_job(workflow_advance, id, NULL), EXIT_DONE);
	assert_int_equal(cx.err.rc, RC_OK);
}

static const char *begin(const char *definition)
{
	const char *id = make(definition);

	assert_int_equal(workflow_start(&cx, id, NULL), RC_OK);
	advance(id);
	return id;
}

/* Ends all tasks under way, and lets the workflow take that over. */
static void end_tasks(const char *id, const char *status, const char *result)
{
	sql("UPDATE tasks SET status = ?1, result = ?2 WHERE status = 'running'", status, result,
	    NULL);
	advance(id);
}

static const char *states(void)
{
	return rows("SELECT w.status, group_concat(json_extract(s.value, '$.status')) "
		    "FROM workflows w, json_each(w.definition, '$._state.stepStates') s "
		    "GROUP BY w.id ORDER BY w.rowid");
}

static const char *count(const char *table)
{
	return rows(arena_printf(cx.arena, "SELECT count(*) FROM %s", table));
}

#define SEQUENCE(steps) "{\"pattern\":\"sequence\",\"steps\":[" steps "]}"
#define STEP(id) "{\"id\":\"" id "\",\"name\":\"" id "\",\"prompt\":\"do " id "\"}"

static void again_and_again(void **state UNUSED)
{
	const char *id = begin(SEQUENCE(STEP("a") "," STEP("b")));

	for (int i = 0; i < 3; i++)
		advance(id);
	assert_string_equal(states(), "active|running,pending\n");
	assert_string_equal(count("tasks"), "1\n");
	end_tasks(id, "completed", "one");
	for (int i = 0; i < 3; i++)
		advance(id);
	assert_string_equal(states(), "active|completed,running\n");
	assert_string_equal(count("tasks"), "2\n");
	assert_string_equal(rows("SELECT title, priority, status, source_type, agent_profile, "
				 "assigned_agent, workflow_run_number, result FROM tasks "
				 "WHERE status = 'running'"),
	    "[Workflow] b|1|running|-|general|-|1|-\n");
	end_tasks(id, "completed", NULL);
	advance(id);
	assert_string_equal(states(), "completed|completed,completed\n");
	assert_string_equal(count("workflow_waits"), "0\n");
	assert_string_equal(rows("SELECT event FROM agent_logs ORDER BY rowid"),
	    "workflow_started\nworkflow_completed\n");
	assert_string_equal(rows("SELECT kind, state FROM jobs WHERE kind = 'learn_close'"),
	    "learn_close|ready\n");
	assert_int_equal(run_job(workflow_advance, "gone", NULL), EXIT_DONE);
}

/* A full queue puts it off and changes nothing; the sweep comes back to it. */
static void full_queue(void **state UNUSED)
{
	const char *id;

	conf.queue_max = 1;
	id = make(SEQUENCE(STEP("a")));
	assert_int_equal(workflow_start(&cx, id, NULL), RC_OK);
	assert_string_equal(rows("SELECT kind, state FROM jobs"), "workflow|ready\n");
	advance(id);
	assert_string_equal(states(), "active|pending\n");
	assert_string_equal(count("tasks"), "0\n");
	assert_string_equal(count("workflow_waits"), "0\n");
	sql("UPDATE jobs SET state = 'done'", NULL);
	conf.queue_max = 100;
	workflow_sweep(&cx);
	workflow_sweep(&cx);
	assert_string_equal(rows("SELECT kind, subject = (SELECT id FROM workflows) FROM jobs "
				 "WHERE state = 'ready'"),
	    "workflow|1\n");
	advance(id);
	assert_string_equal(states(), "active|running\n");
}

/* The sweep finds what nobody told. */
static void sweeps(void **state UNUSED)
{
	static const char WAITING[] =
	    "SELECT count(*) FROM jobs WHERE kind = 'workflow' AND state = 'ready'";
	const char *id = begin(SEQUENCE(STEP("a")));

	sql("UPDATE jobs SET state = 'done'", NULL);
	workflow_sweep(&cx);
	assert_string_equal(rows(WAITING), "0\n");
	sql("UPDATE tasks SET status = 'cancelled'", NULL);
	workflow_sweep(&cx);
	assert_string_equal(rows(WAITING), "1\n");
	advance(id);
	assert_string_equal(rows("SELECT json_extract(definition, '$._state.stepStates[0].error') "
				 "FROM workflows"),
	    "Task did not complete successfully\n");
}

/* Jobs that die again and again, each time as often as the runner lets them. */
static void engine_fails(void **state UNUSED)
{
	const char *id = begin(SEQUENCE(STEP("a")));

	sql("UPDATE jobs SET state = 'done'", NULL);
	for (int i = 0; i < 2; i++)
		sql("INSERT INTO jobs (kind, subject, state, run_at_ms, created_at_ms) "
		    "VALUES ('workflow', ?1, 'failed', 0, 0)", id, NULL);
	advance(id);
	assert_string_equal(states(), "failed|failed\n");
	assert_string_equal(rows("SELECT status FROM tasks"), "cancelled\n");
	assert_string_equal(count("workflow_waits"), "0\n");
	assert_string_equal(rows("SELECT event FROM agent_logs ORDER BY rowid"),
	    "workflow_started\nworkflow_failed\n");
	assert_int_equal(workflow_start(&cx, id, NULL), RC_OK);
	advance(id);
	assert_string_equal(states(), "active|running\n");
}

static const char *long_text(size_t n, const char *piece)
{
	size_t len = strlen(piece);
	char *text = malloc(n * len + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(text + i * len, piece, len);
	text[n * len] = '\0';
	return text;
}

static void long_results(void **state UNUSED)
{
	const char *text = long_text(MIB, "\xc3\xa4"), *id;
	struct buf b;

	buf_init(&b, MIB);
	buf_str(&b, "{\"pattern\":\"sequence\",\"steps\":[" STEP("a"));
	for (int i = 0; i < 11; i++)
		buf_str(&b, "," STEP("b"));
	buf_str(&b, "]}");
	id = begin(buf_text(&b));
	buf_fini(&b);
	for (int i = 0; i < 12; i++)
		end_tasks(id, "completed", text);
	assert_string_equal(rows("SELECT status, length(definition) < 10000000 FROM workflows"),
	    "completed|1\n");
	assert_string_equal(
	    rows("SELECT length(CAST(json_extract(s.value, '$.result') AS BLOB)) "
		 "FROM workflows, json_each(definition, '$._state.stepStates') s "
		 "WHERE s.key IN (0, 11)"),
	    "4096\n1048576\n");
	assert_string_equal(rows("SELECT max(length(CAST(description AS BLOB))) < 1050000 "
				 "FROM tasks"),
	    "1\n");
	free((char *)(uintptr_t)text);
}

/* A run is given the text that it was started with; documents of an unknown kind are left out. */
static void context_text(void **state UNUSED)
{
	const char *id = make("{\"pattern\":\"sequence\",\"steps\":[" STEP("a") "],"
			      "\"sourceTaskId\":\"gone\"}");

	assert_int_equal(workflow_start(&cx, id, "Table row data: {}"), RC_OK);
	advance(id);
	assert_string_equal(
	    rows("SELECT description FROM tasks"), "Table row data: {}\n\ndo a\n");
	end_tasks(id, "failed", "no");
	assert_int_equal(workflow_start(&cx, id, NULL), RC_OK);
	advance(id);
	assert_string_equal(
	    rows("SELECT description FROM tasks WHERE status = 'running'"), "do a\n");
}

static void joins(void **state UNUSED)
{
	const char *id = begin("{\"pattern\":\"parallel\",\"steps\":["
			       "{\"id\":\"z\",\"dependsOn\":[\"a\",\"b\",\"b\"]},"
			       STEP("a") "," STEP("b") "]}");

	assert_string_equal(states(), "active|waiting_dependencies,running,running\n");
	sql("UPDATE tasks SET status = 'completed', result = '  A  ' WHERE title = '[Workflow] a'",
	    NULL);
	advance(id);
	assert_string_equal(states(), "active|waiting_dependencies,completed,running\n");
	end_tasks(id, "completed", "B");
	assert_string_equal(rows("SELECT title, description FROM tasks WHERE status = 'running'"),
	    "[Workflow] Step 1|The branches below were worked on at the same time. Bring together "
	    "what they came to.\n\nBranch 1 - a:\nA\n\n---\n\nBranch 2 - b:\nB\n\n---\n\n\n");
	end_tasks(id, "failed", "no");
	assert_string_equal(states(), "failed|failed,completed,completed\n");
	assert_string_equal(rows("SELECT json_extract(definition, '$._state.currentStepIndex') "
				 "FROM workflows"),
	    "0\n");
	assert_int_equal(workflow_retry(&cx, id, "z"), RC_OK);
	advance(id);
	end_tasks(id, "completed", "all");
	assert_string_equal(states(), "completed|completed,completed,completed\n");
	assert_string_equal(count("tasks"), "4\n");
}

/* What a pause leaves open is begun when a branch is retried. */
static void paused_branches(void **state UNUSED)
{
	const char *id = begin("{\"pattern\":\"swarm\",\"steps\":[" STEP("m") "," STEP("a") ","
			       STEP("b") "," STEP("c") "," STEP("r") "]}");

	end_tasks(id, "completed", "plan");
	assert_string_equal(
	    states(), "active|completed,running,running,pending,waiting_dependencies\n");
	sql("UPDATE workflows SET status = 'paused'", NULL);
	sql("UPDATE tasks SET status = 'failed' WHERE title = '[Workflow] a'", NULL);
	end_tasks(id, "completed", "ok");
	assert_string_equal(states(), "failed|completed,failed,completed,pending,failed\n");
	assert_int_equal(workflow_retry(&cx, id, "a"), RC_OK);
	advance(id);
	assert_string_equal(
	    states(), "active|completed,running,completed,running,waiting_dependencies\n");
	end_tasks(id, "completed", "ok");
	end_tasks(id, "completed", "ok");
	assert_string_equal(
	    states(), "completed|completed,completed,completed,completed,completed\n");
}

static const char *refusal(const char *definition)
{
	static char why[512];
	json_t *v = json_keep(cx.arena, json_loads(definition, JSON_DECODE_ANY, NULL));

	workflow_check(&cx, v);
	snprintf(why, sizeof why, "%s", cx.err.msg);
	err_clear(&cx.err);
	return why;
}

static void definitions(void **state UNUSED)
{
	assert_string_equal(refusal("{\"pattern\":\"loop\",\"steps\":[5],\"loopConfig\":{"
				    "\"maxIterations\":1}}"), "");
	assert_string_equal(refusal("{\"pattern\":\"loop\",\"steps\":[{}],\"loopConfig\":{"
				    "\"maxIterations\":1,\"agentProfile\":\"auto\"}}"),
	    "Loop profile \"auto\" was not found");
	assert_string_equal(
	    refusal("{\"pattern\":\"sequence\",\"steps\":[{},{\"agentProfile\":\"sweep\","
		    "\"assignedAgent\":\"ollama\"}]}"),
	    "Step 2 profile \"Sweep\" does not support Ollama (Local)");
	assert_string_equal(
	    refusal("{\"pattern\":\"sequence\",\"steps\":[{\"agentProfile\":\"sweep\","
		    "\"assignedAgent\":\"whatever\"}]}"), "");
	assert_string_equal(
	    refusal("{\"pattern\":\"parallel\",\"steps\":[" STEP("a") "," STEP("b")
		    ",{\"id\":\"z\",\"dependsOn\":[\"a\",\"z\"]}]}"),
	    "Parallel synthesis step must depend on every branch exactly once");
	assert_string_equal(
	    refusal("{\"pattern\":\"parallel\",\"steps\":[" STEP("a") "," STEP("b")
		    ",{\"id\":\"z\",\"dependsOn\":[\"a\",\"b\",7]}]}"),
	    "Parallel synthesis step must depend on every branch exactly once");
	assert_string_equal(refusal("{\"pattern\":\"swarm\",\"steps\":[{},{},{},{}],"
				    "\"swarmConfig\":{\"workerConcurrencyLimit\":null}}"),
	    "Swarm worker concurrency limit must be between 1 and 2");
	assert_string_equal(refusal("[]"), "Definition must include pattern and at least one step");
}

/* {"pattern":"sequence","steps":[1],"KEY":[1,1,...]}, N of them. */
static const char *long_definition(const char *key, size_t n)
{
	const char *text;
	struct buf b;

	buf_init(&b, (size_t)4 << 20);
	buf_printf(&b, "{\"pattern\":\"sequence\",\"steps\":[1],\"%s\":[1", key);
	for (size_t i = 1; i < n; i++)
		buf_str(&b, ",1");
	buf_str(&b, "]}");
	text = arena_strdup(cx.arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void sizes(void **state UNUSED)
{
	assert_string_equal(refusal(long_definition("steps", FLOW_STEPS_MAX)), "");
	assert_string_equal(refusal(long_definition("steps", FLOW_STEPS_MAX + 1)),
	    "Definition must not have more than 10000 steps");
	assert_string_equal(refusal(long_definition("more", JSON_VALUES_MAX / 2 - 5)), "");
	assert_string_equal(refusal(long_definition("more", JSON_VALUES_MAX / 2)),
	    "Definition must not have more than 500000 values");
}

/* What a client sends of a run is not a run. */
static void no_state_from_outside(void **state UNUSED)
{
	make("{\"pattern\":\"sequence\",\"steps\":[" STEP("a") "],\"_state\":{},\"_loopState\":{},"
	     "\"_blueprintId\":\"x\",\"more\":1.0}");
	assert_string_equal(rows("SELECT definition FROM workflows"),
	    "{\"pattern\":\"sequence\",\"steps\":[" STEP("a") "],"
	    "\"_blueprintId\":\"x\",\"more\":1}\n");
}

static void learning_is_closed(void **state UNUSED)
{
	const char *id = begin(SEQUENCE(STEP("a")));

	sql("INSERT INTO learned_context (id, profile_id, version, change_type, source_task_id, "
	    "proposed_additions, created_at) SELECT 'c', 'general', 1, 'proposal', id, 'Text', 1 "
	    "FROM tasks", NULL);
	end_tasks(id, "completed", "one");
	assert_string_equal(count("notifications"), "0\n");
	assert_int_equal(workflow_start(&cx, id, NULL), RC_OK);
	assert_string_equal(rows("SELECT type, title FROM notifications"),
	    "context_proposal_batch|Workflow learning: 1 context proposal\n");
	assert_string_equal(
	    rows("SELECT state FROM jobs WHERE kind = 'learn_close'"), "done\n");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(again_and_again), CASE(full_queue), CASE(sweeps), CASE(engine_fails),
		CASE(long_results), CASE(context_text), CASE(joins), CASE(paused_branches),
		CASE(definitions), CASE(sizes), CASE(no_state_from_outside),
		CASE(learning_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
