/* Checkpoints: the question to a person whether a step may run. It is a notification; the run waits
 * for its answer as a row, for as long as the setting of permission requests says. */
#include "core/clock.h"
#include "core/domain/notification.h"
#include "core/domain/workflow.h"
#include "core/json_in.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/workflows/advance.h"

#define BODY_UNITS 500

/* When a question of now counts as denied; 0: never. */
static int64_t deadline(struct ctx *cx)
{
	const char *text = setting_get(cx, "runtime.permissionTimeoutSeconds");
	int64_t seconds;

	return text && text_to_int(text, 10, 2592000, &seconds) ? now_ms() + 1000 * seconds : 0;
}

static void wait_for(struct advance *v, size_t i, const char *notification)
{
	int64_t due = deadline(v->cx);

	db_run(v->cx->db, Q_WORKFLOW_WAIT, due ? "tttii" : "tttiI", notification, v->f.id,
	    "approval", (int64_t)i, due);
}

static void ask(struct advance *v, size_t i)
{
	struct arena *a = v->cx->arena;
	const char *name = flow_step_name(a, &v->f, i);
	const char *result = flow_text(flow_state(&v->f, i - 1), "result");
	const json_t *input =
	    json_keep(a, json_pack("{s:s, s:s}", "workflowId", v->f.id, "stepName", name));

	wait_for(v, i, notification_add(v->cx, NULL, "permission_required",
			   arena_printf(a, "Workflow checkpoint: %s", name),
			   arena_printf(a, "The step before came to this result:\n%s",
			       text_cut(a, result, BODY_UNITS)),
			   WORKFLOW_CHECKPOINT, json_text(a, input)));
	flow_set(&v->f, i, "waiting_approval");
	advance_set_index(v, i);
	v->changed = true;
}

/* No row waits: the question was not asked yet, or by an older program. */
static void ask_or_adopt(struct advance *v, size_t i)
{
	struct arena *a = v->cx->arena;
	const char *old = flow_is(&v->f, i, "waiting_approval")
	    ? db_get_text(v->cx->db, a, Q_WORKFLOW_OLD_REQUEST, "tt", v->f.id,
		  flow_step_name(a, &v->f, i))
	    : NULL;

	if (old)
		wait_for(v, i, old);
	else
		ask(v, i);
}

struct question {
	const char *id, *response; /* response: NULL where there is none */
	int64_t due_ms;
	bool there; /* it was not thrown away */
};

static bool load(struct advance *v, size_t i, struct question *out)
{
	struct q *q = db_query(v->cx->db, Q_WORKFLOW_APPROVAL_WAIT, "ti", v->f.id, (int64_t)i);

	if (!db_next(q))
		return false;
	out->id = db_text_dup(q, 0, v->cx->arena);
	out->due_ms = db_int(q, 1);
	out->there = !db_is_null(q, 2);
	out->response = db_text_dup(q, 3, v->cx->arena);
	db_done(q);
	return true;
}

static bool allows(struct advance *v, const char *response)
{
	const char *behavior = json_str(json_read_text(v->cx->arena, response), "behavior");

	return behavior && strcmp(behavior, "allow") == 0;
}

enum approval advance_ask(struct advance *v, size_t i)
{
	struct db *db = v->cx->db;
	struct question q;
	bool asked = load(v, i, &q);

	if (db_get_int(db, -1, Q_WORKFLOW_APPROVED_STEP, "t", v->f.id) == (int64_t)i) {
		if (asked)
			db_run(db, Q_WORKFLOW_WAIT_OVER, "t", q.id);
		return APPROVAL_GIVEN;
	}
	if (!asked) {
		ask_or_adopt(v, i);
		return APPROVAL_OPEN;
	}
	if (q.there && !q.response && !(q.due_ms && q.due_ms <= now_ms()))
		return APPROVAL_OPEN;
	db_run(db, Q_WORKFLOW_WAIT_OVER, "t", q.id);
	if (q.there && !q.response)
		notification_answer(v->cx, q.id, NULL, NOTIFICATION_TIMED_OUT);
	return q.response && allows(v, q.response) ? APPROVAL_GIVEN : APPROVAL_DENIED;
}
