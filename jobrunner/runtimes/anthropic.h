/* The two halves of the Anthropic adapter as they see each other: what is sent, and the answer as
 * it is put together. */
#ifndef JOBRUNNER_RUNTIMES_ANTHROPIC_H
#define JOBRUNNER_RUNTIMES_ANTHROPIC_H

#include "core/buf.h"
#include "jobrunner/runtime.h"
#include "jobrunner/sse.h"

#define ANTHROPIC_ANSWER_MAX ((size_t)64 << 20)
#define ANTHROPIC_BLOCKS_MAX 4096u

struct anthropic_block;

/* The answer to one Messages call, streamed or not. */
struct anthropic_answer {
	const struct model_call *mc;
	struct arena *arena;   /* of the call */
	struct arena *scratch; /* of one event */
	struct sse sse;
	struct buf body;       /* of an answer that is not streamed */
	size_t received;
	struct anthropic_block *blocks;
	size_t n_blocks, cap_blocks;
	char stop[64];         /* stop_reason; "" where null */
	struct usage usage;    /* input without the cached tokens until the turn is made */
	bool acted, whole;
	const char *error_type, *error_message; /* of an error event; NULL where there was none */
};

/* What is kept of the answer lives in A. */
void anthropic_answer_init(struct anthropic_answer *s, struct arena *a,
    const struct model_call *mc);
void anthropic_answer_fini(struct anthropic_answer *s);

/* The callbacks of an http_request; ARG is the answer. */
bool anthropic_answer_feed(void *arg, const char *data, size_t n);
bool anthropic_answer_acted(void *arg);
bool anthropic_answer_whole(void *arg);
void anthropic_answer_restart(void *arg);

/* The turn that a whole answer holds; false where it cannot be read. To be called once. */
bool anthropic_answer_turn(struct anthropic_answer *s, struct turn *out);
/* Reads a tool_use block of a conversation; false where it is none. One whose arguments could not
 * be read has null as its input, there and in every snapshot. */
bool anthropic_read_call(struct arena *a, const json_t *block, struct tool_call *c);
/* The HTTP status that stands for an error type. */
long anthropic_error_status(const char *type);

/* Writes the request body. */
void anthropic_request(struct buf *b, const struct model_call *mc);

#endif
