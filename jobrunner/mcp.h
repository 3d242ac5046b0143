/* The Model Context Protocol, as far as a server of tools needs it: one JSON-RPC message in, one
 * answer out, without any input or output of its own. stagent-mcp speaks it over its standard
 * input and output, a Claude Code run inside the pipe to its client.
 *
 * Served are initialize, ping, tools/list and tools/call, and the notifications that belong to
 * them; any other method is unknown. What a tool's failure says goes to the model as a result that
 * is an error; errors of the protocol are for the client. Messages may come in any order and more
 * than once. Batches are taken from a client that has agreed on 2025-03-26, the one revision that
 * has them. */
#ifndef JOBRUNNER_MCP_H
#define JOBRUNNER_MCP_H

#include <jansson.h>
#include "core/arena.h"

/* Bytes of a message; a longer one is the embedder's to skip. */
#define MCP_MESSAGE_MAX ((size_t)32 << 20)
#define MCP_CLIENT_SIZE 128

enum {
	MCP_PARSE_ERROR = -32700,
	MCP_INVALID_REQUEST = -32600,
	MCP_UNKNOWN_METHOD = -32601,
	MCP_INVALID_PARAMS = -32602,
};

/* A tools/call. All of it is borrowed from the message. */
struct mcp_call {
	json_t *id;        /* a number, a text or null */
	const char *name;  /* of a tool that the host lists */
	json_t *arguments; /* an object; NULL where none were given */
};

enum mcp_outcome {
	MCP_OK,    /* *TEXT is the tool's result */
	MCP_ERROR, /* *TEXT is what the model reads about its failure */
	MCP_LATER, /* the host keeps the id and gives mcp_result to the client in its own time */
};

/* What the embedder has to say and to do. */
struct mcp_host {
	const json_t *tools; /* mcp_tools: what is listed and may be called; kept by the host */
	bool acknowledge;    /* notifications are answered, as inside Claude Code's pipe */
	/* Runs a tool. *TEXT has to live as long as the arena of the message. */
	enum mcp_outcome (*call)(void *arg, const struct mcp_call *c, const char **text);
	/* The client no longer wants the answer to the call ID; or NULL. */
	void (*cancel)(void *arg, const json_t *id);
	void *arg;
};

/* One client's connection. */
struct mcp {
	struct mcp_host host;
	char client[MCP_CLIENT_SIZE]; /* its name, printable and without blanks; "" until it says */
	bool batches;
};

void mcp_init(struct mcp *m, const struct mcp_host *host);

/* The answer to a message of N bytes, as one line of JSON without its end, in the arena; NULL where
 * it needs none, or gets it later. */
const char *mcp_answer(struct mcp *m, struct arena *a, const char *message, size_t n);
/* The same for a message that is parsed already, at most 64 levels deep. */
const char *mcp_answer_value(struct mcp *m, struct arena *a, json_t *message);

/* The answer to a tools/call that was put off. */
const char *mcp_result(struct arena *a, const json_t *id, bool is_error, const char *text);
/* An error of the protocol; ID NULL where the message's could not be read. */
const char *mcp_error(struct arena *a, const json_t *id, int code, const char *message);

/* Tools as tools/list shows them, from the array that tool_definitions makes. New reference. */
json_t *mcp_tools(const json_t *definitions);

#endif
