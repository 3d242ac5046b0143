/* The messages of Claude Code's stream-json interface, as far as a run needs them. Versions 2.1.71
 * and 2.1.197 were looked at. Pure: a message in, what it says out; what is missing, of another type
 * or unknown makes it CLAUDE_OTHER or leaves members NULL. */
#ifndef JOBRUNNER_RUNTIMES_CLAUDE_MSG_H
#define JOBRUNNER_RUNTIMES_CLAUDE_MSG_H

#include <jansson.h>
#include "core/arena.h"
#include "jobrunner/runtime.h"

enum claude_kind {
	CLAUDE_OTHER,     /* nothing to us */
	CLAUDE_INIT,      /* the session begins: session, version, source */
	CLAUDE_RETRY,     /* it repeats a call to the provider: status, words */
	CLAUDE_EVENT,     /* an event of the provider's stream: name, body */
	CLAUDE_ASSISTANT, /* a finished block of the model: body is the content */
	CLAUDE_USER,      /* results of tools: body is the content */
	CLAUDE_RESULT,    /* the end of the turn: see claude_result */
	CLAUDE_ASK,       /* may it use a tool: request, name, call, body is the input */
	CLAUDE_MCP,       /* a message to our tools: request, body, call where it is a call */
	CLAUDE_CONTROL,   /* another request: request, name */
	CLAUDE_CANCEL,    /* it withdraws a request: request */
	CLAUDE_ANSWER,    /* to a request of ours: request, words where it is an error */
};

/* All of it is borrowed from the message. */
struct claude_msg {
	enum claude_kind kind;
	const char *request, *name, *call, *session, *version, *words;
	const char *source; /* of the key, as the client names it */
	json_t *body;
	int64_t status; /* HTTP */
	bool nested;    /* of a sub-agent */
};

void claude_msg_read(const json_t *v, struct claude_msg *out);

/* A block of CLAUDE_ASSISTANT that calls a tool, of CLAUDE_USER that has a tool's result: false
 * where it is none. CALL is the id of the call. */
bool claude_block_call(const json_t *block, const char **call, const char **name,
    const json_t **input);
bool claude_block_result(const json_t *block, const char **call);

/* The images of a tool's result, at most MAX: base64, with their lengths. Returns how many. */
struct claude_image {
	const char *data;
	size_t n;
};
size_t claude_block_images(const json_t *block, struct claude_image *out, size_t max);

/* How a turn ended. */
enum claude_end {
	CLAUDE_DONE,
	CLAUDE_FAILED,       /* the provider or the login: text */
	CLAUDE_MAX_TURNS,
	CLAUDE_MAX_BUDGET,
	CLAUDE_NO_SESSION,   /* it does not know the session it was to resume */
	CLAUDE_ABORTED,      /* anything else: text */
};

struct claude_result {
	enum claude_end end;
	const char *text;        /* in the arena; never NULL */
	int64_t turns, status;   /* status: HTTP, 0 where there was none */
	const json_t *models;    /* modelUsage, an object, or NULL */
	struct usage usage;      /* of all models together, under the name of the one that wrote most */
};

void claude_result_read(struct arena *a, const json_t *v, struct claude_result *out);

/* The tokens of one entry of modelUsage. */
struct claude_tokens {
	int64_t input, output, cache_read, cache_write;
};
void claude_tokens_read(const json_t *usage, struct claude_tokens *out);

#endif
