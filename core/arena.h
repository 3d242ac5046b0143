/* Memory of one request or job: allocated piece by piece, given back all at once.
 *
 * Whatever a handler makes lives in its arena and dies with it; nothing is freed singly. An arena
 * has a limit given at birth. Running into it is not handled at every call: the arena then serves
 * from its reserve, sets `exhausted`, and the dispatcher answers 413 or 500; far beyond the limit
 * the process logs and exits with status 83, and its supervisor starts it anew. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdarg.h>
#include "core/core.h"

#define ARENA_REQUEST_MAX ((size_t)32 << 20)

struct arena;

/* A new arena that may hold MAX bytes. Never returns NULL. */
struct arena *arena_new(size_t max);
void arena_free(struct arena *a);
/* Runs the cleanups and forgets everything; the first block is kept for the next request. */
void arena_reset(struct arena *a);

/* N bytes, zeroed, aligned for any type. Never returns NULL. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) PRINTF(2, 0);

/* FN(ARG) is called when the arena is reset or freed, last registered first. */
void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg);

/* A new arena that is freed with A, for what is made and forgotten again on the way: MAX as above. */
struct arena *arena_scratch(struct arena *a, size_t max);

/* Whether the limit was passed. */
bool arena_exhausted(const struct arena *a);

#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
