/* ollama: the chat interface of an Ollama server.
 *
 * The conversation is the array of messages, without the system text, which is put in front of it
 * while a request is written. Calls have no ids there: results belong to them by their order, and
 * the ids we give are made of the places of message and call. */
#include "jobrunner/runtimes/ollama.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/runtimes/parts.h"

#define BASE_URL	"http://localhost:11434"
#define REPEATS		2
#define CONNECT_MS	5000
#define FIRST_BYTE_MS	(30 * 60 * 1000) /* the model is being loaded */
#define VERSION_MS	5000
#define VERSION_MAX	((size_t)4 << 10)
#define CONTEXT_DEFAULT 4096u
#define CONTEXT_MORE	16384
#define BYTES_PER_TOKEN 3

/* A small model is lost with the whole catalogue. */
static const char *const DEFAULT_TOOLS[] = { "list_projects", "list_tasks", "get_task",
	"create_task", "list_documents", "read_document_content", "write_output_file",
	"list_tables", "get_table_schema", "query_table", "add_rows", "send_handoff",
	"AskUserQuestion", NULL };

/* What is known of the server and the model that were asked last. */
static struct {
	char base_url[512], model[128];
	bool streams_tools, no_tools;
} known;

static json_t *last_of(const json_t *conversation)
{
	return json_array_get(conversation, json_array_size(conversation) - 1);
}

static void add_user(json_t *conversation, const char *text)
{
	json_t *last = last_of(conversation), *value;
	const char *before = part_is(last, "role", "user") ? json_str(last, "content") : NULL;

	if (text_is_blank(text))
		return;
	value = part_text(text);
	if (!before) {
		json_array_append_new(conversation,
		    json_pack("{s:s,s:o}", "role", "user", "content", value));
		return;
	}
	json_object_set_new(last, "content",
	    json_pack("s++", before, "\n\n", json_string_value(value)));
	json_decref(value);
}

static json_t *start(const char *prompt)
{
	json_t *conversation = json_array();

	add_user(conversation, prompt);
	return conversation;
}

static const char *snapshot(struct arena *a, const json_t *conversation)
{
	return arena_printf(a, "{\"messages\":%s}", json_text(a, conversation));
}

static json_t *restore(const json_t *payload, const char *response_id UNUSED,
    const char *prompt UNUSED)
{
	const json_t *messages = json_object_get(payload, "messages"), *m;
	size_t i;

	json_array_foreach(messages, i, m)
		if (!json_str(m, "role") || !json_str(m, "content"))
			return NULL;
	return json_array_size(messages) ? json_deep_copy(messages) : NULL;
}

static bool ends_with_turn(const json_t *conversation)
{
	return part_is(last_of(conversation), "role", "assistant");
}

static void add_turn(json_t *conversation, const struct turn *t)
{
	if (t->message)
		json_array_append(conversation, t->message);
}

/* Where the results behind the last turn end: behind its tool messages. */
static size_t results_end(const json_t *conversation)
{
	size_t at = json_array_size(conversation);

	while (at && part_is(json_array_get(conversation, at - 1), "role", "user"))
		at--;
	return at;
}

static void add_results(json_t *conversation, const struct tool_result *r, size_t n)
{
	size_t at = results_end(conversation);

	for (size_t i = 0; i < n; i++)
		json_array_insert_new(conversation, at++,
		    json_pack("{s:s,s:s,s:o}", "role", "tool", "tool_name", r[i].name, "content",
			part_text(r[i].text ? r[i].text : "")));
}

static size_t open_calls(struct arena *a, const json_t *conversation, struct tool_call **out)
{
	size_t end = results_end(conversation), at = end, n = 0, done, i;
	const json_t *calls;
	json_t *call;

	while (at && part_is(json_array_get(conversation, at - 1), "role", "tool"))
		at--;
	done = end - at;
	calls = at ? json_object_get(json_array_get(conversation, at - 1), "tool_calls") : NULL;
	*out = arena_array(a, struct tool_call, json_array_size(calls));
	json_array_foreach(calls, i, call) {
		if (!ollama_read_call(a, call, &(*out)[n]))
			continue;
		(*out)[n].id = arena_printf(a, "call_%zu_%zu", at, i);
		if (done)
			done--;
		else
			n++;
	}
	return n;
}

static void shrink(json_t *conversation, size_t max)
{
	part_shrink(conversation, conversation, max, "role", "tool", "content");
}

static void put_system(struct jw *w, const struct model_call *mc)
{
	struct buf b;

	buf_init(&b, HTTP_REQUEST_MAX);
	part_add_system(&b, mc);
	if (b.len) {
		jw_obj(w);
		jw_kstr(w, "role", "system");
		jw_kstr(w, "content", buf_text(&b));
		jw_end_obj(w);
	}
	buf_fini(&b);
}

/* Arguments go back as an object, however they came. */
static void put_calls(struct jw *w, const json_t *calls)
{
	struct arena *a = arena_new(HTTP_REQUEST_MAX);
	struct tool_call c;
	json_t *call;
	size_t i;

	jw_key(w, "tool_calls");
	jw_arr(w);
	json_array_foreach(calls, i, call) {
		if (!ollama_read_call(a, call, &c))
			continue;
		jw_obj(w);
		jw_key(w, "function");
		jw_obj(w);
		jw_kstr(w, "name", c.name);
		jw_kjson(w, "arguments", c.input);
		jw_end_obj(w);
		jw_end_obj(w);
	}
	jw_end_arr(w);
	arena_free(a);
}

static void put_messages(struct jw *w, const struct model_call *mc)
{
	const char *key;
	json_t *m, *v;
	size_t i;

	jw_key(w, "messages");
	jw_arr(w);
	put_system(w, mc);
	json_array_foreach(mc->conversation, i, m) {
		jw_obj(w);
		json_object_foreach(m, key, v)
			if (strcmp(key, "tool_calls") == 0)
				put_calls(w, v);
			else
				jw_kjson(w, key, v);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void put_tools(struct jw *w, const json_t *tools)
{
	const json_t *tool;
	size_t i;

	jw_key(w, "tools");
	jw_arr(w);
	json_array_foreach(tools, i, tool) {
		jw_obj(w);
		jw_kstr(w, "type", "function");
		jw_key(w, "function");
		jw_obj(w);
		jw_kjson(w, "name", json_object_get(tool, "name"));
		jw_kjson(w, "description", json_object_get(tool, "description"));
		jw_kjson(w, "parameters", json_object_get(tool, "input_schema"));
		jw_end_obj(w);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

void ollama_request(struct buf *b, const struct model_call *mc, bool tools, bool stream)
{
	struct jw w = jw_on(b);

	jw_obj(&w);
	jw_kstr(&w, "model", mc->model);
	put_messages(&w, mc);
	if (tools && json_array_size(mc->tools))
		put_tools(&w, mc->tools);
	jw_kbool(&w, "stream", stream);
	if (mc->json)
		jw_kstr(&w, "format", "json");
	if (b->len / BYTES_PER_TOKEN > CONTEXT_DEFAULT) {
		jw_key(&w, "options");
		jw_obj(&w);
		jw_kint(&w, "num_ctx", CONTEXT_MORE);
		jw_end_obj(&w);
	}
	jw_end_obj(&w);
}

static bool keep(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

/* Whether the version is one that takes tools in a streamed request. From 0.5 on servers do; before
 * 0.8 they send a call in one piece, which is read like any other. */
static bool streams_tools(const char *version)
{
	unsigned major, minor;

	if (!version || sscanf(version, "%u.%u", &major, &minor) != 2)
		return true;
	return major > 0 || minor >= 5;
}

/* Asks the server for its version, once; one that does not say counts as a new one. */
static enum rc ask_version(struct http *h, struct arena *a, const char *base, struct err *e)
{
	struct buf b;
	struct http_request rq = { .url = arena_printf(a, "%s/api/version", base), .sink = keep,
		.sink_arg = &b, .connect_timeout_ms = CONNECT_MS, .total_timeout_ms = VERSION_MS };
	struct http_answer ans;
	struct err why = { 0 };
	const json_t *v = NULL;
	enum rc rc;

	if (strcmp(known.base_url, base) == 0)
		return RC_OK;
	buf_init(&b, VERSION_MAX);
	rc = http_call(h, a, &rq, &ans, &why);
	if (rc == RC_OK)
		v = json_read(a, buf_text(&b), b.len);
	buf_fini(&b);
	known.streams_tools = streams_tools(json_str(v, "version"));
	if (rc == RC_CANCELLED)
		*e = why;
	else if (rc == RC_OK)
		snprintf(known.base_url, sizeof known.base_url, "%s", base);
	return rc == RC_CANCELLED ? rc : RC_OK;
}

static enum rc failed(struct arena *a, const char *base, const struct ollama_answer *s, enum rc rc,
    const struct http_answer *ans, const struct err *why, struct turn *out, struct err *e)
{
	if (rc != RC_UPSTREAM) {
		*e = *why;
		return rc;
	}
	if (s->error)
		out->failure = arena_printf(a, "Ollama API error (%ld): %s", ans->status, s->error);
	else if (ans->status >= 300)
		out->failure =
		    arena_printf(a, "Ollama API error (%ld): %s", ans->status, ans->error_body);
	else if (!ans->status)
		out->failure = arena_printf(a,
		    "Cannot connect to Ollama at %s. Make sure it is running (ollama serve).",
		    base);
	else
		out->failure = arena_strdup(a, why->msg);
	return err_set(e, RC_UPSTREAM, "%.500s", out->failure);
}

static enum rc send_request(struct http *h, struct arena *a, const struct model_call *mc,
    const char *base, bool tools, struct http_answer *ans, struct turn *out, struct err *e)
{
	static const char *const HEADERS[] = { "content-type: application/json", NULL };
	struct ollama_answer s;
	struct buf body;
	struct http_request rq = {
		.url = arena_printf(a, "%s/api/chat", base),
		.headers = HEADERS,
		.sink = ollama_answer_feed,
		.sink_arg = &s,
		.acted = ollama_answer_acted,
		.whole = ollama_answer_whole,
		.restart = ollama_answer_restart,
		.connect_timeout_ms = CONNECT_MS,
		.first_timeout_ms = FIRST_BYTE_MS,
		.total_timeout_ms = mc->total_timeout_ms,
		.repeats = REPEATS,
		.keep_server_errors = true,
	};
	struct err why = { 0 };
	enum rc rc;

	buf_init(&body, HTTP_REQUEST_MAX);
	ollama_request(&body, mc, tools, mc->stream && (!tools || known.streams_tools));
	ollama_answer_init(&s, a);
	rq.body = body.data;
	rq.body_len = body.len;
	if (body.failed)
		rc = err_set(&why, RC_TOOLARGE, "Request too large");
	else
		rc = http_call(h, a, &rq, ans, &why);
	if (rc == RC_OK)
		ollama_answer_turn(&s, out);
	else
		rc = failed(a, base, &s, rc, ans, &why, out, e);
	ollama_answer_fini(&s);
	buf_fini(&body);
	return rc;
}

static enum rc call(struct http *h, struct arena *a, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	const char *base = mc->base_url && *mc->base_url ? mc->base_url : BASE_URL;
	bool tools = json_array_size(mc->tools) > 0;
	struct http_answer ans = { .error_body = arena_strdup(a, "") };
	enum rc rc;

	*out = (struct turn){ .text = "" };
	base = arena_printf(a, "%.*s", (int)strlen(base) - text_ends(base, "/"), base);
	if (known.no_tools && strcmp(known.model, mc->model) == 0)
		tools = false;
	rc = tools ? ask_version(h, a, base, e) : RC_OK;
	if (rc != RC_OK)
		return rc;
	rc = send_request(h, a, mc, base, tools, &ans, out, e);
	if (!tools || ans.status != 400 || !strstr(ans.error_body, "does not support tools"))
		return rc;
	known.no_tools = true;
	snprintf(known.model, sizeof known.model, "%s", mc->model);
	*out = (struct turn){ .text = "" };
	err_clear(e);
	return send_request(h, a, mc, base, false, &ans, out, e);
}

const struct runtime_ops RUNTIME_OLLAMA = {
	.id = "ollama",
	.provider = "ollama",
	.label = "Ollama (Local)",
	.model_setting = "ollama.defaultModel",
	.model_default = "llama3.2",
	.empty_error = "Ollama returned an empty response",
	.default_tools = DEFAULT_TOOLS,
	.flags = OPS_LOCAL | OPS_PLAIN_ERROR,
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
