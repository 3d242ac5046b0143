/* Upkeep: checkpoints of the write-ahead log, lost leases, retention, the fading of memories,
 * schedules, handoffs, and recovery at the start. */
#include <poll.h>
#include <signal.h>

#include "core/clock.h"
#include "core/domain/document.h"
#include "core/domain/handoff.h"
#include "core/domain/memory.h"
#include "core/domain/notification.h"
#include "core/domain/table.h"
#include "core/domain/task.h"
#include "core/domain/upload.h"
#include "core/domain/workflow.h"
#include "core/id.h"
#include "core/log.h"
#include "jobrunner/child.h"
#include "jobrunner/runner.h"

#define CHECKPOINT_EVERY_MS 2000
#define WAL_CHECKPOINT ((int64_t)4 << 20)
#define WAL_TRUNCATE ((int64_t)64 << 20)
#define SWEEP_EVERY_MS 15000
#define PURGE_EVERY_MS 60000
#define DECAY_LOOK_MS 60000
#define CLOCK_JUMP_MS 60000
#define SCHEDULES_EVERY_MS 500
#define SCHEDULE_STEPS 20
#define HANDOFFS_EVERY_MS 500
#define HANDOFF_STEPS 20
#define WORKFLOWS_EVERY_MS 1000
#define DECAY_PIECES 5
#define ORPHAN_S 3600
#define PROGRAM_TERM_MS 1000
#define PROGRAM_LOOK_MS 20
#define DAY_MS INT64_C(86400000)
#define FIRINGS_DAYS 30

static void checkpoint(struct ctx *cx)
{
	int64_t size = db_wal_size(cx->db);

	if (size > WAL_CHECKPOINT && db_checkpoint(cx->db, size > WAL_TRUNCATE) != RC_OK)
		log_debug("checkpoint put off: the database is busy");
}

static void release_lost(struct ctx *cx, const char *owner)
{
	if (tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_JOB_RELEASE_LOST, "it", now_ms(), owner);
	if (db_changes(cx->db))
		log_info("%lld jobs of a runner that is gone go on", (long long)db_changes(cx->db));
	tx_end(cx, RC_OK);
}

/* Deletes in pieces, each a short transaction, until one finds nothing more. */
static void purge(struct ctx *cx, enum stmt stmt, int64_t before)
{
	for (int piece = 0; piece < 20; piece++) {
		if (tx_begin(cx) != RC_OK)
			return;
		db_run(cx->db, stmt, "i", before);
		bool more = db_changes(cx->db) > 0;

		if (tx_end(cx, RC_OK) != RC_OK || !more)
			return;
	}
}

static void retention(struct ctx *cx)
{
	const struct conf *c = cx->conf;
	int64_t now = now_ms();

	purge(cx, Q_JOB_PURGE, now - c->retention_job_days * DAY_MS);
	purge(cx, Q_FIRING_PURGE, (now - FIRINGS_DAYS * DAY_MS) / 1000);
	if (c->retention_audit_days)
		purge(cx, Q_AUDIT_PURGE, now - c->retention_audit_days * DAY_MS);
	if (c->retention_log_days)
		purge(cx, Q_LOG_PURGE, (now - c->retention_log_days * DAY_MS) / 1000);
	if (c->retention_notification_days)
		purge(cx, Q_NOTIFICATION_PURGE,
		    (now - c->retention_notification_days * DAY_MS) / 1000);
}

/* Requests whose time is over bring their parked runs back. */
static void wake_due(struct ctx *cx)
{
	if (!db_get_int(cx->db, 0, Q_JOB_PARKED_DUE, "i", now_ms()) || tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_JOB_UNPARK_DUE, "i", now_ms());
	tx_end(cx, RC_OK);
}

/* A few pieces at a time, so that jobs do not wait; true where some are left. */
static bool decay(struct ctx *cx)
{
	bool more = true;

	for (int piece = 0; piece < DECAY_PIECES && more; piece++)
		more = memory_decay(cx);
	return more;
}

/* A jump forward makes due what it passes; one back would let schedules wait for times that were
 * computed before it. */
static void watch_clock(struct upkeep *u)
{
	int64_t ahead = now_ms() - mono_ms(), jump = ahead - u->clock_ahead_ms;

	if (u->clock_ahead_ms && (jump > CLOCK_JUMP_MS || jump < -CLOCK_JUMP_MS)) {
		log_warn("the clock has jumped by %lld s", (long long)jump / 1000);
		if (jump < 0)
			schedule_clock_set_back(u->cx);
	}
	u->clock_ahead_ms = ahead;
}

/* A few steps at a time; each has the memory for itself, since their texts may be long. */
static bool advance_schedules(struct upkeep *u)
{
	bool more = true;

	for (int step = 0; step < SCHEDULE_STEPS && more; step++) {
		more = schedule_advance(u->cx, &u->schedules);
		arena_reset(u->cx->arena);
	}
	return more;
}

/* A few steps at a time, too; their texts may be long, so each has the memory for itself. */
static bool advance_handoffs(struct ctx *cx)
{
	bool more = true;

	for (int step = 0; step < HANDOFF_STEPS && more; step++) {
		more = handoff_advance(cx);
		arena_reset(cx->arena);
	}
	return more;
}

void upkeep_tick(struct upkeep *u, const char *owner)
{
	int64_t now = mono_ms();

	watch_clock(u);
	wake_due(u->cx);
	if (now >= u->next_checkpoint_ms) {
		checkpoint(u->cx);
		u->next_checkpoint_ms = now + CHECKPOINT_EVERY_MS;
	}
	if (now >= u->next_sweep_ms) {
		release_lost(u->cx, owner);
		notification_close_lost(u->cx);
		document_queue_forgotten(u->cx);
		table_import_sweep(u->cx);
		u->next_sweep_ms = now + SWEEP_EVERY_MS;
	}
	if (now >= u->next_purge_ms) {
		retention(u->cx);
		u->next_purge_ms = now + PURGE_EVERY_MS;
	}
	if (now >= u->next_clean_ms) {
		upload_cleanup(u->cx, NULL);
		u->next_clean_ms = now + DAY_MS;
	}
	if (now >= u->next_decay_ms)
		u->next_decay_ms = decay(u->cx) ? now : now + DECAY_LOOK_MS;
	if (now >= u->next_schedules_ms)
		u->next_schedules_ms = advance_schedules(u) ? now : now + SCHEDULES_EVERY_MS;
	if (now >= u->next_handoffs_ms)
		u->next_handoffs_ms = advance_handoffs(u->cx) ? now : now + HANDOFFS_EVERY_MS;
	if (now >= u->next_workflows_ms) {
		workflow_sweep(u->cx);
		u->next_workflows_ms = now + WORKFLOWS_EVERY_MS;
	}
}

struct orphan {
	const char *id, *title, *profile;
};

static void fail_orphan(struct ctx *cx, const struct orphan *o)
{
	static const char RESULT[] = "Task stopped: interrupted";
	const char *profile = o->profile && *o->profile ? o->profile : "general";

	db_run(cx->db, Q_TASK_FAIL, "tti", o->id, RESULT, cx->now);
	notification_add(cx, o->id, "task_failed",
	    arena_printf(cx->arena, "Task failed: %s", o->title), RESULT, NULL, NULL);
	db_run(cx->db, Q_LOG_INSERT, "ttttti", id_make(cx->arena), o->id, profile, "error",
	    "{\"error\":\"The runner was restarted\"}", cx->now);
	db_run(cx->db, Q_LOG_INSERT, "ttttti", id_make(cx->arena), o->id, profile, "failed",
	    "{\"result\":\"Task stopped: interrupted\",\"turns\":0,\"usage\":{}}", cx->now);
	task_ended(cx, o->id);
	audit(cx, "task.interrupted", "task", o->id, NULL);
}

/* Tasks that an older program left running: nobody will ever end them. */
static void fail_orphans(struct ctx *cx)
{
	struct orphan list[500];
	size_t n = 0;
	struct q *q = db_query(cx->db, Q_TASK_ORPHANS, "i", cx->now - ORPHAN_S);

	while (n < COUNT(list) && db_next(q)) {
		list[n].id = arena_strdup(cx->arena, db_text(q, 0));
		list[n].title = arena_strdup(cx->arena, db_text(q, 1));
		list[n].profile = db_text_dup(q, 2, cx->arena);
		n++;
	}
	db_done(q);
	if (!n || tx_begin(cx) != RC_OK)
		return;
	for (size_t i = 0; i < n; i++)
		fail_orphan(cx, &list[i]);
	tx_end(cx, RC_OK);
}

/* Sends SIG to the programs of runs whose own process is gone, and to what they have started; a pid
 * that was used again is left alone. Returns how many there are. */
static size_t tell_programs(struct ctx *cx, int sig)
{
	struct q *q = db_query(cx->db, Q_RUN_CHILDREN, "");
	size_t n = 0;

	while (db_next(q)) {
		pid_t pid = (pid_t)db_int(q, 0);
		const char *started = child_start_time(cx->arena, pid);

		if (pid > 1 && started && strcmp(started, db_text(q, 1)) == 0) {
			kill(-pid, sig);
			n++;
		}
		n += child_tell_marked(
		    arena_printf(cx->arena, CHILD_MARK "%s", db_text(q, 2)), sig);
	}
	db_done(q);
	return n;
}

/* They write their sessions down when they are told to end. */
static void end_programs(struct ctx *cx)
{
	size_t n = tell_programs(cx, SIGTERM);

	if (n)
		log_info("%zu programs were left by an earlier job runner; ending them", n);
	for (int i = 0; n && i < PROGRAM_TERM_MS / PROGRAM_LOOK_MS; i++) {
		poll(NULL, 0, PROGRAM_LOOK_MS);
		n = tell_programs(cx, 0);
	}
	if (n)
		tell_programs(cx, SIGKILL);
}

void upkeep_recover(struct ctx *cx, const char *owner)
{
	bool first = db_get_int(cx->db, 0, Q_FIRST_START, "") == 0;

	end_programs(cx);
	release_lost(cx, owner);
	if (template_seed(cx) != RC_OK) {
		log_warn("cannot put in the table templates: %s", cx->err.cause);
		err_clear(&cx->err);
	}
	if (!first)
		return;
	fail_orphans(cx);
	if (tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_FIRST_START_NOTE, "i", now_ms());
	tx_end(cx, RC_OK);
}
