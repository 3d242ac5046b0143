/* The settings table, and what is kept in it as a list or encrypted. */
#include "core/setting.h"

#include "core/crypt.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

const char *setting_get(struct ctx *cx, const char *key)
{
	return db_get_text(cx->db, cx->arena, Q_SETTING_GET, "t", key);
}

int64_t setting_int(struct ctx *cx, const char *key, int64_t min, int64_t max, int64_t otherwise)
{
	const char *value = setting_get(cx, key);
	int64_t v;

	return value && text_to_int(value, min, max, &v) ? v : otherwise;
}

bool setting_flag(struct ctx *cx, const char *key)
{
	const char *value = setting_get(cx, key);

	return value && strcmp(value, "true") == 0;
}

int64_t setting_updated_at(struct ctx *cx, const char *key)
{
	return db_get_int(cx->db, 0, Q_SETTING_UPDATED_AT, "t", key);
}

enum rc setting_put(struct ctx *cx, const char *key, const char *value)
{
	return db_run(cx->db, Q_SETTING_PUT, "tti", key, value, cx->now);
}

enum rc setting_delete(struct ctx *cx, const char *key)
{
	return db_run(cx->db, Q_SETTING_DELETE, "t", key);
}

json_t *permission_list(struct ctx *cx)
{
	json_t *stored = json_read_text(cx->arena, setting_get(cx, SETTING_PERMISSIONS)), *v;
	json_t *list = json_keep(cx->arena, json_array());
	size_t i;

	json_array_foreach(stored, i, v)
		if (json_is_string(v))
			json_array_append(list, v);
	return list;
}

/* The place of a pattern in the list, or its length. */
static size_t find(const json_t *list, const char *pattern)
{
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (strcmp(json_string_value(v), pattern) == 0)
			break;
	return i;
}

static enum rc store(struct ctx *cx, const json_t *list, const char *op, const char *what)
{
	audit(cx, op, "setting", SETTING_PERMISSIONS, what);
	return setting_put(cx, SETTING_PERMISSIONS, json_text(cx->arena, list));
}

/* Appends one pattern to the list in memory. */
static enum rc append(struct ctx *cx, json_t *list, const char *pattern)
{
	size_t n = json_array_size(list);

	if (find(list, pattern) < n)
		return RC_OK;
	if (text_units(pattern) > PERMISSION_LENGTH_MAX)
		return ctx_fail(cx, RC_INVALID, "Pattern is too long");
	if (n >= PERMISSIONS_MAX)
		return ctx_fail(cx, RC_INVALID, "Too many patterns");
	json_array_append_new(list, json_string(pattern));
	return RC_OK;
}

static enum rc add_all(struct ctx *cx, const char *const *patterns, size_t n, const char *op,
    const char *what)
{
	json_t *list;
	size_t before;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	list = permission_list(cx);
	before = json_array_size(list);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = append(cx, list, patterns[i]);
	if (rc == RC_OK && json_array_size(list) > before)
		rc = store(cx, list, op, what);
	return tx_end(cx, rc);
}

enum rc permission_add(struct ctx *cx, const char *pattern)
{
	return add_all(cx, &pattern, 1, "permission.add", pattern);
}

enum rc permission_add_preset(struct ctx *cx, const struct policy_preset *p)
{
	return add_all(cx, p->patterns, p->n_patterns, "permission.preset.add", p->id);
}

enum rc permission_remove(struct ctx *cx, const char *pattern)
{
	json_t *list;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	list = permission_list(cx);
	if (json_array_remove(list, find(list, pattern)) == 0)
		rc = store(cx, list, "permission.remove", pattern);
	return tx_end(cx, rc);
}

/* Whether an active preset other than P has the pattern. */
static bool is_protected(const struct policy_preset *p, const bool active[POLICY_PRESETS_N],
    const char *pattern)
{
	for (size_t i = 0; i < POLICY_PRESETS_N; i++)
		for (size_t j = 0; j < POLICY_PRESETS[i].n_patterns; j++)
			if (&POLICY_PRESETS[i] != p && active[i] &&
			    strcmp(POLICY_PRESETS[i].patterns[j], pattern) == 0)
				return true;
	return false;
}

enum rc permission_remove_preset(struct ctx *cx, const struct policy_preset *p)
{
	bool active[POLICY_PRESETS_N], changed = false;
	json_t *list;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	list = permission_list(cx);
	for (size_t i = 0; i < POLICY_PRESETS_N; i++)
		active[i] = policy_preset_active(&POLICY_PRESETS[i], list);
	for (size_t i = 0; i < p->n_patterns; i++)
		if (!is_protected(p, active, p->patterns[i]) &&
		    json_array_remove(list, find(list, p->patterns[i])) == 0)
			changed = true;
	if (changed)
		rc = store(cx, list, "permission.preset.remove", p->id);
	return tx_end(cx, rc);
}

const char *provider_key_from(struct ctx *cx, const char *provider, const char **from)
{
	bool anthropic = strcmp(provider, "anthropic") == 0;
	const char *stored, *key;

	*from = NULL;
	if (!anthropic && strcmp(provider, "openai") != 0)
		return NULL;
	stored = setting_get(cx, anthropic ? "auth.apiKey" : "openai.authApiKey");
	key = stored ? crypt_decrypt(cx->arena, cx->conf->data_dir, stored) : NULL;
	if (key && *key) {
		*from = "db";
		return key;
	}
	key = anthropic ? cx->conf->anthropic_key : cx->conf->openai_key;
	if (!key || !*key)
		return NULL;
	*from = "env";
	return key;
}

const char *provider_key(struct ctx *cx, const char *provider)
{
	const char *from;

	return provider_key_from(cx, provider, &from);
}
