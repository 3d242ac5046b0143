/* Which files of the server may become documents: the rules on their paths. */
#ifndef CORE_DOMAIN_DOCUMENT_PATH_H
#define CORE_DOMAIN_DOCUMENT_PATH_H

#include "core/ctx.h"

struct document_source {
	int fd;		  /* the file, opened for reading; the caller closes it */
	const char *name; /* its last part */
	int64_t size;
};

/* Opens the regular file GIVEN, an absolute path, where the rules allow it as it is written and as
 * what it really is; what was checked is what is opened. ROOTS (up to NULL; NULL: anywhere) are
 * folders below one of which it has to lie besides. RC_DENIED and RC_INVALID in the words of the
 * interface. */
enum rc document_open(struct ctx *cx, const char *given, const char *const *roots,
    struct document_source *out);

#endif
