/* Runtimes: which are configured, which one suits a task, and where Ollama listens. Nothing is
 * written. */
#ifndef CORE_DOMAIN_RUNTIME_H
#define CORE_DOMAIN_RUNTIME_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

#define OLLAMA_NAME_MAX 255

/* The configured runtimes; bit i: RUNTIME_CATALOG[i]. */
unsigned runtime_configured(struct ctx *cx);

/* Checks a task {title, description?, profileId?} for which a suggestion is wanted. */
enum rc runtime_check_task(struct ctx *cx, const json_t *in);
/* Writes the suggestion for a task that passed the check, as an object. */
void runtime_suggest(struct ctx *cx, const json_t *in, struct jw *w);

/* The base address of the Ollama server, without slashes at its end: the setting, else the option
 * ollama.url. */
const char *runtime_ollama_url(struct ctx *cx);
/* Checks the request to pull a model; *MODEL is its name, borrowed from IN. */
enum rc runtime_check_pull(struct ctx *cx, const json_t *in, const char **model);

#endif
