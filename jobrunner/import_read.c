/* Reading spreadsheets and JSON as records of texts. */
#include "core/cell.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/extract/xlsx.h"
#include "jobrunner/import.h"

#define UNREADABLE "Could not read the spreadsheet"
#define JSON_ROOT "JSON import needs an array of objects or an array of arrays"
#define JSON_TEXT_MAX ((size_t)64 << 20)

struct sheet_reader {
	import_record record;
	void *arg;
	struct field_text fields[XLSX_COLUMNS];
	char rooms[XLSX_COLUMNS][NUM_TEXT_SIZE];
	bool headers; /* are read */
};

static bool sheet_row(void *arg, uint32_t number UNUSED, const struct xlsx_cell *cells, size_t n)
{
	struct sheet_reader *r = arg;

	for (size_t i = 0; i < n && i < XLSX_COLUMNS; i++) {
		struct field_text *f = &r->fields[i];

		*f = (struct field_text){ NULL, 0 };
		if (cells[i].type == XLSX_NONE || cells[i].type == XLSX_PENDING)
			continue;
		f->s = xlsx_text(&cells[i], 'T', r->rooms[i], &f->n);
		if (!r->headers && f->s)
			text_trim_span(&f->s, &f->n);
	}
	r->headers = true;
	return r->record(r->arg, r->fields, n);
}

enum rc import_read_xlsx(int fd, import_record record, void *arg, struct err *e)
{
	struct sheet_reader *r;
	struct err inner = { 0 };
	struct xlsx *x = xlsx_open(fd, &PACK_LIMITS, &inner);
	enum rc rc;

	if (!x || !xlsx_sheets(x)) {
		xlsx_close(x);
		return err_set(e, RC_INVALID, UNREADABLE);
	}
	r = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->record = record;
	r->arg = arg;
	rc = xlsx_read(x, 0, sheet_row, r, &inner);
	free(r);
	xlsx_close(x);
	return rc == RC_OK ? rc : err_set(e, RC_INVALID, UNREADABLE);
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
