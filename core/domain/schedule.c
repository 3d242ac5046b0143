/* Schedules: the operations. What the job runner does with them is in schedule_run.c. */
#include "core/domain/schedule_int.h"

#include "core/domain/task.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

/* Columns of MODEL_SCHEDULE. */
enum { S_ID, S_PROJECT, S_NAME, S_PROMPT, S_CRON, S_AGENT, S_PROFILE, S_RECURS, S_STATUS, S_MAX,
	S_COUNT, S_EXPIRES, S_LAST, S_NEXT, S_TYPE, S_CHECKLIST, S_START, S_END, S_ZONE,
	S_SUPPRESSED, S_ACTION, S_BUDGET, S_SPENT, S_RESET, S_CHANNELS };

static const char NOT_FOUND[] = "Schedule not found";

bool schedule_is(const struct schedule *s, const char *status)
{
	return strcmp(s->status, status) == 0;
}

bool schedule_is_heartbeat(const struct schedule *s)
{
	return strcmp(s->type, "heartbeat") == 0;
}

static int64_t hour_of(struct q *q, int col)
{
	return db_is_null(q, col) ? HOUR_NONE : db_int(q, col);
}

enum rc schedule_load(struct ctx *cx, const char *id, struct schedule *s)
{
	struct q *q = db_query(cx->db, Q_SCHEDULE_GET, "t", id);
	struct arena *a = cx->arena;

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "%s", NOT_FOUND);
	*s = (struct schedule){
		.id = db_text_dup(q, S_ID, a),
		.project_id = db_text_dup(q, S_PROJECT, a),
		.name = db_text_dup(q, S_NAME, a),
		.prompt = db_text_dup(q, S_PROMPT, a),
		.cron = db_text_dup(q, S_CRON, a),
		.agent = db_text_dup(q, S_AGENT, a),
		.profile = db_text_dup(q, S_PROFILE, a),
		.status = db_text_dup(q, S_STATUS, a),
		.type = db_text_dup(q, S_TYPE, a),
		.checklist = db_text_dup(q, S_CHECKLIST, a),
		.channels = db_text_dup(q, S_CHANNELS, a),
		.hours = { hour_of(q, S_START), hour_of(q, S_END), db_text_dup(q, S_ZONE, a) },
		.recurs = db_int(q, S_RECURS) != 0,
		.max_firings = db_is_null(q, S_MAX) ? FIRINGS_ANY : db_int(q, S_MAX),
		.firing_count = db_int(q, S_COUNT),
		.expires_at = db_int(q, S_EXPIRES),
		.next_fire_at = db_int(q, S_NEXT),
		.suppression_count = db_int(q, S_SUPPRESSED),
		.has_budget = !db_is_null(q, S_BUDGET),
		.budget = db_num(q, S_BUDGET),
		.spent = db_num(q, S_SPENT),
		.reset_at = db_int(q, S_RESET),
	};
	db_done(q);
	return RC_OK;
}

enum rc schedule_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_SCHEDULE_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "%s", NOT_FOUND);
	row_json(w, q, &MODEL_SCHEDULE, 0);
	db_done(q);
	return RC_OK;
}

const char *schedule_name(struct ctx *cx, const char *id)
{
	return db_get_text(cx->db, cx->arena, Q_SCHEDULE_NAME, "t", id);
}

static void write_firings(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_SCHEDULE_TASKS, "t", id);

	jw_key(w, "firingHistory");
	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TASK, 0);
	jw_end_arr(w);
}

/* The columns on both sides of the checklist, and that as a value. */
enum rc schedule_write_full(struct ctx *cx, struct jw *w, const char *id)
{
	struct model before = MODEL_SCHEDULE, after = MODEL_SCHEDULE;
	struct q *q = db_query(cx->db, Q_SCHEDULE_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "%s", NOT_FOUND);
	before.n_cols = S_CHECKLIST;
	after.cols += S_CHECKLIST + 1;
	after.n_cols -= S_CHECKLIST + 1;
	jw_obj(w);
	row_json_members(w, q, &before, 0);
	jw_kjson(w, "heartbeatChecklist", json_read_text(cx->arena, db_text(q, S_CHECKLIST)));
	row_json_members(w, q, &after, S_CHECKLIST + 1);
	db_done(q);
	write_firings(cx, w, id);
	jw_end_obj(w);
	return RC_OK;
}

static void write_rows(struct jw *w, struct q *q)
{
	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_SCHEDULE, 0);
	jw_end_arr(w);
}

void schedule_write_list(struct ctx *cx, struct jw *w)
{
	write_rows(w, db_query(cx->db, Q_SCHEDULE_LIST, ""));
}

void schedule_write_latest(struct ctx *cx, struct jw *w, const char *status, int64_t limit)
{
	write_rows(w, db_query(cx->db, Q_SCHEDULE_LIST_LATEST, "ti", status, limit));
}

static void write_heartbeats(struct ctx *cx, struct jw *w, const char *id)
{
	static const char *const KEYS[] = { "id", "taskId", "event", "payload" };
	struct q *q = db_query(cx->db, Q_SCHEDULE_HEARTBEATS, "t", id);

	jw_key(w, "history");
	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		for (int i = 0; i < (int)COUNT(KEYS); i++)
			jw_kstr(w, KEYS[i], db_text(q, i));
		jw_ktime(w, "timestamp", db_int(q, (int)COUNT(KEYS)));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void write_stats(struct ctx *cx, struct jw *w, const char *id)
{
	static const int COLUMNS[] = { S_SUPPRESSED, S_ACTION, S_COUNT, S_SPENT, S_BUDGET };
	struct q *q = db_query(cx->db, Q_SCHEDULE_GET, "t", id);
	bool found = db_next(q);

	jw_key(w, "stats");
	jw_obj(w);
	for (size_t i = 0; found && i < COUNT(COLUMNS); i++) {
		struct model one = MODEL_SCHEDULE;

		one.cols += COLUMNS[i];
		one.n_cols = 1;
		row_json_members(w, q, &one, COLUMNS[i]);
	}
	db_done(q);
	jw_end_obj(w);
}

enum rc schedule_write_history(struct ctx *cx, struct jw *w, const char *id)
{
	struct schedule s;
	enum rc rc = schedule_load(cx, id, &s);

	if (rc == RC_OK && !schedule_is_heartbeat(&s))
		rc = ctx_fail(cx, RC_INVALID, "Not a heartbeat schedule");
	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	write_heartbeats(cx, w, id);
	write_stats(cx, w, id);
	jw_end_obj(w);
	return RC_OK;
}

/* Letters of a statement's format: a null where there is no value. */
static void mark_null(char *format, size_t at, bool has)
{
	if (!has)
		format[at] = format[at] == 'd' ? 'D' : 'I';
}

static void insert(struct ctx *cx, const struct schedule *s)
{
	char format[] = "tttttttbiiittiitdti";

	mark_null(format, 8, s->max_firings != FIRINGS_ANY);
	mark_null(format, 9, s->expires_at > 0);
	mark_null(format, 13, s->hours.start != HOUR_NONE);
	mark_null(format, 14, s->hours.end != HOUR_NONE);
	mark_null(format, 16, s->has_budget);
	db_run(cx->db, Q_SCHEDULE_INSERT, format, s->id, s->project_id, s->name, s->prompt, s->cron,
	    s->agent, s->profile, s->recurs, s->max_firings, s->expires_at, s->next_fire_at,
	    s->type, s->checklist, s->hours.start, s->hours.end, s->hours.zone, s->budget,
	    s->channels, cx->now);
}

static void link_documents(struct ctx *cx, const char *id, const json_t *ids)
{
	json_t *item;
	size_t i;

	json_array_foreach(ids, i, item)
		if (json_is_string(item))
			db_run(cx->db, Q_SCHEDULE_LINK_DOCUMENT, "ttti", id_make(cx->arena), id,
			    json_string_value(item), cx->now);
}

enum rc schedule_create(struct ctx *cx, const json_t *in, const char **id)
{
	const json_t *documents;
	struct schedule s;
	enum rc rc = schedule_read_new(cx, in, &s, &documents);

	if (rc == RC_OK)
		rc = task_check_profile(cx, "Schedule profile", s.profile, s.agent);
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	if (s.project_id && !db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", s.project_id))
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Project not found"));
	*id = s.id = id_make(cx->arena);
	insert(cx, &s);
	link_documents(cx, s.id, documents);
	audit(cx, "schedule.create", "schedule", s.id, s.cron);
	return tx_end(cx, RC_OK);
}

/* Why the profile that the body leads to cannot be used, or NULL. It looks at files, so it is done
 * before the transaction; a body that names neither profile nor runtime changes nothing about it. */
static enum rc check_profile(struct ctx *cx, const char *id, const json_t *in, const char **why)
{
	struct schedule s;
	enum rc rc = schedule_load(cx, id, &s);

	*why = NULL;
	if (rc != RC_OK)
		return rc;
	if (!json_object_get(in, "agentProfile") && !json_object_get(in, "assignedAgent"))
		return RC_OK;
	if (schedule_read_changes(cx, in, &s) == RC_OK &&
	    task_check_profile(cx, "Schedule profile", s.profile, s.agent) != RC_OK)
		*why = arena_strdup(cx->arena, cx->err.msg);
	err_clear(&cx->err);
	return RC_OK;
}

static void update(struct ctx *cx, const struct schedule *s)
{
	char format[] = "tttttttitiitddti";

	mark_null(format, 7, s->next_fire_at > 0);
	mark_null(format, 9, s->hours.start != HOUR_NONE);
	mark_null(format, 10, s->hours.end != HOUR_NONE);
	mark_null(format, 12, s->has_budget);
	db_run(cx->db, Q_SCHEDULE_UPDATE, format, s->id, s->status, s->name, s->prompt, s->cron,
	    s->agent, s->profile, s->next_fire_at, s->checklist, s->hours.start, s->hours.end,
	    s->hours.zone, s->budget, s->spent, s->channels, cx->now);
}

enum rc schedule_update(struct ctx *cx, const char *id, const json_t *in)
{
	struct schedule s;
	const char *why;
	enum rc rc = check_profile(cx, id, in, &why);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = schedule_load(cx, id, &s);
	if (rc == RC_OK)
		rc = schedule_read_changes(cx, in, &s);
	if (rc == RC_OK && why)
		rc = ctx_fail(cx, RC_INVALID, "%s", why);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	update(cx, &s);
	audit(cx, "schedule.update", "schedule", id, s.status);
	return tx_end(cx, RC_OK);
}

static const enum stmt REMOVAL[] = {
	Q_SCHEDULE_DELETE_DOCUMENTS,
	Q_SCHEDULE_DELETE_TABLES,
	Q_SCHEDULE_DETACH_TASKS,
	Q_SCHEDULE_DETACH_USAGE,
	Q_SCHEDULE_DELETE_FIRINGS,
	Q_SCHEDULE_DELETE,
};

enum rc schedule_delete(struct ctx *cx, const char *id)
{
	struct schedule s;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if ((rc = schedule_load(cx, id, &s)) != RC_OK)
		return tx_end(cx, rc);
	for (size_t i = 0; i < COUNT(REMOVAL); i++)
		db_run(cx->db, REMOVAL[i], "t", id);
	audit(cx, "schedule.delete", "schedule", id, s.name);
	return tx_end(cx, RC_OK);
}
