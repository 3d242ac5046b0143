/* The messages of Claude Code, as version 2.1.197 has sent them (tests/fixtures/claude): what each is,
 * and what it says. */
#include "tests/unit/arena_case.h"

#include <stdio.h>

#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/runtimes/claude_msg.h"

#define MESSAGES_MAX 64
#define FILE_SIZE_MAX ((size_t)256 << 10)

static const json_t *message[MESSAGES_MAX];
static struct claude_msg m[MESSAGES_MAX];
static size_t n;

static void read_line(const char *line, size_t len)
{
	assert_in_range(n, 0, MESSAGES_MAX - 1);
	message[n] = json_read(a, line, len);
	assert_non_null(message[n]);
	claude_msg_read(message[n], &m[n]);
	n++;
}

/* Reads the transcript NAME. */
static void read_transcript(const char *name)
{
	const char *top = getenv("srcdir");
	FILE *f = fopen(arena_printf(a, "%s/tests/fixtures/claude/%s.jsonl", top ? top : "..", name),
	    "r");
	char *text = arena_alloc(a, FILE_SIZE_MAX + 1);
	size_t size;

	assert_non_null(f);
	size = fread(text, 1, FILE_SIZE_MAX, f);
	assert_in_range(size, 1, FILE_SIZE_MAX - 1);
	fclose(f);
	text[size] = '\0';
	n = 0;
	for (char *end; (end = strchr(text, '\n')); text = end + 1)
		read_line(text, (size_t)(end - text));
}

static void read_one(const char *text)
{
	n = 0;
	read_line(text, strlen(text));
}

/* Every kind is a letter. */
static void expect_kinds(const char *want)
{
	static const char LETTERS[] = {
		[CLAUDE_OTHER] = '.',
		[CLAUDE_INIT] = 'i',
		[CLAUDE_RETRY] = 'r',
		[CLAUDE_EVENT] = 'E',
		[CLAUDE_ASSISTANT] = 'A',
		[CLAUDE_USER] = 'U',
		[CLAUDE_RESULT] = '!',
		[CLAUDE_ASK] = '?',
		[CLAUDE_MCP] = 'm',
		[CLAUDE_CONTROL] = 'k',
		[CLAUDE_CANCEL] = 'c',
		[CLAUDE_ANSWER] = 'w',
	};
	char got[MESSAGES_MAX + 1] = "";

	for (size_t i = 0; i < n; i++)
		got[i] = LETTERS[m[i].kind];
	assert_string_equal(got, want);
}

/* The place of the NTH message of a kind. */
static size_t nth(enum claude_kind kind, size_t k)
{
	for (size_t i = 0; i < n; i++)
		if (m[i].kind == kind && k-- == 0)
			return i;
	fail_msg("no such message");
	return 0;
}

static struct claude_result result(void)
{
	struct claude_result r;

	claude_result_read(a, message[n - 1], &r);
	return r;
}

static void expect_result(enum claude_end end, const char *text, int64_t turns)
{
	struct claude_result r = result();

	assert_int_equal(r.end, end);
	assert_string_equal(r.text, text);
	assert_int_equal(r.turns, turns);
}

static void expect_tokens(int64_t input, int64_t output)
{
	struct claude_result r = result();
	struct claude_tokens t;

	claude_tokens_read(json_object_get(r.models, "claude-sonnet-4-6"), &t);
	assert_int_equal(t.input, input);
	assert_int_equal(t.output, output);
	assert_int_equal(t.cache_read, 0);
	assert_int_equal(t.cache_write, 0);
}

/* The call of an assistant's message, and the result of a user's. */
static void expect_call(size_t at, const char *id, const char *name, const char *key,
    const char *value)
{
	const char *call, *tool;
	const json_t *input;

	assert_true(claude_block_call(json_array_get(m[at].body, 0), &call, &tool, &input));
	assert_string_equal(call, id);
	assert_string_equal(tool, name);
	assert_string_equal(json_str(input, key), value);
}

static void expect_block_result(size_t at, const char *id, size_t images)
{
	const json_t *block = json_array_get(m[at].body, 0);
	struct claude_image image[4];
	const char *call;

	assert_true(claude_block_result(block, &call));
	assert_string_equal(call, id);
	assert_int_equal(claude_block_images(block, image, COUNT(image)), images);
	for (size_t i = 0; i < images; i++)
		assert_true(text_starts(image[i].data, "iVBORw0KGgo") && image[i].n % 4 == 0);
}

static void test_allowed(void **state UNUSED)
{
	const struct claude_msg *ask;

	read_transcript("allowed");
	expect_kinds("wi.EEEEEA?EEEU.EEEEAEEE!");
	assert_string_equal(m[0].request, "initialize");
	assert_null(m[0].words);
	assert_string_equal(m[1].session, "00000000-0000-4000-8000-000000000001");
	assert_string_equal(m[1].version, "2.1.197");
	assert_string_equal(m[1].source, "ANTHROPIC_API_KEY");
	assert_string_equal(m[3].name, "message_start");
	assert_string_equal(json_str(m[3].body, "type"), "message_start");
	assert_false(m[3].nested);
	expect_call(nth(CLAUDE_ASSISTANT, 0), "toolu_1", "Bash", "command", "echo hello > x.txt");
	ask = &m[nth(CLAUDE_ASK, 0)];
	assert_string_equal(ask->name, "Bash");
	assert_string_equal(ask->call, "toolu_1");
	assert_string_equal(ask->request, "00000000-0000-4000-8000-000000000010");
	assert_string_equal(json_str(ask->body, "command"), "echo hello > x.txt");
	expect_block_result(nth(CLAUDE_USER, 0), "toolu_1", 0);
	expect_result(CLAUDE_DONE, "All done.", 2);
	expect_tokens(200, 40);
	assert_int_equal(result().usage.own_cost, 1200);
}

static void test_denied(void **state UNUSED)
{
	const json_t *block;

	read_transcript("denied");
	expect_kinds("wi.EEEEA?EEEU.EEEEAEEE!");
	block = json_array_get(m[nth(CLAUDE_USER, 0)].body, 0);
	assert_string_equal(json_str(block, "content"), "Denied by the operator");
	assert_true(json_flag(block, "is_error"));
	expect_result(CLAUDE_DONE, "All done.", 2);
}

static void test_question(void **state UNUSED)
{
	const struct claude_msg *ask;

	read_transcript("question");
	ask = &m[nth(CLAUDE_ASK, 0)];
	assert_string_equal(ask->name, "AskUserQuestion");
	assert_int_equal(json_array_size(json_object_get(ask->body, "questions")), 1);
	expect_result(CLAUDE_DONE, "Painted.", 2);
}

static void test_interrupt(void **state UNUSED)
{
	const char *id;

	read_transcript("interrupt");
	expect_kinds("wi.EEEEA?EEEcwUU!");
	assert_string_equal(m[nth(CLAUDE_CANCEL, 0)].request, m[nth(CLAUDE_ASK, 0)].request);
	assert_string_equal(m[nth(CLAUDE_ANSWER, 1)].request, "interrupt");
	expect_block_result(nth(CLAUDE_USER, 0), "toolu_1", 0);
	assert_false(claude_block_result(json_array_get(m[nth(CLAUDE_USER, 1)].body, 0), &id));
	assert_int_equal(result().end, CLAUDE_ABORTED);
}

static void test_no_session(void **state UNUSED)
{
	read_transcript("no-session");
	expect_kinds("!");
	expect_result(CLAUDE_NO_SESSION,
	    "No conversation found with session ID: 00000000-0000-4000-8000-000000000001", 0);
	assert_non_null(result().models);
	assert_int_equal(json_object_size(result().models), 0);
}

static void test_refused_key(void **state UNUSED)
{
	read_transcript("refused-key");
	expect_kinds("wi.rrrrA!");
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(m[nth(CLAUDE_RETRY, i)].status, 401);
		assert_string_equal(m[nth(CLAUDE_RETRY, i)].words, "authentication_failed");
	}
	expect_result(CLAUDE_FAILED, "Failed to authenticate. API Error: 401 scripted 401", 1);
	assert_int_equal(result().status, 401);
}

static void test_no_login(void **state UNUSED)
{
	read_transcript("no-login");
	expect_kinds("wi.A!");
	assert_string_equal(m[1].source, "none");
	expect_result(CLAUDE_FAILED, "Not logged in \xc2\xb7 Please run /login", 1);
	assert_int_equal(result().status, 0);
}

static void test_limits(void **state UNUSED)
{
	read_transcript("max-turns");
	expect_result(CLAUDE_MAX_TURNS, "Reached maximum number of turns (2)", 3);
	expect_tokens(200, 40);
	read_transcript("max-budget");
	expect_result(CLAUDE_MAX_BUDGET, "Reached maximum budget ($0.0001)", 1);
}

static void test_mcp(void **state UNUSED)
{
	const struct claude_msg *first, *call;

	read_transcript("mcp");
	expect_kinds("mwmmmmmi.EEEEA?EEEmU.EEEA?EEEmU.EEEAEEE!");
	first = &m[0];
	assert_string_equal(first->name, "stagent");
	assert_string_equal(json_str(first->body, "method"), "initialize");
	assert_null(first->call);
	call = &m[nth(CLAUDE_MCP, 6)];
	assert_string_equal(json_str(call->body, "method"), "tools/call");
	assert_string_equal(call->call, "toolu_1");
	expect_block_result(nth(CLAUDE_USER, 0), "toolu_1", 0);
	expect_block_result(nth(CLAUDE_USER, 1), "toolu_2", 1);
}

/* What no version has been seen to send. */
static void test_odd(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum claude_kind kind;
	} V[] = {
		{ "{}", CLAUDE_OTHER },
		{ "{\"type\":5}", CLAUDE_OTHER },
		{ "{\"type\":\"news\"}", CLAUDE_OTHER },
		{ "{\"type\":\"system\",\"subtype\":null}", CLAUDE_OTHER },
		{ "{\"type\":\"system\",\"subtype\":\"init\"}", CLAUDE_INIT },
		{ "{\"type\":\"stream_event\",\"event\":[]}", CLAUDE_OTHER },
		{ "{\"type\":\"assistant\",\"message\":{\"content\":\"text\"}}", CLAUDE_OTHER },
		{ "{\"type\":\"user\",\"message\":null}", CLAUDE_OTHER },
		{ "{\"type\":\"control_request\",\"request\":{\"subtype\":\"can_use_tool\"}}",
		    CLAUDE_OTHER },
		{ "{\"type\":\"control_request\",\"request_id\":\"r\"}", CLAUDE_CONTROL },
		{ "{\"type\":\"control_request\",\"request_id\":\"r\",\"request\":"
		  "{\"subtype\":\"can_use_tool\",\"tool_name\":7}}",
		    CLAUDE_CONTROL },
		{ "{\"type\":\"control_request\",\"request_id\":\"r\",\"request\":"
		  "{\"subtype\":\"mcp_message\",\"message\":[]}}",
		    CLAUDE_CONTROL },
		{ "{\"type\":\"control_response\",\"response\":{}}", CLAUDE_OTHER },
		{ "{\"type\":\"control_cancel_request\"}", CLAUDE_OTHER },
		{ "{\"type\":\"result\"}", CLAUDE_RESULT },
		{ "[\"type\",\"result\"]", CLAUDE_OTHER },
	};

	for (size_t i = 0; i < COUNT(V); i++) {
		read_one(V[i].text);
		if (m[0].kind != V[i].kind)
			fail_msg("%s is taken for %d", V[i].text, m[0].kind);
	}
	expect_kinds(".");
	read_one("{\"type\":\"control_response\",\"response\":{\"subtype\":\"error\","
		 "\"request_id\":\"r\"}}");
	assert_string_equal(m[0].words, "");
	read_one("{\"type\":\"stream_event\",\"event\":{\"type\":\"ping\"},\"parent_tool_use_id\":\"t\"}");
	assert_true(m[0].nested);
	read_one("{\"type\":\"result\",\"subtype\":\"success\",\"result\":{\"a\":1}}");
	expect_result(CLAUDE_DONE, "{\"a\":1}", 0);
	read_one("{\"type\":\"result\",\"num_turns\":-3,\"errors\":[\"one\",\"two\",3,\"four\"]}");
	expect_result(CLAUDE_ABORTED, "one\ntwo", 0);
}

static void test_images(void **state UNUSED)
{
	struct claude_image image[2];

	read_one("{\"content\":[{\"type\":\"image\",\"data\":\"AAAA\"},{\"type\":\"text\",\"data\":\"x\"},"
		 "{\"type\":\"image\",\"data\":5},{\"type\":\"image\",\"source\":{\"data\":\"BBBBBBBB\"},"
		 "\"data\":\"x\"},{\"type\":\"image\",\"data\":\"CCCC\"}]}");
	assert_int_equal(claude_block_images(message[0], image, 2), 2);
	assert_string_equal(image[0].data, "AAAA");
	assert_int_equal(image[0].n, 4);
	assert_string_equal(image[1].data, "BBBBBBBB");
	assert_int_equal(image[1].n, 8);
	read_one("{\"content\":{\"type\":\"image\",\"data\":\"AAAA\"}}");
	assert_int_equal(claude_block_images(message[0], image, 2), 0);
	assert_int_equal(claude_block_images(NULL, image, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_allowed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_denied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_question, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_interrupt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mcp, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_odd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_images, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
