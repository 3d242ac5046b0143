/* Provider calls against a server that answers with errors, breaks off or hangs. */
#include "tests/unit/http_case.h"

static void serve_broken(int fd, const char *path, unsigned hit)
{
	static const char HUGE[65536];

	if (strcmp(path, "/hang") == 0) {
		tiny_hang(fd);
	} else if (strcmp(path, "/drip") == 0) {
		tiny_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin");
		tiny_hang(fd);
	} else if (strcmp(path, "/cut") == 0 || (strcmp(path, "/cutonce") == 0 && !hit)) {
		tiny_printf(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin");
	} else if (strcmp(path, "/short") == 0) {
		tiny_printf(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s",
		    hit ? "begin end" : "");
	} else if (strcmp(path, "/nothing") == 0 && !hit) {
		return;
	} else if (strcmp(path, "/huge") == 0) {
		tiny_printf(fd, "HTTP/1.1 400 Bad\r\nContent-Type: text/html\r\n\r\nproblem \xc3");
		for (int i = 0; i < 1600; i++)
			tiny_write(fd, HUGE, sizeof HUGE);
	} else {
		chunked(fd);
	}
}

static void serve_errors(int fd, const char *path, unsigned hit UNUSED)
{
	if (strcmp(path, "/302") == 0)
		tiny_reply(fd, 302, "Location: /elsewhere\r\n", "");
	else if (strcmp(path, "/key") == 0)
		tiny_reply(fd, 401, "request-id: req_9\r\n",
		    "{\"error\":{\"type\":\"authentication_error\",\"message\":"
		    "\"bad key sk-ant-0123456789abc\"}}");
	else if (strcmp(path, "/openai") == 0)
		tiny_reply(fd, 404, "x-request-id: req_o\r\n",
		    "{\"error\":{\"type\":\"invalid_request_error\",\"code\":\"model_not_found\","
		    "\"message\":\"No such model\"}}");
	else if (strcmp(path, "/ollama") == 0)
		tiny_reply(fd, 404, "", "{\"error\":\"model \\\"x\\\" not found\"}");
	else if (strcmp(path, "/latin") == 0)
		tiny_reply(fd, 418, "", " \n caf\xe9 sk-0123456789 \xc3\xa9 \n");
	else if (strcmp(path, "/long") == 0)
		tiny_printf(fd, "HTTP/1.1 400 Bad\r\nrequest-id: req_long\r\n\r\n"
				"{\"error\":{\"type\":\"t\",\"message\":\"%01000d\"}}", 7);
	else if (strcmp(path, "/plain") == 0)
		tiny_printf(fd, "HTTP/1.1 400 Bad\r\n\r\n%01000d", 7);
	else
		tiny_reply(fd, 200, "", "not what was asked");
}

static void test_error_texts(void **state UNUSED)
{
	tiny_start(&server, serve_errors);
	check_fail("/302", "HTTP 302", 1);
	check_fail("/key",
	    "HTTP 401 authentication_error: bad key sk-*** (request-id req_9)", 1);
	assert_null(strstr(answer.error_body, "0123456789"));
	check_fail("/openai",
	    "HTTP 404 invalid_request_error (model_not_found): No such model (request-id req_o)",
	    1);
	check_fail("/ollama", "HTTP 404: model \"x\" not found", 1);
	check_fail("/latin", "HTTP 418: caf? sk-*** \xc3\xa9", 1);
	check_fail("/plain", arena_printf(arena, "HTTP 400: %0300d", 0), 1);
}

static void test_long_message_is_cut(void **state UNUSED)
{
	struct seen s = { 0 };

	tiny_start(&server, serve_errors);
	assert_int_equal(ask("/long", &s, (struct http_request){ 0 }), RC_UPSTREAM);
	assert_int_equal(strlen(err.msg), sizeof err.msg - 1);
	assert_true(text_ends(err.msg, "000 (request-id req_long)"));
}

static void test_huge_error_body(void **state UNUSED)
{
	struct seen s = { 0 };
	int64_t begin = mono_ms();

	tiny_start(&server, serve_broken);
	assert_int_equal(ask("/huge", &s, (struct http_request){ .repeats = 2 }), RC_UPSTREAM);
	assert_int_equal(strlen(answer.error_body), 64 << 10);
	assert_true(text_starts(err.msg, "HTTP 400: problem ????"));
	assert_int_equal(server.seen->hits, 1);
	assert_true(mono_ms() - begin < 3000);
}

static void test_cancel_hanging_call(void **state UNUSED)
{
	struct seen s = { 0 };

	tiny_start(&server, serve_broken);
	check_cancel("/hang");
	assert_int_equal(write(cancel[1], "!", 1), 1);
	assert_int_equal(ask("/hang", &s, (struct http_request){ 0 }), RC_CANCELLED);
	assert_int_equal(server.seen->hits, 1);
}

static void test_cancel_in_stream(void **state UNUSED)
{
	tiny_start(&server, serve_broken);
	check_cancel("/drip");
}

static void test_cut_before_action_is_repeated(void **state UNUSED)
{
	tiny_start(&server, serve_broken);
	check_ok("/cutonce", "hello, world", 2);
}

static void test_no_answer_is_repeated(void **state UNUSED)
{
	tiny_start(&server, serve_broken);
	check_ok("/nothing", "hello, world", 2);
}

static void test_cut_after_action(void **state UNUSED)
{
	struct seen s = { .acts = true };

	tiny_start(&server, serve_broken);
	assert_int_equal(ask("/cut", &s, (struct http_request){ .repeats = 2, .acted = acted,
					     .whole = whole }), RC_UPSTREAM);
	assert_string_equal(err.msg, "Stream ended unexpectedly");
	assert_string_equal(buf_text(&s.text), "begin");
	assert_int_equal(server.seen->hits, 1);
	buf_fini(&s.text);
}

static void test_short_answer_is_repeated(void **state UNUSED)
{
	struct seen s = { .acts = true, .end = "end" };

	tiny_start(&server, serve_broken);
	assert_int_equal(ask("/short", &s, (struct http_request){ .repeats = 2, .acted = acted,
					       .whole = whole }), RC_OK);
	assert_int_equal(server.seen->hits, 2);
	buf_fini(&s.text);
}

static void test_whole_answer_needs_no_end(void **state UNUSED)
{
	static const char *const PATHS[] = { "/cut", "/drip" };

	tiny_start(&server, serve_broken);
	for (size_t i = 0; i < COUNT(PATHS); i++) {
		struct seen s = { .end = "begin" };

		assert_int_equal(ask(PATHS[i], &s, (struct http_request){ .whole = whole }), RC_OK);
		buf_fini(&s.text);
	}
}

static void test_refusing_sink(void **state UNUSED)
{
	struct seen s = { .refuse_after = 3 };

	tiny_start(&server, serve_errors);
	assert_int_equal(ask("/", &s, (struct http_request){ .repeats = 2 }), RC_UPSTREAM);
	assert_int_equal(server.seen->hits, 1);
	buf_fini(&s.text);
	err_clear(&err);
	assert_int_equal(ask("/", &s, (struct http_request){ .repeats = 1, .acted = acted }),
	    RC_UPSTREAM);
	assert_int_equal(server.seen->hits, 3);
	buf_fini(&s.text);
}

static void test_time_limits(void **state UNUSED)
{
	struct seen s = { 0 };
	int64_t begin = mono_ms();

	tiny_start(&server, serve_broken);
	assert_int_equal(ask("/hang", &s, (struct http_request){ .repeats = 2,
					      .idle_timeout_ms = 200 }), RC_TIMEOUT);
	assert_in_range(mono_ms() - begin, 190, 1500);
	assert_int_equal(server.seen->hits, 1);
	err_clear(&err);
	assert_int_equal(ask("/drip", &s, (struct http_request){ .repeats = 2,
					      .total_timeout_ms = 200 }), RC_TIMEOUT);
	assert_string_equal(err.msg, "Request timed out");
	assert_in_range(mono_ms() - begin, 390, 3000);
	buf_fini(&s.text);
}

static void test_refused_connection(void **state UNUSED)
{
	struct seen s = { 0 };

	tiny_start(&server, serve_errors);
	tiny_stop(&server);
	server.pid = 0;
	assert_int_equal(ask("/", &s, (struct http_request){ .repeats = 1 }), RC_UPSTREAM);
	assert_true(text_starts(err.msg, "Failed to connect to 127.0.0.1 port"));
	assert_int_equal(answer.status, 0);
	assert_int_equal(s.restarts, 1);
}

static void test_what_is_never_sent(void **state UNUSED)
{
	static const char *const URLS[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x",
		"nonsense://x", "" };
	static const char *const BAD[] = { "x: 1\r\ny: 2", NULL };
	struct http_request rq = { .url = "http://127.0.0.1:1/", .headers = BAD, .repeats = 2 };

	assert_int_equal(http_call(http, arena, &rq, &answer, &err), RC_INVALID);
	rq.headers = NULL;
	rq.body = "";
	rq.body_len = HTTP_REQUEST_MAX + 1;
	err_clear(&err);
	assert_int_equal(http_call(http, arena, &rq, &answer, &err), RC_TOOLARGE);
	assert_string_equal(err.msg, "Request too large");
	for (size_t i = 0; i < COUNT(URLS); i++) {
		rq = (struct http_request){ .url = URLS[i], .repeats = 2 };
		err_clear(&err);
		assert_int_equal(http_call(http, arena, &rq, &answer, &err), RC_UPSTREAM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_error_texts),
		CASE(test_long_message_is_cut),
		CASE(test_huge_error_body),
		CASE(test_cancel_hanging_call),
		CASE(test_cancel_in_stream),
		CASE(test_cut_before_action_is_repeated),
		CASE(test_no_answer_is_repeated),
		CASE(test_cut_after_action),
		CASE(test_short_answer_is_repeated),
		CASE(test_whole_answer_needs_no_end),
		CASE(test_refusing_sink),
		CASE(test_time_limits),
		CASE(test_refused_connection),
		CASE(test_what_is_never_sent),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
