/* The client's calls, and those among them that wait for the operator. */
#include "mcp/server.h"

#include <poll.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/domain/notification.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/mcp.h"
#include "jobrunner/tools/tools.h"
#include "mcp/lines.h"

#define OUT_MAX ((size_t)64 << 20)
#define OUT_HIGH ((size_t)1 << 20)   /* with more to write nothing is read */
#define INPUT_MAX ((size_t)256 << 10) /* bytes of arguments that an operator is asked about */
#define BODY_UNITS 1000
#define WAITING_MAX 32
#define LOOK_MS 100
#define FLUSH_MS 2000

static const char DENIED[] = "Tool denied by user";
static const char TIMED_OUT[] = "Permission request timed out";

/* A call that waits for the operator. */
struct waiting {
	const struct tool *tool;
	json_t *id, *arguments;
	char notification[ID_SIZE];
	int64_t until_ms;
};

struct server {
	struct ctx *cx;
	struct mcp mcp;
	struct lines_in in;
	struct lines_out out;
	struct waiting waiting[WAITING_MAX];
	size_t n_waiting;
	int64_t version; /* of the database when the operator's answers were last looked for */
	char actor[MCP_CLIENT_SIZE + 8];
};

static void begin(struct server *s)
{
	snprintf(s->actor, sizeof s->actor, "%s%s", *s->mcp.client ? "mcp:" : "mcp", s->mcp.client);
	ctx_begin(s->cx, s->actor, NULL);
}

/* What the model reads when the store fails. */
static const char *store_failed(struct server *s, const struct tool *t)
{
	struct err *e = &s->cx->err;

	log_error("%s: %s", t->name, *e->cause ? e->cause : rc_name(e->rc));
	return tool_error_text(s->cx->arena, *e->msg ? e->msg : "Internal server error");
}

/* A transaction for one audit row. */
static enum rc note(struct server *s, const char *op, const struct tool *t, const char *how)
{
	enum rc rc = tx_begin(s->cx);

	if (rc != RC_OK)
		return rc;
	audit(s->cx, op, "tool", t->name, how);
	return tx_end(s->cx, RC_OK);
}

/* Of a tool that works outside of transactions the beginning is noted, too: none goes unseen. */
static enum mcp_outcome run_apart(struct server *s, struct tool_env *env, const struct tool *t,
    const json_t *arguments, const char **text)
{
	bool is_error;

	if (note(s, "tool.begin", t, NULL) != RC_OK) {
		*text = store_failed(s, t);
		return MCP_ERROR;
	}
	is_error = tool_run(env, t, arguments, text);
	if (note(s, "tool.call", t, is_error ? "error" : "ok") != RC_OK)
		log_error("%s: its end is not in the audit: %s", t->name, s->cx->err.cause);
	return is_error ? MCP_ERROR : MCP_OK;
}

static enum mcp_outcome run(struct server *s, const struct tool *t, const json_t *arguments,
    const char **text)
{
	struct tool_env env = { .cx = s->cx, .outside = true };
	bool is_error;

	if (t->flags & TOOL_FILES)
		return run_apart(s, &env, t, arguments, text);
	if (tx_begin(s->cx) != RC_OK) {
		*text = store_failed(s, t);
		return MCP_ERROR;
	}
	is_error = tool_run(&env, t, arguments, text);
	audit(s->cx, "tool.call", "tool", t->name, is_error ? "error" : "ok");
	if (tx_end(s->cx, RC_OK) != RC_OK) {
		*text = store_failed(s, t);
		return MCP_ERROR;
	}
	return is_error ? MCP_ERROR : MCP_OK;
}

/* Nobody is bothered with a call that cannot work. */
static bool must_ask(struct server *s, const struct tool *t, const json_t *arguments)
{
	struct arena *a = s->cx->arena;

	return (t->flags & TOOL_GATED) && !tool_misfit(a, t, arguments) &&
	       !policy_match_any(a, permission_list(s->cx), t->name, arguments, NULL);
}

/* Puts the request where the operator sees it; its id, or NULL. */
static const char *request(struct server *s, const struct tool *t, const char *input)
{
	struct ctx *cx = s->cx;
	const char *id;

	if (tx_begin(cx) != RC_OK)
		return NULL;
	id = notification_add(cx, NULL, "permission_required",
	    arena_printf(cx->arena, "Permission required: %s", t->name),
	    text_cut(cx->arena, input, BODY_UNITS), t->name, input);
	audit(cx, "approval.ask", "notification", id, t->name);
	return tx_end(cx, RC_OK) == RC_OK ? id : NULL;
}

/* Why the operator cannot be asked; NULL where that is possible. */
static const char *refusal(const struct server *s, const char *input)
{
	if (s->n_waiting == WAITING_MAX)
		return "Too many calls wait for the operator";
	if (strlen(input) > INPUT_MAX)
		return "The arguments are too large to ask the operator";
	return NULL;
}

static enum mcp_outcome ask(struct server *s, const struct tool *t, const struct mcp_call *c,
    json_t *arguments, const char **text)
{
	struct arena *a = s->cx->arena;
	const char *input = json_text(a, arguments), *why = refusal(s, input), *id;
	struct waiting *w;

	if (why) {
		*text = note(s, "tool.call", t, "refused") == RC_OK ? tool_error_text(a, why)
								    : store_failed(s, t);
		return MCP_ERROR;
	}
	id = request(s, t, input);
	if (!id) {
		*text = store_failed(s, t);
		return MCP_ERROR;
	}
	w = &s->waiting[s->n_waiting++];
	*w = (struct waiting){ .tool = t, .id = json_incref(c->id),
		.arguments = json_incref(arguments),
		.until_ms = mono_ms() + 1000 * s->cx->conf->mcp_wait_s };
	snprintf(w->notification, sizeof w->notification, "%s", id);
	return MCP_LATER;
}

static enum mcp_outcome on_call(void *arg, const struct mcp_call *c, const char **text)
{
	struct server *s = arg;
	const struct tool *t = tool_find(c->name);
	json_t *arguments = c->arguments;

	begin(s);
	if (!arguments)
		arguments = json_keep(s->cx->arena, json_object());
	return must_ask(s, t, arguments) ? ask(s, t, c, arguments, text)
					 : run(s, t, arguments, text);
}

static void forget(struct server *s, size_t i)
{
	struct waiting *w = &s->waiting[i];

	json_decref(w->id);
	json_decref(w->arguments);
	s->n_waiting--;
	memmove(w, w + 1, (s->n_waiting - i) * sizeof *w);
}

/* Answers the call and forgets it. */
static void settle(struct server *s, size_t i, bool is_error, const char *text)
{
	lines_put(&s->out, mcp_result(s->cx->arena, s->waiting[i].id, is_error, text));
	forget(s, i);
}

static void deny(struct server *s, size_t i, const char *message)
{
	const struct tool *t = s->waiting[i].tool;

	if (note(s, "tool.call", t, "denied") != RC_OK)
		log_error("%s: a denial is not in the audit: %s", t->name, s->cx->err.cause);
	settle(s, i, true, tool_error_text(s->cx->arena, message));
}

/* Closes a request that nobody waits for any more, unless it has an answer. False where the store
 * failed: the request stays open, until somebody clears up after all clients. */
static bool close_request(struct server *s, const struct waiting *w, const char *response,
    bool *closed)
{
	struct ctx *cx = s->cx;
	enum rc rc = tx_begin(cx);

	if (rc == RC_OK) {
		*closed = notification_answer(cx, w->notification, NULL, response);
		if (*closed)
			audit(cx, "tool.call", "tool", w->tool->name, "closed");
		rc = tx_end(cx, RC_OK);
	}
	if (rc != RC_OK)
		log_warn("the request for %s stays open: %s", w->tool->name, cx->err.cause);
	return rc == RC_OK;
}

static const char *closing(struct server *s, const char *message)
{
	return arena_printf(
	    s->cx->arena, "{\"behavior\":\"deny\",\"message\":\"%s\"}", message);
}

static void on_cancel(void *arg, const json_t *id)
{
	struct server *s = arg;
	bool closed;

	begin(s);
	for (size_t i = 0; i < s->n_waiting; i++)
		if (json_equal(s->waiting[i].id, id)) {
			close_request(s, &s->waiting[i], closing(s, "Cancelled by the client"),
			    &closed);
			forget(s, i);
			return;
		}
}

/* Does what the operator's RESPONSE says. */
static void obey(struct server *s, size_t i, const char *response)
{
	const struct waiting *w = &s->waiting[i];
	const json_t *v = json_read_text(s->cx->arena, response);
	const char *behavior = json_str(v, "behavior"), *message = json_str(v, "message"), *text;
	const json_t *changed = json_object_get(v, "updatedInput");
	enum mcp_outcome outcome;

	if (behavior && strcmp(behavior, "allow") == 0) {
		outcome = run(s, w->tool, json_is_object(changed) ? changed : w->arguments, &text);
		settle(s, i, outcome == MCP_ERROR, text);
	} else if (behavior && strcmp(behavior, "deny") == 0) {
		deny(s, i, message && *message ? message : DENIED);
	} else {
		deny(s, i, "Invalid response format");
	}
}

/* Looks whether the call was decided on, and acts on it. False where it has to be looked at again. */
static bool look(struct server *s, size_t i)
{
	const struct waiting *w = &s->waiting[i];
	const char *response = NULL;
	struct q *q;
	bool there, closed;

	begin(s);
	q = db_query(s->cx->db, Q_NOTIFICATION_RESPONSE, "t", w->notification);
	there = db_next(q);
	if (there)
		response = db_text_dup(q, 0, s->cx->arena);
	db_done(q);
	if (s->cx->err.rc != RC_OK)
		return false;
	if (!there) {
		deny(s, i, "Permission request dismissed");
	} else if (response) {
		obey(s, i, response);
	} else if (mono_ms() >= w->until_ms) {
		if (!close_request(s, w, NOTIFICATION_TIMED_OUT, &closed) || !closed)
			return false;
		settle(s, i, true, tool_error_text(s->cx->arena, TIMED_OUT));
	}
	return true;
}

/* Every waiting call is looked at when the database has changed, and when its time is over. */
static void look_at_all(struct server *s)
{
	int64_t version = db_version(s->cx->db);
	bool changed = version != s->version;

	s->version = version;
	for (size_t i = 0, n; i < s->n_waiting; i += s->n_waiting == n) {
		n = s->n_waiting;
		if ((changed || mono_ms() >= s->waiting[i].until_ms) && !look(s, i))
			s->version = -1;
		arena_reset(s->cx->arena);
	}
}

static bool wants_input(const struct server *s)
{
	return !s->in.ended && lines_left(&s->out) < OUT_HIGH;
}

static void answer_line(struct server *s, enum line kind, const char *line, size_t n)
{
	struct arena *a = s->cx->arena;
	const char *answer = NULL;

	while (n && strchr(" \t\r", line[n - 1]))
		n--;
	if (kind == LINE_TOO_LONG)
		answer = mcp_error(a, NULL, MCP_INVALID_REQUEST, "The message is too large");
	else if (n)
		answer = mcp_answer(&s->mcp, a, line, n);
	if (answer)
		lines_put(&s->out, answer);
	arena_reset(a);
}

/* True while there may be more lines. */
static bool answer_lines(struct server *s)
{
	const char *line = "";
	enum line kind;
	size_t n = 0;

	while (lines_left(&s->out) < OUT_HIGH) {
		kind = lines_next(&s->in, &line, &n);
		if (kind == LINE_NONE)
			return !s->in.ended;
		answer_line(s, kind, line, n);
	}
	return true;
}

/* Waits for something to do. False where the client reads no more, or a signal came. */
static bool wait_for_news(struct server *s, int signal_fd)
{
	struct pollfd p[] = {
		{ wants_input(s) ? s->in.fd : -1, POLLIN, 0 },
		{ s->out.fd, lines_left(&s->out) ? POLLOUT : 0, 0 },
		{ signal_fd, POLLIN, 0 },
	};

	if (s->out.broken)
		return false;
	if (poll(p, COUNT(p), s->n_waiting ? LOOK_MS : -1) < 0)
		return true;
	if (p[0].revents)
		lines_read(&s->in);
	lines_write(&s->out);
	return !s->out.broken && !(p[1].revents & (POLLERR | POLLHUP | POLLNVAL)) && !p[2].revents;
}

static void flush(struct server *s)
{
	int64_t until = mono_ms() + FLUSH_MS;

	while (lines_left(&s->out) && mono_ms() < until) {
		struct pollfd p = { s->out.fd, POLLOUT, 0 };

		poll(&p, 1, LOOK_MS);
		lines_write(&s->out);
	}
}

/* The client has gone, or this process has to. */
static void give_up(struct server *s)
{
	static const char WHY[] = "The client has gone";
	bool works = true, closed;

	while (s->n_waiting) {
		begin(s);
		if (works)
			works = close_request(s, &s->waiting[0], closing(s, WHY), &closed);
		settle(s, 0, true, tool_error_text(s->cx->arena, WHY));
		arena_reset(s->cx->arena);
	}
	flush(s);
}

int server_run(struct ctx *cx, int signal_fd)
{
	static struct server server;
	struct server *s = &server;
	json_t *definitions = tool_definitions(NULL, TOOL_DIRECT | TOOL_ASKS);
	json_t *tools = mcp_tools(definitions);
	struct mcp_host host = { .tools = tools, .call = on_call, .cancel = on_cancel, .arg = s };

	*s = (struct server){ .cx = cx, .version = -1 };
	mcp_init(&s->mcp, &host);
	lines_in_init(&s->in, STDIN_FILENO, MCP_MESSAGE_MAX);
	lines_out_init(&s->out, STDOUT_FILENO, OUT_MAX);
	begin(s);
	if (notification_close_lost(cx) != RC_OK)
		log_warn("%s", cx->err.cause);
	while (answer_lines(s) && wait_for_news(s, signal_fd))
		look_at_all(s);
	give_up(s);
	lines_in_fini(&s->in);
	lines_out_fini(&s->out);
	json_decref(tools);
	json_decref(definitions);
	return 0;
}
