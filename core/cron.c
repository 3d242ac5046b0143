/* Reading cron expressions. When one matches is in cron_next.c. */
#include "core/cron.h"

#include <math.h>

#include "core/clock.h"
#include "core/json_out.h"
#include "core/text.h"

#define FIELDS_N 5
#define TEXT_MAX 2000 /* bytes; with every value named once, an expression has less than 500 */

enum { F_MINUTE, F_HOUR, F_DAY, F_MONTH, F_WEEKDAY };

static const char *const MONTH_NAMES[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
	"sep", "oct", "nov", "dec", NULL };
static const char *const DAY_NAMES[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

static const struct spec {
	const char *name;
	int min, max;
	const char *chars;        /* that a field may have, names aside */
	const char *const *names; /* of the values, or NULL */
	int first;                /* value of the first name */
} SPECS[FIELDS_N] = {
	{ "minute", 0, 59, "0123456789,-/*?", NULL, 0 },
	{ "hour", 0, 23, "0123456789,-/*?", NULL, 0 },
	{ "day of month", 1, 31, "0123456789,-/*?L", NULL, 0 },
	{ "month", 1, 12, "0123456789,-/*?", MONTH_NAMES, 1 },
	{ "day of week", 0, 7, "0123456789,-/*?L#", DAY_NAMES, 0 },
};

/* One field while it is read. */
struct field {
	struct arena *arena;
	const struct spec *spec;
	uint64_t values; /* so far */
	uint32_t last_weekdays;
	bool last_day;
	const char *why; /* the first problem */
};

static bool fail(struct field *f, const char *why)
{
	if (!f->why)
		f->why = why;
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The value that a number stands for; not a number where it is none. */
static double number(const char *s)
{
	double v = 0;

	if (!*s || strspn(s, "0123456789") != strlen(s))
		return NAN;
	for (; *s; s++)
		v = v * 10 + (*s - '0');
	return v;
}

static const char *shown(struct field *f, double v)
{
	char *text = arena_alloc(f->arena, NUM_TEXT_SIZE);

	if (isnan(v))
		return "NaN";
	num_text(text, v);
	return text;
}

/* The text with its names as numbers; NULL where one is unknown. */
static char *without_names(struct field *f, const char *s)
{
	char *out = arena_alloc(f->arena, strlen(s) + 1), *w = out;

	while (*s) {
		int i = 0;
		char *word;

		if (!f->spec->names || !is_letter(s[0]) || !is_letter(s[1]) || !is_letter(s[2])) {
			*w++ = *s++;
			continue;
		}
		word = text_lower(f->arena, arena_strndup(f->arena, s, 3));
		while (f->spec->names[i] && strcmp(f->spec->names[i], word) != 0)
			i++;
		if (!f->spec->names[i]) {
			fail(f, arena_printf(f->arena,
				    "Validation error, cannot resolve alias \"%s\"", word));
			return NULL;
		}
		w += snprintf(w, 3, "%d", f->spec->first + i);
		s += 3;
	}
	*w = '\0';
	return out;
}

/* The text with each * and ? as the range that it means. */
static char *without_wildcards(struct field *f, const char *s)
{
	char *out = arena_alloc(f->arena, strlen(s) * 5 + 1), *w = out;

	for (; *s; s++)
		if (*s == '*' || *s == '?')
			w += snprintf(w, 6, "%d-%d", f->spec->min, f->spec->max);
		else
			*w++ = *s;
	*w = '\0';
	return out;
}

/* Adds a set of values that one item names. Sunday has two numbers. */
static bool add(struct field *f, uint64_t set, const char *item)
{
	if (f->spec == &SPECS[F_WEEKDAY] && set >> 7 & 1)
		set = (set & 0x7f) | 1;
	if (f->values & set)
		return fail(f, arena_printf(f->arena,
				"The %s field has a value of \"%s\" twice", f->spec->name, item));
	f->values |= set;
	return true;
}

static bool add_single(struct field *f, const char *item)
{
	double v = number(item);

	if (!(v >= f->spec->min && v <= f->spec->max))
		return fail(f, arena_printf(f->arena,
				"Constraint error, got value %s expected range %d-%d",
				isnan(v) ? item : shown(f, v), f->spec->min, f->spec->max));
	return add(f, UINT64_C(1) << (int)v, item);
}

static bool add_range(struct field *f, double from, double to, double step, const char *item)
{
	uint64_t set = 0;

	if (!(from >= f->spec->min && to <= f->spec->max && !isnan(to)))
		return fail(f, arena_printf(f->arena,
				"Constraint error, got range %s-%s expected range %d-%d",
				shown(f, from), shown(f, to), f->spec->min, f->spec->max));
	if (from > to)
		return fail(f, arena_printf(f->arena, "Invalid range: %s-%s, min(%s) > max(%s)",
				shown(f, from), shown(f, to), shown(f, from), shown(f, to)));
	if (!(step > 0))
		return fail(f, arena_printf(f->arena,
				"Constraint error, cannot repeat at every %s time.", shown(f, step)));
	for (double v = from; v <= to; v += step)
		set |= UINT64_C(1) << (int)v;
	return add(f, set, item);
}

/* L, or dL. */
static bool add_last(struct field *f, const char *item)
{
	int day = (*item - '0') % 7;

	if (f->spec == &SPECS[F_DAY] && item[1] == '\0') {
		if (f->last_day)
			return fail(f, "The day of month field has L twice");
		return f->last_day = true;
	}
	if (f->spec != &SPECS[F_WEEKDAY] || *item < '0' || *item > '7' || strcmp(item + 1, "L") != 0)
		return fail(f, arena_printf(f->arena, "Invalid characters, got value: %s", item));
	if (f->last_weekdays >> day & 1)
		return fail(f, arena_printf(f->arena, "The day of week field has %s twice", item));
	f->last_weekdays |= 1u << day;
	return true;
}

/* Cuts S in two at the first C; the second part comes back, or NULL. */
static char *cut_at(char *s, char c)
{
	char *p = strchr(s, c);

	if (p)
		*p++ = '\0';
	return p;
}

static bool add_item(struct field *f, char *item)
{
	const char *whole = arena_strdup(f->arena, item);
	char *step = cut_at(item, '/'), *to = cut_at(item, '-');
	double every = 1, from;

	if (!*whole || (step && !*item && !to))
		return fail(f, "Invalid list value format");
	if (step && strchr(step, '/'))
		return fail(f, arena_printf(f->arena, "Invalid repeat: %s", whole));
	if (strchr(whole, 'L'))
		return add_last(f, whole);
	if (step)
		every = *step == '-' ? -number(step + 1) : number(step);
	from = number(item);
	if (to)
		return add_range(f, from, number(to), every, whole);
	if (step)
		return add_range(f, from, f->spec->max, every, whole);
	return add_single(f, item);
}

/* d#n: the day stays in *TEXT. */
static bool take_nth(struct field *f, char *text, int *nth)
{
	char *n = cut_at(text, '#');

	*nth = 0;
	if (!n)
		return true;
	if (strpbrk(text, ",-/*?L") || strpbrk(n, ",-/*?L"))
		return fail(f, "# cannot be combined with a list, a range, a step or L");
	if (strlen(n) != 1 || *n < '1' || *n > '5')
		return fail(f, "Behind # there must be a number from 1 to 5");
	*nth = *n - '0';
	return true;
}

static bool read_field(struct field *f, const char *given, int *nth)
{
	char *text = without_names(f, given), *next;

	if (!text)
		return false;
	if (text[strspn(text, f->spec->chars)] ||
	    (f->spec == &SPECS[F_WEEKDAY] && strcmp(text, "L") == 0))
		return fail(f, arena_printf(f->arena, "Invalid characters, got value: %s", text));
	if (!take_nth(f, text, nth))
		return false;
	for (text = without_wildcards(f, text); text; text = next) {
		next = cut_at(text, ',');
		if (!add_item(f, text))
			return false;
	}
	return true;
}

static bool is_any(const char *field)
{
	return strcmp(field, "*") == 0 || strcmp(field, "?") == 0;
}

/* One month, and only days that it never has. */
static bool is_impossible(const struct cron *c)
{
	unsigned month = 1, day = 1;

	if (c->any_day || c->last_day || !c->days || (c->months & (c->months - 1)) != 0)
		return false;
	while (!(c->months >> month & 1))
		month++;
	while (!(c->days >> day & 1))
		day++;
	return day > days_in_month(2000, month);
}

/* The fields of a text; how many there are. */
static size_t split(char *text, const char *out[FIELDS_N])
{
	size_t n = 0;

	while (text && *text) {
		char *next = cut_at(text, ' ');

		if (n < FIELDS_N)
			out[n] = text;
		n++;
		text = next;
	}
	return n;
}

bool cron_parse(struct arena *a, const char *text, struct cron *out, const char **why)
{
	struct field f[FIELDS_N];
	const char *given[FIELDS_N];

	*why = NULL;
	if (strlen(text) > TEXT_MAX || split(text_squeeze(a, text), given) != FIELDS_N)
		return false;
	*out = (struct cron){ 0 };
	for (size_t i = 0; i < FIELDS_N; i++) {
		f[i] = (struct field){ .arena = a, .spec = &SPECS[i] };
		if (!read_field(&f[i], given[i], &out->nth)) {
			*why = f[i].why;
			return false;
		}
	}
	out->minutes = f[F_MINUTE].values;
	out->hours = (uint32_t)f[F_HOUR].values;
	out->days = (uint32_t)f[F_DAY].values;
	out->months = (uint32_t)f[F_MONTH].values;
	out->weekdays = (uint32_t)f[F_WEEKDAY].values;
	out->last_weekdays = f[F_WEEKDAY].last_weekdays;
	out->last_day = f[F_DAY].last_day;
	out->any_day = is_any(given[F_DAY]);
	out->any_weekday = is_any(given[F_WEEKDAY]);
	if (is_impossible(out))
		*why = "Invalid explicit day of month definition";
	return !*why;
}
