/* Reading spreadsheets and JSON as records of texts. A spreadsheet is read by stagent-extract, in a
 * process with limits. */
#include "core/cell.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/extract.h"
#include "jobrunner/import.h"

#define UNREADABLE "Could not read the spreadsheet"
#define LINE_MAX_BYTES ((size_t)64 << 20)
#define JSON_ROOT "JSON import needs an array of objects or an array of arrays"
#define JSON_TEXT_MAX ((size_t)64 << 20)

/* Lines of JSON, put together from the pieces in which they come. */
struct lines {
	import_record record;
	void *arg;
	struct buf rest; /* of a line that is not whole yet */
	struct field_text *fields;
	size_t room;
	bool headers; /* are read */
	bool enough, broken;
};

static void make_room(struct lines *l, size_t n)
{
	if (n <= l->room)
		return;
	l->room = n;
	l->fields = realloc(l->fields, n * sizeof *l->fields);
	if (!l->fields)
		abort();
}

/* A row: an array of texts, and null where there is no cell. */
static void take_line(struct lines *l, const char *line, size_t n)
{
	json_t *row = json_loadb(line, n, 0, NULL), *cell;
	size_t i;

	if (!json_is_array(row))
		l->broken = true;
	make_room(l, json_array_size(row));
	json_array_foreach(row, i, cell) {
		struct field_text *f = &l->fields[i];

		*f = (struct field_text){ json_string_value(cell), json_string_length(cell) };
		if (!l->headers && f->s)
			text_trim_span(&f->s, &f->n);
	}
	if (!l->broken && !l->record(l->arg, l->fields, json_array_size(row)))
		l->enough = true;
	l->headers = true;
	json_decref(row);
}

static bool take_lines(void *arg, const char *data, size_t n)
{
	struct lines *l = arg;
	const char *text, *lf;
	size_t size, done = 0, seen = l->rest.len;

	buf_add(&l->rest, data, n);
	text = buf_text(&l->rest);
	size = l->rest.len;
	while (!l->enough && !l->broken && (lf = memchr(text + seen, '\n', size - seen))) {
		take_line(l, text + done, (size_t)(lf - text) - done);
		done = seen = (size_t)(lf - text) + 1;
	}
	l->broken |= l->rest.failed;
	buf_consume(&l->rest, done);
	return !l->enough && !l->broken;
}

enum rc import_read_xlsx(struct job *j, int fd, import_record record, void *arg, struct err *e)
{
	struct lines l = { .record = record, .arg = arg };
	struct job idle = { .signal_fd = -1 };
	struct err inner = { 0 };
	enum rc rc;

	buf_init(&l.rest, LINE_MAX_BYTES);
	rc = extract_run(j ? j : &idle, "rows", fd, take_lines, &l, &inner);
	buf_fini(&l.rest);
	free(l.fields);
	if (l.enough || rc == RC_OK)
		return RC_OK;
	return err_set(e, rc == RC_CANCELLED ? rc : RC_INVALID, UNREADABLE);
}

/* The texts of a JSON record. */
struct json_reader {
	struct arena *scratch;
	struct field_text *fields;
	size_t n;
};

static void take_cell(struct json_reader *r, size_t i, const json_t *v)
{
	struct cell c = cell_of(r->scratch, v);

	if (c.kind != CELL_JSON)
		c = cell_as_text(r->scratch, &c);
	r->fields[i] = (struct field_text){ c.s, c.n };
}

static json_t *header_names(const json_t *rows)
{
	json_t *names = json_object(), *row, *v;
	const char *key;
	size_t i;

	json_array_foreach(rows, i, row)
		json_object_foreach(row, key, v)
			if (!json_object_get(names, key))
				json_object_set_new(names, key, json_true());
	return names;
}

static bool all_are(const json_t *rows, json_type type)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
		if (json_typeof(row) != type)
			return false;
	return true;
}

static void read_objects(struct json_reader *r, const json_t *rows, import_record record, void *arg)
{
	json_t *names = header_names(rows), *row, *v;
	bool more = true;
	const char *key;
	size_t i, n = 0;

	r->fields = calloc(json_object_size(names) + 1, sizeof *r->fields);
	if (!r->fields)
		abort();
	json_object_foreach(names, key, v)
		r->fields[n++] = (struct field_text){ key, strlen(key) };
	more = record(arg, r->fields, n);
	json_array_foreach(rows, i, row) {
		arena_reset(r->scratch);
		n = 0;
		json_object_foreach(names, key, v)
			take_cell(r, n++, json_object_get(row, key));
		if (!more)
			break;
		more = record(arg, r->fields, n);
	}
	json_decref(names);
}

static void read_arrays(struct json_reader *r, const json_t *rows, import_record record, void *arg)
{
	size_t i, k, room = 0;
	json_t *row, *v;

	json_array_foreach(rows, i, row)
		if (json_array_size(row) > room)
			room = json_array_size(row);
	r->fields = calloc(room + 1, sizeof *r->fields);
	if (!r->fields)
		abort();
	json_array_foreach(rows, i, row) {
		arena_reset(r->scratch);
		json_array_foreach(row, k, v) {
			take_cell(r, k, v);
			if (!i)
				text_trim_span(&r->fields[k].s, &r->fields[k].n);
		}
		if (!record(arg, r->fields, json_array_size(row)))
			break;
	}
}

enum rc import_read_json(const char *bytes, size_t n, import_record record, void *arg,
    struct err *e)
{
	struct arena *a = arena_new(2 * n + JSON_TEXT_MAX);
	struct json_reader r = { .scratch = arena_scratch(a, 2 * n + JSON_TEXT_MAX) };
	const json_t *rows = json_read_cells(a, bytes, n);
	enum rc rc = RC_OK;

	if (!rows)
		rc = err_set(e, RC_INVALID, "Invalid JSON file");
	else if (json_is_array(rows) && !json_array_size(rows))
		rc = err_set(e, RC_INVALID, "Empty file");
	else if (json_is_array(rows) && all_are(rows, JSON_OBJECT))
		read_objects(&r, rows, record, arg);
	else if (json_is_array(rows) && all_are(rows, JSON_ARRAY))
		read_arrays(&r, rows, record, arg);
	else
		rc = err_set(e, RC_INVALID, JSON_ROOT);
	free(r.fields);
	arena_free(a);
	return rc;
}
