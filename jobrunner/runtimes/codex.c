/* Codex. */
#include "jobrunner/program.h"
#include "jobrunner/run.h"

static int codex_drive(struct run *r)
{
	return run_end(r, &(struct ending){ .status = "failed", .result = "not built", .error = "not built", .setup = true });
}

static enum rc codex_ask(struct job *j UNUSED, const struct runtime_access *access UNUSED, const struct model_call *mc UNUSED, struct turn *out UNUSED, struct err *e)
{
	return err_set(e, RC_UPSTREAM, "not built");
}

const struct runtime_ops RUNTIME_CODEX = {
	.id = "openai-codex-app-server",
	.provider = "openai",
	.label = "OpenAI Codex App Server",
	.no_key = "No OpenAI API key configured. Set one in Settings > Authentication.",
	.flags = OPS_NO_ERROR_ROW,
	.program = &PROGRAM_CODEX,
	.agent_type = "openai-codex-app-server",
	.drive = codex_drive,
	.ask = codex_ask,
};
