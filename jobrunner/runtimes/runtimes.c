/* The list of runtimes, and what a call on one of them needs: program, key, address, model. */
#include "jobrunner/runtime.h"

#include "core/domain/settings.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/program.h"

static const struct runtime_ops *const RUNTIMES[] = {
	&RUNTIME_CLAUDE,
	&RUNTIME_CODEX,
	&RUNTIME_ANTHROPIC,
	&RUNTIME_OPENAI,
	&RUNTIME_OLLAMA,
};

const struct runtime_ops *runtime_find(const char *id)
{
	for (size_t i = 0; id && i < COUNT(RUNTIMES); i++)
		if (strcmp(RUNTIMES[i]->id, id) == 0)
			return RUNTIMES[i];
	return NULL;
}

static const char *base_url(struct ctx *cx, const struct runtime_ops *ops)
{
	const char *url;

	if (ops == &RUNTIME_OPENAI || ops == &RUNTIME_CODEX)
		return cx->conf->openai_url;
	if (ops != &RUNTIME_OLLAMA)
		return cx->conf->anthropic_url;
	url = setting_get(cx, SETTING_OLLAMA_URL); /* as it is: the rows show it */
	return url && *url ? url : cx->conf->ollama_url;
}

/* Without its program, Claude Code is the built-in loop, if it may. */
static const struct runtime_ops *stand_in(struct ctx *cx, struct runtime_access *out)
{
	if (out->ops != &RUNTIME_CLAUDE || strcmp(cx->conf->runtime_fallback, "on") != 0)
		return NULL;
	out->fallback = "Claude Code CLI not found";
	return &RUNTIME_CLAUDE_BUILTIN;
}

/* The key of the provider, where the runtime gets one; NULL, or why it cannot go on. */
static const char *set_key(struct ctx *cx, struct runtime_access *out)
{
	const char *method = setting_get(cx, SETTING_AUTH_METHOD);

	if (!out->ops->no_key)
		return NULL;
	if (out->ops == &RUNTIME_CLAUDE && !(method && strcmp(method, "api_key") == 0))
		return NULL; /* the program has a login of its own */
	out->key = provider_key_from(cx, out->ops->provider, &out->key_from);
	if (!out->key || !*out->key)
		return out->ops->no_key;
	text_hide(out->key);
	return NULL;
}

const char *runtime_access(struct ctx *cx, const char *id, struct runtime_access *out)
{
	const struct program *program;
	const char *model, *why;

	*out = (struct runtime_access){ .ops = runtime_find(id) };
	if (!out->ops)
		return arena_printf(cx->arena, "Runtime %s is not available here", id);
	program = out->ops->program;
	if (program)
		out->program = program_find(cx->conf, cx->arena, program);
	if (program && !out->program && !(out->ops = stand_in(cx, out)))
		return program_missing(cx->arena, program);
	why = set_key(cx, out);
	if (why)
		return why;
	out->base_url = base_url(cx, out->ops);
	model = out->ops->model_setting ? setting_get(cx, out->ops->model_setting) : NULL;
	out->model = model && *model ? model : out->ops->model_default;
	return NULL;
}
