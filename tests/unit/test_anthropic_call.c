/* The Anthropic adapter: the request, and calls against a scripted server. */
#include "tests/unit/adapter_case.h"

#include "jobrunner/runtimes/anthropic.h"

static const struct runtime_ops *const RT = &RUNTIME_ANTHROPIC;

static const char *request(const struct model_call *mc)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	anthropic_request(&b, mc);
	text = arena_strdup(arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void check_request(const struct model_call *mc, const char *text)
{
	assert_string_equal(request(mc), quoted(arena, text));
}

#define MARK ",'cache_control':{'type':'ephemeral'}"

static void test_request(void **state UNUSED)
{
	struct model_call mc = { .model = "m", .max_tokens = 8192, .stream = true,
		.system_stable = "You", .system_rest = "Docs",
		.conversation = json("[{'role':'user','content':'Go'},"
				     "{'role':'assistant','content':[{'type':'tool_use','id':'t',"
				     "'name':'n','input':{'z':1,'a':2.5}}]},"
				     "{'role':'user','content':[{'type':'tool_result',"
				     "'tool_use_id':'t','content':[]" MARK "},"
				     "{'type':'text','text':'on'},{'type':'text','text':' '}]}]"),
		.tools = json("[{'name':'n','description':'d','input_schema':{}},"
			      "{'name':'o','description':'e','input_schema':{'type':'object'}}]") };

	check_request(&mc,
	    "{'model':'m','max_tokens':8192,"
	    "'system':[{'type':'text','text':'You'" MARK "},{'type':'text','text':'Docs'" MARK "}],"
	    "'messages':[{'role':'user','content':[{'type':'text','text':'Go'}]},"
	    "{'role':'assistant','content':[{'type':'tool_use','id':'t','name':'n',"
	    "'input':{'z':1,'a':2.5}}]},{'role':'user','content':[{'type':'tool_result',"
	    "'tool_use_id':'t','content':[]},{'type':'text','text':'on'" MARK "}]}],"
	    "'tools':[{'name':'n','description':'d','input_schema':{}},"
	    "{'name':'o','description':'e','input_schema':{'type':'object'}" MARK "}],"
	    "'stream':true}");
}

static void test_request_without_extras(void **state UNUSED)
{
	struct model_call mc = { .model = "m", .max_tokens = 8192, .system_rest = " ",
		.thinking_budget = 1024,
		.conversation = json("[{'role':'user','content':'Go'},"
				     "{'role':'assistant','content':[]}]") };

	check_request(&mc,
	    "{'model':'m','max_tokens':8192,'messages':["
	    "{'role':'user','content':[{'type':'text','text':'Go'" MARK "}]},"
	    "{'role':'assistant','content':[]}],'stream':false,"
	    "'thinking':{'type':'enabled','budget_tokens':1024}}");
	mc.thinking_budget = 8192;
	assert_null(strstr(request(&mc), "thinking"));
	mc.thinking_budget = 1023;
	assert_null(strstr(request(&mc), "thinking"));
}

static void stream_to(int fd, const char *events)
{
	tiny_printf(fd, "HTTP/1.1 200 OK\r\nrequest-id: req_1\r\n"
			"Content-Type: text/event-stream\r\nConnection: close\r\n\r\n%s",
	    quoted(arena, events));
}

static void serve(int fd, const char *path, unsigned hit)
{
	if (text_starts(path, "/plain"))
		tiny_reply(fd, 200, "",
		    quoted(arena, "{'type':'message','model':'m','stop_reason':'end_turn',"
				  "'content':[{'type':'text','text':'Hel'},"
				  "{'type':'text','text':'lo'}],"
				  "'usage':{'input_tokens':5,'output_tokens':6}}"));
	else if (text_starts(path, "/html"))
		tiny_reply(fd, 200, "", "<html>");
	else if (text_starts(path, "/long"))
		tiny_reply(fd, 400, "",
		    quoted(arena, "{'type':'error','error':{'type':'invalid_request_error',"
				  "'message':'prompt is too long: 9 tokens > 8 maximum'}}"));
	else if (text_starts(path, "/invalid"))
		stream_to(fd, FAILED("invalid_request_error", "bad sk-0123456789"));
	else if (text_starts(path, "/middle"))
		stream_to(fd, BEGIN FAILED("overloaded_error", "Overloaded"));
	else if (text_starts(path, "/cut"))
		stream_to(fd, BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "Hel"));
	else if (text_starts(path, "/early") && hit == 0)
		stream_to(fd, EV("ping", "") FAILED("overloaded_error", "Overloaded"));
	else if (text_starts(path, "/empty") && hit == 0)
		stream_to(fd, "");
	else
		stream_to(fd, BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "Hello") END("'end_turn'"));
}

static enum rc ask(const char *path, bool stream, struct turn *t, struct err *e)
{
	struct http *h = http_new(-1);
	struct model_call mc = { .base_url = arena_printf(arena, "%s%s/", server.url, path),
		.key = "sk-ant-0123456789", .model = "m", .max_tokens = 10, .stream = stream,
		.conversation = json_keep(arena, RT->start("Go")) };
	enum rc rc;

	server.seen->hits = 0;
	err_clear(e);
	rc = RT->call(h, arena, &mc, t, e);
	http_free(h);
	return rc;
}

static void test_calls(void **state UNUSED)
{
	static const char *const GOOD[] = { "", "/early", "/empty", "/plain" };
	struct turn t;
	struct err e;

	tiny_start(&server, serve);
	for (size_t i = 0; i < COUNT(GOOD); i++) {
		bool stream = strcmp(GOOD[i], "/plain") != 0;
		const struct tiny_hit *hit = server.seen->hit;

		assert_int_equal(ask(GOOD[i], stream, &t, &e), RC_OK);
		assert_string_equal(t.text, "Hello");
		assert_int_equal(t.stop, STOP_DONE);
		assert_int_equal(e.rc, RC_OK);
		assert_int_equal(t.usage.input, stream ? 137 : 5);
		assert_int_equal(server.seen->hits, i == 1 || i == 2 ? 2 : 1);
		assert_true(text_starts(hit->head,
		    arena_printf(arena, "POST %s/v1/messages HTTP/1.1\r\n", GOOD[i])));
		assert_non_null(strstr(hit->head, "\r\nanthropic-version: 2023-06-01\r\n"));
		assert_non_null(strstr(hit->head, "\r\nx-api-key: sk-ant-0123456789\r\n"));
		assert_non_null(strstr(hit->head, "\r\ncontent-type: application/json\r\n"));
		if (server.seen->hits == 2)
			assert_string_equal(hit[0].body, hit[1].body);
	}
}

static void test_failing_calls(void **state UNUSED)
{
	static const struct {
		const char *path, *msg;
	} CASES[] = {
		{ "/invalid", "HTTP 400 invalid_request_error: bad sk-*** (request-id req_1)" },
		{ "/middle", "HTTP 529 overloaded_error: Overloaded (request-id req_1)" },
		{ "/cut", "Stream ended unexpectedly" },
		{ "/html", "The provider's answer cannot be read" },
	};
	struct turn t;
	struct err e;

	tiny_start(&server, serve);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		assert_int_equal(ask(CASES[i].path, i != 3, &t, &e), RC_UPSTREAM);
		assert_string_equal(e.msg, CASES[i].msg);
		assert_int_equal(server.seen->hits, 1);
		assert_null(t.message);
	}
	assert_int_equal(ask("/long", true, &t, &e), RC_OK);
	assert_int_equal(t.stop, STOP_CONTEXT);
	assert_null(t.message);
	assert_string_equal(t.text, "");
}

static void test_no_request(void **state UNUSED)
{
	struct http *h = http_new(-1);
	char *large = malloc(HTTP_REQUEST_MAX + 1);
	struct model_call mc = { .key = "", .model = "m", .base_url = "http://127.0.0.1:1",
		.conversation = json("[]"), .system_rest = large };
	struct turn t;
	struct err e = { 0 };

	memset(large, 'x', HTTP_REQUEST_MAX);
	large[HTTP_REQUEST_MAX] = '\0';
	assert_int_equal(RT->call(h, arena, &mc, &t, &e), RC_INVALID);
	assert_string_equal(e.msg,
	    "No Anthropic API key configured. Set one in Settings > Authentication.");
	mc.key = "k";
	err_clear(&e);
	assert_int_equal(RT->call(h, arena, &mc, &t, &e), RC_TOOLARGE);
	assert_string_equal(e.msg, "Request too large");
	free(large);
	http_free(h);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_request),
		CASE(test_request_without_extras),
		CASE(test_calls),
		CASE(test_failing_calls),
		CASE(test_no_request),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
