/* ZIP archives from untrusted hands: parts are found by name and unpacked as a stream, within
 * limits on what comes out, whatever the archive says about itself. */
#ifndef JOBRUNNER_EXTRACT_PACK_H
#define JOBRUNNER_EXTRACT_PACK_H

#include "core/buf.h"
#include "core/err.h"

struct pack_limits {
	uint64_t total; /* unpacked bytes of all parts that are read; a part counts once */
	uint64_t part;	/* unpacked bytes of one */
	size_t parts;	/* of the archive */
	unsigned ratio; /* unpacked to packed, of what is larger than 1 MiB; 0: any */
};

/* Those of documents. */
extern const struct pack_limits PACK_LIMITS;

#define PACK_NONE (-1)

struct pack;

/* The archive in the file FD, which stays the caller's. LIMITS may be NULL: PACK_LIMITS. NULL with
 * the words in E where it is none (RC_INVALID) or has too many parts (RC_TOOLARGE). */
struct pack *pack_open(int fd, const struct pack_limits *limits, struct err *e);
void pack_close(struct pack *p);

size_t pack_parts(const struct pack *p);
/* The name of part I; "" where it has none that is UTF-8. */
const char *pack_name(const struct pack *p, size_t i);
/* The part called NAME (one leading slash is dropped), exactly or else in any case; PACK_NONE. */
int64_t pack_find(const struct pack *p, const char *name);

/* Unpacks part I into SINK. RC_OK also where the sink has refused; RC_INVALID where the archive is
 * damaged or the part is encrypted, RC_TOOLARGE beyond the limits. */
enum rc pack_read(struct pack *p, int64_t i, buf_sink sink, void *arg, struct err *e);

#endif
