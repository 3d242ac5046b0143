/* Filling users' tables from documents: CSV, TSV, spreadsheets, JSON.
 *
 * The document is read once, row by row. The first rows decide the types of the columns; what they
 * and all that follow become is put aside as JSON, so that the transaction at the end only has to
 * store it. */
#ifndef JOBRUNNER_IMPORT_H
#define JOBRUNNER_IMPORT_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

struct job;

struct import {
	const char *table, *document;
	const char *format;    /* csv, tsv, xlsx, json; NULL: what the document's type says */
	const json_t *mapping; /* array of {name, displayName, dataType, skip}; or NULL */
	bool preview;          /* nothing is written */
	struct job *job;       /* whose signals are listened to; or NULL */
	/* Called in the transaction that stores the rows, when the answer is written: what it does
	 * happens where they are stored, and only there. Or NULL. */
	enum rc (*stored)(void *arg);
	void *arg;
};

/* Does it, in a transaction of its own, and writes the answer of the operation to W. RC_INVALID
 * says what is wrong with the document, RC_NOTFOUND what is not there; RC_CANCELLED where the job
 * was told to stop. Not inside a transaction. */
enum rc import_run(struct ctx *cx, const struct import *im, struct jw *w);

/* ---- for import_*.c and their tests ---- */

/* A field: a text of N bytes (no zero behind it); S NULL: there is none. */
struct field_text {
	const char *s;
	size_t n;
};

/* The next record; false ends the reading. What it gets is good until it returns. */
typedef bool (*import_record)(void *arg, const struct field_text *fields, size_t n);

/* The readers call RECORD for the headers and then for every row. Failures are in E; a document
 * without anything is RC_INVALID "Empty file", but a spreadsheet is just empty. J (may be NULL) may
 * be told to stop: RC_CANCELLED. */
enum rc import_read_csv(const char *bytes, size_t n, char separator, import_record record,
    void *arg, struct err *e);
enum rc import_read_json(const char *bytes, size_t n, import_record record, void *arg,
    struct err *e);
enum rc import_read_xlsx(struct job *j, int fd, import_record record, void *arg, struct err *e);

/* What texts are in a column: the data type, and for a select its options (new reference), else
 * *OPTIONS is NULL. Empty texts do not count. */
const char *import_infer(const struct field_text *texts, size_t n, json_t **options);
/* A field as a value of a column of this type, a new reference. */
json_t *import_value(const char *type, const struct field_text *f);

#endif
