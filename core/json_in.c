/* The JSON reader: jansson behind a check of depth and number of values. */
#include "core/json_in.h"

#include <float.h>
#include <math.h>

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

static json_t *read(struct arena *a, const char *text, size_t n, size_t flags)
{
	json_error_t e;
	json_t *v;

	flags |= JSON_DECODE_ANY;
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	/* jansson would take a zero byte for the end and not look behind it. */
	if (!n || memchr(text, '\0', n) || !is_modest(text, n))
		return NULL;
	v = json_loadb(text, n, flags, &e);
	if (!v && json_error_code(&e) == json_error_numeric_overflow)
		v = json_loadb(text, n, flags | JSON_DECODE_INT_AS_REAL, &e);
	return json_keep(a, v);
}

json_t *json_read(struct arena *a, const char *text, size_t n)
{
	return read(a, text, n, 0);
}

/* How many of the bytes from P to END could belong to a number. */
static size_t number_span(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] && strchr("+-.0123456789eE", p[n]))
		n++;
	return n;
}

/* Whether the N bytes at P are a JSON number that no double can hold. */
static bool overflows(struct arena *a, const char *p, size_t n)
{
	const char *digits = p + (n && *p == '-'), *dot = memchr(p, '.', n), *number;
	char some[64], *end;

	if (n < 5 || *digits < '1' || *digits > '9' ||
	    (dot && (dot + 1 == p + n || dot[1] < '0' || dot[1] > '9')))
		return false;
	if (n <= DBL_MAX_10_EXP && !memchr(p, 'e', n) && !memchr(p, 'E', n))
		return false;
	if (n < sizeof some) {
		memcpy(some, p, n);
		some[n] = '\0';
	}
	number = n < sizeof some ? some : arena_strndup(a, p, n);
	return isinf(strtod(number, &end)) && !*end;
}

/* TEXT, or a copy in which the numbers that overflow are null; each is longer than the word. */
static const char *without_overflow(struct arena *a, const char *text, size_t n)
{
	char *copy = NULL;
	bool quoted = false;

	for (const char *p = text; p < text + n; p++) {
		size_t digits = quoted ? 0 : number_span(p, text + n);

		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p + 1 < text + n)
			p++;
		if (overflows(a, p, digits)) {
			if (!copy)
				copy = arena_strndup(a, text, n);
			memset(copy + (p - text), ' ', digits);
			memcpy(copy + (p - text), "null", 4);
		}
		p += digits > 1 ? digits - 1 : 0;
	}
	return copy ? copy : text;
}

json_t *json_read_cells(struct arena *a, const char *text, size_t n)
{
	return read(a, without_overflow(a, text, n), n, JSON_ALLOW_NUL);
}

json_t *json_read_cells_text(struct arena *a, const char *text)
{
	return text ? json_read_cells(a, text, strlen(text)) : NULL;
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
	if (json_is_number(v))
		return json_number_value(v) != 0;
	if (json_is_string(v))
		return json_string_length(v) > 0;
	return v && !json_is_null(v) && !json_is_false(v);
}

bool json_has_text(const json_t *list, const char *text)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), text) == 0)
			return true;
	return false;
}
