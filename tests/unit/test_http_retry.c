/* When provider calls are repeated, and how long is waited before. */
#include "tests/unit/http_case.h"

#include <time.h>

static void serve_retries(int fd, const char *path, unsigned hit)
{
	char headers[128], date[64];
	time_t soon = time(NULL) + 2;

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime(&soon));
	snprintf(headers, sizeof headers, "Retry-After: %s\r\n", date);
	if (strcmp(path, "/503") == 0)
		tiny_reply(fd, 503, "retry-after-ms: 1\r\nRequest-Id: req_1\r\n", ERROR_JSON);
	else if (strcmp(path, "/never") == 0)
		tiny_reply(fd, 503, "x-should-retry: false\r\n", ERROR_JSON);
	else if (strcmp(path, "/400forced") == 0)
		tiny_reply(fd, 400, "x-should-retry: true\r\nretry-after-ms: 1\r\n", ERROR_JSON);
	else if (strcmp(path, "/429later") == 0)
		tiny_reply(fd, 429, "retry-after: 61\r\n", ERROR_JSON);
	else if (strcmp(path, "/429wait") == 0)
		tiny_reply(fd, 429, "retry-after: 60\r\n", ERROR_JSON);
	else if (strcmp(path, "/500body") == 0)
		tiny_reply(fd, 500, "retry-after: 0\r\n", "{\"error\":\"model crashed\"}");
	else if (hit)
		chunked(fd);
	else if (strcmp(path, "/429") == 0)
		tiny_reply(fd, 429, "retry-after: 1\r\n", ERROR_JSON);
	else if (strcmp(path, "/ms") == 0)
		tiny_reply(fd, 429, "retry-after: 50\r\nretry-after-ms: 200.5\r\n", ERROR_JSON);
	else if (strcmp(path, "/date") == 0)
		tiny_reply(fd, 429, headers, ERROR_JSON);
	else if (strcmp(path, "/past") == 0)
		tiny_reply(fd, 503, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ERROR_JSON);
	else if (strcmp(path, "/529") == 0)
		tiny_reply(fd, 529, "", ERROR_JSON);
	else if (strcmp(path, "/503later") == 0)
		tiny_reply(fd, 503, "retry-after: 61\r\n", ERROR_JSON);
}

static int64_t gap(unsigned hit)
{
	return server.seen->hit[hit].at_ms - server.seen->hit[hit - 1].at_ms;
}

static void test_plain_call(void **state UNUSED)
{
	struct seen s = { 0 };
	char *large = malloc(1 << 20);

	tiny_start(&server, serve_retries);
	memset(large, 'x', 1 << 20);
	assert_int_equal(ask("/503", &s, (struct http_request){ .body = large, .body_len = 1 << 20,
					     .repeats = 1 }), RC_UPSTREAM);
	assert_int_equal(server.seen->hits, 2);
	for (int i = 0; i < 2; i++) {
		assert_non_null(strstr(server.seen->hit[i].head, "POST /503 HTTP/1.1\r\n"));
		assert_non_null(strstr(server.seen->hit[i].head, "\r\nx-test: 1\r\n"));
		assert_null(strcasestr(server.seen->hit[i].head, "expect:"));
		assert_int_equal(server.seen->hit[i].body_len, 1 << 20);
	}
	free(large);
	buf_fini(&s.text);
}

static void test_retry_after_seconds(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/429", "hello, world", 2);
	assert_in_range(gap(1), 1000, 1900);
}

static void test_retry_after_ms(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/ms", "hello, world", 2);
	assert_in_range(gap(1), 200, 900);
}

static void test_retry_after_date(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/date", "hello, world", 2);
	assert_in_range(gap(1), 900, 2900);
}

static void test_retry_after_past_date(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/past", "hello, world", 2);
	assert_in_range(gap(1), 0, 370);
}

static void test_backoff(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/529", "hello, world", 2);
	assert_in_range(gap(1), 375, 1200);
}

static void test_backoff_where_server_wants_too_long(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_ok("/503later", "hello, world", 2);
	assert_in_range(gap(1), 375, 1200);
}

static void test_retry_limits(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_fail("/503", "HTTP 503 overloaded_error: Busy (request-id req_1)", 3);
	assert_string_equal(answer.error_body, ERROR_JSON);
	assert_string_equal(answer.request_id, "req_1");
	check_fail("/never", "HTTP 503 overloaded_error: Busy", 1);
	check_fail("/400forced", "HTTP 400 overloaded_error: Busy", 3);
	check_fail("/429later", "HTTP 429 overloaded_error: Busy", 1);
}

static void test_server_error_kept(void **state UNUSED)
{
	struct seen s = { 0 };

	tiny_start(&server, serve_retries);
	assert_int_equal(ask("/500body", &s, (struct http_request){ .repeats = 2,
						 .keep_server_errors = true }), RC_UPSTREAM);
	assert_int_equal(server.seen->hits, 1);
	assert_string_equal(err.msg, "HTTP 500: model crashed");
	check_fail("/500body", "HTTP 500: model crashed", 3);
}

static void test_cancel_in_pause(void **state UNUSED)
{
	tiny_start(&server, serve_retries);
	check_cancel("/429wait");
}

static void test_pause_beyond_total_limit(void **state UNUSED)
{
	struct seen s = { 0 };
	int64_t begin = mono_ms();

	tiny_start(&server, serve_retries);
	assert_int_equal(ask("/429wait", &s, (struct http_request){ .repeats = 2,
						 .total_timeout_ms = 5000 }), RC_UPSTREAM);
	assert_string_equal(err.msg, "HTTP 429 overloaded_error: Busy");
	assert_true(mono_ms() - begin < 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_plain_call),
		CASE(test_retry_after_seconds),
		CASE(test_retry_after_ms),
		CASE(test_retry_after_date),
		CASE(test_retry_after_past_date),
		CASE(test_backoff),
		CASE(test_backoff_where_server_wants_too_long),
		CASE(test_retry_limits),
		CASE(test_server_error_kept),
		CASE(test_cancel_in_pause),
		CASE(test_pause_beyond_total_limit),
	};

	setenv("no_proxy", "127.0.0.1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
