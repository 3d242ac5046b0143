/* The OpenAI adapter: answers from any split of a stream, the conversation, requests, and calls
 * against a scripted server. */
#include "tests/unit/adapter_case.h"

#include "jobrunner/runtimes/openai.h"

static const struct runtime_ops *const RT = &RUNTIME_OPENAI;

#define CREATED EV("response.created", ",'response':{'id':'resp_1','output':[]}")
#define DONE_ITEM(item) EV("response.output_item.done", ",'item':" item)
#define ENDS(word, more) EV("response." word, ",'response':{'id':'resp_1','status':'" word "'," \
	"'model':'gpt-x','usage':{'input_tokens':100,'output_tokens':20," \
	"'input_tokens_details':{'cached_tokens':7}}" more "}")
#define MESSAGE(text) "{'type':'message','id':'m','role':'assistant','content':[" \
	"{'type':'output_text','text':'" text "'}]}"
#define CALL(id, arguments) "{'type':'function_call','call_id':'" id "','name':'list'," \
	"'arguments':'" arguments "'}"
#define CUT_CALL "{'type':'function_call','call_id':'c9','name':'list','arguments':'{'," \
	"'status':'incomplete'}"
#define FAILS(code) EV("response.failed", ",'response':{'status':'failed'," \
	"'error':{'code':'" code "','message':'No'}}")

static const char RICH[] =
    CREATED
    DONE_ITEM("{'type':'reasoning','id':'rs_1','summary':[]}")
    EV("unheard_of", "")
    EV("response.output_text.delta", ",'delta':'Caf\xc3\xa9'")
    DONE_ITEM(MESSAGE("Caf\xc3\xa9 \xe2\x82\xac"))
    DONE_ITEM(CALL("c1", "{\\'a\\':1}"))
    DONE_ITEM(CALL("c2", ""))
    DONE_ITEM(CALL("c3", "no"))
    ENDS("completed", "");

/* Reads STREAM in two pieces, the first of AT bytes; whether it was whole. */
static bool read_split(const char *stream, size_t at, struct turn *t)
{
	static const struct model_call MC = { .stream = true };
	const char *text = quoted(arena, stream);
	struct openai_answer s;
	size_t n = strlen(text);
	bool ok;

	openai_answer_init(&s, arena, &MC);
	ok = openai_answer_feed(&s, text, at) && openai_answer_feed(&s, text + at, n - at) &&
	     openai_answer_whole(&s) && openai_answer_turn(&s, t);
	openai_answer_fini(&s);
	return ok;
}

static struct turn read_stream(const char *stream)
{
	struct turn t;

	assert_true(read_split(stream, strlen(stream), &t));
	return t;
}

static void test_every_split(void **state UNUSED)
{
	for (size_t at = 0; at < sizeof RICH; at++) {
		struct turn t;

		assert_true(read_split(RICH, at, &t));
		assert_int_equal(json_array_size(t.message), 5);
		assert_string_equal(t.text, "Caf\xc3\xa9 \xe2\x82\xac");
		assert_string_equal(t.response_id, "resp_1");
		assert_int_equal(t.stop, STOP_TOOLS);
		assert_int_equal(t.n_calls, 3);
		check_json(t.calls[0].input, "{'a':1}");
		assert_null(t.calls[0].bad);
		check_json(t.calls[1].input, "{}");
		assert_null(t.calls[1].bad);
		check_json(t.calls[2].input, "{}");
		assert_string_equal(t.calls[2].bad, "Invalid arguments: not JSON");
		assert_int_equal(t.usage.input, 100);
		assert_int_equal(t.usage.output, 20);
		assert_string_equal(t.usage.model, "gpt-x");
		arena_reset(arena);
	}
}

static void test_every_cut_is_noticed(void **state UNUSED)
{
	struct turn t;

	for (size_t at = 0; at < sizeof RICH - 2; at++) {
		char *text = arena_strndup(arena, RICH, at);

		assert_false(read_split(text, at, &t));
		arena_reset(arena);
	}
}

static void test_stops(void **state UNUSED)
{
	static const struct {
		const char *stream;
		enum stop_reason stop;
		const char *text;
	} CASES[] = {
		{ CREATED DONE_ITEM(MESSAGE("x")) ENDS("completed", ""), STOP_DONE, "x" },
		{ CREATED DONE_ITEM(MESSAGE("x")) DONE_ITEM(CUT_CALL)
			ENDS("incomplete", ",'incomplete_details':{'reason':'max_output_tokens'}"),
		    STOP_LENGTH, "x" },
		{ CREATED ENDS("incomplete", ",'incomplete_details':{'reason':'content_filter'}"),
		    STOP_REFUSED, "" },
		{ CREATED ENDS("completed", ",'output':[{'type':'message','content':["
					    "{'type':'refusal','refusal':'No.'}]}]"),
		    STOP_REFUSED, "No." },
		{ CREATED DONE_ITEM(CALL("c1", "{}"))
			ENDS("incomplete", ",'incomplete_details':{'reason':'max_output_tokens'}"),
		    STOP_TOOLS, "" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		struct turn t = read_stream(CASES[i].stream);

		assert_int_equal(t.stop, CASES[i].stop);
		assert_string_equal(t.text, CASES[i].text);
	}
}

static json_t *with_calls(void)
{
	json_t *c = json_keep(arena, RT->start("Go"));
	struct turn t = read_stream(RICH);

	RT->add_turn(c, &t);
	return c;
}

static void test_conversation(void **state UNUSED)
{
	json_t *c = with_calls();
	struct tool_result r[] = { { "c1", "list", "[]", false }, { "c2", "list", "", true },
		{ "c3", "list", "x", true } };
	struct tool_call *calls;

	assert_true(RT->ends_with_turn(c));
	assert_int_equal(RT->open_calls(arena, c, &calls), 3);
	assert_string_equal(calls[2].bad, "Invalid arguments: not JSON");
	RT->add_results(c, r, 1);
	assert_int_equal(RT->open_calls(arena, c, &calls), 2);
	assert_string_equal(calls[0].id, "c2");
	RT->add_user(c, "more");
	RT->add_results(c, r + 1, 2);
	RT->add_user(c, "and more");
	assert_int_equal(RT->open_calls(arena, c, &calls), 0);
	assert_false(RT->ends_with_turn(c));
	check_json(json_array_get(json_object_get(c, "items"), 9),
	    "{'role':'user','content':[{'type':'input_text','text':'more'},"
	    "{'type':'input_text','text':'and more'}]}");
	check_json(json_array_get(json_object_get(c, "items"), 8),
	    "{'type':'function_call_output','call_id':'c3','output':'x'}");
}

static void test_restore(void **state UNUSED)
{
	json_t *c = with_calls(), *again;
	struct tool_result r = { "c1", "list", "[]", false };
	struct tool_call *calls;
	json_t *payload;

	RT->add_results(c, &r, 1);
	payload = json_read_text(arena, RT->snapshot(arena, c));
	again = json_keep(arena, RT->restore(payload, "resp_1", "Go"));
	check_json(again, quoted(arena, json_text(arena, c)));
	assert_int_equal(RT->open_calls(arena, again, &calls), 2);
	/* A newer response than the snapshot's. */
	again = json_keep(arena, RT->restore(payload, "resp_2", "Go"));
	assert_true(RT->ends_with_turn(again));
	check_json(json_object_get(again, "responseId"), "'resp_2'");
	assert_null(RT->restore(json("{'messages':[]}"), NULL, "Go"));
	again = json_keep(arena, RT->restore(NULL, "resp_3", "Go"));
	assert_true(RT->ends_with_turn(again));
}

static void test_shrink(void **state UNUSED)
{
	json_t *c = with_calls(), *items = json_object_get(c, "items");
	char *big = arena_alloc(arena, 5001);
	struct tool_result r[] = { { "c1", "list", big, false }, { "c2", "list", "short", false } };

	memset(big, 'x', 5000);
	RT->add_results(c, r, 2);
	RT->shrink(c, 6000);
	assert_int_equal(strlen(json_str(json_array_get(items, 6), "output")), 5000);
	RT->shrink(c, 2000);
	assert_non_null(strstr(json_str(json_array_get(items, 6), "output"), "removed"));
	assert_string_equal(json_str(json_array_get(items, 7), "output"), "short");
}

static const char *request(const struct model_call *mc, unsigned flags)
{
	struct buf b;
	const char *text;

	buf_init(&b, 1 << 20);
	openai_request(&b, mc, flags);
	text = arena_strdup(arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

#define INPUT_GO "{'role':'user','content':[{'type':'input_text','text':'Go'}]}"

static void test_request(void **state UNUSED)
{
	json_t *c = json_keep(arena, RT->start("Go"));
	struct model_call mc = { .model = "m", .stream = true, .system_stable = "You",
		.system_rest = "Docs", .conversation = c,
		.tools = json("[{'name':'n','description':'d','input_schema':{}}]"),
		.server_tools = json("{'web_search_preview':true,'file_search':true}") };

	assert_string_equal(request(&mc, 0),
	    quoted(arena, "{'model':'m','instructions':'You\\n\\nDocs','input':[" INPUT_GO "],"
			  "'tools':[{'type':'function','name':'n','description':'d',"
			  "'parameters':{},'strict':false},{'type':'web_search_preview'}],"
			  "'store':true,'stream':true}"));
	assert_null(strstr(request(&mc, OPENAI_NO_SERVER_TOOLS), "web_search"));
	mc = (struct model_call){ .model = "m", .conversation = with_calls(), .json = true,
		.max_tokens = 2048 };
	RT->add_results((json_t *)(uintptr_t)mc.conversation,
	    &(struct tool_result){ "c1", "list", "[]", false }, 1);
	assert_string_equal(request(&mc, 0),
	    quoted(arena, "{'model':'m','input':[{'type':'function_call_output','call_id':'c1',"
			  "'output':'[]'}],'previous_response_id':'resp_1','store':true,"
			  "'stream':false,'max_output_tokens':2048,"
			  "'text':{'format':{'type':'json_object'}}}"));
	assert_null(strstr(request(&mc, OPENAI_REPLAY), "previous_response_id"));
	assert_null(strstr(request(&mc, OPENAI_REPLAY), "reasoning"));
	assert_non_null(strstr(request(&mc, OPENAI_REPLAY), "Caf\xc3\xa9"));
}

static void stream_to(int fd, const char *events)
{
	tiny_printf(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
			"Connection: close\r\n\r\n%s",
	    quoted(arena, events));
}

#define ERROR(code, words) \
	"{'error':{'message':'" words "','type':'invalid_request_error','code':'" code "'}}"

static void serve(int fd, const char *path, unsigned hit)
{
	if (text_starts(path, "/plain"))
		tiny_reply(fd, 200, "",
		    quoted(arena, "{'id':'r','status':'completed','model':'m','output':["
				  MESSAGE("Hello") "],'usage':{'input_tokens':5,"
				  "'output_tokens':6}}"));
	else if (text_starts(path, "/quota"))
		tiny_reply(fd, 429, "", quoted(arena, ERROR("insufficient_quota", "Pay")));
	else if (text_starts(path, "/long"))
		tiny_reply(fd, 400, "", quoted(arena, ERROR("context_length_exceeded", "Long")));
	else if (strstr(server.seen->hit[hit].body, "web_search"))
		tiny_reply(fd, 400, "", quoted(arena, ERROR("", "web_search_preview is unknown")));
	else if (text_starts(path, "/gone") && hit == 0)
		tiny_reply(fd, 400, "",
		    quoted(arena, ERROR("previous_response_not_found", "Gone")));
	else if (text_starts(path, "/format") && hit == 0)
		tiny_reply(fd, 400, "", quoted(arena, ERROR("", "'text.format' is unsupported")));
	else if (text_starts(path, "/busy") && hit == 0)
		stream_to(fd, CREATED FAILS("rate_limit_exceeded"));
	else if (text_starts(path, "/fails"))
		stream_to(fd, CREATED FAILS("invalid_prompt"));
	else if (text_starts(path, "/over"))
		stream_to(fd, CREATED FAILS("context_length_exceeded"));
	else if (text_starts(path, "/cut"))
		stream_to(fd, CREATED DONE_ITEM(MESSAGE("Hel")));
	else
		stream_to(fd, CREATED DONE_ITEM(MESSAGE("Hello")) ENDS("completed", ""));
}

static enum rc ask_mc(const char *path, struct model_call mc, struct turn *t, struct err *e)
{
	struct http *h = http_new(-1);
	enum rc rc;

	mc.base_url = arena_printf(arena, "%s%s/", server.url, path);
	mc.key = "sk-0123456789";
	mc.model = path;
	if (!mc.conversation)
		mc.conversation = json_keep(arena, RT->start("Go"));
	server.seen->hits = 0;
	err_clear(e);
	rc = RT->call(h, arena, &mc, t, e);
	http_free(h);
	return rc;
}

static void check_fail(const char *path, const char *words, unsigned hits)
{
	struct turn t;
	struct err e;

	assert_int_equal(ask_mc(path, (struct model_call){ .stream = true }, &t, &e), RC_UPSTREAM);
	assert_string_equal(e.msg, words);
	assert_int_equal(server.seen->hits, hits);
}

static void check_fine(const char *path, struct model_call mc, unsigned hits)
{
	struct turn t;
	struct err e;

	assert_int_equal(ask_mc(path, mc, &t, &e), RC_OK);
	assert_string_equal(t.text, "Hello");
	assert_int_equal(server.seen->hits, hits);
}

static void test_calls(void **state UNUSED)
{
	tiny_start(&server, serve);
	check_fine("/fine", (struct model_call){ .stream = true }, 1);
	assert_non_null(strstr(server.seen->hit[0].head, "authorization: Bearer sk-0123456789"));
	assert_non_null(strstr(server.seen->hit[0].head, "POST /fine/responses "));
	check_fine("/plain", (struct model_call){ .max_tokens = 9 }, 1);
	check_fine("/busy", (struct model_call){ .stream = true }, 2);
	check_fine("/format", (struct model_call){ .stream = true, .json = true }, 2);
	assert_null(strstr(server.seen->hit[1].body, "json_object"));
	check_fail("/quota", "HTTP 429 invalid_request_error (insufficient_quota): Pay", 1);
	check_fail("/fails", "HTTP 500 invalid_prompt: No", 1);
	check_fail("/cut", "Stream ended unexpectedly", 1);
}

static void test_mended_calls(void **state UNUSED)
{
	struct model_call mc = { .stream = true,
		.server_tools = json("{'web_search_preview':true}") };

	tiny_start(&server, serve);
	check_fine("/search", mc, 2);
	assert_non_null(strstr(server.seen->hit[0].body, "web_search_preview"));
	assert_null(strstr(server.seen->hit[1].body, "web_search_preview"));
	/* Not tried again with the same model. */
	check_fine("/search", mc, 1);
	assert_null(strstr(server.seen->hit[0].body, "web_search_preview"));
	mc.server_tools = NULL;
	mc.conversation = with_calls();
	RT->add_results((json_t *)(uintptr_t)mc.conversation,
	    &(struct tool_result){ "c1", "list", "[]", false }, 1);
	check_fine("/gone", mc, 2);
	assert_non_null(strstr(server.seen->hit[0].body, "previous_response_id"));
	assert_null(strstr(server.seen->hit[1].body, "previous_response_id"));
	assert_null(strstr(server.seen->hit[1].body, "reasoning"));
}

static void test_context_exceeded(void **state UNUSED)
{
	static const char *const PATHS[] = { "/long", "/over" };
	struct turn t;
	struct err e;

	tiny_start(&server, serve);
	for (size_t i = 0; i < COUNT(PATHS); i++) {
		assert_int_equal(
		    ask_mc(PATHS[i], (struct model_call){ .stream = true }, &t, &e), RC_OK);
		assert_int_equal(t.stop, STOP_CONTEXT);
		assert_null(t.message);
		assert_int_equal(server.seen->hits, 1);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_split),
		CASE(test_every_cut_is_noticed),
		CASE(test_stops),
		CASE(test_conversation),
		CASE(test_restore),
		CASE(test_shrink),
		CASE(test_request),
		CASE(test_calls),
		CASE(test_mended_calls),
		CASE(test_context_exceeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
