/* The answer of an Ollama server: one JSON object a line, from any split of the bytes, made into a
 * turn. Only a line with "done":true makes an answer whole; lines that are no JSON are skipped. */
#include "jobrunner/runtimes/ollama.h"

#include "core/json_in.h"
#include "core/text.h"

#define TOKENS_MAX 1e15
/* A call lies deeper in a stored conversation than in its line, and must be readable there. */
#define LEVELS_MAX (JSON_DEPTH_MAX - 8)

void ollama_answer_init(struct ollama_answer *s, struct arena *a)
{
	*s = (struct ollama_answer){ .arena = a, .calls = json_array() };
	s->scratch = arena_new(OLLAMA_ANSWER_MAX * 2);
	buf_init(&s->line, OLLAMA_LINE_MAX);
	buf_init(&s->text, OLLAMA_ANSWER_MAX);
	buf_init(&s->thinking, OLLAMA_ANSWER_MAX);
}

void ollama_answer_fini(struct ollama_answer *s)
{
	json_decref(s->calls);
	buf_fini(&s->line);
	buf_fini(&s->text);
	buf_fini(&s->thinking);
	arena_free(s->scratch);
}

static void take_tokens(const json_t *line, const char *key, int64_t *out, bool *known)
{
	double v = json_num(line, key, -1);

	if (v < 0)
		return;
	*out = (int64_t)(v < TOKENS_MAX ? v : TOKENS_MAX);
	*known = true;
}

static void take_message(struct ollama_answer *s, const json_t *message)
{
	const char *text = json_str(message, "content"), *thinking = json_str(message, "thinking");
	const json_t *calls = json_object_get(message, "tool_calls");
	json_t *call;
	size_t i;

	if (text)
		buf_str(&s->text, text);
	if (thinking)
		buf_str(&s->thinking, thinking);
	json_array_foreach(calls, i, call)
		if (json_array_size(s->calls) < OLLAMA_CALLS_MAX &&
		    json_str(json_object_get(call, "function"), "name") &&
		    json_is_shallow(call, LEVELS_MAX))
			json_array_append(s->calls, call);
}

static void take_end(struct ollama_answer *s, const json_t *line)
{
	const char *model = json_str(line, "model"), *reason = json_str(line, "done_reason");

	if (model && strlen(model) < sizeof s->usage.model)
		snprintf(s->usage.model, sizeof s->usage.model, "%s", model);
	if (reason)
		snprintf(s->reason, sizeof s->reason, "%s", reason);
	take_tokens(line, "prompt_eval_count", &s->usage.input, &s->usage.known);
	take_tokens(line, "eval_count", &s->usage.output, &s->usage.known);
	s->whole = true;
}

/* False ends the answer for good: an error, or too much text. */
static bool take_line(struct ollama_answer *s, const char *text, size_t n)
{
	const json_t *line = json_read(s->scratch, text, n);
	bool more = true;

	if (json_is_object(line) && json_object_get(line, "error")) {
		s->error = text_mask_keys(s->arena, arena_strndup(s->arena, text, n));
		more = false;
	} else if (json_is_object(line)) {
		s->acted = true;
		take_message(s, json_object_get(line, "message"));
		if (json_flag(line, "done"))
			take_end(s, line);
		more = !s->text.failed && !s->thinking.failed;
	}
	arena_reset(s->scratch);
	return more;
}

bool ollama_answer_feed(void *arg, const char *data, size_t n)
{
	struct ollama_answer *s = arg;
	const char *end = data + n, *lf;

	s->received += n;
	if (s->received > OLLAMA_ANSWER_MAX)
		return false;
	while (data < end && !s->whole) {
		lf = memchr(data, '\n', (size_t)(end - data));
		buf_add(&s->line, data, (size_t)((lf ? lf : end) - data));
		if (s->line.failed)
			return false;
		if (!lf)
			return true;
		if (!take_line(s, buf_text(&s->line), s->line.len))
			return false;
		buf_clear(&s->line);
		data = lf + 1;
	}
	return true;
}

/* An error line is as final as the status of an error answer is. */
bool ollama_answer_acted(void *arg)
{
	const struct ollama_answer *s = arg;

	return s->acted || s->error;
}

/* The last line may lack its end. */
bool ollama_answer_whole(void *arg)
{
	struct ollama_answer *s = arg;
	const json_t *line;

	if (s->whole || !s->line.len || s->line.data[s->line.len - 1] != '}')
		return s->whole;
	line = json_read(s->scratch, s->line.data, s->line.len);
	if (json_flag(line, "done") && !json_object_get(line, "error")) {
		take_line(s, buf_text(&s->line), s->line.len);
		buf_clear(&s->line);
	} else {
		arena_reset(s->scratch);
	}
	return s->whole;
}

void ollama_answer_restart(void *arg)
{
	struct ollama_answer *s = arg;

	json_array_clear(s->calls);
	buf_clear(&s->line);
	buf_clear(&s->text);
	buf_clear(&s->thinking);
	s->received = 0;
	s->usage = (struct usage){ 0 };
	s->reason[0] = '\0';
	s->acted = s->whole = false;
	s->error = NULL;
}

bool ollama_read_call(struct arena *a, const json_t *call, struct tool_call *c)
{
	const json_t *function = json_object_get(call, "function");
	json_t *input = json_object_get(function, "arguments");

	*c = (struct tool_call){ .name = json_str(function, "name") };
	if (!c->name)
		return false;
	if (json_is_string(input) && !text_is_blank(json_string_value(input))) {
		input = json_read_text(a, json_string_value(input));
		if (!input)
			c->bad = "Invalid arguments: not JSON";
	} else if (json_is_string(input) || json_is_null(input)) {
		input = NULL;
	}
	if (input && (!json_is_object(input) || !json_is_shallow(input, LEVELS_MAX)))
		c->bad = "Invalid arguments: not a JSON object";
	c->input = input && !c->bad ? input : json_keep(a, json_object());
	return true;
}

void ollama_answer_turn(struct ollama_answer *s, struct turn *out)
{
	size_t n = json_array_size(s->calls);
	const char *text = arena_strdup(s->arena, buf_text(&s->text));

	*out = (struct turn){ .calls = arena_array(s->arena, struct tool_call, n),
		.usage = s->usage };
	for (size_t i = 0; i < n; i++) {
		struct tool_call *c = &out->calls[out->n_calls];

		if (!ollama_read_call(s->arena, json_array_get(s->calls, i), c))
			continue;
		c->id = arena_printf(s->arena, "call_%zu", i);
		out->n_calls++;
	}
	if (n || !text_is_blank(text))
		out->message = json_keep(s->arena,
		    json_pack("{s:s,s:s}", "role", "assistant", "content", text));
	if (n)
		json_object_set(out->message, "tool_calls", s->calls);
	out->text = text_is_blank(text) ? arena_strdup(s->arena, buf_text(&s->thinking)) : text;
	out->stop = out->n_calls                     ? STOP_TOOLS
	    : strcmp(s->reason, "length") == 0 ? STOP_LENGTH
					       : STOP_DONE;
}
