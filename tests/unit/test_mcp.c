/* The Model Context Protocol: the answer to every kind of message, in the order of the interface. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/json_in.h"
#include "jobrunner/mcp.h"
#include "jobrunner/tools/tools.h"

static struct arena *arena;
static struct mcp m;
static json_t *tools;
static char called[256], cancelled[64];

/* Notes the call, and does what the tool's name says. */
static enum mcp_outcome call(void *arg, const struct mcp_call *c, const char **text)
{
	assert_ptr_equal(arg, called);
	snprintf(called, sizeof called, "%s %s", c->name,
	    c->arguments ? json_text(arena, c->arguments) : "-");
	if (strcmp(c->name, "later") == 0)
		return MCP_LATER;
	*text = strcmp(c->name, "fails") == 0 ? "{\"error\":\"No\"}" : "[]";
	return strcmp(c->name, "fails") == 0 ? MCP_ERROR : MCP_OK;
}

static void cancel(void *arg, const json_t *id)
{
	assert_ptr_equal(arg, called);
	snprintf(cancelled, sizeof cancelled, "%s", json_text(arena, id));
}

static int set_up(void **state UNUSED)
{
	struct mcp_host host = { .call = call, .cancel = cancel, .arg = called };

	arena = arena_new(ARENA_REQUEST_MAX);
	tools = json_loads("[{\"name\":\"works\",\"description\":\"d\",\"inputSchema\":{}},"
			   "{\"name\":\"fails\"},{\"name\":\"later\"}]", 0, NULL);
	host.tools = tools;
	mcp_init(&m, &host);
	called[0] = cancelled[0] = '\0';
	return 0;
}

static int tear_down(void **state UNUSED)
{
	json_decref(tools);
	arena_free(arena);
	return 0;
}

/* What the server answers to TEXT; "" for nothing. */
static const char *answer(const char *text)
{
	const char *got = mcp_answer(&m, arena, text, strlen(text));

	return got ? got : "";
}

static const char *hello(const char *revision)
{
	return answer(arena_printf(arena,
	    "{\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":{},"
	    "\"clientInfo\":{\"name\":\"a b\\u0001\xc3\xa9\",\"version\":\"1\"}},"
	    "\"jsonrpc\":\"2.0\",\"id\":0}", revision));
}

static void initialize(void **state UNUSED)
{
	static const char *const WANTED[][2] = {
		{ "2024-11-05", "2024-11-05" }, { "2025-03-26", "2025-03-26" },
		{ "2025-06-18", "2025-06-18" }, { "2025-11-25", "2025-11-25" },
		{ "2999-01-01", "2025-06-18" }, { "", "2025-06-18" },
	};

	for (size_t i = 0; i < COUNT(WANTED); i++)
		assert_string_equal(hello(WANTED[i][0]), arena_printf(arena,
		    "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"%s\","
		    "\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"stagent\","
		    "\"version\":\"" PACKAGE_VERSION "\"}}}", WANTED[i][1]));
	assert_string_equal(m.client, "a-b-\xc3\xa9");
	assert_string_equal(answer("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\"}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32602,"
	    "\"message\":\"protocolVersion must be a text\"}}");
}

static void long_client_name(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 65536);
	buf_str(&b, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
		    "{\"protocolVersion\":\"\",\"clientInfo\":{\"name\":\"");
	for (int i = 0; i < 1000; i++)
		buf_str(&b, "\xe2\x82\xac");
	buf_str(&b, "\"}}}");
	answer(buf_text(&b));
	buf_fini(&b);
	assert_int_equal(strlen(m.client), (MCP_CLIENT_SIZE - 1) / 3 * 3);
}

static void list(void **state UNUSED)
{
	static const char *const PARAMS[] = { "", ",\"params\":{}", ",\"params\":{\"cursor\":\"x\"}" };

	for (size_t i = 0; i < COUNT(PARAMS); i++)
		assert_string_equal(answer(arena_printf(arena,
		    "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"%s}", PARAMS[i])),
		    "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"tools\":[{\"name\":\"works\","
		    "\"description\":\"d\",\"inputSchema\":{}},{\"name\":\"fails\"},"
		    "{\"name\":\"later\"}]}}");
	assert_non_null(strstr(answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
				      "\"params\":{\"cursor\":1}}"), "-32602"));
}

static void definitions(void **state UNUSED)
{
	json_t *defs = tool_definitions(NULL, TOOL_DIRECT | TOOL_ASKS);
	json_t *listed = mcp_tools(defs), *t;
	size_t i;

	assert_int_equal(json_array_size(listed), json_array_size(defs));
	json_array_foreach(listed, i, t) {
		const json_t *d = json_array_get(defs, i);

		assert_int_equal(json_object_size(t), 3);
		assert_string_equal(json_str(t, "name"), json_str(d, "name"));
		assert_true(json_equal(json_object_get(t, "inputSchema"),
		    json_object_get(d, "input_schema")));
	}
	assert_true(i > 10);
	json_decref(listed);
	json_decref(defs);
}

static const char *tool(const char *params)
{
	return answer(arena_printf(arena,
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":%s}", params));
}

static void calls(void **state UNUSED)
{
	assert_string_equal(tool("{\"name\":\"works\",\"arguments\":{\"b\":1,\"a\":2},\"_meta\":{}}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\","
	    "\"text\":\"[]\"}],\"isError\":false}}");
	assert_string_equal(called, "works {\"b\":1,\"a\":2}");
	assert_string_equal(tool("{\"name\":\"fails\"}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\","
	    "\"text\":\"{\\\"error\\\":\\\"No\\\"}\"}],\"isError\":true}}");
	assert_string_equal(called, "fails -");
	assert_string_equal(tool("{\"name\":\"later\"}"), "");
	called[0] = '\0';
	assert_string_equal(tool("{\"name\":\"other\"}"),
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,"
	    "\"message\":\"Unknown tool: other\"}}");
	assert_non_null(strstr(tool("{}"), "-32602"));
	assert_non_null(strstr(tool("[]"), "-32602"));
	assert_non_null(strstr(tool("{\"name\":1}"), "-32602"));
	assert_non_null(strstr(tool("{\"name\":\"works\",\"arguments\":[]}"), "-32602"));
	assert_non_null(strstr(tool("{\"name\":\"works\",\"arguments\":null}"), "-32602"));
	assert_string_equal(called, "");
}

static void ids(void **state UNUSED)
{
	static const char *const GOOD[] = { "0", "-7", "1.5", "9223372036854775807", "\"\"",
		"\"a\\\"b\"", "null" };
	static const char *const BAD[] = { "true", "[]", "{}" };

	for (size_t i = 0; i < COUNT(GOOD); i++)
		assert_string_equal(answer(arena_printf(arena,
		    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", GOOD[i])),
		    arena_printf(arena, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", GOOD[i]));
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_string_equal(answer(arena_printf(arena,
		    "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", BAD[i])),
		    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,"
		    "\"message\":\"Invalid request\"}}");
}

/* What comes back for TEXT is an error of CODE, or nothing where it is 0. */
static void refused(const char *text, int code)
{
	const json_t *v = json_read_text(arena, answer(text));
	const json_t *got = json_object_get(json_object_get(v, "error"), "code");

	if (code ? json_integer_value(got) != code : v != NULL)
		fail_msg("%s: wanted %d, got %s", text, code, answer(text));
}

static void rubbish(void **state UNUSED)
{
	static const struct {
		const char *text;
		int code;
	} CASES[] = {
		{ "", MCP_PARSE_ERROR }, { "x", MCP_PARSE_ERROR }, { "{", MCP_PARSE_ERROR },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1e999,\"method\":\"ping\"}", MCP_PARSE_ERROR },
		{ "\"\xff\"", MCP_PARSE_ERROR },
		{ "1", MCP_INVALID_REQUEST }, { "null", MCP_INVALID_REQUEST },
		{ "{}", MCP_INVALID_REQUEST }, { "[]", MCP_INVALID_REQUEST },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", MCP_INVALID_REQUEST },
		{ "{\"id\":1,\"method\":\"ping\"}", MCP_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", MCP_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", MCP_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}", MCP_INVALID_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}",
		    MCP_UNKNOWN_METHOD },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}", MCP_UNKNOWN_METHOD },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
		    MCP_INVALID_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"works\"}}", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"nothing/known\",\"params\":7}", 0 },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		refused(CASES[i].text, CASES[i].code);
	assert_string_equal(called, "");
}

/* N times ONE between OPEN and CLOSE. */
static const char *repeat(const char *open, const char *one, size_t n, const char *close)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	buf_str(&b, open);
	while (n--)
		buf_str(&b, one);
	buf_str(&b, close);
	text = arena_strdup(arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void limits(void **state UNUSED)
{
	refused(repeat("", "[", 65, repeat("", "]", 65, "")), MCP_PARSE_ERROR);
	refused(repeat("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":\"", "x", 1025, "\"}"),
	    MCP_INVALID_REQUEST);
	refused(repeat("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"", "x", 99999, "\"}"),
	    MCP_UNKNOWN_METHOD);
	assert_true(strlen(answer(repeat("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"", "x", 99999,
			"\"}"))) < 300);
	assert_string_equal(mcp_answer(&m, arena, " ", MCP_MESSAGE_MAX + 1),
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"Not JSON\"}}");
}

static void notifications(void **state UNUSED)
{
	static const char INITIALIZED[] =
	    "{\"method\":\"notifications/initialized\",\"jsonrpc\":\"2.0\"}";
	static const char CANCELLED[] =
	    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":%s}";

	assert_string_equal(answer(INITIALIZED), "");
	assert_string_equal(
	    answer(arena_printf(arena, CANCELLED, "{\"requestId\":7,\"reason\":\"r\"}")), "");
	assert_string_equal(cancelled, "7");
	answer(arena_printf(arena, CANCELLED, "{\"requestId\":\"x\"}"));
	assert_string_equal(cancelled, "\"x\"");
	answer(arena_printf(arena, CANCELLED, "{\"requestId\":[]}"));
	answer(arena_printf(arena, CANCELLED, "{}"));
	answer(arena_printf(arena, CANCELLED, "[]"));
	assert_string_equal(cancelled, "\"x\"");
	m.host.acknowledge = true;
	assert_string_equal(answer(INITIALIZED), "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":0}");
	assert_string_equal(answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"), "");
}

static void batches(void **state UNUSED)
{
	hello("2025-03-26");
	assert_string_equal(answer("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},"
				   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"},7,"
				   "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\","
				   "\"params\":{\"name\":\"later\"}}]"),
	    "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":null,"
	    "\"error\":{\"code\":-32600,\"message\":\"Invalid request\"}}]");
	assert_string_equal(called, "later -");
	assert_string_equal(answer("[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}]"), "");
	refused("[]", MCP_INVALID_REQUEST);
	refused(repeat("[1", ",1", 16, "]"), MCP_INVALID_REQUEST);
	assert_non_null(strstr(
	    answer("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
		   "\"protocolVersion\":\"2025-06-18\"}}]"), "-32600"));
	hello("2025-06-18");
	refused("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", MCP_INVALID_REQUEST);
}

static void put_off(void **state UNUSED)
{
	json_t *id = json_integer(3);

	assert_string_equal(mcp_result(arena, id, false, "line\n\"x\""),
	    "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"content\":[{\"type\":\"text\","
	    "\"text\":\"line\\n\\\"x\\\"\"}],\"isError\":false}}");
	assert_string_equal(mcp_error(arena, NULL, MCP_INVALID_REQUEST, "m"),
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"m\"}}");
	json_decref(id);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(initialize),
		TEST(long_client_name),
		TEST(list),
		TEST(definitions),
		TEST(calls),
		TEST(ids),
		TEST(rubbish),
		TEST(limits),
		TEST(notifications),
		TEST(batches),
		TEST(put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
