/* Permission patterns: three lines, PATTERN, TOOL, INPUT. A list matches where one of it does; a
 * plain name covers every call of its tool; no pattern with a star in it lets a command through that
 * has an operator or a substitution; what is shown to a person is one short line. */
#include "core/policy.h"
#include "tests/fuzz/fuzz.h"

#define SUMMARY_UNITS 120

/* Whether a shell would see more than one plain command, without any quotes to think of. */
static bool is_compound(const char *command)
{
	return command && !strpbrk(command, "'\"\\") &&
	       (strpbrk(command, ";|&`\n") || strstr(command, "$("));
}

/* Whether the pattern is Bash(X…*…), with something before its first star. */
static bool is_open(const char *pattern)
{
	const char *star = strchr(pattern, '*'), *from = strchr(pattern, '(');
	const char *colon = strchr(pattern, ':');

	return text_starts(pattern, "Bash(") && star && star > from + 1 &&
	       !(colon && colon + 1 == star);
}

static void check(struct arena *a, const char *pattern, const char *tool, const json_t *input)
{
	bool match = policy_match(a, pattern, tool, input, "/work");
	json_t *list = json_keep(a, json_pack("[s]", pattern));
	const char *command = json_str(input, "command");

	if (list)
		require(policy_match_any(a, list, tool, input, "/work") == match);
	require(!policy_match_any(a, json_keep(a, json_array()), tool, input, "/work"));
	if (*tool && !strpbrk(tool, "()*"))
		require(policy_match(a, tool, tool, input, NULL));
	if (strcmp(tool, "Bash") == 0 && is_compound(command) && is_open(pattern))
		require(!match);
	require(*policy_suggest(a, tool, input) || !*tool);
	require(policy_same_tool(tool, tool) == (*tool != '\0'));
	require(text_units(policy_summary(a, "permission_required", tool, input)) <= SUMMARY_UNITS);
	require(policy_label(a, "permission_required", tool) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *text = (const char *)data, *end = text + size;
	const char *pattern = fuzz_line(a, &text, end), *tool = fuzz_line(a, &text, end);
	const json_t *input = json_read(a, text, (size_t)(end - text));

	/* Names and inputs come out of JSON, patterns as well. */
	if (text_is_utf8(pattern, strlen(pattern)) && text_is_utf8(tool, strlen(tool)))
		check(a, pattern, tool, json_is_object(input) ? input : NULL);
	arena_free(a);
	return 0;
}
