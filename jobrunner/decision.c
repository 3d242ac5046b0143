/* How a tool call comes to its decision, on every runtime. Every step is written down before the next
 * one is taken (engine_calls), so that a call whose process dies is not asked for again:
 *
 *   new      logged, nothing decided
 *   asked    a person has the question (notification_id)
 *   decided  allowed or not
 *
 * and behind the decision, in calls.c:
 *
 *   begun    under way outside of a transaction; after a crash its outcome is unknown
 *   done     has a result
 *   seen     a command-line client has the result (client_calls.c)
 *   lost     done, but the client may have died before it got the result */
#include "core/clock.h"
#include "core/domain/notification.h"
#include "core/json_in.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/run.h"

#define BODY_UNITS 1000

void call_load(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	struct q *q = db_query(r->cx->db, Q_CALL_GET, "tt", r->job->run_id, c->of->id);

	c->input_text = json_text(a, c->of->input);
	c->state = NULL;
	if (!db_next(q))
		return;
	c->state = arena_strdup(a, db_text(q, 0));
	c->notification = db_is_null(q, 1) ? NULL : arena_strdup(a, db_text(q, 1));
	c->allowed = db_int(q, 2) != 0;
	c->message = db_is_null(q, 3) ? NULL : arena_strdup(a, db_text(q, 3));
	c->final_input = db_is_null(q, 4) ? c->of->input
					  : json_read_text(a, arena_strdup(a, db_text(q, 4)));
	c->result = db_is_null(q, 5) ? NULL : arena_strdup(a, db_text(q, 5));
	c->is_error = db_int(q, 6) != 0;
	db_done(q);
}

bool call_is(const struct call *c, const char *state)
{
	return c->state && strcmp(c->state, state) == 0;
}

enum rc call_note(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	enum rc rc;

	call_load(r, c);
	if (c->state)
		return RC_OK;
	rc = run_tx_begin(r);
	if (rc != RC_OK)
		return rc;
	db_run(r->cx->db, Q_CALL_INSERT, "ttittt", r->job->run_id, c->of->id,
	    db_get_int(r->cx->db, 0, Q_CALL_COUNT, "t", r->job->run_id), r->task.id, c->of->name,
	    c->input_text);
	run_log(r, "tool_start",
	    arena_printf(a, "{\"tool\":%s,\"input\":%s}",
		json_quote(a, c->of->name), c->input_text));
	c->state = "new";
	return tx_end(r->cx, RC_OK);
}

/* Inside a transaction. */
static void note_decided(struct run *r, struct call *c, bool allowed, const char *message,
    const json_t *final_input)
{
	const char *text = final_input && final_input != c->of->input
	    ? json_text(r->cx->arena, final_input) : NULL;

	db_run(r->cx->db, Q_CALL_DECIDED, "ttbtt", r->job->run_id, c->of->id, allowed, message,
	    text);
	c->state = "decided";
	c->allowed = allowed;
	c->message = message;
	c->final_input = final_input ? final_input : c->of->input;
}

bool call_is_question(const struct call *c)
{
	return strcmp(c->of->name, "AskUserQuestion") == 0;
}

/* The same call in the same run has a request that is open, or was answered after its process had
 * died: that one counts for this call. Else NULL. */
static const char *open_request(struct run *r, const struct call *c)
{
	struct arena *a = r->cx->arena;
	struct q *q = db_query(r->cx->db, Q_CALL_OPEN_REQUEST, "ttt", r->job->run_id, c->of->name,
	    c->input_text);
	const char *notification, *call;

	if (!db_next(q))
		return NULL;
	notification = arena_strdup(a, db_text(q, 0));
	call = arena_strdup(a, db_text(q, 1));
	db_done(q);
	if (r->restarted || r->unparked)
		db_run(r->cx->db, Q_CALL_HANDED_ON, "tt", r->job->run_id, call);
	return notification;
}

static const char *request_title(struct run *r, const struct call *c)
{
	if (c->title)
		return c->title;
	if (call_is_question(c))
		return "Agent has a question";
	return arena_printf(r->cx->arena, "Permission required: %s", c->of->name);
}

static void ask(struct run *r, struct call *c)
{
	c->notification = open_request(r, c);
	if (!c->notification)
		c->notification = notification_add(r->cx, r->task.id,
		    call_is_question(c) ? "agent_message" : "permission_required",
		    request_title(r, c),
		    text_cut(r->cx->arena, c->body ? c->body : c->input_text, BODY_UNITS),
		    c->of->name, c->input_text);
	db_run(r->cx->db, Q_CALL_ASKED, "ttt", r->job->run_id, c->of->id, c->notification);
	c->state = "asked";
}

/* A step of a call is done: the run is alive, and what killed it before is not its own doing. */
void run_note_progress(struct run *r)
{
	db_run(r->cx->db, Q_RUN_PROGRESS, "tt", r->task.id, r->job->run_id);
}

enum rc call_decide(struct run *r, struct call *c)
{
	const char *message;
	const json_t *final_input;
	enum verdict v;
	enum rc rc;

	if (!call_is(c, "new"))
		return RC_OK;
	rc = run_tx_begin(r);
	if (rc != RC_OK)
		return rc;
	v = permit(r, c->of->name, c->of->input, c->input_text, &message, &final_input);
	run_note_progress(r);
	if (v == VERDICT_ASK)
		ask(r, c);
	else
		note_decided(r, c, v == VERDICT_ALLOW, message,
		    v == VERDICT_ALLOW ? final_input : NULL);
	return tx_end(r->cx, RC_OK);
}

/* Takes the answer RESPONSE of the operator over. */
static void take_answer(struct run *r, struct call *c, const char *response)
{
	const json_t *v = json_read_text(r->cx->arena, response);
	const char *behavior = json_str(v, "behavior");
	const json_t *upd = json_object_get(v, "updatedInput");

	if (behavior && strcmp(behavior, "allow") == 0)
		note_decided(r, c, true, NULL, json_is_object(upd) ? upd : c->of->input);
	else if (behavior && strcmp(behavior, "deny") == 0)
		note_decided(r, c, false, json_str(v, "message"), NULL);
	else
		note_decided(r, c, false, "Invalid response format", NULL);
}

/* When the request counts as denied; 0: never. The time runs from its creation, also while the run
 * is parked. */
int64_t call_deadline(struct run *r, const struct call *c)
{
	const char *text = setting_get(r->cx, "runtime.permissionTimeoutSeconds");
	int64_t seconds = 0;

	if (!text || !text_to_int(text, 10, 2592000, &seconds))
		return 0;
	return 1000 * (seconds + db_get_int(r->cx->db, r->cx->now, Q_NOTIFICATION_CREATED, "t",
				     c->notification));
}

enum rc call_look(struct run *r, struct call *c)
{
	struct ctx *cx = r->cx;
	int64_t deadline_ms = call_deadline(r, c);
	const char *response = NULL;
	struct q *q;
	bool there;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	run_note_progress(r);
	q = db_query(cx->db, Q_NOTIFICATION_RESPONSE, "t", c->notification);
	there = db_next(q);
	if (there && !db_is_null(q, 0))
		response = arena_strdup(cx->arena, db_text(q, 0));
	db_done(q);
	if (!there) {
		note_decided(r, c, false, "Permission request dismissed", NULL);
	} else if (response) {
		take_answer(r, c, response);
	} else if (deadline_ms && now_ms() > deadline_ms) {
		notification_answer(cx, c->notification, NULL, NOTIFICATION_TIMED_OUT);
		note_decided(r, c, false, "Permission request timed out", NULL);
	}
	return tx_end(cx, RC_OK);
}

enum rc call_withdraw(struct run *r, struct call *c, const char *message)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	if (call_is(c, "asked"))
		notification_answer(r->cx, c->notification, NULL,
		    arena_printf(r->cx->arena, "{\"behavior\":\"deny\",\"message\":%s}",
			json_quote(r->cx->arena, message)));
	note_decided(r, c, false, message, NULL);
	return tx_end(r->cx, RC_OK);
}
