/* A run that a command-line client drives: what the adapters of Claude Code and Codex share.
 *
 * The client makes the turns and asks before tools run; it is answered as soon as a decision is
 * there, in any order, while everything else goes on. What it has been told and has not is written
 * down (engine_calls): when the run's process dies, the next one goes on with the client's stored
 * session, and a call that the client repeats then is not asked for and not carried out again. */
#ifndef JOBRUNNER_CLIENT_H
#define JOBRUNNER_CLIENT_H

#include "jobrunner/program.h"
#include "jobrunner/run.h"

#define CLIENT_PENDING_MAX 64
/* Stages of an end, in milliseconds. */
#define CLIENT_INTERRUPT_MS 2000 /* until it has ended its turn */
#define CLIENT_CLOSE_MS	    2000
#define CLIENT_TERM_MS	    3000
#define CLIENT_HURRY_MS	    500  /* where somebody waits for it */
/* A text for the client's own user message where a run goes on after a stop of the runner. */
#define CLIENT_GO_ON \
	"The work was interrupted and goes on now. Please continue where you stopped; do not repeat " \
	"what is done already."

/* A request of the client that waits for a decision, or was just decided. */
struct pending {
	struct arena *arena;
	const char *id;   /* of the request, as the adapter writes it */
	int kind;         /* the adapter's own */
	int64_t since_ms; /* monotonic */
	struct tool_call of;
	struct call call; /* decided once it is handed out */
	json_t *extra;    /* the adapter's own, or NULL; lives in the arena */
};

struct client {
	struct run *r;
	const struct program *program;
	struct child *child;     /* NULL: not started */
	struct arena *event;     /* of one message */
	struct pending pending[CLIENT_PENDING_MAX];
	size_t n_pending;
	size_t busy;             /* calls under way that wait for nobody; kept by the adapter */
	const char *version;     /* that the client named, or NULL */
	bool spoke;              /* it has sent a message that makes sense */
	size_t rubbish;          /* lines without sense since the last one with */
	int64_t heard_ms;        /* when the last one came; monotonic */
	int64_t step_until_ms;   /* the answer that is waited for must have come; 0: none is */
	enum rc rc;              /* not RC_OK: the run may not write any more, or the store fails */
	bool told;               /* the signal to stop was taken */
	bool stopping;           /* the run was cancelled, and the client told to end its turn */
};

/* What the functions of an adapter return beside an exit code. */
enum {
	CLIENT_GOES_ON = -1,
	CLIENT_BEGINS_ANEW = -2, /* with a new session, in a new process */
};

/* What an adapter does when something happens; ARG is its own. What returns a number: CLIENT_GOES_ON,
 * or what client_drive is to return. */
struct client_driver {
	/* *MSG is an object, good until the function returns. */
	int (*message)(void *arg, const json_t *msg);
	/* P is decided: answer it, then client_forget. */
	void (*decided)(void *arg, struct pending *p);
	/* In how many milliseconds `due` is to be called; -1: it is not. */
	int64_t (*due_in)(void *arg);
	void (*due)(void *arg);
	/* Writes the rows that are held back. */
	void (*flush)(void *arg);
	/* Asks the client to end its turn; false where it has none. */
	bool (*interrupt)(void *arg);
	/* It has ended by itself, before the run had an end. */
	int (*ended)(void *arg);
	/* It was stopped, since it said nothing in time, or nothing that makes sense. */
	int (*silent)(void *arg, const char *what);
};

/* Starts the program in the run's working directory. RC_OK; else E has the words. ARGV, EXTRA and
 * SECRET as in child.h. */
enum rc client_start(struct client *cl, struct run *r, const struct program *p,
    const char *const *argv, const char *const *extra, const char *secret, struct err *e);
/* Follows the client until the run has an end, is parked, or left to another process. Looks after
 * decisions, cancelling and the limits of silence. Returns an EXIT_ code, or what the adapter said. */
int client_drive(struct client *cl, const struct client_driver *d, void *arg);
/* Keeps the version that the client has named (NULL: none), and tells it to the log. */
void client_note_version(struct client *cl, const char *version);
/* The client must say something within MS from now; 0: no limit but the general ones. */
void client_expect(struct client *cl, int64_t ms);
/* Sends V, which it takes. False where the client takes no more. */
bool client_send(struct client *cl, json_t *v);

/* A request of the client to use a tool. It is decided at once, and then handed out soon, or
 * waits. ID, KIND: for the answer; CALL_ID, NAME, INPUT: the call; TITLE and BODY of
 * the request, or NULL. NULL where there are too many of them (deny it), or, with cl->rc set, where
 * the run is lost. */
struct pending *client_request(struct client *cl, const char *id, int kind, const char *call_id,
    const char *name, const json_t *input, const char *title, const char *body);
/* The pending one with that id, or NULL. */
struct pending *client_pending(struct client *cl, const char *id);
/* The client withdraws its request: closed. */
void client_withdraw(struct client *cl, struct pending *p);
void client_forget(struct client *cl, struct pending *p);

/* A tool of ours that the client calls, and that was decided before as CALL_ID (or is decided now,
 * where nobody needs to be asked). Sets *TEXT and *IS_ERROR. RC_OK, or why the run is lost. */
enum rc client_tool(struct client *cl, const char *call_id, const char *name, const json_t *input,
    const char **text, bool *is_error);
/* Notes a call that the client makes without asking: its tool_start row. */
enum rc client_note(struct client *cl, const char *call_id, const char *name,
    const json_t *input);
/* The client has the result of the call. */
enum rc client_seen(struct client *cl, const char *call_id);
/* At the start of a run that goes on: what the client may not have seen. Inside a transaction. */
void client_note_lost(struct run *r);
/* Whether this run has made any call. */
bool client_has_acted(struct run *r);

/* Stops the client and leaves nothing of it: waits CLOSE_MS for its own end, then TERM_MS. Keeps
 * what it said on standard error as <data.dir>/runs/<task>.log. */
void client_end(struct client *cl, int close_ms, int term_ms);
/* Both parts of a system text (NULL: none) as one, for clients that take a single one. */
const char *client_system_text(struct arena *a, const char *stable, const char *rest);
/* What is wrong, where the client ended or was stopped without a result: names the program, its
 * version, and what mends it where it has not spoken yet. In the run's arena. */
const char *client_failure(struct client *cl, const char *what);
/* Ends the run as failed. ERROR: more words than RESULT has, or "". client_stopped: the result is
 * "Task stopped: WHY". */
int client_fail(struct run *r, const char *result, const char *error);
int client_stopped(struct run *r, const char *why, const char *error);
#define CLIENT_SPENT "The spending limit of the run is reached"
/* Whether the run goes on in the session that the task has. */
bool client_goes_on(const struct run *r);
/* The client does not know the session that it was to resume. A person who has resumed the task gets
 * told so; a run of which nothing was done in it yet begins anew (CLIENT_BEGINS_ANEW); any other one
 * was interrupted and ends. */
int client_session_gone(struct client *cl);
void client_free(struct client *cl);

#endif
