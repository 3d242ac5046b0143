/* The tool calls of a run on Codex: its own commands and file changes, for which it asks, questions
 * to the operator, and our tools, which it calls.
 *
 * A call is written down under the id of its item and a hash of what it does, so that a second
 * request for the same item, or an item whose id was used before, is a call of its own. */
#include "core/json_in.h"
#include "core/json_out.h"
#include "jobrunner/runtimes/codex.h"

#define ITEMS_MAX 256

static const char TOO_MANY[] = "Too many requests wait for a decision";

enum item_type { ITEM_NONE, ITEM_COMMAND, ITEM_FILES, ITEM_OURS, ITEM_MCP };

static enum item_type item_type(const json_t *item)
{
	static const struct {
		const char *name;
		enum item_type type;
	} TYPES[] = {
		{ "commandExecution", ITEM_COMMAND },
		{ "fileChange", ITEM_FILES },
		{ "dynamicToolCall", ITEM_OURS },
		{ "mcpToolCall", ITEM_MCP },
	};
	const char *name = json_str(item, "type");

	for (size_t i = 0; name && i < COUNT(TYPES); i++)
		if (strcmp(TYPES[i].name, name) == 0)
			return TYPES[i].type;
	return ITEM_NONE;
}

/* The key of a call in what is written down. */
static const char *call_key(struct codex *c, const char *id, const char *name, const json_t *input)
{
	struct arena *a = c->cl.event;
	uint32_t h = 2166136261u;

	for (const char *s = arena_printf(a, "%s %s", name, json_text(a, input)); *s; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return arena_printf(a, "%.*s#%08x", CODEX_ID_MAX, id, (unsigned)h);
}

static json_t *item_of(struct codex *c, const char *id)
{
	return id ? json_object_get(c->items, id) : NULL;
}

static const char *item_key(const json_t *item)
{
	return json_str(item, "key");
}

/* Calls under way that wait for nobody. A question of the program's own is no item. */
static void count_busy(struct codex *c)
{
	size_t open = json_object_size(c->items), waiting = 0;

	for (size_t i = 0; i < c->cl.n_pending; i++)
		waiting += c->cl.pending[i].kind != CODEX_ASKS_PERSON;
	c->cl.busy = open > waiting ? open - waiting : 0;
}

static void note(struct codex *c, const char *id, const char *name, json_t *input)
{
	struct arena *a = c->cl.event;
	const char *key = call_key(c, id, name, json_keep(a, input));
	json_t *item = item_of(c, id);

	codex_flush(c);
	if (item)
		json_object_set_new(item, "key", json_string(key));
	c->cl.rc = client_note(&c->cl, key, name, input);
}

/* Writes down what was done without asking. */
static void note_unasked(struct codex *c, const json_t *object, const char *id)
{
	json_t *item = item_of(c, id), *paths;
	const char *command = json_str(object, "command"), *more;

	if (!item || item_key(item))
		return;
	more = json_str(item, "command");
	command = command ? command : more;
	paths = json_object_get(item, "paths");
	if (command)
		note(c, id, "Bash",
		    json_pack("{s:s}", "command", codex_unwrap(c->cl.event, command)));
	else if (json_array_size(paths))
		note(c, id, "Write",
		    json_pack("{s:O, s:O}", "file_path", json_array_get(paths, 0), "paths", paths));
}

static void item_started(struct codex *c, const struct codex_msg *m)
{
	enum item_type type = item_type(m->object);
	const char *server, *tool, *command = json_str(m->object, "command");
	const json_t *args;
	json_t *item;

	if (type == ITEM_NONE || !m->item || strlen(m->item) > CODEX_ID_MAX ||
	    json_object_size(c->items) == ITEMS_MAX)
		return;
	item = json_object();
	json_object_set_new(c->items, m->item, item);
	if (type == ITEM_FILES)
		json_object_set_new(item, "paths", codex_paths(m->object));
	if (type == ITEM_COMMAND && command)
		json_object_set_new(item, "command", json_string(command));
	if (type != ITEM_MCP)
		return;
	server = json_str(m->object, "server");
	tool = json_str(m->object, "tool");
	args = json_object_get(m->object, "arguments");
	note(c, m->item,
	    arena_printf(c->cl.event, "mcp__%s__%s", server ? server : "", tool ? tool : ""),
	    json_is_object(args) ? json_deep_copy(args) : json_object());
}

static void item_completed(struct codex *c, const struct codex_msg *m)
{
	const char *type = json_str(m->object, "type"), *key;
	json_t *text = json_object_get(m->object, "text");

	if (type && strcmp(type, "agentMessage") == 0 && json_is_string(text) && m->thread &&
	    strcmp(m->thread, c->thread) == 0) {
		json_decref(c->text);
		c->text = json_incref(text);
	}
	if (!item_of(c, m->item))
		return;
	note_unasked(c, m->object, m->item);
	key = item_key(item_of(c, m->item));
	if (item_type(m->object) == ITEM_OURS && key && c->cl.rc == RC_OK)
		c->cl.rc = client_seen(&c->cl, key);
	json_object_del(c->items, m->item);
}

void codex_item(struct codex *c, const struct codex_msg *m)
{
	if (m->method == CODEX_ITEM_STARTED)
		item_started(c, m);
	else
		item_completed(c, m);
	count_busy(c);
}

void codex_output(struct codex *c, const struct codex_msg *m)
{
	note_unasked(c, NULL, m->item);
}

/* ---- what is asked for ---- */

static void answer(struct codex *c, const char *id, json_t *result)
{
	client_send(&c->cl, codex_answer(id, result));
}

/* The answer to a request that nobody decides about any more. */
static void deny(struct codex *c, const char *id, enum codex_method kind, const char *words)
{
	struct arena *a = c->cl.event;

	if (kind == CODEX_CALLS_TOOL)
		answer(c, id, codex_tool_result(tool_error_text(a, words), false));
	else if (kind == CODEX_ASKS_PERSON)
		answer(c, id, codex_person_answers(NULL, NULL));
	else
		answer(c, id, codex_decision(false));
}

static void request(struct codex *c, const struct codex_msg *m, const char *name, json_t *input,
    const char *title, const char *body)
{
	struct arena *a = c->cl.event;
	const char *item = m->item ? m->item : m->id;
	const char *key = call_key(c, item, name, json_keep(a, input));
	json_t *known = item_of(c, m->item);
	struct pending *p;

	if (known)
		json_object_set_new(known, "key", json_string(key));
	codex_flush(c);
	p = client_request(&c->cl, m->id, (int)m->method, key, name, input, title, body);
	if (!p && c->cl.rc == RC_OK)
		deny(c, m->id, m->method, TOO_MANY);
	else if (p && m->method == CODEX_ASKS_PERSON)
		p->extra = json_keep(p->arena, json_incref((json_t *)(uintptr_t)m->params));
}

/* A question that has no form never reaches a person. */
static void ask_person(struct codex *c, const struct codex_msg *m, json_t *input)
{
	if (!json_array_size(json_object_get(input, "questions"))) {
		json_decref(input);
		deny(c, m->id, m->method, "No question was given");
		return;
	}
	request(c, m, "AskUserQuestion", input, NULL, codex_questions_body(c->cl.event, m->params));
}

static void call_tool(struct codex *c, const struct codex_msg *m)
{
	struct arena *a = c->cl.event;
	const char *name = json_str(m->params, "tool"), *why = NULL;
	const json_t *args = json_object_get(m->params, "arguments");
	bool question = name && strcmp(name, "AskUserQuestion") == 0;

	args = json_is_object(args) ? args : json_keep(a, json_object());
	if (!name || strlen(name) > CODEX_ID_MAX)
		why = tool_error_text(a, "The call names no tool");
	else if (question)
		why = tool_misfit(a, tool_find(name), args);
	if (why)
		answer(c, m->id, codex_tool_result(why, false));
	else
		request(c, m, name, json_incref((json_t *)(uintptr_t)args), NULL,
		    question ? codex_questions_body(a, args) : NULL);
}

void codex_asked(struct codex *c, const struct codex_msg *m)
{
	struct arena *a = c->cl.event;
	const json_t *paths = json_object_get(item_of(c, m->item), "paths");

	switch (m->method) {
	case CODEX_ASKS_COMMAND:
		request(c, m, "Bash", codex_command_input(a, m->params),
		    "Permission required: Command execution", NULL);
		break;
	case CODEX_ASKS_FILES:
		request(c, m, "Write", codex_files_input(m->params, paths),
		    "Permission required: File change", NULL);
		break;
	case CODEX_ASKS_PERSON:
		ask_person(c, m, codex_questions_input(m->params));
		break;
	case CODEX_CALLS_TOOL:
		call_tool(c, m);
		break;
	case CODEX_ASKS_RIGHTS:
		answer(c, m->id, json_pack("{s:{}, s:s}", "permissions", "scope", "turn"));
		break;
	case CODEX_ASKS_FORM:
		answer(c, m->id,
		    json_pack("{s:s, s:n, s:n}", "action", "decline", "content", "_meta"));
		break;
	default:
		client_send(&c->cl,
		    codex_refusal(m->id,
			arena_printf(a, "%.100s is not supported", m->name)));
	}
	count_busy(c);
}

/* Answered, or withdrawn. */
void codex_resolved(struct codex *c, const struct codex_msg *m)
{
	struct pending *p = m->id ? client_pending(&c->cl, m->id) : NULL;
	const char *key = m->id ? json_str(c->answered, m->id) : NULL;

	if (p)
		client_withdraw(&c->cl, p);
	if (key)
		c->cl.rc = client_seen(&c->cl, key);
	if (key)
		json_object_del(c->answered, m->id);
	count_busy(c);
}

/* ---- what was decided ---- */

static void give_result(struct codex *c, struct pending *p)
{
	const char *text;
	bool is_error;

	c->cl.rc = client_tool(&c->cl, p->of.id, p->of.name, p->of.input, &text, &is_error);
	if (c->cl.rc != RC_OK)
		return;
	if (p->kind == CODEX_CALLS_TOOL) {
		answer(c, p->id, codex_tool_result(text, !is_error));
		return;
	}
	if (json_object_size(c->answered) < ITEMS_MAX)
		json_object_set_new(c->answered, p->id, json_string(p->of.id));
	answer(c, p->id,
	    codex_person_answers(p->extra,
		is_error ? NULL
			 : json_object_get(json_read_text(c->cl.event, text), "answers")));
}

/* A command or file change runs as it was asked for or not at all: one that the operator has
 * changed is declined. */
void codex_decided(struct codex *c, struct pending *p)
{
	const struct call *call = &p->call;

	if (p->kind == CODEX_CALLS_TOOL || p->kind == CODEX_ASKS_PERSON)
		give_result(c, p);
	else
		answer(c, p->id,
		    codex_decision(call->allowed &&
			(!call->final_input || json_equal(call->final_input, p->of.input))));
	client_forget(&c->cl, p);
	count_busy(c);
}
