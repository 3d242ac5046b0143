/* openai-direct: the Responses API.
 *
 * The conversation is {"items":[…],"responseId":ID,"sent":N}: every item in order, the user's and
 * the model's as they came; the newest response, and how many of the items it knows. A request
 * names that response and carries the items behind it. Where the provider has lost the response,
 * all items are sent, but for reasoning, which means nothing without it. */
#include "jobrunner/runtimes/openai.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/runtimes/parts.h"

#define BASE_URL   "https://api.openai.com/v1"
#define REPEATS    2
#define NO_KEY     "No OpenAI API key configured. Set one in Settings > Authentication."

/* The provider's own tools that can be had, and their entries in a request. */
static const struct {
	const char *name, *entry;
} SERVER_TOOLS[] = {
	{ "web_search_preview", "{\"type\":\"web_search_preview\"}" },
	{ "code_interpreter",
	    "{\"type\":\"code_interpreter\",\"container\":{\"type\":\"auto\"}}" },
	{ "image_generation", "{\"type\":\"image_generation\"}" },
};

/* A model that has refused the provider's tools is not asked to take them again. */
static char without_server_tools[128];

static json_t *items_of(const json_t *conversation)
{
	return json_object_get(conversation, "items");
}

static size_t sent_of(const json_t *conversation)
{
	json_int_t n = json_integer_value(json_object_get(conversation, "sent"));

	return n > 0 ? (size_t)n : 0;
}

static void set_sent(json_t *conversation, size_t n)
{
	json_object_set_new(conversation, "sent", json_integer((json_int_t)n));
}

/* Behind a user text that was not sent yet, the text becomes a part of that one. */
static void add_user(json_t *conversation, const char *text)
{
	json_t *items = items_of(conversation), *part;
	size_t n = json_array_size(items);
	json_t *last = n > sent_of(conversation) ? json_array_get(items, n - 1) : NULL;

	if (text_is_blank(text))
		return;
	part = json_pack("{s:s,s:o}", "type", "input_text", "text", part_text(text));
	if (part_is(last, "role", "user"))
		json_array_append_new(json_object_get(last, "content"), part);
	else
		json_array_append_new(items,
		    json_pack("{s:s,s:[o]}", "role", "user", "content", part));
}

static json_t *start(const char *prompt)
{
	json_t *conversation = json_pack("{s:[]}", "items");

	add_user(conversation, prompt);
	return conversation;
}

static const char *snapshot(struct arena *a, const json_t *conversation)
{
	const json_t *id = json_object_get(conversation, "responseId");

	return arena_printf(a, "{\"items\":%s,\"responseId\":%s}",
	    json_text(a, items_of(conversation)), id ? json_text(a, id) : "null");
}

static bool is_input(const json_t *item)
{
	return part_is(item, "role", "user") || part_is(item, "type", "function_call_output");
}

/* A snapshot that does not belong to the newest response lacks what was said since; the provider
 * has it. What is left of it here is the prompt. */
static json_t *restore(const json_t *payload, const char *response_id, const char *prompt)
{
	const json_t *items = items_of(payload);
	const char *id = json_str(payload, "responseId");
	size_t n = json_array_size(items);
	json_t *conversation;

	if (n && (!response_id || (id && strcmp(id, response_id) == 0))) {
		conversation = json_pack("{s:o}", "items", json_deep_copy(items));
		while (n && is_input(json_array_get(items, n - 1)))
			n--;
		response_id = id;
	} else if (response_id) {
		conversation = start(prompt);
		n = json_array_size(items_of(conversation));
	} else {
		return NULL;
	}
	if (response_id) {
		json_object_set_new(conversation, "responseId", json_string(response_id));
		set_sent(conversation, n);
	}
	return conversation;
}

static bool ends_with_turn(const json_t *conversation)
{
	return json_object_get(conversation, "responseId") &&
	       sent_of(conversation) == json_array_size(items_of(conversation));
}

/* A response without items is not gone on from: the one before it knows as much. */
static void add_turn(json_t *conversation, const struct turn *t)
{
	json_t *items = items_of(conversation);

	if (!t->message)
		return;
	json_array_extend(items, t->message);
	if (t->response_id) {
		json_object_set_new(conversation, "responseId", json_string(t->response_id));
		set_sent(conversation, json_array_size(items));
	} else {
		json_object_del(conversation, "responseId");
	}
}

static void add_results(json_t *conversation, const struct tool_result *r, size_t n)
{
	json_t *items = items_of(conversation);
	size_t at = json_array_size(items), sent = sent_of(conversation);

	while (at > sent && part_is(json_array_get(items, at - 1), "role", "user"))
		at--;
	for (size_t i = 0; i < n; i++)
		json_array_insert_new(items, at++,
		    json_pack("{s:s,s:s,s:o}", "type", "function_call_output", "call_id",
			r[i].call_id, "output", part_text(r[i].text ? r[i].text : "")));
}

static bool is_answered(const json_t *items, size_t from, const char *id)
{
	for (size_t i = from; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (part_is(item, "type", "function_call_output") && part_is(item, "call_id", id))
			return true;
	}
	return false;
}

static size_t open_calls(struct arena *a, const json_t *conversation, struct tool_call **out)
{
	const json_t *items = items_of(conversation);
	size_t end = json_array_size(items), from, n = 0;

	while (end && is_input(json_array_get(items, end - 1)))
		end--;
	for (from = end; from && !is_input(json_array_get(items, from - 1));)
		from--;
	*out = arena_array(a, struct tool_call, end - from);
	for (size_t i = from; i < end; i++)
		if (openai_read_call(a, json_array_get(items, i), &(*out)[n]) &&
		    !is_answered(items, end, (*out)[n].id))
			n++;
	return n;
}

static void shrink(json_t *conversation, size_t max)
{
	part_shrink(conversation, items_of(conversation), max, "type", "function_call_output",
	    "output");
}

static void put_instructions(struct jw *w, const struct model_call *mc)
{
	struct buf b;

	buf_init(&b, HTTP_REQUEST_MAX);
	part_add_system(&b, mc);
	if (b.len)
		jw_kstr(w, "instructions", buf_text(&b));
	buf_fini(&b);
}

static void put_input(struct jw *w, const json_t *conversation, bool replay)
{
	const json_t *items = items_of(conversation), *item;
	size_t i, sent = replay ? 0 : sent_of(conversation);

	jw_key(w, "input");
	jw_arr(w);
	json_array_foreach(items, i, item)
		if (i >= sent && !(replay && part_is(item, "type", "reasoning")))
			jw_json(w, item);
	jw_end_arr(w);
	if (!replay)
		jw_kjson(w, "previous_response_id", json_object_get(conversation, "responseId"));
}

static void put_tools(struct jw *w, const struct model_call *mc, bool server)
{
	const json_t *tool;
	bool begun = false;
	size_t i;

	jw_key(w, "tools");
	jw_arr(w);
	json_array_foreach(mc->tools, i, tool) {
		jw_obj(w);
		jw_kstr(w, "type", "function");
		jw_kjson(w, "name", json_object_get(tool, "name"));
		jw_kjson(w, "description", json_object_get(tool, "description"));
		jw_kjson(w, "parameters", json_object_get(tool, "input_schema"));
		jw_kbool(w, "strict", false);
		jw_end_obj(w);
		begun = true;
	}
	for (i = 0; server && i < COUNT(SERVER_TOOLS); i++)
		if (json_flag(mc->server_tools, SERVER_TOOLS[i].name)) {
			if (begun)
				buf_char(w->b, ',');
			begun = true;
			buf_str(w->b, SERVER_TOOLS[i].entry);
		}
	w->comma = begun;
	jw_end_arr(w);
}

void openai_request(struct buf *b, const struct model_call *mc, unsigned flags)
{
	bool known = json_object_get(mc->conversation, "responseId") != NULL;
	struct jw w = jw_on(b);

	jw_obj(&w);
	jw_kstr(&w, "model", mc->model);
	put_instructions(&w, mc);
	put_input(&w, mc->conversation, !known || (flags & OPENAI_REPLAY));
	if (mc->tools || mc->server_tools)
		put_tools(&w, mc, !(flags & OPENAI_NO_SERVER_TOOLS));
	jw_kbool(&w, "store", true);
	jw_kbool(&w, "stream", mc->stream);
	if (!mc->stream)
		jw_kint(&w, "max_output_tokens", mc->max_tokens);
	if (mc->json && !(flags & OPENAI_PLAIN_TEXT)) {
		static const char FORMAT[] = "{\"format\":{\"type\":\"json_object\"}}";

		jw_key(&w, "text");
		jw_raw(&w, FORMAT, sizeof FORMAT - 1);
	}
	jw_end_obj(&w);
}

/* What a refused request should be repeated without; 0: nothing helps. */
static unsigned mend(const struct model_call *mc, const struct http_answer *ans, unsigned flags)
{
	const char *body = ans->error_body;

	if (ans->status != 400 && ans->status != 404)
		return 0;
	if (!(flags & OPENAI_REPLAY) && strstr(body, "previous_response_not_found") &&
	    json_object_get(mc->conversation, "responseId"))
		return OPENAI_REPLAY;
	for (size_t i = 0; !(flags & OPENAI_NO_SERVER_TOOLS) && i < COUNT(SERVER_TOOLS); i++)
		if (json_flag(mc->server_tools, SERVER_TOOLS[i].name) &&
		    strstr(body, SERVER_TOOLS[i].name)) {
			snprintf(without_server_tools, sizeof without_server_tools, "%s",
			    mc->model);
			return OPENAI_NO_SERVER_TOOLS;
		}
	if (mc->json && !(flags & OPENAI_PLAIN_TEXT) &&
	    (strstr(body, "text.format") || strstr(body, "json_object")))
		return OPENAI_PLAIN_TEXT;
	return 0;
}

static enum rc failed(struct arena *a, const struct openai_answer *s, enum rc rc,
    const struct http_answer *ans, const struct err *why, struct turn *out, struct err *e)
{
	const char *code = s->error_code;

	if (rc == RC_UPSTREAM &&
	    strstr(code ? code : ans->error_body, "context_length_exceeded")) {
		out->stop = STOP_CONTEXT;
		return RC_OK;
	}
	if (rc == RC_UPSTREAM && code)
		return http_fail(a, ans, strcmp(code, "rate_limit_exceeded") == 0 ? 429 : 500, code,
		    s->error_message, e);
	*e = *why;
	return rc;
}

static enum rc send_request(struct http *h, struct arena *a, const struct model_call *mc,
    const struct buf *body, struct http_answer *ans, struct turn *out, struct err *e)
{
	const char *base = mc->base_url && *mc->base_url ? mc->base_url : BASE_URL;
	int n = (int)strlen(base) - text_ends(base, "/");
	const char *headers[] = { "content-type: application/json",
		arena_printf(a, "authorization: Bearer %s", mc->key),
		mc->stream ? "accept: text/event-stream" : "accept: application/json", NULL };
	struct openai_answer s;
	struct http_request rq = {
		.url = arena_printf(a, "%.*s/responses", n, base),
		.headers = headers,
		.body = body->data,
		.body_len = body->len,
		.sink = openai_answer_feed,
		.sink_arg = &s,
		.acted = openai_answer_acted,
		.whole = mc->stream ? openai_answer_whole : NULL,
		.restart = openai_answer_restart,
		.total_timeout_ms = mc->total_timeout_ms,
		.repeats = REPEATS,
		.final_word = "\"insufficient_quota\"",
	};
	struct err why = { 0 };
	enum rc rc;

	openai_answer_init(&s, a, mc);
	rc = http_call(h, a, &rq, ans, &why);
	if (rc == RC_OK && !openai_answer_turn(&s, out))
		rc = err_set(&why, RC_UPSTREAM, "The provider's answer cannot be read");
	if (rc != RC_OK)
		rc = failed(a, &s, rc, ans, &why, out, e);
	openai_answer_fini(&s);
	return rc;
}

static enum rc call(struct http *h, struct arena *a, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	unsigned more, flags = strcmp(without_server_tools, mc->model) ? 0 : OPENAI_NO_SERVER_TOOLS;
	struct http_answer ans;
	struct buf body;
	enum rc rc;

	*out = (struct turn){ .text = "" };
	if (!mc->key || !*mc->key)
		return err_set(e, RC_INVALID, NO_KEY);
	do {
		ans = (struct http_answer){ .error_body = arena_strdup(a, "") };
		err_clear(e);
		buf_init(&body, HTTP_REQUEST_MAX);
		openai_request(&body, mc, flags);
		if (body.failed)
			rc = err_set(e, RC_TOOLARGE, "Request too large");
		else
			rc = send_request(h, a, mc, &body, &ans, out, e);
		buf_fini(&body);
		more = rc == RC_UPSTREAM ? mend(mc, &ans, flags) : 0;
		flags |= more;
	} while (more);
	return rc;
}

const struct runtime_ops RUNTIME_OPENAI = {
	.id = "openai-direct",
	.provider = "openai",
	.label = "OpenAI Direct API",
	.model_setting = "openai_direct_model",
	.model_default = "gpt-4.1",
	.no_key = NO_KEY,
	.flags = OPS_RESPONSE_ID,
	.start = start,
	.snapshot = snapshot,
	.restore = restore,
	.add_turn = add_turn,
	.add_results = add_results,
	.add_user = add_user,
	.open_calls = open_calls,
	.ends_with_turn = ends_with_turn,
	.shrink = shrink,
	.call = call,
};
