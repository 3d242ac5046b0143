/* Prompt templates of blueprints: {{NAME}} and {{#if NAME}}…{{/if}}, and the conditions of steps.
 * NAME is letters, digits and _. No value is ever looked at again for names. */
#ifndef CORE_TEMPLATE_H
#define CORE_TEMPLATE_H

#include <jansson.h>
#include "core/arena.h"
#include "core/buf.h"

/* Appends TEXT with the members of VALUES put in, its ends trimmed and runs of empty lines made
 * one; NULL in place of VALUES has none. Fails, as a buffer does, where a result or what comes
 * on the way to it is larger than TEMPLATE_MAX. */
#define TEMPLATE_MAX ((size_t)10 << 20)
void template_resolve(struct buf *out, const char *text, const json_t *values);

/* Whether a value, which may be NULL, counts as true: all do but absence, null, "" and false. */
bool template_truth(const json_t *v);
/* Whether the condition of a step holds: a name, in {{ }} or not. A blank one always does. */
bool template_condition(struct arena *a, const char *condition, const json_t *values);

#endif
