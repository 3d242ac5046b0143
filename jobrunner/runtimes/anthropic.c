/* anthropic-direct: the Messages API.
 *
 * The conversation is the array of messages as the API has them. It begins with the user and
 * strictly alternates; every tool_use is answered in the message after it, results first. It never
 * holds cache marks: they are put on while a request is written. */
#include "jobrunner/runtimes/anthropic.h"

#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/runtimes/parts.h"
#include "jobrunner/run.h"

#define BASE_URL   "https://api.anthropic.com"
#define REPEATS    2
#define BUDGET_MIN 1024
#define CACHE_MARK "{\"type\":\"ephemeral\"}"
#define NO_KEY     "No Anthropic API key configured. Set one in Settings > Authentication."

static bool is_user(const json_t *message)
{
	return part_is(message, "role", "user");
}

static json_t *text_block(const char *text)
{
	return json_pack("{s:s,s:o}", "type", "text", "text", part_text(text));
}

static json_t *last_of(const json_t *conversation)
{
	return json_array_get(conversation, json_array_size(conversation) - 1);
}

/* The content of a message as an array of blocks; a text becomes one. */
static json_t *blocks_of(json_t *message)
{
	json_t *content = json_object_get(message, "content");

	if (json_is_array(content))
		return content;
	if (json_is_string(content))
		content = json_pack("[o]", text_block(json_string_value(content)));
	else
		content = json_array();
	json_object_set_new(message, "content", content);
	return content;
}

/* The blocks of the user message at the end, which is made where there is none. */
static json_t *user_blocks(json_t *conversation)
{
	if (!is_user(last_of(conversation)))
		json_array_append_new(conversation,
		    json_pack("{s:s,s:[]}", "role", "user", "content"));
	return blocks_of(last_of(conversation));
}

static void add_user(json_t *conversation, const char *text)
{
	if (!text_is_blank(text))
		json_array_append_new(user_blocks(conversation), text_block(text));
}

static json_t *start(const char *prompt)
{
	json_t *conversation = json_array();

	add_user(conversation, prompt);
	return conversation;
}

static bool ends_with_turn(const json_t *conversation)
{
	return part_is(last_of(conversation), "role", "assistant");
}

/* After a pause the turn goes on in the message that is last already. */
static void add_turn(json_t *conversation, const struct turn *t)
{
	json_t *blocks = json_object_get(t->message, "content");
	json_t *message;

	if (!blocks)
		return;
	if (ends_with_turn(conversation)) {
		json_array_extend(blocks_of(last_of(conversation)), blocks);
		return;
	}
	message = json_pack("{s:s,s:o}", "role", "assistant", "content", json_copy(blocks));
	json_array_append_new(conversation, message);
}

static json_t *result_block(const struct tool_result *r)
{
	json_t *block = json_pack("{s:s,s:s}", "type", "tool_result", "tool_use_id", r->call_id);

	if (r->text && !text_is_blank(r->text))
		json_object_set_new(block, "content", json_pack("[o]", text_block(r->text)));
	if (r->is_error)
		json_object_set_new(block, "is_error", json_true());
	return block;
}

static void add_results(json_t *conversation, const struct tool_result *r, size_t n)
{
	json_t *blocks = n ? user_blocks(conversation) : NULL;
	size_t at = 0;

	while (part_is(json_array_get(blocks, at), "type", "tool_result"))
		at++;
	for (size_t i = 0; i < n; i++)
		json_array_insert_new(blocks, at++, result_block(&r[i]));
}

static bool is_answered(const json_t *results, const char *id)
{
	const json_t *block;
	size_t i;

	json_array_foreach(results, i, block)
		if (part_is(block, "type", "tool_result") && part_is(block, "tool_use_id", id))
			return true;
	return false;
}

static size_t open_calls(struct arena *a, const json_t *conversation, struct tool_call **out)
{
	size_t i, n = 0, at = json_array_size(conversation);
	const json_t *results = NULL, *turn = last_of(conversation), *blocks;
	json_t *block;

	if (is_user(turn)) {
		results = json_object_get(turn, "content");
		turn = at > 1 ? json_array_get(conversation, at - 2) : NULL;
	}
	blocks = part_is(turn, "role", "assistant") ? json_object_get(turn, "content") : NULL;
	*out = arena_array(a, struct tool_call, json_array_size(blocks));
	json_array_foreach(blocks, i, block)
		if (anthropic_read_call(a, block, &(*out)[n]) &&
		    !is_answered(results, (*out)[n].id))
			n++;
	return n;
}

static const char *snapshot(struct arena *a, const json_t *conversation)
{
	return arena_printf(a, "{\"messages\":%s}", json_text(a, conversation));
}

/* Other runtimes keep messages, too; theirs cannot be sent. */
static json_t *restore(const json_t *payload, const char *response_id UNUSED,
    const char *prompt UNUSED)
{
	const json_t *messages = json_object_get(payload, "messages"), *m;
	size_t i;

	json_array_foreach(messages, i, m)
		if (json_object_get(m, "tool_calls") ||
		    !(is_user(m) || part_is(m, "role", "assistant")))
			return NULL;
	return json_array_size(messages) ? json_deep_copy(messages) : NULL;
}

static size_t size_of(const json_t *v)
{
	return v ? json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
}

static void shrink(json_t *conversation, size_t max)
{
	json_t *message, *block, *note = json_pack("[o]", text_block(PART_REMOVED));
	size_t i, j, size = size_of(conversation), note_size = size_of(note);

	json_array_foreach(conversation, i, message)
		json_array_foreach(json_object_get(message, "content"), j, block) {
			size_t old = size_of(json_object_get(block, "content"));

			if (size <= max)
				goto out;
			if (!part_is(block, "type", "tool_result") || old <= note_size)
				continue;
			json_object_set_new(block, "content", json_deep_copy(note));
			size -= old - note_size;
		}
out:
	json_decref(note);
}

static void put_mark(struct jw *w)
{
	jw_key(w, "cache_control");
	jw_raw(w, CACHE_MARK, sizeof CACHE_MARK - 1);
}

static void put_text_block(struct jw *w, const char *text, bool mark)
{
	jw_obj(w);
	jw_kstr(w, "type", "text");
	jw_kstr(w, "text", text);
	if (mark)
		put_mark(w);
	jw_end_obj(w);
}

static void put_system(struct jw *w, const struct model_call *mc)
{
	const char *parts[] = { mc->system_stable, mc->system_rest };
	bool begun = false;

	for (size_t i = 0; i < COUNT(parts); i++) {
		if (!parts[i] || text_is_blank(parts[i]))
			continue;
		if (!begun) {
			jw_key(w, "system");
			jw_arr(w);
		}
		begun = true;
		put_text_block(w, parts[i], true);
	}
	if (begun)
		jw_end_arr(w);
}

static void put_no_input(struct jw *w)
{
	jw_key(w, "input");
	jw_obj(w);
	jw_end_obj(w);
}

/* An object as it is, but for cache marks and an input that could not be read. */
static void put_object(struct jw *w, const json_t *object, bool mark)
{
	const char *key;
	json_t *v;

	jw_obj(w);
	json_object_foreach((json_t *)(uintptr_t)object, key, v)
		if (strcmp(key, "input") == 0 && !json_is_object(v))
			put_no_input(w);
		else if (strcmp(key, "cache_control") != 0)
			jw_kjson(w, key, v);
	if (part_is(object, "type", "tool_use") && !json_object_get(object, "input"))
		put_no_input(w);
	if (mark)
		put_mark(w);
	jw_end_obj(w);
}

static bool is_blank_text(const json_t *block)
{
	const char *text = json_str(block, "text");

	return part_is(block, "type", "text") && (!text || text_is_blank(text));
}

static void put_message(struct jw *w, const json_t *message, bool mark)
{
	const json_t *content = json_object_get(message, "content"), *block;
	size_t i, last = json_array_size(content);

	while (last && is_blank_text(json_array_get(content, last - 1)))
		last--;
	jw_obj(w);
	jw_kstr(w, "role", json_str(message, "role"));
	jw_key(w, "content");
	jw_arr(w);
	if (json_is_string(content))
		put_text_block(w, json_string_value(content), mark);
	json_array_foreach(content, i, block)
		if (!is_blank_text(block))
			put_object(w, block, mark && i + 1 == last);
	jw_end_arr(w);
	jw_end_obj(w);
}

static void put_messages(struct jw *w, const json_t *conversation)
{
	size_t i, last_user = json_array_size(conversation);
	const json_t *message;

	while (last_user && !is_user(json_array_get(conversation, last_user - 1)))
		last_user--;
	jw_key(w, "messages");
	jw_arr(w);
	json_array_foreach(conversation, i, message)
		put_message(w, message, i + 1 == last_user);
	jw_end_arr(w);
}

static void put_tools(struct jw *w, const json_t *tools)
{
	size_t i, n = json_array_size(tools);
	const json_t *tool;

	if (!n)
		return;
	jw_key(w, "tools");
	jw_arr(w);
	json_array_foreach(tools, i, tool)
		put_object(w, tool, i + 1 == n);
	jw_end_arr(w);
}

void anthropic_request(struct buf *b, const struct model_call *mc)
{
	struct jw w = jw_on(b);

	jw_obj(&w);
	jw_kstr(&w, "model", mc->model);
	jw_kint(&w, "max_tokens", mc->max_tokens);
	put_system(&w, mc);
	put_messages(&w, mc->conversation);
	put_tools(&w, mc->tools);
	jw_kbool(&w, "stream", mc->stream);
	if (mc->thinking_budget >= BUDGET_MIN && mc->thinking_budget < mc->max_tokens) {
		jw_key(&w, "thinking");
		jw_obj(&w);
		jw_kstr(&w, "type", "enabled");
		jw_kint(&w, "budget_tokens", mc->thinking_budget);
		jw_end_obj(&w);
	}
	jw_end_obj(&w);
}

static bool is_too_long(const char *words)
{
	return strcasestr(words, "prompt is too long") || strcasestr(words, "exceed context limit");
}

static enum rc failed(struct arena *a, const struct anthropic_answer *s, enum rc rc,
    const struct http_answer *ans, const struct err *why, struct turn *out, struct err *e)
{
	if (rc == RC_UPSTREAM && is_too_long(s->error_type ? s->error_message : ans->error_body)) {
		out->stop = STOP_CONTEXT;
		return RC_OK;
	}
	if (rc == RC_UPSTREAM && s->error_type)
		return http_fail(a, ans, anthropic_error_status(s->error_type), s->error_type,
		    s->error_message, e);
	*e = *why;
	return rc;
}

static enum rc send_request(struct http *h, struct arena *a, const struct model_call *mc,
    const struct buf *body, struct turn *out, struct err *e)
{
	const char *base = mc->base_url && *mc->base_url ? mc->base_url : BASE_URL;
	int n = (int)strlen(base) - text_ends(base, "/");
	const char *headers[] = { "content-type: application/json",
		arena_printf(a, "x-api-key: %s", mc->key), "anthropic-version: 2023-06-01",
		mc->stream ? "accept: text/event-stream" : "accept: application/json", NULL };
	struct anthropic_answer s;
	struct http_request rq = {
		.url = arena_printf(a, "%.*s/v1/messages", n, base),
		.headers = headers,
		.body = body->data,
		.body_len = body->len,
		.sink = anthropic_answer_feed,
		.sink_arg = &s,
		.acted = anthropic_answer_acted,
		.whole = mc->stream ? anthropic_answer_whole : NULL,
		.restart = anthropic_answer_restart,
		.total_timeout_ms = mc->total_timeout_ms,
		.repeats = REPEATS,
	};
	struct http_answer ans;
	struct err why = { 0 };
	enum rc rc;

	anthropic_answer_init(&s, a, mc);
	rc = http_call(h, a, &rq, &ans, &why);
	if (rc != RC_OK) {
		rc = failed(a, &s, rc, &ans, &why, out, e);
		if (rc != RC_OK && ans.status >= 300)
			out->raw = arena_printf(a, "API Error: %ld %s", ans.status, ans.error_body);
	} else if (!anthropic_answer_turn(&s, out)) {
		rc = err_set(e, RC_UPSTREAM, "The provider's answer cannot be read");
	}
	anthropic_answer_fini(&s);
	return rc;
}

static enum rc call(struct http *h, struct arena *a, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	struct buf body;
	enum rc rc;

	*out = (struct turn){ .text = "" };
	if (!mc->key || !*mc->key)
		return err_set(e, RC_INVALID, NO_KEY);
	buf_init(&body, HTTP_REQUEST_MAX);
	anthropic_request(&body, mc);
	if (body.failed)
		rc = err_set(e, RC_TOOLARGE, "Request too large");
	else
		rc = send_request(h, a, mc, &body, out, e);
	buf_fini(&body);
	return rc;
}

#define COMMON \
	.provider = "anthropic", \
	.start = start, \
	.snapshot = snapshot, \
	.restore = restore, \
	.add_turn = add_turn, \
	.add_results = add_results, \
	.add_user = add_user, \
	.open_calls = open_calls, \
	.ends_with_turn = ends_with_turn, \
	.shrink = shrink, \
	.call = call

const struct runtime_ops RUNTIME_ANTHROPIC = {
	.id = "anthropic-direct",
	.label = "Anthropic Direct API",
	.model_setting = "anthropic_direct_model",
	.model_default = "claude-sonnet-4-20250514",
	.no_key = NO_KEY,
	.flags = OPS_LAST_SNAPSHOT,
	COMMON,
};

/* The same loop in place of the Claude Code program. */
const struct runtime_ops RUNTIME_CLAUDE_BUILTIN = {
	.id = "claude-code",
	.label = "Claude Code",
	.model_setting = "claude_code_model",
	.model_default = "claude-sonnet-4-6",
	.source_setting = SETTING_AUTH_SOURCE,
	.no_key = "Claude Code CLI not found. Install it, or choose another runtime.",
	.flags = OPS_LAST_SNAPSHOT | OPS_PLAIN_ERROR | OPS_CLAUDE_ROWS,
	.log_start = claude_builtin_log_start,
	.log_end = claude_log_end,
	COMMON,
};
