/* Events from any split of the bytes. */
#include "jobrunner/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What the handler has seen: "name|data" lines. */
struct seen {
	struct buf text;
	int events, refuse_at;
};

static bool on_event(void *arg, const char *event, const char *data, size_t n)
{
	struct seen *s = arg;

	buf_str(&s->text, event);
	buf_char(&s->text, '|');
	buf_add(&s->text, data, n);
	buf_char(&s->text, '\n');
	return ++s->events != s->refuse_at;
}

static void start(struct sse *s, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	buf_init(&seen->text, 64 << 20);
	sse_init(s, on_event, seen);
}

static void stop(struct sse *s, struct seen *seen)
{
	sse_fini(s);
	buf_fini(&seen->text);
}

static const char STREAM[] =
    ": a comment\n"
    "event: one\n"
    "data: {\"a\":1}\n"
    "\n"
    "event:two\r\n"
    "data:  two blanks\r\n"
    "data\r\n"
    "data:third \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\r\n"
    "id: 7\r\n"
    "\r\n"
    "data: cr\r"
    "retry: 10\r"
    "\r"
    "event: no data\n"
    "\n"
    "\n"
    "data: after: colon\n"
    "\n"
    "data: never ended\n";

static const char EVENTS[] =
    "one|{\"a\":1}\n"
    "two| two blanks\n\nthird \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"
    "|cr\n"
    "|after: colon\n";

static void test_every_split(void **state UNUSED)
{
	size_t n = sizeof STREAM - 1;
	struct seen seen;
	struct sse s;

	for (size_t at = 0; at <= n; at++) {
		start(&s, &seen);
		assert_true(sse_feed(&s, STREAM, at));
		assert_true(sse_feed(&s, STREAM + at, n - at));
		assert_string_equal(buf_text(&seen.text), EVENTS);
		stop(&s, &seen);
	}
}

static void test_every_stride(void **state UNUSED)
{
	size_t n = sizeof STREAM - 1;
	struct seen seen;
	struct sse s;

	for (size_t stride = 1; stride <= n; stride++) {
		start(&s, &seen);
		for (size_t at = 0; at < n; at += stride)
			assert_true(sse_feed(&s, STREAM + at, n - at < stride ? n - at : stride));
		assert_string_equal(buf_text(&seen.text), EVENTS);
		stop(&s, &seen);
	}
}

static void test_refusal_stops(void **state UNUSED)
{
	static const char text[] = "data: 1\n\ndata: 2\n\ndata: 3\n\n";
	struct seen seen;
	struct sse s;

	start(&s, &seen);
	seen.refuse_at = 2;
	assert_false(sse_feed(&s, text, sizeof text - 1));
	assert_false(sse_feed(&s, text, sizeof text - 1));
	assert_string_equal(buf_text(&seen.text), "|1\n|2\n");
	sse_reset(&s);
	assert_true(sse_feed(&s, text, sizeof text - 1));
	assert_int_equal(seen.events, 5);
	stop(&s, &seen);
}

static void test_reset_forgets(void **state UNUSED)
{
	struct seen seen;
	struct sse s;

	start(&s, &seen);
	assert_true(sse_feed(&s, "event: x\ndata: 1\ndata: 2", 24));
	sse_reset(&s);
	assert_true(sse_feed(&s, "data: 3\n\n", 9));
	assert_string_equal(buf_text(&seen.text), "|3\n");
	stop(&s, &seen);
}

static void test_long_event_name(void **state UNUSED)
{
	struct seen seen;
	struct sse s;
	char name[300];

	memset(name, 'n', sizeof name);
	start(&s, &seen);
	assert_true(sse_feed(&s, "event: ", 7));
	assert_true(sse_feed(&s, name, sizeof name));
	assert_true(sse_feed(&s, "\ndata: x\n\n", 10));
	assert_int_equal(seen.text.len, 127 + 3);
	stop(&s, &seen);
}

/* Feeds one data line of N bytes. */
static bool feed_large(struct sse *s, size_t n)
{
	static char piece[1 << 16];
	bool ok = sse_feed(s, "data: ", 6);

	memset(piece, 'x', sizeof piece);
	for (size_t at = 0; at < n && ok; at += sizeof piece)
		ok = sse_feed(s, piece, n - at < sizeof piece ? n - at : sizeof piece);
	return ok && sse_feed(s, "\n", 1);
}

static void test_size_limit(void **state UNUSED)
{
	struct seen seen;
	struct sse s;

	start(&s, &seen);
	assert_true(feed_large(&s, SSE_EVENT_MAX));
	assert_true(sse_feed(&s, "\n", 1));
	assert_int_equal(seen.text.len, SSE_EVENT_MAX + 2);
	assert_true(s.line.cap + s.data.cap < 1 << 20);
	assert_false(feed_large(&s, SSE_EVENT_MAX + 32));
	sse_reset(&s);
	assert_true(feed_large(&s, SSE_EVENT_MAX / 2));
	assert_false(feed_large(&s, SSE_EVENT_MAX / 2));
	assert_int_equal(seen.events, 1);
	stop(&s, &seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_every_stride),
		cmocka_unit_test(test_refusal_stops),
		cmocka_unit_test(test_reset_forgets),
		cmocka_unit_test(test_long_event_name),
		cmocka_unit_test(test_size_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
