/* Reads what Claude Code says. See claude_msg.h. */
#include "jobrunner/runtimes/claude_msg.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define COUNT_MAX 1e15
#define COST_MAX_USD 1e6
#define NO_SESSION "No conversation found with session ID"

static bool is(const char *s, const char *what)
{
	return s && strcmp(s, what) == 0;
}

static bool null_or_missing(const json_t *v)
{
	return !v || json_is_null(v);
}

static int64_t count(const json_t *object, const char *key)
{
	double d = json_num(object, key, 0);

	return d > 0 && d < COUNT_MAX ? (int64_t)d : 0;
}

static void read_system(const json_t *v, struct claude_msg *m)
{
	const char *subtype = json_str(v, "subtype");

	m->session = json_str(v, "session_id");
	m->version = json_str(v, "claude_code_version");
	m->source = json_str(v, "apiKeySource");
	m->status = count(v, "error_status");
	m->words = json_str(v, "error");
	if (is(subtype, "init"))
		m->kind = CLAUDE_INIT;
	else if (is(subtype, "api_retry"))
		m->kind = CLAUDE_RETRY;
}

static void read_request(const json_t *v, struct claude_msg *m)
{
	const json_t *rq = json_object_get(v, "request"), *params;

	m->request = json_str(v, "request_id");
	m->name = json_str(rq, "subtype");
	if (!m->request)
		return;
	m->kind = CLAUDE_CONTROL;
	if (is(m->name, "can_use_tool") && json_str(rq, "tool_name")) {
		m->kind = CLAUDE_ASK;
		m->name = json_str(rq, "tool_name");
		m->call = json_str(rq, "tool_use_id");
		m->body = json_object_get(rq, "input");
	} else if (is(m->name, "mcp_message") && json_is_object(json_object_get(rq, "message"))) {
		m->kind = CLAUDE_MCP;
		m->name = json_str(rq, "server_name");
		m->body = json_object_get(rq, "message");
		params = json_object_get(m->body, "params");
		m->call = json_str(json_object_get(params, "_meta"), "claudecode/toolUseId");
	}
}

static void read_answer(const json_t *v, struct claude_msg *m)
{
	const json_t *answer = json_object_get(v, "response");

	m->request = json_str(answer, "request_id");
	if (!m->request)
		return;
	m->kind = CLAUDE_ANSWER;
	if (is(json_str(answer, "subtype"), "error"))
		m->words = json_str(answer, "error") ? json_str(answer, "error") : "";
}

static void read_stream(const json_t *v, struct claude_msg *m)
{
	m->body = json_object_get(v, "event");
	m->name = json_str(m->body, "type");
	if (m->name)
		m->kind = CLAUDE_EVENT;
}

static void read_content(const json_t *v, enum claude_kind kind, struct claude_msg *m)
{
	m->body = json_object_get(json_object_get(v, "message"), "content");
	if (json_is_array(m->body))
		m->kind = kind;
}

void claude_msg_read(const json_t *v, struct claude_msg *m)
{
	const char *type = json_str(v, "type");

	*m = (struct claude_msg){ .kind = CLAUDE_OTHER };
	m->nested = !null_or_missing(json_object_get(v, "parent_tool_use_id"));
	if (is(type, "system")) {
		read_system(v, m);
	} else if (is(type, "stream_event")) {
		read_stream(v, m);
	} else if (is(type, "assistant")) {
		read_content(v, CLAUDE_ASSISTANT, m);
	} else if (is(type, "user")) {
		read_content(v, CLAUDE_USER, m);
	} else if (is(type, "control_request")) {
		read_request(v, m);
	} else if (is(type, "control_response")) {
		read_answer(v, m);
	} else if (is(type, "control_cancel_request")) {
		m->request = json_str(v, "request_id");
		m->kind = m->request ? CLAUDE_CANCEL : CLAUDE_OTHER;
	} else if (is(type, "result")) {
		m->kind = CLAUDE_RESULT;
	}
}

bool claude_block_call(const json_t *block, const char **call, const char **name,
    const json_t **input)
{
	*call = json_str(block, "id");
	*name = json_str(block, "name");
	*input = json_object_get(block, "input");
	return is(json_str(block, "type"), "tool_use") && *call && *name && json_is_object(*input);
}

bool claude_block_result(const json_t *block, const char **call)
{
	*call = json_str(block, "tool_use_id");
	return is(json_str(block, "type"), "tool_result") && *call;
}

size_t claude_block_images(const json_t *block, struct claude_image *out, size_t max)
{
	size_t i, n = 0;
	json_t *v;

	json_array_foreach(json_object_get(block, "content"), i, v) {
		const json_t *data = json_object_get(json_object_get(v, "source"), "data");

		if (!json_is_string(data))
			data = json_object_get(v, "data");
		if (n < max && is(json_str(v, "type"), "image") && json_is_string(data))
			out[n++] = (struct claude_image){ json_string_value(data),
				json_string_length(data) };
	}
	return n;
}

/* The errors of a result, one a line. */
static const char *errors_text(struct arena *a, const json_t *v)
{
	const char *text = "";
	size_t i;
	json_t *e;

	json_array_foreach(json_object_get(v, "errors"), i, e) {
		if (!json_is_string(e) || i == 16)
			break;
		text = arena_printf(a, "%s%s%s", text, *text ? "\n" : "", json_string_value(e));
	}
	return text;
}

static enum claude_end end_of(const char *subtype, bool is_error, const char *text)
{
	if (is(subtype, "success"))
		return is_error ? CLAUDE_FAILED : CLAUDE_DONE;
	if (is(subtype, "error_max_turns"))
		return CLAUDE_MAX_TURNS;
	if (is(subtype, "error_max_budget_usd"))
		return CLAUDE_MAX_BUDGET;
	return text_starts(text, NO_SESSION) ? CLAUDE_NO_SESSION : CLAUDE_ABORTED;
}

static void add_models(const json_t *models, struct usage *u)
{
	const char *model;
	int64_t most = -1;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)models, model, v) {
		struct claude_tokens t;

		claude_tokens_read(v, &t);
		u->known = true;
		u->input += t.input + t.cache_read + t.cache_write;
		u->output += t.output;
		u->cache_read += t.cache_read;
		u->cache_write += t.cache_write;
		if (t.output > most)
			snprintf(u->model, sizeof u->model, "%s", model);
		most = t.output > most ? t.output : most;
	}
}

void claude_result_read(struct arena *a, const json_t *v, struct claude_result *out)
{
	const json_t *result = json_object_get(v, "result");
	double usd = json_num(v, "total_cost_usd", 0);

	*out = (struct claude_result){
		.turns = count(v, "num_turns"),
		.status = count(v, "api_error_status"),
		.models = json_object_get(v, "modelUsage"),
		.usage.own_cost = usd > 0 && usd < COST_MAX_USD ? (int64_t)(usd * 1e6 + 0.5) : 0,
	};
	if (!json_is_object(out->models))
		out->models = NULL;
	add_models(out->models, &out->usage);
	if (json_is_string(result))
		out->text = arena_strdup(a, json_string_value(result));
	else if (!null_or_missing(result))
		out->text = json_text(a, result);
	else
		out->text = errors_text(a, v);
	out->end = end_of(json_str(v, "subtype"), json_flag(v, "is_error"), out->text);
}

void claude_tokens_read(const json_t *usage, struct claude_tokens *out)
{
	*out = (struct claude_tokens){
		.input = count(usage, "inputTokens"),
		.output = count(usage, "outputTokens"),
		.cache_read = count(usage, "cacheReadInputTokens"),
		.cache_write = count(usage, "cacheCreationInputTokens"),
	};
}
