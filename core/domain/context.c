/* Learned context: proposals, decisions, the text in force, and what a workflow collects. */
#include "core/domain/context.h"

#include "core/catalog.h"
#include "core/domain/notification.h"
#include "core/id.h"
#include "core/json_in.h"

#include "core/model/models.h"
#include "core/queue.h"
#include "core/setting.h"
#include "core/text.h"

#define LIMIT_DEFAULT 8000
#define BODY_UNITS 500
#define BATCH_BODY_UNITS 1000
#define LINE_UNITS 150
#define BATCH_TOOL "workflow-context-batch"

const char *context_current(struct ctx *cx, const char *profile)
{
	return db_get_text(cx->db, cx->arena, Q_PROMPT_LEARNED, "t", profile);
}

int64_t context_limit(struct ctx *cx)
{
	return setting_int(cx, "learning.contextCharLimit", 2000, 32000, LIMIT_DEFAULT);
}

int64_t context_threshold(struct ctx *cx)
{
	return context_limit(cx) * 3 / 4;
}

/* Learning leaves the provider to the work first; and who looks at a task's cost as it ends sees that
 * of its run. But the batch of a workflow waits for what its steps have taught. */
#define LEARN_AFTER_MS 2000

struct change {
	const char *id, *profile, *type, *content, *diff;
	const char *task, *notification, *additions, *by;
};

static void add(struct ctx *cx, const struct change *c)
{
	int64_t version = db_get_int(cx->db, 0, Q_CONTEXT_VERSION, "t", c->profile) + 1;

	db_run(cx->db, Q_CONTEXT_INSERT, "ttittttttti", c->id ? c->id : id_make(cx->arena),
	    c->profile, version, c->content, c->diff, c->type, c->task, c->notification,
	    c->additions, c->by, cx->now);
}

static void queue_for_profile(struct ctx *cx, const char *kind, const char *subject,
    const char *profile, int64_t after_ms)
{
	const json_t *payload = json_keep(cx->arena, json_pack("{s:s}", "profile", profile));

	queue_put_if_room(cx, kind, subject, profile, json_text(cx->arena, payload), after_ms);
}

void context_learn_later(struct ctx *cx, const struct task *t, const char *profile)
{
	const char *which = setting_get(cx, "learning.autoExtract");
	bool all = which && strcmp(which, "all") == 0;

	if (which && strcmp(which, "off") == 0)
		return;
	if (all || catalog_resolve(t->runtime) == &RUNTIME_CATALOG[0])
		queue_for_profile(cx, JOB_LEARN, t->id, profile,
		    t->workflow_id ? 0 : LEARN_AFTER_MS);
}

/* The job that condenses the text in force; 0 where it is short enough, or the queue is full. */
static int64_t condense_later(struct ctx *cx, const char *profile)
{
	const char *text = context_current(cx, profile);
	int64_t job;

	if (!text || (int64_t)text_units(text) <= context_threshold(cx))
		return 0;
	job = db_get_int(cx->db, 0, Q_CONTEXT_CONDENSE_JOB, "t", profile);
	if (job)
		return job;
	queue_for_profile(cx, JOB_CONDENSE, profile, profile, 0);
	return db_get_int(cx->db, 0, Q_CONTEXT_CONDENSE_JOB, "t", profile);
}

void context_propose(struct ctx *cx, const char *profile, const char *task, const char *text)
{
	struct arena *a = cx->arena;
	struct change c = { .id = id_make(a), .profile = profile, .type = "proposal",
		.diff = text, .task = task, .additions = text };
	json_t *input;

	if (!db_get_int(cx->db, 0, Q_CONTEXT_SESSION_OF_TASK, "t", task)) {
		input = json_keep(a, json_pack("{s:s, s:s, s:s}", "profileId", profile, "additions",
					 text, "learnedContextId", c.id));
		c.notification = notification_add(cx, task, "context_proposal",
		    arena_printf(a, "Context proposal for %s", profile),
		    text_cut(a, text, BODY_UNITS), profile, json_text(a, input));
	}
	add(cx, &c);
	audit(cx, "context.propose", "profile", profile, c.id);
}

void context_add_summary(struct ctx *cx, const char *profile, const char *text, const char *note)
{
	add(cx, &(struct change){ .profile = profile, .type = "summarization", .content = text,
		    .diff = note });
	audit(cx, "context.condense", "profile", profile, note);
}

struct proposal {
	const char *profile, *task, *notification, *additions;
	bool decided;
};

static const char *copy(struct ctx *cx, struct q *q, int col)
{
	return db_is_null(q, col) ? NULL : arena_strdup(cx->arena, db_text(q, col));
}

static bool load(struct ctx *cx, const char *id, struct proposal *p)
{
	struct q *q = db_query(cx->db, Q_CONTEXT_PROPOSAL, "t", id);

	if (!db_next(q))
		return false;
	p->profile = copy(cx, q, 0);
	p->task = copy(cx, q, 1);
	p->notification = copy(cx, q, 2);
	p->additions = copy(cx, q, 3);
	p->decided = db_int(q, 4) != 0;
	db_done(q);
	return true;
}

static const char *response_of(bool approve)
{
	return approve ? "{\"action\":\"approved\"}" : "{\"action\":\"rejected\"}";
}

static const char *merge(struct ctx *cx, const char *profile, const char *text)
{
	const char *current = context_current(cx, profile);

	return current && *current ? arena_printf(cx->arena, "%s\n\n%s", current, text) : text;
}

/* Whether the proposal was open. EDITED, or NULL, takes the place of what was proposed; *JOB is the
 * job that condenses. */
static bool decide(struct ctx *cx, const char *id, bool approve, const char *edited, int64_t *job)
{
	struct change c = { .type = approve ? "approved" : "rejected" };
	struct proposal p;

	if (!load(cx, id, &p) || p.decided)
		return false;
	if (edited)
		p.additions = edited;
	c.profile = p.profile;
	c.content = approve ? merge(cx, p.profile, p.additions) : context_current(cx, p.profile);
	c.diff = c.additions = p.additions;
	c.task = p.task;
	c.notification = p.notification;
	c.by = approve ? "human" : NULL;
	add(cx, &c);
	if (p.notification)
		notification_answer(cx, p.notification, NULL, response_of(approve));
	audit(cx, approve ? "context.approve" : "context.reject", "profile", p.profile, id);
	if (approve)
		*job = condense_later(cx, p.profile);
	return true;
}

static bool contains(const json_t *list, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && strcmp(json_string_value(v), id) == 0)
			return true;
	return false;
}

/* Whether the batch has one of IDS, and none of its proposals waits any more. */
static bool batch_over(struct ctx *cx, const json_t *batch, const json_t *ids)
{
	bool shared = false;
	struct proposal p;
	size_t i;
	json_t *v;

	json_array_foreach(batch, i, v) {
		if (!json_is_string(v))
			continue;
		shared = shared || contains(ids, json_string_value(v));
		if (load(cx, json_string_value(v), &p) && !p.decided)
			return false;
	}
	return shared;
}

static void answer_batches(struct ctx *cx, const json_t *ids, bool approve)
{
	json_t *open = json_keep(cx->arena, json_object()), *v;
	struct q *q = db_query(cx->db, Q_CONTEXT_OPEN_BATCHES, "");
	const char *id;

	while (db_next(q)) {
		const json_t *input = json_read_text(cx->arena, db_text(q, 1));

		json_object_set_new(open, db_text(q, 0),
		    json_deep_copy(json_object_get(input, "proposalIds")));
	}
	json_object_foreach(open, id, v)
		if (batch_over(cx, v, ids))
			notification_answer(cx, id, NULL, response_of(approve));
}

enum rc context_decide_batch(struct ctx *cx, const json_t *ids, bool approve, int64_t *n)
{
	int64_t job;
	size_t i;
	json_t *v;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	*n = 0;
	json_array_foreach(ids, i, v)
		*n += decide(cx, json_string_value(v), approve, NULL, &job);
	answer_batches(cx, ids, approve);
	return tx_end(cx, RC_OK);
}

enum rc context_decide_notification(struct ctx *cx, const char *id, bool approve)
{
	struct q *q = db_query(cx->db, Q_NOTIFICATION_REQUEST, "t", id);
	json_t *input, *ids;
	bool answered;
	int64_t n;
	enum rc rc;

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Notification not found");
	input = json_read_text(cx->arena, db_text(q, 2));
	answered = !db_is_null(q, 3);
	db_done(q);
	ids = json_object_get(input, "proposalIds");
	if (!ids && json_str(input, "learnedContextId"))
		ids = json_keep(cx->arena, json_pack("[s]", json_str(input, "learnedContextId")));
	if (!json_array_size(ids))
		return ctx_fail(cx, RC_NOTFOUND, "Notification not found");
	if (answered)
		return ctx_fail(cx, RC_CONFLICT, "Already responded");
	rc = context_decide_batch(cx, ids, approve, &n);
	return rc != RC_OK || n ? rc : ctx_fail(cx, RC_CONFLICT, "Already responded");
}

enum rc context_close_session(struct ctx *cx, const char *workflow)
{
	return queue_put(cx, JOB_LEARN_CLOSE, workflow, NULL, "", NULL, NULL);
}

/* Adds one proposal to the lists by profile: {profile: [first characters, ...]}. */
static void collect(json_t *profiles, const char *profile, const char *line)
{
	json_t *lines = json_object_get(profiles, profile);

	if (!lines) {
		lines = json_array();
		json_object_set_new(profiles, profile, lines);
	}
	json_array_append_new(lines, json_string(line));
}

static const char *batch_body(struct ctx *cx, json_t *profiles)
{
	const char *profile, *text;
	json_t *lines, *line;
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 20);
	json_object_foreach(profiles, profile, lines) {
		size_t n = json_array_size(lines);

		buf_printf(&b, "%s**%s** (%zu %s):", b.len ? "\n" : "", profile, n,
		    n > 1 ? "proposals" : "proposal");
		json_array_foreach(lines, i, line) {
			const char *s = json_string_value(line);

			buf_printf(&b, "\n  - %s%s", s, text_units(s) >= LINE_UNITS ? "..." : "");
		}
	}
	text = arena_strdup(
	    cx->arena, text_cut(cx->arena, buf_text(&b), BATCH_BODY_UNITS));
	buf_fini(&b);
	return text;
}

void context_write_batch(struct ctx *cx, const char *workflow)
{
	struct arena *a = cx->arena;
	json_t *ids = json_keep(a, json_array()), *profiles = json_keep(a, json_object());
	json_t *names = json_keep(a, json_array()), *lines, *input;
	struct q *q = db_query(cx->db, Q_CONTEXT_COLLECTED, "t", workflow);
	const char *profile;
	size_t n;

	while (db_next(q)) {
		json_array_append_new(ids, json_string(db_text(q, 0)));
		collect(profiles, db_text(q, 1), text_cut(a, db_text(q, 2), LINE_UNITS));
	}
	n = json_array_size(ids);
	if (!n)
		return;
	json_object_foreach(profiles, profile, lines)
		json_array_append_new(names, json_string(profile));
	input = json_keep(a, json_pack("{s:s, s:O, s:O}", "workflowId", workflow, "proposalIds",
				 ids, "profileIds", names));
	notification_add(cx, NULL, "context_proposal_batch",
	    arena_printf(a, "Workflow learning: %zu context proposal%s", n, n > 1 ? "s" : ""),
	    batch_body(cx, profiles), BATCH_TOOL, json_text(a, input));
}

/* ---- by hand ---- */

enum rc context_write(struct ctx *cx, struct jw *w, const char *profile)
{
	const char *text = context_current(cx, profile);
	int64_t size = text ? (int64_t)text_units(text) : 0, limit = context_limit(cx);
	struct q *q = db_query(cx->db, Q_CONTEXT_HISTORY, "t", profile);

	jw_obj(w);
	jw_key(w, "history");
	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_CONTEXT, 0);
	jw_end_arr(w);
	jw_kint(w, "currentSize", size);
	jw_kint(w, "limit", limit);
	jw_kint(w, "maxSize", limit);
	jw_kbool(w, "needsSummarization", size > context_threshold(cx));
	jw_end_obj(w);
	return cx->err.rc;
}

static enum rc check_size(struct ctx *cx, const char *text)
{
	if (text_units(text) > CONTEXT_ADDITION_MAX)
		return ctx_fail(cx, RC_INVALID, "additions exceed the context limit");
	return RC_OK;
}

enum rc context_add(struct ctx *cx, const char *profile, const json_t *in, int64_t *job)
{
	const char *given = json_str(in, "additions");
	const char *text = given ? text_trim(cx->arena, given) : "";
	struct change c = { .profile = profile, .type = "approved", .diff = text, .by = "human" };
	enum rc rc = check_size(cx, text);

	if (!*text)
		return ctx_fail(cx, RC_INVALID, "additions is required");
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	c.content = merge(cx, profile, text);
	add(cx, &c);
	audit(cx, "context.add", "profile", profile, NULL);
	*job = condense_later(cx, profile);
	return tx_end(cx, RC_OK);
}

static enum rc answer(struct ctx *cx, const char *profile, const json_t *in, const char *action,
    int64_t *job)
{
	const char *notification = json_str(in, "notificationId"), *edited, *id;
	const json_t *content = json_object_get(in, "editedContent");
	bool approve = strcmp(action, "approve") == 0;
	enum rc rc = RC_OK;

	if (!notification || !*notification)
		return ctx_fail(cx, RC_INVALID, "notificationId is required for %s", action);
	if (approve && content && !json_is_null(content) && !json_is_string(content))
		return ctx_fail(cx, RC_INVALID, "editedContent must be a string");
	edited = approve ? json_string_value(content) : NULL;
	if (edited && text_is_blank(edited))
		edited = NULL;
	if ((edited && (rc = check_size(cx, edited)) != RC_OK) || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	id = db_get_text(cx->db, cx->arena, Q_CONTEXT_PROPOSAL_ASKED, "tt", profile, notification);
	if (!id)
		rc = ctx_fail(cx, RC_INVALID, "Proposal not found");
	else if (!decide(cx, id, approve, edited, job))
		rc = ctx_fail(cx, RC_INVALID, "Proposal already answered");
	return tx_end(cx, rc);
}

static enum rc roll_back(struct ctx *cx, const char *profile, const json_t *in)
{
	const json_t *target = json_object_get(in, "targetVersion");
	double version = json_number_value(target);
	char number[NUM_TEXT_SIZE];
	struct change c = { .profile = profile, .type = "rollback" };
	struct q *q;
	enum rc rc;

	if (!target)
		return ctx_fail(cx, RC_INVALID, "targetVersion is required for rollback");
	if (!json_is_number(target))
		return ctx_fail(cx, RC_INVALID, "targetVersion must be a number");
	num_text(number, version);
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	q = db_query(cx->db, Q_CONTEXT_OF_VERSION, "td", profile, version);
	if (!db_next(q))
		return tx_end(cx, ctx_fail(cx, RC_INVALID, "Version %s not found", number));
	c.content = copy(cx, q, 0);
	db_done(q);
	c.diff = arena_printf(cx->arena, "Rolled back to version %s", number);
	add(cx, &c);
	audit(cx, "context.rollback", "profile", profile, number);
	return tx_end(cx, RC_OK);
}

/* Whether V counts as nothing: absent, null, false, 0 or "". */
static bool is_nothing(const json_t *v)
{
	return !v || json_is_null(v) || json_is_false(v) ||
	       (json_is_number(v) && json_number_value(v) == 0) ||
	       (json_is_string(v) && !*json_string_value(v));
}

enum rc context_change(struct ctx *cx, const char *profile, const json_t *in, int64_t *job)
{
	const json_t *action = json_object_get(in, "action");
	const char *word = json_string_value(action);

	if (is_nothing(action))
		return ctx_fail(
		    cx, RC_INVALID, "action is required (approve | reject | rollback)");
	if (!word)
		word = json_text(cx->arena, action);
	if (strcmp(word, "approve") == 0 || strcmp(word, "reject") == 0)
		return answer(cx, profile, in, word, job);
	if (strcmp(word, "rollback") == 0)
		return roll_back(cx, profile, in);
	return ctx_fail(cx, RC_INVALID, "Unknown action: %.200s", word);
}
