/* The two halves of the OpenAI adapter as they see each other: what is sent, and the answer as it
 * is put together. */
#ifndef JOBRUNNER_RUNTIMES_OPENAI_H
#define JOBRUNNER_RUNTIMES_OPENAI_H

#include "core/buf.h"
#include "jobrunner/runtime.h"
#include "jobrunner/sse.h"

#define OPENAI_ANSWER_MAX ((size_t)64 << 20)
#define OPENAI_ITEMS_MAX  4096u

/* The answer to one Responses call, streamed or not. */
struct openai_answer {
	const struct model_call *mc;
	struct arena *arena;   /* of the call */
	struct arena *scratch; /* of one event */
	struct sse sse;
	struct buf body;       /* of an answer that is not streamed */
	size_t received;
	json_t *items;         /* finished items, in order of arrival */
	json_t *response;      /* the final one; NULL until it came */
	const char *id;        /* of the response; NULL until it came */
	bool acted, whole;
	const char *error_code, *error_message; /* NULL where there was no error event */
};

/* What is kept of the answer lives in A. */
void openai_answer_init(struct openai_answer *s, struct arena *a, const struct model_call *mc);
void openai_answer_fini(struct openai_answer *s);

/* The callbacks of an http_request; ARG is the answer. */
bool openai_answer_feed(void *arg, const char *data, size_t n);
bool openai_answer_acted(void *arg);
bool openai_answer_whole(void *arg);
void openai_answer_restart(void *arg);

/* The turn that a whole answer holds; false where it cannot be read. To be called once. Sets
 * error_code where the response says that it failed (then there is no turn, and false comes
 * back). */
bool openai_answer_turn(struct openai_answer *s, struct turn *out);

/* Reads the call of a function_call ITEM into C; false where the item is none, or was cut. */
bool openai_read_call(struct arena *a, const json_t *item, struct tool_call *c);

/* What a request is made of besides the call. */
enum {
	OPENAI_REPLAY = 1,       /* all items, without previous_response_id */
	OPENAI_NO_SERVER_TOOLS = 2,
	OPENAI_PLAIN_TEXT = 4,   /* no format is asked for */
};

/* Writes the request body. */
void openai_request(struct buf *b, const struct model_call *mc, unsigned flags);

#endif
