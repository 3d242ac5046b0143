/* A session of `codex app-server`, one message a line: whatever comes, what is read of it can be
 * asked about and answered, and what would be sent is JSON. */
#include "jobrunner/runtimes/codex_msg.h"
#include "tests/fuzz/fuzz.h"

/* V is a line that can be sent and read. */
static void sendable(struct arena *a, json_t *v)
{
	const char *text;

	require(v != NULL);
	text = json_text(a, json_keep(a, v));
	require(!strchr(text, '\n') && json_is_object(json_read_text(a, text)));
}

static void answer(struct arena *a, const struct codex_msg *m, const json_t *paths)
{
	json_t *in = json_keep(a, codex_command_input(a, m->params));

	require(json_is_object(in));
	require(json_is_object(json_keep(a, codex_files_input(m->params, paths))));
	require(json_is_object(json_keep(a, codex_questions_input(m->params))));
	require(codex_questions_body(a, m->params) != NULL);
	sendable(a, codex_answer(m->id, codex_decision(true)));
	sendable(a, codex_answer(m->id, codex_person_answers(m->params, m->params)));
	sendable(a, codex_answer(m->id, codex_tool_result(m->name, false)));
	sendable(a, codex_refusal(m->id, m->name));
}

static void one(struct arena *a, const json_t *v)
{
	struct codex_msg m;
	struct codex_tokens t;
	json_t *paths;

	if (!codex_read(a, v, &m)) {
		require(m.kind == CODEX_NOTHING);
		return;
	}
	require(m.kind != CODEX_REQUEST || m.id);
	require(m.kind != CODEX_ANSWER || !m.result == (m.error != NULL));
	codex_read_tokens(&m, &t);
	require(t.input >= 0 && t.output >= 0);
	codex_turn_text(m.object);
	codex_error_words(a, json_object_get(m.object, "error"));
	paths = json_keep(a, codex_paths(m.object));
	require(json_array_size(paths) <= CODEX_PATHS_MAX + 1);
	if (m.kind == CODEX_REQUEST)
		answer(a, &m, paths);
}

/* Wrapping a text and taking the wrapping off gives the text. */
static void wrap(struct arena *a, const char *line, size_t n)
{
	char *text = arena_strndup(a, line, n), *out = arena_alloc(a, 4 * n + 32);
	size_t len = 0;

	codex_unwrap(a, text);
	memcpy(out, "/bin/sh -c '", 12);
	len = 12;
	for (const char *s = text; *s; s++) {
		if (*s == '\'') {
			memcpy(out + len, "'\\''", 4);
			len += 4;
		} else {
			out[len++] = *s;
		}
	}
	out[len] = '\'';
	require(strcmp(codex_unwrap(a, out), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *at = (const char *)data, *end = at + size;

	for (int i = 0; at < end && i < 1000; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);
		const json_t *v = json_read(a, at, n);

		if (v)
			one(a, v);
		wrap(a, at, n);
		at += n + 1;
	}
	arena_free(a);
	return 0;
}
