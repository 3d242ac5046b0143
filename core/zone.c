/* Time zones other than the server's own. */
#include "core/zone.h"

#include <time.h>

#define NAME_MAX_LEN 63
#define FOLDER "/usr/share/zoneinfo"
#define MAGIC "TZif"

/* A relative path of plain words. */
static bool is_name(const char *s)
{
	static const char CHARS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

	return *s && *s != '/' && strlen(s) <= NAME_MAX_LEN && strspn(s, CHARS) == strlen(s);
}

bool zone_known(const char *name)
{
	const char *folder = getenv("TZDIR");
	char path[512], magic[4];
	FILE *f;
	bool known;

	if (strcmp(name, "UTC") == 0)
		return true;
	if (!is_name(name) || snprintf(path, sizeof path, "%s/%s",
				  folder && *folder ? folder : FOLDER, name) >= (int)sizeof path)
		return false;
	f = fopen(path, "re");
	known = f && fread(magic, 1, sizeof magic, f) == sizeof magic &&
		memcmp(magic, MAGIC, sizeof magic) == 0;
	if (f)
		fclose(f);
	return known;
}

/* Goes to the zone NAME, or back to SAVED (NULL: TZ was not set). */
static void set_zone(const char *value)
{
	if (value)
		setenv("TZ", value, 1);
	else
		unsetenv("TZ");
	tzset();
}

struct visit {
	char saved[256];
	bool was_set;
};

/* A TZ that is too long to be kept was set by nobody who meant it. */
static void enter(struct visit *v, const char *name)
{
	const char *now = getenv("TZ");
	char value[NAME_MAX_LEN + 2];

	v->was_set = now != NULL;
	snprintf(v->saved, sizeof v->saved, "%s", now ? now : "");
	snprintf(value, sizeof value, ":%s", name);
	set_zone(value);
}

static void leave(const struct visit *v)
{
	set_zone(v->was_set ? v->saved : NULL);
}

static struct tm wall_clock(int64_t t)
{
	time_t at = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&at, &tm);
	return tm;
}

int zone_hour(const char *name, int64_t t)
{
	struct visit v;
	int hour;

	enter(&v, name);
	hour = wall_clock(t).tm_hour;
	leave(&v);
	return hour;
}

int64_t zone_next_hour(const char *name, int64_t t, int hour)
{
	struct visit v;
	struct tm tm;
	int64_t at;

	enter(&v, name);
	tm = wall_clock(t);
	tm.tm_mday += tm.tm_hour >= hour;
	tm.tm_hour = hour;
	tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	at = mktime(&tm);
	leave(&v);
	return at;
}
