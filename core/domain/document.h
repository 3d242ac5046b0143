/* Documents, as far as tasks and projects need them: links and removal. */
#ifndef CORE_DOMAIN_DOCUMENT_H
#define CORE_DOMAIN_DOCUMENT_H

#include <jansson.h>

#include "core/ctx.h"

/* The documents that a list of ids names, each once and in its order; what names none is left out.
 * The list may be as long as a body, so nothing is asked for each of its elements. */
json_t *document_listed(struct ctx *cx, const json_t *ids);

/* Whether the list has an id of no document. */
bool document_any_unknown(struct ctx *cx, const json_t *ids);

/* Deletes a document with its bindings, inside the caller's transaction; its files go after the
 * commit. */
void document_remove(struct ctx *cx, const char *id);

#endif
