/* Providers and runtimes as they are set up. */
#include "core/domain/provider.h"

#include "core/domain/settings.h"
#include "core/setting.h"

static bool is(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

void auth_anthropic(struct ctx *cx, struct auth_state *out)
{
	const char *method = setting_get(cx, SETTING_AUTH_METHOD);
	const char *source = setting_get(cx, SETTING_AUTH_SOURCE);
	bool stored = setting_get(cx, SETTING_AUTH_KEY) != NULL;
	bool env = cx->conf->anthropic_key && *cx->conf->anthropic_key;

	out->method = is(method, "api_key") ? method : "oauth";
	out->has_key = stored || env;
	if (source && *source && !is(source, "unknown"))
		out->source = source;
	else
		out->source = stored         ? "db"
		    : env                    ? "env"
		    : is(out->method, "oauth") ? "oauth"
					     : "unknown";
}

void auth_openai(struct ctx *cx, struct auth_state *out)
{
	const char *source = setting_get(cx, SETTING_OPENAI_SOURCE);
	bool stored = setting_get(cx, SETTING_OPENAI_KEY) != NULL;
	bool env = cx->conf->openai_key && *cx->conf->openai_key;

	out->method = NULL;
	out->has_key = stored || env;
	out->source = source && *source ? source : stored ? "db" : env ? "env" : "unknown";
}

size_t runtime_place(const struct runtime_info *info)
{
	return (size_t)(info - RUNTIME_CATALOG);
}

static void set_state(struct runtime_state *s, const struct auth_state *anthropic,
    const struct auth_state *openai)
{
	bool direct = is(s->info->id, "anthropic-direct");
	const struct auth_state *auth = is(s->info->provider, "openai") ? openai : anthropic;
	bool oauth = is(anthropic->method, "oauth") || is(anthropic->source, "oauth");

	s->auth_method = auth->has_key ? "api_key" : "none";
	s->source = auth->source;
	s->configured = auth->has_key;
	if (is(s->info->provider, "ollama")) {
		s->configured = true;
		s->auth_method = "none";
		s->source = "unknown";
	} else if (direct && !auth->has_key) {
		s->source = "unknown";
	} else if (s->info == &RUNTIME_CATALOG[0]) {
		s->configured = auth->has_key || is(auth->source, "oauth");
		s->subscription = oauth;
		if (oauth)
			s->auth_method = "oauth";
	}
}

void runtime_states(struct ctx *cx, struct runtime_state out[RUNTIMES_N])
{
	struct auth_state anthropic, openai;

	auth_anthropic(cx, &anthropic);
	auth_openai(cx, &openai);
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		out[i] = (struct runtime_state){ .info = &RUNTIME_CATALOG[i] };
		set_state(&out[i], &anthropic, &openai);
	}
}

void runtime_state_write(struct jw *w, const struct runtime_state *s)
{
	jw_obj(w);
	jw_kstr(w, "runtimeId", s->info->id);
	jw_kstr(w, "label", s->info->label);
	jw_kstr(w, "providerId", s->info->provider);
	jw_kbool(w, "configured", s->configured);
	jw_kstr(w, "authMethod", s->auth_method);
	jw_kstr(w, "apiKeySource", s->source);
	jw_kstr(w, "billingMode", s->subscription ? "subscription" : "usage");
	jw_kstr(w, "id", s->info->id);
	jw_kstr(w, "name", s->info->label);
	jw_kstr(w, "status", s->configured ? "ready" : "not_configured");
	jw_end_obj(w);
}

static bool provider_configured(const struct runtime_state *states, const char *provider)
{
	for (size_t i = 0; i < RUNTIMES_N; i++)
		if (states[i].configured && is(states[i].info->provider, provider))
			return true;
	return false;
}

static void write_provider(struct jw *w, const char *provider, const struct auth_state *auth,
    bool dual, const struct runtime_state *states)
{
	jw_key(w, provider);
	jw_obj(w);
	jw_kbool(w, "configured", provider_configured(states, provider));
	if (auth->method)
		jw_kstr(w, "authMethod", auth->method);
	jw_kbool(w, "hasKey", auth->has_key);
	jw_kstr(w, "apiKeySource", auth->source);
	jw_kbool(w, "dualBilling", dual);
	jw_key(w, "runtimes");
	jw_arr(w);
	for (size_t i = 0; i < RUNTIMES_N; i++)
		if (is(states[i].info->provider, provider))
			runtime_state_write(w, &states[i]);
	jw_end_arr(w);
	jw_end_obj(w);
}

void providers_write(struct ctx *cx, struct jw *w)
{
	struct runtime_state states[RUNTIMES_N];
	struct auth_state anthropic, openai;
	bool oauth;

	auth_anthropic(cx, &anthropic);
	auth_openai(cx, &openai);
	runtime_states(cx, states);
	oauth = is(anthropic.method, "oauth") || is(anthropic.source, "oauth");
	jw_obj(w);
	jw_key(w, "providers");
	jw_obj(w);
	write_provider(w, "anthropic", &anthropic, oauth && anthropic.has_key, states);
	write_provider(w, "openai", &openai, false, states);
	jw_end_obj(w);
	jw_kstr(w, "routingPreference", settings_routing(cx));
	jw_kint(w, "configuredProviderCount",
	    provider_configured(states, "anthropic") + provider_configured(states, "openai"));
	jw_end_obj(w);
}

void runtime_write_capabilities(struct jw *w, const struct runtime_info *info)
{
	static const struct {
		const char *key;
		unsigned bit;
	} FLAGS[] = {
		{ "resume", CAN_RESUME },
		{ "cancel", CAN_CANCEL },
		{ "approvals", CAN_APPROVALS },
		{ "mcpServers", CAN_MCP_SERVERS },
		{ "profileTests", CAN_PROFILE_TESTS },
		{ "taskAssist", CAN_TASK_ASSIST },
		{ "profileAssist", CAN_PROFILE_ASSIST },
		{ "authHealthCheck", CAN_HEALTH_CHECK },
	};

	jw_key(w, "capabilities");
	jw_obj(w);
	for (size_t i = 0; i < COUNT(FLAGS); i++)
		jw_kbool(w, FLAGS[i].key, (info->can & FLAGS[i].bit) != 0);
	jw_end_obj(w);
}
