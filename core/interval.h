/* Intervals as people write them: in words ("every weekday at 9am"), as shorthand ("5m") or as a
 * cron expression. All become a cron expression. */
#ifndef CORE_INTERVAL_H
#define CORE_INTERVAL_H

#include "core/cron.h"

#define INTERVAL_MAX 2000 /* bytes; a longer text is none */

struct interval {
	const char *cron;        /* five fields; of a cron expression the text itself, trimmed */
	const char *description; /* in words, or the expression */
	bool certain;            /* that this is what was meant */
	struct cron when;
	int64_t next; /* the first match behind the time that was given */
};

/* Reads TEXT. False where it is none, or never comes: *WHY gets the reason (arena). NOW: Unix
 * seconds. */
bool interval_parse(struct arena *a, const char *text, int64_t now, struct interval *out,
    const char **why);

#endif
