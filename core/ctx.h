/* The context of one request or job: what every domain function needs, in one place. */
#ifndef CORE_CTX_H
#define CORE_CTX_H

#include <jansson.h>
#include "core/arena.h"
#include "core/bell.h"
#include "core/conf.h"
#include "core/db.h"
#include "core/err.h"

struct ctx {
	struct arena *arena;
	struct db *db;
	const struct conf *conf;
	struct err err;
	const char *actor;   /* who acts, for the audit: "api", "agent:<task id>", "runner", "ctl" */
	const char *request; /* id of the request, for log and audit; or NULL */
	int64_t now;         /* Unix seconds, the same for everything one request writes */
	unsigned bells;      /* BELL_ bits to ring after the commit */
	struct removal *removals;
	int tx_depth;
};

/* Readies CX for a new request or job; arena, db and conf stay. */
void ctx_begin(struct ctx *cx, const char *actor, const char *request);

/* Notes a failure for the client and returns its code. Unlike err_set it keeps a text of any
 * length, as one that quotes what the client sent has to be. */
enum rc ctx_fail(struct ctx *cx, enum rc rc, const char *fmt, ...) PRINTF(3, 4);

/* A writing transaction. tx_end commits where RC and every statement were fine, then rings the
 * bells and removes the files that were put off; else it rolls back. Inside another transaction it
 * is a part of that one, which alone is undone when it fails; the caller of the failed part then
 * decides whether the whole goes on (err_clear) or not. */
enum rc tx_begin(struct ctx *cx);
enum rc tx_end(struct ctx *cx, enum rc rc);

/* Removes the file or folder PATH (below the data folder) once the transaction is committed. */
void ctx_remove_later(struct ctx *cx, const char *path);

/* The first column of every row that STMT gives for ID, as an array of texts in the arena: what is
 * changed meanwhile does not disturb it. */
json_t *ctx_list(struct ctx *cx, enum stmt stmt, const char *id);

/* Writes an audit row into the running transaction: who did what to which thing. */
void audit(struct ctx *cx, const char *op, const char *subject_type, const char *subject,
    const char *detail);

#endif
