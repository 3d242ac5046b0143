/* Projects: what may happen to them. Every function that changes something runs its own
 * transaction; bodies are valid by their shapes. */
#ifndef CORE_DOMAIN_PROJECT_H
#define CORE_DOMAIN_PROJECT_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

/* Writes the project as an object; RC_NOTFOUND ("Not found") where there is none. */
enum rc project_write(struct ctx *cx, struct jw *w, const char *id);
/* All projects with their numbers of tasks, as an array; of one status where STATUS is given. */
void project_write_list(struct ctx *cx, struct jw *w, const char *status);
/* Creates one; its new id comes back in *ID (arena). */
enum rc project_create(struct ctx *cx, const json_t *in, const char **id);
enum rc project_update(struct ctx *cx, const char *id, const json_t *in);
/* Deletes the project with everything in it and stops its runs. */
enum rc project_delete(struct ctx *cx, const char *id);
/* Replaces the default documents; *N gets the number of distinct ones. NOTFOUND is the text for an
 * unknown project. */
enum rc project_set_documents(struct ctx *cx, const char *id, const json_t *ids,
    const char *notfound, int64_t *n);

#endif
