/* Matching of permission patterns, and the presets. What is shown of a request is at the end. */
#include "core/policy.h"

#include <strings.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define STAGENT "mcp__stagent__"
#define SUMMARY_MAX 120

enum kind { KIND_PLAIN, KIND_SHELL, KIND_PATH };

/* The tools whose main value has a name; the second key counts where the first is not given. */
static const struct tool {
	const char *name;
	enum kind kind;
	const char *keys[2];
} TOOLS[] = {
	{ "Bash", KIND_SHELL, { "command", "cmd" } },
	{ "Read", KIND_PATH, { "file_path", "path" } },
	{ "Write", KIND_PATH, { "file_path", "path" } },
	{ "Edit", KIND_PATH, { "file_path", "path" } },
	{ "MultiEdit", KIND_PATH, { "file_path", "path" } },
	{ "NotebookRead", KIND_PATH, { "notebook_path" } },
	{ "NotebookEdit", KIND_PATH, { "notebook_path" } },
	{ "LS", KIND_PATH, { "path" } },
	{ "Glob", KIND_PATH, { "pattern" } },
	{ "Grep", KIND_PLAIN, { "pattern" } },
	{ "WebFetch", KIND_PLAIN, { "url" } },
	{ "WebSearch", KIND_PLAIN, { "query" } },
};

/* How a text of a pattern is compared. */
enum how { EXACT, PREFIX, WILD };

struct call {
	struct arena *a;
	const struct tool *tool; /* NULL: none of the table */
	const json_t *input;
	const char *workdir;
};

/* In any case, so that the safety rules hold for every spelling. */
static const struct tool *find_tool(const char *name)
{
	for (size_t i = 0; i < COUNT(TOOLS); i++)
		if (strcasecmp(TOOLS[i].name, name) == 0)
			return &TOOLS[i];
	return NULL;
}

static bool given(const json_t *input, const char *key)
{
	const json_t *v = key ? json_object_get(input, key) : NULL;

	return v && !json_is_null(v);
}

static bool is_catalogue_name(const char *s)
{
	return *s && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz_")] && !text_starts(s, "mcp__") &&
	       !find_tool(s);
}

/* Whether the N bytes of NAME are the tool's name, or its beginning. */
static bool is_name(const char *name, size_t n, bool prefix, const char *tool)
{
	return strncmp(name, tool, n) == 0 && (prefix || !tool[n]);
}

static bool name_fits(const char *name, size_t n, bool prefix, const char *tool)
{
	size_t m = strlen(STAGENT);

	if (is_name(name, n, prefix, tool))
		return true;
	if (text_starts(tool, STAGENT))
		return is_catalogue_name(tool + m) && is_name(name, n, prefix, tool + m);
	if (!is_catalogue_name(tool))
		return false;
	/* A wider pattern, such as mcp__*, means other servers: the bare tools are not theirs. */
	return n >= m && strncmp(name, STAGENT, m) == 0 && is_name(name + m, n - m, prefix, tool);
}

bool policy_same_tool(const char *name, const char *tool)
{
	return *name && *tool && name_fits(name, strlen(name), false, tool);
}

/* A star in P is any run of characters of S. */
static bool wild_fits(const char *p, const char *s)
{
	size_t n = strcspn(p, "*");

	if (!p[n])
		return strcmp(p, s) == 0;
	if (strncmp(p, s, n) != 0)
		return false;
	for (s += n, p += n;; s += n, p += n) {
		p += strspn(p, "*");
		n = strcspn(p, "*");
		if (!p[n])
			return text_ends(s, p);
		s = memmem(s, strlen(s), p, n);
		if (!s)
			return false;
	}
}

static bool text_fits(enum how how, const char *pattern, const char *s)
{
	return how == EXACT ? strcmp(pattern, s) == 0
	    : how == PREFIX ? text_starts(s, pattern)
			    : wild_fits(pattern, s);
}

/* Whether a POSIX shell takes S as one command without substitutions, whatever is between single
 * quotes. Everything that could move the quotes (comments, ${}, $[], $'') counts as a no. */
static bool is_simple_command(const char *s)
{
	bool has_single = strchr(s, '\'') != NULL;
	enum { BARE, SINGLE, DOUBLE, COMMENT } state = BARE;

	for (char before = ' '; *s; before = *s++) {
		if (state == SINGLE) {
			if (*s == '\'')
				state = BARE;
			continue;
		}
		if (strchr(";&|<>\n`", *s))
			return false;
		if (*s == '$' && s[1] && (s[1] == '(' || (has_single && strchr("'{[", s[1]))))
			return false;
		if (state == COMMENT)
			continue;
		if (*s == '\\' && s[1] && strchr("\\\"'(", s[1]))
			s++;
		else if (*s == '"')
			state = state == DOUBLE ? BARE : DOUBLE;
		else if (state == DOUBLE)
			continue;
		else if (*s == '\'')
			state = SINGLE;
		else if (*s == '(')
			return false;
		else if (*s == '#' && (before == ' ' || before == '\t'))
			state = COMMENT;
	}
	return state == BARE || state == COMMENT;
}

/* PATH without "." and empty segments; sets *UP where there is a "..". */
static const char *plain_path(struct arena *a, const char *path, bool *up)
{
	char *out = arena_alloc(a, strlen(path) + 1), *w = out;

	if (*path == '/')
		*w++ = '/';
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && memcmp(path, "..", 2) == 0)
			*up = true;
		if (n && !(n == 1 && *path == '.')) {
			if (w > out && w[-1] != '/')
				*w++ = '/';
			memcpy(w, path, n);
			w += n;
		}
		path += n + (path[n] == '/');
	}
	*w = '\0';
	return out;
}

/* Compares a path as it is given and, where only one of the two is absolute, from the working
 * directory. */
static bool path_fits(const struct call *c, enum how how, const char *pattern, const char *path)
{
	bool up = false, below = text_starts(pattern, "./");
	const char *plain = plain_path(c->a, path, &up), *dir;
	size_t n;

	if (how == EXACT && strcmp(pattern, path) == 0)
		return true;
	if (up)
		return false;
	if (below)
		pattern += 2;
	if (!(below && *plain == '/') &&
	    (text_fits(how, pattern, path) || text_fits(how, pattern, plain)))
		return true;
	if (!c->workdir || *c->workdir != '/' || (*pattern == '/') == (*plain == '/'))
		return false;
	dir = plain_path(c->a, c->workdir, &up);
	n = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
	if (up)
		return false;
	if (*pattern == '/')
		return text_fits(how, pattern,
		    arena_printf(c->a, "%.*s%s%s", (int)n, dir, *plain ? "/" : "", plain));
	return strncmp(plain, dir, n) == 0 && plain[n] == '/' &&
	       text_fits(how, pattern, plain + n + 1);
}

static bool is_path(const struct call *c, const char *key)
{
	return strcmp(key, "path") == 0 || text_ends(key, "_path") ||
	       (c->tool && c->tool->kind == KIND_PATH && strcmp(key, c->tool->keys[0]) == 0);
}

/* The key of the main value, or NULL. */
static const char *main_key(const struct call *c)
{
	const char *key;
	json_t *v;

	if (c->tool)
		return given(c->input, c->tool->keys[0]) ? c->tool->keys[0] : c->tool->keys[1];
	json_object_foreach((json_t *)(uintptr_t)c->input, key, v)
		if (json_is_string(v))
			return key;
	return NULL;
}

static bool is_shell(const struct call *c)
{
	return c->tool && c->tool->kind == KIND_SHELL;
}

static bool command_is_simple(const struct call *c)
{
	const char *command = json_str(c->input, main_key(c));

	return command && is_simple_command(command);
}

static const char *value_text(struct arena *a, const json_t *v)
{
	if (!v || json_is_null(v))
		return "";
	return json_is_string(v) ? json_string_value(v) : json_text(a, v);
}

/* A file change may name more paths than its main one: what allows it must cover all of them. */
static bool more_paths_fit(const struct call *c, enum how how, const char *key,
    const char *pattern)
{
	const char *root = json_str(c->input, "grantRoot");
	size_t i;
	json_t *path;

	if (!c->tool || strcmp(key, c->tool->keys[0]) != 0)
		return true;
	json_array_foreach(json_object_get(c->input, "paths"), i, path)
		if (!json_is_string(path) ||
		    !path_fits(c, how, pattern, json_string_value(path)))
			return false;
	return !root || path_fits(c, how, pattern, root);
}

/* Compares the input under KEY. */
static bool value_fits(const struct call *c, enum how how, const char *key, const char *pattern)
{
	const char *s = value_text(c->a, json_object_get(c->input, key));

	if (is_shell(c) && how != EXACT && !command_is_simple(c))
		return false;
	if (!is_path(c, key))
		return text_fits(how, pattern, s);
	return path_fits(c, how, pattern, s) && more_paths_fit(c, how, key, pattern);
}

static bool main_value_fits(const struct call *c, const char *pattern)
{
	const char *key = main_key(c);

	return key && json_str(c->input, key) &&
	       value_fits(c, strchr(pattern, '*') ? WILD : EXACT, key, pattern);
}

static bool words_fit(const struct call *c, const char *words, size_t n)
{
	const char *command = json_str(c->input, main_key(c));

	return n && command && strncmp(command, words, n) == 0 &&
	       (!command[n] || command[n] == ' ') && is_simple_command(command);
}

/* KEY:VALUE. Of a shell call only the keys of its command may be missing. */
static bool pair_fits(const struct call *c, const char *arg, const char *colon)
{
	const char *key = arena_strndup(c->a, arg, (size_t)(colon - arg)), *value = colon + 1;
	size_t n = strlen(value);
	bool known = c->tool && (strcmp(key, c->tool->keys[0]) == 0 ||
				    (c->tool->keys[1] && strcmp(key, c->tool->keys[1]) == 0));

	if (is_shell(c) && !known && text_ends(arg, ":*"))
		return words_fit(c, arg, strlen(arg) - 2);
	if (strcmp(value, "*") == 0)
		return true;
	if (is_shell(c) && !known && !given(c->input, key))
		return false;
	if (known && strcmp(key, c->tool->keys[0]) != 0 && given(c->input, c->tool->keys[0]))
		return false;
	if (n && value[n - 1] == '*')
		return value_fits(c, PREFIX, key, arena_strndup(c->a, value, n - 1));
	return value_fits(c, EXACT, key, value);
}

bool policy_match(struct arena *a, const char *pattern, const char *tool, const json_t *input,
    const char *workdir)
{
	struct call c = { a, find_tool(tool), input, workdir };
	const char *open = strchr(pattern, '('), *arg, *colon;
	size_t n = strlen(pattern);

	if (!n || !*tool)
		return false;
	if (!open) {
		bool prefix = n > 1 && pattern[n - 1] == '*';

		return name_fits(pattern, prefix ? n - 1 : n, prefix, tool);
	}
	if (pattern[n - 1] != ')' || open == pattern ||
	    !name_fits(pattern, (size_t)(open - pattern), false, tool))
		return false;
	arg = arena_strndup(a, open + 1, n - (size_t)(open - pattern) - 2);
	if (*arg && !arg[strspn(arg, "*")])
		return true;
	colon = strchr(arg, ':');
	return colon ? pair_fits(&c, arg, colon) : main_value_fits(&c, arg);
}

bool policy_match_any(struct arena *a, const json_t *list, const char *tool, const json_t *input,
    const char *workdir)
{
	size_t i;
	json_t *pattern;

	json_array_foreach(list, i, pattern)
		if (json_is_string(pattern) &&
		    policy_match(a, json_string_value(pattern), tool, input, workdir))
			return true;
	return false;
}

const char *policy_suggest(struct arena *a, const char *tool, const json_t *input)
{
	const char *command = json_str(input, "command"), *word;

	if (strcmp(tool, "Bash") != 0 || !command)
		return tool;
	word = text_trim(a, command);
	if (!*word)
		return arena_printf(a, "Bash(command:%s)", command);
	return arena_printf(a, "Bash(command:%.*s *)", (int)strcspn(word, " \t\n\v\f\r"), word);
}

static const char *const READ_ONLY[] = { "Read", "Glob", "Grep", "LS", "NotebookRead" };
static const char *const GIT_SAFE[] = { "Read", "Glob", "Grep", "LS", "NotebookRead", "Write",
	"Edit", "Bash(command:git *)" };
static const char *const FULL_AUTO[] = { "Read", "Glob", "Grep", "LS", "NotebookRead", "Write",
	"Edit", "Bash", "NotebookEdit", "WebFetch", "WebSearch" };

const struct policy_preset POLICY_PRESETS[POLICY_PRESETS_N] = {
	{ "read-only", "Read Only", "low", "Agents look at files and change nothing unasked",
	    READ_ONLY, COUNT(READ_ONLY) },
	{ "git-safe", "Git Safe", "medium",
	    "Agents read and edit files and run git; other commands are asked for", GIT_SAFE,
	    COUNT(GIT_SAFE) },
	{ "full-auto", "Full Auto", "high",
	    "Agents read, write, run commands and use the web without a question", FULL_AUTO,
	    COUNT(FULL_AUTO) },
};

const struct policy_preset *policy_preset_find(const char *id)
{
	for (size_t i = 0; i < POLICY_PRESETS_N; i++)
		if (strcmp(POLICY_PRESETS[i].id, id) == 0)
			return &POLICY_PRESETS[i];
	return NULL;
}

bool policy_preset_active(const struct policy_preset *p, const json_t *list)
{
	for (size_t i = 0; i < p->n_patterns; i++)
		if (!json_has_text(list, p->patterns[i]))
			return false;
	return true;
}

/* The first entry of an object or array; false where it is empty. */
static bool first_entry(const json_t *input, const char **key, const json_t **v)
{
	void *it = json_object_iter((json_t *)(uintptr_t)input);

	if (it) {
		*key = json_object_iter_key(it);
		*v = json_object_iter_value(it);
	} else {
		*key = "0";
		*v = json_array_get(input, 0);
	}
	return *v != NULL;
}

static const char *first_text(const json_t *input)
{
	const char *key;
	json_t *v;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)input, key, v)
		if (json_is_string(v))
			return json_string_value(v);
	json_array_foreach(input, i, v)
		if (json_is_string(v))
			return json_string_value(v);
	return NULL;
}

/* The command or path that says it all, or NULL. */
static const char *gist(struct arena *a, const char *tool, const json_t *input)
{
	static const char *const NAMES[] = { "Bash", "bash", "Read", "read", "Write", "write",
		"Edit", "edit" };
	const struct call c = { a, find_tool(tool), input, NULL };
	const char *s;

	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (strcmp(tool, NAMES[i]) == 0) {
			s = json_str(input, main_key(&c));
			return s && !text_is_blank(s) ? text_trim(a, s) : NULL;
		}
	return NULL;
}

static const char *tool_summary(struct arena *a, const char *tool, const json_t *input)
{
	const char *s = tool ? gist(a, tool, input) : NULL, *key;
	const json_t *v;

	if (!s)
		s = first_text(input);
	if (!s && first_entry(input, &key, &v))
		s = arena_printf(a, "%s: %s", key, json_text(a, v));
	return s ? s : "Please review this request";
}

const char *policy_summary(struct arena *a, const char *type, const char *tool,
    const json_t *input)
{
	const char *s;

	if (strcmp(type, "context_proposal_batch") == 0)
		s = "A workflow has learned something; please review its notes";
	else if (strcmp(type, "context_proposal") == 0)
		s = arena_printf(a, "Please review new notes for profile %s", tool ? tool : "?");
	else
		s = tool_summary(a, tool, input);
	return text_ellipsis(a, s, SUMMARY_MAX);
}

const char *policy_label(struct arena *a, const char *type, const char *tool)
{
	const char *server, *name;

	if (strcmp(type, "context_proposal_batch") == 0)
		return "Workflow Learning";
	if (strcmp(type, "context_proposal") == 0)
		return "Context Proposal";
	if (!tool || !*tool)
		return "Tool";
	if (!text_starts(tool, "mcp__"))
		return tool;
	server = tool + strlen("mcp__");
	name = strstr(server, "__");
	server = name ? arena_strndup(a, server, (size_t)(name - server)) : server;
	name = name && name[2] ? name + 2 : "tool";
	return arena_printf(a, "MCP %s/%s", *server ? server : "server", name);
}
