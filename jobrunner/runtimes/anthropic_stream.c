/* The answer of the Messages API: events joined into content blocks, or one JSON text, made into
 * a turn.
 *
 * Blocks are kept as they came, whatever their type: known deltas are joined to the member they
 * belong to, and nothing else is touched. Left out are text blocks without visible text, which the
 * API refuses, and what the token limit has cut in two. Only message_stop makes an answer whole. */
#include "jobrunner/runtimes/anthropic.h"

#include "core/json_in.h"
#include "core/text.h"

#define TOKENS_MAX 1e15
/* A block lies deeper in a stored conversation than in its event, and must be readable there. */
#define LEVELS_MAX (JSON_DEPTH_MAX - 8)

/* The deltas that are joined: the delta's type and member, and the block's member they grow. */
enum { JOIN_TEXT, JOIN_THINKING, JOIN_SIGNATURE, JOIN_INPUT, JOINS };

static const struct {
	const char *type, *from, *to;
} DELTAS[JOINS] = {
	[JOIN_TEXT] = { "text_delta", "text", "text" },
	[JOIN_THINKING] = { "thinking_delta", "thinking", "thinking" },
	[JOIN_SIGNATURE] = { "signature_delta", "signature", "signature" },
	[JOIN_INPUT] = { "input_json_delta", "partial_json", "input" },
};

struct anthropic_block {
	int64_t index;
	json_t *value;
	struct buf join[JOINS];
};

static const struct {
	const char *type;
	long status;
} ERRORS[] = {
	{ "invalid_request_error", 400 },
	{ "authentication_error", 401 },
	{ "billing_error", 402 },
	{ "permission_error", 403 },
	{ "not_found_error", 404 },
	{ "request_too_large", 413 },
	{ "rate_limit_error", 429 },
	{ "api_error", 500 },
	{ "timeout_error", 504 },
	{ "overloaded_error", 529 },
};

static const struct {
	const char *word;
	enum stop_reason stop;
} STOPS[] = {
	{ "max_tokens", STOP_LENGTH },
	{ "pause_turn", STOP_PAUSE },
	{ "refusal", STOP_REFUSED },
	{ "model_context_window_exceeded", STOP_CONTEXT },
};

long anthropic_error_status(const char *type)
{
	for (size_t i = 0; i < COUNT(ERRORS); i++)
		if (strcmp(ERRORS[i].type, type) == 0)
			return ERRORS[i].status;
	return 500;
}

static bool is(const json_t *block, const char *type)
{
	const char *t = json_str(block, "type");

	return t && strcmp(t, type) == 0;
}

static void take_tokens(const json_t *usage, const char *key, int64_t *out)
{
	double v = json_num(usage, key, -1);

	if (v >= 0)
		*out = (int64_t)(v < TOKENS_MAX ? v : TOKENS_MAX);
}

/* Numbers of a later event replace those of an earlier one. */
static void take_usage(struct anthropic_answer *s, const json_t *usage)
{
	if (!json_is_object(usage))
		return;
	s->usage.known = true;
	take_tokens(usage, "input_tokens", &s->usage.input);
	take_tokens(usage, "output_tokens", &s->usage.output);
	take_tokens(usage, "cache_creation_input_tokens", &s->usage.cache_write);
	take_tokens(usage, "cache_read_input_tokens", &s->usage.cache_read);
}

static void take_stop(struct anthropic_answer *s, const json_t *from)
{
	const char *stop = json_str(from, "stop_reason");

	if (stop)
		snprintf(s->stop, sizeof s->stop, "%s", stop);
}

static void take_message(struct anthropic_answer *s, const json_t *message)
{
	const char *model = json_str(message, "model");

	if (model && strlen(model) < sizeof s->usage.model)
		snprintf(s->usage.model, sizeof s->usage.model, "%s", model);
	take_usage(s, json_object_get(message, "usage"));
}

static bool on_message_start(struct anthropic_answer *s, json_t *event)
{
	take_message(s, json_object_get(event, "message"));
	return true;
}

static bool grow(struct anthropic_answer *s)
{
	size_t cap = s->cap_blocks ? s->cap_blocks * 2 : 8;
	struct anthropic_block *blocks;

	if (s->n_blocks < s->cap_blocks)
		return true;
	blocks = cap <= ANTHROPIC_BLOCKS_MAX ? realloc(s->blocks, cap * sizeof *blocks) : NULL;
	if (!blocks)
		return false;
	s->blocks = blocks;
	s->cap_blocks = cap;
	return true;
}

static bool on_block_start(struct anthropic_answer *s, json_t *event)
{
	json_t *value = json_object_get(event, "content_block");
	struct anthropic_block *b;

	if (!json_str(value, "type"))
		return true;
	if (!grow(s))
		return false;
	b = &s->blocks[s->n_blocks++];
	b->index = json_integer_value(json_object_get(event, "index"));
	b->value = json_incref(value);
	for (size_t i = 0; i < JOINS; i++)
		buf_init(&b->join[i], ANTHROPIC_ANSWER_MAX);
	return true;
}

static bool add_citation(struct anthropic_block *b, json_t *citation)
{
	json_t *list = json_object_get(b->value, "citations");

	if (!citation)
		return true;
	if (!json_is_array(list)) {
		json_object_set_new(b->value, "citations", json_array());
		list = json_object_get(b->value, "citations");
	}
	return json_array_append(list, citation) == 0;
}

static bool on_block_delta(struct anthropic_answer *s, json_t *event)
{
	int64_t index = json_integer_value(json_object_get(event, "index"));
	const json_t *delta = json_object_get(event, "delta");
	struct anthropic_block *b = NULL;

	for (size_t i = s->n_blocks; i-- && !b;)
		if (s->blocks[i].index == index)
			b = &s->blocks[i];
	if (!b)
		return true;
	if (is(delta, "citations_delta"))
		return add_citation(b, json_object_get(delta, "citation"));
	for (size_t i = 0; i < JOINS; i++) {
		const char *piece = json_str(delta, DELTAS[i].from);

		if (piece && is(delta, DELTAS[i].type)) {
			buf_str(&b->join[i], piece);
			return !b->join[i].failed;
		}
	}
	return true;
}

static bool on_message_delta(struct anthropic_answer *s, json_t *event)
{
	take_stop(s, json_object_get(event, "delta"));
	take_usage(s, json_object_get(event, "usage"));
	return true;
}

static bool on_message_stop(struct anthropic_answer *s, json_t *event UNUSED)
{
	s->whole = true;
	return true;
}

static bool ignore(struct anthropic_answer *s UNUSED, json_t *event UNUSED)
{
	return true;
}

static bool on_error(struct anthropic_answer *s, const json_t *event)
{
	const json_t *error = json_object_get(event, "error");
	const char *type = json_str(error, "type"), *message = json_str(error, "message");

	s->error_type = arena_strdup(s->arena, type ? type : "api_error");
	s->error_message = arena_strdup(s->arena, message ? message : "");
	return false;
}

static const struct {
	const char *type;
	bool (*take)(struct anthropic_answer *s, json_t *event);
} EVENTS[] = {
	{ "message_start", on_message_start },
	{ "content_block_start", on_block_start },
	{ "content_block_delta", on_block_delta },
	{ "content_block_stop", ignore },
	{ "message_delta", on_message_delta },
	{ "message_stop", on_message_stop },
};

static bool take_event(struct anthropic_answer *s, const char *type, json_t *event)
{
	if (strcmp(type, "error") == 0)
		return on_error(s, event);
	for (size_t i = 0; i < COUNT(EVENTS); i++)
		if (strcmp(EVENTS[i].type, type) == 0) {
			s->acted = true;
			/* A known event that is no JSON has lost a piece of the answer. */
			return event && EVENTS[i].take(s, event);
		}
	return true;
}

static bool on_event(void *arg, const char *name, const char *data, size_t n)
{
	struct anthropic_answer *s = arg;
	json_t *event = json_read(s->scratch, data, n);
	const char *type = json_str(event, "type");
	bool more = true;

	if (!type)
		type = name;
	if (!s->whole) {
		if (event && s->mc->on_event)
			s->mc->on_event(s->mc->on_event_arg, type, data, n);
		more = take_event(s, type, event);
	}
	arena_reset(s->scratch);
	return more;
}

void anthropic_answer_init(struct anthropic_answer *s, struct arena *a,
    const struct model_call *mc)
{
	*s = (struct anthropic_answer){ .mc = mc, .arena = a };
	s->scratch = arena_new(ANTHROPIC_ANSWER_MAX);
	sse_init(&s->sse, on_event, s);
	buf_init(&s->body, ANTHROPIC_ANSWER_MAX);
}

static void drop_blocks(struct anthropic_answer *s)
{
	for (size_t i = 0; i < s->n_blocks; i++) {
		json_decref(s->blocks[i].value);
		for (size_t j = 0; j < JOINS; j++)
			buf_fini(&s->blocks[i].join[j]);
	}
	free(s->blocks);
	s->blocks = NULL;
	s->n_blocks = s->cap_blocks = 0;
}

void anthropic_answer_fini(struct anthropic_answer *s)
{
	drop_blocks(s);
	sse_fini(&s->sse);
	buf_fini(&s->body);
	arena_free(s->scratch);
}

bool anthropic_answer_feed(void *arg, const char *data, size_t n)
{
	struct anthropic_answer *s = arg;

	s->received += n;
	if (s->received > ANTHROPIC_ANSWER_MAX)
		return false;
	if (s->mc->stream)
		return sse_feed(&s->sse, data, n);
	buf_add(&s->body, data, n);
	return !s->body.failed;
}

/* An error event that a repetition would only meet again forbids it, too. */
bool anthropic_answer_acted(void *arg)
{
	const struct anthropic_answer *s = arg;
	long status = s->error_type ? anthropic_error_status(s->error_type) : 0;

	return s->acted || (status && status < 500 && status != 429);
}

bool anthropic_answer_whole(void *arg)
{
	const struct anthropic_answer *s = arg;

	return s->whole;
}

void anthropic_answer_restart(void *arg)
{
	struct anthropic_answer *s = arg;

	drop_blocks(s);
	sse_reset(&s->sse);
	buf_clear(&s->body);
	s->received = 0;
	s->stop[0] = '\0';
	s->error_type = s->error_message = NULL;
	s->usage = (struct usage){ 0 };
	s->acted = s->whole = false;
}

static bool is_cut(const struct anthropic_answer *s)
{
	return strcmp(s->stop, "max_tokens") == 0;
}

/* Puts the deltas into the block. An input that cannot be read becomes null. */
static void join_block(struct anthropic_answer *s, struct anthropic_block *b)
{
	for (size_t i = 0; i < JOINS; i++) {
		struct buf *j = &b->join[i];
		const char *to = DELTAS[i].to, *start = json_str(b->value, to);
		json_t *v;

		if (!j->len)
			continue;
		if (i == JOIN_INPUT) {
			v = json_read(s->arena, j->data, j->len);
			if (!json_is_object(v) || !json_is_shallow(v, LEVELS_MAX - 1))
				v = json_null();
			json_object_set(b->value, to, v);
		} else {
			v = json_pack("s+%", start ? start : "", j->data, j->len);
			json_object_set_new(b->value, to, v);
		}
	}
}

static json_t *streamed_content(struct anthropic_answer *s)
{
	json_t *content = json_keep(s->arena, json_array());

	for (size_t i = 0; i < s->n_blocks; i++) {
		struct anthropic_block *b = &s->blocks[i];

		join_block(s, b);
		/* An input of which nothing came yet may have been meant to be more than {}. */
		if (is_cut(s) && i + 1 == s->n_blocks && !b->join[JOIN_INPUT].len &&
		    json_object_get(b->value, "input"))
			json_object_set(b->value, "input", json_null());
		json_array_append(content, b->value);
	}
	return content;
}

static json_t *read_content(struct anthropic_answer *s)
{
	const json_t *message = json_read(s->arena, s->body.data, s->body.len);
	json_t *content = json_object_get(message, "content");

	take_message(s, message);
	take_stop(s, message);
	return json_is_array(content) ? content : NULL;
}

/* Whether the API would refuse the block, or the token limit has left only a part of it. */
static bool is_unusable(const json_t *block, bool cut, bool last)
{
	const char *text = json_str(block, "text"), *signature = json_str(block, "signature");
	const json_t *input = json_object_get(block, "input");

	if (!json_str(block, "type") || !json_is_shallow(block, LEVELS_MAX))
		return true;
	if (is(block, "text"))
		return !text || text_is_blank(text);
	if (is(block, "tool_use") && (!json_str(block, "id") || !json_str(block, "name")))
		return true;
	if (is(block, "thinking") && cut && last)
		return !signature || !*signature;
	return cut && json_is_null(input);
}

/* The texts of all blocks of TYPE, which is also the name of the member that holds them. */
static const char *join_texts(struct arena *a, const json_t *content, const char *type)
{
	const char *text;
	struct buf b;
	json_t *block;
	size_t i;

	buf_init(&b, ANTHROPIC_ANSWER_MAX);
	json_array_foreach(content, i, block) {
		text = is(block, type) ? json_str(block, type) : NULL;
		if (text)
			buf_str(&b, text);
	}
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

bool anthropic_read_call(struct arena *a, const json_t *block, struct tool_call *c)
{
	const char *id = json_str(block, "id"), *name = json_str(block, "name");
	json_t *input = json_object_get(block, "input");
	bool bad = input && !json_is_object(input);

	if (!is(block, "tool_use") || !id || !name)
		return false;
	*c = (struct tool_call){ id, name, input && !bad ? input : json_keep(a, json_object()),
		bad ? "Invalid arguments: not a JSON object" : NULL };
	return true;
}

static enum stop_reason stop_of(const struct anthropic_answer *s, const struct turn *t)
{
	if (t->n_calls)
		return STOP_TOOLS;
	for (size_t i = 0; i < COUNT(STOPS); i++)
		if (strcmp(STOPS[i].word, s->stop) == 0)
			return STOPS[i].stop;
	return STOP_DONE;
}

bool anthropic_answer_turn(struct anthropic_answer *s, struct turn *out)
{
	json_t *content = s->mc->stream ? streamed_content(s) : read_content(s), *kept, *block;
	size_t i, n = json_array_size(content);

	if (!content)
		return false;
	*out = (struct turn){ .calls = arena_array(s->arena, struct tool_call, n) };
	kept = json_keep(s->arena, json_array());
	json_array_foreach(content, i, block) {
		if (is_unusable(block, is_cut(s), i + 1 == n))
			continue;
		out->n_calls +=
		    anthropic_read_call(s->arena, block, &out->calls[out->n_calls]);
		json_array_append(kept, block);
	}
	if (json_array_size(kept))
		out->message = json_keep(s->arena,
		    json_pack("{s:s,s:O}", "role", "assistant", "content", kept));
	out->text = join_texts(s->arena, content, "text");
	if (text_is_blank(out->text))
		out->text = join_texts(s->arena, content, "thinking");
	out->stop = stop_of(s, out);
	out->usage = s->usage;
	out->usage.input += out->usage.cache_write + out->usage.cache_read;
	return true;
}
