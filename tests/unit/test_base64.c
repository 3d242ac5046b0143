/* Base64: the vectors of RFC 4648, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base64.h"

static struct arena *a;

static void test_vectors(void **state UNUSED)
{
	static const char *const V[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "+/+/" },
	};

	for (size_t i = 0; i < COUNT(V); i++) {
		size_t n = strlen(V[i][1]), size = 99;
		const unsigned char *data = base64_decode(a, V[i][1], n, &size);

		assert_non_null(data);
		assert_int_equal(size, strlen(V[i][0]));
		assert_memory_equal(data, V[i][0], size);
		assert_string_equal(base64_encode(a, data, size), V[i][1]);
	}
}

static void test_rubbish(void **state UNUSED)
{
	static const char *const BAD[] = { "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "=Zg=", "Zg==Zg==",
		" Zg=", "Zg= ", "Zm9v\nZm9v\nZm9", "Zm9-", "Zm9_", "Zm9\xff" };
	size_t size;

	for (size_t i = 0; i < COUNT(BAD); i++)
		if (base64_decode(a, BAD[i], strlen(BAD[i]), &size))
			fail_msg("%s was decoded", BAD[i]);
	assert_null(base64_decode(a, "Zm9v\0Zm9", 8, &size));
	assert_null(base64_decode(a, "AAAA", BASE64_MAX + 4, &size));
}

static void test_part(void **state UNUSED)
{
	size_t size;

	assert_memory_equal(base64_decode(a, "Zm9vYmFy", 4, &size), "foo", 3);
	assert_int_equal(size, 3);
	assert_memory_equal(base64_decode(a, "Zg==:Zg==", 4, &size), "f", 1);
	assert_int_equal(size, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_part),
	};
	int failed;

	a = arena_new(ARENA_REQUEST_MAX);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(a);
	return failed;
}
