/* Messages of the Model Context Protocol, one a line, to one server in both of its manners (the
 * first byte chooses): every answer is one line of JSON, and a tool is called only with a name that
 * is listed and with an object. */
#include "jobrunner/mcp.h"
#include "tests/fuzz/fuzz.h"

static enum mcp_outcome call(void *arg, const struct mcp_call *c, const char **text)
{
	require(strcmp(c->name, "one") == 0 || strcmp(c->name, "two") == 0);
	require(!c->arguments || json_is_object(c->arguments));
	*text = json_text(arg, c->arguments ? c->arguments : c->id);
	return (enum mcp_outcome)(json_object_size(c->arguments) % 3);
}

static void cancel(void *arg, const json_t *id)
{
	require(*json_text(arg, id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	struct mcp_host host = { .acknowledge = size && data[0] & 1, .call = call,
		.cancel = cancel, .arg = a };
	json_t *tools = json_loads("[{\"name\":\"one\"},{\"name\":\"two\"}]", 0, NULL);
	const char *at = (const char *)data + 1, *end = (const char *)data + size, *stop;
	struct mcp m;

	host.tools = tools;
	mcp_init(&m, &host);
	for (; size && at < end; at = stop + 1) {
		const char *answer;

		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		answer = mcp_answer(&m, a, at, (size_t)(stop - at));
		require(!answer || (!strchr(answer, '\n') && json_read_text(a, answer)));
		require(memchr(m.client, '\0', sizeof m.client) != NULL);
	}
	json_decref(tools);
	arena_free(a);
	return 0;
}
