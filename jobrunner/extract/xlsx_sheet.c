/* The rows of a sheet. It is parsed twice, since merged areas stand behind the rows they change:
 * first for those, then for the rows. */
#include "jobrunner/extract/xlsx_int.h"

#include <math.h>
#include <stdlib.h>

#include "core/text.h"

#define MERGES_MAX     65536u
#define MERGE_TEXTS_MAX ((size_t)32 << 20) /* bytes of the texts of merged areas */
#define ROW_TEXTS_MAX	((size_t)32 << 20) /* bytes of the texts of one row that are not shared */
#define NUMBER_TEXT_MAX 64u

struct merge {
	uint32_t row, last_row, column, last_column; /* rows from 1, columns from 0 */
	struct xlsx_cell value;
};

/* What is known of the cell at hand. */
struct current {
	uint32_t column;
	uint32_t format;
	char type[16];
	bool formula, has_v, has_is, in_v, in_is;
	size_t from; /* its characters in the texts of the row */
	struct xlsx_string string;
};

struct reader {
	struct xlsx *book;
	struct arena *arena; /* merges */
	xlsx_row row_fn;
	void *row_arg;
	struct merge *merges; /* by row */
	size_t n_merges, next_merge;
	struct merge **active; /* those that cover the row at hand, or one below */
	size_t n_active;
	size_t merge_bytes;
	struct xlsx_cell *line;
	size_t *own; /* where a cell's text begins in texts, plus 1; 0: it is shared or none */
	uint32_t width; /* columns used in line */
	struct buf texts;
	struct current cell;
	uint32_t row, next_column;
	bool in_rows, in_row, in_cell;
	bool stop;
	struct err *err;
	enum rc rc;
};

static void fail(struct reader *r, enum rc rc, const char *why)
{
	r->rc = err_set(r->err, rc, "%s", why);
	r->stop = true;
}

/* ---- references ---- */

/* Reads a column's letters at *S (A is 0); false where there are none or too many. */
static bool read_column(const char **s, uint32_t *column)
{
	uint32_t c = 0;
	const char *p = *s;

	for (; *p >= 'A' && *p <= 'Z' && c <= XLSX_COLUMNS; p++)
		c = c * 26 + (uint32_t)(*p - 'A') + 1;
	if (p == *s || c > XLSX_COLUMNS)
		return false;
	*column = c - 1;
	*s = p;
	return true;
}

static bool read_row(const char **s, uint32_t *row)
{
	uint32_t v = 0;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9' && v <= XLSX_ROWS; p++)
		v = v * 10 + (uint32_t)(*p - '0');
	if (v < 1 || v > XLSX_ROWS)
		return false;
	*row = v;
	*s = p;
	return true;
}

static bool read_area(const char *s, struct merge *m)
{
	return read_column(&s, &m->column) && read_row(&s, &m->row) && *s++ == ':' &&
	    read_column(&s, &m->last_column) && read_row(&s, &m->last_row) && !*s &&
	    m->column <= m->last_column && m->row <= m->last_row;
}

/* ---- merged areas ---- */

static void on_merge(void *arg, const struct xml_element *el)
{
	struct reader *r = arg;
	struct merge m = { 0 };
	char area[64];

	if (!xml_is(el, XML_SHEET, "mergeCell") || r->n_merges >= MERGES_MAX)
		return;
	xml_attribute_text(el, XML_NONE, "ref", area, sizeof area);
	if (!read_area(area, &m))
		return;
	if (!r->merges)
		r->merges = arena_array(r->arena, struct merge, MERGES_MAX);
	r->merges[r->n_merges++] = m;
}

static int by_row(const void *a, const void *b)
{
	const struct merge *x = a, *y = b;

	return x->row < y->row ? -1 : x->row > y->row;
}

/* Takes up the areas that begin in ROW, and drops those that ended above it. */
static void activate(struct reader *r, uint32_t row)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n_active; i++)
		if (r->active[i]->last_row >= row)
			r->active[kept++] = r->active[i];
	r->n_active = kept;
	for (; r->next_merge < r->n_merges && r->merges[r->next_merge].row <= row; r->next_merge++)
		if (r->merges[r->next_merge].row == row)
			r->active[r->n_active++] = &r->merges[r->next_merge];
}

/* Keeps what the top left cell of an area holds. */
static void learn_value(struct reader *r, struct merge *m)
{
	const struct xlsx_cell *from = &r->line[m->column];

	m->value = (struct xlsx_cell){ 0 };
	if (m->column >= r->width)
		return;
	m->value = *from;
	if (!r->own[m->column])
		return;
	r->merge_bytes += from->n;
	if (r->merge_bytes > MERGE_TEXTS_MAX)
		fail(r, RC_TOOLARGE, "The sheet has too much text in merged cells");
	else
		m->value.text = arena_strndup(r->arena, from->text, from->n);
}

static void spread(struct reader *r, const struct merge *m)
{
	if (m->value.type == XLSX_NONE && m->column >= r->width)
		return;
	for (; r->width <= m->last_column; r->width++) {
		r->line[r->width] = (struct xlsx_cell){ 0 };
		r->own[r->width] = 0;
	}
	for (uint32_t c = m->column; c <= m->last_column; c++) {
		r->line[c] = m->value;
		r->own[c] = 0;
	}
}

/* ---- rows ---- */

/* Hands out the line as ROW. */
static void give_row(struct reader *r, uint32_t row)
{
	const char *texts = buf_text(&r->texts);
	uint32_t n;

	if (r->texts.failed) {
		fail(r, RC_TOOLARGE, "A row of the sheet is too large");
		return;
	}
	for (uint32_t c = 0; c < r->width; c++)
		if (r->own[c])
			r->line[c].text = texts + r->own[c] - 1;
	activate(r, row);
	for (size_t i = 0; i < r->n_active; i++) {
		if (r->active[i]->row == row)
			learn_value(r, r->active[i]);
		spread(r, r->active[i]);
	}
	if (r->stop)
		return;
	for (n = r->width; n && r->line[n - 1].type == XLSX_NONE; n--)
		;
	if (n && !r->row_fn(r->row_arg, row, r->line, n))
		r->stop = true;
}

/* Hands out the rows from FROM to below TO that exist only as parts of merged areas. */
static void give_gap(struct reader *r, uint32_t from, uint32_t to)
{
	for (uint32_t row = from; row < to && r->n_active && !r->stop; row++) {
		r->width = 0;
		buf_clear(&r->texts);
		give_row(r, row);
	}
}

static void begin_row(struct reader *r, const struct xml_element *el)
{
	char text[16];
	const char *s = text;
	uint32_t row = r->row + 1;

	xml_attribute_text(el, XML_NONE, "r", text, sizeof text);
	if (*text && (!read_row(&s, &row) || *s || row <= r->row)) {
		fail(r, RC_INVALID, "The rows of the sheet are not in order");
		return;
	}
	if (row > XLSX_ROWS) {
		fail(r, RC_TOOLARGE, "The sheet has too many rows");
		return;
	}
	give_gap(r, r->row + 1, row);
	r->row = row;
	r->next_column = 0;
	r->width = 0;
	buf_clear(&r->texts);
	r->in_row = true;
}

/* ---- cells ---- */

/* Whether REF names a cell of the row at hand; its column. */
static bool is_place(const struct reader *r, const char *ref, uint32_t *column)
{
	uint32_t row;

	return read_column(&ref, column) && read_row(&ref, &row) && !*ref && row == r->row;
}

static void begin_cell(struct reader *r, const struct xml_element *el)
{
	struct current *c = &r->cell;
	char ref[16], format[16];
	int64_t v;

	*c = (struct current){ .column = r->next_column, .from = r->texts.len };
	c->string.out = &r->texts;
	xml_attribute_text(el, XML_NONE, "r", ref, sizeof ref);
	if ((*ref && !is_place(r, ref, &c->column)) || c->column >= XLSX_COLUMNS) {
		fail(r, RC_INVALID, "A cell of the sheet has no valid place");
		return;
	}
	xml_attribute_text(el, XML_NONE, "t", c->type, sizeof c->type);
	xml_attribute_text(el, XML_NONE, "s", format, sizeof format);
	c->format = text_to_int(format, 0, XLSX_STYLES_MAX, &v) ? (uint32_t)v : 0;
	r->next_column = c->column + 1;
	r->in_cell = true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Reads a number that is the whole of the N bytes at S, but for white space around it. */
static bool read_number(const char *s, size_t n, double *out)
{
	char text[NUMBER_TEXT_MAX], *end;

	for (; n && is_blank(s[n - 1]); n--)
		;
	for (; n && is_blank(*s); n--)
		s++;
	if (!n || n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (strspn(text, "0123456789+-.eE") != n)
		return false;
	*out = strtod(text, &end);
	return !*end && isfinite(*out);
}

static void set_text(struct xlsx_cell *out, enum xlsx_type type, const char *s, size_t n)
{
	*out = (struct xlsx_cell){ .type = type, .text = s, .n = n };
}

/* A date in ISO form (strict workbooks): the date, maybe T and the time. */
static bool read_iso(const char *s, size_t n, struct xlsx_cell *out)
{
	char text[NUMBER_TEXT_MAX];
	unsigned y, mo, d, h = 0, mi = 0, sec = 0;
	int got;

	if (!n || n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	got = sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &y, &mo, &d, &h, &mi, &sec);
	if (got < 3 || y < 1 || mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 ||
	    sec > 60)
		return false;
	out->type = XLSX_DATE;
	out->date.year = (int16_t)y;
	out->date.month = (uint8_t)mo;
	out->date.day = (uint8_t)d;
	out->date.hour = (uint8_t)h;
	out->date.minute = (uint8_t)mi;
	out->date.second = (uint8_t)sec;
	return true;
}

/* The value of the cell at hand from its type and its N characters at S. */
static void decode(struct reader *r, const char *s, size_t n, struct xlsx_cell *out)
{
	const struct current *c = &r->cell;
	double v;

	if (strcmp(c->type, "s") == 0) {
		out->type = XLSX_TEXT;
		if (!read_number(s, n, &v) || v < 0 || v > 4e9 ||
		    !xlsx_shared(r->book, (uint64_t)v, &out->text, &out->n))
			fail(r, RC_INVALID, "A cell of the sheet refers to no text");
	} else if (strcmp(c->type, "b") == 0) {
		out->type = XLSX_BOOL;
		out->truth = !(n == 1 && *s == '0') && !(n == 5 && memcmp(s, "false", 5) == 0);
	} else if (strcmp(c->type, "e") == 0) {
		set_text(out, XLSX_ERROR, s, n);
	} else if (strcmp(c->type, "d") == 0) {
		if (!read_iso(s, n, out))
			set_text(out, XLSX_TEXT, s, n);
	} else if (strcmp(c->type, "str") == 0 || strcmp(c->type, "inlineStr") == 0) {
		set_text(out, XLSX_TEXT, s, n);
	} else if (read_number(s, n, &v)) {
		out->type = XLSX_NUMBER;
		out->number = v;
		if (c->format < r->book->n_formats && r->book->is_date[c->format])
			xlsx_make_date(r->book, out);
	} else {
		set_text(out, XLSX_TEXT, s, n);
	}
}

static void end_cell(struct reader *r)
{
	struct current *c = &r->cell;
	const char *s = buf_text(&r->texts) + c->from;
	size_t n;
	struct xlsx_cell cell = { .type = XLSX_NONE };
	bool own;

	r->in_cell = false;
	if (strcmp(c->type, "str") == 0)
		xlsx_unescape(&r->texts, c->from);
	if (r->texts.failed)
		return;
	n = r->texts.len - c->from;
	if (c->has_is || n || (c->formula && c->has_v && strcmp(c->type, "str") == 0))
		decode(r, s, n, &cell);
	else if (c->formula)
		cell.type = XLSX_PENDING;
	for (; r->width <= c->column; r->width++) {
		r->line[r->width] = (struct xlsx_cell){ 0 };
		r->own[r->width] = 0;
	}
	own = (cell.type == XLSX_TEXT || cell.type == XLSX_ERROR) && cell.text == s;
	r->line[c->column] = cell;
	r->own[c->column] = own ? c->from + 1 : 0;
	if (!own)
		r->texts.len = c->from;
}

/* ---- events ---- */

static void on_cell_open(struct reader *r, const struct xml_element *el)
{
	struct current *c = &r->cell;

	if (c->in_is)
		xlsx_string_open(&c->string, el);
	else if (xml_is(el, XML_SHEET, "v"))
		c->in_v = c->has_v = true;
	else if (xml_is(el, XML_SHEET, "f"))
		c->formula = true;
	else if (xml_is(el, XML_SHEET, "is"))
		c->in_is = c->has_is = true;
}

static void on_open(void *arg, const struct xml_element *el)
{
	struct reader *r = arg;

	if (r->in_cell)
		on_cell_open(r, el);
	else if (r->in_row && xml_is(el, XML_SHEET, "c"))
		begin_cell(r, el);
	else if (r->in_rows && !r->in_row && xml_is(el, XML_SHEET, "row"))
		begin_row(r, el);
	else if (xml_is(el, XML_SHEET, "sheetData"))
		r->in_rows = true;
}

static void on_close(void *arg, enum xml_ns ns, const char *name)
{
	struct reader *r = arg;
	struct current *c = &r->cell;

	if (ns != XML_SHEET)
		return;
	if (r->in_cell && strcmp(name, "c") == 0) {
		end_cell(r);
	} else if (r->in_cell && strcmp(name, "v") == 0) {
		c->in_v = false;
	} else if (r->in_cell && strcmp(name, "is") == 0) {
		c->in_is = false;
		xlsx_unescape(&r->texts, c->from);
	} else if (r->in_cell && c->in_is) {
		xlsx_string_close(&c->string, ns, name);
	} else if (r->in_row && strcmp(name, "row") == 0) {
		r->in_row = false;
		give_row(r, r->row);
	} else if (strcmp(name, "sheetData") == 0) {
		r->in_rows = false;
	}
}

static void on_text(void *arg, const char *s, size_t n)
{
	struct reader *r = arg;

	if (!r->in_cell)
		return;
	if (r->cell.in_v)
		buf_add(&r->texts, s, n);
	else if (r->cell.in_is)
		xlsx_string_text(&r->cell.string, s, n);
}

/* ---- both passes ---- */

static enum rc read_merges(struct reader *r, int64_t part)
{
	static const struct xml_handler HANDLER = { .open = on_merge };
	enum rc rc = xml_parse(r->book->pack, part, &HANDLER, r, r->err);

	if (!r->n_merges)
		return rc;
	qsort(r->merges, r->n_merges, sizeof *r->merges, by_row);
	r->active = arena_array(r->arena, struct merge *, r->n_merges);
	return rc;
}

static enum rc read_rows(struct reader *r, int64_t part)
{
	const struct xml_handler handler = { on_open, on_close, on_text, &r->stop };
	enum rc rc;

	r->line = arena_array(r->arena, struct xlsx_cell, XLSX_COLUMNS);
	r->own = arena_array(r->arena, size_t, XLSX_COLUMNS);
	rc = xml_parse(r->book->pack, part, &handler, r, r->err);
	if (rc == RC_OK && !r->stop)
		give_gap(r, r->row + 1, XLSX_ROWS + 1);
	return rc == RC_OK ? r->rc : rc;
}

enum rc xlsx_read(struct xlsx *x, size_t sheet, xlsx_row row, void *arg, struct err *e)
{
	struct reader r = { .book = x, .row_fn = row, .row_arg = arg, .err = e };
	int64_t part = pack_find(x->pack, x->sheets[sheet].part);
	enum rc rc;

	if (part == PACK_NONE)
		return err_set(e, RC_INVALID, "A sheet of the workbook is missing");
	r.arena = arena_new(2 * MERGE_TEXTS_MAX);
	buf_init(&r.texts, ROW_TEXTS_MAX);
	rc = read_merges(&r, part);
	if (rc == RC_OK)
		rc = read_rows(&r, part);
	buf_fini(&r.texts);
	arena_free(r.arena);
	return rc;
}
