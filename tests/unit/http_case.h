/* What the tests of provider calls share: a call against the tiny server, and checks of how it
 * went. */
#ifndef TESTS_UNIT_HTTP_CASE_H
#define TESTS_UNIT_HTTP_CASE_H

#include "tests/unit/tiny_server.h"

#include <fcntl.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/buf.h"
#include "core/text.h"
#include "jobrunner/http.h"

#define ERROR_JSON \
	"{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Busy\"}}"

static struct tiny server;
static struct http *http;
static struct arena *arena;
static struct http_answer answer;
static struct err err;
static int cancel[2];

/* What a request's callbacks have seen. */
struct seen {
	struct buf text;
	int restarts;
	size_t refuse_after;
	const char *end; /* the answer is whole where its text ends so */
	bool acts;       /* a received byte forbids a repetition */
};

static inline bool sink(void *arg, const char *data, size_t n)
{
	struct seen *s = arg;

	buf_add(&s->text, data, n);
	return !s->refuse_after || s->text.len < s->refuse_after;
}

static inline bool acted(void *arg)
{
	const struct seen *s = arg;

	return s->acts && s->text.len;
}

static inline bool whole(void *arg)
{
	struct seen *s = arg;

	return s->end && text_ends(buf_text(&s->text), s->end);
}

static inline void restart(void *arg)
{
	struct seen *s = arg;

	s->restarts++;
	buf_clear(&s->text);
}

static inline void chunked(int fd)
{
	tiny_printf(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n");
}

static inline int setup(void **state UNUSED)
{
	arena = arena_new(ARENA_REQUEST_MAX);
	err_clear(&err);
	if (pipe2(cancel, O_CLOEXEC) < 0)
		return -1;
	http = http_new(cancel[0]);
	return 0;
}

static inline int teardown(void **state UNUSED)
{
	http_free(http);
	arena_free(arena);
	close(cancel[0]);
	close(cancel[1]);
	if (server.pid)
		tiny_stop(&server);
	server.pid = 0;
	return 0;
}

static inline enum rc ask(const char *path, struct seen *s, struct http_request rq)
{
	static const char *const HEADERS[] = { "content-type: text/plain", "x-test: 1", NULL };

	buf_init(&s->text, 1 << 20);
	rq.url = arena_printf(arena, "%s%s", server.url, path);
	rq.headers = HEADERS;
	rq.body = rq.body ? rq.body : "{\"ask\":1}";
	rq.body_len = rq.body_len ? rq.body_len : strlen(rq.body);
	rq.sink = sink;
	rq.sink_arg = s;
	rq.restart = restart;
	return http_call(http, arena, &rq, &answer, &err);
}

/* A call with two repeats, its text and its number of requests. */
static inline void check_ok(const char *path, const char *text, unsigned hits)
{
	struct seen s = { 0 };

	assert_int_equal(ask(path, &s, (struct http_request){ .repeats = 2 }), RC_OK);
	assert_string_equal(buf_text(&s.text), text);
	assert_int_equal(server.seen->hits, hits);
	assert_int_equal(s.restarts, hits - 1);
	assert_int_equal(answer.status, 200);
	buf_fini(&s.text);
}

static inline void check_fail(const char *path, const char *text, unsigned hits)
{
	struct seen s = { 0 };

	server.seen->hits = 0;
	err_clear(&err);
	assert_int_equal(ask(path, &s, (struct http_request){ .repeats = 2 }), RC_UPSTREAM);
	assert_string_equal(err.msg, text);
	assert_int_equal(server.seen->hits, hits);
	assert_int_equal(s.text.len, 0);
	buf_fini(&s.text);
}

/* Cancels DELAY ms from now, in another process; the descriptor carries the time of it. */
static inline pid_t cancel_in(int delay_ms)
{
	pid_t pid = fork();
	int64_t now;

	if (pid == 0) {
		usleep((unsigned)delay_ms * 1000);
		now = mono_ms();
		_exit(write(cancel[1], &now, sizeof now) != sizeof now);
	}
	return pid;
}

static inline void check_cancel(const char *path)
{
	struct seen s = { 0 };
	int64_t begin = 0;
	pid_t pid = cancel_in(200);

	assert_int_equal(ask(path, &s, (struct http_request){ .repeats = 2 }), RC_CANCELLED);
	assert_int_equal(read(cancel[0], &begin, sizeof begin), sizeof begin);
	assert_in_range(mono_ms() - begin, 0, 100);
	assert_int_equal(server.seen->hits, 1);
	waitpid(pid, NULL, 0);
	buf_fini(&s.text);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

#endif
