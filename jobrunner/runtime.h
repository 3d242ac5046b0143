/* A runtime as the agent loop sees it. On an HTTP runtime: how its conversation is kept, how one
 * model call is made, and what came back; the loop (agent.c) serves all of them. On a command-line
 * runtime the program makes the turns, and its adapter follows it. One adapter a runtime
 * (runtimes/). */
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
	int64_t own_cost;        /* micro-dollars by the partner's own count; 0: it has none */
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
	const char *response_id; /* openai-direct; NULL elsewhere */
	const char *failure;     /* of a failed call: its words, where an err has no room for them */
	const char *raw;         /* of one over HTTP on Anthropic: status and body as they came */
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
	const char *prompt;      /* of a question to a program, which has no conversation */
	const json_t *tools;     /* array of {"name","description","input_schema"}; NULL: none */
	const json_t *server_tools; /* the provider's own: {NAME: bool}; NULL: none */
	int64_t max_tokens;
	int64_t thinking_budget; /* 0: none */
	bool stream;
	bool json;               /* the answer should be a JSON object */
	const char *schema;      /* of that object, as JSON Schema, for runtimes that take one; or NULL */
	long total_timeout_ms;   /* 0: none */
	/* Each provider event as it came, for runtimes that log them; NULL: none. */
	void (*on_event)(void *arg, const char *type, const char *json, size_t n);
	void *on_event_arg;
};

/* What the rows and results of a runtime look like. */
enum {
	OPS_LAST_SNAPSHOT = 1, /* a snapshot also after the turn that completes a run */
	OPS_RESPONSE_ID = 2,   /* a row with the response id after every turn */
	OPS_PLAIN_ERROR = 4,   /* a failed call's words are the result */
	OPS_LOCAL = 8,         /* rows name the server, usage has no cost */
	OPS_CLAUDE_ROWS = 16,  /* rows as the Claude Code program's runs have them */
	OPS_NO_ERROR_ROW = 32, /* the last row of a failed run says why, no other one does */
};

struct run;
struct job;
struct program;
struct runtime_access;

struct runtime_ops {
	const char *id, *provider, *label;
	const char *model_setting, *model_default;
	const char *source_setting; /* keeps where the key of its last run came from; or NULL */
	const char *no_key;      /* why it cannot run without a key; NULL: it needs none */
	const char *empty_error; /* the result of a run without a word; NULL: "" is one */
	const char *const *default_tools; /* where the profile names none, NULL-ended; NULL: all */
	unsigned tools_without;  /* flags of our tools that it is not offered */
	unsigned flags;
	const struct program *program; /* that makes the turns; NULL: the agent loop does */
	const char *agent_type;  /* of its log rows; NULL: the profile's id */
	/* With a program: carries the whole run out, and returns an EXIT_ code. Then
	 * there is an `ask`, too, and nothing of what follows it. */
	int (*drive)(struct run *r);
	/* One question without tools (ask.c); the codes are those of `call`. */
	enum rc (*ask)(struct job *j, const struct runtime_access *access,
	    const struct model_call *mc, struct turn *out, struct err *e);
	/* The rows that begin and end a run; NULL: those of the HTTP runtimes. */
	void (*log_start)(struct run *r);
	void (*log_end)(struct run *r, const char *status, const char *result, const char *error);
	/* A new conversation that begins with the user's PROMPT. New reference. */
	json_t *(*start)(const char *prompt);
	/* The payload of a session_snapshot row, and the conversation that it holds (new reference;
	 * NULL where it holds none of this runtime). With RESPONSE_ID, the newest one that was
	 * logged, a conversation that does not end with it is begun from there. */
	const char *(*snapshot)(struct arena *a, const json_t *conversation);
	json_t *(*restore)(const json_t *payload, const char *response_id, const char *prompt);
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

extern const struct runtime_ops RUNTIME_ANTHROPIC, RUNTIME_CLAUDE, RUNTIME_CLAUDE_BUILTIN,
    RUNTIME_CODEX, RUNTIME_OLLAMA, RUNTIME_OPENAI;

/* The adapter of a runtime id, or NULL. */
const struct runtime_ops *runtime_find(const char *id);

/* What a call on a runtime needs, in the arena of the context. */
struct runtime_access {
	const struct runtime_ops *ops;
	const char *key, *base_url, *model;
	const char *key_from; /* db or env; NULL without a key */
	const char *program;  /* the file to start, or NULL */
	const char *fallback; /* why the built-in loop stands in for a program; or NULL */
};

/* Fills OUT for the runtime ID of the catalogue from settings and options. NULL, or why it cannot
 * be used. Not inside a transaction. */
const char *runtime_access(struct ctx *cx, const char *id, struct runtime_access *out);

#endif
