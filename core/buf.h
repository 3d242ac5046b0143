/* A text buffer that grows up to a maximum given at birth, or that hands its content to a sink
 * whenever it is full, so that an answer of any size leaves a process of fixed size.
 *
 * Failure is sticky: after the maximum is passed or the sink refused, further additions do nothing
 * and `failed` stays set; callers check once, at the end. */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include "core/core.h"

/* Takes N bytes; false ends the output for good. */
typedef bool (*buf_sink)(void *arg, const char *data, size_t n);

struct buf {
	char *data;
	size_t len, cap, max;
	buf_sink sink; /* NULL: the content is kept */
	void *sink_arg;
	bool failed;
};

/* An empty buffer for at most MAX bytes. Memory is taken with the first addition. */
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
void buf_clear(struct buf *b);
/* From now on the content goes to SINK in pieces of about MAX bytes. */
void buf_set_sink(struct buf *b, buf_sink sink, void *arg);
/* Hands what is there to the sink. */
bool buf_flush(struct buf *b);

void buf_add(struct buf *b, const char *data, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for N more bytes, to be written by the caller, who then adds to len. NULL after failure. */
char *buf_reserve(struct buf *b, size_t n);
/* The content as a C string, valid until the next change; "" after failure. */
const char *buf_text(struct buf *b);
/* Drops the first N bytes. */
void buf_consume(struct buf *b, size_t n);

#endif
