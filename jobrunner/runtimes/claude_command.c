/* How Claude Code is started: arguments, environment, tool servers. The client's own settings are
 * not read, since they might allow tools; nothing is ever passed as allowed, since that would not be
 * asked for. The key comes through a pipe: the client hands its environment on to the commands that
 * it runs. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/runtimes/claude.h"

#define ARGS_MAX      48
#define SERVER_ARGS_MAX 64
#define ARGUMENT_MAX  ((size_t)100 << 10)
#define TOOLS_MAX     256
#define EXA_URL	      "https://mcp.exa.ai/mcp"

const char *claude_secret(const char *key)
{
	const char *token = getenv("CLAUDE_CODE_OAUTH_TOKEN");

	return key ? key : token && *token ? token : NULL;
}

const char *const *claude_env(struct ctx *cx, struct arena *a, const char *key)
{
	const char **env = arena_array(a, const char *, 8);
	const char *home;
	size_t n = 0;

	env[n++] = "DISABLE_AUTOUPDATER=1";
	env[n++] = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1";
	env[n++] = "CLAUDE_CODE_MAX_RETRIES=4";
	env[n++] = arena_printf(a, "ANTHROPIC_BASE_URL=%s", cx->conf->anthropic_url);
	if (key) {
		home = program_home(cx->conf, a, &PROGRAM_CLAUDE);
		if (!home)
			return NULL;
		env[n++] = arena_printf(
		    a, "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR=%d", CHILD_SECRET_FD);
		env[n++] = arena_printf(a, "CLAUDE_CONFIG_DIR=%s", home);
	} else if (claude_secret(NULL)) {
		env[n++] = arena_printf(
		    a, "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR=%d", CHILD_SECRET_FD);
	}
	return env;
}

/* ---- tools ---- */

/* The tool of one allowedTools entry, without what stands in parentheses; NULL where it is one of
 * ours or of a server. */
static const char *builtin_tool(struct arena *a, const json_t *entry)
{
	const char *text = json_string_value(entry), *name;

	if (!text)
		return NULL;
	name = text_trim(a, arena_strndup(a, text, strcspn(text, "(")));
	if (!*name || text_starts(name, "mcp__") || tool_find(name) || strpbrk(name, ", \t"))
		return NULL;
	return name;
}

/* The built-in tools that the profile leaves; NULL where it does not restrict them. */
static const char *tools_list(struct run *r)
{
	struct arena *a = r->arena;
	const json_t *allowed = r->profile.allowed_tools;
	const char *list = "", *name;
	json_t *seen = json_keep(a, json_object()), *entry;
	size_t i;

	if (!json_array_size(allowed))
		return NULL;
	json_array_foreach(allowed, i, entry) {
		name = builtin_tool(a, entry);
		if (!name || json_object_get(seen, name) || i == TOOLS_MAX)
			continue;
		json_object_set_new(seen, name, json_true());
		list = arena_printf(a, "%s%s,", list, name);
	}
	return arena_printf(a, "%sAskUserQuestion", list);
}

/* ---- tool servers ---- */

/* Appends the configured arguments: a JSON array of texts, or words. */
static void add_server_args(struct ctx *cx, json_t *args, const char *setting)
{
	const char *text = setting_get(cx, setting);
	const json_t *list = text && *text == '[' ? json_read_text(cx->arena, text) : NULL;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_is_string(v) && i < SERVER_ARGS_MAX)
			json_array_append(args, v);
	for (i = 0; !list && text && i < SERVER_ARGS_MAX; i++) {
		size_t n;

		text += strspn(text, " \t\r\n");
		n = strcspn(text, " \t\r\n");
		if (!n)
			break;
		json_array_append_new(args, json_stringn(text, n));
		text += n;
	}
}

static void add_browser(struct ctx *cx, json_t *servers, const char *name, const char *package,
    const char *on, const char *args)
{
	json_t *list;

	if (!setting_flag(cx, on))
		return;
	list = json_pack("[s, s]", "-y", package);
	add_server_args(cx, list, args);
	json_object_set_new(servers, name, json_pack("{s:s, s:o}", "command", "npx", "args", list));
}

/* The profile's servers, those that the settings switch on, and ours: later ones replace earlier
 * ones of the same name. */
static json_t *tool_servers(struct run *r)
{
	struct ctx *cx = r->cx;
	json_t *servers = json_object();

	if (json_is_object(r->profile.mcp_servers))
		json_object_update(servers, (json_t *)(uintptr_t)r->profile.mcp_servers);
	add_browser(cx, servers, "chrome-devtools", "chrome-devtools-mcp@latest", SETTING_CHROME_ON,
	    SETTING_CHROME_ARGS);
	add_browser(cx, servers, "playwright", "@playwright/mcp@latest", SETTING_PLAYWRIGHT_ON,
	    SETTING_PLAYWRIGHT_ARGS);
	if (setting_flag(cx, SETTING_EXA_ON))
		json_object_set_new(
		    servers, "exa", json_pack("{s:s, s:s}", "type", "http", "url", EXA_URL));
	json_object_set_new(servers, CLAUDE_SERVER,
	    json_pack("{s:s, s:s}", "type", "sdk", "name", CLAUDE_SERVER));
	return json_keep(r->arena, servers);
}

/* What a server is given may be secret, and arguments are seen by everybody on the machine. */
static bool is_private(const json_t *servers)
{
	const char *name;
	json_t *s;

	json_object_foreach((json_t *)(uintptr_t)servers, name, s)
		if (json_object_get(s, "env") || json_object_get(s, "headers"))
			return true;
	return false;
}

/* Writes TEXT to a file that only we can read; its path, or NULL. */
static const char *private_file(struct run *r, const char *text)
{
	const char *dir = arena_printf(r->arena, "%s/runs", r->cx->conf->data_dir);
	const char *path = arena_printf(r->arena, "%s/%s.mcp.json", dir, r->task.id);
	size_t n = strlen(text);
	bool ok;
	int fd;

	mkdir(dir, 0700);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	ok = write(fd, text, n) == (ssize_t)n;
	close(fd);
	return ok ? path : NULL;
}

/* ---- arguments ---- */

static const char *const ALWAYS[] = { "-p", "--output-format", "stream-json", "--verbose",
	"--input-format", "stream-json", "--permission-prompt-tool", "stdio", "--permission-mode",
	"default", "--setting-sources", "", "--include-partial-messages" };

const char *claude_command(struct run *r, bool resume, struct claude_command *out)
{
	struct arena *a = r->arena;
	const char **argv = arena_array(a, const char *, ARGS_MAX);
	const json_t *servers = tool_servers(r);
	const char *tools = tools_list(r);
	const char *config = arena_printf(a, "{\"mcpServers\":%s}", json_text(a, servers));
	size_t n = 0;

	*out = (struct claude_command){ .argv = argv, .env = claude_env(r->cx, a, r->access.key) };
	if (!out->env)
		return "The private home of Claude Code cannot be made";
	if (is_private(servers) || strlen(config) > ARGUMENT_MAX) {
		out->mcp_file = config = private_file(r, config);
		if (!config)
			return "The list of tool servers cannot be written";
	}
	argv[n++] = "claude";
	for (size_t i = 0; i < COUNT(ALWAYS); i++)
		argv[n++] = ALWAYS[i];
	argv[n++] = "--max-turns";
	argv[n++] = arena_printf(a, "%lld", (long long)r->max_turns);
	argv[n++] = "--max-budget-usd";
	argv[n++] = arena_printf(a, "%.6g", (double)(run_spend_limit(r) - run_spent(r)) / 1e6);
	argv[n++] = resume ? "--resume" : "--session-id";
	argv[n++] = r->task.session_id;
	argv[n++] = "--model";
	argv[n++] = r->model;
	if (tools) {
		argv[n++] = "--tools";
		argv[n++] = tools;
	}
	argv[n++] = "--mcp-config";
	argv[n++] = config;
	argv[n++] = "--strict-mcp-config";
	return NULL;
}
