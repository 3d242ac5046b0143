/* The pricing snapshot. */
#include "core/domain/pricing.h"

#include "core/clock.h"
#include "core/json_in.h"
#include "core/price.h"
#include "core/queue.h"

static const char *const PROVIDERS[] = { "anthropic", "openai" };

static void write_text(struct jw *w, const json_t *object, const char *key, const char *otherwise)
{
	const char *s = json_str(object, key);

	jw_kstr(w, key, s ? s : otherwise);
}

/* A number as it is, null for anything else. */
static void write_number(struct jw *w, const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	jw_kjson(w, key, json_is_number(v) ? v : NULL);
}

static void write_row(struct jw *w, const json_t *row)
{
	static const char *const TEXTS[] = { "key", "providerId", "kind", "label" };

	jw_obj(w);
	for (size_t i = 0; i < COUNT(TEXTS); i++)
		write_text(w, row, TEXTS[i], "");
	jw_kbool(w, "visible", json_flag(row, "visible"));
	jw_kjson(w, "matchPrefixes", json_object_get(row, "matchPrefixes"));
	write_number(w, row, "inputCostPerMillionMicros");
	write_number(w, row, "outputCostPerMillionMicros");
	write_number(w, row, "monthlyPriceUsd");
	jw_end_obj(w);
}

static void write_part(struct jw *w, const char *provider, const json_t *part)
{
	const json_t *rows = json_object_get(part, "rows");
	size_t i;
	json_t *row;

	jw_key(w, provider);
	jw_obj(w);
	jw_kstr(w, "providerId", provider);
	write_text(w, part, "sourceType", "bundled_default");
	write_text(w, part, "sourceLabel", "");
	write_text(w, part, "fetchedAtIso", NULL);
	write_text(w, part, "version", "");
	write_text(w, part, "refreshError", NULL);
	jw_key(w, "rows");
	jw_arr(w);
	json_array_foreach(rows, i, row)
		write_row(w, row);
	jw_end_arr(w);
	jw_end_obj(w);
}

static void write_models_of(struct jw *w, const json_t *part)
{
	const json_t *rows = json_object_get(part, "rows");
	size_t i, j;
	json_t *row, *prefix;

	json_array_foreach(rows, i, row) {
		double in = json_num(row, "inputCostPerMillionMicros", -1);
		double out = json_num(row, "outputCostPerMillionMicros", -1);

		if (!json_flag(row, "visible") || strcmp(json_str(row, "kind"), "api_model") != 0 ||
		    in < 0 || out < 0)
			continue;
		json_array_foreach(json_object_get(row, "matchPrefixes"), j, prefix) {
			if (!json_is_string(prefix))
				continue;
			jw_obj(w);
			jw_kstr(w, "modelId", json_string_value(prefix));
			jw_knum(w, "inputPer1M", in / 1e6);
			jw_knum(w, "outputPer1M", out / 1e6);
			jw_end_obj(w);
		}
	}
}

/* The later of the two times; NULL where neither is known. */
static const char *last_updated(const json_t *parts)
{
	const char *last = NULL;

	for (size_t i = 0; i < COUNT(PROVIDERS); i++) {
		const char *at = json_str(json_object_get(parts, PROVIDERS[i]), "fetchedAtIso");

		if (at && (!last || strcmp(at, last) > 0))
			last = at;
	}
	return last;
}

void pricing_write(struct ctx *cx, struct jw *w)
{
	const json_t *parts = json_object_get(price_registry(cx), "providers");
	const char *last = last_updated(parts);
	int64_t at;

	jw_obj(w);
	jw_key(w, "providers");
	jw_obj(w);
	for (size_t i = 0; i < COUNT(PROVIDERS); i++)
		write_part(w, PROVIDERS[i], json_object_get(parts, PROVIDERS[i]));
	jw_end_obj(w);
	jw_kstr(w, "lastUpdatedIso", last);
	jw_kbool(w, "stale",
	    !last || !time_parse_iso(last, &at) || cx->now - at > PRICING_STALE_S);
	jw_kstr(w, "updatedAt", last);
	jw_key(w, "models");
	jw_arr(w);
	for (size_t i = 0; i < COUNT(PROVIDERS); i++)
		write_models_of(w, json_object_get(parts, PROVIDERS[i]));
	jw_end_arr(w);
	jw_end_obj(w);
}

enum rc pricing_refresh(struct ctx *cx, int64_t *job)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	*job = db_get_int(cx->db, 0, Q_JOB_UNDER_WAY, "t", JOB_PRICING_REFRESH);
	if (!*job) {
		rc = queue_put(cx, JOB_PRICING_REFRESH, NULL, NULL, NULL, NULL, job);
		audit(cx, "pricing.refresh", "setting", PRICE_SETTING, NULL);
	}
	return tx_end(cx, rc);
}
