/* Lines of bounded length, read from one descriptor and written to another without ever waiting:
 * whoever uses them polls. A line that is too long is skipped and reported; nothing else is lost by
 * it. */
#ifndef MCP_LINES_H
#define MCP_LINES_H

#include "core/buf.h"

struct lines_in {
	int fd;
	size_t max;     /* bytes of a line, without its end */
	struct buf b;
	size_t at;      /* where the next line begins */
	size_t seen;    /* up to here there is no end of a line behind AT */
	bool skipping;  /* inside a line that was too long */
	bool ended;     /* nothing more will come */
};

enum line {
	LINE_NONE, /* not before more is read */
	LINE_WHOLE,
	LINE_TOO_LONG, /* once for each */
};

void lines_in_init(struct lines_in *in, int fd, size_t max);
void lines_in_fini(struct lines_in *in);
/* Reads once; to be called when the descriptor is readable. */
void lines_read(struct lines_in *in);
/* The next line, valid until the next call. The last one may come without an end. */
enum line lines_next(struct lines_in *in, const char **line, size_t *n);

struct lines_out {
	int fd;
	struct buf b;
	size_t at;   /* written so far */
	bool broken; /* nobody reads any more, or nobody has for too long */
};

void lines_out_init(struct lines_out *out, int fd, size_t max);
void lines_out_fini(struct lines_out *out);
/* Adds a line; its end is added. */
void lines_put(struct lines_out *out, const char *line);
/* Writes what can be written at once. */
void lines_write(struct lines_out *out);
/* Bytes that are not written yet. */
size_t lines_left(const struct lines_out *out);

#endif
