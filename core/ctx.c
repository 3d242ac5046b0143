/* Transactions with what follows a commit, and the audit. */
#include "core/ctx.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"

struct removal {
	struct removal *next;
	const char *path;
};

void ctx_begin(struct ctx *cx, const char *actor, const char *request)
{
	err_clear(&cx->err);
	db_use(cx->db, &cx->err);
	cx->actor = actor;
	cx->request = request;
	cx->now = now_s();
	cx->bells = 0;
	cx->removals = NULL;
	cx->tx_depth = 0;
}

enum rc ctx_fail(struct ctx *cx, enum rc rc, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	if (cx->err.rc)
		return cx->err.rc;
	va_start(ap, fmt);
	text = arena_vprintf(cx->arena, fmt, ap);
	va_end(ap);
	err_set(&cx->err, rc, "%s", text);
	if (strlen(text) >= sizeof cx->err.msg)
		cx->err.whole = text;
	return rc;
}

enum rc tx_begin(struct ctx *cx)
{
	enum rc rc = cx->tx_depth ? db_savepoint(cx->db) : db_begin(cx->db);

	if (rc == RC_OK)
		cx->tx_depth++;
	return rc;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

enum rc tx_end(struct ctx *cx, enum rc rc)
{
	if (--cx->tx_depth > 0)
		return db_savepoint_end(cx->db, rc);
	rc = db_end(cx->db, rc);
	if (rc == RC_OK) {
		for (struct removal *r = cx->removals; r; r = r->next)
			if (nftw(r->path, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0)
				log_debug("nothing to remove at %s", r->path);
		bell_ring(cx->bells);
	}
	cx->removals = NULL;
	cx->bells = 0;
	return rc;
}

void ctx_remove_later(struct ctx *cx, const char *path)
{
	struct removal *r = arena_new_of(cx->arena, struct removal);
	size_t n = strlen(cx->conf->data_dir);

	if (!text_starts(path, cx->conf->data_dir) || path[n] != '/' || !path[n + 1] ||
	    strstr(path, "/../") || text_ends(path, "/.."))
		return;
	*r = (struct removal){ cx->removals, arena_strdup(cx->arena, path) };
	cx->removals = r;
}

json_t *ctx_list(struct ctx *cx, enum stmt stmt, const char *id)
{
	json_t *list = json_keep(cx->arena, json_array());
	struct q *q = db_query(cx->db, stmt, "t", id);

	while (db_next(q))
		json_array_append_new(list, json_string(db_text(q, 0)));
	return list;
}

void audit(struct ctx *cx, const char *op, const char *subject_type, const char *subject,
    const char *detail)
{
	db_run(cx->db, Q_AUDIT_INSERT, "itttttt", now_ms(), cx->actor, op, subject_type, subject,
	    detail, cx->request);
}
