/* The catalogue of runtimes. */
#include "core/catalog.h"

#define ALL (CAN_RESUME | CAN_CANCEL | CAN_APPROVALS | CAN_TASK_ASSIST | CAN_HEALTH_CHECK)

const struct runtime_info RUNTIME_CATALOG[RUNTIMES_N] = {
	{ "claude-code", "Claude Code", "anthropic",
	    ALL | CAN_MCP_SERVERS | CAN_PROFILE_TESTS | CAN_PROFILE_ASSIST },
	{ "openai-codex-app-server", "OpenAI Codex App Server", "openai", ALL },
	{ "anthropic-direct", "Anthropic Direct API", "anthropic",
	    ALL | CAN_MCP_SERVERS | CAN_PROFILE_ASSIST },
	{ "openai-direct", "OpenAI Direct API", "openai", ALL },
	{ "ollama", "Ollama (Local)", "ollama",
	    CAN_CANCEL | CAN_TASK_ASSIST | CAN_HEALTH_CHECK },
};

const struct runtime_info *catalog_find(const char *id)
{
	for (size_t i = 0; id && i < RUNTIMES_N; i++)
		if (strcmp(RUNTIME_CATALOG[i].id, id) == 0)
			return &RUNTIME_CATALOG[i];
	return NULL;
}

const struct runtime_info *catalog_resolve(const char *id)
{
	const struct runtime_info *r = catalog_find(id);

	return r ? r : &RUNTIME_CATALOG[0];
}
