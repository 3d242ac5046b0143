/* Tasks and their runs: claiming, cancelling, answering requests. The run itself belongs to the job
 * runner; what is written here is the hand-over, in one transaction with the change of state. */
#include <stdio.h>
#include <time.h>

#include "core/catalog.h"
#include "core/clock.h"
#include "core/domain/budget.h"
#include "core/domain/handoff.h"
#include "core/domain/notification.h"
#include "core/domain/task.h"
#include "core/domain/workflow.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/policy.h"
#include "core/profile.h"
#include "core/queue.h"
#include "core/setting.h"
#include "core/usage.h"

#define WIND_DOWN_MS 5000
#define WIND_DOWN_LOOK_MS 20

void task_settle_run(struct ctx *cx, const char *id)
{
	struct q *q = db_query(cx->db, Q_RUN_UNATTENDED, "t", id);
	const struct runtime_info *info;
	struct usage_row u;
	struct task t;
	bool resume;

	if (!db_next(q))
		return;
	resume = db_int(q, 0) != 0;
	info = catalog_resolve(db_text(q, 1));
	u = (struct usage_row){ .runtime_id = info->id, .provider_id = info->provider,
		.model_id = db_text_dup(q, 6, cx->arena), .status = "cancelled",
		.input_tokens = db_int(q, 3), .output_tokens = db_int(q, 4),
		.total_tokens = USAGE_UNKNOWN,
		.cost_micros = db_is_null(q, 5) ? USAGE_UNKNOWN : db_int(q, 5),
		.pricing_version = db_text_dup(q, 7, cx->arena), .started_at = db_int(q, 2),
		.finished_at = cx->now };
	db_done(q);
	if (task_load(cx, id, "gone", &t) != RC_OK)
		return;
	u.activity_type = budget_task_activity(&t, resume);
	u.task_id = id;
	u.workflow_id = t.workflow_id;
	u.schedule_id = t.schedule_id;
	u.project_id = t.project_id;
	usage_add(cx, &u);
}

#define STEP_PRIORITY 1.0

/* Registers a run for the claimed task and puts its job into the queue. RESERVE: the caps were
 * checked for it. */
static enum rc hand_over(struct ctx *cx, const struct task *t, bool resume, bool reserve)
{
	const char *run = id_make(cx->arena), *runtime = catalog_resolve(t->runtime)->id;
	int64_t job;
	enum rc rc;

	task_settle_run(cx, t->id);
	db_run(cx->db, Q_RUN_UPSERT, "tttbi", t->id, run, runtime, resume, cx->now);
	db_run(cx->db, Q_CALLS_DELETE_OF_TASK, "t", t->id);
	audit(cx, resume ? "task.resume" : "task.execute", "task", t->id, run);
	rc = queue_put(cx, JOB_AGENT_RUN, t->id, run, runtime, NULL, &job);
	if (rc == RC_OK && reserve)
		budget_reserve(cx, job, runtime);
	return rc;
}

void task_ended(struct ctx *cx, const char *id)
{
	handoff_task_ended(cx, id);
	workflow_task_ended(cx, id);
}

void task_add_planned(struct ctx *cx, const struct task *t, double priority)
{
	db_run(cx->db, Q_TASK_INSERT_STEP, "ttttttttdIi", t->id, t->project_id, t->workflow_id,
	    t->title, t->description, "planned", t->assigned_agent, t->profile, priority,
	    (int64_t)0, cx->now);
	audit(cx, "task.create", "task", t->id, t->workflow_id);
}

/* The run itself looks at the caps, and fails the task where they are reached. */
enum rc task_add_running(struct ctx *cx, const struct task *t, int64_t run_number)
{
	db_run(cx->db, Q_TASK_INSERT_STEP, "ttttttttdii", t->id, t->project_id, t->workflow_id,
	    t->title, t->description, "running", t->assigned_agent, t->profile, STEP_PRIORITY,
	    run_number, cx->now);
	audit(cx, "task.create", "task", t->id, t->workflow_id);
	return hand_over(cx, t, false, false);
}

/* The check of the caps inside the transaction. A refusal is committed, with all that it wrote, and
 * returned with the transaction ended. */
static enum rc check_budget(
    struct ctx *cx, const struct budget *b, const struct task *t, bool resume)
{
	struct activity act = { .type = budget_task_activity(t, resume), .runtime = t->runtime,
		.task = t };
	const char *why;
	enum rc rc = budget_check(cx, b, &act, &why);

	if (rc != RC_LIMIT)
		return rc;
	rc = tx_end(cx, RC_OK);
	return rc != RC_OK ? rc : ctx_fail(cx, RC_LIMIT, "%s", why);
}

/* What execution needs from the profiles, looked up before the transaction. */
struct choice {
	const char *profile; /* the task's, or the chosen one */
	const char *refusal; /* why it cannot run; or NULL */
};

static enum rc choose_profile(struct ctx *cx, const char *id, struct choice *c)
{
	struct task t;
	enum rc rc = task_load(cx, id, "Not found", &t);

	if (rc != RC_OK)
		return rc;
	c->profile = t.profile && *t.profile
	    ? t.profile
	    : profile_classify(cx->conf, cx->arena, t.title, t.description ? t.description : "",
		  t.runtime);
	c->refusal = NULL;
	if (task_check_profile(cx, "Task profile", c->profile, t.assigned_agent) != RC_OK) {
		c->refusal = arena_strdup(cx->arena, err_text(&cx->err));
		err_clear(&cx->err);
	}
	return RC_OK;
}

/* A claimed task that cannot run fails at once. */
static enum rc refuse(struct ctx *cx, const struct task *t, const char *why)
{
	enum rc rc;

	db_run(cx->db, Q_TASK_FAIL, "tti", t->id, why, cx->now);
	task_ended(cx, t->id);
	audit(cx, "task.refused", "task", t->id, why);
	rc = tx_end(cx, RC_OK);
	return rc != RC_OK ? rc : ctx_fail(cx, RC_INVALID, "%s", why);
}

enum rc task_execute(struct ctx *cx, const char *id)
{
	struct choice c;
	struct budget b;
	struct task t;
	enum rc rc = choose_profile(cx, id, &c);

	if (rc != RC_OK)
		return rc;
	budget_prepare(cx, &b);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = task_load(cx, id, "Not found", &t);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	if ((rc = check_budget(cx, &b, &t, false)) != RC_OK)
		return rc;
	db_run(cx->db, Q_TASK_CLAIM_QUEUED, "ti", id, cx->now);
	if (!db_changes(cx->db))
		return tx_end(cx, ctx_fail(cx, RC_INVALID,
				      "Task must be queued to execute, current status: %s",
				      t.status));
	if (!t.profile || !*t.profile)
		db_run(cx->db, Q_TASK_SET_PROFILE, "tt", id, c.profile);
	if (c.refusal)
		return refuse(cx, &t, c.refusal);
	return tx_end(cx, hand_over(cx, &t, false, true));
}

/* A task that nobody waits for and that may not run now fails with the reason. */
static enum rc refuse_waiting(struct ctx *cx, const char *id)
{
	const char *why = arena_strdup(cx->arena, err_text(&cx->err));
	enum rc rc;

	err_clear(&cx->err);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	db_run(cx->db, Q_TASK_REFUSE, "tti", id, why, cx->now);
	if (db_changes(cx->db)) {
		audit(cx, "task.refused", "task", id, why);
		task_ended(cx, id);
	}
	return tx_end(cx, RC_OK);
}

enum rc task_start(struct ctx *cx, const char *id)
{
	enum rc rc = task_execute(cx, id);

	if (rc == RC_LIMIT || rc == RC_INVALID)
		return refuse_waiting(cx, id);
	if (rc == RC_NOTFOUND) {
		err_clear(&cx->err);
		return RC_OK;
	}
	return rc;
}

static bool has_checkpoint(struct ctx *cx, const struct task *t)
{
	return (strcmp(t->status, "failed") == 0 || strcmp(t->status, "cancelled") == 0) &&
	       db_get_int(cx->db, 0, Q_TASK_HAS_CHECKPOINT, "t", t->id);
}

static enum rc check_resume(struct ctx *cx, const struct task *t)
{
	const struct runtime_info *r = catalog_resolve(t->runtime);

	if (!t->session_id && !has_checkpoint(cx, t))
		return ctx_fail(
		    cx, RC_INVALID, "No session to resume \xe2\x80\x94 use Retry instead");
	if (!(r->can & CAN_RESUME))
		return ctx_fail(
		    cx, RC_INVALID, "Runtime \"%s\" does not support resume", r->id);
	if (t->resume_count >= RESUMES_MAX)
		return ctx_fail(
		    cx, RC_INVALID, "Resume limit reached. Re-queue for fresh start.");
	return RC_OK;
}

enum rc task_resume(struct ctx *cx, const char *id)
{
	struct budget b;
	struct task t;
	enum rc rc;

	budget_prepare(cx, &b);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = task_load(cx, id, "Not found", &t);
	if (rc != RC_OK || (rc = check_resume(cx, &t)) != RC_OK)
		return tx_end(cx, rc);
	if ((rc = check_budget(cx, &b, &t, true)) != RC_OK)
		return rc;
	db_run(cx->db, Q_TASK_CLAIM_RESUME, "ti", id, cx->now);
	if (!db_changes(cx->db))
		return tx_end(cx, ctx_fail(cx, RC_INVALID,
				      "Task must be failed or cancelled to resume, current status: "
				      "%s",
				      t.status));
	return tx_end(cx, hand_over(cx, &t, true, true));
}

void task_stop_run(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_RUN_REQUEST_CANCEL, "t", id);
	notification_close_of_task(cx, id, "Task cancelled");
	db_run(cx->db, Q_JOB_UNPARK, "ti", id, cx->now * 1000);
	cx->bells |= BELL_RUNNER;
}

static bool any_runs(struct ctx *cx, const json_t *ids)
{
	size_t i;
	json_t *id;

	json_array_foreach(ids, i, id)
		if (db_get_int(cx->db, 0, Q_RUN_EXISTS, "t", json_string_value(id)))
			return true;
	return false;
}

void task_wind_down(struct ctx *cx, const json_t *ids)
{
	int64_t until = mono_ms() + WIND_DOWN_MS;
	const struct timespec pause = { .tv_nsec = WIND_DOWN_LOOK_MS * 1000000L };
	size_t i;
	json_t *id;

	if (!any_runs(cx, ids) || tx_begin(cx) != RC_OK)
		return;
	json_array_foreach(ids, i, id) {
		db_run(cx->db, Q_TASK_CANCEL, "ti", json_string_value(id), cx->now);
		task_stop_run(cx, json_string_value(id));
	}
	if (tx_end(cx, RC_OK) == RC_OK)
		while (any_runs(cx, ids) && mono_ms() < until)
			nanosleep(&pause, NULL);
}

enum rc task_cancel(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if (!db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Not found"));
	db_run(cx->db, Q_TASK_CANCEL, "ti", id, cx->now);
	if (db_changes(cx->db)) {
		task_stop_run(cx, id);
		task_ended(cx, id);
		audit(cx, "task.cancel", "task", id, NULL);
	}
	return tx_end(cx, RC_OK);
}

struct request_row {
	const char *task, *tool;
	const json_t *input; /* NULL where it cannot be read */
	bool answered;
};

static enum rc load_request(struct ctx *cx, const char *id, const char *task, struct request_row *r)
{
	struct q *q = db_query(cx->db, Q_NOTIFICATION_REQUEST, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Notification not found");
	r->task = db_text_dup(q, 0, cx->arena);
	r->tool = arena_strdup(cx->arena, db_is_null(q, 1) ? "" : db_text(q, 1));
	r->input = json_read_text(cx->arena, db_text(q, 2));
	r->answered = !db_is_null(q, 3);
	db_done(q);
	if (r->task && strcmp(r->task, task) != 0)
		return ctx_fail(cx, RC_NOTFOUND, "Notification not found");
	if (r->answered)
		return ctx_fail(cx, RC_CONFLICT, "Already responded");
	return RC_OK;
}

/* updatedInput may only have keys that the call has; a question's answer also `answers`. */
static enum rc check_updated_input(struct ctx *cx, const struct request_row *r, const json_t *upd)
{
	struct buf bad;
	const char *key;
	json_t *item;
	bool any = false;
	enum rc rc = RC_OK;

	if (!json_is_object(upd))
		return ctx_fail(cx, RC_INVALID, "updatedInput must be an object");
	buf_init(&bad, (size_t)16 << 20);
	json_object_foreach((json_t *)(uintptr_t)upd, key, item)
		if (!json_object_get(r->input, key) &&
		    !(strcmp(key, "answers") == 0 && strcmp(r->tool, "AskUserQuestion") == 0)) {
			buf_printf(&bad, "%s%s", any ? ", " : "", key);
			any = true;
		}
	if (any)
		rc = ctx_fail(cx, RC_INVALID, "updatedInput contains disallowed keys: %s",
		    buf_text(&bad));
	buf_fini(&bad);
	return rc;
}

/* The stored form of an answer: these keys, in this order, absent where they were not given. */
static const char *response_text(struct ctx *cx, const struct request_row *r, const json_t *in)
{
	const json_t *upd = json_object_get(in, "updatedInput");
	const json_t *always = json_object_get(in, "alwaysAllow");
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, (size_t)16 << 20);
	jw_obj(&w);
	jw_kstr(&w, "behavior", json_str(in, "behavior"));
	if (json_object_get(in, "message"))
		jw_kstr(&w, "message", json_str(in, "message"));
	if (upd && (r->input || json_is_null(upd)))
		jw_kjson(&w, "updatedInput", upd);
	if (always)
		jw_kbool(&w, "alwaysAllow", json_is_true(always));
	jw_end_obj(&w);
	text = arena_strdup(cx->arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static enum rc save_pattern(struct ctx *cx, const struct request_row *r, const json_t *in)
{
	const char *pattern = json_str(in, "permissionPattern");

	if (strcmp(json_str(in, "behavior"), "allow") != 0 || !json_flag(in, "alwaysAllow"))
		return RC_OK;
	if (!pattern || !*pattern)
		pattern = policy_suggest(cx->arena, r->tool, r->input);
	return *pattern ? permission_add(cx, pattern) : RC_OK;
}

enum rc task_respond(struct ctx *cx, const char *id, const json_t *in)
{
	const json_t *upd = json_object_get(in, "updatedInput");
	const char *notification = json_str(in, "notificationId"), *response;
	struct request_row r = { 0 };
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = load_request(cx, notification, id, &r);
	if (rc == RC_OK && !*r.tool && handoff_exists(cx, notification))
		return tx_end(cx, handoff_decide(cx, notification,
				      strcmp(json_str(in, "behavior"), "allow") == 0, "user"));
	if (rc == RC_OK && upd && !json_is_null(upd) && (r.input || !json_is_object(upd)))
		rc = check_updated_input(cx, &r, upd);
	if (rc == RC_OK)
		rc = save_pattern(cx, &r, in);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	response = response_text(cx, &r, in);
	if (!notification_answer(cx, notification, r.task, response))
		return tx_end(cx, ctx_fail(cx, RC_CONFLICT, "Already responded"));
	audit(cx, "approval.answer", "notification", notification, response);
	return tx_end(cx, RC_OK);
}
