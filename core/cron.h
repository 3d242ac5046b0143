/* Cron expressions: five fields, blanks between them: minute, hour, day of month, month, day of week.
 *
 * A field is a list of items: a number, a range a-b, or * or ? for all values, each with /step or
 * without (a/step goes on to the maximum). Months and days of the week may be English three-letter
 * names. Day of month also takes L, the last day; day of week takes 0 and 7 for Sunday, dL for the
 * last such day of the month and, alone, d#n for the n-th. Where day of month and day of week are
 * both restricted (neither is exactly * or ?), a day matches when one of them does.
 *
 * Times are of the server's local time zone (TZ). A time that the clock leaves out when it is put
 * forward comes as much later as the clock is put; one that comes twice when it is put back counts
 * once, the first time. Where every hour matches, the clock is not what counts: then a minute matches
 * whenever it comes. */
#ifndef CORE_CRON_H
#define CORE_CRON_H

#include "core/arena.h"

#define CRON_YEARS 40 /* so far ahead is a match looked for */
#define CRON_NEVER INT64_MIN

/* Bit N of a set: the value N matches. */
struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;
	uint32_t last_weekdays;      /* the last such day of the month */
	bool last_day;               /* of the month */
	int nth;                     /* of the one weekday there is; 0: any */
	bool any_day, any_weekday;   /* the field does not restrict */
};

/* Reads TEXT. False where it is none: *WHY gets the reason (arena), or NULL where TEXT does not even
 * have five fields. */
bool cron_parse(struct arena *a, const char *text, struct cron *out, const char **why);
/* The first whole minute that matches and begins after the minute of T (Unix seconds) has begun;
 * CRON_NEVER where none does within CRON_YEARS. */
int64_t cron_next(const struct cron *c, int64_t t);

#endif
