/* The messages of `codex app-server`: JSON-RPC without the member "jsonrpc", one message a line.
 * Reading and building them, without input or output.
 *
 * Nothing that comes is trusted: members of the wrong type count as absent, unknown methods are told
 * apart from known ones and nothing else. */
#ifndef JOBRUNNER_RUNTIMES_CODEX_MSG_H
#define JOBRUNNER_RUNTIMES_CODEX_MSG_H

#include <jansson.h>
#include "core/arena.h"

enum codex_kind {
	CODEX_NOTHING, /* no message */
	CODEX_ANSWER,  /* to a request of ours */
	CODEX_NOTICE,
	CODEX_REQUEST, /* must be answered */
};

enum codex_method {
	CODEX_OTHER,
	/* Notices. */
	CODEX_THREAD_STARTED,
	CODEX_TURN_STARTED,
	CODEX_TURN_COMPLETED,
	CODEX_ITEM_STARTED,
	CODEX_ITEM_COMPLETED,
	CODEX_MESSAGE_DELTA,
	CODEX_OUTPUT_DELTA,
	CODEX_PLAN_DELTA,
	CODEX_USAGE,
	CODEX_ERROR,
	CODEX_WARNING,
	CODEX_RESOLVED,
	/* Requests. */
	CODEX_ASKS_COMMAND,
	CODEX_ASKS_FILES,
	CODEX_ASKS_PERSON,
	CODEX_CALLS_TOOL,
	CODEX_ASKS_RIGHTS,
	CODEX_ASKS_FORM,
};

/* A message. What it points to lives as long as the value it was read from and the arena. */
struct codex_msg {
	enum codex_kind kind;
	enum codex_method method;
	const char *name;      /* of the method; "" in answers */
	const char *id;        /* CODEX_REQUEST: its id as compact JSON; CODEX_RESOLVED: that of the
	                        * request; else NULL */
	int64_t number;        /* CODEX_ANSWER: of our request; -1 where it has none */
	const json_t *result;  /* CODEX_ANSWER: an object; NULL where it is an error */
	const char *error;     /* CODEX_ANSWER: why; else NULL */
	const json_t *params;  /* an object, or NULL */
	const char *thread, *turn, *item; /* ids; NULL where absent */
	const char *delta;     /* of the three kinds; else NULL */
	const json_t *object;  /* the turn or item that it is about; else NULL */
};

/* Reads the value V. False where it is no message (m->kind is CODEX_NOTHING). */
bool codex_read(struct arena *a, const json_t *v, struct codex_msg *m);

/* Sums of a thread, or their difference. */
struct codex_tokens {
	int64_t input, output;
};

/* The sums of a CODEX_USAGE message; false where it has none. */
bool codex_read_tokens(const struct codex_msg *m, struct codex_tokens *t);
/* The words of an error object, with what it adds; NULL where it has none. */
const char *codex_error_words(struct arena *a, const json_t *error);
/* The text of the last agent message among the items of TURN; NULL where there is none. */
const char *codex_turn_text(const json_t *turn);
/* A command without the shell that runs it: /bin/bash -lc 'touch a && ls' is touch a && ls. One
 * level; what does not have that form exactly comes back as it is. */
const char *codex_unwrap(struct arena *a, const char *command);

/* The paths that a fileChange item changes or moves files to: CODEX_PATHS_MAX of them and, where there
 * are more, {"more":N}. New reference. */
#define CODEX_PATHS_MAX 500
json_t *codex_paths(const json_t *item);
/* What a request asks for, as the permission check sees it: the input of Bash, Write and
 * AskUserQuestion. PATHS as above, or NULL. New references. */
json_t *codex_command_input(struct arena *a, const json_t *params);
json_t *codex_files_input(const json_t *params, const json_t *paths);
json_t *codex_questions_input(const json_t *params);
/* The texts of the questions, one a line. */
const char *codex_questions_body(struct arena *a, const json_t *params);

/* Lines to send. Each is a new reference. Members that are NULL are left out of PARAMS. */
json_t *codex_request(int64_t number, const char *method, json_t *params);
json_t *codex_notice(const char *method);
/* The answer to the request ID (as codex_read has it); takes RESULT. */
json_t *codex_answer(const char *id, json_t *result);
json_t *codex_refusal(const char *id, const char *words);
/* Results of requests. */
json_t *codex_decision(bool accept);
json_t *codex_tool_result(const char *text, bool success);
/* ANSWERS: question text to answer, or NULL; PARAMS: those of the request. */
json_t *codex_person_answers(const json_t *params, const json_t *answers);

/* Our tools (an array of {"name","description","input_schema"}) as dynamic tools. */
json_t *codex_tools(const json_t *tools);

#endif
