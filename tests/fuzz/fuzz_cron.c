/* Intervals and cron expressions: a zone (by number), then a time, then the text. What is read has a
 * cron expression that is read again as the same; the next matches grow, are whole minutes, and each
 * is one by its own minute where the clock does not change nearby. */
#include <time.h>

#include "core/interval.h"
#include "tests/fuzz/fuzz.h"

static const char *const ZONES[] = { "UTC", "Europe/Berlin", "America/Santiago",
	"Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca" };
#define MATCHES 5
#define DAY_S 86400

static struct tm wall_clock(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm;

	require(localtime_r(&at, &tm) != NULL);
	return tm;
}

static bool is_quiet(int64_t t)
{
	long here = wall_clock(t).tm_gmtoff;

	return wall_clock(t - 2 * DAY_S).tm_gmtoff == here && wall_clock(t + 2 * DAY_S).tm_gmtoff == here;
}

static void check_times(const struct cron *c, int64_t t)
{
	for (int i = 0; i < MATCHES; i++) {
		int64_t next = cron_next(c, t);
		struct tm tm;

		if (next == CRON_NEVER)
			return;
		require(next > t && next % 60 == 0);
		require(cron_next(c, next - 60) == next || !is_quiet(next));
		tm = wall_clock(next);
		if (is_quiet(next))
			require((c->minutes >> tm.tm_min & 1) && (c->hours >> tm.tm_hour & 1) &&
			    (c->months >> (tm.tm_mon + 1) & 1));
		t = next;
	}
}

static void check(struct arena *a, const char *text, int64_t now)
{
	struct interval i, again;
	struct cron c;
	const char *why;

	if (!interval_parse(a, text, now, &i, &why)) {
		require(*why != '\0');
		return;
	}
	require(*i.description != '\0' && i.next != CRON_NEVER);
	require(cron_parse(a, i.cron, &c, &why) && memcmp(&c, &i.when, sizeof c) == 0);
	require(interval_parse(a, i.cron, now, &again, &why) && again.next == i.next);
	check_times(&i.when, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a;
	uint32_t now;
	char *text;

	if (size < 5)
		return 0;
	a = arena_new(FUZZ_ARENA_MAX);
	memcpy(&now, data + 1, sizeof now);
	setenv("TZ", ZONES[data[0] % COUNT(ZONES)], 1);
	tzset();
	text = arena_strndup(a, (const char *)data + 5, size - 5);
	if (text_is_utf8(text, strlen(text)))
		check(a, text, now);
	arena_free(a);
	return 0;
}
