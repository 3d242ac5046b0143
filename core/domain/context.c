/* Learned context: proposals, decisions, the text in force, and what a workflow collects. */
#include "core/domain/context.h"

#include "core/catalog.h"
#include "core/domain/notification.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/json_out.h"
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
    const char *profile)
{
	const json_t *payload = json_keep(cx->arena, json_pack("{s:s}", "profile", profile));

	queue_put_if_room(cx, kind, subject, profile, json_text(cx->arena, payload));
}

void context_learn_later(struct ctx *cx, const struct task *t, const char *profile)
{
	const char *which = setting_get(cx, "learning.autoExtract");
	bool all = which && strcmp(which, "all") == 0;

	if (which && strcmp(which, "off") == 0)
		return;
	if (all || catalog_resolve(t->runtime) == &RUNTIME_CATALOG[0])
		queue_for_profile(cx, JOB_LEARN, t->id, profile);
}

static void condense_later(struct ctx *cx, const char *profile)
{
	const char *text = context_current(cx, profile);

	if (!text || (int64_t)text_units(text) <= context_threshold(cx) ||
	    db_get_int(cx->db, 0, Q_CONTEXT_JOB_WAITS, "tt", JOB_CONDENSE, profile))
		return;
	queue_for_profile(cx, JOB_CONDENSE, profile, profile);
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

/* Whether the proposal was open. */
static bool decide(struct ctx *cx, const char *id, bool approve)
{
	struct change c = { .type = approve ? "approved" : "rejected" };
	struct proposal p;

	if (!load(cx, id, &p) || p.decided)
		return false;
	c.profile = p.profile;
	c.content = context_current(cx, p.profile);
	if (approve)
		c.content = c.content && *c.content
		    ? arena_printf(cx->arena, "%s\n\n%s", c.content, p.additions) : p.additions;
	c.diff = c.additions = p.additions;
	c.task = p.task;
	c.notification = p.notification;
	c.by = approve ? "human" : NULL;
	add(cx, &c);
	if (p.notification)
		notification_answer(cx, p.notification, NULL, response_of(approve));
	audit(cx, approve ? "context.approve" : "context.reject", "profile", p.profile, id);
	if (approve)
		condense_later(cx, p.profile);
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
	size_t i;
	json_t *v;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	*n = 0;
	json_array_foreach(ids, i, v)
		*n += decide(cx, json_string_value(v), approve);
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
