/* Refreshing the prices from the providers' pages. What cannot be fetched keeps its prices, and says
 * why; the answer is the pricing snapshot. */
#include "core/clock.h"
#include "core/domain/pricing.h"
#include "core/json_in.h"
#include "core/price.h"
#include "core/setting.h"
#include "core/text.h"
#include "jobrunner/price_page.h"
#include "jobrunner/runner.h"

#define PAGE_MAX ((size_t)2 << 20)
#define PAGE_TIMEOUT_MS 15000
#define CONNECT_TIMEOUT_MS 5000 /* two pages that are out of reach take no longer than clients wait */

struct source {
	const char *provider, *label, *name, *url;
};

static bool collect(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, data, n);
	return !b->failed;
}

/* The page, or NULL and why not. */
static const char *fetch(struct job *j, const struct source *s, struct buf *page, enum rc *rc)
{
	static const char *const HEADERS[] = { "accept: text/html", "user-agent: Stagent", NULL };
	struct http_request rq = { .url = s->url, .headers = HEADERS, .sink = collect,
		.sink_arg = page, .connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.total_timeout_ms = PAGE_TIMEOUT_MS };
	struct http_answer ans = { 0 };
	struct arena *a = j->cx->arena;
	struct err e = { 0 };

	*rc = http_call(j->http, a, &rq, &ans, &e);
	if (*rc == RC_OK)
		return NULL;
	if (page->failed)
		return arena_printf(a, "%s pricing page is larger than 2 MiB", s->name);
	if (ans.status >= 300)
		return arena_printf(a, "%s pricing fetch failed (%ld)", s->name, ans.status);
	return arena_printf(a, "%s pricing fetch failed: %s", s->name, e.msg);
}

static void set_text(json_t *part, const char *key, const char *value)
{
	json_object_set_new(part, key, value ? json_string(value) : json_null());
}

/* Refreshes one provider's part; RC_CANCELLED where the job is told to stop. */
static enum rc refresh(struct job *j, const struct source *s, json_t *part)
{
	struct arena *a = j->cx->arena;
	char at[TIME_ISO_SIZE];
	struct buf page;
	const char *why;
	enum rc rc;

	buf_init(&page, PAGE_MAX);
	why = fetch(j, s, &page, &rc);
	if (!why) {
		page_apply(part, s->provider, page_text(a, buf_text(&page), page.len));
		set_text(part, "providerId", s->provider);
		set_text(part, "sourceType", "official_pricing_page");
		set_text(part, "sourceLabel", s->label);
		set_text(part, "fetchedAtIso", time_iso_ms(at, now_ms()));
		set_text(part, "version", page_version(a, part, s->provider));
	}
	set_text(part, "refreshError", why ? text_mask_keys(a, why) : NULL);
	buf_fini(&page);
	return rc == RC_CANCELLED ? rc : RC_OK;
}

static const char *snapshot(struct ctx *cx)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;

	buf_init(&b, 1 << 20);
	pricing_write(cx, &w);
	text = arena_strdup(cx->arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

static enum rc store(struct ctx *cx, const json_t *registry)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	setting_put(cx, PRICE_SETTING, json_text(cx->arena, registry));
	audit(cx, "pricing.refreshed", "setting", PRICE_SETTING, NULL);
	return tx_end(cx, RC_OK);
}

int pricing_job(struct job *j)
{
	const struct source sources[] = {
		{ "anthropic", "Anthropic pricing page", "Anthropic",
		    j->cx->conf->anthropic_prices },
		{ "openai", "OpenAI API pricing page", "OpenAI", j->cx->conf->openai_prices },
	};
	json_t *registry = price_registry(j->cx);
	json_t *parts = json_object_get(registry, "providers");

	for (size_t i = 0; i < COUNT(sources); i++)
		if (refresh(j, &sources[i], json_object_get(parts, sources[i].provider)) != RC_OK)
			return EXIT_INTERRUPTED;
	if (store(j->cx, registry) != RC_OK)
		return 1;
	j->cx->now = now_s();
	return job_finish(j, 200, snapshot(j->cx), NULL) == RC_OK ? EXIT_DONE : 1;
}
