/* JSON: what is read can be written, and what was written is read as the same value and is then written
 * the same (a whole number beyond 64 bits makes doubles of all the others); nothing deeper than the
 * limit, no text that is no UTF-8 comes through. */
#include "tests/fuzz/fuzz.h"

static void check(const json_t *v)
{
	const json_t *item;
	const char *key;
	size_t i;

	if (json_is_string(v)) {
		require(text_is_utf8(json_string_value(v), json_string_length(v)));
		require(strlen(json_string_value(v)) == json_string_length(v));
	}
	if (json_is_real(v))
		require(json_real_value(v) - json_real_value(v) == 0);
	json_array_foreach(v, i, item)
		check(item);
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		require(text_is_utf8(key, strlen(key)));
		check(item);
	}
}

static bool same(const json_t *one, const json_t *two)
{
	const json_t *item;
	const char *key;
	size_t i;

	if (json_is_number(one))
		return json_is_number(two) && json_number_value(one) == json_number_value(two);
	if (json_typeof(one) != json_typeof(two))
		return false;
	json_array_foreach(one, i, item)
		if (!same(item, json_array_get(two, i)))
			return false;
	json_object_foreach((json_t *)(uintptr_t)one, key, item)
		if (!same(item, json_object_get(two, key)))
			return false;
	return json_array_size(one) == json_array_size(two) &&
	       json_object_size(one) == json_object_size(two) &&
	       (!json_is_string(one) || json_equal(one, two));
}

static const char *written(struct arena *a, const json_t *v)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, FUZZ_ARENA_MAX / 4);
	jw_json(&w, v);
	require(!b.failed);
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const json_t *v = json_read(a, (const char *)data, size), *again;
	const char *text;

	if (v) {
		require(json_is_shallow(v, JSON_DEPTH_MAX));
		check(v);
		text = written(a, v);
		again = json_read_text(a, text);
		require(again && same(v, again));
		require(json_keep(a, json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL,
				       NULL)) != NULL);
		require(strcmp(json_text(a, v), text) == 0);
	}
	arena_free(a);
	return 0;
}
