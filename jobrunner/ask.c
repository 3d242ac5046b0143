/* Questions to a model, over whatever the runtime speaks. */
#include "jobrunner/ask.h"

#include "core/catalog.h"
#include "core/clock.h"
#include "core/json_in.h"
#include "core/price.h"
#include "core/json_out.h"
#include "core/setting.h"
#include "core/text.h"
#include "core/usage.h"

#define MAX_TOKENS 2048
#define TIMEOUT_DEFAULT_S 60

const char *ask_init(struct ask *k, const char *runtime)
{
	struct ctx *cx = k->job->cx;

	k->started_at = now_s();
	k->runtime = catalog_resolve(runtime);
	k->timeout_s =
	    setting_int(cx, "runtime.sdkTimeoutSeconds", 10, 300, TIMEOUT_DEFAULT_S);
	return runtime_access(cx, k->runtime->id, &k->access);
}

enum rc ask_model(struct ask *k, const char *system, const char *prompt, struct turn *out,
    struct err *e)
{
	struct arena *a = k->job->cx->arena;
	struct model_call mc = { .base_url = k->access.base_url, .key = k->access.key,
		.model = k->access.model, .json = k->json, .schema = k->schema,
		.system_stable = system,
		.max_tokens = MAX_TOKENS,
		.prompt = prompt,
		.total_timeout_ms = (long)k->timeout_s * 1000 };

	if (k->access.ops->ask)
		return k->access.ops->ask(k->job, &k->access, &mc, out, e);
	mc.conversation = json_keep(a, k->access.ops->start(prompt));
	return k->access.ops->call(k->job->http, a, &mc, out, e);
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
		.model_id = *u->model ? u->model : k->access.model,
		.status = ok ? "completed" : "failed",
		.input_tokens = u->known ? u->input : USAGE_UNKNOWN,
		.output_tokens = u->known ? u->output : USAGE_UNKNOWN,
		.total_tokens = USAGE_UNKNOWN,
		.cost_micros = USAGE_UNKNOWN,
		.started_at = k->started_at,
		.finished_at = now_s(),
	};

	if (u->known && !price_cost(cx, k->runtime->provider, row.model_id, u->input, u->output,
			    u->cache_write, u->cache_read, &row.cost_micros,
			    &row.pricing_version) && u->own_cost)
		row.cost_micros = u->own_cost;
	usage_add(cx, &row);
}

const char *ask_failure(enum rc rc, const struct turn *t, const struct err *e)
{
	return rc == RC_TIMEOUT ? ASK_TIMED_OUT : t->failure ? t->failure : e->msg;
}

const char *ask_error_body(struct arena *a, const char *words)
{
	return arena_printf(a, "{\"error\":%s}", json_quote(a, text_mask_keys(a, words)));
}

int ask_finish(struct ask *k, int status, const char *body, const struct usage *u)
{
	struct ctx *cx = k->job->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return 1;
	if (u)
		ask_write_ledger(k, u, status == 200);
	rc = job_finish(k->job, status, body, NULL);
	return tx_end(cx, rc) == RC_OK ? EXIT_DONE : 1;
}
