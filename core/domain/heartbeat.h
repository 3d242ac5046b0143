/* Heartbeats: what an agent is asked, how its answer is read, and when it may be asked. Nothing here
 * touches the database. */
#ifndef CORE_DOMAIN_HEARTBEAT_H
#define CORE_DOMAIN_HEARTBEAT_H

#include "core/arena.h"

/* The order to judge the CHECKLIST (JSON text, may be NULL) of the heartbeat NAME. NULL where there
 * is nothing on it that can be judged, or far too much. */
const char *heartbeat_prompt(struct arena *a, const char *name, const char *checklist);

struct heartbeat_answer {
	bool readable;
	bool action;           /* something has to be done */
	const char *summaries; /* of what has to be done; "" where there are none */
};
/* Reads the RESULT of the agent's task; NULL, or an answer of any other form, is not readable. */
struct heartbeat_answer heartbeat_read(struct arena *a, const char *result);
/* The words for the log; N: which one without action in a row this is. */
const char *heartbeat_report(struct arena *a, const struct heartbeat_answer *r, int64_t n);

/* Hours between which it may fire, in ZONE (may be NULL); HOUR_NONE: not set. An end before the start
 * is over night, and one that is the start is never. */
#define HOUR_NONE INT64_MIN
struct heartbeat_hours {
	int64_t start, end;
	const char *zone;
};
/* 0 where it may fire at T, else when its hours begin next. A zone that the system does not know is
 * no restriction. */
int64_t heartbeat_opens(const struct heartbeat_hours *h, int64_t t);

/* Millionths of a dollar in the unit of BUDGET, which is dollars where it is small. */
double heartbeat_cost(double budget, double micros);
/* The amount SPENT, which is in the unit of the budget BEFORE, in that of AFTER. */
double heartbeat_convert(double spent, double before, double after);

#endif
