/* Values of users' tables. */
#include "core/cell.h"

#include <ctype.h>
#include <math.h>

#include "core/json_in.h"
#include "core/text.h"

#define NUMBER_TEXT_MAX 400
#define NEST_MAX 64
#define TEXT_MAX ((size_t)64 << 20)

struct cell cell_of(struct arena *a, const json_t *v)
{
	const char *s;

	if (!v)
		return (struct cell){ CELL_NONE };
	switch (json_typeof(v)) {
	case JSON_STRING:
		return cell_text(json_string_value(v), json_string_length(v));
	case JSON_INTEGER:
	case JSON_REAL:
		return cell_num(json_number_value(v));
	case JSON_TRUE:
	case JSON_FALSE:
		return cell_bool(json_is_true(v));
	case JSON_NULL:
		return (struct cell){ CELL_NULL };
	default:
		s = json_text(a, v);
		return (struct cell){ CELL_JSON, 0, s, strlen(s) };
	}
}

json_t *cell_json(const struct cell *c)
{
	json_t *v = NULL;

	switch (c->kind) {
	case CELL_BOOL:
		return json_boolean(c->num != 0);
	case CELL_NUM:
		v = json_real(c->num);
		break;
	case CELL_TEXT:
		v = json_stringn(c->s, c->n);
		break;
	case CELL_JSON:
		v = json_loadb(c->s, c->n, JSON_ALLOW_NUL, NULL);
		break;
	default:
		break;
	}
	return v ? v : json_null();
}

static void add_number(struct buf *b, double v)
{
	char text[NUM_TEXT_SIZE];

	num_text(text, v);
	buf_str(b, text);
}

static void add_value(struct buf *b, const json_t *v, int depth)
{
	struct jw w = jw_on(b);
	json_t *item;
	size_t i;

	if (json_is_array(v) && depth < NEST_MAX) {
		json_array_foreach(v, i, item) {
			if (i)
				buf_char(b, ',');
			add_value(b, item, depth + 1);
		}
	} else if (json_is_string(v)) {
		buf_add(b, json_string_value(v), json_string_length(v));
	} else if (!json_is_null(v)) {
		jw_json(&w, v);
	}
}

static void add_container(struct buf *b, const struct cell *c)
{
	json_t *v = *c->s == '[' ? json_loadb(c->s, c->n, JSON_ALLOW_NUL, NULL) : NULL;

	if (v)
		add_value(b, v, 0);
	else
		buf_add(b, c->s, c->n);
	json_decref(v);
}

void cell_add_text(struct buf *b, const struct cell *c)
{
	switch (c->kind) {
	case CELL_BOOL:
		buf_str(b, c->num != 0 ? "true" : "false");
		break;
	case CELL_NUM:
		add_number(b, c->num);
		break;
	case CELL_TEXT:
		buf_add(b, c->s, c->n);
		break;
	case CELL_JSON:
		add_container(b, c);
		break;
	default:
		break;
	}
}

struct cell cell_as_text(struct arena *a, const struct cell *c)
{
	struct buf b;
	struct cell out;

	if (c->kind == CELL_TEXT)
		return *c;
	buf_init(&b, TEXT_MAX);
	cell_add_text(&b, c);
	out = cell_text(arena_strndup(a, buf_text(&b), b.failed ? 0 : b.len), b.failed ? 0 : b.len);
	buf_fini(&b);
	return out;
}

/* Digits of a base; NaN where there are none, or others. */
static double in_base(const char *s, int base)
{
	double v = 0;

	if (!*s)
		return NAN;
	for (; *s; s++) {
		int digit = isdigit((unsigned char)*s) ? *s - '0'
		    : isxdigit((unsigned char)*s)      ? tolower((unsigned char)*s) - 'a' + 10
						       : base;

		if (digit >= base)
			return NAN;
		v = v * base + digit;
	}
	return v;
}

/* Whether the whole of S is a decimal literal. */
static bool is_decimal(const char *s)
{
	size_t whole, fraction = 0;

	s += *s == '+' || *s == '-';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		fraction = strspn(++s, "0123456789");
		s += fraction;
	}
	if (!whole && !fraction)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!isdigit((unsigned char)*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return !*s;
}

static double number_of(const char *s)
{
	char base = *s == '0' ? (char)tolower((unsigned char)s[1]) : '\0';

	if (base == 'x')
		return in_base(s + 2, 16);
	if (base == 'o')
		return in_base(s + 2, 8);
	if (base == 'b')
		return in_base(s + 2, 2);
	if (is_decimal(s))
		return strtod(s, NULL);
	if (strcmp(s + (*s == '+' || *s == '-'), "Infinity") == 0)
		return *s == '-' ? -INFINITY : INFINITY;
	return NAN;
}

double number_of_text(const char *s, size_t n)
{
	char text[NUMBER_TEXT_MAX], *copy;
	double v;

	text_trim_span(&s, &n);
	if (!n)
		return 0;
	if (memchr(s, '\0', n))
		return NAN;
	if (n < sizeof text) {
		memcpy(text, s, n);
		text[n] = '\0';
		return number_of(text);
	}
	copy = strndup(s, n);
	if (!copy)
		abort();
	v = number_of(copy);
	free(copy);
	return v;
}

double cell_number(const struct cell *c)
{
	switch (c->kind) {
	case CELL_NULL:
		return 0;
	case CELL_BOOL:
	case CELL_NUM:
		return c->num;
	case CELL_TEXT:
		return number_of_text(c->s, c->n);
	default:
		return NAN;
	}
}

bool cell_numeric(const struct cell *c, double *out)
{
	const char *s = c->s;
	size_t n = c->n;

	if (c->kind == CELL_NONE || c->kind == CELL_NULL || c->kind == CELL_JSON)
		return false;
	if (c->kind == CELL_TEXT)
		text_trim_span(&s, &n);
	if (c->kind == CELL_TEXT && !n)
		return false;
	*out = cell_number(c);
	return !isnan(*out);
}

double number_round(double v)
{
	double low = floor(v);

	return v - low >= 0.5 ? low + 1 : low;
}

static int rank(const struct cell *c)
{
	return c->kind <= CELL_NULL ? 0 : c->kind <= CELL_NUM ? 1 : 2;
}

int cell_compare(const struct cell *x, const struct cell *y)
{
	int order = rank(x) - rank(y);

	if (order || !rank(x))
		return order;
	if (rank(x) == 1)
		return (x->num > y->num) - (x->num < y->num);
	order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* The text of a value that is looked into: booleans as 1 and 0, containers as their JSON. */
static struct cell searched_text(const struct cell *c, char number[NUM_TEXT_SIZE])
{
	if (c->kind == CELL_TEXT || c->kind == CELL_JSON)
		return cell_text(c->s, c->n);
	return cell_text(number, (size_t)num_text(number, c->num));
}

static bool same_letters(const char *x, const char *y, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char a = x[i], b = y[i];

		a = (char)(a >= 'A' && a <= 'Z' ? a + 'a' - 'A' : a);
		b = (char)(b >= 'A' && b <= 'Z' ? b + 'a' - 'A' : b);
		if (a != b)
			return false;
	}
	return true;
}

bool cell_has_text(const struct cell *v, const struct cell *what, bool at_start)
{
	char one[NUM_TEXT_SIZE], two[NUM_TEXT_SIZE];
	struct cell text = searched_text(v, one), part = searched_text(what, two);

	if (part.n > text.n)
		return false;
	for (size_t i = 0; i <= text.n - part.n; i++) {
		if (same_letters(text.s + i, part.s, part.n))
			return true;
		if (at_start)
			break;
	}
	return false;
}

struct row_key row_key(struct arena *a, const char *name)
{
	const char *quoted = json_quote(a, name);

	return (struct row_key){ quoted, strlen(quoted) };
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* Behind the text that begins at P with a quote; NULL where it does not end. */
static const char *skip_text(const char *p, bool *escaped)
{
	*escaped = false;
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\') {
			*escaped = true;
			if (!*++p)
				return NULL;
		}
	return *p ? p + 1 : NULL;
}

/* Behind the value that begins at P; NULL where it does not end. */
static const char *skip_value(const char *p, bool *escaped)
{
	int depth = 0;

	*escaped = false;
	if (*p != '{' && *p != '[')
		return *p == '"' ? skip_text(p, escaped) : p + strcspn(p, ",}] \t\r\n");
	do {
		bool inside;

		if (*p == '"') {
			p = skip_text(p, &inside);
			if (!p)
				return NULL;
			continue;
		}
		depth += *p == '{' || *p == '[';
		depth -= *p == '}' || *p == ']';
		p++;
	} while (depth && *p);
	return depth ? NULL : p;
}

/* The value of N bytes at P. */
static struct cell read_value(struct arena *a, const char *p, size_t n, bool escaped)
{
	if (*p == '"' && !escaped)
		return cell_text(p + 1, n - 2);
	if (*p == '"' || *p == '[' || *p == '{') {
		const json_t *v = *p == '"' ? json_keep(a, json_loadb(p, n,
						  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL))
					    : NULL;

		return *p == '"' ? cell_of(a, v) : (struct cell){ CELL_JSON, 0, p, n };
	}
	if (*p == 't' || *p == 'f')
		return cell_bool(*p == 't');
	if (*p == 'n')
		return (struct cell){ CELL_NULL };
	return cell_num(strtod(p, NULL));
}

static void take(struct arena *a, const struct row_key *keys, size_t n_keys, struct cell *out,
    const char *key, size_t n_key, const char *value, size_t n_value, bool escaped)
{
	for (size_t i = 0; i < n_keys; i++)
		if (keys[i].n == n_key && memcmp(keys[i].quoted, key, n_key) == 0)
			out[i] = read_value(a, value, n_value, escaped);
}

void row_pick(struct arena *a, const char *data, const struct row_key *keys, size_t n_keys,
    struct cell *out)
{
	const char *p = skip_blanks(data), *key, *key_end, *value;
	bool escaped;

	for (size_t i = 0; i < n_keys; i++)
		out[i] = (struct cell){ CELL_NONE };
	if (*p++ != '{')
		return;
	for (p = skip_blanks(p); *p == '"'; p = skip_blanks(p)) {
		key = p;
		key_end = skip_text(p, &escaped);
		if (!key_end || *(p = skip_blanks(key_end)) != ':')
			return;
		value = skip_blanks(p + 1);
		p = skip_value(value, &escaped);
		if (!p || p == value)
			return;
		take(a, keys, n_keys, out, key, (size_t)(key_end - key), value, (size_t)(p - value),
		    escaped);
		p = skip_blanks(p);
		if (*p++ != ',')
			return;
	}
}
