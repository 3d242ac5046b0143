/* Claude Code. */
#include "jobrunner/program.h"
#include "jobrunner/run.h"

static int claude_drive(struct run *r)
{
	return run_end(r, &(struct ending){ .status = "failed", .result = "not built", .error = "not built", .setup = true });
}

static enum rc claude_ask(struct job *j UNUSED, const struct model_call *mc UNUSED, struct turn *out UNUSED, struct err *e)
{
	return err_set(e, RC_UPSTREAM, "not built");
}

const struct runtime_ops RUNTIME_CLAUDE = {
	.id = "claude-code",
	.provider = "openai",
	.label = "Claude Code",
	.no_key = "No OpenAI API key configured. Set one in Settings > Authentication.",
	.flags = OPS_NO_ERROR_ROW,
	.program = &PROGRAM_CLAUDE,
	.agent_type = "claude-code",
	.drive = claude_drive,
	.ask = claude_ask,
};
