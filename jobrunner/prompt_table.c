/* Tables in prompts. All texts are the users', so nothing in a cell may end it. */
#include "jobrunner/prompt_table.h"

#include "core/domain/table.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/prompt.h"

#define NAME_UNITS 1000
#define DESCRIPTION_UNITS 2000
#define COLUMNS_MAX 200
#define SAMPLE_ROWS 5
#define SAMPLE_COLUMNS 6
#define CELL_UNITS 40
#define DASH "\xe2\x80\x94"

/* "| TEXT ", at most UNITS units of it. */
static void add_cell(struct buf *b, const char *text, size_t units)
{
	const char *end = text + text_prefix(text, units);

	buf_str(b, "| ");
	for (; text < end; text++) {
		if (*text == '|')
			buf_char(b, '\\');
		buf_char(b, (unsigned char)*text < ' ' ? ' ' : *text);
	}
	if (*text)
		buf_str(b, "...");
	buf_char(b, ' ');
}

static void add_value_cell(struct arena *a, struct buf *b, const json_t *v)
{
	struct cell c = cell_of(a, v), text = cell_as_text(a, &c);
	const char *s = text.n ? text.s : DASH;

	add_cell(b, s, text_units(s) > CELL_UNITS ? CELL_UNITS - 3 : CELL_UNITS);
}

static const char *display_name(const json_t *column)
{
	const char *name = json_str(column, "displayName");

	if (!name)
		name = json_str(column, "name");
	return name ? name : "";
}

static void add_columns(struct buf *b, const json_t *columns)
{
	size_t i;
	json_t *column;

	buf_str(b, "| Column | Type | Required |\n|--------|------|----------|\n");
	json_array_foreach(columns, i, column) {
		const char *type = json_str(column, "dataType");

		if (i == COLUMNS_MAX)
			break;
		add_cell(b, display_name(column), NAME_UNITS);
		add_cell(b, type ? type : "", NAME_UNITS);
		buf_printf(b, "| %s |\n", json_flag(column, "required") ? "Yes" : "No");
	}
	if (json_array_size(columns) > COLUMNS_MAX)
		buf_printf(b, "(%zu more columns are not listed here.)\n",
		    json_array_size(columns) - COLUMNS_MAX);
}

static void add_sample_head(struct buf *b, const json_t *columns, size_t n)
{
	buf_str(b, "\n**Sample data:**\n");
	for (size_t i = 0; i < n; i++)
		add_cell(b, display_name(json_array_get(columns, i)), NAME_UNITS);
	buf_str(b, "|\n");
	for (size_t i = 0; i < n; i++)
		buf_str(b, "| --- ");
	buf_str(b, "|\n");
}

static void add_sample(struct ctx *cx, struct buf *b, const char *table, const json_t *columns)
{
	const struct table_query query = { .table = table, .limit = SAMPLE_ROWS };
	size_t n = json_array_size(columns);
	struct computed *computed;
	struct row_scan scan;
	struct arena *a;
	struct q *q;

	if (n > SAMPLE_COLUMNS)
		n = SAMPLE_COLUMNS;
	if (!n || row_scan_begin(&scan, cx, &query) != RC_OK)
		return;
	computed = computed_new(cx, table, columns);
	a = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	for (bool first = true; (q = row_scan_next(&scan)); first = false) {
		const json_t *row;

		arena_reset(a);
		row = computed_data(computed, a, db_text(q, ROW_DATA));
		if (first)
			add_sample_head(b, columns, n);
		for (size_t i = 0; i < n; i++) {
			const char *key = json_str(json_array_get(columns, i), "name");

			add_value_cell(a, b, key ? json_object_get(row, key) : NULL);
		}
		buf_str(b, "|\n");
	}
}

bool prompt_add_table(struct ctx *cx, struct buf *b, const char *id, const char *before)
{
	struct q *q = db_query(cx->db, Q_PROMPT_TABLE, "t", id);
	const json_t *columns;

	if (!db_next(q))
		return false;
	columns = json_read_text(cx->arena, db_text(q, 2));
	if (!json_is_array(columns)) {
		db_done(q);
		return false;
	}
	buf_str(b, before);
	buf_str(b, "### Table: ");
	prompt_add_line(b, db_text(q, 0), NAME_UNITS);
	buf_char(b, '\n');
	if (!db_is_null(q, 1) && *db_text(q, 1)) {
		prompt_add_line(b, db_text(q, 1), DESCRIPTION_UNITS);
		buf_char(b, '\n');
	}
	buf_printf(b, "Rows: %lld | Columns: %zu\n\n", (long long)db_int(q, 3),
	    json_array_size(columns));
	db_done(q);
	add_columns(b, columns);
	add_sample(cx, b, id, columns);
	return true;
}
