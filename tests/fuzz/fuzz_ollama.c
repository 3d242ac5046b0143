/* Answers of an Ollama server: any split gives the same turn, and a conversation with that turn can
 * be answered, shrunk, stored, restored and sent. The first byte seeds the splits. */
#include "jobrunner/runtimes/ollama.h"
#include "tests/fuzz/fuzz.h"

static bool run(struct arena *a, const char *text, size_t n, uint32_t seed, struct turn *t)
{
	struct ollama_answer s;
	bool ok;

	ollama_answer_init(&s, a);
	ok = fuzz_feed(ollama_answer_feed, ollama_answer_restart, &s, text, n, seed);
	ok = ok && ollama_answer_whole(&s);
	if (ok)
		ollama_answer_turn(&s, t);
	ollama_answer_fini(&s);
	return ok;
}

/* What must hold of every turn once it is part of a conversation. */
static void converse(struct arena *a, const struct turn *t)
{
	const struct runtime_ops *rt = &RUNTIME_OLLAMA;
	json_t *c = json_keep(a, rt->start("Go"));
	struct model_call mc = { .model = "m", .conversation = c };
	struct tool_call *calls;
	struct buf body;
	size_t n;

	rt->add_turn(c, t);
	require(rt->ends_with_turn(c) == (t->message != NULL));
	n = rt->open_calls(a, c, &calls);
	require(n == t->n_calls);
	for (size_t i = 0; i < n; i++) {
		struct tool_result r = { calls[i].id, calls[i].name, "result", i & 1 };

		require(json_is_object(calls[i].input));
		rt->add_results(c, &r, 1);
	}
	rt->add_user(c, "more");
	require(rt->open_calls(a, c, &calls) == 0);
	rt->shrink(c, 100);
	require(json_keep(a, rt->restore(json_read_text(a, rt->snapshot(a, c)), NULL, "Go")) !=
		NULL);
	buf_init(&body, HTTP_REQUEST_MAX);
	ollama_request(&body, &mc, true, true);
	require(!body.failed && json_read(a, body.data, body.len));
	buf_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	struct turn whole, split;
	bool ok;

	if (size) {
		ok = run(a, (const char *)data + 1, size - 1, 0, &whole);
		require(run(a, (const char *)data + 1, size - 1, data[0] + 1u, &split) == ok);
		if (ok) {
			require((whole.message == NULL) == (split.message == NULL));
			require(!whole.message || strcmp(json_text(a, whole.message),
						      json_text(a, split.message)) == 0);
			require(strcmp(whole.text, split.text) == 0);
			require(whole.stop == split.stop && whole.n_calls == split.n_calls);
			converse(a, &whole);
		}
	}
	arena_free(a);
	return 0;
}
