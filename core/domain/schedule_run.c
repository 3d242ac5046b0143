/* Schedules: the job runner's part. One that is due is claimed by a conditional change; all that its
 * firing writes is in the same transaction. */
#include "core/domain/schedule_int.h"

#include "core/domain/budget.h"
#include "core/id.h"
#include "core/log.h"

#define AGENT_TYPE "heartbeat" /* of the log rows */
#define CHARACTERS_MAX 4000000 /* far more than a request may give it */
static const char NEVER[] = "its expression never matches";

/* The first match behind now; 0 where the expression is none, or never comes again. */
static int64_t next_time(struct ctx *cx, const struct schedule *s)
{
	const char *why;
	struct cron c;
	int64_t at = CRON_NEVER;

	if (cron_parse(cx->arena, s->cron, &c, &why))
		at = cron_next(&c, cx->now);
	return at == CRON_NEVER ? 0 : at;
}

/* It waits for a person: older programs took anything. */
static void suspend(struct ctx *cx, const char *id, const char *why)
{
	db_run(cx->db, Q_SCHEDULE_SUSPEND, "ti", id, cx->now);
	audit(cx, "schedule.suspend", "schedule", id, why);
	log_warn("schedule %s is paused: %s", id, why);
}

/* Lets it wait for its next match, but not to fire before NOT_BEFORE. */
static void plan(struct ctx *cx, const struct schedule *s, int64_t not_before)
{
	int64_t next = next_time(cx, s);

	if (!next)
		suspend(cx, s->id, NEVER);
	else
		db_run(cx->db, Q_SCHEDULE_PLAN, "ti", s->id, next > not_before ? next : not_before);
}

static void lapse(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_SCHEDULE_LAPSE, "ti", id, cx->now);
	if (db_changes(cx->db))
		audit(cx, "schedule.expire", "schedule", id, NULL);
}

/* The state in which one firing more leaves it; NULL: in the one it is in. */
static const char *end_of(const struct schedule *s)
{
	if (!schedule_is(s, "active") && !schedule_is(s, "paused"))
		return NULL;
	if (!s->recurs)
		return "completed";
	return s->firing_count + 1 >= s->max_firings ? "expired" : NULL;
}

static void count(struct ctx *cx, const struct schedule *s, int64_t fired_at)
{
	const char *end = end_of(s);
	bool waits = !end && schedule_is(s, "active");
	int64_t next = waits ? next_time(cx, s) : 0;

	db_run(cx->db, Q_SCHEDULE_FIRED, next ? "titii" : "titIi", s->id, fired_at, end, next,
	    cx->now);
	if (waits && !next)
		suspend(cx, s->id, NEVER);
}

/* Whether today's budget leaves room; a new day begins with all of it. */
static bool has_budget(struct ctx *cx, const struct schedule *s)
{
	struct budget_window day, month;

	if (!s->has_budget || !(s->budget > 0))
		return true;
	budget_windows(cx->now, &day, &month);
	if (s->reset_at >= day.start)
		return s->spent < s->budget;
	db_run(cx->db, Q_SCHEDULE_RESET_SPENT, "ti", s->id, day.start);
	return true;
}

/* What its task is to do; NULL: nothing now. */
static const char *brief_of(struct ctx *cx, const struct schedule *s)
{
	if (!schedule_is_heartbeat(s))
		return s->prompt;
	return has_budget(cx, s) ? heartbeat_prompt(cx->arena, s->name, s->checklist) : NULL;
}

/* Makes the task of the firing at next_fire_at. */
static void make_task(struct ctx *cx, const struct schedule *s, const char *brief)
{
	bool heartbeat = schedule_is_heartbeat(s);
	const char *task = id_make(cx->arena);
	const char *title = arena_printf(cx->arena, "%s \xe2\x80\x94 %s #%lld", s->name,
	    heartbeat ? "heartbeat" : "firing", (long long)s->firing_count + 1);

	db_run(cx->db, Q_FIRING_INSERT, "titi", s->id, s->next_fire_at, task, cx->now);
	if (!db_changes(cx->db)) {
		plan(cx, s, 0);
		return;
	}
	db_run(cx->db, Q_FIRING_MAKE_TASK, "ttttti", s->id, task, title, brief,
	    heartbeat ? "heartbeat" : "scheduled", cx->now);
	db_run(cx->db, Q_FIRING_LINK_DOCUMENTS, "ttti", s->id, task, s->project_id, cx->now);
	if (!heartbeat)
		count(cx, s, cx->now);
	audit(cx, "schedule.fire", "schedule", s->id, task);
}

static bool may_run(struct ctx *cx, const struct schedule *s)
{
	return !db_get_int(cx->db, 0, Q_SCHEDULE_IS_BUSY, "t", s->id) &&
	       (!s->project_id ||
		   db_get_int(cx->db, 0, Q_PROJECT_IS_ACTIVE, "t", s->project_id));
}

static bool is_over(struct ctx *cx, const struct schedule *s)
{
	return (s->expires_at && s->expires_at <= cx->now) || s->firing_count >= s->max_firings;
}

/* S was claimed. OPENS: when it may fire, 0: now. */
static void fire_claimed(struct ctx *cx, const struct schedule *s, int64_t opens)
{
	const char *brief;

	if (!may_run(cx, s))
		plan(cx, s, 0);
	else if (is_over(cx, s))
		lapse(cx, s->id);
	else if (opens || !(brief = brief_of(cx, s)))
		plan(cx, s, opens);
	else
		make_task(cx, s, brief);
}

static bool same_hours(const struct heartbeat_hours *a, const struct heartbeat_hours *b)
{
	return a->start == b->start && a->end == b->end &&
	       strcmp(a->zone ? a->zone : "", b->zone ? b->zone : "") == 0;
}

static enum rc suspend_huge(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	suspend(cx, id, "its texts are too long");
	return tx_end(cx, RC_OK);
}

/* A schedule that is gone is none of our business any more, and one that does not fit into the
 * memory is paused. */
static enum rc load(struct ctx *cx, const char *id, struct schedule *s, bool *found)
{
	enum rc rc;

	*found = false;
	if (db_get_int(cx->db, 0, Q_SCHEDULE_SIZE, "t", id) > CHARACTERS_MAX)
		return suspend_huge(cx, id);
	rc = schedule_load(cx, id, s);
	*found = rc == RC_OK;
	if (rc == RC_NOTFOUND) {
		err_clear(&cx->err);
		rc = RC_OK;
	}
	return rc;
}

/* The hours are looked at first, since the zones are files. */
static enum rc fire(struct ctx *cx, const char *id)
{
	struct schedule before, s;
	int64_t opens = 0;
	bool found;
	enum rc rc = load(cx, id, &before, &found);

	if (rc != RC_OK || !found)
		return rc;
	if (schedule_is_heartbeat(&before))
		opens = heartbeat_opens(&before.hours, cx->now);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = load(cx, id, &s, &found);
	if (rc != RC_OK || !found || !s.next_fire_at || s.next_fire_at > cx->now ||
	    !same_hours(&before.hours, &s.hours))
		return tx_end(cx, rc);
	db_run(cx->db, Q_SCHEDULE_CLAIM, "ti", id, s.next_fire_at);
	if (db_changes(cx->db))
		fire_claimed(cx, &s, opens);
	return tx_end(cx, RC_OK);
}

static enum rc expire(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	lapse(cx, id);
	return tx_end(cx, RC_OK);
}

static enum rc plan_anew(struct ctx *cx, const char *id)
{
	struct schedule s;
	bool found;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = load(cx, id, &s, &found);
	if (found && !s.next_fire_at)
		plan(cx, &s, 0);
	return tx_end(cx, rc);
}

void schedule_clock_set_back(struct ctx *cx)
{
	if (tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_SCHEDULE_FORGET_TIMES, "i", cx->now);
	if (tx_end(cx, RC_OK) != RC_OK)
		log_error("schedules are not planned anew: %s", cx->err.cause);
}

struct firing {
	int64_t id, fired_at;
	const char *schedule;
	const char *task;   /* NULL: it was deleted */
	const char *result; /* NULL: none to be read */
};

/* The open firing of a task. */
static bool find_firing(struct ctx *cx, const char *task, struct firing *f)
{
	struct q *q = db_query(cx->db, Q_FIRING_OF_TASK, "t", task);

	if (!db_next(q))
		return false;
	*f = (struct firing){ .id = db_int(q, 0), .fired_at = db_int(q, 2),
		.schedule = db_text_dup(q, 1, cx->arena), .task = db_is_null(q, 3) ? NULL : task,
		.result = db_text_dup(q, 4, cx->arena) };
	db_done(q);
	return true;
}

/* What a heartbeat has found, and its cost. */
static void judge(struct ctx *cx, const struct schedule *s, const struct firing *f)
{
	struct heartbeat_answer r = heartbeat_read(cx->arena, f->result);
	int64_t micros = db_get_int(cx->db, 0, Q_TASK_TOTAL_COST, "t", f->task);

	if (f->task)
		db_run(cx->db, Q_LOG_INSERT, "ttttti", id_make(cx->arena), f->task, AGENT_TYPE,
		    r.action ? "heartbeat_action" : "heartbeat_suppressed",
		    heartbeat_report(cx->arena, &r, s->suppression_count + 1), f->fired_at);
	if (r.action)
		db_run(cx->db, Q_SCHEDULE_ACTED, "ti", s->id, f->fired_at);
	else
		db_run(cx->db, Q_SCHEDULE_SUPPRESSED, "t", s->id);
	if (s->has_budget && micros)
		db_run(cx->db, Q_SCHEDULE_SET_SPENT, "td", s->id,
		    s->spent + heartbeat_cost(s->budget, (double)micros));
	cx->bells |= BELL_HUB;
}

void schedule_task_ended(struct ctx *cx, const char *task)
{
	struct schedule s;
	struct firing f;
	bool found;

	if (!find_firing(cx, task, &f))
		return;
	db_run(cx->db, Q_FIRING_CLOSE, "i", f.id);
	if (!db_changes(cx->db) || load(cx, f.schedule, &s, &found) != RC_OK || !found ||
	    !schedule_is_heartbeat(&s))
		return;
	judge(cx, &s, &f);
	count(cx, &s, f.fired_at);
}

static enum rc complete(struct ctx *cx, const char *task)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	schedule_task_ended(cx, task);
	return tx_end(cx, RC_OK);
}

/* In this order: what is over does not fire, and what fires is executed at once. */
static const struct {
	enum stmt next;
	enum rc (*step)(struct ctx *cx, const char *id);
} STEPS[] = {
	{ Q_SCHEDULE_NEXT_LAPSED, expire },
	{ Q_SCHEDULE_NEXT_UNPLANNED, plan_anew },
	{ Q_SCHEDULE_NEXT_DUE, fire },
	{ Q_FIRING_NEXT_WAITING, task_start },
	{ Q_FIRING_NEXT_OVER, complete },
};

/* The next row of the pass's step, or NULL. */
static const char *next_row(struct ctx *cx, struct schedule_pass *pass)
{
	struct q *q = db_query(cx->db, STEPS[pass->step].next, "ii", pass->after, cx->now);
	const char *id;

	if (!db_next(q))
		return NULL;
	pass->after = db_int(q, 0);
	id = db_text_dup(q, 1, cx->arena);
	db_done(q);
	return id;
}

static void note_failure(struct ctx *cx, enum rc rc, const char *what)
{
	if (rc != RC_OK && rc != RC_BUSY)
		log_error("schedules: %s: %s %s", what, rc_name(rc), cx->err.cause);
	err_clear(&cx->err);
}

bool schedule_advance(struct ctx *cx, struct schedule_pass *pass)
{
	while (pass->step < COUNT(STEPS)) {
		const char *id = next_row(cx, pass);

		if (id) {
			note_failure(cx, STEPS[pass->step].step(cx, id), id);
			return true;
		}
		note_failure(cx, cx->err.rc, "search");
		pass->after = 0;
		pass->step++;
	}
	pass->step = 0;
	return false;
}
