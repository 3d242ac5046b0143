/* Documents, as far as tasks and projects need them: links and removal. */
#ifndef CORE_DOMAIN_DOCUMENT_H
#define CORE_DOMAIN_DOCUMENT_H

#include "core/ctx.h"

/* Deletes a document with its bindings, inside the caller's transaction; its files go after the
 * commit. */
void document_remove(struct ctx *cx, const char *id);

#endif
