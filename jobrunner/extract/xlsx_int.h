/* What the parts of the spreadsheet reader share: xlsx.c (the workbook, its strings and formats)
 * and xlsx_sheet.c (the rows of a sheet). */
#ifndef JOBRUNNER_EXTRACT_XLSX_INT_H
#define JOBRUNNER_EXTRACT_XLSX_INT_H

#include "jobrunner/extract/xlsx.h"
#include "jobrunner/extract/xml.h"

#define XLSX_TEXTS_MAX	((size_t)100 << 20) /* bytes of all shared texts */
#define XLSX_STYLES_MAX 65536u
#define XLSX_SHEETS_MAX 10000u

/* Collects the characters of a text: its `t` elements, also inside runs (`r`), but not those of
 * phonetic hints (`rPh`). */
struct xlsx_string {
	struct buf *out;
	bool in_t;
	int hints;
};

void xlsx_string_open(struct xlsx_string *s, const struct xml_element *el);
void xlsx_string_close(struct xlsx_string *s, enum xml_ns ns, const char *name);
void xlsx_string_text(struct xlsx_string *s, const char *text, size_t n);

/* Decodes the escapes _xHHHH_ in what stands in B from FROM on: a UTF-16 unit each. */
void xlsx_unescape(struct buf *b, size_t from);

struct xlsx_sheet {
	const char *name;
	const char *relation; /* id */
	const char *part;
};

struct xlsx {
	struct arena *arena;
	struct pack *pack;
	struct xlsx_sheet *sheets;
	size_t n_sheets;
	bool from_1904;
	struct buf texts;   /* all shared texts, one behind the other */
	struct buf ends;    /* size_t: where each ends */
	uint8_t *is_date;   /* of each cell format */
	size_t n_formats;
};

/* Shared text I; false where there is none. */
bool xlsx_shared(const struct xlsx *x, uint64_t i, const char **text, size_t *n);
/* Makes CELL, a number, a date where the format says so and there is such a date. */
void xlsx_make_date(const struct xlsx *x, struct xlsx_cell *cell);

#endif
