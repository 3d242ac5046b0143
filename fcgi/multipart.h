/* Bodies of the type multipart/form-data, parsed as they arrive: a part's head is handed out when
 * it is whole, its content in pieces, so that a body of any size takes little memory.
 *
 * A delimiter is recognised only behind a line end or at the very beginning, and only where its
 * line has nothing else on it; all else is content. What comes before the first delimiter and
 * behind the closing one is passed over. */
#ifndef FCGI_MULTIPART_H
#define FCGI_MULTIPART_H

#include "core/arena.h"

#define MULTIPART_BOUNDARY_MAX 200u
#define MULTIPART_HEAD_MAX     16384u /* bytes of the head of one part */
#define MULTIPART_PARTS_MAX    1000u

struct multipart_part {
	const char *name;     /* "" where it has none */
	const char *filename; /* NULL where there is none */
	const char *type;     /* its Content-Type; text/plain where it has none */
};

/* Both return false to end the parsing. A part's texts live in the parser's arena. */
struct multipart_handler {
	bool (*part)(void *arg, const struct multipart_part *part);
	bool (*data)(void *arg, const char *data, size_t n); /* of the last part */
};

struct multipart;

/* A parser for a body of this content type; NULL where it is none of ours, or has no boundary. */
struct multipart *multipart_new(struct arena *a, const char *content_type,
    const struct multipart_handler *h, void *arg);
/* Takes the next N bytes. False where the body is malformed, or the handler has refused. */
bool multipart_feed(struct multipart *m, const char *data, size_t n);
/* Whether the closing delimiter was seen. */
bool multipart_complete(const struct multipart *m);

#endif
