/* The Model Context Protocol: messages and their answers. */
#include "jobrunner/mcp.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define ANSWER_MAX ((size_t)16 << 20)
#define ID_MAX 1024      /* bytes of an id that is a text */
#define NAME_UNITS 100   /* of a name that an error repeats */
#define BATCH_MAX 16

/* The revisions that are spoken, all alike here but for the batches. */
static const char *const REVISIONS[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25" };
#define REVISION_DEFAULT "2025-06-18"
#define REVISION_OF_BATCHES "2025-03-26"

static const char ACKNOWLEDGEMENT[] = "{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":0}";

void mcp_init(struct mcp *m, const struct mcp_host *host)
{
	*m = (struct mcp){ .host = *host };
}

/* Begins an answer in B, up to the key that says how it went. */
static struct jw answer_begin(struct buf *b, const json_t *id, const char *key)
{
	struct jw w = jw_on(b);

	buf_init(b, ANSWER_MAX);
	jw_obj(&w);
	jw_kstr(&w, "jsonrpc", "2.0");
	if (json_is_integer(id)) /* all of it, where a double would not hold it */
		jw_kint(&w, "id", json_integer_value(id));
	else if (id)
		jw_kjson(&w, "id", id);
	else
		jw_knull(&w, "id");
	jw_key(&w, key);
	return w;
}

static const char *answer_end(struct arena *a, struct buf *b, struct jw *w)
{
	const char *text;

	jw_end_obj(w);
	text = b->failed ? "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,"
			   "\"message\":\"The answer is too large\"}}"
			 : arena_strndup(a, b->data, b->len);
	buf_fini(b);
	return text;
}

const char *mcp_error(struct arena *a, const json_t *id, int code, const char *message)
{
	struct buf b;
	struct jw w = answer_begin(&b, id, "error");

	jw_obj(&w);
	jw_kint(&w, "code", code);
	jw_kstr(&w, "message", message);
	jw_end_obj(&w);
	return answer_end(a, &b, &w);
}

const char *mcp_result(struct arena *a, const json_t *id, bool is_error, const char *text)
{
	struct buf b;
	struct jw w = answer_begin(&b, id, "result");

	jw_obj(&w);
	jw_key(&w, "content");
	jw_arr(&w);
	jw_obj(&w);
	jw_kstr(&w, "type", "text");
	jw_kstr(&w, "text", text);
	jw_end_obj(&w);
	jw_end_arr(&w);
	jw_kbool(&w, "isError", is_error);
	jw_end_obj(&w);
	return answer_end(a, &b, &w);
}

json_t *mcp_tools(const json_t *definitions)
{
	json_t *list = json_array(), *d;
	size_t i;

	json_array_foreach(definitions, i, d)
		json_array_append_new(list,
		    json_pack("{s:O?, s:O?, s:O?}", "name", json_object_get(d, "name"),
			"description", json_object_get(d, "description"), "inputSchema",
			json_object_get(d, "input_schema")));
	return list;
}

/* The client's name as part of an audit's actor: one printable word. */
static void note_client(struct mcp *m, const char *name)
{
	size_t n = strlen(name);

	if (n >= sizeof m->client)
		n = sizeof m->client - 1;
	while (!text_is_utf8(name, n))
		n--;
	for (size_t i = 0; i < n; i++)
		m->client[i] = (unsigned char)name[i] <= ' ' || name[i] == 0x7f ? '-' : name[i];
	m->client[n] = '\0';
}

static const char *agree(const char *wanted)
{
	for (size_t i = 0; i < COUNT(REVISIONS); i++)
		if (strcmp(REVISIONS[i], wanted) == 0)
			return REVISIONS[i];
	return REVISION_DEFAULT;
}

static const char *initialize(struct mcp *m, struct arena *a, const json_t *id, json_t *params)
{
	const char *name = json_str(json_object_get(params, "clientInfo"), "name");
	const char *wanted = json_str(params, "protocolVersion"), *revision;
	struct buf b;
	struct jw w;

	if (!wanted)
		return mcp_error(a, id, MCP_INVALID_PARAMS, "protocolVersion must be a text");
	revision = agree(wanted);
	m->batches = strcmp(revision, REVISION_OF_BATCHES) == 0;
	note_client(m, name ? name : "");
	w = answer_begin(&b, id, "result");
	jw_obj(&w);
	jw_kstr(&w, "protocolVersion", revision);
	jw_key(&w, "capabilities");
	jw_obj(&w);
	jw_key(&w, "tools");
	jw_obj(&w);
	jw_end_obj(&w);
	jw_end_obj(&w);
	jw_key(&w, "serverInfo");
	jw_obj(&w);
	jw_kstr(&w, "name", "stagent");
	jw_kstr(&w, "version", PACKAGE_VERSION);
	jw_end_obj(&w);
	jw_end_obj(&w);
	return answer_end(a, &b, &w);
}

static const char *ping(struct mcp *m UNUSED, struct arena *a, const json_t *id,
    json_t *params UNUSED)
{
	struct buf b;
	struct jw w = answer_begin(&b, id, "result");

	jw_obj(&w);
	jw_end_obj(&w);
	return answer_end(a, &b, &w);
}

/* All tools fit one page: whatever the cursor, this is it. */
static const char *list_tools(struct mcp *m, struct arena *a, const json_t *id, json_t *params)
{
	const json_t *cursor = json_object_get(params, "cursor");
	struct buf b;
	struct jw w;

	if (cursor && !json_is_string(cursor))
		return mcp_error(a, id, MCP_INVALID_PARAMS, "cursor must be a text");
	w = answer_begin(&b, id, "result");
	jw_obj(&w);
	jw_kjson(&w, "tools", m->host.tools);
	jw_end_obj(&w);
	return answer_end(a, &b, &w);
}

static bool is_listed(const struct mcp *m, const char *name)
{
	size_t i;
	json_t *t;

	json_array_foreach(m->host.tools, i, t)
		if (strcmp(json_str(t, "name"), name) == 0)
			return true;
	return false;
}

static const char *call_tool(struct mcp *m, struct arena *a, const json_t *id, json_t *params)
{
	struct mcp_call c = { .id = (json_t *)(uintptr_t)id, .name = json_str(params, "name"),
		.arguments = json_object_get(params, "arguments") };
	const char *text = "";
	enum mcp_outcome outcome;

	if (!c.name)
		return mcp_error(a, id, MCP_INVALID_PARAMS, "name must be a text");
	if (c.arguments && !json_is_object(c.arguments))
		return mcp_error(a, id, MCP_INVALID_PARAMS, "arguments must be an object");
	if (!is_listed(m, c.name))
		return mcp_error(a, id, MCP_INVALID_PARAMS,
		    arena_printf(a, "Unknown tool: %s", text_cut(a, c.name, NAME_UNITS)));
	outcome = m->host.call(m->host.arg, &c, &text);
	return outcome == MCP_LATER ? NULL : mcp_result(a, id, outcome == MCP_ERROR, text);
}

static const struct {
	const char *name;
	const char *(*answer)(struct mcp *m, struct arena *a, const json_t *id, json_t *params);
} METHODS[] = {
	{ "initialize", initialize },
	{ "ping", ping },
	{ "tools/list", list_tools },
	{ "tools/call", call_tool },
};

static const char *answer_request(struct mcp *m, struct arena *a, const json_t *id,
    const char *method, json_t *params)
{
	for (size_t i = 0; i < COUNT(METHODS); i++)
		if (strcmp(METHODS[i].name, method) == 0)
			return METHODS[i].answer(m, a, id, params);
	return mcp_error(a, id, MCP_UNKNOWN_METHOD,
	    arena_printf(a, "Unknown method: %s", text_cut(a, method, NAME_UNITS)));
}

static bool is_id(const json_t *id)
{
	return json_is_null(id) || json_is_number(id) ||
	       (json_is_string(id) && json_string_length(id) <= ID_MAX);
}

/* Notifications of any kind are taken; nobody hears about mistakes in them. */
static const char *take_notification(struct mcp *m, const char *method, const json_t *params)
{
	const json_t *id = json_object_get(params, "requestId");

	if (strcmp(method, "notifications/cancelled") == 0 && m->host.cancel && id && is_id(id))
		m->host.cancel(m->host.arg, id);
	return m->host.acknowledge ? ACKNOWLEDGEMENT : NULL;
}

static const char *answer_one(struct mcp *m, struct arena *a, json_t *message, bool in_batch)
{
	json_t *id = json_object_get(message, "id"), *params = json_object_get(message, "params");
	const char *method = json_str(message, "method"), *version = json_str(message, "jsonrpc");

	if (!json_is_object(message) || (id && !is_id(id)))
		return mcp_error(a, NULL, MCP_INVALID_REQUEST, "Invalid request");
	/* Nothing was asked of the client: what looks like an answer answers nothing. */
	if (!json_object_get(message, "method") &&
	    (json_object_get(message, "result") || json_object_get(message, "error")))
		return NULL;
	if (!method || !version || strcmp(version, "2.0") != 0)
		return mcp_error(a, id, MCP_INVALID_REQUEST, "Invalid request");
	if (!id)
		return take_notification(m, method, params);
	if (params && !json_is_object(params))
		return mcp_error(a, id, MCP_INVALID_PARAMS, "params must be an object");
	if (in_batch && strcmp(method, "initialize") == 0)
		return mcp_error(
		    a, id, MCP_INVALID_REQUEST, "initialize cannot be part of a batch");
	return answer_request(m, a, id, method, params);
}

/* The answers of a batch, an array; those that are put off come by themselves. */
static const char *answer_batch(struct mcp *m, struct arena *a, const json_t *batch)
{
	const char *text = NULL;
	struct buf b;
	json_t *item;
	size_t i;

	if (!json_array_size(batch) || json_array_size(batch) > BATCH_MAX)
		return mcp_error(a, NULL, MCP_INVALID_REQUEST, "Invalid batch");
	buf_init(&b, ANSWER_MAX);
	json_array_foreach(batch, i, item) {
		const char *one = answer_one(m, a, item, true);

		if (!one)
			continue;
		buf_char(&b, b.len ? ',' : '[');
		buf_str(&b, one);
	}
	if (b.len)
		buf_char(&b, ']');
	if (b.failed)
		text = mcp_error(a, NULL, MCP_INVALID_REQUEST, "The batch is too large");
	else if (b.len)
		text = arena_strndup(a, b.data, b.len);
	buf_fini(&b);
	return text;
}

const char *mcp_answer_value(struct mcp *m, struct arena *a, json_t *message)
{
	if (json_is_array(message) && m->batches)
		return answer_batch(m, a, message);
	return answer_one(m, a, message, false);
}

const char *mcp_answer(struct mcp *m, struct arena *a, const char *message, size_t n)
{
	json_t *v = n <= MCP_MESSAGE_MAX ? json_read(a, message, n) : NULL;

	if (!v)
		return mcp_error(a, NULL, MCP_PARSE_ERROR, "Not JSON");
	return mcp_answer_value(m, a, v);
}
