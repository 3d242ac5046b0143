/* The JSON writer. */
#include "core/json_out.h"

#include <math.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/text.h"

/* Depth of a parsed value that is still written; the reader admits less. */
#define DEPTH_MAX 128
#define TEXT_MAX ((size_t)64 << 20)

static void before(struct jw *w)
{
	if (w->comma)
		buf_char(w->b, ',');
	w->comma = true;
}

void jw_obj(struct jw *w)
{
	before(w);
	buf_char(w->b, '{');
	w->comma = false;
}

void jw_end_obj(struct jw *w)
{
	buf_char(w->b, '}');
	w->comma = true;
}

void jw_arr(struct jw *w)
{
	before(w);
	buf_char(w->b, '[');
	w->comma = false;
}

void jw_end_arr(struct jw *w)
{
	buf_char(w->b, ']');
	w->comma = true;
}

static void escape(struct buf *b, unsigned char c)
{
	static const char SHORT[] = "\b\f\n\r\t\"\\", LETTER[] = "bfnrt\"\\";
	const char *p = c ? strchr(SHORT, c) : NULL;

	if (p) {
		char pair[2] = { '\\', LETTER[p - SHORT] };

		buf_add(b, pair, 2);
	} else {
		buf_printf(b, "\\u%04x", c);
	}
}

static void string(struct buf *b, const char *s, size_t n)
{
	const char *from = s, *end = s + n;

	buf_char(b, '"');
	for (const char *p = s; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(b, from, (size_t)(p - from));
		escape(b, c);
		from = p + 1;
	}
	buf_add(b, from, (size_t)(end - from));
	buf_char(b, '"');
}

void jw_key(struct jw *w, const char *key)
{
	before(w);
	string(w->b, key, strlen(key));
	buf_char(w->b, ':');
	w->comma = false;
}

void jw_strn(struct jw *w, const char *s, size_t n)
{
	before(w);
	string(w->b, s, n);
}

void jw_str(struct jw *w, const char *s)
{
	if (s)
		jw_strn(w, s, strlen(s));
	else
		jw_null(w);
}

void jw_raw(struct jw *w, const char *json, size_t n)
{
	before(w);
	buf_add(w->b, json, n);
}

void jw_int(struct jw *w, int64_t v)
{
	char text[24], *p = text + sizeof text;
	uint64_t u = v < 0 ? (uint64_t)0 - (uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	jw_raw(w, p, (size_t)(text + sizeof text - p));
}

/* Number::toString of ECMA-262: DIGITS are the shortest ones, POINT is the place of the dot. */
static int lay_out(char *out, bool neg, const char *digits, int n, int point)
{
	const char *sign = neg ? "-" : "";

	if (point > 0 && point <= 21) {
		if (n <= point)
			return snprintf(out, NUM_TEXT_SIZE, "%s%s%.*s", sign, digits, point - n,
			    "000000000000000000000");
		return snprintf(
		    out, NUM_TEXT_SIZE, "%s%.*s.%s", sign, point, digits, digits + point);
	}
	if (point > -6 && point <= 0)
		return snprintf(out, NUM_TEXT_SIZE, "%s0.%.*s%s", sign, -point, "000000", digits);
	if (n == 1)
		return snprintf(out, NUM_TEXT_SIZE, "%s%se%+d", sign, digits, point - 1);
	return snprintf(
	    out, NUM_TEXT_SIZE, "%s%c.%se%+d", sign, digits[0], digits + 1, point - 1);
}

int num_text(char out[NUM_TEXT_SIZE], double v)
{
	char sci[40], digits[24];
	int n = 0, precision, exponent;
	const char *p;

	if (v == 0 || !isfinite(v))
		return snprintf(out, NUM_TEXT_SIZE, "%s", v == 0 ? "0" : "null");
	for (precision = 0; precision < 17; precision++) {
		snprintf(sci, sizeof sci, "%.*e", precision, v);
		if (strtod(sci, NULL) == v)
			break;
	}
	for (p = sci; *p && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9')
			digits[n++] = *p;
	digits[n] = '\0';
	exponent = (int)strtol(p + 1, NULL, 10);
	return lay_out(out, v < 0, digits, n, exponent + 1);
}

void jw_num(struct jw *w, double v)
{
	char text[NUM_TEXT_SIZE];

	if (v == floor(v) && fabs(v) < 9007199254740992.0)
		jw_int(w, (int64_t)v);
	else
		jw_raw(w, text, (size_t)num_text(text, v));
}

void jw_bool(struct jw *w, bool v)
{
	if (v)
		jw_raw(w, "true", 4);
	else
		jw_raw(w, "false", 5);
}

void jw_null(struct jw *w)
{
	jw_raw(w, "null", 4);
}

void jw_time(struct jw *w, int64_t t_s)
{
	char iso[TIME_ISO_SIZE];

	before(w);
	buf_char(w->b, '"');
	buf_str(w->b, time_iso(iso, t_s));
	buf_char(w->b, '"');
}

/* Whether KEY is the canonical form of an array index, which it then is. */
static bool is_index(const char *key, uint32_t *index)
{
	uint64_t n = 0;

	if (*key < '0' || *key > '9' || (*key == '0' && key[1]))
		return false;
	for (; *key >= '0' && *key <= '9' && n <= UINT32_MAX; key++)
		n = n * 10 + (uint64_t)(*key - '0');
	*index = (uint32_t)n;
	return !*key && n < UINT32_MAX;
}

static int by_index(const void *x, const void *y)
{
	uint32_t a = 0, b = 0;

	is_index(*(const char *const *)x, &a);
	is_index(*(const char *const *)y, &b);
	return (a > b) - (a < b);
}

static void value(struct jw *w, const json_t *v, int depth);

/* The members whose keys are array indexes: ECMAScript has them before all others, in ascending
 * order. */
static void indexes(struct jw *w, const json_t *object, int depth)
{
	size_t n = 0;
	const char *key, **keys;
	uint32_t index;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)object, key, item)
		n += is_index(key, &index);
	if (!n)
		return;
	keys = calloc(n, sizeof *keys);
	if (!keys)
		abort();
	n = 0;
	json_object_foreach((json_t *)(uintptr_t)object, key, item)
		if (is_index(key, &index))
			keys[n++] = key;
	qsort(keys, n, sizeof *keys, by_index);
	for (size_t i = 0; i < n; i++) {
		jw_key(w, keys[i]);
		value(w, json_object_get(object, keys[i]), depth + 1);
	}
	free(keys);
}

static void object(struct jw *w, const json_t *v, int depth)
{
	const char *key;
	uint32_t index;
	json_t *item;

	jw_obj(w);
	indexes(w, v, depth);
	json_object_foreach((json_t *)(uintptr_t)v, key, item)
		if (!is_index(key, &index)) {
			jw_key(w, key);
			value(w, item, depth + 1);
		}
	jw_end_obj(w);
}

static void value(struct jw *w, const json_t *v, int depth)
{
	json_t *item;
	size_t i;

	switch (depth < DEPTH_MAX ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		object(w, v, depth);
		break;
	case JSON_ARRAY:
		jw_arr(w);
		json_array_foreach(v, i, item)
			value(w, item, depth + 1);
		jw_end_arr(w);
		break;
	case JSON_STRING:
		jw_strn(w, json_string_value(v), json_string_length(v));
		break;
	case JSON_INTEGER:
		jw_num(w, (double)json_integer_value(v));
		break;
	case JSON_REAL:
		jw_num(w, json_real_value(v));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		jw_bool(w, json_is_true(v));
		break;
	case JSON_NULL:
		jw_null(w);
		break;
	}
}

void jw_json(struct jw *w, const json_t *v)
{
	if (v)
		value(w, v, 0);
	else
		jw_null(w);
}

void jw_kstr(struct jw *w, const char *key, const char *s)
{
	jw_key(w, key);
	jw_str(w, s);
}

void jw_kint(struct jw *w, const char *key, int64_t v)
{
	jw_key(w, key);
	jw_int(w, v);
}

void jw_knum(struct jw *w, const char *key, double v)
{
	jw_key(w, key);
	jw_num(w, v);
}

void jw_kbool(struct jw *w, const char *key, bool v)
{
	jw_key(w, key);
	jw_bool(w, v);
}

void jw_knull(struct jw *w, const char *key)
{
	jw_key(w, key);
	jw_null(w);
}

void jw_ktime(struct jw *w, const char *key, int64_t t_s)
{
	jw_key(w, key);
	jw_time(w, t_s);
}

void jw_kjson(struct jw *w, const char *key, const json_t *v)
{
	jw_key(w, key);
	jw_json(w, v);
}

const char *json_text(struct arena *a, const json_t *v)
{
	struct buf b;
	const char *text;

	buf_init(&b, TEXT_MAX);
	jw_json(&(struct jw){ &b, false }, v);
	text = arena_strndup(a, buf_text(&b), b.failed ? 0 : b.len);
	buf_fini(&b);
	return text;
}

const char *json_quote(struct arena *a, const char *s)
{
	struct buf b;
	const char *text;

	if (!text_is_utf8(s, strlen(s)))
		return "null";
	buf_init(&b, TEXT_MAX);
	string(&b, s, strlen(s));
	text = arena_strndup(a, buf_text(&b), b.failed ? 0 : b.len);
	buf_fini(&b);
	return text;
}

static void line(struct buf *b, int depth)
{
	buf_printf(b, "\n%*s", 2 * depth, "");
}

void json_indent(struct buf *b, const char *s, int depth)
{
	bool quoted = false;

	for (; *s; s++) {
		bool open = *s == '{' || *s == '[', close = *s == '}' || *s == ']';

		if (quoted || *s == '"') {
			if (quoted && *s == '\\' && s[1])
				buf_char(b, *s++);
			else if (*s == '"')
				quoted = !quoted;
			buf_char(b, *s);
			continue;
		}
		if (close)
			line(b, depth > 0 ? --depth : 0);
		buf_char(b, *s);
		if (open && (s[1] == '}' || s[1] == ']'))
			buf_char(b, *++s);
		else if (open)
			line(b, ++depth);
		else if (*s == ',')
			line(b, depth);
		else if (*s == ':')
			buf_char(b, ' ');
	}
}

const char *json_text_pretty(struct arena *a, const json_t *v)
{
	struct buf b;
	const char *text;

	buf_init(&b, TEXT_MAX);
	json_indent(&b, json_text(a, v), 0);
	text = arena_strndup(a, buf_text(&b), b.failed ? 0 : b.len);
	buf_fini(&b);
	return text;
}
