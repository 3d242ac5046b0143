/* Writing spreadsheets through libxlsxwriter, row by row in constant memory. */
#include "fcgi/sheet.h"

#include <xlsxwriter.h>

#include "core/text.h"

#define NAME_UNITS 31
#define NAME_DEFAULT "Sheet1"
#define CELL_UNITS 32767

/* The name without what sheets do not allow in it. */
static const char *sheet_name(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name), *end;

	for (char *s = out; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || strchr("*?:\\/[]", *s))
			*s = '_';
	while (*out == '\'')
		out++;
	out[text_prefix(out, NAME_UNITS)] = '\0';
	for (end = out + strlen(out); end > out && end[-1] == '\''; end--)
		end[-1] = '\0';
	return *out ? out : NAME_DEFAULT;
}

static void write_string(lxw_worksheet *sheet, struct arena *a, lxw_row_t row, lxw_col_t col,
    const char *s, size_t n)
{
	worksheet_write_string(
	    sheet, row, col, text_cut(a, arena_strndup(a, s, n), CELL_UNITS), NULL);
}

static void write_cell(lxw_worksheet *sheet, struct arena *a, lxw_row_t row, lxw_col_t col,
    const struct cell *c)
{
	if (c->kind == CELL_NUM)
		worksheet_write_number(sheet, row, col, c->num, NULL);
	else if (c->kind == CELL_BOOL)
		worksheet_write_boolean(sheet, row, col, c->num != 0, NULL);
	else
		write_string(sheet, a, row, col, c->n ? c->s : "", c->n);
}

static void write_rows(struct table_export *x, lxw_worksheet *sheet)
{
	lxw_row_t row = 1;
	size_t n = x->n < LXW_COL_MAX ? x->n : LXW_COL_MAX;

	for (size_t i = 0; i < n; i++)
		write_string(sheet, x->cx->arena, 0, (lxw_col_t)i, x->headers[i],
		    strlen(x->headers[i]));
	for (; table_export_next(x); row++)
		for (size_t i = 0; i < n; i++)
			write_cell(sheet, x->scratch, row, (lxw_col_t)i, &x->cells[i]);
}

enum rc sheet_write(struct table_export *x, const char *name, int fd)
{
	char path[64];
	lxw_workbook_options options = { .constant_memory = LXW_TRUE,
		.tmpdir = arena_strdup(x->cx->arena, x->cx->conf->data_dir) };
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_error e;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	book = workbook_new_opt(path, &options);
	if (!book)
		return err_internal(&x->cx->err, RC_IO, "cannot begin a spreadsheet");
	sheet = workbook_add_worksheet(book, sheet_name(x->cx->arena, name));
	if (!sheet)
		sheet = workbook_add_worksheet(book, NAME_DEFAULT);
	if (sheet)
		write_rows(x, sheet);
	e = workbook_close(book);
	if (!sheet || e != LXW_NO_ERROR)
		return err_internal(&x->cx->err, RC_IO, "cannot write a spreadsheet: %s",
		    lxw_strerror(e));
	return x->cx->err.rc;
}
