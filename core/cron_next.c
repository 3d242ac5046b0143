/* When a cron expression matches next: day by day in the local calendar, then minute by minute of the
 * first day that fits. On the days around a change of the clock each minute is looked up by itself. */
#include <time.h>

#include "core/clock.h"
#include "core/cron.h"

#define DAY_S 86400
#define SEARCH_DAYS (CRON_YEARS * 366)
#define ALL_HOURS 0xffffffu

/* Seconds that the local clock is ahead of UTC. */
static int64_t offset_at(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;

	return localtime_r(&at, &tm) ? tm.tm_gmtoff : 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* DAYS: of the local calendar, since 1970-01-01. */
static bool fits_day(const struct cron *c, int64_t days)
{
	unsigned month, day, last, weekday = (unsigned)(days + 4 - 7 * floor_div(days + 4, 7));
	bool by_day, by_weekday;
	int64_t year;

	date_of_days(days, &year, &month, &day);
	if (!(c->months >> month & 1))
		return false;
	last = days_in_month(year, month);
	by_day = (c->days >> day & 1) || (c->last_day && day == last);
	by_weekday = (c->weekdays >> weekday & 1) && (!c->nth || (int)(day + 6) / 7 == c->nth);
	by_weekday |= (c->last_weekdays >> weekday & 1) && day + 7 > last;
	if (c->any_day || c->any_weekday)
		return (c->any_day || by_day) && (c->any_weekday || by_weekday);
	return by_day || by_weekday;
}

/* The time WALL (seconds of the local calendar) as an instant, on a day on which the clock changes
 * from BEFORE to AFTER. Whatever is earlier than FROM does not count. */
static int64_t instant(int64_t wall, int64_t before, int64_t after, int64_t from, bool every_hour)
{
	int64_t first = wall - before, second = wall - after;
	bool is_first = offset_at(first) == before, is_second = offset_at(second) == after;

	if (is_first && (first >= from || !every_hour))
		return first >= from ? first : CRON_NEVER;
	if (is_second)
		return second >= from ? second : CRON_NEVER;
	return !is_first && !every_hour && first >= from ? first : CRON_NEVER;
}

/* The first instant of the day that matches and is not earlier than FROM. *CHANGES: the clock
 * changes on it or nearby. */
static int64_t on_day(const struct cron *c, int64_t days, int64_t from, bool *changes)
{
	int64_t start = days * DAY_S, best = CRON_NEVER;
	int64_t before = offset_at(start - DAY_S), after = offset_at(start + 2 * DAY_S);

	*changes = before != after || offset_at(start + DAY_S / 2) != before;
	for (int hour = 0; hour < 24; hour++)
		for (int minute = 0; minute < 60; minute++) {
			int64_t wall = start + hour * 3600 + minute * 60, at = wall - before;

			if (!(c->hours >> hour & 1) || !(c->minutes >> minute & 1))
				continue;
			if (*changes)
				at = instant(wall, before, after, from, c->hours == ALL_HOURS);
			if (at >= from && (best == CRON_NEVER || at < best))
				best = at;
			if (!*changes && best != CRON_NEVER)
				return best;
		}
	return best;
}

int64_t cron_next(const struct cron *c, int64_t t)
{
	int64_t from = (floor_div(t, 60) + 1) * 60;
	int64_t today = floor_div(from + offset_at(from), DAY_S), best = CRON_NEVER;

	/* What a change of the clock moves may end up on the next day: the days on both sides of one
	 * are looked at together. */
	for (int64_t day = today - 1; day <= today + SEARCH_DAYS; day++) {
		bool changes = false, found = best != CRON_NEVER;

		if (fits_day(c, day)) {
			int64_t at = on_day(c, day, from, &changes);

			if (at != CRON_NEVER && (!found || at < best))
				best = at;
		}
		if (best != CRON_NEVER && (found || !changes))
			break;
	}
	return best;
}
