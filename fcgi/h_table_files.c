/* /api/tables: import, which a job does, and export. What is exported is written to a file without
 * a name first, so that a failure on the way is an answer and not half a file. */
#include "core/domain/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/domain/document.h"
#include "core/model/models.h"
#include "core/text.h"
#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"
#include "fcgi/reply_file.h"
#include "fcgi/sheet.h"

#define IMPORT_TIMEOUT_MS 310000
#define PIECE ((size_t)64 << 10)

static enum rc check_mapping(struct request *rq, const json_t *mapping)
{
	size_t i;
	json_t *entry;

	if (mapping && !json_is_array(mapping))
		return ctx_fail(
		    &rq->cx, RC_INVALID, "columnMapping must be an array of objects");
	json_array_foreach(mapping, i, entry)
		if (!json_is_object(entry))
			return ctx_fail(
			    &rq->cx, RC_INVALID, "columnMapping must be an array of objects");
	json_array_foreach(mapping, i, entry) {
		const json_t *type = json_object_get(entry, "dataType");

		if (type && !word_in(&DATA_TYPES, json_string_value(type)))
			return ctx_fail(&rq->cx, RC_INVALID, "Invalid dataType: %s",
			    json_is_string(type) ? json_string_value(type)
						 : json_text(rq->cx.arena, type));
	}
	return RC_OK;
}

static enum rc check_import(struct request *rq)
{
	const json_t *id = json_object_get(rq->in, "documentId");
	const json_t *format = json_object_get(rq->in, "format");
	struct document_state d;
	enum rc rc;

	if (json_is_null(rq->in))
		return ctx_fail(&rq->cx, RC_INVALID, "Invalid JSON body");
	if (!json_truth(id))
		return ctx_fail(&rq->cx, RC_INVALID, "documentId is required");
	if (!json_is_string(id))
		return ctx_fail(&rq->cx, RC_INVALID, "documentId must be a string");
	if (format && !word_in(&IMPORT_FORMATS, json_string_value(format)))
		return ctx_fail(&rq->cx, RC_INVALID,
		    "Invalid format. Must be one of: csv, tsv, xlsx, json");
	rc = check_mapping(rq, json_object_get(rq->in, "columnMapping"));
	return rc != RC_OK
		   ? rc
		   : document_load(&rq->cx, json_string_value(id), "Document not found", &d);
}

enum rc h_table_import(struct request *rq)
{
	struct job_reply jr = { .kind = JOB_TABLE_IMPORT, .subject = rq->id,
		.timeout_ms = IMPORT_TIMEOUT_MS, .timeout_text = "Failed to import data" };
	enum rc rc = table_find(&rq->cx, rq->id);

	if (rc == RC_OK)
		rc = request_json(rq);
	if (rc == RC_OK)
		rc = check_import(rq);
	if (rc != RC_OK)
		return rc;
	jr.payload = json_text(rq->cx.arena, rq->in);
	return reply_with_job(rq, &jr);
}

/* A file that nobody else can find; -1 with the failure noted. */
static int nameless_file(struct ctx *cx)
{
	char *path = arena_printf(cx->arena, "%s/.export-XXXXXX", cx->conf->data_dir);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd < 0)
		err_internal(&cx->err, errno == ENOSPC ? RC_FULL : RC_IO,
		    "cannot make a file in the data folder: %s", strerror(errno));
	else
		unlink(path);
	return fd;
}

static bool write_piece(void *arg, const char *data, size_t n)
{
	int fd = *(int *)arg;

	while (n) {
		ssize_t done = write(fd, data, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		n -= (size_t)done;
	}
	return true;
}

static enum rc write_text(struct table_export *x, int fd, bool json)
{
	struct buf b;
	bool ok;

	buf_init(&b, PIECE);
	buf_set_sink(&b, write_piece, &fd);
	if (json)
		table_export_json(x, &b);
	else
		table_export_csv(x, &b);
	ok = buf_flush(&b) && !b.failed;
	buf_fini(&b);
	if (!ok)
		return err_internal(&x->cx->err, RC_IO, "cannot write an export");
	return x->cx->err.rc;
}

static const char *name_of(struct request *rq)
{
	struct q *q = db_query(rq->cx.db, Q_TABLE_GET, "t", rq->id);
	const char *name = db_next(q) ? db_text_dup(q, 2, rq->cx.arena) : NULL;

	db_done(q);
	return name ? name : "";
}

enum rc h_table_export(struct request *rq)
{
	static const struct {
		const char *format, *type;
	} FORMATS[] = {
		{ "csv", "text/csv; charset=utf-8" },
		{ "json", "application/json" },
		{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	};
	const char *asked = query_get(rq, "format"), *computed = query_get(rq, "computed"), *name;
	struct table_export x;
	size_t f = COUNT(FORMATS);
	int fd;
	enum rc rc = db_begin_read(rq->cx.db);

	while (--f && (!asked || strcmp(FORMATS[f].format, asked) != 0))
		;
	if (rc == RC_OK)
		rc = table_export_begin(&x, &rq->cx, rq->id,
		    !computed || strcmp(computed, "false") != 0);
	if (rc != RC_OK || (fd = nameless_file(&rq->cx)) < 0)
		return rc != RC_OK ? rc : rq->cx.err.rc;
	name = name_of(rq);
	rc = f == 2 ? sheet_write(&x, name, fd) : write_text(&x, fd, f == 1);
	if (rc != RC_OK || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return rc != RC_OK ? rc : err_internal(&rq->cx.err, RC_IO, "cannot seek");
	}
	return reply_file(rq, &(struct file_reply){ fd, FORMATS[f].type,
				  arena_printf(rq->cx.arena, "%s.%s", name, FORMATS[f].format),
				  .whole = true });
}
