/* Saved views: named filters, sorting, columns and density of one list of a user interface. Their
 * three configurations are the client's business: kept, never read. At most one view of a surface is
 * its default. */
#ifndef CORE_DOMAIN_VIEW_H
#define CORE_DOMAIN_VIEW_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

/* The views of SURFACE as an array: the default, then by name. */
void view_write_list(struct ctx *cx, struct jw *w, const char *surface);
/* One view; RC_NOTFOUND where there is none. */
enum rc view_write(struct ctx *cx, struct jw *w, const char *id);
/* IN is any JSON; what does not fit is RC_INVALID, and changes nothing. The id of a new view comes
 * back in *ID (arena). */
enum rc view_create(struct ctx *cx, const json_t *in, const char **id);
enum rc view_update(struct ctx *cx, const char *id, const json_t *in);
enum rc view_delete(struct ctx *cx, const char *id);

#endif
