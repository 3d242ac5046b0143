/* Codex: how the program is started, and what it is told first.
 *
 * The key goes to it through its pipe, with the settings of a thread: it is in no file and in no
 * environment, where the commands that the program runs could read it. The user's own configuration
 * and login are not touched, since it has a home of its own; and the folder it works in is not
 * trusted: a configuration there could allow commands, or start programs, without a question. */
#include <limits.h>
#include <stdlib.h>

#include "core/domain/settings.h"
#include "core/json_in.h"
#include "jobrunner/runtimes/codex.h"

#define ARGS_MAX 16

/* The setting for the folder, under the name it was given and under its own. */
static const char *no_trust(struct arena *a, const char *workdir)
{
	static const char LEVEL[] = "={trust_level=\"untrusted\"}";
	char real[PATH_MAX];
	const char *name = json_quote(a, workdir), *own;

	own = realpath(workdir, real) && strcmp(real, workdir) != 0 ? json_quote(a, real) : NULL;
	return arena_printf(a, "projects={%s%s%s%s%s}", name, LEVEL, own ? "," : "", own ? own : "",
	    own ? LEVEL : "");
}

const char *codex_command(struct ctx *cx, struct arena *a, const struct runtime_access *access,
    const char *workdir, struct codex_command *out)
{
	const char **argv = arena_array(a, const char *, ARGS_MAX);
	const char **env = arena_array(a, const char *, 2);
	const char *home = program_home(cx->conf, a, &PROGRAM_CODEX);
	const char *settings[] = {
		"model_provider=\"stagent\"",
		arena_printf(a,
		    "model_providers.stagent={name=\"Stagent\",base_url=%s,wire_api=\"responses\","
		    "request_max_retries=2,stream_max_retries=2}",
		    json_quote(a, access->base_url)),
		"mcp_servers={}",
		no_trust(a, workdir),
	};
	size_t n = 0;

	if (!home)
		return "The private home of Codex cannot be made";
	argv[n++] = "codex";
	argv[n++] = "app-server";
	for (size_t i = 0; i < COUNT(settings); i++) {
		argv[n++] = "-c";
		argv[n++] = settings[i];
	}
	env[0] = arena_printf(a, "CODEX_HOME=%s", home);
	*out = (struct codex_command){ argv, env };
	return NULL;
}

json_t *codex_thread_config(const struct runtime_access *access)
{
	return json_pack("{s:s}", "model_providers.stagent.experimental_bearer_token", access->key);
}

json_t *codex_greeting(void)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:{s:b, s:b, s:[s, s]}}", "clientInfo", "name",
	    "stagent", "title", "Stagent", "version", PACKAGE_VERSION, "capabilities",
	    "experimentalApi", 1, "requestAttestation", 0, "optOutNotificationMethods",
	    "account/rateLimits/updated", "turn/diff/updated");
}

/* It stands behind our own name: "stagent/0.169.0 (…". */
const char *codex_version(struct arena *a, const json_t *result)
{
	const char *agent = json_str(result, "userAgent");
	const char *slash = agent ? strchr(agent, '/') : NULL;
	size_t n = slash ? strspn(slash + 1, "0123456789.") : 0;

	return n && n < 32 ? arena_strndup(a, slash + 1, n) : NULL;
}

const struct runtime_ops RUNTIME_CODEX = {
	.id = "openai-codex-app-server",
	.provider = "openai",
	.label = "OpenAI Codex App Server",
	.source_setting = SETTING_OPENAI_SOURCE,
	.no_key = "No OpenAI API key configured. Set one in Settings > Authentication.",
	.flags = OPS_NO_ERROR_ROW,
	.tools_without = TOOL_DIRECT,
	.program = &PROGRAM_CODEX,
	.agent_type = "openai-codex-app-server",
	.drive = codex_drive,
	.ask = codex_ask,
	.log_start = codex_log_start,
	.log_end = codex_log_end,
};
