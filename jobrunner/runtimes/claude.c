/* A run on Claude Code: the program makes the turns; this follows what it says, answers when it asks
 * for a tool, serves it our own tools inside the pipe, and ends the run with its result. */
#include <unistd.h>

#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/price.h"
#include "core/text.h"
#include "jobrunner/mcp.h"
#include "jobrunner/runtimes/claude.h"
#include "jobrunner/runtimes/claude_msg.h"
#include "jobrunner/screenshot.h"

#define LOGIN_TRIES  2    /* a refused key stays refused */
#define ID_MAX	     200
#define IMAGES_MAX   8    /* of one result */
#define SCREENSHOTS_MAX 500 /* of one process */

static const char NO_RESULT[] = "Agent stream ended without producing a result";

/* Sums over the model calls of the runs' processes before, and of this one. */
struct sums {
	int64_t input, output, cost_micros;
	bool used, has_cost;
};

struct claude {
	struct client cl;
	struct run *r;
	struct mcp mcp;
	const char *call;      /* of the tools/call that is answered just now, or NULL */
	struct sums before;    /* of earlier processes of this run */
	struct usage message;  /* the model call that streams */
	struct sums live;      /* of the calls that streamed */
	size_t open;           /* calls whose result has not come */
	size_t images;         /* that were kept */
	int refused;           /* tries with a key that was refused */
	const char *refusal;   /* words for that, or NULL */
};

/* ---- sending ---- */

/* A control answer around BODY, a JSON text. */
static void answer(struct claude *c, const char *request, const char *body)
{
	struct arena *a = c->cl.event;
	const char *line = arena_printf(a,
	    "{\"type\":\"control_response\",\"response\":{\"subtype\":\"success\",\"request_id\":%s,"
	    "\"response\":%s}}",
	    json_quote(a, request), body);

	child_send(c->cl.child, line, strlen(line));
}

static void refuse(struct claude *c, const char *request, const char *words)
{
	client_send(&c->cl,
	    json_pack("{s:s, s:{s:s, s:s, s:s}}", "type", "control_response", "response", "subtype",
		"error", "request_id", request, "error", words));
}

static void deny(struct claude *c, const char *request, const char *words)
{
	answer(c, request,
	    arena_printf(c->cl.event, "{\"behavior\":\"deny\",\"message\":%s}",
		json_quote(c->cl.event, words && *words ? words : CALL_DENIED)));
}

static bool interrupt(void *arg)
{
	struct claude *c = arg;

	client_send(&c->cl,
	    json_pack("{s:s, s:s, s:{s:s}}", "type", "control_request", "request_id", "interrupt",
		"request", "subtype", "interrupt"));
	client_expect(&c->cl, CLIENT_INTERRUPT_MS);
	return true;
}

static void greet(struct claude *c, const char *prompt)
{
	const struct prompt *p = &c->r->prompt;
	const char *system =
	    client_system_text(c->r->arena, p->system_stable, p->system_rest);
	json_t *init = json_pack("{s:s, s:[s]}", "subtype", "initialize", "sdkMcpServers",
	    CLAUDE_SERVER);

	if (*system)
		json_object_set_new(init, "appendSystemPrompt", json_string(system));
	client_send(&c->cl,
	    json_pack("{s:s, s:s, s:o}", "type", "control_request", "request_id", "initialize",
		"request", init));
	client_send(&c->cl,
	    json_pack("{s:s, s:s, s:{s:s, s:[{s:s, s:s}]}, s:n}", "type", "user", "session_id", "",
		"message", "role", "user", "content", "type", "text", "text", prompt,
		"parent_tool_use_id"));
}

/* ---- tools ---- */

static void count_busy(struct claude *c)
{
	c->cl.busy = c->open > c->cl.n_pending ? c->open - c->cl.n_pending : 0;
}

static void on_assistant(struct claude *c, const struct claude_msg *m)
{
	const char *call, *name;
	const json_t *input;
	size_t i;
	json_t *block;

	json_array_foreach(m->body, i, block) {
		if (!claude_block_call(block, &call, &name, &input) || strlen(call) > ID_MAX)
			continue;
		c->open++;
		c->cl.rc = client_note(&c->cl, call, name, input);
		if (c->cl.rc != RC_OK)
			return;
	}
}

/* Keeps an image as a document. Where that fails the run does not care. */
static void keep_image(struct claude *c, const char *tool, const struct claude_image *image)
{
	struct run *r = c->r;
	struct ctx *cx = r->cx;
	struct screenshot_owner of = { .task_id = r->task.id, .project_id = r->task.project_id };
	struct screenshot shot;
	struct err e = { 0 };
	enum rc rc = screenshot_store(cx, image->data, image->n, &shot, &e);

	if (rc == RC_OK) {
		rc = run_tx_begin(r);
		if (rc == RC_OK) {
			screenshot_register(cx, &shot, &of);
			run_log(r, "screenshot", screenshot_payload(cx->arena, &shot, tool));
			rc = tx_end(cx, RC_OK);
		}
		if (rc != RC_OK)
			screenshot_discard(&shot);
	}
	if (rc != RC_OK)
		log_warn("run %s: a screenshot is not kept: %s", r->job->run_id,
		    *e.msg ? e.msg : rc_name(rc));
	err_clear(&cx->err);
}

/* The images of a result that a screenshot tool has given. */
static void keep_images(struct claude *c, const json_t *block, const char *call)
{
	struct run *r = c->r;
	struct claude_image images[IMAGES_MAX];
	size_t n = claude_block_images(block, images, IMAGES_MAX);
	const char *tool = n ? db_get_text(r->cx->db, c->cl.event, Q_CALL_TOOL, "tt",
				   r->job->run_id, call)
			     : NULL;

	for (size_t i = 0; tool && screenshot_is_tool(tool) && i < n; i++)
		if (c->images++ < SCREENSHOTS_MAX)
			keep_image(c, tool, &images[i]);
}

static void on_results(struct claude *c, const struct claude_msg *m)
{
	const char *call;
	size_t i;
	json_t *block;

	json_array_foreach(m->body, i, block) {
		if (!claude_block_result(block, &call))
			continue;
		c->open -= c->open > 0;
		c->cl.rc = client_seen(&c->cl, call);
		if (c->cl.rc != RC_OK)
			return;
		keep_images(c, block, call);
	}
}

static void on_ask(struct claude *c, const struct claude_msg *m)
{
	const char *call = m->call && strlen(m->call) <= ID_MAX ? m->call : m->request;

	if (!json_is_object(m->body))
		deny(c, m->request, "The input of the tool is no object");
	else if (!client_request(&c->cl, m->request, 0, call, m->name, m->body, NULL, NULL) &&
		 c->cl.rc == RC_OK)
		deny(c, m->request, "Too many requests wait for a decision");
}

static void on_decided(void *arg, struct pending *p)
{
	struct claude *c = arg;
	const struct call *call = &p->call;

	if (call->allowed)
		answer(c, p->id,
		    arena_printf(c->cl.event, "{\"behavior\":\"allow\",\"updatedInput\":%s}",
			json_text(c->cl.event, call->final_input)));
	else
		deny(c, p->id, call->message);
	client_forget(&c->cl, p);
}

static void on_cancel(struct claude *c, const struct claude_msg *m)
{
	struct pending *p = client_pending(&c->cl, m->request);

	if (p)
		client_withdraw(&c->cl, p);
}

static enum mcp_outcome run_tool(void *arg, const struct mcp_call *m, const char **text)
{
	struct claude *c = arg;
	struct arena *a = c->cl.event;
	const char *id = c->call ? c->call : arena_printf(a, "mcp-%s", json_text(a, m->id));
	const json_t *input = m->arguments ? m->arguments : json_keep(a, json_object());
	bool is_error = true;

	*text = "";
	c->cl.rc = client_tool(&c->cl, id, arena_printf(a, "mcp__" CLAUDE_SERVER "__%s", m->name),
	    input, text, &is_error);
	return is_error ? MCP_ERROR : MCP_OK;
}

static void on_mcp(struct claude *c, const struct claude_msg *m)
{
	struct arena *a = c->cl.event;
	const char *text;

	c->call = m->call && strlen(m->call) <= ID_MAX ? m->call : NULL;
	text = mcp_answer_value(&c->mcp, a, m->body);
	if (text && c->cl.rc == RC_OK)
		answer(c, m->request, arena_printf(a, "{\"mcp_response\":%s}", text));
}

/* ---- usage ---- */

static void publish(struct claude *c, const struct sums *now)
{
	struct run *r = c->r;

	r->used = c->before.used || now->used;
	r->input_tokens = c->before.input + now->input;
	r->output_tokens = c->before.output + now->output;
	r->has_cost = c->before.has_cost || now->has_cost;
	r->cost_micros = c->before.cost_micros + now->cost_micros;
}

/* False where the model has no price. */
static bool add(struct claude *c, struct sums *s, const char *model,
    const struct claude_tokens *t)
{
	int64_t cost = 0;
	const char *version = NULL;
	int64_t input = t->input + t->cache_read + t->cache_write;

	s->used = true;
	s->input += input;
	s->output += t->output;
	if (!price_cost(c->r->cx, "anthropic", model, input, t->output, t->cache_write,
		t->cache_read, &cost, &version))
		return false;
	s->has_cost = true;
	s->cost_micros += cost;
	c->r->pricing_version = version ? arena_strdup(c->r->arena, version) : NULL;
	return true;
}

/* A model call has ended: what it took is kept, so that a restart forgets no spending. */
static void end_message(struct claude *c)
{
	struct run *r = c->r;
	const struct usage *u = &c->message;
	struct claude_tokens t = { u->input, u->output, u->cache_read, u->cache_write };
	const char *model = *u->model ? u->model : r->model;

	if (!u->known)
		return;
	add(c, &c->live, model, &t);
	r->used_model = arena_strdup(r->arena, model);
	r->turns++;
	publish(c, &c->live);
	c->cl.rc = run_tx_begin(r);
	if (c->cl.rc != RC_OK)
		return;
	run_save_turn(r);
	if (!r->access.key)
		run_note_source(r, "oauth"); /* its login has been taken */
	c->cl.rc = tx_end(r->cx, RC_OK);
	c->message = (struct usage){ 0 };
}

static int64_t tokens(const json_t *usage, const char *key, int64_t otherwise)
{
	double d = json_num(usage, key, -1);

	return d >= 0 && d < 1e12 ? (int64_t)d : otherwise;
}

static void on_event(struct claude *c, const struct claude_msg *m)
{
	struct usage *u = &c->message;
	const json_t *start = json_object_get(m->body, "message"), *usage;
	const char *model = json_str(start, "model");

	if (m->nested)
		return;
	claude_event(c->r, m->name, m->body);
	if (strcmp(m->name, "message_start") == 0) {
		usage = json_object_get(start, "usage");
		*u = (struct usage){ .known = true,
			.input = tokens(usage, "input_tokens", 0),
			.output = tokens(usage, "output_tokens", 0),
			.cache_write = tokens(usage, "cache_creation_input_tokens", 0),
			.cache_read = tokens(usage, "cache_read_input_tokens", 0) };
		snprintf(u->model, sizeof u->model, "%s", model ? model : "");
	} else if (strcmp(m->name, "message_delta") == 0) {
		usage = json_object_get(m->body, "usage");
		u->output = tokens(usage, "output_tokens", u->output);
	} else if (strcmp(m->name, "message_stop") == 0) {
		end_message(c);
	}
}

/* The client's own account of all it has used takes the place of what was seen passing by. */
static void take_usage(struct claude *c, const struct claude_result *res)
{
	struct run *r = c->r;
	struct sums s = { 0 };
	const char *model;
	bool priced = true;
	json_t *v;

	if (!res->usage.known)
		return;

	json_object_foreach((json_t *)(uintptr_t)res->models, model, v) {
		struct claude_tokens t;

		claude_tokens_read(v, &t);
		priced = add(c, &s, model, &t) && priced;
	}
	r->used_model = arena_strdup(r->arena, res->usage.model);
	if (!priced && res->usage.own_cost) {
		s.has_cost = true;
		s.cost_micros = res->usage.own_cost;
	}
	publish(c, &s);
}

/* ---- the end ---- */

static int conclude(struct claude *c, const struct claude_result *res)
{
	struct run *r = c->r;

	switch (res->end) {
	case CLAUDE_DONE:
		return run_end(r, &(struct ending){ .status = "completed", .result = res->text });
	case CLAUDE_MAX_TURNS:
		return client_stopped(r, "max_turns", res->text);
	case CLAUDE_MAX_BUDGET:
		return client_stopped(r, "budget_exceeded", res->text);
	case CLAUDE_FAILED:
		return client_fail(r, *res->text ? res->text : NO_RESULT, res->text);
	default:
		if (c->refusal)
			return client_fail(r, c->refusal, c->refusal);
		return client_fail(r, *res->text ? res->text : NO_RESULT, res->text);
	}
}

static int on_result(struct claude *c, const json_t *msg)
{
	struct claude_result res;

	claude_flush(c->r);
	claude_result_read(c->r->arena, msg, &res);
	take_usage(c, &res);
	client_end(&c->cl, c->cl.stopping ? CLIENT_HURRY_MS : CLIENT_CLOSE_MS,
	    CLIENT_TERM_MS);
	if (c->cl.stopping)
		return run_end_cancelled(c->r);
	return res.end == CLAUDE_NO_SESSION ? client_session_gone(&c->cl) : conclude(c, &res);
}

/* It has ended without a result. */
static int on_ended(void *arg)
{
	struct claude *c = arg;
	const char *why = client_failure(&c->cl, NO_RESULT);

	return client_fail(c->r, why, why);
}

static int on_silence(void *arg, const char *what)
{
	struct claude *c = arg;
	const char *why = client_failure(&c->cl, what);

	return c->cl.spoke ? client_stopped(c->r, "error", why) : client_fail(c->r, why, why);
}

/* ---- what happens ---- */

static void on_init(struct claude *c, const struct claude_msg *m)
{
	struct run *r = c->r;

	if (!c->cl.version && m->version)
		client_note_version(&c->cl, m->version);
	if (!m->session || strlen(m->session) > ID_MAX ||
	    strcmp(m->session, r->task.session_id) == 0)
		return;
	r->task.session_id = arena_strdup(r->arena, m->session);
	c->cl.rc = run_tx_begin(r);
	if (c->cl.rc != RC_OK)
		return;
	db_run(r->cx->db, Q_TASK_SET_SESSION, "tt", r->task.id, r->task.session_id);
	c->cl.rc = tx_end(r->cx, RC_OK);
}

static void on_retry(struct claude *c, const struct claude_msg *m)
{
	if (m->status != 401 && m->status != 403)
		return;
	c->refusal = arena_printf(c->r->arena, "The provider refuses the key: HTTP %lld %s",
	    (long long)m->status, m->words ? m->words : "");
	if (++c->refused == LOGIN_TRIES)
		interrupt(c);
}

static int on_message(void *arg, const json_t *v)
{
	struct claude *c = arg;
	struct claude_msg m;

	claude_msg_read(v, &m);
	if (m.kind != CLAUDE_OTHER)
		c->cl.spoke = true;
	if (m.kind == CLAUDE_RESULT)
		return on_result(c, v);
	if (c->cl.stopping)
		return CLIENT_GOES_ON;
	if (m.kind == CLAUDE_INIT)
		on_init(c, &m);
	else if (m.kind == CLAUDE_RETRY)
		on_retry(c, &m);
	else if (m.kind == CLAUDE_EVENT)
		on_event(c, &m);
	else if (m.kind == CLAUDE_ASSISTANT)
		on_assistant(c, &m);
	else if (m.kind == CLAUDE_USER)
		on_results(c, &m);
	else if (m.kind == CLAUDE_ASK)
		on_ask(c, &m);
	else if (m.kind == CLAUDE_MCP)
		on_mcp(c, &m);
	else if (m.kind == CLAUDE_CANCEL)
		on_cancel(c, &m);
	else if (m.kind == CLAUDE_CONTROL)
		refuse(c, m.request,
		    arena_printf(c->cl.event, "Unsupported control request subtype: %s",
			m.name ? m.name : ""));
	count_busy(c);
	return CLIENT_GOES_ON;
}

static int64_t flush_in(void *arg)
{
	return claude_flush_in(((struct claude *)arg)->r);
}

static void flush(void *arg)
{
	claude_flush(((struct claude *)arg)->r);
}

static const struct client_driver DRIVER = {
	.message = on_message,
	.decided = on_decided,
	.due_in = flush_in,
	.due = flush,
	.flush = flush,
	.interrupt = interrupt,
	.ended = on_ended,
	.silent = on_silence,
};

/* ---- the start ---- */

/* Writes the session and the first row. */
static enum rc begin(struct run *r, bool goes_on)
{
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	if (!goes_on)
		claude_new_session(r);
	client_note_lost(r);
	return tx_end(r->cx, run_begin(r));
}

static const char *first_words(const struct run *r)
{
	return r->restarted || r->unparked ? CLIENT_GO_ON : r->prompt.user;
}

/* One process of the client; or CLIENT_BEGINS_ANEW. */
static int drive_once(struct run *r, bool goes_on)
{
	struct claude c = { .r = r };
	struct mcp_host host = { .tools = json_keep(r->arena, mcp_tools(r->tools)),
		.acknowledge = true, .call = run_tool, .arg = &c };
	struct claude_command cmd;
	struct err e = { 0 };
	const char *why = claude_command(r, goes_on, &cmd);
	int code;

	if (why)
		return client_fail(r, why, why);
	c.before = (struct sums){ r->input_tokens, r->output_tokens, r->cost_micros, r->used,
		r->has_cost };
	mcp_init(&c.mcp, &host);
	if (client_start(&c.cl, r, &PROGRAM_CLAUDE, cmd.argv, cmd.env,
		claude_secret(r->access.key), &e) != RC_OK) {
		why = program_broken(r->arena, &PROGRAM_CLAUDE, r->access.program, NULL,
		    arena_printf(r->arena, "Claude Code cannot be started: %s", e.msg));
		code = client_fail(r, why, why);
	} else {
		greet(&c, goes_on ? first_words(r) : r->prompt.user);
		code = client_drive(&c.cl, &DRIVER, &c);
	}
	client_free(&c.cl);
	claude_fini(r);
	if (cmd.mcp_file)
		unlink(cmd.mcp_file);
	return code;
}

static int claude_drive(struct run *r)
{
	bool goes_on = client_goes_on(r);
	enum rc rc;
	int code;

	if (run_spent(r) >= run_spend_limit(r))
		return client_stopped(r, "budget_exceeded", CLIENT_SPENT);
	rc = begin(r, goes_on);
	if (rc != RC_OK)
		return run_leave(r, rc);
	code = drive_once(r, goes_on);
	if (code != CLIENT_BEGINS_ANEW)
		return code;
	rc = run_tx_begin(r);
	if (rc == RC_OK) {
		claude_new_session(r);
		rc = tx_end(r->cx, RC_OK);
	}
	return rc == RC_OK ? drive_once(r, false) : run_leave(r, rc);
}

const struct runtime_ops RUNTIME_CLAUDE = {
	.id = "claude-code",
	.provider = "anthropic",
	.label = "Claude Code",
	.model_setting = "claude_code_model",
	.model_default = "claude-sonnet-4-6",
	.source_setting = SETTING_AUTH_SOURCE,
	.no_key = "No Anthropic API key configured. Set one in Settings > Authentication.",
	.tools_without = TOOL_DIRECT | TOOL_ASKS,
	.program = &PROGRAM_CLAUDE,
	.drive = claude_drive,
	.ask = claude_ask,
	.log_start = claude_log_start,
	.log_end = claude_log_end,
};
