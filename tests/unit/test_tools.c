/* The agents' tools: definitions, arguments, results, and what they may do to projects, tasks and
 * notifications. */
#include "tests/unit/tool_case.h"

#include "core/domain/notification.h"
#include "core/setting.h"

static void definitions(void **state UNUSED)
{
	json_t *all = tool_definitions(NULL, 0), *again = tool_definitions(NULL, 0);
	json_t *client = tool_definitions(NULL, TOOL_DIRECT | TOOL_ASKS), *d;
	size_t i;

	assert_int_equal(json_array_size(all), TOOLS_N);
	assert_true(json_equal(all, again));
	assert_int_equal(json_array_size(client), TOOLS_N - 2);
	json_array_foreach(all, i, d) {
		const json_t *schema = json_object_get(d, "input_schema");

		assert_string_equal(json_str(d, "name"), TOOLS[i].name);
		assert_true(strlen(json_str(d, "description")) > 10);
		assert_string_equal(json_str(schema, "type"), "object");
		assert_true(json_is_object(json_object_get(schema, "properties")));
		assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
	}
	assert_string_equal(TOOLS[0].name, "list_projects");
	assert_string_equal(TOOLS[TOOLS_N - 1].name, "write_output_file");
	json_decref(all);
	json_decref(again);
	json_decref(client);
}

static void properties_are_described(void **state UNUSED)
{
	for (size_t i = 0; i < TOOLS_N; i++)
		for (size_t j = 0; j < TOOLS[i].params->n; j++)
			if (!TOOLS[i].params->fields[j].doc)
				fail_msg("%s.%s has no description", TOOLS[i].name,
				    TOOLS[i].params->fields[j].key);
}

static size_t count_allowed(const char *list)
{
	json_t *allowed = json_loads(list, 0, NULL), *defs = tool_definitions(allowed, 0);
	size_t n = json_array_size(defs);

	json_decref(allowed);
	json_decref(defs);
	return n;
}

static void allowed_tools(void **state UNUSED)
{
	assert_int_equal(count_allowed("[]"), TOOLS_N);
	assert_int_equal(count_allowed("[\"Read\",\"Bash\"]"), TOOLS_N);
	assert_int_equal(count_allowed("[\"Read\",\"AskUserQuestion\"]"), TOOLS_N);
	assert_int_equal(count_allowed("[\"Read\",\"list_tasks\"]"), 1);
	assert_int_equal(count_allowed("[\"mcp__stagent__get_task\",\"AskUserQuestion\"]"), 2);
}

static void names(void **state UNUSED)
{
	assert_ptr_equal(tool_find("list_projects"), &TOOLS[0]);
	assert_ptr_equal(tool_find("mcp__stagent__list_projects"), &TOOLS[0]);
	assert_null(tool_find("mcp__other__list_projects"));
	assert_null(tool_find("List_projects"));
	assert_null(tool_find(""));
}

static void arguments(void **state)
{
	struct fixture *f = *state;

	bad(f, "get_task", "{}",
	    "Invalid arguments: taskId: Invalid input: expected string, received undefined");
	bad(f, "get_task", "[]",
	    "Invalid arguments: Invalid input: expected object, received array");
	assert_null(tool_misfit(f->cx.arena, tool_find("get_task"),
	    json_read_text(f->cx.arena, "{\"taskId\":\"none\",\"unknown\":1}")));
	assert_string_equal(tool_misfit(f->cx.arena, tool_find("get_task"), NULL),
	    tool_error_text(f->cx.arena, "Invalid arguments: taskId: Invalid input: expected string, "
					 "received undefined"));
	bad(f, "create_project", "{\"name\":\"\",\"description\":5}",
	    "Invalid arguments: name: Too small: expected string to have >=1 characters; "
	    "description: Invalid input: expected string, received number");
	bad(f, "create_task", "{\"title\":\"t\",\"priority\":4}",
	    "Invalid arguments: priority: Too big: expected number to be <=3");
	bad(f, "list_projects", "{\"status\":\"Active\"}",
	    "Invalid arguments: status: Invalid option: expected one of "
	    "\"active\"|\"paused\"|\"completed\"");
	bad(f, "get_usage_summary", "{\"days\":91}",
	    "Invalid arguments: days: Too big: expected number to be <=90");
	bad(f, "AskUserQuestion",
	    "{\"questions\":[{\"question\":\"\",\"options\":[{\"label\":\"a\"}]}]}",
	    "Invalid arguments: questions: Too small: expected string to have >=1 characters");
	assert_int_equal(json_array_size(good(f, "list_projects", "{\"nonsense\":1}")), 0);
}

static void question(void **state)
{
	struct fixture *f = *state;
	bool error;
	const char *text = call(f, "AskUserQuestion",
	    "{\"questions\":[{\"question\":\"q\",\"mood\":1,\"options\":[{\"label\":\"a\",\"x\":2},"
	    "{\"label\":\"b\"}]}],\"answers\":{\"q\":\"a\"},\"y\":3}",
	    &error);

	assert_false(error);
	assert_string_equal(json_text(f->cx.arena, json_read_text(f->cx.arena, text)),
	    "{\"questions\":[{\"question\":\"q\",\"options\":[{\"label\":\"a\"},"
	    "{\"label\":\"b\"}]}],\"answers\":{\"q\":\"a\"}}");
	text = call(f, "AskUserQuestion",
	    "{\"questions\":[{\"question\":\"q\",\"options\":[{\"label\":\"a\"},"
	    "{\"label\":\"b\"}]}]}",
	    &error);
	assert_false(error);
	assert_non_null(strstr(text, "\"answers\": {}"));
}

static enum rc long_text(struct tool_env *env UNUSED, const json_t *args UNUSED, json_t **out)
{
	char *s = malloc(200001);

	assert_non_null(s);
	memset(s, 'x', 200000);
	s[200000] = '\0';
	*out = json_string(s);
	free(s);
	return RC_OK;
}

static enum rc no_words(struct tool_env *env UNUSED, const json_t *args UNUSED,
    json_t **out UNUSED)
{
	return RC_BUG;
}

static void results(void **state)
{
	static const struct shape NONE = { .name = "none" };
	const struct tool lengthy = { "lengthy", "", &NONE, long_text, 0 };
	const struct tool broken = { "broken", "", &NONE, no_words, 0 };
	struct fixture *f = *state;
	const char *text;

	assert_false(tool_run(&f->env, &lengthy, NULL, &text));
	assert_true(strncmp(text, "\"xxxx", 5) == 0);
	assert_true(strlen(text) > 100000 && strlen(text) < 100200);
	assert_non_null(strstr(text + 100000, "first 100000 of 200002 characters"));
	assert_true(tool_run(&f->env, &broken, NULL, &text));
	assert_string_equal(text, "{\"error\":\"Internal server error\"}");
	assert_int_equal(f->cx.err.rc, RC_OK);
	assert_string_equal(tool_error_text(f->cx.arena, "a \"b\" \xe2\x80"),
	    "{\"error\":\"a \\\"b\\\" \"}");
}

static void projects(void **state)
{
	static const char *const KEYS[] = { "id", "name", "description", "workingDirectory",
		"status", "createdAt", "taskCount" };
	struct fixture *f = *state;
	json_t *p = good(f, "create_project", "{\"name\":\"One\",\"description\":\"d\"}"), *item;
	size_t i = 0;
	const char *key;

	assert_int_equal(json_object_size(p), 7);
	assert_string_equal(json_str(p, "status"), "active");
	f->env.project_id = json_str(p, "id");
	good(f, "create_task", "{\"title\":\"t\"}");
	p = json_array_get(good(f, "list_projects", "{}"), 0);
	json_object_foreach(p, key, item)
		assert_string_equal(key, KEYS[i++]);
	assert_int_equal(i, COUNT(KEYS));
	assert_int_equal(json_num(p, "taskCount", -1), 1);
	assert_int_equal(json_array_size(good(f, "list_projects", "{\"status\":\"paused\"}")), 0);
}

static void tasks(void **state)
{
	struct fixture *f = *state;
	json_t *p = good(f, "create_project", "{\"name\":\"One\"}"), *t;
	const char *id;

	good(f, "create_task", "{\"title\":\"elsewhere\"}");
	f->env.project_id = json_str(p, "id");
	t = good(f, "create_task", "{\"title\":\"t\",\"priority\":1.5}");
	id = json_str(t, "id");
	assert_string_equal(json_str(t, "projectId"), f->env.project_id);
	assert_string_equal(json_str(t, "status"), "planned");
	assert_int_equal(json_object_size(t), 17);
	assert_int_equal(json_array_size(good(f, "list_tasks", "{}")), 1);
	assert_int_equal(json_array_size(good(f, "list_tasks", "{\"projectId\":\"\"}")), 2);
	assert_int_equal(json_array_size(good(f, "list_tasks", "{\"projectId\":\"no\"}")), 0);
	assert_true(json_equal(good(f, "get_task", with_id(f, "{\"taskId\":\"$\"}", id)), t));
	bad(f, "get_task", "{\"taskId\":\"x\"}", "Task not found: x");
	bad(f, "create_task", "{\"title\":\"t\",\"projectId\":\"x\"}", "Project not found");
	bad(f, "create_task", "{\"title\":\"t\",\"assignedAgent\":\"x\"}",
	    "Invalid runtime \"x\". Valid: claude-code, openai-codex-app-server, "
	    "anthropic-direct, openai-direct, ollama");
	bad(f, "create_task", "{\"title\":\"t\",\"agentProfile\":\"x\"}",
	    "Task profile \"x\" was not found");
	bad(f, "update_task", "{\"taskId\":\"x\",\"assignedAgent\":\"y\"}", "Task not found: x");
	bad(f, "update_task", with_id(f, "{\"taskId\":\"$\",\"status\":\"completed\"}", id),
	    "Invalid transition from planned to completed");
	t = good(f, "update_task",
	    with_id(f, "{\"taskId\":\"$\",\"status\":\"queued\",\"title\":\"new\"}", id));
	assert_string_equal(json_str(t, "title"), "new");
	assert_string_equal(json_str(t, "status"), "queued");
}

static void fifty(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 52; i++)
		good(f, "create_task", "{\"title\":\"t\"}");
	assert_int_equal(json_array_size(good(f, "list_tasks", "{}")), 50);
}

static void execution(void **state)
{
	struct fixture *f = *state;
	json_t *t = good(f, "create_task", "{\"title\":\"t\"}"), *r;
	const char *id = json_str(t, "id"), *arg = with_id(f, "{\"taskId\":\"$\"}", id);

	bad(f, "cancel_task", arg, "Task is not running (status: planned)");
	bad(f, "execute_task", with_id(f, "{\"taskId\":\"$\",\"assignedAgent\":\"x\"}", id),
	    "Invalid runtime \"x\". Valid: claude-code, openai-codex-app-server, "
	    "anthropic-direct, openai-direct, ollama");
	r = good(f, "execute_task",
	    with_id(f, "{\"taskId\":\"$\",\"assignedAgent\":\"anthropic-direct\"}", id));
	assert_string_equal(json_str(r, "message"), "Execution started");
	assert_string_equal(json_str(r, "taskId"), id);
	assert_string_equal(json_str(r, "runtime"), "anthropic-direct");
	assert_int_equal(db_get_int(f->cx.db, 0, Q_JOB_WAITING_COUNT, ""), 1);
	t = good(f, "get_task", arg);
	assert_string_equal(json_str(t, "status"), "running");
	assert_string_equal(json_str(t, "assignedAgent"), "anthropic-direct");
	bad(f, "execute_task", arg, "Task is already running");
	r = good(f, "cancel_task", arg);
	assert_string_equal(json_str(r, "message"), "Task cancelled");
	bad(f, "cancel_task", arg, "Task is not running (status: cancelled)");
	bad(f, "execute_task", arg, "Task must be queued to execute, current status: cancelled");
	bad(f, "execute_task", "{\"taskId\":\"x\"}", "Task not found: x");
}

static void own_task(void **state)
{
	struct fixture *f = *state;
	const char *id = json_str(good(f, "create_task", "{\"title\":\"t\"}"), "id");
	const char *arg = with_id(f, "{\"taskId\":\"$\"}", id);

	good(f, "execute_task", arg);
	f->env.task_id = id;
	bad(f, "execute_task", arg, "A task cannot execute itself");
	bad(f, "cancel_task", arg, "A task cannot execute itself");
	bad(f, "update_task", with_id(f, "{\"taskId\":\"$\",\"status\":\"completed\"}", id),
	    "A task cannot execute itself");
	good(f, "update_task", with_id(f, "{\"taskId\":\"$\",\"title\":\"mine\"}", id));
}

static const char *notify(struct fixture *f, const char *type, const char *tool, const char *input)
{
	const char *id;

	assert_int_equal(tx_begin(&f->cx), RC_OK);
	id = notification_add(&f->cx, NULL, type, "title", "body", tool, input);
	assert_int_equal(tx_end(&f->cx, RC_OK), RC_OK);
	return id;
}

static void notifications(void **state)
{
	struct fixture *f = *state;
	json_t *list, *r;

	notify(f, "task_completed", NULL, NULL);
	notify(f, "permission_required", "Bash", "{\"command\":\"ls -l\"}");
	notify(f, "permission_required", "Read", "{\"file_path\":\"/x\"}");
	list = good(f, "list_notifications", "{}");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_str(json_array_get(list, 0), "channel"), "in_app");
	assert_int_equal(json_array_size(good(f, "list_notifications", "{\"limit\":1}")), 1);
	list = good(f, "list_notifications", "{\"pendingOnly\":false,\"limit\":100}");
	assert_int_equal(json_array_size(list), 3);
	r = json_array_get(list, 0);
	assert_int_equal(json_object_size(r), 9);
	assert_null(json_object_get(r, "toolInput"));
	assert_null(json_object_get(r, "taskId"));
	r = good(f, "mark_notifications_read", "{}");
	assert_string_equal(json_str(r, "message"), "All notifications marked as read");
	assert_int_equal(notification_count_unread(&f->cx, NULL), 0);
}

static const char *stored_response(struct fixture *f, const char *id)
{
	struct buf b;
	struct jw w = jw_on(&b);
	json_t *row;

	buf_init(&b, 65536);
	assert_int_equal(notification_write(&f->cx, &w, id), RC_OK);
	row = json_read(f->cx.arena, b.data, b.len);
	buf_fini(&b);
	assert_true(json_is_true(json_object_get(row, "read")));
	return json_str(row, "response");
}

static void answers(void **state)
{
	struct fixture *f = *state;
	const char *id = notify(f, "permission_required", "Bash", "{\"command\":\"ls -l\"}");
	const char *allow =
	    "{\"notificationId\":\"$\",\"behavior\":\"allow\",\"alwaysAllow\":true}";
	const char *deny = "{\"notificationId\":\"$\",\"behavior\":\"deny\"}";
	json_t *r = good(f, "respond_notification", with_id(f, allow, id));

	assert_string_equal(json_str(r, "message"), "Notification approved");
	assert_true(json_flag(r, "alwaysAllow"));
	assert_string_equal(
	    stored_response(f, id), "{\"behavior\":\"allow\",\"alwaysAllow\":true}");
	assert_string_equal(
	    json_string_value(json_array_get(permission_list(&f->cx), 0)), "Bash(command:ls *)");
	bad(f, "respond_notification", with_id(f, deny, id),
	    "Already responded to this notification");
	id = notify(f, "permission_required", "Bash", "{}");
	r = good(f, "respond_notification", with_id(f, deny, id));
	assert_string_equal(json_str(r, "message"), "Notification denied");
	assert_true(json_is_false(json_object_get(r, "alwaysAllow")));
	assert_string_equal(
	    stored_response(f, id), "{\"behavior\":\"deny\",\"message\":\"Denied via chat\"}");
	bad(f, "respond_notification", with_id(f, deny, "x"), "Notification not found: x");
}

static void operator_answers(void **state)
{
	static const char *const TYPES[] = { "permission_required", "agent_message",
		"context_proposal", "context_proposal_batch" };
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * COUNT(TYPES); i++) {
		f->env.task_id = i % 2 ? "some-task" : NULL;
		f->env.outside = i % 2 == 0;
		bad(f, "respond_notification",
		    with_id(f, "{\"notificationId\":\"$\",\"behavior\":\"allow\"}",
			notify(f, TYPES[i / 2], "Bash", "{}")),
		    "Permission requests are answered by the operator");
	}
	assert_int_equal(json_array_size(permission_list(&f->cx)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(definitions),
		cmocka_unit_test(properties_are_described),
		cmocka_unit_test(allowed_tools),
		cmocka_unit_test(names),
		TEST(arguments),
		TEST(question),
		TEST(results),
		TEST(projects),
		TEST(tasks),
		TEST(fifty),
		TEST(execution),
		TEST(own_task),
		TEST(notifications),
		TEST(answers),
		TEST(operator_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
