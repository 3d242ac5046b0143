/* Importing: from a document's records to the rows of a table. */
#include "jobrunner/import.h"

#include <errno.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/domain/document.h"
#include "core/domain/table_int.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/model/models.h"
#include "core/store.h"
#include "core/text.h"
#include "jobrunner/runner.h"

#define LOOKED_AT 100 /* rows that decide the types */
#define SHOWN 10      /* rows of a preview */
#define COLUMNS_MAX 16384
#define NAME_UNITS 64
#define FILE_MAX ((off_t)256 << 20)
#define ROWS_MAX ((size_t)512 << 20) /* bytes of the rows as JSON */

#define MIME_XLSX "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#define MIME_XLS "application/vnd.ms-excel"

struct target {
	const char *header, *name, *display, *type; /* as it is imported */
	const char *inferred_name, *inferred_type;
	json_t *config; /* NULL: none */
	bool skip;
};

struct importer {
	struct ctx *cx;
	const struct import *im;
	struct jw *w; /* for the answer */
	struct arena *scratch;
	struct target *targets;
	size_t n;
	struct field_text *first[LOOKED_AT]; /* the rows that are looked at, copied */
	size_t n_first, rows;
	bool sparse; /* what a row lacks is missing, and not just empty */
	bool begun; /* types are known */
	struct buf out; /* the rows as JSON, each ended by a zero byte */
};

/* The header, made so that no other has it. */
static const char *own_header(struct arena *a, json_t *taken, const char *header)
{
	const json_t *last = json_object_get(taken, header);
	json_int_t k = last ? json_integer_value(last) : 1;
	const char *own = header;

	while (json_object_get(taken, own))
		own = arena_printf(a, "%s (%lld)", header, (long long)++k);
	json_object_set_new(taken, header, json_integer(k));
	if (own != header)
		json_object_set_new(taken, own, json_integer(1));
	return own;
}

/* Letters a to z and digits of a header in lower case, joined by underscores. */
static const char *plain_name(struct arena *a, const char *header)
{
	size_t n;
	const char *s = text_lower_all(a, header, strlen(header), &n);
	char *out = arena_alloc(a, n + 1), *w = out;

	for (const char *end = s + n; s < end; s++) {
		bool kept = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');

		if (kept)
			*w++ = *s;
		else if (w > out && w[-1] != '_')
			*w++ = '_';
	}
	while (w > out && w[-1] == '_')
		w--;
	*w = '\0';
	if (strlen(out) > NAME_UNITS)
		out[NAME_UNITS] = '\0';
	return out;
}

/* The name, made so that no other column has it. */
static const char *own_name(struct arena *a, json_t *taken, const char *name)
{
	const json_t *last = json_object_get(taken, name);
	json_int_t k = last ? json_integer_value(last) : 1;
	const char *own = name;

	while (json_object_get(taken, own)) {
		char end[24];
		int n = snprintf(end, sizeof end, "_%lld", (long long)++k);

		own = arena_printf(a, "%.*s%s", NAME_UNITS - n, name, end);
	}
	json_object_set_new(taken, name, json_integer(k));
	if (own != name)
		json_object_set_new(taken, own, json_integer(1));
	return own;
}

static void take_headers(struct importer *im, const struct field_text *fields, size_t n)
{
	struct arena *a = im->cx->arena;
	json_t *headers = json_keep(a, json_object()), *names = json_keep(a, json_object());

	im->n = n;
	im->targets = arena_array(a, struct target, n + 1);
	for (size_t i = 0; i < n; i++) {
		struct target *t = &im->targets[i];
		const char *text = fields[i].n ? text_as_utf8(a, fields[i].s, fields[i].n) : "";
		const char *name;

		if (!*text)
			text = arena_printf(a, "col_%zu", i);
		t->header = t->display = own_header(a, headers, text);
		name = plain_name(a, t->header);
		if (!*name)
			name = arena_printf(a, "col_%zu", i);
		t->name = t->inferred_name = own_name(a, names, name);
	}
}

static const json_t *mapping_of(const json_t *mapping, const struct target *t)
{
	size_t i;
	json_t *entry;

	json_array_foreach(mapping, i, entry) {
		const char *name = json_str(entry, "name"),
			   *display = json_str(entry, "displayName");

		if ((name && strcmp(name, t->name) == 0) ||
		    (display && strcmp(display, t->display) == 0))
			return entry;
	}
	return NULL;
}

static const char *or_else(const char *s, const char *otherwise)
{
	return s && *s ? s : otherwise;
}

/* What the caller wants, else what the table has. */
static void direct(struct importer *im, struct target *t)
{
	const json_t *entry = mapping_of(im->im->mapping, t);
	const char *known;

	if (entry) {
		t->skip = json_truth(json_object_get(entry, "skip"));
		t->name = or_else(json_str(entry, "name"), t->name);
		t->display = or_else(json_str(entry, "displayName"), t->display);
		t->type = or_else(json_str(entry, "dataType"), t->type);
		return;
	}
	known = db_get_text(im->cx->db, im->cx->arena, Q_TABLE_COLUMN_NAMED, "tt", im->im->table,
	    t->name);
	if (known && word_in(&DATA_TYPES, known))
		t->type = known;
}

static void add_row(struct importer *im, const struct field_text *fields, size_t n)
{
	static const struct field_text NOTHING = { NULL, 0 };
	json_t *row = json_object();

	arena_reset(im->scratch);
	for (size_t i = 0; i < im->n; i++) {
		const struct target *t = &im->targets[i];

		if (!t->skip)
			json_object_set_new(row, t->name,
			    import_value(t->type, i < n ? &fields[i] : &NOTHING));
	}
	buf_str(&im->out, json_text(im->scratch, row));
	buf_add(&im->out, "", 1);
	json_decref(row);
}

/* Decides the types, and takes the rows that were held back for it. */
static void begin(struct importer *im)
{
	struct field_text texts[LOOKED_AT];

	im->begun = true;
	for (size_t i = 0; i < im->n; i++) {
		struct target *t = &im->targets[i];
		json_t *options;

		for (size_t k = 0; k < im->n_first; k++)
			texts[k] = im->first[k][i];
		t->type = t->inferred_type = import_infer(texts, im->n_first, &options);
		if (options)
			t->config =
			    json_keep(im->cx->arena, json_pack("{s:o}", "options", options));
		direct(im, t);
	}
	for (size_t k = 0; !im->im->preview && k < im->n_first; k++)
		add_row(im, im->first[k], im->n);
}

static void hold(struct importer *im, const struct field_text *fields, size_t n)
{
	struct arena *a = im->cx->arena;
	struct field_text *copy = arena_array(a, struct field_text, im->n + 1);

	for (size_t i = 0; i < im->n; i++)
		if (i >= n)
			copy[i].s = im->sparse ? NULL : "";
		else if (fields[i].s)
			copy[i] = (struct field_text){ arena_strndup(a, fields[i].s, fields[i].n),
				fields[i].n };
	im->first[im->n_first++] = copy;
}

static bool take_record(void *arg, const struct field_text *fields, size_t n)
{
	struct importer *im = arg;

	if (!im->targets) {
		if (n > COLUMNS_MAX)
			ctx_fail(im->cx, RC_INVALID, "The document has more than %d columns",
			    COLUMNS_MAX);
		else
			take_headers(im, fields, n);
		return !im->cx->err.rc;
	}
	im->rows++;
	if (im->n_first < LOOKED_AT)
		hold(im, fields, n);
	else if (!im->begun)
		begin(im);
	if (im->n_first == LOOKED_AT && im->rows > LOOKED_AT && !im->im->preview)
		add_row(im, fields, n);
	if (im->out.failed || arena_exhausted(im->cx->arena))
		ctx_fail(im->cx, RC_TOOLARGE, "The document has too much in it");
	return !im->cx->err.rc;
}

/* The format that a document's type stands for; NULL where it is none. Comparison stops at
 * parameters. */
static const char *format_of(const char *mime, const char *bytes, size_t n)
{
	static const struct {
		const char *mime, *format;
	} TYPES[] = { { "text/csv", "csv" }, { "text/tab-separated-values", "tsv" },
		{ MIME_XLSX, "xlsx" }, { MIME_XLS, "xlsx" } };
	size_t length = strcspn(mime, "; \t");

	for (size_t i = 0; i < COUNT(TYPES); i++) {
		if (strlen(TYPES[i].mime) != length ||
		    strncasecmp(TYPES[i].mime, mime, length) != 0)
			continue;
		if (strcmp(TYPES[i].mime, MIME_XLS) == 0 && (n < 2 || memcmp(bytes, "PK", 2) != 0))
			return "csv";
		return TYPES[i].format;
	}
	return NULL;
}

static bool read_all(int fd, char *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = pread(fd, bytes + at, n - at, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

static enum rc read_format(struct importer *im, const char *format, int fd, const char *bytes,
    size_t n)
{
	struct err *e = &im->cx->err;

	im->sparse = strcmp(format, "xlsx") == 0;
	if (im->sparse)
		return import_read_xlsx(im->im->job, fd, take_record, im, e);
	if (strcmp(format, "json") == 0)
		return import_read_json(bytes, n, take_record, im, e);
	return import_read_csv(
	    bytes, n, strcmp(format, "tsv") == 0 ? '\t' : ',', take_record, im, e);
}

static enum rc read_file(struct importer *im, int fd, const char *mime)
{
	struct ctx *cx = im->cx;
	const char *format;
	struct stat st;
	char *bytes;
	enum rc rc;

	if (fstat(fd, &st) < 0)
		return err_internal(&cx->err, RC_IO, "%s", strerror(errno));
	if (st.st_size > FILE_MAX)
		return ctx_fail(cx, RC_TOOLARGE, "The document is too large to import");
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return err_internal(&cx->err, RC_IO, "no memory for a document");
	if (read_all(fd, bytes, (size_t)st.st_size)) {
		format = im->im->format ? im->im->format
					: format_of(mime, bytes, (size_t)st.st_size);
		rc = format
			 ? read_format(im, format, fd, bytes, (size_t)st.st_size)
			 : ctx_fail(cx, RC_INVALID, "Unsupported mime type for import: %s", mime);
	} else {
		rc = err_internal(&cx->err, RC_IO, "cannot read a document: %s", strerror(errno));
	}
	free(bytes);
	return rc == RC_OK ? cx->err.rc : rc;
}

static enum rc read_document(struct importer *im)
{
	struct ctx *cx = im->cx;
	struct document_state d;
	int fd;
	enum rc rc = document_load(cx, im->im->document, "Document not found", &d);

	if (rc != RC_OK)
		return rc;
	fd = d.storage_path ? store_open_file(cx, d.storage_path) : -1;
	if (fd < 0)
		return ctx_fail(cx, RC_NOTFOUND, "Document file not found");
	rc = read_file(im, fd, d.mime_type ? d.mime_type : "");
	close(fd);
	if (rc == RC_OK && !im->begun)
		begin(im);
	return rc;
}

static void write_columns(struct importer *im, struct jw *w, bool inferred)
{
	jw_arr(w);
	for (size_t i = 0; i < im->n; i++) {
		const struct target *t = &im->targets[i];

		if (t->skip && !inferred)
			continue;
		jw_obj(w);
		jw_kstr(w, "name", inferred ? t->inferred_name : t->name);
		jw_kstr(w, "displayName", inferred ? t->header : t->display);
		jw_kstr(w, "dataType", inferred ? t->inferred_type : t->type);
		if (t->config)
			jw_kjson(w, "config", t->config);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

static void write_preview(struct importer *im, struct jw *w)
{
	jw_obj(w);
	jw_key(w, "headers");
	jw_arr(w);
	for (size_t i = 0; i < im->n; i++)
		jw_str(w, im->targets[i].header);
	jw_end_arr(w);
	jw_key(w, "sampleRows");
	jw_arr(w);
	for (size_t k = 0; k < im->n_first && k < SHOWN; k++) {
		json_t *row = json_object();

		for (size_t i = 0; i < im->n; i++) {
			const struct field_text *f = &im->first[k][i];

			if (f->s)
				json_object_set_new(
				    row, im->targets[i].header, json_stringn(f->s, f->n));
		}
		jw_json(w, row);
		json_decref(row);
	}
	jw_end_arr(w);
	jw_kint(w, "totalRows", (int64_t)im->rows);
	jw_key(w, "inferredColumns");
	write_columns(im, w, true);
	jw_end_obj(w);
}

/* Adds the columns that the table has not. */
static void store_columns(struct importer *im)
{
	struct ctx *cx = im->cx;
	const char *table = im->im->table;
	bool changed = false;

	for (size_t i = 0; i < im->n; i++) {
		const struct target *t = &im->targets[i];
		json_t *in;

		if (t->skip ||
		    db_get_text(cx->db, cx->arena, Q_TABLE_COLUMN_NAMED, "tt", table, t->name))
			continue;
		in = json_pack("{s:s, s:s, s:s, s:O*}", "name", t->name, "displayName", t->display,
		    "dataType", t->type, "config", t->config);
		column_insert(cx, table, json_keep(cx->arena, in),
		    db_get_int(cx->db, 0, Q_TABLE_COLUMN_COUNT, "t", table), id_make(cx->arena));
		changed = true;
	}
	if (changed)
		column_sync(cx, table);
}

static void write_result(struct importer *im, struct jw *w, const char *id)
{
	jw_obj(w);
	jw_kstr(w, "importId", id);
	jw_kint(w, "rowsImported", (int64_t)im->rows);
	jw_kint(w, "rowsSkipped", 0);
	jw_key(w, "errors");
	jw_arr(w);
	jw_end_arr(w);
	jw_key(w, "columns");
	write_columns(im, w, false);
	jw_end_obj(w);
}

/* What goes with the last rows. */
static enum rc complete(void *arg, const char *id)
{
	struct importer *im = arg;
	struct ctx *cx = im->cx;

	store_columns(im);
	db_run(cx->db, Q_TABLE_IMPORT_INSERT, "tttiitti", id, im->im->table, im->im->document,
	    (int64_t)im->rows, (int64_t)0, NULL, "completed", cx->now);
	db_run(cx->db, Q_TABLE_DOCUMENT_LINK, "ttti", id_make(cx->arena), im->im->table,
	    im->im->document, cx->now);
	audit(cx, "table.import", "table", im->im->table, im->im->document);
	write_result(im, im->w, id);
	return im->im->stored ? im->im->stored(im->im->arg) : RC_OK;
}

static enum rc store(struct importer *im, struct table_import *ti)
{
	struct import_store s = { im->im, buf_text(&im->out), NULL, complete, im };

	s.end = s.rows + im->out.len;
	return import_store(&s, ti);
}

static enum rc run(struct importer *im, struct table_import *ti)
{
	enum rc rc = table_find(im->cx, im->im->table);

	if (rc == RC_OK)
		rc = read_document(im);
	if (rc == RC_OK && im->im->preview)
		write_preview(im, im->w);
	else if (rc == RC_OK)
		rc = store(im, ti);
	return rc;
}

enum rc import_run(struct ctx *cx, const struct import *in, struct jw *w)
{
	struct importer im = { .cx = cx, .im = in, .w = w };
	struct table_import ti;
	enum rc rc;

	table_import_begin(&ti, cx, in->table, in->job ? in->job->id : 0);
	im.scratch = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	buf_init(&im.out, ROWS_MAX);
	rc = run(&im, &ti);
	buf_fini(&im.out);
	if (rc != RC_OK && rc != RC_CANCELLED && rc != RC_FENCED)
		import_undo(&ti, in->job);
	return rc;
}

/* A job and the answer for the client who waits. */
struct answer {
	struct job *j;
	struct buf b;
	struct jw w;
};

static enum rc finish(void *arg)
{
	struct answer *ans = arg;

	return job_finish(ans->j, 200, buf_text(&ans->b), NULL);
}

/* Says why there was no import. */
static enum rc refuse(struct answer *ans, enum rc rc)
{
	struct err *e = &ans->j->cx->err;
	int status = rc_http_status(rc);

	if (status >= 500)
		log_error("import into table %s: %s", ans->j->subject, *e->cause ? e->cause : e->msg);
	buf_clear(&ans->b);
	ans->w = jw_on(&ans->b);
	jw_obj(&ans->w);
	jw_kstr(&ans->w, "error", status >= 500 ? "Failed to import data" : e->msg);
	jw_end_obj(&ans->w);
	err_clear(e);
	return job_finish(ans->j, status, buf_text(&ans->b), NULL);
}

/* The last rows and the end of the job are stored together, and so are all others and the note of
 * how many there are: one that is repeated after a crash imports nothing twice. */
int table_import(struct job *j)
{
	const json_t *in = json_read_text(j->cx->arena, j->payload);
	struct answer ans = { .j = j };
	const struct import im = {
		.table = j->subject,
		.document = json_str(in, "documentId"),
		.format = json_str(in, "format"),
		.mapping = json_object_get(in, "columnMapping"),
		.preview = json_truth(json_object_get(in, "preview")),
		.job = j,
		.stored = finish,
		.arg = &ans,
	};
	enum rc rc;

	buf_init(&ans.b, ARENA_REQUEST_MAX);
	ans.w = jw_on(&ans.b);
	rc = import_run(j->cx, &im, &ans.w);
	if (rc == RC_OK && im.preview)
		rc = finish(&ans);
	else if (rc != RC_OK && rc != RC_CANCELLED && rc != RC_FENCED)
		rc = refuse(&ans, rc);
	buf_fini(&ans.b);
	return rc == RC_OK ? EXIT_DONE : rc == RC_CANCELLED ? EXIT_INTERRUPTED : 1;
}
