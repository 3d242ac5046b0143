/* The end of a run: what it came to, in one transaction. */
#include "core/catalog.h"
#include "core/clock.h"
#include "core/domain/budget.h"
#include "core/domain/context.h"
#include "core/domain/handoff.h"
#include "core/domain/memory.h"
#include "core/domain/notification.h"
#include "core/domain/schedule.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/queue.h"
#include "core/text.h"
#include "core/usage.h"
#include "jobrunner/run.h"

#define BODY_UNITS 500
#define ERROR_UNITS 8000

static void write_ledger(struct run *r, const char *status, bool task_exists)
{
	const struct runtime_info *info = catalog_resolve(r->task.runtime);
	struct usage_row u = {
		.task_id = task_exists ? r->task.id : NULL,
		.workflow_id = task_exists ? r->task.workflow_id : NULL,
		.schedule_id = task_exists ? r->task.schedule_id : NULL,
		.project_id = task_exists ? r->task.project_id : NULL,
		.activity_type = budget_task_activity(&r->task, r->resume),
		.runtime_id = info->id,
		.provider_id = info->provider,
		.model_id = r->used ? r->used_model : r->model,
		.status = status,
		.input_tokens = r->used ? r->input_tokens : USAGE_UNKNOWN,
		.output_tokens = r->used ? r->output_tokens : USAGE_UNKNOWN,
		.total_tokens = USAGE_UNKNOWN,
		.cost_micros = r->has_cost ? r->cost_micros : USAGE_UNKNOWN,
		.pricing_version = r->pricing_version,
		.started_at = r->started_at,
		.finished_at = r->cx->now,
	};

	usage_add(r->cx, &u);
}

/* Results that no snapshot has: they go into one more, so that a resume need not repeat them. */
static void keep_results(struct run *r)
{
	if (!r->conversation || !(r->n_results || r->unsaved))
		return;
	if (r->n_results)
		r->ops->add_results(r->conversation, r->results, r->n_results);
	r->n_results = 0;
	run_log_snapshot(r);
}

static void write_outcome(struct run *r, const struct ending *e, const char *result)
{
	struct arena *a = r->cx->arena;
	bool completed = strcmp(e->status, "completed") == 0;

	if (strcmp(e->status, "cancelled") != 0)
		notification_add(r->cx, r->task.id, completed ? "task_completed" : "task_failed",
		    e->session_gone ? arena_printf(a, "Session expired: %s", r->task.title)
				    : arena_printf(a, "Task %s: %s", e->status, r->task.title),
		    text_cut(a, result, BODY_UNITS), NULL, NULL);
	if (e->session_gone)
		db_run(r->cx->db, Q_TASK_SET_SESSION, "tt", r->task.id, NULL);
	if (e->error && !(r->ops && (r->ops->flags & OPS_NO_ERROR_ROW)))
		run_log(r, "error", arena_printf(a, "{\"error\":%s}",
					json_quote(a, text_cut(a, text_mask_keys(a, e->error),
						      ERROR_UNITS))));
	if (!e->setup || (r->ops && (r->ops->flags & OPS_NO_ERROR_ROW)))
		run_log_end(r, e->status, result, e->error);
}

/* Queues what others make of a completed run, in the background. */
static void follow_up(struct run *r, const char *result)
{
	context_learn_later(r->cx, &r->task, r->profile_id);
	if (strcmp(r->profile_id, PROFILE_SWEEP) == 0)
		queue_put_if_room(r->cx, JOB_SWEEP, r->task.id, NULL, NULL, 0);
	else
		memory_learn_later(r->cx, &r->task, r->profile_id, result);
}

/* What the end of every run clears away. */
static void clear_run(struct run *r, const char *closing)
{
	struct ctx *cx = r->cx;

	notification_close_of_task(cx, r->task.id, closing);
	db_run(cx->db, Q_CALLS_DELETE_OF_RUN, "t", r->job->run_id);
	db_run(cx->db, Q_RUN_DELETE_OWN, "tt", r->task.id, r->job->run_id);
	db_run(cx->db, Q_JOB_FINISH, "iitItti", r->job->id, r->job->fence, "done", (int64_t)0, NULL,
	    NULL, now_ms());
	cx->bells |= BELL_HUB | BELL_RUNNER;
}

/* Everything that the end writes; inside the transaction. False where the task is not this run's
 * any more. */
static bool write_end(struct run *r, const struct ending *e)
{
	struct ctx *cx = r->cx;
	const char *result = e->result;

	db_run(cx->db, Q_RUN_END_TASK, "tttti", r->task.id, r->job->run_id, e->status, result,
	    cx->now);
	if (!db_changes(cx->db))
		return false;
	if (e->last)
		run_log_turn(r, e->last, strcmp(e->status, "completed") == 0);
	else
		keep_results(r);
	write_outcome(r, e, result ? result : "");
	write_ledger(r, e->status, true);
	audit(cx, "task.end", "task", r->task.id, e->status);
	task_ended(cx, r->task.id);
	if (strcmp(e->status, "completed") == 0)
		follow_up(r, result);
	clear_run(r, e->interrupted ? "Task interrupted" : "Task cancelled");
	schedule_task_ended(cx, r->task.id);
	return true;
}

/* What the run has left in its folder; the files are copied before the transaction. */
static struct output_list *collect(struct run *r, const char **problem)
{
	struct output_list *list = NULL;

	*problem = NULL;
	err_clear(&r->cx->err);
	if (r->output_dir)
		outputs_collect(r->cx, &r->task, &list, problem);
	err_clear(&r->cx->err);
	return list;
}

/* The documents of the run, inside the final transaction. */
static void register_outputs(struct run *r, struct output_list *list, const char *problem)
{
	if (list)
		outputs_register(r->cx, &r->task, list);
	if (problem)
		run_log(r, "output_scan_failed",
		    arena_printf(r->cx->arena, "{\"error\":%s}", json_quote(r->cx->arena, problem)));
}

int run_end(struct run *r, const struct ending *ending)
{
	struct ctx *cx = r->cx;
	struct ending e = *ending;
	const char *problem;
	struct output_list *outputs;
	enum rc rc;

	if (e.result)
		e.result = text_mask_keys(cx->arena, e.result);
	if (e.result && r->output_dir)
		e.result = outputs_keep_result(cx, r->task.id, e.result);
	outputs = collect(r, &problem);
	rc = run_tx_begin(r);
	if (rc == RC_OK) {
		rc = write_end(r, &e) ? RC_OK : RC_CANCELLED;
		if (rc == RC_OK)
			register_outputs(r, outputs, problem);
		rc = tx_end(cx, rc);
	}
	if (rc == RC_OK)
		return EXIT_DONE;
	if (outputs)
		outputs_discard(cx, outputs);
	if (rc == RC_CANCELLED)
		return run_end_cancelled(r);
	if (rc == RC_FENCED)
		return EXIT_DONE;
	log_error("end of run %s: %s %s", r->job->run_id, rc_name(rc), cx->err.cause);
	return 1;
}

int run_end_cancelled(struct run *r)
{
	struct ctx *cx = r->cx;
	bool exists, current;
	const char *problem;
	struct output_list *outputs = collect(r, &problem);
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return 1;
	cx->now = now_s();
	if (!db_get_int(cx->db, 0, Q_JOB_HELD, "ii", r->job->id, r->job->fence)) {
		tx_end(cx, RC_OK);
		return EXIT_DONE;
	}
	exists = db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", r->task.id) != 0;
	current = db_get_int(
	    cx->db, 0, Q_RUN_IS_CURRENT, "tt", r->task.id, r->job->run_id) != 0;
	if (exists && current) {
		keep_results(r);
		run_log_end(r, "cancelled", "", NULL);
		register_outputs(r, outputs, problem);
	} else if (outputs) {
		outputs_discard(cx, outputs);
	}
	write_ledger(r, "cancelled", exists);
	if (current) {
		clear_run(r, "Task cancelled");
	} else {
		db_run(cx->db, Q_CALLS_DELETE_OF_RUN, "t", r->job->run_id);
		db_run(cx->db, Q_JOB_FINISH, "iitItti", r->job->id, r->job->fence, "done",
		    (int64_t)0, NULL, NULL, now_ms());
	}
	rc = tx_end(cx, RC_OK);
	if (rc != RC_OK)
		log_error("end of run %s: %s %s", r->job->run_id, rc_name(rc), cx->err.cause);
	return rc == RC_OK ? EXIT_DONE : 1;
}

int run_check_budget(struct run *r)
{
	struct activity act = { .type = budget_task_activity(&r->task, r->resume),
		.runtime = r->task.runtime, .task = &r->task, .job = r->job->id };
	struct ctx *cx = r->cx;
	struct budget b;
	const char *why;
	enum rc rc;

	budget_prepare(cx, &b);
	rc = run_tx_begin(r);
	if (rc == RC_CANCELLED)
		return run_end_cancelled(r);
	if (rc != RC_OK)
		return rc == RC_FENCED ? EXIT_DONE : 1;
	rc = budget_check(cx, &b, &act, &why);
	if (rc == RC_LIMIT) {
		db_run(cx->db, Q_RUN_END_TASK, "tttti", r->task.id, r->job->run_id, "failed", why,
		    cx->now);
		audit(cx, "task.end", "task", r->task.id, "failed");
		task_ended(cx, r->task.id);
		clear_run(r, "Task cancelled");
	} else {
		budget_reserve(cx, r->job->id, r->task.runtime);
	}
	if (tx_end(cx, RC_OK) != RC_OK)
		return 1;
	return rc == RC_LIMIT ? EXIT_DONE : -1;
}
