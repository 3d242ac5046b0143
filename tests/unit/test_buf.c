/* Buffers: growth, the maximum, sinks, sticky failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/buf.h"

struct pile {
	struct buf b;
	size_t calls, refuse_after;
};

static bool pile_up(void *arg, const char *data, size_t n)
{
	struct pile *p = arg;

	if (p->calls++ >= p->refuse_after)
		return false;
	buf_add(&p->b, data, n);
	return true;
}

static void test_add(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "abc");
	buf_char(&b, '-');
	buf_add(&b, "xyz", 2);
	buf_add(&b, NULL, 0);
	buf_printf(&b, "%d", 42);
	assert_string_equal(buf_text(&b), "abc-xy42");
	assert_int_equal(b.len, 8);
	for (int i = 0; i < 10000; i++)
		buf_char(&b, 'z');
	assert_int_equal(strlen(buf_text(&b)), 10008);
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
	assert_string_equal(buf_text(&b), "");
}

static void test_long_printf(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 5000);
	buf_printf(&b, "%*d|", 255, 1);
	buf_printf(&b, "%*d|", 256, 2);
	buf_printf(&b, "%*d|", 4000, 3);
	assert_int_equal(b.len, 256 + 257 + 4001);
	assert_int_equal(buf_text(&b)[b.len - 1], '|');
	assert_false(b.failed);
	buf_printf(&b, "%*d|", 4000, 4);
	assert_true(b.failed);
	buf_fini(&b);
}

static void test_maximum(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 10);
	buf_str(&b, "0123456789");
	assert_false(b.failed);
	assert_string_equal(buf_text(&b), "0123456789");
	buf_char(&b, 'x');
	assert_true(b.failed);
	assert_string_equal(buf_text(&b), "");
	buf_str(&b, "");
	buf_str(&b, "y");
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(b.len, 10);
	buf_clear(&b);
	buf_str(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_fini(&b);
	buf_init(&b, 10);
	buf_str(&b, "more than ten");
	assert_true(b.failed);
	buf_fini(&b);
}

static void test_reserve_and_consume(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 100);
	buf_consume(&b, 5);
	memcpy(buf_reserve(&b, 6), "abcdef", 6);
	b.len += 6;
	buf_consume(&b, 2);
	assert_string_equal(buf_text(&b), "cdef");
	buf_consume(&b, 0);
	assert_string_equal(buf_text(&b), "cdef");
	buf_consume(&b, 100);
	assert_string_equal(buf_text(&b), "");
	buf_fini(&b);
}

static void test_sink(void **state UNUSED)
{
	struct pile p = { .refuse_after = SIZE_MAX };
	struct buf b;

	buf_init(&p.b, 1 << 20);
	buf_init(&b, 16);
	buf_set_sink(&b, pile_up, &p);
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%d,", i);
	buf_str(&b, "a text that is longer than the buffer is, by far, several times");
	buf_char(&b, '!');
	assert_true(buf_flush(&b));
	assert_int_equal(p.b.len, 190 + 100 + 64);
	assert_non_null(strstr(buf_text(&p.b), "0,1,2,3,"));
	assert_non_null(strstr(buf_text(&p.b), "98,99,a text that"));
	assert_non_null(strstr(buf_text(&p.b), "several times!"));
	assert_true(b.cap <= 17);
	buf_fini(&b);
	buf_fini(&p.b);
}

static void test_sink_refuses(void **state UNUSED)
{
	struct pile p = { .refuse_after = 1 };
	struct buf b;

	buf_init(&p.b, 1 << 20);
	buf_init(&b, 4);
	buf_set_sink(&b, pile_up, &p);
	buf_str(&b, "0123456789abcdef");
	assert_true(b.failed);
	assert_false(buf_flush(&b));
	assert_string_equal(buf_text(&p.b), "0123");
	assert_int_equal(p.calls, 2);
	buf_fini(&b);
	buf_fini(&p.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_long_printf),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_reserve_and_consume),
		cmocka_unit_test(test_sink),
		cmocka_unit_test(test_sink_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
