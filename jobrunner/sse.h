/* Server-sent events, parsed incrementally from any split of the bytes (inside a UTF-8 character,
 * between CR and LF). At most 16 MiB an event. */
#ifndef JOBRUNNER_SSE_H
#define JOBRUNNER_SSE_H

#include "core/buf.h"

#define SSE_EVENT_MAX ((size_t)16 << 20)

/* One event: its name ("" where none was given) and its data. False stops the parser for good. */
typedef bool (*sse_handler)(void *arg, const char *event, const char *data, size_t n);

struct sse {
	struct buf line, data;
	char event[128];
	bool cr, has_data, stopped;
	sse_handler handler;
	void *arg;
};

void sse_init(struct sse *s, sse_handler handler, void *arg);
void sse_fini(struct sse *s);
/* Forgets a half-received event. */
void sse_reset(struct sse *s);
/* False after the handler refused or a limit was passed. */
bool sse_feed(struct sse *s, const char *data, size_t n);

#endif
