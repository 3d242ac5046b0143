/* FastCGI records as the hub writes them: an 8-byte header (version, type, request id, length,
 * padding) and up to 65,535 bytes. What libfcgi does for a worker, for connections that have left
 * their worker. */
#ifndef FCGI_HUB_RECORD_H
#define FCGI_HUB_RECORD_H

#include "core/buf.h"

#define REC_HEADER 8u
/* Content of one record: the largest multiple of eight, so that no record needs padding for the
 * sake of alignment. */
#define REC_CONTENT_MAX 65528u

/* Appends the N bytes as FCGI_STDOUT records of request ID; nothing where N is 0, because an empty
 * record is the end of the stream. */
void rec_stdout(struct buf *b, uint16_t id, const char *data, size_t n);
/* Appends the end of a response: the empty FCGI_STDOUT record and FCGI_END_REQUEST. */
void rec_end(struct buf *b, uint16_t id);

/* The request id of the first record in DATA. */
uint16_t rec_id(const char *data);
/* Gives every record in the N bytes (whole records) another request id. */
void rec_set_id(char *data, size_t n, uint16_t id);

#endif
