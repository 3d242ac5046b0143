/* Documents: files that people or agents bring into the workspace. A row and a stored file each;
 * the job runner extracts the text (jobrunner/extract.c). */
#ifndef CORE_DOMAIN_DOCUMENT_H
#define CORE_DOMAIN_DOCUMENT_H

#include <jansson.h>

#include "core/ctx.h"
#include "core/json_out.h"

#define DOCUMENT_TYPE_MAX 255 /* bytes of a MIME type that is sent as one */

/* Which documents; NULL passes everything. */
struct document_filter {
	const char *task, *project, *status, *direction, *search;
	int64_t limit, offset; /* limit -1: all */
};

struct document_state {
	const char *task_id, *project_id, *direction, *original_name, *category, *status,
	    *mime_type, *storage_path, *processed_path;
};

/* RC_NOTFOUND with the text NOTFOUND. */
enum rc document_load(struct ctx *cx, const char *id, const char *notfound,
    struct document_state *out);

void document_write_list(struct ctx *cx, struct jw *w, const struct document_filter *f);
/* With the names of what it belongs to; the row as it is; the versions of an output document. */
enum rc document_write(struct ctx *cx, struct jw *w, const char *id);
enum rc document_write_row(struct ctx *cx, struct jw *w, const char *id);
enum rc document_write_versions(struct ctx *cx, struct jw *w, const char *id);

/* The documents that a list of ids names, each once and in its order; what names none is left out.
 * The list may be as long as a body, so nothing is asked for each of its elements. */
json_t *document_listed(struct ctx *cx, const json_t *ids);

/* Whether the list has an id of no document. */
bool document_any_unknown(struct ctx *cx, const json_t *ids);

/* RC_NOTFOUND where the task or the project, each may be NULL, does not exist. */
enum rc document_check_owners(struct ctx *cx, const char *task, const char *project);

/* The pattern for LIKE, with the escape !, that finds TEXT anywhere; NULL for NULL. */
const char *document_pattern(struct arena *a, const char *text);

/* Changes it as IN, which is valid by SHAPE_DOCUMENT_UPDATE, says. NOTFOUND: the text for an
 * unknown document. */
enum rc document_update(struct ctx *cx, const char *id, const json_t *in, const char *notfound);
/* Deletes it; where it is linked to a task, only when that is CONFIRMED: else RC_CONFLICT, with HOW
 * behind the task's id. */
enum rc document_delete(struct ctx *cx, const char *id, bool confirmed, const char *notfound,
    const char *how);
/* The same without questions, with its bindings, inside the caller's transaction; the files go after
 * the commit. */
void document_remove(struct ctx *cx, const char *id);

/* Lets its text be extracted (again), inside the caller's transaction: it is `processing` then. */
void document_queue(struct ctx *cx, const char *id);
/* Makes sure that somebody will look for the pending documents of each lane. In upkeep. */
void document_queue_forgotten(struct ctx *cx);

/* Documents are extracted in this many lanes; each does one at a time. */
#define EXTRACT_LANES 2

/* ---- new ones (document_copy.c) ---- */

struct document_new {
	const char *id, *original_name, *filename, *path, *mime, *direction;
	const char *task_id, *project_id, *category; /* or NULL */
	int64_t size;
};

/* Inserts it and lets its text be extracted, inside the caller's transaction. RC_NOTFOUND where the
 * task or the project is unknown. */
enum rc document_insert(struct ctx *cx, const struct document_new *d);

/* Which types endings stand for. */
enum document_types { TYPES_OF_OPERATION, TYPES_OF_TOOL };

/* Copies a file of the server's disk into the uploads and makes a document of the copy. IN is valid
 * by SHAPE_DOCUMENT_CREATE; ROOTS as in document_open. */
enum rc document_take(struct ctx *cx, const json_t *in, enum document_types types,
    const char *const *roots, struct document_new *out);

#endif
