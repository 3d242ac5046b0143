/* Time. Instants are Unix seconds or milliseconds (UTC); durations are of the monotonic clock. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include "core/core.h"

#define TIME_ISO_SIZE 32

int64_t now_s(void);
int64_t now_ms(void);
/* Milliseconds that only grow, also while the clock is set back. */
int64_t mono_ms(void);
/* "YYYY-MM-DDTHH:MM:SS.000Z"; the milliseconds are always zeros. */
const char *time_iso(char out[TIME_ISO_SIZE], int64_t t_s);
/* The same with real milliseconds. */
const char *time_iso_ms(char out[TIME_ISO_SIZE], int64_t t_ms);
/* Reads what the two above write (fraction optional, Z required); false for anything else. */
bool time_parse_iso(const char *s, int64_t *t_s);

/* Days since 1970-01-01 as year, month (from 1) and day (from 1) of the Gregorian calendar, and the
 * reverse. */
void date_of_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);
int64_t days_of_date(int64_t y, unsigned m, unsigned d);
/* 28 to 31; 0 where M is no month. */
unsigned days_in_month(int64_t y, unsigned m);

#endif
