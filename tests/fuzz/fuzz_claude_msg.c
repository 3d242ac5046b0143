/* Messages of Claude Code, one a line, through everything that reads them: what a kind promises is
 * there, and nothing is read from what is not. */
#include "jobrunner/runtimes/claude_msg.h"
#include "tests/fuzz/fuzz.h"

static void read_block(const json_t *block)
{
	struct claude_image images[3];
	const char *call, *name;
	const json_t *input;
	size_t n = claude_block_images(block, images, COUNT(images));

	require(n <= COUNT(images));
	for (size_t i = 0; i < n; i++)
		require(strlen(images[i].data) <= images[i].n);
	if (claude_block_call(block, &call, &name, &input))
		require(call && name && json_is_object(input));
	if (claude_block_result(block, &call))
		require(call != NULL);
}

static void read_result(struct arena *a, const json_t *v)
{
	struct claude_result r;
	struct claude_tokens t;
	const char *model;
	json_t *usage;

	claude_result_read(a, v, &r);
	require(r.text && text_is_utf8(r.text, strlen(r.text)));
	require(r.turns >= 0 && r.status >= 0 && (!r.models || json_is_object(r.models)));
	json_object_foreach((json_t *)(uintptr_t)r.models, model, usage) {
		claude_tokens_read(usage, &t);
		require(t.input >= 0 && t.output >= 0 && t.cache_read >= 0 && t.cache_write >= 0);
	}
}

static void read_message(struct arena *a, const json_t *v)
{
	struct claude_msg m;
	size_t i;
	json_t *block;

	claude_msg_read(v, &m);
	switch (m.kind) {
	case CLAUDE_EVENT:
		require(m.name && json_is_object(m.body));
		break;
	case CLAUDE_ASSISTANT:
	case CLAUDE_USER:
		require(json_is_array(m.body));
		json_array_foreach(m.body, i, block)
			read_block(block);
		break;
	case CLAUDE_RESULT:
		read_result(a, v);
		break;
	case CLAUDE_ASK:
		require(m.request && m.name);
		break;
	case CLAUDE_MCP:
		require(m.request && json_is_object(m.body));
		break;
	case CLAUDE_CONTROL:
	case CLAUDE_CANCEL:
	case CLAUDE_ANSWER:
		require(m.request != NULL);
		break;
	default:
		require(m.status >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *at = (const char *)data, *end = at + size, *stop;

	for (; at < end; at = stop + 1) {
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		read_message(a, json_read(a, at, (size_t)(stop - at)));
	}
	arena_free(a);
	return 0;
}
