/* Clocks and the ISO form of instants. */
#include "core/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t now_s(void)
{
	return now_ms() / 1000;
}

int64_t now_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

/* Howard Hinnant's civil_from_days. */
void date_of_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

/* The reverse: days_from_civil. */
int64_t days_of_date(int64_t y, unsigned m, unsigned d)
{
	int64_t yy = y - (m <= 2), era = (yy >= 0 ? yy : yy - 399) / 400;
	unsigned yoe = (unsigned)(yy - era * 400);
	unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + (int64_t)doe - 719468;
}

static void two(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
}

/* Written by hand, not with printf: every row of every answer has two of these. */
const char *time_iso_ms(char out[TIME_ISO_SIZE], int64_t t_ms)
{
	int64_t t_s = t_ms >= 0 ? t_ms / 1000 : -((-t_ms + 999) / 1000);
	int64_t days = t_s >= 0 ? t_s / 86400 : -((-t_s + 86399) / 86400), y;
	unsigned ms = (unsigned)(t_ms - t_s * 1000), sec = (unsigned)(t_s - days * 86400), m, d;

	date_of_days(days, &y, &m, &d);
	if (y < 0 || y > 9999) {
		snprintf(out, TIME_ISO_SIZE, "1970-01-01T00:00:00.000Z");
		return out;
	}
	memcpy(out, "0000-00-00T00:00:00.000Z", 25);
	two(out, (unsigned)(y / 100));
	two(out + 2, (unsigned)(y % 100));
	two(out + 5, m);
	two(out + 8, d);
	two(out + 11, sec / 3600);
	two(out + 14, sec / 60 % 60);
	two(out + 17, sec % 60);
	out[20] = (char)('0' + ms / 100);
	two(out + 21, ms % 100);
	return out;
}

const char *time_iso(char out[TIME_ISO_SIZE], int64_t t_s)
{
	return time_iso_ms(out, t_s * 1000);
}

unsigned days_in_month(int64_t y, unsigned m)
{
	static const unsigned DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	if (m == 2 && leap)
		return 29;
	return m < 1 || m > 12 ? 0 : DAYS[m - 1];
}

bool time_parse_iso(const char *s, int64_t *t_s)
{
	static const char FORM[] = "0000-00-00T00:00:00";
	unsigned y, mo, d, h, mi, sec;

	for (size_t i = 0; FORM[i]; i++)
		if (FORM[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != FORM[i])
			return false;
	if (sscanf(s, "%4u-%2u-%2uT%2u:%2u:%2u", &y, &mo, &d, &h, &mi, &sec) != 6)
		return false;
	s += sizeof FORM - 1;
	if (*s == '.') {
		s++;
		if (*s < '0' || *s > '9')
			return false;
		while (*s >= '0' && *s <= '9')
			s++;
	}
	if (strcmp(s, "Z") != 0 || d < 1 || d > days_in_month(y, mo) || h > 23 || mi > 59 || sec > 59)
		return false;
	*t_s = days_of_date(y, mo, d) * 86400 + h * 3600 + mi * 60 + sec;
	return true;
}
