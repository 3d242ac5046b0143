/* The check before a model activity. */
#include <math.h>
#include <time.h>

#include "core/clock.h"
#include "core/domain/budget.h"
#include "core/domain/notification.h"
#include "core/json_in.h"
#include "core/setting.h"
#include "core/usage.h"

/* The window as the warning state names it: by the day or the month of its reset. */
static const char *window_key(struct arena *a, const struct budget_status *s)
{
	time_t t = (time_t)s->reset;
	struct tm tm;

	localtime_r(&t, &tm);
	if (s->monthly)
		return arena_printf(a, "%04d-%02d", tm.tm_year + 1900, tm.tm_mon + 1);
	return arena_printf(
	    a, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void write_blocked(struct ctx *cx, const struct activity *act,
    const struct runtime_info *info, const struct budget_status *s, const char *why)
{
	const struct task *t = act->task;
	struct usage_row row = {
		.task_id = t ? t->id : NULL,
		.workflow_id = t ? t->workflow_id : NULL,
		.schedule_id = t ? t->schedule_id : NULL,
		.project_id = t ? t->project_id : NULL,
		.activity_type = act->type,
		.runtime_id = info->id,
		.provider_id = info->provider,
		.status = "blocked",
		.input_tokens = USAGE_UNKNOWN,
		.output_tokens = USAGE_UNKNOWN,
		.total_tokens = USAGE_UNKNOWN,
		.cost_micros = USAGE_UNKNOWN,
		.started_at = cx->now,
		.finished_at = cx->now,
	};

	notification_add(cx, row.task_id, "budget_alert",
	    arena_printf(cx->arena, "%s blocked by %s spend cap", info->label, budget_period(s)),
	    why, NULL, NULL);
	usage_add(cx, &row);
	audit(cx, "budget.blocked", t ? "task" : "runtime", t ? t->id : info->id, why);
}

/* One warning a window and status, for those that are due. */
static void warn(struct ctx *cx, const struct budget *b, const struct activity *act,
    struct budget_status *const *list, size_t n)
{
	struct arena *a = cx->arena;
	json_t *state = json_read_text(a, setting_get(cx, BUDGET_WARNING_SETTING));
	bool changed = false;

	if (!json_is_object(state))
		state = json_keep(a, json_object());
	for (size_t i = 0; i < n; i++) {
		struct budget_status s = *list[i];
		const char *id = budget_status_id(a, &s), *key = window_key(a, &s), *noted;

		noted = json_str(state, id);
		if (strcmp(budget_health(&s, &b->policy), "warning") != 0 ||
		    (noted && strcmp(noted, key) == 0))
			continue;
		s.running = 0;
		notification_add(cx, act->task ? act->task->id : NULL, "budget_alert",
		    arena_printf(a, "%s %s spend at %.0f%%", budget_scope(&s), budget_period(&s),
			floor(budget_ratio(&s, false) * 100 + 0.5)),
		    budget_text(a, &s), NULL, NULL);
		json_object_set_new(state, id, json_string(key));
		changed = true;
	}
	if (changed)
		setting_put(cx, BUDGET_WARNING_SETTING, json_text(a, state));
}

static bool has_limit(const struct budget_policy *p, size_t runtime)
{
	return p->overall >= 0 || p->daily >= 0 || p->runtimes[runtime] >= 0;
}

enum rc budget_check(
    struct ctx *cx, const struct budget *b, const struct activity *act, const char **why)
{
	const struct runtime_info *info = catalog_resolve(act->runtime);
	struct budget_status all[BUDGET_STATUSES_MAX], *mine[4];
	size_t n, n_mine = 0;

	if (!b->states[runtime_place(info)].configured ||
	    !has_limit(&b->policy, runtime_place(info)))
		return RC_OK;
	n = budget_statuses(cx, b, true, act->job, all);
	for (size_t i = 0; i < n && n_mine < COUNT(mine); i++)
		if (!all[i].runtime || all[i].runtime == info)
			mine[n_mine++] = &all[i];
	for (size_t i = 0; i < n_mine; i++)
		if (budget_ratio(mine[i], true) >= 1) {
			if (budget_ratio(mine[i], false) >= 1)
				mine[i]->running = 0; /* the ledger alone says so */
			*why = budget_text(cx->arena, mine[i]);
			if (!act->quiet)
				write_blocked(cx, act, info, mine[i], *why);
			return RC_LIMIT;
		}
	warn(cx, b, act, mine, n_mine);
	return RC_OK;
}

void budget_reserve(struct ctx *cx, int64_t job, const char *runtime)
{
	db_run(cx->db, Q_BUDGET_RELEASE_ENDED, "");
	db_run(cx->db, Q_BUDGET_RESERVE, "iti", job, catalog_resolve(runtime)->id, now_ms());
}

const char *budget_task_activity(const struct task *t, bool resume)
{
	if (t->workflow_id)
		return "workflow_step";
	if (t->schedule_id)
		return "scheduled_firing";
	return resume ? "task_resume" : "task_run";
}
