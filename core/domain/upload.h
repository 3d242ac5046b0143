/* The upload folder: files by the ids of their documents, and what is left over in it. */
#ifndef CORE_DOMAIN_UPLOAD_H
#define CORE_DOMAIN_UPLOAD_H

#include "core/ctx.h"
#include "core/json_out.h"

#define UPLOAD_MAX ((int64_t)50 << 20)

/* The name that the upload GIVEN of the document ID is stored under. */
const char *upload_stored_name(struct arena *a, const char *id, const char *given);
/* The type in which a stored file is sent. */
const char *upload_type(const char *stored);

/* Opens the stored file of the document ID, or the one of exactly that name; its name in *NAME. -1
 * where there is none. */
int upload_open(struct ctx *cx, const char *id, const char **name);

/* Removes the file that upload_open would open, with its document. RC_NOTFOUND. */
enum rc upload_delete(struct ctx *cx, const char *id);

/* Removes files that nobody has touched for a day and that are no document's. W, where it is not
 * NULL, gets {"deleted","errors","skipped"}. */
enum rc upload_cleanup(struct ctx *cx, struct jw *w);

#endif
