/* The parts of the Codex adapter as they see each other: how the program is started and greeted
 * (codex.c), a run (codex_run.c) with its tool calls (codex_calls.c) and log rows (codex_rows.c),
 * one question (codex_ask.c). */
#ifndef JOBRUNNER_RUNTIMES_CODEX_H
#define JOBRUNNER_RUNTIMES_CODEX_H

#include "jobrunner/client.h"
#include "jobrunner/runtimes/codex_msg.h"

#define CODEX_ID_MAX 200
/* Limits of the steps in front of a turn. */
#define CODEX_INIT_MS	10000
#define CODEX_THREAD_MS 30000
#define CODEX_TURN_MS	30000

/* The deltas of one item that are not written yet. */
struct codex_rows {
	struct arena *arena;   /* of one row */
	struct buf text;       /* joined so far */
	const char *event;     /* of their row */
	char item[CODEX_ID_MAX + 1];
	int64_t written_ms;    /* when a row was written last */
	int64_t n;             /* rows of this process */
	bool lost;             /* the run may not write any more */
};

enum codex_step {
	CODEX_STEP_INIT,
	CODEX_STEP_RESUME,
	CODEX_STEP_THREAD,
	CODEX_STEP_TURN,
	CODEX_STEP_WORK,
};

/* A run, as long as one process of the program. */
struct codex {
	struct client cl;
	struct run *r;
	struct codex_rows rows;
	enum codex_step step;
	int64_t number;        /* of our last request */
	int64_t retry_ms;      /* monotonic; when the thread is asked for once more; 0: not */
	int64_t give_up_ms;    /* until when */
	const char *prompt;    /* of the turn */
	const char *thread, *turn; /* NULL: not known yet; they live in the run's arena */
	const char *complaint; /* the last error that the program spoke of, or NULL */
	const char *limit;     /* why it was interrupted, or NULL */
	json_t *text;          /* of the last agent message that was completed, or NULL */
	json_t *items;         /* tool calls under way: id to {"type","paths","key"} */
	json_t *answered;      /* questions: id of the request to the key of the call */
	json_t *totals;        /* tokens of threads so far: id to [input, output] */
	int warnings;          /* that were logged */
};

struct codex_command {
	const char *const *argv, *const *env; /* for child.h; ENV is what program_env adds to */
};

/* How the program is started in the folder WORKDIR; in the arena. NULL, or why it cannot be. */
const char *codex_command(struct ctx *cx, struct arena *a, const struct runtime_access *access,
    const char *workdir, struct codex_command *out);
/* The settings that a thread is started or resumed with: the key. New reference. */
json_t *codex_thread_config(const struct runtime_access *access);
/* Parameters of the first request. New reference. */
json_t *codex_greeting(void);
/* The version in the answer to it; NULL where it names none. In the arena. */
const char *codex_version(struct arena *a, const json_t *result);

/* A run (struct runtime_ops). */
int codex_drive(struct run *r);
void codex_log_start(struct run *r);
void codex_log_end(struct run *r, const char *status, const char *result, const char *error);

/* Tool calls (codex_calls.c): what begins and ends, what is asked for, and what was decided. */
void codex_item(struct codex *c, const struct codex_msg *m);
void codex_asked(struct codex *c, const struct codex_msg *m);
void codex_resolved(struct codex *c, const struct codex_msg *m);
void codex_decided(struct codex *c, struct pending *p);
/* Before the output of the command M is about: it is noted, if it did not ask. */
void codex_output(struct codex *c, const struct codex_msg *m);

/* Rows: the two that begin a turn, inside a transaction, and deltas, which are held back to be
 * joined. */
void codex_log_thread(struct codex *c);
void codex_log_turn(struct codex *c);
void codex_delta(struct codex *c, const struct codex_msg *m);
void codex_flush(struct codex *c);
/* In how many milliseconds that is due; -1: nothing is held. */
int64_t codex_flush_in(const struct codex *c);
void codex_rows_init(struct codex_rows *rows);
void codex_rows_fini(struct codex_rows *rows);

/* One question (struct runtime_ops). */
enum rc codex_ask(struct job *j, const struct runtime_access *access, const struct model_call *mc,
    struct turn *out, struct err *e);
/* Whether the program starts, talks, and reaches the provider with the key. NULL, or why not. RC in
 * *RC: RC_CANCELLED where told to stop. */
const char *codex_probe(struct job *j, const struct runtime_access *access, enum rc *rc);

#endif
