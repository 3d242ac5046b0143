/* Providers and runtimes as they are set up: which keys there are, where they come from, and which
 * runtimes can therefore be used. Everything here reads; no key is decrypted or returned. */
#ifndef CORE_DOMAIN_PROVIDER_H
#define CORE_DOMAIN_PROVIDER_H

#include "core/catalog.h"
#include "core/ctx.h"
#include "core/json_out.h"

struct auth_state {
	const char *method; /* api_key or oauth; openai: NULL */
	const char *source; /* db, env, oauth, unknown, or whatever was stored */
	bool has_key;       /* one is stored, or the environment has one */
};

struct runtime_state {
	const struct runtime_info *info;
	const char *auth_method; /* oauth, api_key, none */
	const char *source;
	bool configured;
	bool subscription; /* a plan is paid for, not the usage */
};

void auth_anthropic(struct ctx *cx, struct auth_state *out);
void auth_openai(struct ctx *cx, struct auth_state *out);
/* All runtimes, in the order of the catalogue. */
void runtime_states(struct ctx *cx, struct runtime_state out[RUNTIMES_N]);
/* The place of a runtime in the catalogue. */
size_t runtime_place(const struct runtime_info *info);

void runtime_state_write(struct jw *w, const struct runtime_state *s);
/* The object of GET /api/settings/providers. */
void providers_write(struct ctx *cx, struct jw *w);
/* Writes the key "capabilities" with what the runtime can do. */
void runtime_write_capabilities(struct jw *w, const struct runtime_info *info);

#endif
