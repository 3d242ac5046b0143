/* The answer of the Responses API: events, or one JSON text, made into a turn.
 *
 * Items are kept as they came, whatever their type; what the token limit has cut is left out where
 * it is a call. Only response.completed, .incomplete or .failed makes an answer whole. */
#include "jobrunner/runtimes/openai.h"

#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/runtimes/parts.h"

#define TOKENS_MAX 1e15
/* An item lies deeper in a stored conversation than in its event, and must be readable there. */
#define LEVELS_MAX (JSON_DEPTH_MAX - 8)

static void note_error(struct openai_answer *s, const json_t *error)
{
	const char *code = json_str(error, "code"), *message = json_str(error, "message");

	s->error_code = arena_strdup(s->arena, code ? code : "server_error");
	s->error_message = arena_strdup(s->arena, message ? message : "");
}

static void take_id(struct openai_answer *s, const json_t *event)
{
	const char *id = json_str(json_object_get(event, "response"), "id");

	if (id && *id)
		s->id = arena_strdup(s->arena, id);
}

/* The response has begun; nothing of the model yet, so that the call may still be repeated. */
static bool on_begin(struct openai_answer *s, json_t *event)
{
	take_id(s, event);
	return true;
}

static bool on_piece(struct openai_answer *s, json_t *event UNUSED)
{
	s->acted = true;
	return true;
}

static bool on_item(struct openai_answer *s, json_t *event)
{
	json_t *item = json_object_get(event, "item");

	s->acted = true;
	if (json_is_object(item) && json_array_size(s->items) < OPENAI_ITEMS_MAX)
		json_array_append(s->items, item);
	return true;
}

static bool on_end(struct openai_answer *s, json_t *event)
{
	json_t *response = json_object_get(event, "response");

	if (!json_is_object(response))
		return false;
	take_id(s, event);
	s->acted = true;
	s->response = json_keep(s->arena, json_incref(response));
	s->whole = true;
	return true;
}

static bool on_failed(struct openai_answer *s, json_t *event)
{
	note_error(s, json_object_get(json_object_get(event, "response"), "error"));
	return false;
}

static bool on_error(struct openai_answer *s, json_t *event)
{
	const json_t *inner = json_object_get(event, "error");

	note_error(s, json_is_object(inner) ? inner : event);
	return false;
}

static const struct {
	const char *type;
	bool (*take)(struct openai_answer *s, json_t *event);
} EVENTS[] = {
	{ "response.created", on_begin },
	{ "response.in_progress", on_begin },
	{ "response.output_item.added", on_piece },
	{ "response.output_text.delta", on_piece },
	{ "response.function_call_arguments.delta", on_piece },
	{ "response.refusal.delta", on_piece },
	{ "response.output_item.done", on_item },
	{ "response.completed", on_end },
	{ "response.incomplete", on_end },
	{ "response.failed", on_failed },
	{ "error", on_error },
};

static bool on_event(void *arg, const char *name, const char *data, size_t n)
{
	struct openai_answer *s = arg;
	json_t *event = json_read(s->scratch, data, n);
	const char *type = json_str(event, "type");
	bool more = true;

	if (!type)
		type = name;
	for (size_t i = 0; !s->whole && i < COUNT(EVENTS); i++)
		if (strcmp(EVENTS[i].type, type) == 0) {
			/* A known event that is no JSON has lost a piece of the answer. */
			more = event && EVENTS[i].take(s, event);
			break;
		}
	arena_reset(s->scratch);
	return more;
}

void openai_answer_init(struct openai_answer *s, struct arena *a, const struct model_call *mc)
{
	*s = (struct openai_answer){ .mc = mc, .arena = a, .items = json_array() };
	s->scratch = arena_new(OPENAI_ANSWER_MAX);
	sse_init(&s->sse, on_event, s);
	buf_init(&s->body, OPENAI_ANSWER_MAX);
}

void openai_answer_fini(struct openai_answer *s)
{
	json_decref(s->items);
	sse_fini(&s->sse);
	buf_fini(&s->body);
	arena_free(s->scratch);
}

bool openai_answer_feed(void *arg, const char *data, size_t n)
{
	struct openai_answer *s = arg;

	s->received += n;
	if (s->received > OPENAI_ANSWER_MAX)
		return false;
	if (s->mc->stream)
		return sse_feed(&s->sse, data, n);
	buf_add(&s->body, data, n);
	return !s->body.failed;
}

/* An error event that a repetition would only meet again forbids it, too. */
bool openai_answer_acted(void *arg)
{
	const struct openai_answer *s = arg;

	return s->acted || (s->error_code && strcmp(s->error_code, "server_error") != 0 &&
			       strcmp(s->error_code, "rate_limit_exceeded") != 0);
}

bool openai_answer_whole(void *arg)
{
	const struct openai_answer *s = arg;

	return s->whole;
}

void openai_answer_restart(void *arg)
{
	struct openai_answer *s = arg;

	json_array_clear(s->items);
	sse_reset(&s->sse);
	buf_clear(&s->body);
	s->received = 0;
	s->response = NULL;
	s->id = s->error_code = s->error_message = NULL;
	s->acted = s->whole = false;
}

static int64_t tokens(const json_t *usage, const char *key)
{
	double v = json_num(usage, key, 0);

	return (int64_t)(v > 0 ? v < TOKENS_MAX ? v : TOKENS_MAX : 0);
}

static void take_usage(const json_t *response, struct usage *out)
{
	const json_t *usage = json_object_get(response, "usage");
	const char *model = json_str(response, "model");

	if (model && strlen(model) < sizeof out->model)
		snprintf(out->model, sizeof out->model, "%s", model);
	if (!json_is_object(usage))
		return;
	out->known = true;
	out->input = tokens(usage, "input_tokens");
	out->output = tokens(usage, "output_tokens");
	out->cache_read =
	    tokens(json_object_get(usage, "input_tokens_details"), "cached_tokens");
}

/* The parts of TYPE of all messages, joined; the member that holds them is MEMBER. */
static const char *join_parts(struct arena *a, const json_t *items, const char *type,
    const char *member)
{
	const char *text;
	struct buf b;
	json_t *item, *part;
	size_t i, j;

	buf_init(&b, OPENAI_ANSWER_MAX);
	json_array_foreach(items, i, item) {
		if (!part_is(item, "type", "message"))
			continue;
		json_array_foreach(json_object_get(item, "content"), j, part) {
			text = part_is(part, "type", type) ? json_str(part, member) : NULL;
			if (text)
				buf_str(&b, text);
		}
	}
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

bool openai_read_call(struct arena *a, const json_t *item, struct tool_call *c)
{
	const char *arguments = json_str(item, "arguments");
	json_t *input = NULL;

	*c = (struct tool_call){ .id = json_str(item, "call_id"), .name = json_str(item, "name") };
	if (!part_is(item, "type", "function_call") || !c->id || !c->name ||
	    part_is(item, "status", "incomplete"))
		return false;
	if (arguments && !text_is_blank(arguments)) {
		input = json_read_text(a, arguments);
		if (!input)
			c->bad = "Invalid arguments: not JSON";
		else if (!json_is_object(input) || !json_is_shallow(input, LEVELS_MAX))
			c->bad = "Invalid arguments: not a JSON object";
	}
	c->input = input && !c->bad ? input : json_keep(a, json_object());
	return true;
}

static enum stop_reason stop_of(const json_t *response, const struct turn *t, bool refused)
{
	const json_t *why = json_object_get(response, "incomplete_details");

	if (t->n_calls)
		return STOP_TOOLS;
	if (part_is(why, "reason", "max_output_tokens"))
		return STOP_LENGTH;
	return part_is(why, "reason", "content_filter") || refused ? STOP_REFUSED : STOP_DONE;
}

/* Whether the item can be part of a conversation: a call needs its parts, whole. */
static bool is_usable(const json_t *item)
{
	if (!json_str(item, "type") || !json_is_shallow(item, LEVELS_MAX))
		return false;
	return !part_is(item, "type", "function_call") ||
	       (json_str(item, "call_id") && json_str(item, "name") &&
		   !part_is(item, "status", "incomplete"));
}

bool openai_answer_turn(struct openai_answer *s, struct turn *out)
{
	const json_t *response = s->response, *output, *item;
	const char *text;
	json_t *kept;
	size_t i;

	if (!s->mc->stream)
		response = json_read(s->arena, s->body.data, s->body.len);
	if (part_is(response, "status", "failed")) {
		note_error(s, json_object_get(response, "error"));
		return false;
	}
	output = json_object_get(response, "output");
	if (!json_is_object(response) || (!s->mc->stream && !json_is_array(output)))
		return false;
	if (!json_array_size(output))
		output = s->items;
	*out = (struct turn){ .calls =
		    arena_array(s->arena, struct tool_call, json_array_size(output)) };
	kept = json_keep(s->arena, json_array());
	json_array_foreach(output, i, item) {
		if (!is_usable(item))
			continue;
		json_array_append(kept, (json_t *)(uintptr_t)item);
		out->n_calls += openai_read_call(s->arena, item, &out->calls[out->n_calls]);
	}
	out->message = json_array_size(kept) ? kept : NULL;
	text = json_str(response, "id");
	out->response_id = s->id ? s->id : text && *text ? text : NULL;
	out->text = join_parts(s->arena, output, "output_text", "text");
	text = join_parts(s->arena, output, "refusal", "refusal");
	out->stop = stop_of(response, out, *text && text_is_blank(out->text));
	if (text_is_blank(out->text) && *text)
		out->text = text;
	take_usage(response, &out->usage);
	return true;
}
