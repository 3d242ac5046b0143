/* The record writer: what it encodes is read back here with a reader of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fcgi/hub_record.h"

struct record {
	unsigned version, type, id;
	size_t n;
	const char *data;
};

/* The next record at *AT; false at the end. Fails the test where it is cut off. */
static bool next(const struct buf *b, size_t *at, struct record *r)
{
	const unsigned char *p = (const unsigned char *)b->data + *at;

	if (*at == b->len)
		return false;
	assert_true(b->len - *at >= 8);
	*r = (struct record){ p[0], p[1], (unsigned)p[2] << 8 | p[3],
		(size_t)(p[4] << 8 | p[5]), (const char *)p + 8 };
	assert_int_equal(p[7], 0);
	assert_true(b->len - *at >= 8 + r->n + p[6]);
	*at += 8 + r->n + p[6];
	return true;
}

static void content_survives(void **state UNUSED)
{
	static const size_t SIZES[] = { 1, 7, 8, 9, 4096, REC_CONTENT_MAX - 1, REC_CONTENT_MAX,
		REC_CONTENT_MAX + 1, 65535, 65536, 3 * REC_CONTENT_MAX, 1000003 };

	for (size_t i = 0; i < COUNT(SIZES); i++) {
		size_t n = SIZES[i], at = 0, got = 0, records = 0;
		char *text = malloc(n), *back = malloc(n);
		struct record r;
		struct buf b;

		for (size_t k = 0; k < n; k++)
			text[k] = (char)(k * 31 + k / 251);
		buf_init(&b, 4 << 20);
		rec_stdout(&b, 0x1234, text, n);
		assert_false(b.failed);
		for (; next(&b, &at, &r); records++) {
			assert_int_equal(r.version, 1);
			assert_int_equal(r.type, 6);
			assert_int_equal(r.id, 0x1234);
			assert_true(r.n > 0 && got + r.n <= n);
			memcpy(back + got, r.data, r.n);
			got += r.n;
		}
		assert_int_equal(got, n);
		assert_int_equal(records, (n + REC_CONTENT_MAX - 1) / REC_CONTENT_MAX);
		assert_memory_equal(text, back, n);
		buf_fini(&b);
		free(text);
		free(back);
	}
}

static void nothing_is_no_record(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 100);
	rec_stdout(&b, 1, "", 0);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void end_of_response(void **state UNUSED)
{
	static const char WANT[] = { 1, 6, 0, 7, 0, 0, 0, 0, 1, 3, 0, 7, 0, 8, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0 };
	struct buf b;

	buf_init(&b, 100);
	rec_end(&b, 7);
	assert_int_equal(b.len, sizeof WANT);
	assert_memory_equal(b.data, WANT, sizeof WANT);
	buf_fini(&b);
}

static void other_id(void **state UNUSED)
{
	static char text[200000];
	size_t at = 0, n = 0;
	struct record r;
	struct buf b;

	memset(text, 1, sizeof text); /* would look like headers to a careless reader */
	buf_init(&b, 1 << 20);
	rec_stdout(&b, 1, "x", 1);
	rec_stdout(&b, 1, text, sizeof text);
	rec_end(&b, 1);
	assert_int_equal(rec_id(b.data), 1);
	rec_set_id(b.data, b.len, 0xfedc);
	assert_int_equal(rec_id(b.data), 0xfedc);
	for (; next(&b, &at, &r); n++) {
		assert_int_equal(r.id, 0xfedc);
		for (size_t i = 0; n && r.type == 6 && i < r.n; i++)
			assert_int_equal(r.data[i], 1);
	}
	assert_int_equal(n, 1 + 4 + 2);
	buf_fini(&b);
}

static void full_buffer_fails_once(void **state UNUSED)
{
	struct buf b;

	buf_init(&b, 20);
	rec_stdout(&b, 1, "abcdefghijkl", 12);
	assert_int_equal(b.len, 20);
	rec_stdout(&b, 1, "m", 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 20);
	rec_end(&b, 1);
	assert_int_equal(b.len, 20);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_survives),
		cmocka_unit_test(nothing_is_no_record),
		cmocka_unit_test(end_of_response),
		cmocka_unit_test(other_id),
		cmocka_unit_test(full_buffer_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
