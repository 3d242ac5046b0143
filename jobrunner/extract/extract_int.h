/* What the extractors share. Each reads a file and writes its text; they run in a process of their
 * own (main.c), which has limits and may be killed. */
#ifndef JOBRUNNER_EXTRACT_EXTRACT_INT_H
#define JOBRUNNER_EXTRACT_EXTRACT_INT_H

#include "core/buf.h"
#include "core/err.h"

#define EXTRACT_UNITS_MAX 5000000u /* UTF-16 units; what comes behind is cut off */

/* Where the text goes. */
struct out {
	struct buf buf; /* has a sink */
	size_t units;	/* written so far */
	bool full;	/* the limit was reached: nothing more is taken */
};

/* Begins a text that goes to SINK. */
void out_init(struct out *o, buf_sink sink, void *arg);
/* Hands on what is held back; false where the sink has refused. */
bool out_end(struct out *o);
/* Adds N bytes of UTF-8, in pieces that do not split a character. */
void out_add(struct out *o, const char *s, size_t n);
void out_str(struct out *o, const char *s);

/* The extractors: the text of the file FD to O. What a failure says is for the user. */
enum rc extract_plain(int fd, struct out *o, struct err *e);
enum rc extract_csv(int fd, struct out *o, struct err *e);
enum rc extract_image(int fd, struct out *o, struct err *e);
enum rc extract_pdf(int fd, struct out *o, struct err *e);
enum rc extract_word(int fd, struct out *o, struct err *e);
enum rc extract_slides(int fd, struct out *o, struct err *e);
enum rc extract_sheets(int fd, struct out *o, struct err *e);
/* No texts: the first sheet of a workbook, a row a line, as JSON arrays of texts and nulls; and an
 * image, smaller, as a PNG. */
enum rc extract_rows(int fd, struct out *o, struct err *e);
enum rc extract_thumbnail(int fd, struct out *o, struct err *e);

/* The whole file, at most MAX bytes of it; *DATA is for free(). */
enum rc extract_read(int fd, size_t max, char **data, size_t *n, struct err *e);

#endif
