/* How failures travel: every function that can fail returns an enum rc; what there is to say about
 * the first failure stands in a struct err, and one table says what a client sees of it. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

#include "core/core.h"

struct err {
	enum rc rc;
	int status;       /* HTTP status where it is not the one of rc; else 0 */
	char msg[512];    /* for the client: short, without SQL, paths or keys */
	const char *whole; /* msg where it is longer than that, in the arena; or NULL */
	const char *body; /* a whole JSON body instead of {"error":msg}, or NULL; in the arena */
	char cause[512];  /* for the log only */
};

/* Notes a failure unless there is one already, and returns its code. */
enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);
/* The same for what only the log may know; the client sees "Internal server error". */
enum rc err_internal(struct err *e, enum rc rc, const char *fmt, ...) PRINTF(3, 4);
void err_clear(struct err *e);
/* What the client is told, whole. */
const char *err_text(const struct err *e);

int rc_http_status(enum rc rc);
const char *rc_name(enum rc rc);

#endif
