/* Memories: adding, fading.
 *
 * A day's fading is one pass over the active memories in the order of their ids. How far it has got
 * is a setting, written with each piece; the time that counts for all of them is that at which the
 * pass began, so it may take as long as it likes and be interrupted anywhere. */
#include "core/domain/memory.h"

#include <math.h>

#include "core/id.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/queue.h"
#include "core/setting.h"

#define DAY_S 86400
#define LAST "memory.last_decay_at"
#define PASS "memory.decay_pass"
#define PIECE 200
#define LINE_MIN 20

#define OLD_DAYS 90
#define ARCHIVE_BELOW 200
#define DROP_BELOW 100

void memory_add(struct ctx *cx, const struct memory_new *m)
{
	db_run(cx->db, Q_MEMORY_INSERT, "ttttittii", id_make(cx->arena), m->profile, m->category,
	    m->content, m->confidence, m->task, m->tags, (int64_t)MEMORY_DECAY_RATE, cx->now);
}

void memory_learn_later(struct ctx *cx, const struct task *t, const char *profile,
    const char *result)
{
	const json_t *payload;

	if (!result || strlen(result) < LINE_MIN ||
	    db_get_int(cx->db, 0, Q_MEMORY_IS_HEARTBEAT, "t", t->id))
		return;
	payload = json_keep(cx->arena, json_pack("{s:s}", "profile", profile));
	queue_put_if_room(cx, JOB_REMEMBER, t->id, arena_printf(cx->arena, "memory:%s", profile),
	    json_text(cx->arena, payload));
}

/* A pass over the memories. */
struct pass {
	int64_t at, last;  /* when it began, and when the one before it */
	const char *after; /* the id of the memory that it has come to */
};

/* Begins or continues a pass; false where none is due. */
static bool pass_load(struct ctx *cx, struct pass *p)
{
	const json_t *stored = json_read_text(cx->arena, setting_get(cx, PASS));

	p->last = setting_int(cx, LAST, 0, INT64_MAX, 0);
	p->at = json_integer_value(json_object_get(stored, "at"));
	p->after = json_str(stored, "after");
	if (p->at > p->last && p->after)
		return true;
	p->at = cx->now;
	p->after = "";
	return p->last > cx->now || cx->now - p->last >= DAY_S;
}

static void pass_save(struct ctx *cx, const struct pass *p, bool over)
{
	const json_t *v;

	if (over) {
		setting_put(cx, LAST, arena_printf(cx->arena, "%lld", (long long)p->at));
		setting_delete(cx, PASS);
		return;
	}
	v = json_keep(cx->arena, json_pack("{s:I, s:s}", "at", (json_int_t)p->at, "after", p->after));
	setting_put(cx, PASS, json_text(cx->arena, v));
}

struct fading {
	const char *id;
	int64_t confidence, rate, used; /* as stored; USED: last access, else creation */
	int64_t faded;
	const char *status;
};

static double days(int64_t from, int64_t to)
{
	return to > from ? (double)(to - from) / DAY_S : 0;
}

static void fade(const struct pass *p, struct fading *f)
{
	double keeps = 1 - fmin(fmax((double)f->rate / 1000, 0), 1);
	int64_t from = p->last > f->used ? p->last : f->used;

	f->faded = (int64_t)floor((double)f->confidence * pow(keeps, days(from, p->at)) + 0.5);
	f->status = "active";
	if (days(f->used, p->at) > OLD_DAYS && f->faded < ARCHIVE_BELOW)
		f->status = "archived";
	else if (f->faded < DROP_BELOW)
		f->status = "decayed";
}

/* The next memories in turn; their number is PIECE unless they are the last. */
static size_t read_piece(struct ctx *cx, const char *after, struct fading list[PIECE])
{
	struct q *q = db_query(cx->db, Q_MEMORY_ACTIVE_AFTER, "ti", after, (int64_t)PIECE);
	size_t n = 0;

	while (n < PIECE && db_next(q))
		list[n++] = (struct fading){ .id = db_text_dup(q, 0, cx->arena),
			.confidence = db_int(q, 1), .rate = db_int(q, 2), .used = db_int(q, 3) };
	db_done(q);
	return n;
}

bool memory_decay(struct ctx *cx)
{
	struct fading list[PIECE];
	struct pass p;
	size_t n;

	if (!pass_load(cx, &p))
		return false;
	n = read_piece(cx, p.after, list);
	if (tx_begin(cx) != RC_OK)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fading *f = &list[i];

		fade(&p, f);
		if (f->faded != f->confidence || strcmp(f->status, "active") != 0)
			db_run(cx->db, Q_MEMORY_FADE, "tiiiti", f->id, f->confidence, f->used,
			    f->faded, f->status, cx->now);
	}
	if (n)
		p.after = list[n - 1].id;
	pass_save(cx, &p, n < PIECE);
	return tx_end(cx, RC_OK) == RC_OK && n == PIECE;
}
