/* The two halves of the Ollama adapter as they see each other: what is sent, and the answer as it
 * is put together. */
#ifndef JOBRUNNER_RUNTIMES_OLLAMA_H
#define JOBRUNNER_RUNTIMES_OLLAMA_H

#include "core/buf.h"
#include "jobrunner/runtime.h"

#define OLLAMA_ANSWER_MAX ((size_t)64 << 20)
#define OLLAMA_LINE_MAX	  ((size_t)16 << 20)
#define OLLAMA_CALLS_MAX  4096u

/* The answer to one chat call: lines of JSON, or, not streamed, a single one. */
struct ollama_answer {
	struct arena *arena;   /* of the call */
	struct arena *scratch; /* of one line */
	struct buf line, text, thinking;
	size_t received;
	json_t *calls;         /* tool_calls as they came */
	struct usage usage;
	char reason[32];       /* done_reason; "" where none */
	bool acted, whole;
	const char *error;     /* the line that reports one; NULL where there was none */
};

/* What is kept of the answer lives in A. */
void ollama_answer_init(struct ollama_answer *s, struct arena *a);
void ollama_answer_fini(struct ollama_answer *s);

/* The callbacks of an http_request; ARG is the answer. */
bool ollama_answer_feed(void *arg, const char *data, size_t n);
bool ollama_answer_acted(void *arg);
bool ollama_answer_whole(void *arg);
void ollama_answer_restart(void *arg);

/* The turn that a whole answer holds. To be called once. */
void ollama_answer_turn(struct ollama_answer *s, struct turn *out);

/* Reads one of a message's tool_calls into C, but for the id; false where it has no name. */
bool ollama_read_call(struct arena *a, const json_t *call, struct tool_call *c);

/* Writes the request body. */
void ollama_request(struct buf *b, const struct model_call *mc, bool tools, bool stream);

#endif
