/* New documents, and those that are copies of files on the server's disk. The copy is whole and on
 * disk before a row names it; where there is no row in the end, it goes again. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "core/domain/document.h"
#include "core/domain/document_path.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/store.h"
#include "core/text.h"

#define BLOCK 65536u
#define WORD_TYPE "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
#define SHEET_TYPE "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define SLIDES_TYPE "application/vnd.openxmlformats-officedocument.presentationml.presentation"

static const struct {
	const char *ending, *mime;
	bool only_tool;
} TYPES[] = {
	{ ".md", "text/markdown", false },
	{ ".txt", "text/plain", false },
	{ ".json", "application/json", false },
	{ ".csv", "text/csv", false },
	{ ".html", "text/html", false },
	{ ".pdf", "application/pdf", false },
	{ ".png", "image/png", false },
	{ ".jpg", "image/jpeg", false },
	{ ".jpeg", "image/jpeg", false },
	{ ".gif", "image/gif", false },
	{ ".webp", "image/webp", false },
	{ ".docx", WORD_TYPE, false },
	{ ".xlsx", SHEET_TYPE, false },
	{ ".pptx", SLIDES_TYPE, true },
	{ ".xml", "application/xml", true },
	{ ".yaml", "text/yaml", true },
	{ ".yml", "text/yaml", true },
	{ ".svg", "image/svg+xml", true },
	{ ".ts", "text/typescript", true },
	{ ".tsx", "text/typescript", true },
	{ ".js", "text/javascript", true },
	{ ".jsx", "text/javascript", true },
	{ ".py", "text/x-python", true },
	{ ".rs", "text/x-rust", true },
	{ ".go", "text/x-go", true },
};

/* From the last dot of NAME on, "" where there is none or it is the first character. */
static const char *ending(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name ? dot : "";
}

static const char *type_of(const char *name, enum document_types types)
{
	const char *end = ending(name);

	for (size_t i = 0; i < COUNT(TYPES); i++)
		if (strcasecmp(end, TYPES[i].ending) == 0 &&
		    (types == TYPES_OF_TOOL || !TYPES[i].only_tool))
			return TYPES[i].mime;
	return "application/octet-stream";
}

static int64_t next_version(struct ctx *cx, const struct document_new *d)
{
	if (strcmp(d->direction, "output") != 0 || (!d->project_id && !d->task_id))
		return 1;
	if (d->project_id)
		return 1 + db_get_int(cx->db, 0, Q_OUTPUT_VERSION_IN_PROJECT, "tt", d->project_id,
			       d->original_name);
	return 1 + db_get_int(
		       cx->db, 0, Q_OUTPUT_VERSION_IN_TASK, "tt", d->task_id, d->original_name);
}

enum rc document_insert(struct ctx *cx, const struct document_new *d)
{
	enum rc rc = document_check_owners(cx, d->task_id, d->project_id);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_DOCUMENT_INSERT, "ttttttititti", d->id, d->task_id, d->project_id,
	    d->filename, d->original_name, d->mime, d->size, d->path, next_version(cx, d),
	    d->direction, d->category, cx->now);
	document_queue(cx, d->id);
	audit(cx, "document.create", "document", d->id, NULL);
	return cx->err.rc;
}

/* Copies FD to its end; false with errno. */
static bool copy(int fd, struct store_temp *t, int64_t *size)
{
	char block[BLOCK];
	ssize_t n;

	*size = 0;
	while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && !store_temp_write(t, block, (size_t)n))
			return false;
		*size += n > 0 ? n : 0;
	}
	return n == 0;
}

static enum rc store_copy(struct ctx *cx, int fd, struct document_new *d)
{
	const char *dir_path;
	struct store_temp t;
	int dir = store_open_fixed(cx, "uploads", true, &dir_path), cause = errno;
	bool ok;

	if (dir < 0)
		return store_failed(cx, "uploads", cause);
	ok = store_temp_open(&t, dir);
	if (ok) {
		ok = copy(fd, &t, &d->size);
		ok = store_temp_close(&t, ok ? d->filename : NULL) && fsync(dir) == 0;
	}
	cause = errno;
	if (!ok)
		unlinkat(dir, d->filename, 0);
	close(dir);
	d->path = arena_printf(cx->arena, "%s/%s", dir_path, d->filename);
	return ok ? RC_OK : store_failed(cx, "uploads", cause);
}

/* The owner that IN names under KEY; NULL for none. */
static const char *owner(const json_t *in, const char *key)
{
	const char *id = json_str(in, key);

	return id && *id ? id : NULL;
}

static void describe(struct ctx *cx, const json_t *in, const char *name, enum document_types types,
    struct document_new *d)
{
	const json_t *metadata = json_object_get(in, "metadata");
	const char *direction = json_str(in, "direction"),
		   *end = text_lower(cx->arena, ending(name));

	*d = (struct document_new){ .id = id_make(cx->arena), .original_name = name,
		.mime = type_of(name, types), .direction = direction ? direction : "output",
		.task_id = owner(in, "taskId"), .project_id = owner(in, "projectId") };
	if (json_object_size(metadata))
		d->category = json_text(cx->arena, metadata);
	if (strlen(end) > NAME_MAX - (ID_SIZE - 1))
		end = "";
	d->filename = arena_printf(cx->arena, "%s%s", d->id, end);
}

static enum rc insert_copy(struct ctx *cx, const struct document_new *d)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	return tx_end(cx, document_insert(cx, d));
}

enum rc document_take(struct ctx *cx, const json_t *in, enum document_types types,
    const char *const *roots, struct document_new *out)
{
	struct document_source from;
	enum rc rc = document_open(cx, json_str(in, "file_path"), roots, &from);

	if (rc != RC_OK)
		return rc;
	describe(cx, in, from.name, types, out);
	rc = document_check_owners(cx, out->task_id, out->project_id);
	if (rc == RC_OK)
		rc = store_copy(cx, from.fd, out);
	close(from.fd);
	if (rc != RC_OK)
		return rc;
	rc = insert_copy(cx, out);
	if (rc != RC_OK)
		unlink(out->path);
	return rc;
}
