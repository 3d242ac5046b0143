/* The list of HTTP runtimes, and what a call on one of them needs: key, address, model. */
#include "jobrunner/runtime.h"

#include <unistd.h>

#include "core/setting.h"
#include "core/text.h"

static const struct runtime_ops *const RUNTIMES[] = {
	&RUNTIME_CLAUDE_BUILTIN,
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

/* Whether NAME, a path or a name that is looked up in PATH, can be executed. */
static bool has_program(struct arena *a, const char *name)
{
	const char *at = getenv("PATH"), *end;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0;
	while (*name && at && *at) {
		end = strchrnul(at, ':');
		if (end > at &&
		    access(arena_printf(a, "%.*s/%s", (int)(end - at), at, name), X_OK) == 0)
			return true;
		at = *end ? end + 1 : end;
	}
	return false;
}

static const char *base_url(struct ctx *cx, const struct runtime_ops *ops)
{
	const char *url;

	if (ops == &RUNTIME_OPENAI)
		return cx->conf->openai_url;
	if (ops != &RUNTIME_OLLAMA)
		return cx->conf->anthropic_url;
	url = setting_get(cx, "ollama.baseUrl");
	return url && *url ? url : cx->conf->ollama_url;
}

/* What the built-in loop says when it takes the place of Claude Code; or why it may not. */
static const char *stand_in(struct ctx *cx, struct runtime_access *out)
{
	bool found = has_program(cx->arena, cx->conf->claude_program);

	if (strcmp(cx->conf->runtime_fallback, "on") != 0)
		return found ? "This version cannot run the Claude Code CLI, and runtime.fallback "
			       "is off."
			     : out->ops->no_key;
	out->fallback = found ? "This version cannot run the Claude Code CLI"
			      : "Claude Code CLI not found";
	return NULL;
}

const char *runtime_access(struct ctx *cx, const char *id, struct runtime_access *out)
{
	const char *model;

	*out = (struct runtime_access){ .ops = runtime_find(id) };
	if (!out->ops)
		return arena_printf(cx->arena, "Runtime %s is not available here", id);
	if (out->ops->no_key) {
		out->key = provider_key(cx, out->ops->provider);
		if (!out->key || !*out->key)
			return out->ops->no_key;
		text_hide(out->key);
	}
	out->base_url = base_url(cx, out->ops);
	model = setting_get(cx, out->ops->model_setting);
	out->model = model && *model ? model : out->ops->model_default;
	return out->ops == &RUNTIME_CLAUDE_BUILTIN ? stand_in(cx, out) : NULL;
}
