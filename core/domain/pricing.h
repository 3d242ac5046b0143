/* The pricing snapshot: the prices in force as clients see them. Refreshing them is a job. */
#ifndef CORE_DOMAIN_PRICING_H
#define CORE_DOMAIN_PRICING_H

#include "core/ctx.h"
#include "core/json_out.h"

#define PRICING_STALE_S (7 * 86400)

/* Writes the snapshot as an object. Reads a file where no prices are stored: not inside a
 * transaction. */
void pricing_write(struct ctx *cx, struct jw *w);
/* Puts the refresh into the queue, unless one is there already; *JOB is the one to wait for. */
enum rc pricing_refresh(struct ctx *cx, int64_t *job);

#endif
