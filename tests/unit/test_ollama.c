/* The Ollama adapter: answers from any split of the lines, the conversation, requests, and calls
 * against a scripted server. */
#include "tests/unit/adapter_case.h"

#include "jobrunner/runtimes/ollama.h"

#undef END

static const struct runtime_ops *const RT = &RUNTIME_OLLAMA;

#define SAY(text) "{'model':'x','message':{'role':'assistant','content':'" text "'}," \
	"'done':false}\n"
#define CALLS(calls) "{'message':{'role':'assistant','content':'','tool_calls':[" calls "]}," \
	"'done':false}\n"
#define CALL(arguments) "{'function':{'name':'list','arguments':" arguments "}}"
#define END(reason) "{'model':'x','message':{'role':'assistant','content':''},'done':true," \
	"'done_reason':'" reason "','prompt_eval_count':100,'eval_count':20}\n"

static const char RICH[] =
    "{'message':{'thinking':'hm'},'done':false}\n"
    SAY("Caf\xc3\xa9 ") "no json\n\r\n" SAY("\xe2\x82\xac")
    CALLS(CALL("{'a':1}") "," CALL("'{\\'b\\':2}'")) CALLS(CALL("'no'"))
    END("stop");

/* Reads TEXT in two pieces, the first of AT bytes; whether it was whole. */
static bool read_split(const char *lines, size_t at, struct turn *t)
{
	const char *text = quoted(arena, lines);
	struct ollama_answer s;
	size_t n = strlen(text);
	bool ok;

	ollama_answer_init(&s, arena);
	ok = ollama_answer_feed(&s, text, at) && ollama_answer_feed(&s, text + at, n - at) &&
	     ollama_answer_whole(&s);
	if (ok)
		ollama_answer_turn(&s, t);
	ollama_answer_fini(&s);
	return ok;
}

static void test_every_split(void **state UNUSED)
{
	for (size_t at = 0; at < sizeof RICH; at++) {
		struct turn t;

		assert_true(read_split(RICH, at, &t));
		check_json(t.message,
		    "{'role':'assistant','content':'Caf\xc3\xa9 \xe2\x82\xac','tool_calls':["
		    CALL("{'a':1}") "," CALL("'{\\'b\\':2}'") "," CALL("'no'") "]}");
		assert_int_equal(t.stop, STOP_TOOLS);
		assert_int_equal(t.n_calls, 3);
		check_json(t.calls[1].input, "{'b':2}");
		assert_string_equal(t.calls[2].bad, "Invalid arguments: not JSON");
		assert_int_equal(t.usage.input, 100);
		assert_int_equal(t.usage.output, 20);
		assert_string_equal(t.usage.model, "x");
		arena_reset(arena);
	}
}

static void test_every_cut_is_noticed(void **state UNUSED)
{
	struct turn t;

	/* The last line end may be missing. */
	for (size_t at = 0; at < sizeof RICH - 2; at++) {
		assert_false(read_split(arena_strndup(arena, RICH, at), at, &t));
		arena_reset(arena);
	}
	assert_true(read_split(arena_strndup(arena, RICH, sizeof RICH - 2), 10, &t));
}

static void test_stops(void **state UNUSED)
{
	struct turn t;

	assert_true(read_split(SAY("x") END("stop"), 0, &t));
	assert_int_equal(t.stop, STOP_DONE);
	assert_true(read_split(SAY("x") END("length"), 0, &t));
	assert_int_equal(t.stop, STOP_LENGTH);
	assert_true(read_split(END("load"), 0, &t));
	assert_int_equal(t.stop, STOP_DONE);
	assert_null(t.message);
	assert_string_equal(t.text, "");
	assert_true(read_split("{'message':{'content':'y'},'done':true}", 0, &t));
	assert_false(t.usage.known);
	assert_true(read_split("{'message':{'thinking':'hm'}}\n" END("stop"), 0, &t));
	assert_string_equal(t.text, "hm");
	assert_false(read_split(SAY("x") "{'error':'broke'}\n" END("stop"), 0, &t));
}

static json_t *with_calls(void)
{
	json_t *c = json_keep(arena, RT->start("Go"));
	struct turn t;

	assert_true(read_split(RICH, 0, &t));
	RT->add_turn(c, &t);
	return c;
}

static void test_conversation(void **state UNUSED)
{
	json_t *c = with_calls();
	struct tool_result r[] = { { "x", "list", "[]", false }, { "y", "list", "e", true },
		{ "z", "list", NULL, true } };
	struct tool_call *calls;

	assert_true(RT->ends_with_turn(c));
	assert_int_equal(RT->open_calls(arena, c, &calls), 3);
	assert_string_equal(calls[0].id, "call_2_0");
	RT->add_results(c, r, 1);
	assert_int_equal(RT->open_calls(arena, c, &calls), 2);
	assert_string_equal(calls[0].id, "call_2_1");
	RT->add_user(c, "more");
	RT->add_results(c, r + 1, 2);
	RT->add_user(c, "and more");
	assert_int_equal(RT->open_calls(arena, c, &calls), 0);
	check_json(json_array_get(c, 3), "{'role':'tool','tool_name':'list','content':'e'}");
	check_json(json_array_get(c, 5), "{'role':'user','content':'more\\n\\nand more'}");
	check_json(json_keep(arena, RT->restore(json_read_text(arena, RT->snapshot(arena, c)), NULL,
					"Go")),
	    json_text(arena, c));
	assert_null(RT->restore(NULL, NULL, "Go"));
	assert_null(RT->restore(json("{'messages':[{'role':'user','content':[]}]}"), NULL, "Go"));
}

static const char *request(const struct model_call *mc, bool tools)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	ollama_request(&b, mc, tools, true);
	text = arena_strdup(arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void test_request(void **state UNUSED)
{
	char *big = arena_alloc(arena, 20001);
	struct model_call mc = { .model = "m", .system_stable = "You", .system_rest = "Docs",
		.conversation = with_calls(), .json = true,
		.tools = json("[{'name':'n','description':'d','input_schema':{}}]") };

	assert_string_equal(request(&mc, true),
	    quoted(arena, "{'model':'m','messages':[{'role':'system','content':'You\\n\\nDocs'},"
			  "{'role':'user','content':'Go'},{'role':'assistant',"
			  "'content':'Caf\xc3\xa9 \xe2\x82\xac','tool_calls':[" CALL("{'a':1}") ","
			  CALL("{'b':2}") "," CALL("{}") "]}],'tools':[{'type':'function',"
			  "'function':{'name':'n','description':'d','parameters':{}}}],"
			  "'stream':true,'format':'json'}"));
	memset(big, 'x', 20000);
	mc.system_rest = big;
	assert_non_null(strstr(request(&mc, false), "\"options\":{\"num_ctx\":16384}"));
	assert_null(strstr(request(&mc, false), "\"tools\""));
}

static void test_shrink(void **state UNUSED)
{
	char *big = arena_alloc(arena, 5001);
	json_t *c = with_calls();
	struct tool_result r[] = { { "x", "list", big, false }, { "y", "list", "short", false } };

	memset(big, 'x', 5000);
	RT->add_results(c, r, 2);
	RT->shrink(c, 2000);
	assert_non_null(strstr(json_str(json_array_get(c, 2), "content"), "removed"));
	assert_string_equal(json_str(json_array_get(c, 3), "content"), "short");
}

static void lines_to(int fd, const char *lines)
{
	tiny_printf(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
			"Connection: close\r\n\r\n%s",
	    quoted(arena, lines));
}

static void serve(int fd, const char *path, unsigned hit)
{
	if (text_ends(path, "/api/version"))
		tiny_reply(fd, 200, "",
		    text_starts(path, "/old") ? "{\"version\":\"0.3.9\"}"
					      : "{\"version\":\"0.9.0\"}");
	else if (text_starts(path, "/old"))
		tiny_reply(fd, 200, "",
		    quoted(arena, "{'message':{'content':'Hello'},'done':true}"));
	else if (text_starts(path, "/notools") && hit == 1)
		tiny_reply(fd, 400, "", "{\"error\":\"m does not support tools\"}");
	else if (text_starts(path, "/missing"))
		tiny_reply(fd, 404, "", "{\"error\":\"model \\\"m\\\" not found\"}");
	else if (text_starts(path, "/broken"))
		tiny_reply(fd, 500, "", "{\"error\":\"broke\"}");
	else if (text_starts(path, "/cut"))
		lines_to(fd, SAY("Hel"));
	else if (text_starts(path, "/middle"))
		lines_to(fd, SAY("Hel") "{'error':'broke'}\n");
	else
		lines_to(fd, SAY("Hel") SAY("lo") END("stop"));
}

static enum rc ask(const char *path, bool tools, struct turn *t, struct err *e)
{
	struct http *h = http_new(-1);
	struct model_call mc = { .base_url = arena_printf(arena, "%s%s/", server.url, path),
		.model = path, .stream = true, .conversation = json_keep(arena, RT->start("Go")),
		.tools = tools ? json("[{'name':'n','description':'d','input_schema':{}}]")
			       : NULL };
	enum rc rc;

	server.seen->hits = 0;
	err_clear(e);
	rc = RT->call(h, arena, &mc, t, e);
	http_free(h);
	return rc;
}

static void check_fine(const char *path, bool tools, unsigned hits)
{
	struct turn t;
	struct err e;

	assert_int_equal(ask(path, tools, &t, &e), RC_OK);
	assert_string_equal(t.text, "Hello");
	assert_int_equal(server.seen->hits, hits);
}

static void check_fail(const char *path, const char *words)
{
	struct turn t;
	struct err e;

	assert_int_equal(ask(path, false, &t, &e), RC_UPSTREAM);
	assert_string_equal(t.failure, words);
	assert_string_equal(e.msg, words);
	assert_int_equal(server.seen->hits, 1);
}

static void test_calls(void **state UNUSED)
{
	tiny_start(&server, serve);
	check_fine("/fine", false, 1);
	assert_non_null(strstr(server.seen->hit[0].head, "POST /fine/api/chat "));
	check_fine("/fine", true, 2);
	check_fine("/fine", true, 1); /* the version is known */
	assert_non_null(strstr(server.seen->hit[0].body, "\"stream\":true"));
	check_fine("/old", true, 2);
	assert_non_null(strstr(server.seen->hit[1].body, "\"stream\":false"));
	check_fine("/notools", true, 3);
	assert_null(strstr(server.seen->hit[2].body, "\"tools\""));
	check_fine("/notools", true, 1); /* and so is that */
	check_fail("/missing", "Ollama API error (404): {\"error\":\"model \\\"m\\\" not found\"}");
	check_fail("/broken", "Ollama API error (500): {\"error\":\"broke\"}");
	check_fail("/middle", "Ollama API error (200): {\"error\":\"broke\"}");
	check_fail("/cut", "Stream ended unexpectedly");
}

static void test_unreachable(void **state UNUSED)
{
	struct http *h = http_new(-1);
	struct model_call mc = { .base_url = "http://127.0.0.1:1/", .model = "m",
		.conversation = json_keep(arena, RT->start("Go")) };
	struct turn t;
	struct err e = { 0 };

	assert_int_equal(RT->call(h, arena, &mc, &t, &e), RC_UPSTREAM);
	assert_string_equal(t.failure, "Cannot connect to Ollama at http://127.0.0.1:1. "
				       "Make sure it is running (ollama serve).");
	http_free(h);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_split),
		CASE(test_every_cut_is_noticed),
		CASE(test_stops),
		CASE(test_conversation),
		CASE(test_request),
		CASE(test_shrink),
		CASE(test_calls),
		CASE(test_unreachable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
