/* What every source file includes first: the configuration, the common headers, the names that
 * all modules share, and the list of libc functions that nobody here may call. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED __attribute__((unused))

/* Unbounded copies, numbers without error, hidden state. */
#pragma GCC poison strcpy strcat sprintf vsprintf atoi atol atof strtok gets

/* What a function says about how it went; err.h has the table that maps it to an HTTP status. */
enum rc {
	RC_OK = 0,
	RC_INVALID,   /* the caller's input is wrong */
	RC_DENIED,    /* not allowed */
	RC_NOTFOUND,  /* the thing does not exist */
	RC_CONFLICT,  /* the thing is in a state that forbids it */
	RC_TOOLARGE,  /* more than we take */
	RC_LIMIT,     /* a spending or rate limit */
	RC_BUSY,      /* try again: a lock, a full queue */
	RC_FULL,      /* the disk is full */
	RC_UPSTREAM,  /* a provider or another program failed */
	RC_TIMEOUT,   /* a limit of time */
	RC_CANCELLED, /* somebody wanted it to stop */
	RC_FENCED,    /* this run is no longer the one that may write */
	RC_IO,        /* files, sockets, processes */
	RC_CORRUPT,   /* the database is damaged */
	RC_BUG,       /* impossible: logged loudly, answered with 500 */
};

#endif
