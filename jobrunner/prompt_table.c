/* Tables in prompts. All texts are the users', so nothing in a cell may end it. */
#include "jobrunner/prompt_table.h"

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/prompt.h"

#define NAME_UNITS 1000
#define DESCRIPTION_UNITS 2000
#define COLUMNS_MAX 200
#define SAMPLE_ROWS 5
#define SAMPLE_COLUMNS 6
#define CELL_UNITS 40
#define CELL_MAX ((size_t)64 << 10)
#define DASH "\xe2\x80\x94"

/* The text of a value: a little more than a cell takes, so that one sees that it is too long. */
static void add_value(struct arena *a, struct buf *b, const json_t *v)
{
	char number[NUM_TEXT_SIZE];
	const char *s = "";
	size_t i;
	json_t *item;

	switch (json_typeof(v)) {
	case JSON_STRING:
		s = json_string_value(v);
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		num_text(number, json_number_value(v));
		s = number;
		break;
	case JSON_TRUE:
		s = "true";
		break;
	case JSON_FALSE:
		s = "false";
		break;
	case JSON_OBJECT:
		s = json_text(a, v);
		break;
	case JSON_ARRAY:
		json_array_foreach(v, i, item) {
			if (text_units(buf_text(b)) > CELL_UNITS)
				return;
			if (i)
				buf_char(b, ',');
			add_value(a, b, item);
		}
		return;
	case JSON_NULL:
		return;
	}
	buf_add(b, s, text_prefix(s, CELL_UNITS + 2));
}

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

static void add_value_cell(struct ctx *cx, struct buf *b, const json_t *v)
{
	struct buf value;
	const char *text;

	buf_init(&value, CELL_MAX);
	if (v)
		add_value(cx->arena, &value, v);
	text = buf_text(&value);
	add_cell(b, *text ? text : DASH,
	    text_units(text) > CELL_UNITS ? CELL_UNITS - 3 : CELL_UNITS);
	buf_fini(&value);
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
	size_t n = json_array_size(columns);
	struct q *q;

	if (n > SAMPLE_COLUMNS)
		n = SAMPLE_COLUMNS;
	if (!n)
		return;
	q = db_query(cx->db, Q_PROMPT_TABLE_ROWS, "ti", table, (int64_t)SAMPLE_ROWS);
	for (bool first = true; db_next(q); first = false) {
		const json_t *row = json_read_text(cx->arena, db_text(q, 0));

		if (first)
			add_sample_head(b, columns, n);
		for (size_t i = 0; i < n; i++) {
			const char *key = json_str(json_array_get(columns, i), "name");

			add_value_cell(cx, b, key ? json_object_get(row, key) : NULL);
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
