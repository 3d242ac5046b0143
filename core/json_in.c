/* The JSON reader: jansson behind a check of depth and number of values. */
#include "core/json_in.h"

static void drop(void *v)
{
	json_decref(v);
}

json_t *json_keep(struct arena *a, json_t *v)
{
	if (v)
		arena_cleanup(a, drop, v);
	return v;
}

/* Whether there are no more values than the limit, and none nested deeper than that; what is inside
 * strings does not count. */
static bool is_modest(const char *s, size_t n)
{
	int depth = 0;
	long values = 1;
	bool quoted = false;

	for (const char *end = s + n; s < end; s++) {
		if (quoted) {
			if (*s == '\\')
				s++;
			else if (*s == '"')
				quoted = false;
		} else if (*s == '"') {
			quoted = true;
		} else if (*s == '{' || *s == '[') {
			values++;
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if (*s == '}' || *s == ']') {
			depth--;
		} else if (*s == ',') {
			values++;
		}
	}
	return values <= JSON_VALUES_MAX;
}

json_t *json_read(struct arena *a, const char *text, size_t n)
{
	json_error_t e;
	json_t *v;

	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	/* jansson would take a zero byte for the end and not look behind it. */
	if (!n || memchr(text, '\0', n) || !is_modest(text, n))
		return NULL;
	v = json_loadb(text, n, JSON_DECODE_ANY, &e);
	if (!v && json_error_code(&e) == json_error_numeric_overflow)
		v = json_loadb(text, n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &e);
	return json_keep(a, v);
}

json_t *json_read_text(struct arena *a, const char *text)
{
	return text ? json_read(a, text, strlen(text)) : NULL;
}

json_t *json_read_part(struct arena *a, const char *text, char open, char close)
{
	const char *from = strchr(text, open), *to = strrchr(text, close);

	return from && to && to > from ? json_read(a, from, (size_t)(to - from) + 1) : NULL;
}

bool json_is_shallow(const json_t *v, int levels)
{
	const char *key;
	json_t *item;
	size_t i;

	if (levels < 0)
		return false;
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
		if (!json_is_shallow(item, levels - 1))
			return false;
	json_array_foreach(v, i, item)
		if (!json_is_shallow(item, levels - 1))
			return false;
	return true;
}

const char *json_str(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

double json_num(const json_t *object, const char *key, double otherwise)
{
	const json_t *v = json_object_get(object, key);

	return json_is_number(v) ? json_number_value(v) : otherwise;
}

bool json_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool json_truth(const json_t *v)
{
	if (!v || json_is_null(v) || json_is_false(v))
		return false;
	if (json_is_number(v))
		return json_number_value(v) != 0;
	return !json_is_string(v) || *json_string_value(v);
}
