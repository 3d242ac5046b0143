/* Tables as CSV and JSON, and cell by cell for whoever writes other formats. */
#include "core/domain/table_int.h"

#include "core/json_in.h"
#include "core/model/models.h"

enum rc table_export_begin(struct table_export *x, struct ctx *cx, const char *table,
    bool computed)
{
	const json_t *schema;
	json_t *column;
	size_t i;
	enum rc rc = table_schema(cx, table, &schema);

	*x = (struct table_export){ .cx = cx, .with_computed = computed };
	if (rc == RC_OK)
		rc = table_query_read(cx, table, NULL, NULL, &x->query);
	if (rc != RC_OK)
		return rc;
	x->query.limit = TABLE_EXPORT_ROWS;
	x->computed = computed_new(cx, table, schema);
	x->n = json_array_size(schema);
	x->scratch = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	x->headers = arena_array(cx->arena, const char *, x->n + 1);
	x->cells = arena_array(cx->arena, struct cell, x->n + 1);
	x->keys = arena_array(cx->arena, struct row_key, x->n + 1);
	x->places = arena_array(cx->arena, int, x->n + 1);
	json_array_foreach(schema, i, column) {
		const char *name = json_str(column, "name"),
			   *shown = json_str(column, "displayName");

		x->headers[i] = shown ? shown : name ? name : "";
		x->keys[i] = row_key(cx->arena, name ? name : "");
		x->places[i] = name ? computed_find(x->computed, name) : -1;
	}
	return row_scan_begin(&x->scan, cx, &x->query);
}

bool table_export_next(struct table_export *x)
{
	struct q *q = row_scan_next(&x->scan);
	const struct cell *values = NULL;
	const char *data;

	if (!q)
		return false;
	data = db_text(q, ROW_DATA);
	arena_reset(x->scratch);
	row_pick(x->scratch, data, x->keys, x->n, x->cells);
	if (x->computed && x->with_computed)
		values = computed_row(x->computed, data);
	for (size_t i = 0; i < x->n; i++)
		if (x->places[i] >= 0)
			x->cells[i] = values ? values[x->places[i]] : (struct cell){ CELL_NULL };
	return true;
}

static void add_field(struct buf *b, const char *s, size_t n)
{
	if (!memchr(s, ',', n) && !memchr(s, '"', n) && !memchr(s, '\n', n)) {
		buf_add(b, s, n);
		return;
	}
	buf_char(b, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			buf_char(b, '"');
		buf_char(b, s[i]);
	}
	buf_char(b, '"');
}

void table_export_csv(struct table_export *x, struct buf *b)
{
	for (size_t i = 0; i < x->n; i++) {
		if (i)
			buf_char(b, ',');
		add_field(b, x->headers[i], strlen(x->headers[i]));
	}
	while (!b->failed && table_export_next(x)) {
		buf_char(b, '\n');
		for (size_t i = 0; i < x->n; i++) {
			struct cell text = cell_as_text(x->scratch, &x->cells[i]);

			if (i)
				buf_char(b, ',');
			add_field(b, text.s, text.n);
		}
	}
	row_scan_end(&x->scan);
}

void table_export_json(struct table_export *x, struct buf *b)
{
	struct computed *c = x->with_computed ? x->computed : NULL;
	bool first = true;
	struct q *q;

	buf_char(b, '[');
	while (!b->failed && (q = row_scan_next(&x->scan))) {
		const char *data = db_text(q, ROW_DATA);

		arena_reset(x->scratch);
		buf_str(b, first ? "\n  " : ",\n  ");
		json_indent(b, c ? json_text(x->scratch, computed_data(c, x->scratch, data)) : data,
		    1);
		first = false;
	}
	row_scan_end(&x->scan);
	buf_str(b, first ? "]" : "\n]");
}
