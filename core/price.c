/* Reading the price registry and looking prices up in it. */
#include "core/price.h"

#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json_in.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"

#define FILE_SIZE_MAX (1 << 20)
#define PER_MILLION 1e6
#define COST_MAX 9e15
#define CACHE_WRITE_FACTOR 1.25
#define CACHE_READ_FACTOR 0.1
#define PLAN_USD_DEFAULT 20.0

static const char *const PROVIDERS[] = { "anthropic", "openai" };

static bool is_one_of(const char *s, const char *a, const char *b)
{
	return s && (strcmp(s, a) == 0 || strcmp(s, b) == 0);
}

static bool is_row(const json_t *v)
{
	return json_str(v, "key") && json_str(v, "label") &&
	       is_one_of(json_str(v, "providerId"), PROVIDERS[0], PROVIDERS[1]) &&
	       is_one_of(json_str(v, "kind"), "api_model", "subscription_plan") &&
	       json_is_boolean(json_object_get(v, "visible")) &&
	       json_is_array(json_object_get(v, "matchPrefixes"));
}

/* Drops the rows of a provider's part that are not well-formed; false where it is no part. */
static bool tidy(json_t *part)
{
	json_t *rows = json_object_get(part, "rows");

	if (!json_is_array(rows))
		return false;
	for (size_t i = json_array_size(rows); i-- > 0;)
		if (!is_row(json_array_get(rows, i)))
			json_array_remove(rows, i);
	return true;
}

static json_t *read_bundled(struct ctx *cx)
{
	const char *path = arena_printf(cx->arena, "%s/prices.json", cx->conf->share_dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	json_t *v = NULL;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= FILE_SIZE_MAX) {
		char *text = arena_alloc(cx->arena, (size_t)st.st_size);

		if (read(fd, text, (size_t)st.st_size) == st.st_size)
			v = json_read(cx->arena, text, (size_t)st.st_size);
	}
	if (fd >= 0)
		close(fd);
	if (!json_is_object(v))
		log_error("no prices: %s is no file with a JSON object", path);
	return v;
}

json_t *price_registry(struct ctx *cx)
{
	const json_t *stored = json_object_get(
	    json_read_text(cx->arena, setting_get(cx, PRICE_SETTING)), "providers");
	const json_t *bundled = NULL;
	json_t *all = json_keep(cx->arena, json_pack("{s:{}}", "providers"));
	json_t *parts = json_object_get(all, "providers");

	for (size_t i = 0; i < COUNT(PROVIDERS); i++) {
		json_t *part = json_object_get(stored, PROVIDERS[i]);

		if (!tidy(part)) {
			if (!bundled)
				bundled = json_object_get(read_bundled(cx), "providers");
			part = json_object_get(bundled, PROVIDERS[i]);
		}
		if (part && tidy(part))
			json_object_set(parts, PROVIDERS[i], part);
		else
			json_object_set_new(parts, PROVIDERS[i],
			    json_pack("{s:s,s:[]}", "providerId", PROVIDERS[i], "rows"));
	}
	return all;
}

static json_t *rows_of(struct ctx *cx, const char *provider)
{
	return json_object_get(
	    json_object_get(json_object_get(price_registry(cx), "providers"), provider), "rows");
}

static const json_t *row_of_key(const json_t *rows, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		if (strcmp(json_str(row, "key"), key) == 0)
			return row;
	return NULL;
}

/* The first row with a prefix that the model's id begins with. */
static const json_t *row_of_model(const json_t *rows, const char *model)
{
	size_t i, j;
	json_t *row, *prefix;

	json_array_foreach(rows, i, row) {
		if (strcmp(json_str(row, "kind"), "api_model") != 0)
			continue;
		json_array_foreach(json_object_get(row, "matchPrefixes"), j, prefix)
			if (json_is_string(prefix) &&
			    text_starts(model, json_string_value(prefix)))
				return row;
	}
	return NULL;
}

static const json_t *find_row(struct ctx *cx, const char *provider, const char *model)
{
	static const char *const SHORT[] = { "opus", "sonnet", "haiku" };
	bool anthropic = strcmp(provider, "anthropic") == 0;
	const json_t *rows = rows_of(cx, provider), *row;

	for (size_t i = 0; anthropic && i < COUNT(SHORT); i++)
		if (strcmp(model, SHORT[i]) == 0)
			model = arena_printf(cx->arena, "claude-%s", SHORT[i]);
	row = row_of_model(rows, model);
	if (!row)
		row = row_of_key(rows, arena_printf(cx->arena, "%s-fallback", provider));
	if (!row && anthropic && text_starts(model, "claude"))
		row = row_of_key(rows, "anthropic-claude-fallback");
	return row;
}

static double positive(int64_t n)
{
	return n > 0 ? (double)n : 0;
}

bool price_cost(struct ctx *cx, const char *provider, const char *model, int64_t input,
    int64_t output, int64_t cache_write, int64_t cache_read, int64_t *cost_micros,
    const char **version)
{
	double in = positive(input), written = positive(cache_write), read = positive(cache_read);
	double price_in, price_out, cost;
	const json_t *row;

	if (strcmp(provider, "ollama") == 0) {
		*cost_micros = 0;
		*version = PRICE_VERSION_LOCAL;
		return true;
	}
	if (!model || !*model ||
	    !is_one_of(provider, PROVIDERS[0], PROVIDERS[1]) ||
	    !(row = find_row(cx, provider, model)))
		return false;
	price_in = json_num(row, "inputCostPerMillionMicros", -1);
	price_out = json_num(row, "outputCostPerMillionMicros", -1);
	if (price_in < 0 || price_out < 0)
		return false;
	if (strcmp(provider, "anthropic") == 0) {
		in = fmax(in - written - read, 0);
		in += written * CACHE_WRITE_FACTOR + read * CACHE_READ_FACTOR;
	}
	cost = round((in * price_in + positive(output) * price_out) / PER_MILLION);
	*cost_micros = (int64_t)fmin(cost, COST_MAX);
	*version = json_str(row, "key");
	return true;
}

double price_plan_usd(struct ctx *cx, const char *plan)
{
	char *key = arena_printf(cx->arena, "anthropic-plan-%s", plan);

	for (char *p = key; *p; p++)
		if (*p == '_')
			*p = '-';
	return json_num(
	    row_of_key(rows_of(cx, "anthropic"), key), "monthlyPriceUsd", PLAN_USD_DEFAULT);
}
