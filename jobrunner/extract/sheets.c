/* Spreadsheets as lines of commas, and the first sheet as rows for an import. */
#include "core/json_out.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/xlsx.h"

struct lines {
	struct out *out;
	bool any;
};

static bool add_line(void *arg, uint32_t number UNUSED, const struct xlsx_cell *cells, size_t n)
{
	struct lines *l = arg;
	char room[NUM_TEXT_SIZE];
	const char *text;
	size_t len;

	if (l->any)
		out_str(l->out, "\n");
	l->any = true;
	for (size_t i = 0; i < n && !l->out->full; i++) {
		if (i)
			out_str(l->out, ",");
		text = xlsx_text(&cells[i], ' ', room, &len);
		out_add(l->out, text, len);
	}
	return !l->out->full;
}

enum rc extract_sheets(int fd, struct out *o, struct err *e)
{
	struct xlsx *x = xlsx_open(fd, NULL, e);
	enum rc rc = RC_OK;

	if (!x)
		return e->rc;
	for (size_t i = 0; i < xlsx_sheets(x) && rc == RC_OK && !o->full; i++) {
		struct lines l = { .out = o };

		if (i)
			out_str(o, "\n\n");
		out_str(o, "--- Sheet: ");
		out_str(o, xlsx_sheet_name(x, i));
		out_str(o, " ---\n");
		rc = xlsx_read(x, i, add_line, &l, e);
	}
	xlsx_close(x);
	return rc;
}

static bool add_row(void *arg, uint32_t number UNUSED, const struct xlsx_cell *cells, size_t n)
{
	struct out *o = arg;
	struct jw w = jw_on(&o->buf);
	char room[NUM_TEXT_SIZE];
	const char *text;
	size_t len;

	jw_arr(&w);
	for (size_t i = 0; i < n; i++) {
		text = xlsx_text(&cells[i], 'T', room, &len);
		if (cells[i].type == XLSX_NONE || cells[i].type == XLSX_PENDING)
			jw_null(&w);
		else
			jw_strn(&w, text, len);
	}
	jw_end_arr(&w);
	buf_char(&o->buf, '\n');
	return !o->buf.failed;
}

enum rc extract_rows(int fd, struct out *o, struct err *e)
{
	struct pack_limits limits = PACK_LIMITS;
	struct xlsx *x;
	enum rc rc = RC_OK;

	limits.ratio = 400;
	x = xlsx_open(fd, &limits, e);
	if (!x)
		return e->rc;
	if (xlsx_sheets(x))
		rc = xlsx_read(x, 0, add_row, o, e);
	xlsx_close(x);
	return rc;
}
