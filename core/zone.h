/* The wall clock of other time zones, by their IANA names. The C library knows one zone at a time, so
 * TZ is changed for a moment: for programs with one thread. */
#ifndef CORE_ZONE_H
#define CORE_ZONE_H

#include "core/core.h"

/* Whether the system has data of a zone of this name. */
bool zone_known(const char *name);
/* The hour (0 to 23) in a known zone at T. */
int zone_hour(const char *name, int64_t t);
/* When it is HOUR o'clock there next: today where that is still to come, else tomorrow. */
int64_t zone_next_hour(const char *name, int64_t t, int hour);

#endif
