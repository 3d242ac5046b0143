/* The program's log. A line is written with one write(2), so lines of several processes that
 * share a file do not mix. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/text.h"

static const char *const LEVELS[] = { "debug", "info", "warn", "error" };

static const char *program = "stagent";
static enum log_level threshold = LOG_INFO;
static char request[72];

void log_init(const char *name, enum log_level level)
{
	program = name;
	threshold = level;
}

bool log_level_parse(const char *word, enum log_level *out)
{
	for (size_t i = 0; i < COUNT(LEVELS); i++)
		if (strcmp(word, LEVELS[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

void log_request(const char *id)
{
	snprintf(request, sizeof request, "%s", id ? id : "");
}

/* A log line must stay one line, whatever a client put into it. */
static void flatten(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

void log_msg(enum log_level level, const char *fmt, ...)
{
	struct arena *a;
	char msg[2048], line[2400], iso[TIME_ISO_SIZE];
	va_list ap;
	int n;

	if (level < threshold)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	flatten(msg);
	a = arena_new(64 << 10);
	n = snprintf(line, sizeof line, "%s %s %s[%d]%s%s %s\n", time_iso_ms(iso, now_ms()),
	    LEVELS[level], program, (int)getpid(), *request ? " req=" : "", request,
	    text_mask_keys(a, msg));
	arena_free(a);
	if (n >= (int)sizeof line)
		n = (int)sizeof line - 1;
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		return;
}
