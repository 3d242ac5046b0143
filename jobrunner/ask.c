/* The one connection for questions: the Messages API, also for Claude Code. */
#include "jobrunner/ask.h"

#include "core/catalog.h"
#include "core/clock.h"
#include "core/json_in.h"
#include "core/price.h"
#include "core/setting.h"
#include "core/usage.h"

#define MAX_TOKENS 2048
#define TIMEOUT_DEFAULT_S 60

const char *ask_init(struct ask *k, const char *runtime)
{
	struct ctx *cx = k->job->cx;
	const char *model;

	k->started_at = now_s();
	k->runtime = catalog_resolve(runtime);
	k->ops = runtime_find(
	    strcmp(k->runtime->id, RUNTIME_CATALOG[0].id) == 0 ? "anthropic-direct" : k->runtime->id);
	if (!k->ops)
		return arena_printf(
		    cx->arena, "Runtime %s is not available here", k->runtime->label);
	k->key = provider_key(cx, k->ops->provider);
	if (!k->key || !*k->key)
		return "No Anthropic API key configured. Set one in Settings > Authentication.";
	k->base_url = cx->conf->anthropic_url;
	model = setting_get(cx, "anthropic_direct_model");
	k->model = model && *model ? model : "claude-sonnet-4-20250514";
	k->timeout_s =
	    setting_int(cx, "runtime.sdkTimeoutSeconds", 10, 300, TIMEOUT_DEFAULT_S);
	return NULL;
}

enum rc ask_model(struct ask *k, const char *system, const char *prompt, struct turn *out,
    struct err *e)
{
	struct arena *a = k->job->cx->arena;
	struct model_call mc = { .base_url = k->base_url, .key = k->key, .model = k->model,
		.system_stable = system, .max_tokens = MAX_TOKENS,
		.conversation = json_keep(a, k->ops->start(prompt)),
		.total_timeout_ms = (long)k->timeout_s * 1000 };

	return k->ops->call(k->job->http, a, &mc, out, e);
}

void ask_write_ledger(struct ask *k, const struct usage *u, bool ok)
{
	struct ctx *cx = k->job->cx;
	const struct task *t = k->task;
	struct usage_row row = {
		.task_id = t ? t->id : NULL,
		.workflow_id = t ? t->workflow_id : NULL,
		.schedule_id = t ? t->schedule_id : NULL,
		.project_id = t ? t->project_id : NULL,
		.activity_type = k->activity,
		.runtime_id = k->runtime->id,
		.provider_id = k->runtime->provider,
		.model_id = *u->model ? u->model : k->model,
		.status = ok ? "completed" : "failed",
		.input_tokens = u->known ? u->input : USAGE_UNKNOWN,
		.output_tokens = u->known ? u->output : USAGE_UNKNOWN,
		.total_tokens = USAGE_UNKNOWN,
		.cost_micros = USAGE_UNKNOWN,
		.started_at = k->started_at,
		.finished_at = now_s(),
	};

	if (u->known)
		price_cost(cx, k->runtime->provider, row.model_id, u->input, u->output,
		    u->cache_write, u->cache_read, &row.cost_micros, &row.pricing_version);
	usage_add(cx, &row);
}
