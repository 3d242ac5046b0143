/* An HTTP runtime as the agent loop sees it: how its conversation is kept, how one model call is
 * made, and what came back. One adapter a runtime (runtimes/), the loop (agent.c) serves all. */
#ifndef JOBRUNNER_RUNTIME_H
#define JOBRUNNER_RUNTIME_H

#include <jansson.h>
#include "core/ctx.h"
#include "jobrunner/http.h"

enum stop_reason {
	STOP_DONE,    /* finished, or anything unknown */
	STOP_TOOLS,   /* wants tools run */
	STOP_LENGTH,  /* cut at the token limit */
	STOP_PAUSE,   /* call again as it is */
	STOP_REFUSED,
	STOP_CONTEXT, /* the context window is exceeded */
};

struct usage {
	bool known;              /* some call has reported */
	int64_t input, output;   /* as the ledger counts them, cached tokens included in input */
	int64_t cache_write, cache_read; /* part of input, priced differently */
	char model[128];         /* what the provider named */
};

/* One tool call of a turn. */
struct tool_call {
	const char *id, *name;
	json_t *input;       /* an object; borrowed from the turn's message */
	const char *bad;     /* the arguments cannot be read: this error is its result; or NULL */
};

/* What one model call gave. All of it lives in the arena of the call. */
struct turn {
	json_t *message;        /* as it goes into the conversation; NULL where it has no blocks */
	const char *text;       /* "" where there is none; thinking only where nothing else */
	struct tool_call *calls;
	size_t n_calls;
	enum stop_reason stop;
	struct usage usage;
	const char *response_id; /* openai-direct */
};

struct tool_result {
	const char *call_id, *name;
	const char *text;
	bool is_error;
};

struct model_call {
	const char *base_url, *key, *model;
	const char *system_stable, *system_rest; /* NULL or "" where empty */
	const json_t *conversation;
	const json_t *tools;     /* array of {"name","description","input_schema"}; NULL: none */
	int64_t max_tokens;
	int64_t thinking_budget; /* 0: none */
	bool stream;
	long total_timeout_ms;   /* 0: none */
	/* Each provider event as it came, for runtimes that log them; NULL: none. */
	void (*on_event)(void *arg, const char *type, const char *json, size_t n);
	void *on_event_arg;
};

struct runtime_ops {
	const char *id, *provider, *label;
	/* A new conversation that begins with the user's PROMPT. New reference. */
	json_t *(*start)(const char *prompt);
	/* Appends a turn; nothing where it has no blocks. */
	void (*add_turn)(json_t *conversation, const struct turn *t);
	/* Appends the results of all calls of the last turn, in order. */
	void (*add_results)(json_t *conversation, const struct tool_result *r, size_t n);
	/* Appends a user text, behind the results where the last message is the user's. */
	void (*add_user)(json_t *conversation, const char *text);
	/* The calls of the last turn that have no results yet (after a restart). */
	size_t (*open_calls)(struct arena *a, const json_t *conversation, struct tool_call **out);
	/* Whether the last message is the assistant's. */
	bool (*ends_with_turn)(const json_t *conversation);
	/* Replaces the contents of the oldest tool results by a note until the conversation takes
	 * at most MAX bytes. */
	void (*shrink)(json_t *conversation, size_t max);
	/* Makes one model call. RC_OK with *OUT; RC_CANCELLED; else E has the words. Sets
	 * STOP_CONTEXT (and RC_OK, no message) where the provider says the prompt is too long. */
	enum rc (*call)(struct http *h, struct arena *a, const struct model_call *mc,
	    struct turn *out, struct err *e);
};

extern const struct runtime_ops RUNTIME_ANTHROPIC;

/* The adapter of a runtime id, or NULL. */
const struct runtime_ops *runtime_find(const char *id);

#endif
