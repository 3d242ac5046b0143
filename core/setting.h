/* Settings: what the user configures while the program runs, one text a key in the database. A
 * change holds from the next read on; nothing is cached here.
 *
 * Also here: the list of permission patterns and the provider keys, which are settings. */
#ifndef CORE_SETTING_H
#define CORE_SETTING_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/policy.h"

#define SETTING_PERMISSIONS "permissions.allow"
#define PERMISSIONS_MAX 1000
#define PERMISSION_LENGTH_MAX 1000

/* The value, in the arena of CX; NULL where the setting was never written. */
const char *setting_get(struct ctx *cx, const char *key);
/* The value as a whole number within the bounds; OTHERWISE where it is none. */
int64_t setting_int(struct ctx *cx, const char *key, int64_t min, int64_t max, int64_t otherwise);
/* Whether the value is "true". */
bool setting_flag(struct ctx *cx, const char *key);
/* Unix seconds of the last write; 0 where there was none. */
int64_t setting_updated_at(struct ctx *cx, const char *key);

/* Both inside the caller's transaction; they return its state. */
enum rc setting_put(struct ctx *cx, const char *key, const char *value);
enum rc setting_delete(struct ctx *cx, const char *key);

/* The patterns that need no question, in order of addition: an array of texts, empty where the
 * setting is missing or unreadable. */
json_t *permission_list(struct ctx *cx);
/* Each is a transaction, or a part of the caller's. Adding what is there, and removing what is not,
 * is fine. RC_INVALID where a pattern is too long or there are too many. */
enum rc permission_add(struct ctx *cx, const char *pattern);
enum rc permission_remove(struct ctx *cx, const char *pattern);
/* Adds the patterns that are missing, in order. */
enum rc permission_add_preset(struct ctx *cx, const struct policy_preset *p);
/* Removes its patterns, but those of other presets that are active. */
enum rc permission_remove_preset(struct ctx *cx, const struct policy_preset *p);

/* The key of "anthropic" or "openai": the stored one, else the configured one, else NULL. A stored
 * key that cannot be decrypted counts as absent. Reads the key file: not inside a transaction. */
const char *provider_key(struct ctx *cx, const char *provider);
/* The same; *FROM says where it came from: "db", "env", or NULL. */
const char *provider_key_from(struct ctx *cx, const char *provider, const char **from);

#endif
