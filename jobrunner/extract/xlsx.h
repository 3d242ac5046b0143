/* Spreadsheets (.xlsx): the sheets of a workbook in its order, row by row, each cell with its type.
 *
 * A row is handed out as a dense line from column A to the last cell that holds something; rows
 * without one are left out. A merged area has the value of its top left cell in each of its cells,
 * also in rows that the file does not have. Memory is bounded by the limits of the archive (pack.h)
 * and one row; nothing of the file is believed. For processes that may be killed for the time or
 * the memory they take. */
#ifndef JOBRUNNER_EXTRACT_XLSX_H
#define JOBRUNNER_EXTRACT_XLSX_H

#include "core/json_out.h"
#include "jobrunner/extract/pack.h"

#define XLSX_COLUMNS 16384u
#define XLSX_ROWS    1048576u

enum xlsx_type {
	XLSX_NONE,    /* no cell, or one without a value */
	XLSX_PENDING, /* a formula without a stored result */
	XLSX_NUMBER,
	XLSX_TEXT, /* maybe empty */
	XLSX_BOOL,
	XLSX_DATE,
	XLSX_ERROR, /* text is its code: #DIV/0! */
};

struct xlsx_cell {
	enum xlsx_type type;
	double number;	  /* of numbers and dates (the serial number) */
	const char *text; /* of texts and errors: UTF-8 of N bytes, without a zero; else NULL */
	size_t n;
	bool truth; /* of booleans */
	struct {
		int16_t year; /* 1 to 9999 */
		uint8_t month, day, hour, minute, second;
	} date;
};

struct xlsx;

/* The workbook in the file FD, which stays the caller's, and may be closed. LIMITS as in pack_open.
 * NULL with the words in E: RC_INVALID where it is no workbook or a damaged one, RC_TOOLARGE. */
struct xlsx *xlsx_open(int fd, const struct pack_limits *limits, struct err *e);
void xlsx_close(struct xlsx *x);

/* Worksheets, hidden ones too, charts not; their names. */
size_t xlsx_sheets(const struct xlsx *x);
const char *xlsx_sheet_name(const struct xlsx *x, size_t sheet);

/* A row: NUMBER counts from 1, CELLS[0] is column A, CELLS[N - 1] is not XLSX_NONE. Everything is
 * good until it returns. False ends the reading. */
typedef bool (*xlsx_row)(void *arg, uint32_t number, const struct xlsx_cell *cells, size_t n);

/* Reads a sheet. RC_OK also where ROW has ended it; RC_INVALID, RC_TOOLARGE with the words in E. */
enum rc xlsx_read(struct xlsx *x, size_t sheet, xlsx_row row, void *arg, struct err *e);

/* A cell as plain text, of *N bytes: numbers as JSON has them, true and false, dates as YYYY-MM-DD
 * with, unless it is midnight, JOINT and HH:MM:SS behind; nothing for a cell without a value. It
 * lies in the cell or in ROOM. */
const char *xlsx_text(const struct xlsx_cell *c, char joint, char room[NUM_TEXT_SIZE], size_t *n);

#endif
