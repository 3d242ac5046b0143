/* Reading intervals. The words are lower case with single blanks between them when they are looked
 * at; what stands behind "at" is the time. A text in words that does not fit to the end is no such
 * text, and is tried as shorthand, then as cron. */
#include "core/interval.h"

#include "core/text.h"


struct day {
	const char *word, *name;
	int number;
};
static const struct day DAYS[] = {
	{ "sunday", "Sunday", 0 }, { "sun", "Sunday", 0 },
	{ "monday", "Monday", 1 }, { "mon", "Monday", 1 },
	{ "tuesday", "Tuesday", 2 }, { "tues", "Tuesday", 2 }, { "tue", "Tuesday", 2 },
	{ "wednesday", "Wednesday", 3 }, { "wed", "Wednesday", 3 },
	{ "thursday", "Thursday", 4 }, { "thurs", "Thursday", 4 }, { "thur", "Thursday", 4 },
	{ "thu", "Thursday", 4 },
	{ "friday", "Friday", 5 }, { "fri", "Friday", 5 },
	{ "saturday", "Saturday", 6 }, { "sat", "Saturday", 6 },
};

/* Whole texts. */
static const struct {
	const char *words, *cron, *description;
} PHRASES[] = {
	{ "every morning", "0 9 * * *", "Every morning at 9 AM" },
	{ "every afternoon", "0 14 * * *", "Every afternoon at 2 PM" },
	{ "every evening", "0 18 * * *", "Every evening at 6 PM" },
	{ "every night", "0 21 * * *", "Every night at 9 PM" },
	{ "hourly", "0 * * * *", "Every hour" },
	{ "daily", "0 9 * * *", "Daily at 9 AM" },
	{ "weekly", "0 9 * * 1", "Every Monday at 9 AM" },
	{ "monthly", "0 9 1 * *", "First of every month at 9 AM" },
	{ "twice a day", "0 9,17 * * *", "Twice a day at 9 AM and 5 PM" },
	{ "every hour", "0 * * * *", "Every hour" },
	{ "every minute", "* * * * *", "Every minute" },
};

/* What may stand before "at" and a time: days as cron has them, and how it is described. */
static const struct {
	const char *words, *days, *description;
} TIMED[] = {
	{ "daily", "* * *", "Daily" },
	{ "every day", "* * *", "Daily" },
	{ "weekday", "* * 1-5", "Weekdays" },
	{ "weekdays", "* * 1-5", "Weekdays" },
	{ "every weekday", "* * 1-5", "Weekdays" },
	{ "every weekdays", "* * 1-5", "Weekdays" },
	{ "on weekday", "* * 1-5", "Weekdays" },
	{ "on weekdays", "* * 1-5", "Weekdays" },
};

/* Counted units: in words, where the count stands before them, and as shorthand. */
struct unit {
	const char *words[5]; /* of shorthand; NULL at the end */
	int64_t max;
	const char *name;  /* in the message of the limit */
	const char *one;   /* cron of a count of 1 */
	const char *before, *after; /* the count in the cron of others */
};
static const struct unit UNITS[] = {
	{ { "m", "min", "mins", "minute", "minutes" }, 59, "Minute", "* * * * *",
	    "*/", " * * * *" },
	{ { "h", "hr", "hrs", "hour", "hours" }, 23, "Hour", "0 * * * *", "0 */",
	    " * * *" },
	{ { "d", "day", "days" }, 31, "Day", "0 9 * * *", "0 9 */", " * *" },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* S behind PREFIX, or NULL. */
static const char *behind(const char *s, const char *prefix)
{
	return text_starts(s, prefix) ? s + strlen(prefix) : NULL;
}

/* The number at the start of *S, which then stands behind it; -1: there is none. A very long one is
 * as good as any that is too large. */
static int64_t take_count(const char **s)
{
	const char *p = *s;
	int64_t n = 0;

	if (!is_digit(*p))
		return -1;
	for (; is_digit(*p); p++)
		if (n < INT64_C(1000000000))
			n = n * 10 + (*p - '0');
	*s = p;
	return n;
}

/* One or two digits at *S. */
static int take_two(const char **s)
{
	int n = -1;

	for (int i = 0; i < 2 && is_digit(**s); i++)
		n = (n < 0 ? 0 : n * 10) + (*(*s)++ - '0');
	return n;
}

/* Minutes of the day; -1 where the text is no time. */
static int time_of(struct arena *a, const char *text)
{
	char *s = arena_strdup(a, text), *w = s;
	const char *p = s;
	int hour, minute = 0;
	bool colon;

	for (const char *r = s; *r; r++)
		if (*r != ' ')
			*w++ = *r;
	*w = '\0';
	if (strcmp(s, "noon") == 0 || strcmp(s, "12noon") == 0)
		return 12 * 60;
	if (strcmp(s, "midnight") == 0 || strcmp(s, "12midnight") == 0)
		return 0;
	hour = take_two(&p);
	colon = *p == ':';
	if (colon) {
		if (!is_digit(p[1]) || !is_digit(p[2]))
			return -1;
		p++;
		minute = take_two(&p);
	}
	if (hour < 0 || minute > 59)
		return -1;
	if (!*p)
		return colon && hour <= 23 ? hour * 60 + minute : -1;
	if (hour < 1 || hour > 12 || (strcmp(p, "am") != 0 && strcmp(p, "pm") != 0))
		return -1;
	return (hour % 12 + (*p == 'p' ? 12 : 0)) * 60 + minute;
}

/* "9 AM", "5:45 PM". */
static const char *time_words(struct arena *a, int t)
{
	int hour = t / 60 % 12 ? t / 60 % 12 : 12;
	const char *half = t < 12 * 60 ? "AM" : "PM";

	return t % 60 ? arena_printf(a, "%d:%02d %s", hour, t % 60, half)
		      : arena_printf(a, "%d %s", hour, half);
}

static bool at_time(struct arena *a, const char *days, const char *what, int t,
    struct interval *out)
{
	out->cron = arena_printf(a, "%d %d %s", t % 60, t / 60, days);
	out->description = arena_printf(a, "%s at %s", what, time_words(a, t));
	return true;
}

static const struct day *find_day(const char *word)
{
	for (size_t i = 0; word && i < COUNT(DAYS); i++)
		if (strcmp(DAYS[i].word, word) == 0)
			return &DAYS[i];
	return NULL;
}

/* [the ]first [of ](every|the|each) month */
static bool is_first_of_month(const char *s)
{
	static const char *const ENDS[] = { "every month", "the month", "each month" };

	s = text_starts(s, "the ") ? s + strlen("the ") : s;
	s = behind(s, "first ");
	if (s && text_starts(s, "of "))
		s += strlen("of ");
	for (size_t i = 0; s && i < COUNT(ENDS); i++)
		if (strcmp(s, ENDS[i]) == 0)
			return true;
	return false;
}

static const char *every(struct arena *a, const struct unit *u, int64_t n)
{
	return arena_printf(a, "%s%lld%s", u->before, (long long)n, u->after);
}

/* "every 5 minutes" */
static bool counted(struct arena *a, const char *s, struct interval *out)
{
	static const char *const WORDS[][4] = { { "minute", "minutes", "min", "mins" },
		{ "hour", "hours", "", "" } };
	const char *p = behind(s, "every ");
	int64_t n = p ? take_count(&p) : -1;

	if (n < 1 || *p++ != ' ')
		return false;
	for (size_t i = 0; i < COUNT(WORDS); i++)
		for (size_t k = 0; k < COUNT(WORDS[i]); k++) {
			if (!*p || strcmp(p, WORDS[i][k]) != 0 || n > UNITS[i].max)
				continue;
			out->cron = every(a, &UNITS[i], n);
			out->description = arena_printf(a, "Every %lld %s", (long long)n,
			    WORDS[i][n == 1 ? 0 : 1]);
			return true;
		}
	return false;
}

/* HEAD is what stands before "at". */
static bool timed(struct arena *a, const char *head, int t, struct interval *out)
{
	const char *word = behind(head, "every ");
	const struct day *day = find_day(word ? word : behind(head, "on "));

	if (day)
		return at_time(a, arena_printf(a, "* * %d", day->number),
		    arena_printf(a, "Every %s", day->name), t, out);
	if (is_first_of_month(head))
		return at_time(a, "1 * *", "First of every month", t, out);
	for (size_t i = 0; i < COUNT(TIMED); i++)
		if (strcmp(TIMED[i].words, head) == 0)
			return at_time(a, TIMED[i].days, TIMED[i].description, t, out);
	return false;
}

static bool in_words(struct arena *a, const char *s, struct interval *out)
{
	const char *at = strstr(s, " at ");
	int t = -1;

	if (text_starts(s, "at ")) {
		out->certain = false;
		t = time_of(a, behind(s, "at "));
		return t >= 0 && at_time(a, "* * *", "Daily", t, out);
	}
	if (at) {
		t = time_of(a, behind(at, " at "));
		return t >= 0 && timed(a, arena_strndup(a, s, (size_t)(at - s)), t, out);
	}
	for (size_t i = 0; i < COUNT(PHRASES); i++)
		if (strcmp(PHRASES[i].words, s) == 0) {
			out->cron = PHRASES[i].cron;
			out->description = PHRASES[i].description;
			return true;
		}
	if (is_first_of_month(s))
		return at_time(a, "1 * *", "First of every month", 9 * 60, out);
	return counted(a, s, out);
}

/* The unit that the word names, or NULL. */
static const struct unit *find_unit(const char *word)
{
	for (size_t i = 0; i < COUNT(UNITS); i++)
		for (size_t k = 0; k < COUNT(UNITS[i].words) && UNITS[i].words[k]; k++)
			if (strcmp(UNITS[i].words[k], word) == 0)
				return &UNITS[i];
	return NULL;
}

/* True where it is shorthand: then *WHY says what is wrong with it, or out->cron is set. */
static bool shorthand(struct arena *a, const char *s, struct interval *out, const char **why)
{
	int64_t n = take_count(&s);
	const struct unit *u = n < 0 ? NULL : find_unit(*s == ' ' ? s + 1 : s);

	if (!u)
		return false;
	if (n == 0)
		*why = "Interval value must be positive";
	else if (n > u->max)
		*why = arena_printf(a, "%s interval must be 1-%lld", u->name, (long long)u->max);
	else
		out->cron = n == 1 ? u->one : every(a, u, n);
	return true;
}

/* N of a field that is a star, a slash and digits; or NULL. */
static const char *step_of(const char *field)
{
	const char *n = behind(field, "*/");

	return n && *n && strspn(n, "0123456789") == strlen(n) ? n : NULL;
}

/* The words for a cron expression whose fields are separated by single blanks; itself where there
 * are none. The month is not looked at. */
static const char *describe(struct arena *a, const char *cron)
{
	char *minute = text_squeeze(a, cron), *hour = strchr(minute, ' ') + 1;
	char *day = strchr(hour, ' ') + 1, *month = strchr(day, ' ') + 1;
	char *weekday = strchr(month, ' ') + 1;
	bool every_day;

	hour[-1] = day[-1] = month[-1] = weekday[-1] = '\0';
	every_day = strcmp(day, "*") == 0 && strcmp(weekday, "*") == 0;
	if (every_day && strcmp(hour, "*") == 0) {
		if (strcmp(minute, "*") == 0)
			return "Every minute";
		if (step_of(minute))
			return arena_printf(a, "Every %s minutes", step_of(minute));
	}
	if (strcmp(minute, "0") != 0)
		return cron;
	if (strcmp(hour, "*") == 0)
		return "Every hour";
	if (step_of(hour))
		return arena_printf(a, "Every %s hours", step_of(hour));
	if (strcmp(hour, "9") == 0 && every_day)
		return "Daily at 9:00 AM";
	if (strcmp(hour, "9") == 0 && strcmp(day, "*") == 0 && strcmp(weekday, "1-5") == 0)
		return "Weekdays at 9:00 AM";
	return cron;
}

static const char *cannot(struct arena *a, const char *text)
{
	return arena_printf(a, "Cannot parse interval \"%s\". Use formats like 5m, 2h, 1d, or a "
			       "5-field cron expression.", text_ellipsis(a, text, INTERVAL_MAX));
}

bool interval_parse(struct arena *a, const char *text, int64_t now, struct interval *out,
    const char **why)
{
	const char *trimmed = text_trim(a, text), *words;

	*out = (struct interval){ .certain = true, .next = CRON_NEVER };
	*why = NULL;
	if (strlen(trimmed) > INTERVAL_MAX) {
		*why = cannot(a, trimmed);
		return false;
	}
	words = text_lower(a, text_squeeze(a, trimmed));
	if (!in_words(a, words, out)) {
		out->certain = true;
		if (!shorthand(a, words, out, why))
			out->cron = trimmed;
	}
	if (*why)
		return false;
	if (!cron_parse(a, out->cron, &out->when, why)) {
		if (!*why)
			*why = cannot(a, trimmed);
		return false;
	}
	if (!out->description)
		out->description = describe(a, out->cron);
	out->next = cron_next(&out->when, now);
	if (out->next == CRON_NEVER)
		*why = cannot(a, trimmed);
	return !*why;
}
