/* YAML as profiles have it: it is refused with a reason, or it is a value within the limits that can
 * be written as JSON and read again, and that the shape of a profile can be held against. */
#include "core/profile.h"
#include "core/yaml.h"
#include "tests/fuzz/fuzz.h"

static size_t count(const json_t *v, int depth)
{
	const json_t *item;
	const char *key;
	size_t i, n = 1;

	require(depth <= YAML_DEPTH_MAX);
	json_array_foreach(v, i, item)
		n += count(item, depth + 1);
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		require(text_is_utf8(key, strlen(key)));
		n += count(item, depth + 1);
	}
	return n;
}

/* What can be written reads back as it was. */
static void check_written(struct arena *a, const json_t *v)
{
	const char *text = yaml_write(a, v), *again, *why;

	if (!text)
		return;
	again = json_text(a, yaml_read(a, text, strlen(text), &why));
	require(strcmp(again, json_text(a, v)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *why = NULL;
	json_t *v = yaml_read(a, (const char *)data, size, &why);
	struct err e = { 0 };

	require(v || (why && *why));
	require(size <= YAML_SIZE_MAX || !v);
	if (v) {
		require(count(v, 0) <= 2 * YAML_VALUES_MAX);
		require(json_read_text(a, json_text(a, v)) != NULL);
		check_written(a, v);
		require((shape_check(a, &SHAPE_PROFILE, v, &e) == RC_OK) ==
			(shape_problems(a, &SHAPE_PROFILE, v) == NULL));
	}
	arena_free(a);
	return 0;
}
