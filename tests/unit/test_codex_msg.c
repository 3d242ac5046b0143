/* Messages of the real program (tests/fixtures/codex: {"in":…} is what it said, {"out":…} what it was
 * told), shell words, and what is sent. */
#include "tests/unit/arena_case.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "jobrunner/runtimes/codex_msg.h"

#define FILE_MAX ((size_t)1 << 20)

/* What a session came to. */
struct seen {
	size_t lines, answers, errors, methods[CODEX_ASKS_FORM + 1];
	struct codex_tokens tokens;
	const char *status, *text, *why, *last_error;
	struct codex_msg request; /* the last one */
	const json_t *paths;
};

static char *read_file(const char *name)
{
	const char *top = getenv("srcdir");
	char *text = arena_alloc(a, FILE_MAX);
	FILE *f = fopen(arena_printf(a, "%s/tests/fixtures/codex/%s.jsonl", top ? top : ".",
			    name), "r");

	assert_non_null(f);
	assert_true(fread(text, 1, FILE_MAX - 1, f) > 0);
	fclose(f);
	return text;
}

static void look(struct seen *s, const struct codex_msg *m)
{
	const char *type = json_str(m->object, "type");

	s->methods[m->method]++;
	s->answers += m->kind == CODEX_ANSWER;
	s->errors += m->kind == CODEX_ANSWER && m->error;
	if (m->error)
		s->last_error = m->error;
	if (m->kind == CODEX_REQUEST)
		s->request = *m;
	if (m->method == CODEX_USAGE)
		assert_true(codex_read_tokens(m, &s->tokens));
	if (m->method == CODEX_ITEM_STARTED && type && strcmp(type, "fileChange") == 0)
		s->paths = json_keep(a, codex_paths(m->object));
	if (m->method == CODEX_TURN_COMPLETED) {
		s->status = json_str(m->object, "status");
		s->text = codex_turn_text(m->object);
		s->why = codex_error_words(a, json_object_get(m->object, "error"));
	}
}

static void play(const char *name, struct seen *s)
{
	char *at = read_file(name);

	memset(s, 0, sizeof *s);
	while (*at) {
		size_t n = strcspn(at, "\n");
		const json_t *line = json_read(a, at, n), *in = json_object_get(line, "in");
		struct codex_msg m;

		assert_non_null(line);
		if (in) {
			assert_true(codex_read(a, in, &m));
			look(s, &m);
			s->lines++;
		}
		at += n + (at[n] == '\n');
	}
	assert_true(s->lines > 5);
}

static void sessions(void **state UNUSED)
{
	static const struct {
		const char *name, *status, *text, *why;
		size_t commands, files, people, tools, deltas;
		int64_t input;
	} CASES[] = {
		{ "plain", "completed", "Done here.", NULL, 0, 0, 0, 0, 2, 100 },
		{ "command", "completed", "ok", NULL, 1, 0, 0, 0, 2, 300 },
		{ "declined", "completed", "ok", NULL, 2, 0, 0, 0, 1, 200 },
		{ "three-at-once", "completed", "ok", NULL, 3, 0, 0, 0, 1, 200 },
		{ "file-change", "completed", "ok", NULL, 0, 1, 0, 0, 1, 300 },
		{ "dynamic-tools", "completed", "ok", NULL, 0, 0, 0, 2, 1, 200 },
		{ "question", "completed", "ok", NULL, 0, 0, 1, 0, 1, 200 },
		{ "interrupt", "interrupted", NULL, NULL, 0, 0, 0, 0, 0, 0 },
		{ "interrupt-request", "interrupted", NULL, NULL, 1, 0, 0, 0, 0, 100 },
		{ "assist", "completed", "{\"a\":1}", NULL, 0, 0, 0, 0, 1, 100 },
		{ "resume-killed", "completed", "ok", NULL, 1, 0, 0, 0, 1, 200 },
		{ "resume-stopped", "completed", "ok", NULL, 1, 0, 0, 0, 1, 300 },
		{ "error-400", "failed", NULL,
		    "{\"error\": {\"message\": \"scripted 400\", \"type\": \"server_error\", "
		    "\"code\": null}}", 0, 0, 0, 0, 0, 0 },
		{ "error-401", "failed", NULL,
		    "unexpected status 401 Unauthorized: scripted 401, url: "
		    "http://127.0.0.1:8089/v1/responses", 0, 0, 0, 0, 0, 0 },
		{ "error-429", "failed", NULL,
		    "exceeded retry limit, last status: 429 Too Many Requests", 0, 0, 0, 0, 0, 0 },
		{ "cut", "failed", NULL,
		    "stream disconnected before completion: stream closed before "
		    "response.completed", 0, 0, 0, 0, 3, 0 },
		{ "no-key", "failed", NULL, "Missing environment variable: `STAGENT_OPENAI_KEY`.",
		    0, 0, 0, 0, 0, 0 },
	};
	struct seen s;

	for (size_t i = 0; i < COUNT(CASES); i++) {
		play(CASES[i].name, &s);
		print_message("%s: %zu messages\n", CASES[i].name, s.lines);
		assert_string_equal(s.status, CASES[i].status);
		assert_string_equal(s.text ? s.text : "-", CASES[i].text ? CASES[i].text : "-");
		assert_string_equal(s.why ? s.why : "-", CASES[i].why ? CASES[i].why : "-");
		assert_int_equal(s.methods[CODEX_ASKS_COMMAND], CASES[i].commands);
		assert_int_equal(s.methods[CODEX_ASKS_FILES], CASES[i].files);
		assert_int_equal(s.methods[CODEX_ASKS_PERSON], CASES[i].people);
		assert_int_equal(s.methods[CODEX_CALLS_TOOL], CASES[i].tools);
		assert_int_equal(s.methods[CODEX_MESSAGE_DELTA], CASES[i].deltas);
		assert_int_equal(s.tokens.input, CASES[i].input);
		assert_int_equal(s.errors, 0);
	}
}

static void requests(void **state UNUSED)
{
	struct seen s;

	play("command", &s);
	assert_string_equal(s.request.id, "0");
	assert_string_equal(s.request.item, "call_ae95cd5c2b274a36");
	assert_string_equal(
	    json_text(a, json_keep(a, codex_command_input(a, s.request.params))),
	    "{\"command\":\"touch made.txt && ls\",\"cwd\":\"/home/me/project\",\"reason\":null,"
	    "\"approvalId\":null}");
	play("declined", &s);
	assert_string_equal(json_text(a, json_keep(a,
						 codex_command_input(a, s.request.params))),
	    "{\"command\":\"git status\",\"cwd\":\"/home/me/project\",\"reason\":\"want it\","
	    "\"approvalId\":null}");
	play("file-change", &s);
	assert_string_equal(
	    json_text(a, json_keep(a, codex_files_input(s.request.params, s.paths))),
	    "{\"reason\":null,\"grantRoot\":null,\"file_path\":\"/home/me/project/patched.txt\","
	    "\"paths\":[\"/home/me/project/patched.txt\"]}");
	play("dynamic-tools", &s);
	assert_string_equal(s.request.item, json_str(s.request.params, "callId"));
	assert_string_equal(json_str(s.request.params, "tool"), "AskUserQuestion");
	play("question", &s);
	assert_string_equal(
	    json_text(a, json_keep(a, codex_questions_input(s.request.params))),
	    "{\"questions\":[{\"question\":\"Which color?\",\"header\":\"Color\",\"options\":["
	    "{\"label\":\"Red\",\"description\":\"r\"},{\"label\":\"Blue\",\"description\":\"b\"}],"
	    "\"multiSelect\":false}]}");
	assert_string_equal(codex_questions_body(a, s.request.params), "Which color?");
}

static void errors_of_answers(void **state UNUSED)
{
	struct seen s;

	play("resume", &s);
	assert_int_equal(s.errors, 2);
	assert_string_equal(s.status, "completed");
	assert_int_equal(s.tokens.input, 200);
	assert_true(strstr(s.last_error, "invalid session id") != NULL);
}

/* Input for a running command and further rights are no commands. */
static void special(void **state UNUSED)
{
	static const char *const PARAMS[] = {
		"{\"kind\":\"writeStdin\",\"command\":\"ls\",\"cwd\":\"/\"}",
		"{\"kind\":\"command\",\"command\":\"ls\",\"additionalPermissions\":{\"n\":1}}",
		"{\"command\":\"ls\",\"networkApprovalContext\":{\"host\":\"x\"}}",
		"{\"kind\":\"command\"}",
		"{\"command\":7}",
		"{}",
	};

	for (size_t i = 0; i < COUNT(PARAMS); i++) {
		json_t *in = json_keep(
		    a, codex_command_input(a, json_read_text(a, PARAMS[i])));

		assert_non_null(in);
		assert_null(json_object_get(in, "command"));
	}
}

static void unwrapped(void **state UNUSED)
{
	static const struct {
		const char *from, *to;
	} CASES[] = {
		{ "/bin/bash -lc 'touch a && ls'", "touch a && ls" },
		{ "/bin/bash -lc ls", "ls" },
		{ "bash -c 'ls -l'", "ls -l" },
		{ "/usr/bin/zsh -lc \"touch a; it='x'\"", "touch a; it='x'" },
		{ "/bin/bash -lc \"echo \\\"a  b\\\"\"", "echo \"a  b\"" },
		{ "/bin/bash -lc \"echo \\$HOME \\`id\\` \\\\\"", "echo $HOME `id` \\" },
		{ "/bin/bash -lc 'a'\"'\"'b'", "a'b" },
		{ "/bin/bash -lc 'line one\nline two'", "line one\nline two" },
		{ "/bin/bash -lc \"env | tr '\n' ' '\"", "env | tr '\n' ' '" },
		{ "/bin/sh -c git\\ status", "git status" },
		/* Not of the form: as it is. */
		{ "git status", "git status" },
		{ "/bin/bash -lc 'ls' extra", NULL },
		{ "/bin/bash -lc", NULL },
		{ "/bin/bash -lc ", NULL },
		{ "/bin/bash -x -c ls", NULL },
		{ "/bin/bash -lc 'open", NULL },
		{ "/bin/bash -lc \"open", NULL },
		{ "/bin/bash -lc \"$HOME\"", NULL },
		{ "/bin/bash -lc \"`id`\"", NULL },
		{ "/bin/bash -lc \"a\\\nb\"", NULL },
		{ "/bin/bash -lc ls;rm", NULL },
		{ "/bin/bash -lc 'git status';rm", NULL },
		{ "/bin/bash -lc ls\n", NULL },
		{ "/bin/bash -lc a\\", NULL },
		{ "/opt/bash-like -lc ls", NULL },
		{ "", "" },
		{ " /bin/bash -lc ls", NULL },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(codex_unwrap(a, CASES[i].from),
		    CASES[i].to ? CASES[i].to : CASES[i].from);
}

static void no_messages(void **state UNUSED)
{
	static const char *const TEXTS[] = { "{}", "[]", "7", "{\"id\":null}", "{\"id\":{}}",
		"{\"method\":7}", "{\"result\":{}}", "{\"id\":1.5,\"result\":{}}" };
	struct codex_msg m;

	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		assert_false(codex_read(a, json_read_text(a, TEXTS[i]), &m));
		assert_int_equal(m.kind, CODEX_NOTHING);
	}
	assert_true(codex_read(a, json_read_text(a, "{\"id\":\"x\",\"result\":3}"), &m));
	assert_int_equal(m.number, -1);
	assert_non_null(m.error);
	/* A notice's name in a request is an unknown request, and the other way round. */
	assert_true(codex_read(
	    a, json_read_text(a, "{\"id\":1,\"method\":\"turn/completed\"}"), &m));
	assert_int_equal(m.kind, CODEX_REQUEST);
	assert_int_equal(m.method, CODEX_OTHER);
	assert_true(
	    codex_read(a, json_read_text(a, "{\"method\":\"item/tool/call\"}"), &m));
	assert_int_equal(m.method, CODEX_OTHER);
	assert_null(m.id);
}

static void is_line(json_t *v, const char *want)
{
	assert_non_null(v);
	assert_string_equal(json_text(a, json_keep(a, v)), want);
}

static void sent(void **state UNUSED)
{
	const json_t *params = json_read_text(a,
	    "{\"questions\":[{\"id\":\"q1\",\"question\":\"Which?\"},{\"id\":\"q2\",\"question\":"
	    "\"When?\"},{\"question\":\"Lost\"},7]}");

	is_line(codex_answer("0", codex_decision(true)),
	    "{\"id\":0,\"result\":{\"decision\":\"accept\"}}");
	is_line(codex_answer("\"a\\\"b\"", codex_decision(false)),
	    "{\"id\":\"a\\\"b\",\"result\":{\"decision\":\"decline\"}}");
	is_line(codex_refusal("5", "No"),
	    "{\"id\":5,\"error\":{\"code\":-32601,\"message\":\"No\"}}");
	is_line(codex_tool_result("[]", true),
	    "{\"contentItems\":[{\"type\":\"inputText\",\"text\":\"[]\"}],\"success\":true}");
	is_line(codex_person_answers(
		    params, json_read_text(a, "{\"Which?\":\"Blue\",\"When?\":5}")),
	    "{\"answers\":{\"q1\":{\"answers\":[\"Blue\"]}}}");
	is_line(codex_person_answers(params, NULL), "{\"answers\":{}}");
	is_line(codex_tools(json_read_text(a,
		    "[{\"name\":\"n\",\"description\":\"d\",\"input_schema\":{\"type\":\"array\"}}]")),
	    "[{\"type\":\"function\",\"name\":\"n\",\"description\":\"d\",\"inputSchema\":"
	    "{\"type\":\"array\"}}]");
	is_line(codex_request(3, "turn/start", json_pack("{s:s}", "threadId", "T")),
	    "{\"id\":3,\"method\":\"turn/start\",\"params\":{\"threadId\":\"T\"}}");
	is_line(codex_notice("initialized"), "{\"method\":\"initialized\"}");
}

/* All paths are listed, those that files are moved to as well; too many are not passed over. */
static void file_paths(void **state UNUSED)
{
	json_t *changes = json_array(), *item = json_keep(a, json_pack("{s:o}", "changes", changes));

	json_array_append_new(changes,
	    json_pack("{s:s, s:{s:s, s:s}}", "path", "/w/a", "kind", "type", "update", "move_path",
		"/w/b"));
	json_array_append_new(
	    changes, json_pack("{s:s, s:{s:s}}", "path", "/w/c", "kind", "type", "add"));
	assert_string_equal(json_text(a, json_keep(a, codex_paths(item))),
	    "[\"/w/a\",\"/w/b\",\"/w/c\"]");
	for (int i = 0; i < CODEX_PATHS_MAX; i++)
		json_array_append_new(changes, json_pack("{s:s}", "path", "/w/d"));
	assert_string_equal(json_text(a,
		json_array_get(json_keep(a, codex_paths(item)), CODEX_PATHS_MAX)),
	    "{\"more\":3}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sessions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_of_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(special, set_up, tear_down),
		cmocka_unit_test_setup_teardown(file_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unwrapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sent, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
