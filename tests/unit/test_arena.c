/* Arenas: alignment, zeroing, growth, cleanups, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"

static int order[8], n_order;

static void note(void *arg)
{
	order[n_order++] = *(int *)arg;
}

static void test_alloc(void **state UNUSED)
{
	struct arena *a = arena_new(ARENA_REQUEST_MAX);

	for (size_t n = 0; n < 3000; n += 7) {
		char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_free(a);
}

static void test_large(void **state UNUSED)
{
	struct arena *a = arena_new(ARENA_REQUEST_MAX);
	char *large = arena_alloc(a, 5 << 20), *small = arena_strdup(a, "after");

	memset(large, 1, 5 << 20);
	assert_string_equal(small, "after");
	arena_reset(a);
	assert_string_equal(arena_strdup(a, "again"), "again");
	arena_free(a);
}

static void test_strings(void **state UNUSED)
{
	struct arena *a = arena_new(ARENA_REQUEST_MAX);
	char *lots = arena_alloc(a, 10001);

	assert_string_equal(arena_strdup(a, ""), "");
	assert_string_equal(arena_strndup(a, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
	memset(lots, 'y', 10000);
	assert_int_equal(strlen(arena_printf(a, "%s%s", lots, lots)), 20000);
	arena_free(a);
}

static void test_cleanups(void **state UNUSED)
{
	static int one = 1, two = 2, three = 3;
	struct arena *a = arena_new(ARENA_REQUEST_MAX);

	n_order = 0;
	arena_cleanup(a, note, &one);
	arena_cleanup(a, note, &two);
	arena_reset(a);
	assert_int_equal(n_order, 2);
	assert_int_equal(order[0], 2);
	assert_int_equal(order[1], 1);
	arena_reset(a);
	assert_int_equal(n_order, 2);
	arena_cleanup(a, note, &three);
	arena_free(a);
	assert_int_equal(n_order, 3);
	assert_int_equal(order[2], 3);
	arena_free(NULL);
}

static void test_exhausted(void **state UNUSED)
{
	struct arena *a = arena_new(100000);

	arena_alloc(a, 90000);
	assert_false(arena_exhausted(a));
	arena_alloc(a, 20000);
	assert_true(arena_exhausted(a));
	arena_reset(a);
	assert_false(arena_exhausted(a));
	arena_free(a);
}

/* Far beyond the limit the process ends with its own status. */
static void test_far_exceeded(void **state UNUSED)
{
	static const size_t SIZES[] = { 500000, SIZE_MAX / 2, SIZE_MAX };

	for (size_t i = 0; i < COUNT(SIZES); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			close(STDERR_FILENO);
			arena_alloc(arena_new(100000), SIZES[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 83);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_cleanups),
		cmocka_unit_test(test_exhausted),
		cmocka_unit_test(test_far_exceeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
