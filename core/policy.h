/* Permission patterns: which tool calls a saved pattern covers, and how a call is shown to the
 * person who decides about it. Pure functions; the list of patterns is kept by setting.h.
 *
 *   NAME                every call of the tool
 *   NAME*               every tool whose name begins so; NAME is not empty
 *   NAME(*)             every call of the tool
 *   NAME(KEY:VALUE)     the input under KEY, as text, is VALUE
 *   NAME(KEY:PREFIX*)   ... begins with PREFIX; only a star at the very end is special
 *   NAME(TEXT)          the main value of the call is TEXT; a star is any run of characters
 *   Bash(WORDS:*)       the command is WORDS or begins with WORDS and a blank
 *
 * Case counts, nothing is trimmed. Tools of our own catalogue (names of small letters and _) are
 * known under NAME and under mcp__stagent__NAME. What is in doubt does not match, so that a person
 * is asked:
 * - a shell command with an operator, a substitution or an open quote never matches a pattern with
 *   a star after at least one character, and an input key that a shell call lacks equals nothing;
 * - a path (key path or ..._path) with a ".." in it matches only its own text; others are compared
 *   without "." and, where one of path and pattern is absolute, below the working directory. Links
 *   are not followed;
 * - of two keys for one thing (command and cmd, file_path and path) the first one given counts. */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include <jansson.h>
#include "core/arena.h"

/* Whether PATTERN covers the call of TOOL with INPUT (an object, or NULL). WORKDIR is where
 * relative paths begin, or NULL. */
bool policy_match(struct arena *a, const char *pattern, const char *tool, const json_t *input,
    const char *workdir);
/* Whether a pattern of LIST (an array of texts) does. */
bool policy_match_any(struct arena *a, const json_t *list, const char *tool, const json_t *input,
    const char *workdir);
/* Whether NAME and TOOL are the same tool, for lists of plain names. */
bool policy_same_tool(const char *name, const char *tool);
/* The pattern that "always allow" saves for a call. */
const char *policy_suggest(struct arena *a, const char *tool, const json_t *input);

/* A named bundle of patterns. */
struct policy_preset {
	const char *id, *name, *risk, *description;
	const char *const *patterns;
	size_t n_patterns;
};

#define POLICY_PRESETS_N 3
extern const struct policy_preset POLICY_PRESETS[POLICY_PRESETS_N];

/* NULL where there is none of that id. */
const struct policy_preset *policy_preset_find(const char *id);
/* Whether all its patterns are in LIST. */
bool policy_preset_active(const struct policy_preset *p, const json_t *list);

/* One line on what a request of notification type TYPE is about, at most 120 characters. TOOL may
 * be NULL, INPUT is an object or array, or NULL. */
const char *policy_summary(struct arena *a, const char *type, const char *tool,
    const json_t *input);
/* The short name of what is asked for. */
const char *policy_label(struct arena *a, const char *type, const char *tool);

#endif
