/* Filling users' tables from documents: CSV, TSV, spreadsheets, JSON.
 *
 * The document is read once, row by row. The first rows decide the types of the columns; what they
 * and all that follow become is put aside as JSON, so that the transactions at the end only have to
 * store it. There are many small ones where there are many rows, and how far the import has come
 * is noted with each: a job that dies goes on with the next row when it is repeated, and an import
 * that fails takes out what it has stored. */
#ifndef JOBRUNNER_IMPORT_H
#define JOBRUNNER_IMPORT_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

struct job;
struct table_import;

struct import {
	const char *table, *document;
	const char *format;    /* csv, tsv, xlsx, json; NULL: what the document's type says */
	const json_t *mapping; /* array of {name, displayName, dataType, skip}; or NULL */
	bool preview;          /* nothing is written */
	struct job *job;       /* whose signals are listened to; or NULL */
	/* Called in the transaction that stores the last rows, when the answer is written: what it
	 * does happens where the import is complete, and only there. Or NULL. */
	enum rc (*stored)(void *arg);
	void *arg;
};

/* Does it, in transactions of its own, and writes the answer of the operation to W. RC_INVALID
 * says what is wrong with the document, RC_NOTFOUND what is not there; RC_CANCELLED where the job
 * was told to stop, RC_FENCED where it is another's now: either leaves what is stored to who takes
 * the job up. Not inside a transaction. */
enum rc import_run(struct ctx *cx, const struct import *im, struct jw *w);

/* ---- for import_*.c and their tests ---- */

/* What is to be stored: the rows as JSON, each ended by a zero byte; LAST is called in the
 * transaction that stores the last of them, with the id of the import. */
struct import_store {
	const struct import *im;
	const char *rows, *end;
	enum rc (*last)(void *arg, const char *id);
	void *arg;
};
/* Stores the rows that TI does not have yet. A failure leaves those that were stored before it. */
enum rc import_store(struct import_store *s, struct table_import *ti);
/* Takes them out again, as far as it comes until J (may be NULL) is told to stop; the sweep sees to
 * the rest. The failure that is noted stays. */
void import_undo(struct table_import *ti, struct job *j);

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
