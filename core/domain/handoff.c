/* Handoffs: the operations. What becomes of an accepted one is in handoff_run.c. */
#include "core/domain/handoff.h"

#include "core/domain/notification.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/profile.h"
#include "core/text.h"

#define BODY_UNITS 200

enum rc handoff_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_HANDOFF_GET, "t", id);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Handoff not found");
	row_json(w, q, &MODEL_HANDOFF, 0);
	db_done(q);
	return RC_OK;
}

void handoff_write_list(struct ctx *cx, struct jw *w, const char *status, const char *to)
{
	struct q *q = db_query(cx->db, Q_HANDOFF_LIST, "tt", status, to);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_HANDOFF, 0);
	jw_end_arr(w);
}

bool handoff_exists(struct ctx *cx, const char *id)
{
	return db_get_text(cx->db, cx->arena, Q_HANDOFF_STATUS, "t", id) != NULL;
}

const char *handoff_of_task(struct ctx *cx, const char *task)
{
	return db_get_text(cx->db, cx->arena, Q_HANDOFF_OF_TARGET, "t", task);
}

static enum rc check(struct ctx *cx, const struct handoff_new *h, int64_t depth)
{
	if (strcmp(h->from, h->to) == 0)
		return ctx_fail(cx, RC_INVALID,
		    "Cannot hand off to the same profile (no self-handoff)");
	if (depth >= HANDOFF_CHAIN_MAX)
		return ctx_fail(cx, RC_INVALID,
		    "Chain depth limit reached (max %d). Cannot create further handoffs in this "
		    "chain.",
		    HANDOFF_CHAIN_MAX);
	if (!profile_find(cx->conf, h->from))
		return ctx_fail(cx, RC_INVALID, "Source profile not found: %s", h->from);
	if (!profile_find(cx->conf, h->to))
		return ctx_fail(cx, RC_INVALID, "Target profile not found: %s", h->to);
	if (!*h->subject)
		return ctx_fail(cx, RC_INVALID, "Subject is required");
	return *h->body ? RC_OK : ctx_fail(cx, RC_INVALID, "Body is required");
}

static void ask_for_approval(struct ctx *cx, const struct handoff_new *h, const char *id)
{
	struct arena *a = cx->arena;

	notification_add_as(cx, id, h->task, "agent_message",
	    arena_printf(a, "Handoff approval: %s", h->subject),
	    arena_printf(a, "From %s to %s: %s", h->from, h->to, text_cut(a, h->body, BODY_UNITS)),
	    NULL, NULL);
}

static enum rc store(struct ctx *cx, const struct handoff_new *h, int64_t depth, const char *id)
{
	if (h->task && !db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", h->task))
		return ctx_fail(cx, RC_INVALID, "Source task not found: %s", h->task);
	db_run(cx->db, Q_HANDOFF_INSERT, "ttttttitbtii", id, h->from, h->to, h->task, h->subject,
	    h->body, h->priority, h->needs_approval ? "pending" : "accepted", h->needs_approval,
	    h->parent, depth, cx->now);
	if (h->needs_approval)
		ask_for_approval(cx, h, id);
	else
		cx->bells |= BELL_RUNNER;
	audit(cx, "handoff.send", "handoff", id, arena_printf(cx->arena, "%s: %s", h->from, h->to));
	return RC_OK;
}

enum rc handoff_send(struct ctx *cx, const struct handoff_new *in, const char **id)
{
	struct handoff_new h = *in;
	int64_t depth = 0;
	enum rc rc;

	h.from = text_trim(cx->arena, h.from);
	h.to = text_trim(cx->arena, h.to);
	h.subject = text_trim(cx->arena, h.subject);
	h.body = text_trim(cx->arena, h.body);
	if (h.parent)
		depth = db_get_int(cx->db, -1, Q_HANDOFF_DEPTH, "t", h.parent) + 1;
	rc = check(cx, &h, depth);
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	*id = id_make(cx->arena);
	return tx_end(cx, store(cx, &h, depth, *id));
}

static enum rc read_priority(struct ctx *cx, const json_t *in, int64_t *out)
{
	const json_t *v = json_object_get(in, "priority");
	double n = json_number_value(v);

	if (!v || json_is_null(v))
		return RC_OK;
	if (!json_is_number(v) || !(n >= 0 && n <= 3) || n != (double)(int64_t)n)
		return ctx_fail(
		    cx, RC_INVALID, "priority must be an integer between 0 and 3");
	*out = (int64_t)n;
	return RC_OK;
}

/* An optional text; null and the empty one count as absent. */
static enum rc read_option(struct ctx *cx, const json_t *in, const char *key, const char **out)
{
	const json_t *v = json_object_get(in, key);

	if (v && !json_is_null(v) && !json_is_string(v))
		return ctx_fail(cx, RC_INVALID, "%s must be a string", key);
	*out = json_string_length(v) ? json_string_value(v) : NULL;
	return RC_OK;
}

enum rc handoff_create(struct ctx *cx, const json_t *in, const char **id)
{
	struct handoff_new h = { .priority = HANDOFF_PRIORITY };
	const struct {
		const char *key, **text;
	} NEEDED[] = { { "fromProfileId", &h.from }, { "toProfileId", &h.to },
		{ "subject", &h.subject }, { "body", &h.body } };
	enum rc rc;

	for (size_t i = 0; i < COUNT(NEEDED); i++) {
		*NEEDED[i].text = json_str(in, NEEDED[i].key);
		if (!*NEEDED[i].text || text_is_blank(*NEEDED[i].text))
			return ctx_fail(cx, RC_INVALID, "%s is required", NEEDED[i].key);
	}
	h.needs_approval = json_truth(json_object_get(in, "requiresApproval"));
	rc = read_priority(cx, in, &h.priority);
	if (rc == RC_OK)
		rc = read_option(cx, in, "sourceTaskId", &h.task);
	if (rc == RC_OK)
		rc = read_option(cx, in, "parentMessageId", &h.parent);
	return rc != RC_OK ? rc : handoff_send(cx, &h, id);
}

enum rc handoff_decide(struct ctx *cx, const char *id, bool approve, const char *by)
{
	const char *status;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	status = db_get_text(cx->db, cx->arena, Q_HANDOFF_STATUS, "t", id);
	if (!status)
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "Handoff not found"));
	db_run(cx->db, Q_HANDOFF_DECIDE, "ttti", id, approve ? "accepted" : "rejected", by, cx->now);
	if (!db_changes(cx->db))
		return tx_end(cx, ctx_fail(cx, RC_CONFLICT, "Cannot %s a handoff with status: %s",
				      approve ? "approve" : "reject", status));
	notification_answer(cx, id, NULL,
	    approve ? "{\"action\":\"approved\"}" : "{\"action\":\"rejected\"}");
	audit(cx, approve ? "handoff.approve" : "handoff.reject", "handoff", id, by);
	return tx_end(cx, RC_OK);
}

void handoff_dismiss(struct ctx *cx, const char *id)
{
	db_run(cx->db, Q_HANDOFF_DECIDE, "ttti", id, "rejected", "user", cx->now);
	if (db_changes(cx->db))
		audit(cx, "handoff.reject", "handoff", id, "dismissed");
}

enum rc handoff_answer(struct ctx *cx, const char *id, const json_t *in)
{
	const char *action = json_str(in, "action"), *by;
	bool approve = action && strcmp(action, "approve") == 0;
	enum rc rc;

	if (!handoff_exists(cx, id))
		return ctx_fail(cx, RC_NOTFOUND, "Handoff not found");
	if (!approve && !(action && strcmp(action, "reject") == 0))
		return ctx_fail(cx, RC_INVALID, "action must be 'approve' or 'reject'");
	rc = read_option(cx, in, "approvedBy", &by);
	return rc != RC_OK ? rc : handoff_decide(cx, id, approve, by ? by : "user");
}
