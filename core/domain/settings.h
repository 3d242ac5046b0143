/* The settings that have operations of their own: what they may be, and how they are shown. Each
 * function that changes something checks all of the body first and then writes in one transaction;
 * what a body does not name stays as it is. */
#ifndef CORE_DOMAIN_SETTINGS_H
#define CORE_DOMAIN_SETTINGS_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

#define SETTING_AUTH_METHOD    "auth.method"
#define SETTING_AUTH_KEY       "auth.apiKey"
#define SETTING_AUTH_SOURCE    "auth.apiKeySource"
#define SETTING_OPENAI_KEY     "openai.authApiKey"
#define SETTING_OPENAI_SOURCE  "openai.authApiKeySource"
#define SETTING_ROUTING        "routing.preference"
#define SETTING_SDK_TIMEOUT    "runtime.sdkTimeoutSeconds"
#define SETTING_MAX_TURNS      "runtime.maxTurns"
#define SETTING_PERMISSION_TIMEOUT "runtime.permissionTimeoutSeconds"
#define SETTING_LEARNING_LIMIT "learning.contextCharLimit"
#define SETTING_OLLAMA_URL     "ollama.baseUrl"
#define SETTING_OLLAMA_MODEL   "ollama.defaultModel"
#define SETTING_CHAT_MODEL     "chat.defaultModel"
#define SETTING_CHROME_ON      "browser.chromeDevtoolsEnabled"
#define SETTING_CHROME_ARGS    "browser.chromeDevtoolsConfig"
#define SETTING_PLAYWRIGHT_ON  "browser.playwrightEnabled"
#define SETTING_PLAYWRIGHT_ARGS "browser.playwrightConfig"
#define SETTING_EXA_ON         "web.exaSearchEnabled"
#define OLLAMA_URL_DEFAULT     "http://localhost:11434"
#define CHAT_MODEL_DEFAULT     "haiku"

/* Method and key of Anthropic, or the key of OpenAI; bodies are checked here. */
enum rc settings_put_auth(struct ctx *cx, const json_t *in);
enum rc settings_put_openai(struct ctx *cx, const json_t *in);
void settings_write_auth(struct ctx *cx, struct jw *w);
void settings_write_openai(struct ctx *cx, struct jw *w);

/* cost, latency, quality or manual. */
const char *settings_routing(struct ctx *cx);
enum rc settings_put_routing(struct ctx *cx, const json_t *in);

/* IN may be any JSON; what is no object names nothing, null is refused as no body. */
enum rc settings_put_runtime(struct ctx *cx, const json_t *in);
void settings_write_runtime(struct ctx *cx, struct jw *w);
enum rc settings_put_learning(struct ctx *cx, const json_t *in);
void settings_write_learning(struct ctx *cx, struct jw *w);
enum rc settings_put_ollama(struct ctx *cx, const json_t *in);
void settings_write_ollama(struct ctx *cx, struct jw *w);
enum rc settings_put_browser(struct ctx *cx, const json_t *in);
void settings_write_browser(struct ctx *cx, struct jw *w);
enum rc settings_put_search(struct ctx *cx, const json_t *in);
void settings_write_search(struct ctx *cx, struct jw *w);
/* *ANSWER: the value to answer with, in the arena or a part of IN. */
enum rc settings_put_chat(struct ctx *cx, const json_t *in, const json_t **answer);
const char *settings_chat_model(struct ctx *cx);

/* Reads V as a whole number as ECMAScript's parseInt(String(v), 10) does; false where that is no
 * number. Numbers beyond 10^15 are cut to it. */
bool lenient_int(struct arena *a, const json_t *v, int64_t *out);

#endif
