/* Heartbeats: the text as an agent's answer and as a checklist. What cannot be read needs action; words
 * for the log and the order for the agent are UTF-8 of a bounded length, whatever was in them; an
 * answer is the same with words around it. */
#include "core/domain/heartbeat.h"
#include "tests/fuzz/fuzz.h"

#define REPORT_MAX (80 << 10)
#define PROMPT_MAX (300 << 10)

static void check_answer(struct arena *a, const char *text)
{
	struct heartbeat_answer r = heartbeat_read(a, text), wrapped;
	const char *report = heartbeat_report(a, &r, 1);

	require(r.readable || (r.action && !*r.summaries));
	require(text_is_utf8(report, strlen(report)) && strlen(report) < REPORT_MAX);
	if (!r.readable || strstr(text, "```"))
		return;
	wrapped = heartbeat_read(a, arena_printf(a, "```json\n%s\n```", text));
	require(wrapped.readable && wrapped.action == r.action);
	require(strcmp(wrapped.summaries, r.summaries) == 0);
}

static void check_list(struct arena *a, const char *text)
{
	const char *prompt = heartbeat_prompt(a, "name", text);

	require(!prompt || (strlen(prompt) < PROMPT_MAX && text_is_utf8(prompt, strlen(prompt)) &&
			       strstr(prompt, "\n1. [") != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *text = arena_strndup(a, (const char *)data, size);

	/* Results and checklists come out of the database, which takes UTF-8 only. */
	if (text_is_utf8(text, strlen(text))) {
		check_answer(a, text);
		check_list(a, text);
	}
	arena_free(a);
	return 0;
}
