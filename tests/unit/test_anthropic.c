/* The Anthropic adapter: answers from any split of a stream, and the conversation. */
#include "tests/unit/adapter_case.h"

#include "jobrunner/runtimes/anthropic.h"

static const struct runtime_ops *const RT = &RUNTIME_ANTHROPIC;

/* Reads STREAM in two pieces, the first of AT bytes; whether it was whole. */
static bool read_split(const char *stream, size_t at, struct turn *t)
{
	static const struct model_call MC = { .stream = true };
	const char *text = quoted(arena, stream);
	struct anthropic_answer s;
	size_t n = strlen(text);
	bool ok;

	anthropic_answer_init(&s, arena, &MC);
	ok = anthropic_answer_feed(&s, text, at) &&
	     anthropic_answer_feed(&s, text + at, n - at) && anthropic_answer_whole(&s) &&
	     anthropic_answer_turn(&s, t);
	anthropic_answer_fini(&s);
	return ok;
}

static struct turn read_stream(const char *stream)
{
	struct turn t;

	assert_true(read_split(stream, strlen(stream), &t));
	return t;
}

static const char RICH[] =
    BEGIN
    OPEN(0, "{'type':'thinking','thinking':'','signature':''}")
    EV("ping", "")
    DELTA(0, "{'type':'thinking_delta','thinking':'Let me '}")
    DELTA(0, "{'type':'thinking_delta','thinking':'think'}")
    DELTA(0, "{'type':'signature_delta','signature':'c2ln'}")
    CLOSE(0)
    OPEN(1, "{'type':'redacted_thinking','data':'eHl6'}") CLOSE(1)
    OPEN(2, TEXT_BLOCK) TEXT(2, "Caf\xc3\xa9 \\ud83d\\ude00 ") TEXT(2, "\xe2\x82\xac") CLOSE(2)
    OPEN(3, "{'type':'server_tool_use','id':'srv_1','name':'web_search','input':{}}")
    INPUT(3, "{\\'query\\':\\'x\\'}") CLOSE(3)
    OPEN(4, "{'type':'novelty','zeta':[1,{'b':2.5,'a':null}],'input':'as it is'}")
    DELTA(4, "{'type':'novelty_delta','more':1}") CLOSE(4)
    OPEN(5, "{'type':'text','text':'Start, ','citations':null}")
    DELTA(5, "{'type':'citations_delta','citation':{'url':'u'}}")
    TEXT(5, "end") CLOSE(5)
    OPEN(6, TOOL("toolu_1", "list")) INPUT(6, "") INPUT(6, "{\\'zz\\':1,")
    INPUT(6, "\\'aa\\':[\\'\xc3\xa9\\']}") CLOSE(6)
    OPEN(7, TOOL("toolu_2", "now")) CLOSE(7)
    EV("unheard_of", ",'index':0")
    END("'tool_use'");

static const char RICH_MESSAGE[] =
    "{'role':'assistant','content':["
    "{'type':'thinking','thinking':'Let me think','signature':'c2ln'},"
    "{'type':'redacted_thinking','data':'eHl6'},"
    "{'type':'text','text':'Caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xac'},"
    "{'type':'server_tool_use','id':'srv_1','name':'web_search','input':{'query':'x'}},"
    "{'type':'novelty','zeta':[1,{'b':2.5,'a':null}],'input':'as it is'},"
    "{'type':'text','text':'Start, end','citations':[{'url':'u'}]},"
    "{'type':'tool_use','id':'toolu_1','name':'list','input':{'zz':1,'aa':['\xc3\xa9']}},"
    "{'type':'tool_use','id':'toolu_2','name':'now','input':{}}]}";

static void test_every_split(void **state UNUSED)
{
	for (size_t at = 0; at < sizeof RICH; at++) {
		struct turn t;

		assert_true(read_split(RICH, at, &t));
		check_json(t.message, RICH_MESSAGE);
		assert_string_equal(t.text, "Caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82\xacStart, end");
		assert_int_equal(t.stop, STOP_TOOLS);
		assert_int_equal(t.n_calls, 2);
		assert_string_equal(t.calls[0].name, "list");
		check_json(t.calls[0].input, "{'zz':1,'aa':['\xc3\xa9']}");
		assert_null(t.calls[0].bad);
		check_json(t.calls[1].input, "{}");
		assert_true(t.usage.known);
		assert_int_equal(t.usage.input, 137);
		assert_int_equal(t.usage.cache_write, 30);
		assert_int_equal(t.usage.cache_read, 7);
		assert_int_equal(t.usage.output, 20);
		assert_string_equal(t.usage.model, "claude-x");
		arena_reset(arena);
	}
}

static void test_every_cut_is_noticed(void **state UNUSED)
{
	static const struct model_call MC = { .stream = true };
	/* The last line end dispatches message_stop. */
	size_t n = sizeof RICH - 2;
	const char *text = quoted(arena, RICH);

	for (size_t at = 0; at < n; at++) {
		struct anthropic_answer s;

		anthropic_answer_init(&s, arena, &MC);
		assert_true(anthropic_answer_feed(&s, text, at));
		assert_false(anthropic_answer_whole(&s));
		anthropic_answer_fini(&s);
	}
}

static void test_stop_reasons(void **state UNUSED)
{
	static const struct {
		const char *stream;
		enum stop_reason stop;
	} CASES[] = {
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'end_turn'"), STOP_DONE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'stop_sequence'"), STOP_DONE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("null"), STOP_DONE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'tool_use'"), STOP_DONE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'brand_new'"), STOP_DONE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'max_tokens'"), STOP_LENGTH },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'pause_turn'"), STOP_PAUSE },
		{ BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("'refusal'"), STOP_REFUSED },
		{ BEGIN END("'model_context_window_exceeded'"), STOP_CONTEXT },
		{ BEGIN OPEN(0, TOOL("t", "n")) INPUT(0, "{}") END("'end_turn'"), STOP_TOOLS },
		{ BEGIN OPEN(0, TOOL("t", "n")) INPUT(0, "{}") END("'max_tokens'"), STOP_TOOLS },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_int_equal(read_stream(CASES[i].stream).stop, CASES[i].stop);
}

static void test_cut_at_token_limit(void **state UNUSED)
{
	struct turn t = read_stream(BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "so ") CLOSE(0)
		OPEN(1, TOOL("t1", "a")) INPUT(1, "{\\'x\\':1}") CLOSE(1)
		OPEN(2, TOOL("t2", "b")) INPUT(2, "{\\'x\\':") CLOSE(2) END("'max_tokens'"));

	check_json(t.message,
	    "{'role':'assistant','content':[{'type':'text','text':'so '},"
	    "{'type':'tool_use','id':'t1','name':'a','input':{'x':1}}]}");
	assert_int_equal(t.stop, STOP_TOOLS);
	t = read_stream(BEGIN OPEN(0, TOOL("t2", "b")) CLOSE(0) END("'max_tokens'"));
	assert_null(t.message);
	assert_int_equal(t.n_calls, 0);
	assert_int_equal(t.stop, STOP_LENGTH);
	t = read_stream(BEGIN OPEN(0, "{'type':'thinking','thinking':'','signature':''}")
		DELTA(0, "{'type':'thinking_delta','thinking':'hm'}") END("'max_tokens'"));
	assert_null(t.message);
	assert_string_equal(t.text, "hm");
}

static void test_unreadable_input(void **state UNUSED)
{
	static const char *const INPUTS[] = { INPUT(0, "{\\'x\\':"), INPUT(0, "[1]"),
		INPUT(0, "{\\'x\\':\\'\\\\u0000\\'}") };

	for (size_t i = 0; i < COUNT(INPUTS); i++) {
		struct turn t = read_stream(arena_printf(arena, "%s%s%s",
		    BEGIN OPEN(0, TOOL("t1", "a")), INPUTS[i], CLOSE(0) END("'tool_use'")));

		assert_int_equal(t.n_calls, 1);
		assert_non_null(t.calls[0].bad);
		check_json(t.message, "{'role':'assistant','content':["
			"{'type':'tool_use','id':'t1','name':'a','input':null}]}");
	}
}

/* A block in a stream whose member "x" is an array nested N deep. */
static struct turn read_nested(int n)
{
	char nest[300] = "";

	memset(nest, '[', (size_t)n);
	memset(nest + n, ']', (size_t)n);
	return read_stream(arena_printf(arena, "%s%s%s%s%s",
	    BEGIN "event: content_block_start\ndata: {'type':'content_block_start','index':0,"
		  "'content_block':{'type':'novelty','x':", nest, "}}\n\n" OPEN(1, TOOL("t", "n"))
	    "event: content_block_delta\ndata: {'type':'content_block_delta','index':1,'delta':"
	    "{'type':'input_json_delta','partial_json':'{\\'x\\':", nest,
	    "}'}}\n\n" END("'tool_use'")));
}

static void test_deep_values(void **state UNUSED)
{
	struct turn t = read_nested(50);

	assert_int_equal(json_array_size(json_object_get(t.message, "content")), 2);
	assert_null(t.calls[0].bad);
	t = read_nested(60);
	assert_int_equal(json_array_size(json_object_get(t.message, "content")), 1);
	assert_non_null(t.calls[0].bad);
}

static void test_blank_blocks(void **state UNUSED)
{
	struct turn t = read_stream(BEGIN OPEN(0, TEXT_BLOCK) CLOSE(0) OPEN(1, TEXT_BLOCK)
		TEXT(1, "a") CLOSE(1) OPEN(2, TEXT_BLOCK) TEXT(2, "\\n\\n") CLOSE(2)
		OPEN(3, TEXT_BLOCK) TEXT(3, "b") CLOSE(3) END("null"));

	assert_string_equal(t.text, "a\n\nb");
	check_json(t.message, "{'role':'assistant','content':[{'type':'text','text':'a'},"
		"{'type':'text','text':'b'}]}");
	t = read_stream(BEGIN OPEN(0, TEXT_BLOCK) CLOSE(0) END("'end_turn'"));
	assert_null(t.message);
	assert_string_equal(t.text, "");
}

static void test_strange_streams(void **state UNUSED)
{
	static const char *const GOOD[] = { "data: [DONE]\n\n" BEGIN END("null"),
		BEGIN TEXT(9, "nowhere") DELTA(0, "7") OPEN(0, "{}") OPEN(0, "null") END("null"),
		BEGIN EV("message_delta", ",'delta':null,'usage':7") END("null"),
		BEGIN END("null") TEXT(0, "late") FAILED("api_error", "late") };
	struct turn t;

	for (size_t i = 0; i < COUNT(GOOD); i++) {
		assert_true(read_split(GOOD[i], 0, &t));
		assert_null(t.message);
		assert_int_equal(t.usage.output, 20);
	}
	assert_false(read_split(BEGIN "event: message_delta\ndata: {\n\n" END("null"), 0, &t));
	assert_false(read_split(BEGIN FAILED("overloaded_error", "x") END("null"), 0, &t));
}

static void count_event(void *arg, const char *type, const char *text, size_t n)
{
	struct buf *b = arg;

	assert_non_null(json_read(arena, text, n));
	buf_printf(b, "%s ", type);
}

static void test_events_are_shown(void **state UNUSED)
{
	static const char stream[] =
	    BEGIN EV("ping", "") OPEN(0, TEXT_BLOCK) TEXT(0, "x") END("null");
	struct buf seen;
	struct model_call mc = { .stream = true, .on_event = count_event, .on_event_arg = &seen };
	struct anthropic_answer s;

	buf_init(&seen, 4096);
	anthropic_answer_init(&s, arena, &mc);
	assert_true(anthropic_answer_feed(&s, quoted(arena, stream), sizeof stream - 1));
	assert_string_equal(buf_text(&seen), "message_start ping content_block_start "
		"content_block_delta message_delta message_stop ");
	anthropic_answer_fini(&s);
	buf_fini(&seen);
}

static void test_conversation(void **state UNUSED)
{
	static const struct tool_result FIRST[] = { { "toolu_1", "list", "[]", false } };
	static const struct tool_result SECOND[] = { { "toolu_2", "now", "no", true } };
	json_t *c = json_keep(arena, RT->start("Go"));
	struct turn t = read_stream(RICH);
	struct tool_call *calls;

	check_json(c, "[{'role':'user','content':[{'type':'text','text':'Go'}]}]");
	assert_false(RT->ends_with_turn(c));
	assert_int_equal(RT->open_calls(arena, c, &calls), 0);
	RT->add_turn(c, &t);
	RT->add_turn(c, &(struct turn){ 0 });
	assert_true(RT->ends_with_turn(c));
	assert_int_equal(RT->open_calls(arena, c, &calls), 2);
	RT->add_results(c, FIRST, 1);
	assert_int_equal(RT->open_calls(arena, c, &calls), 1);
	assert_string_equal(calls[0].id, "toolu_2");
	assert_string_equal(calls[0].name, "now");
	check_json(calls[0].input, "{}");
	RT->add_user(c, "go on");
	RT->add_results(c, SECOND, 1);
	RT->add_user(c, " \n");
	assert_int_equal(RT->open_calls(arena, c, &calls), 0);
	assert_int_equal(json_array_size(c), 3);
	check_json(json_array_get(c, 1), RICH_MESSAGE);
	check_json(json_array_get(c, 2), "{'role':'user','content':["
		"{'type':'tool_result','tool_use_id':'toolu_1',"
		"'content':[{'type':'text','text':'[]'}]},"
		"{'type':'tool_result','tool_use_id':'toolu_2','content':["
		"{'type':'text','text':'no'}],'is_error':true},"
		"{'type':'text','text':'go on'}]}");
}

static void test_conversation_outlives_the_call(void **state UNUSED)
{
	json_t *c = RT->start("Go");
	struct turn t = read_stream(RICH);

	RT->add_turn(c, &t);
	arena_reset(arena);
	check_json(json_array_get(c, 1), RICH_MESSAGE);
	json_decref(c);
}

static void test_paused_turn_goes_on(void **state UNUSED)
{
	json_t *c = json_keep(arena, RT->start("Go"));
	struct turn t = read_stream(BEGIN OPEN(0, TEXT_BLOCK) TEXT(0, "a") END("'pause_turn'"));

	RT->add_turn(c, &t);
	RT->add_turn(c, &t);
	check_json(t.message, "{'role':'assistant','content':[{'type':'text','text':'a'}]}");
	check_json(json_array_get(c, 1), "{'role':'assistant','content':["
		"{'type':'text','text':'a'},{'type':'text','text':'a'}]}");
}

static void test_foreign_snapshots(void **state UNUSED)
{
	json_t *c = json("[{'role':'user','content':'Go'}]");
	struct tool_call *calls;

	RT->add_user(c, "on");
	check_json(c, "[{'role':'user','content':[{'type':'text','text':'Go'},"
		"{'type':'text','text':'on'}]}]");
	c = json("[{'role':'assistant','content':'x'},7,{'role':'user'}]");
	assert_int_equal(RT->open_calls(arena, c, &calls), 0);
	RT->shrink(c, 0);
	RT->add_user(c, "y");
	assert_int_equal(json_array_size(c), 3);
	assert_false(RT->ends_with_turn(json("[]")));
	assert_int_equal(RT->open_calls(arena, json("[]"), &calls), 0);
}

static void test_shrink(void **state UNUSED)
{
	const char *large = arena_printf(arena, "%01000d", 0);
	const struct tool_result r[] = { { "a", "n", large, false }, { "b", "n", "short", false },
		{ "c", "n", large, true } };
	json_t *c = json_keep(arena, RT->start("Go"));
	size_t before;

	RT->add_results(c, r, COUNT(r));
	before = strlen(json_text(arena, c));
	RT->shrink(c, before);
	assert_int_equal(strlen(json_text(arena, c)), before);
	RT->shrink(c, before - 1);
	assert_in_range(strlen(json_text(arena, c)), before - 1000, before - 900);
	assert_non_null(strstr(json_text(arena, c), large));
	RT->shrink(c, 10);
	assert_null(strstr(json_text(arena, c), "00000"));
	assert_non_null(strstr(json_text(arena, c), "short"));
	assert_non_null(strstr(json_text(arena, c),
	    quoted(arena, "'tool_use_id':'c','content':[{")));
}

static void test_runtime_find(void **state UNUSED)
{
	assert_ptr_equal(runtime_find("anthropic-direct"), RT);
	assert_ptr_equal(runtime_find("claude-code"), &RUNTIME_CLAUDE);
	assert_ptr_equal(runtime_find("openai-codex-app-server"), &RUNTIME_CODEX);
	assert_null(runtime_find("gpt-9"));
	assert_null(runtime_find(NULL));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_every_split),
		CASE(test_every_cut_is_noticed),
		CASE(test_stop_reasons),
		CASE(test_cut_at_token_limit),
		CASE(test_unreadable_input),
		CASE(test_deep_values),
		CASE(test_blank_blocks),
		CASE(test_strange_streams),
		CASE(test_events_are_shown),
		CASE(test_conversation),
		CASE(test_conversation_outlives_the_call),
		CASE(test_paused_turn_goes_on),
		CASE(test_foreign_snapshots),
		CASE(test_shrink),
		CASE(test_runtime_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
