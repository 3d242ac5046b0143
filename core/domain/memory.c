/* Memories: listing, adding, changing, fading.
 *
 * A day's fading is one pass over the active memories in the order of their ids. How far it has got
 * is a setting, written with each piece; the time that counts for all of them is that at which the
 * pass began, so it may take as long as it likes and be interrupted anywhere. */
#include "core/domain/memory.h"

#include <math.h>

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
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

const char *memory_add(struct ctx *cx, const struct memory_new *m)
{
	const char *id = id_make(cx->arena);

	db_run(cx->db, Q_MEMORY_INSERT, "ttttittii", id, m->profile, m->category, m->content,
	    m->confidence, m->task, m->tags, (int64_t)MEMORY_DECAY_RATE, cx->now);
	return id;
}

void memory_write_list(struct ctx *cx, struct jw *w, const char *profile, const char *category,
    const char *status)
{
	struct q *q = db_query(cx->db, Q_MEMORY_LIST, "ttt", profile, category, status);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_MEMORY, 0);
	jw_end_arr(w);
}

/* The text under KEY; NULL where it is missing, empty or no text. */
static const char *filled(const json_t *in, const char *key)
{
	const char *s = json_str(in, key);

	return s && *s ? s : NULL;
}

/* The confidence that a body gives, where UNIT is certainty; absent: *OUT stays as it is. */
static enum rc read_confidence(struct ctx *cx, const json_t *in, double unit, int64_t *out)
{
	const json_t *v = json_object_get(in, "confidence");
	double n;

	if (!v || json_is_null(v))
		return RC_OK;
	if (!json_is_number(v))
		return ctx_fail(cx, RC_INVALID, "confidence must be a number");
	n = fmin(fmax(json_number_value(v), 0), unit) * (MEMORY_CONFIDENCE_MAX / unit);
	*out = (int64_t)floor(n + 0.5);
	return RC_OK;
}

static enum rc read_tags(struct ctx *cx, const json_t *in, const char **out)
{
	const json_t *list = json_object_get(in, "tags"), *item;
	bool fits = json_is_array(list);
	size_t i;

	if (!list || json_is_null(list))
		return RC_OK;
	json_array_foreach(list, i, item)
		fits = fits && json_is_string(item);
	if (!fits)
		return ctx_fail(cx, RC_INVALID, "tags must be an array of strings");
	*out = json_text(cx->arena, list);
	return RC_OK;
}

static enum rc read_new(struct ctx *cx, const json_t *in, struct memory_new *m)
{
	enum rc rc;

	*m = (struct memory_new){ .profile = filled(in, "profileId"),
		.category = json_str(in, "category"), .content = filled(in, "content"),
		.confidence = MEMORY_CONFIDENCE };
	if (!m->profile || !json_truth(json_object_get(in, "category")) || !m->content)
		return ctx_fail(
		    cx, RC_INVALID, "profileId, category, and content are required");
	if (!word_in(&MEMORY_CATEGORIES, m->category))
		return ctx_fail(cx, RC_INVALID,
		    "category must be one of: fact, preference, pattern, outcome");
	rc = read_confidence(cx, in, 1, &m->confidence);
	return rc != RC_OK ? rc : read_tags(cx, in, &m->tags);
}

enum rc memory_create(struct ctx *cx, const json_t *in, const char **id)
{
	struct memory_new m;
	enum rc rc = read_new(cx, in, &m);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	*id = memory_add(cx, &m);
	audit(cx, "memory.create", "memory", *id, NULL);
	return tx_end(cx, RC_OK);
}

/* CONFIDENCE below 0 and a STATUS of NULL leave what is stored. */
static enum rc change(struct ctx *cx, const char *id, int64_t confidence, const char *status)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_MEMORY_UPDATE, confidence < 0 ? "tIti" : "titi", id, confidence, status,
	    cx->now);
	if (db_changes(cx->db))
		audit(cx, "memory.update", "memory", id, status);
	return tx_end(cx, RC_OK);
}

enum rc memory_update(struct ctx *cx, const json_t *in)
{
	const char *id = filled(in, "id"), *status = json_str(in, "status");
	int64_t confidence = -1;
	enum rc rc;

	if (!id)
		return ctx_fail(cx, RC_INVALID, "id is required");
	rc = read_confidence(cx, in, MEMORY_CONFIDENCE_MAX, &confidence);
	if (rc != RC_OK)
		return rc;
	if (json_object_get(in, "status") && !word_in(&MEMORY_STATUSES, status))
		return ctx_fail(cx, RC_INVALID,
		    "status must be one of: active, decayed, archived, rejected");
	return change(cx, id, confidence, status);
}

enum rc memory_archive(struct ctx *cx, const json_t *in)
{
	const char *id = filled(in, "id");

	return id ? change(cx, id, -1, "archived")
		  : ctx_fail(cx, RC_INVALID, "id is required");
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
	    json_text(cx->arena, payload), 0);
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
