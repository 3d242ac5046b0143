/* What the texts of a document are as values: types of columns, and values of these types. */
#include <ctype.h>
#include <math.h>
#include <strings.h>

#include "core/cell.h"
#include "core/text.h"
#include "jobrunner/import.h"

#define OPTIONS_MAX 10

static bool is_word_of(const struct field_text *f, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(words[i]) == f->n && strncasecmp(words[i], f->s, f->n) == 0)
			return true;
	return false;
}

static size_t run_of(const char *s, size_t n, const char *also)
{
	size_t i = 0;

	while (i < n && (isalnum((unsigned char)s[i]) || (s[i] && strchr(also, s[i]))))
		i++;
	return i;
}

static bool is_email(const struct field_text *f)
{
	size_t local = run_of(f->s, f->n, "._%+-"), rest, dot;
	const char *host;

	if (!local || local == f->n || f->s[local] != '@')
		return false;
	host = f->s + local + 1;
	rest = f->n - local - 1;
	if (run_of(host, rest, ".-") != rest)
		return false;
	for (dot = rest; dot > 0 && isalpha((unsigned char)host[dot - 1]); dot--)
		;
	return dot > 1 && host[dot - 1] == '.' && rest - dot >= 2;
}

static bool is_url(const struct field_text *f)
{
	return (f->n > 7 && memcmp(f->s, "http://", 7) == 0) ||
	       (f->n > 8 && memcmp(f->s, "https://", 8) == 0);
}

static bool is_boolean(const struct field_text *f)
{
	static const char *const WORDS_OF[] = { "true", "false", "yes", "no", "1", "0" };

	return is_word_of(f, WORDS_OF, COUNT(WORDS_OF));
}

/* Reads between MIN and MAX digits; returns how many, or 0. */
static size_t digits(const char *s, size_t n, size_t min, size_t max)
{
	size_t i = 0;

	while (i < n && i < max && isdigit((unsigned char)s[i]))
		i++;
	return i >= min ? i : 0;
}

static bool is_iso_date(const struct field_text *f)
{
	return f->n >= 10 && digits(f->s, 4, 4, 4) && f->s[4] == '-' &&
	       digits(f->s + 5, 2, 2, 2) && f->s[7] == '-' && digits(f->s + 8, 2, 2, 2);
}

/* d{1,2} SEP d{1,2} SEP d{2,4}: the lengths of its parts. */
static bool is_parted_date(const struct field_text *f, char sep, size_t parts[3])
{
	size_t at = 0;

	for (int i = 0; i < 3; i++) {
		if (i && (at >= f->n || f->s[at++] != sep))
			return false;
		parts[i] = digits(f->s + at, f->n - at, i < 2 ? 1 : 2, i < 2 ? 2 : 4);
		if (!parts[i])
			return false;
		at += parts[i];
	}
	return at == f->n;
}

static bool is_date(const struct field_text *f)
{
	size_t parts[3];

	return is_iso_date(f) || is_parted_date(f, '/', parts) || is_parted_date(f, '.', parts);
}

/* The length of the currency sign at S; 0 where there is none. */
static size_t currency(const char *s, size_t n)
{
	static const char *const SIGNS[] = { "$", "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5" };

	for (size_t i = 0; i < COUNT(SIGNS); i++)
		if (strlen(SIGNS[i]) <= n && memcmp(SIGNS[i], s, strlen(SIGNS[i])) == 0)
			return strlen(SIGNS[i]);
	return 0;
}

/* The length of the white space character at S; 0 where there is none. */
static size_t space(const char *s, size_t n)
{
	const char *p = s;
	size_t size = 1;

	while (size < 4 && size < n && ((unsigned char)s[size] & 0xc0) == 0x80)
		size++;
	if (!n)
		return 0;
	n = size;
	text_trim_span(&p, &n);
	return n ? 0 : size;
}

/* [currency][space]digits[.digits], whatever commas there are. */
static bool is_amount(const struct field_text *f)
{
	char text[64];
	size_t n = 0, at, whole;

	if (f->n >= sizeof text)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (f->s[i] != ',')
			text[n++] = f->s[i];
	at = currency(text, n);
	at += space(text + at, n - at);
	whole = digits(text + at, n - at, 1, n);
	at += whole;
	if (whole && at < n && text[at] == '.')
		at += 1 + digits(text + at + 1, n - at - 1, 1, n);
	return whole && at == n && text[n - 1] != '.';
}

static bool is_percentage(const struct field_text *f)
{
	size_t i = 0;

	while (i < f->n && (isdigit((unsigned char)f->s[i]) || f->s[i] == '.'))
		i++;
	return i && i + 1 == f->n && f->s[i] == '%';
}

static bool is_number(const struct field_text *f)
{
	return is_amount(f) || is_percentage(f) || !isnan(number_of_text(f->s, f->n));
}

static const struct {
	const char *type;
	bool (*fits)(const struct field_text *f);
} TYPES[] = {
	{ "email", is_email }, { "url", is_url }, { "boolean", is_boolean }, { "date", is_date },
	{ "number", is_number },
};

/* In order of UTF-16 units: what lies beyond the first 65,536 characters comes before the last
 * 8,192 of these. */
static int by_units(const void *x, const void *y)
{
	const struct field_text *a = x, *b = y;
	size_t n = a->n < b->n ? a->n : b->n, i = 0;

	while (i < n && a->s[i] == b->s[i])
		i++;
	if (i < n) {
		unsigned char c = (unsigned char)a->s[i], d = (unsigned char)b->s[i];

		if ((c >= 0xf0) != (d >= 0xf0) && c >= 0xee && d >= 0xee)
			return c >= 0xf0 ? -1 : 1;
		return c < d ? -1 : 1;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static bool same(const struct field_text *x, const struct field_text *y)
{
	return x->n == y->n && memcmp(x->s, y->s, x->n) == 0;
}

/* The different texts, where they are few; NULL else. */
static json_t *options_of(const struct field_text *texts, size_t n, size_t filled)
{
	struct field_text found[OPTIONS_MAX];
	size_t n_found = 0, k;
	json_t *list;

	for (size_t i = 0; i < n; i++) {
		if (!texts[i].n)
			continue;
		for (k = 0; k < n_found && !same(&found[k], &texts[i]); k++)
			;
		if (k == OPTIONS_MAX)
			return NULL;
		if (k == n_found)
			found[n_found++] = texts[i];
	}
	if (2 * n_found >= filled)
		return NULL;
	qsort(found, n_found, sizeof *found, by_units);
	list = json_array();
	for (k = 0; k < n_found; k++)
		json_array_append_new(list, json_stringn(found[k].s, found[k].n));
	return list;
}

const char *import_infer(const struct field_text *texts, size_t n, json_t **options)
{
	size_t filled = 0;

	*options = NULL;
	for (size_t i = 0; i < n; i++)
		filled += texts[i].n > 0;
	for (size_t t = 0; filled && t < COUNT(TYPES); t++) {
		bool all = true;

		for (size_t i = 0; all && i < n; i++)
			all = !texts[i].n || TYPES[t].fits(&texts[i]);
		if (all)
			return TYPES[t].type;
	}
	*options = options_of(texts, n, filled);
	return *options ? "select" : "text";
}

/* Without signs, separators and white space. */
static json_t *number_value(const struct field_text *f)
{
	char *text = malloc(f->n + 1);
	size_t n = 0, step;
	double v;

	if (!text)
		abort();
	for (size_t i = 0; i < f->n; i += step) {
		step = currency(f->s + i, f->n - i);
		if (!step)
			step = space(f->s + i, f->n - i);
		if (!step && (f->s[i] == ',' || f->s[i] == '%'))
			step = 1;
		if (!step) {
			text[n++] = f->s[i];
			step = 1;
		}
	}
	v = number_of_text(text, n);
	free(text);
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *boolean_value(const struct field_text *f)
{
	static const char *const YES[] = { "true", "yes", "1" };

	return json_boolean(is_word_of(f, YES, COUNT(YES)));
}

/* The parts put together as Y-MM-DD. */
static json_t *parted_date(const struct field_text *f, const size_t parts[3], bool month_first)
{
	const char *first = f->s, *second = first + parts[0] + 1, *year = second + parts[1] + 1;
	const char *month = month_first ? first : second, *day = month_first ? second : first;
	size_t n_month = parts[month_first ? 0 : 1], n_day = parts[month_first ? 1 : 0];

	return json_sprintf("%s%.*s-%s%.*s-%s%.*s", parts[2] == 2 ? "20" : "", (int)parts[2], year,
	    n_month == 1 ? "0" : "", (int)n_month, month, n_day == 1 ? "0" : "", (int)n_day, day);
}

json_t *import_value(const char *type, const struct field_text *f)
{
	json_t *v = NULL;
	size_t parts[3];

	if (!f->n)
		return json_null();
	if (strcmp(type, "number") == 0)
		return number_value(f);
	if (strcmp(type, "boolean") == 0)
		return boolean_value(f);
	if (strcmp(type, "date") == 0 && is_parted_date(f, '/', parts))
		v = parted_date(f, parts, true);
	else if (strcmp(type, "date") == 0 && is_parted_date(f, '.', parts))
		v = parted_date(f, parts, false);
	else
		v = json_stringn(f->s, f->n);
	return v ? v : json_null();
}
