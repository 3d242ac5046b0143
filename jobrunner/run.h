/* One run of a task: the state that the loop (agent.c) or the program's driver, the tool calls
 * (calls.c), the permission check (permit.c) and the end (run_end.c) share. */
#ifndef JOBRUNNER_RUN_H
#define JOBRUNNER_RUN_H

#include "core/domain/task.h"
#include "core/profile.h"
#include "jobrunner/outputs.h"
#include "jobrunner/prompt.h"
#include "jobrunner/runner.h"
#include "jobrunner/runtime.h"
#include "jobrunner/tools/tools.h"

#define TURNS_DEFAULT 50
#define SPEND_LIMIT_MICROS 2000000
#define SPEND_LIMIT_WORKFLOW_MICROS 5000000
#define SNAPSHOT_MAX ((size_t)4 << 20)
#define RUN_TOO_LONG "The run has taken too long"

/* The deltas of a streamed answer that are not written yet (claude_rows.c). */
struct claude_rows {
	struct arena *arena; /* of one event */
	struct buf text;     /* joined so far */
	int64_t index;       /* of their block */
	size_t kind;         /* of delta */
	int64_t written_ms;  /* when a row was written last */
	int64_t n;           /* rows of this run */
	bool lost;           /* the run may not write any more */
};

struct codex;

struct run {
	struct job *job;
	struct ctx *cx;      /* its arena is that of the current turn */
	struct arena *arena; /* of the whole run */
	struct task task;
	const struct runtime_ops *ops;
	struct runtime_access access;
	const char *profile_id; /* "general" where the task has none */
	struct profile_view profile;
	struct prompt prompt;
	const char *model, *workdir, *output_dir;
	json_t *conversation, *tools, *server_tools;
	struct claude_rows claude;
	const struct codex *codex; /* on Codex, while its program works; else NULL */
	int64_t max_turns, started_at, turns;
	int64_t since_ms;     /* monotonic; when this process took it up */
	bool resume;          /* a person asked to go on */
	bool restarted;       /* the runner or this process was restarted */
	bool unparked;        /* a decision brought it back */
	bool restored;        /* the conversation comes from a snapshot */
	bool unsaved;         /* it has results that no snapshot has */
	/* Sums over the finished model calls. */
	bool used;
	int64_t input_tokens, output_tokens, cost_micros;
	bool has_cost;
	const char *used_model, *pricing_version;
	const char *text;     /* of the last turn that had any, cut turns joined; "" where none */
	bool cut;             /* the next turn goes on with it */
	/* Results of the current turn that no snapshot has yet. */
	struct tool_result *results;
	size_t n_results;
};

/* How a run ends. */
struct ending {
	const char *status;  /* completed, failed, cancelled */
	const char *result;  /* NULL: the task's stays as it is */
	const char *error;   /* the reason, for an error row; or NULL */
	bool session_gone;   /* the client does not know the session any more */
	bool setup;          /* it could not begin: no final row beside the error */
	bool interrupted;    /* the runner's fault */
	const struct turn *last; /* the turn that ended it and has no snapshot yet, or NULL */
};

/* Writes that the run has begun, with its first row. The codes are those of run_tx_begin. */
enum rc run_begin(struct run *r);
/* Keeps where the run's key comes from, NULL: from nowhere, for the runtimes of which that is shown;
 * inside the running transaction. */
void run_note_source(struct run *r, const char *from);
/* The exit for a step that did not go well; the reasons are those of run_calls. */
int run_leave(struct run *r, enum rc rc);
/* Whether the process has worked on the run for as long as it may (RUN_MAX_S): what it is told to stop
 * for then is no restart. */
bool run_took_too_long(const struct run *r);
/* What the run may cost, and what this task's runs have cost: this one so far, and the earlier ones
 * where it continues them. In micro-dollars. */
int64_t run_spend_limit(const struct run *r);
int64_t run_spent(struct run *r);
/* Begins a transaction of the run. RC_CANCELLED (and no transaction) where the task is no longer
 * this run's: cancelled, changed, deleted, replaced; RC_FENCED where the job is somebody else's. */
enum rc run_tx_begin(struct run *r);
/* Writes a log row into the running transaction. */
void run_log(struct run *r, const char *event, const char *payload);
/* The first row of a run that is not parked: what goes on here, with what. */
void run_log_start(struct run *r);
/* The conversation as the runtime keeps it, as a session_snapshot row; thins the older ones. */
void run_log_snapshot(struct run *r);
/* The rows of a finished turn; LAST: it completes the run. */
void run_log_turn(struct run *r, const struct turn *t, bool last);
/* The row that ends a run: completed, failed or cancelled. ERROR: why it failed, or NULL. */
void run_log_end(struct run *r, const char *status, const char *result, const char *error);
/* Stores the sums with the turn, inside the running transaction. */
void run_save_turn(struct run *r);
/* Adds one turn's usage to the sums. */
void run_add_usage(struct run *r, const struct usage *u);

/* The rows of a run on Claude Code: first and last, inside a transaction, and each event of the
 * provider while it streams; claude_on_event takes it as text, ARG being the run. Deltas are held
 * back to be joined: claude_flush writes them, claude_flush_in says in how many milliseconds that
 * is due (-1: none is held). */
void claude_log_start(struct run *r);
void claude_builtin_log_start(struct run *r);
void claude_log_end(struct run *r, const char *status, const char *result, const char *error);
void claude_event(struct run *r, const char *type, const json_t *event);
void claude_on_event(void *arg, const char *type, const char *json, size_t n);
void claude_flush(struct run *r);
int64_t claude_flush_in(const struct run *r);
/* A session id for the task, written inside a transaction. */
void claude_new_session(struct run *r);
void claude_fini(struct run *r);

/* The check of the spend caps, before a run begins. Returns -1 to go on, else the exit code: the
 * task has failed with the reason as its result, and there is no final log row. */
int run_check_budget(struct run *r);
/* Ends the run: everything in one transaction. Returns an EXIT_ code. */
int run_end(struct run *r, const struct ending *e);
/* Ends it because it is no longer wanted: log and ledger only. */
int run_end_cancelled(struct run *r);

/* One tool call on its way to a decision and a result. What it points to lives as long as the
 * context's arena of the moment. */
struct call {
	const struct tool_call *of;
	const char *title, *body; /* of the request; NULL: made from name and input */
	const char *input_text;   /* as compact JSON */
	const char *state;        /* decision.c; NULL: not written down yet */
	const char *notification; /* of the request, or NULL */
	const char *message;      /* of a denial, or NULL */
	const char *result;       /* once it is done */
	const json_t *final_input;
	bool allowed, is_error;
};

#define CALL_DENIED "Tool denied by user" /* where a denial has no words of its own */
#define CALL_UNKNOWN_OUTCOME \
	"The outcome of this call is unknown: the runner was restarted while it was under way. It was " \
	"not run again. Check what it has changed before you repeat it."

/* The steps of a call (decision.c); each is written down. The codes are those of run_tx_begin.
 * call_note: what is known of it, else a new row and its tool_start in the log. call_decide: new
 * becomes decided, or asked where a person has to. call_look: asked becomes decided once it was
 * answered, dismissed, or has waited too long. call_withdraw: denied with MESSAGE, its request
 * closed. */
void call_load(struct run *r, struct call *c);
enum rc call_note(struct run *r, struct call *c);
enum rc call_decide(struct run *r, struct call *c);
enum rc call_look(struct run *r, struct call *c);
enum rc call_withdraw(struct run *r, struct call *c, const char *message);
/* Gives a decided call its result (calls.c): runs the tool where it was allowed. */
enum rc call_carry_out(struct run *r, struct call *c);
bool call_is(const struct call *c, const char *state);
bool call_is_question(const struct call *c);
/* When the request counts as denied, in milliseconds; 0: never. The time runs from its creation,
 * also while the run is parked. */
int64_t call_deadline(struct run *r, const struct call *c);
/* The run gets on: what killed it before is not its own doing. Inside a transaction. */
void run_note_progress(struct run *r);
/* Whether other runs wait for room. */
bool run_others_wait(struct run *r);
/* Leaves: the answer to C's request, or UNTIL (milliseconds, 0: never), brings the run back. RC_BUSY
 * once it is parked; RC_OK where an answer came in the meantime. */
enum rc run_park(struct run *r, const struct call *c, int64_t until);

/* Runs the N calls of a turn, one after another; results go to r->results. RC_OK when all have
 * one; RC_CANCELLED, RC_FENCED; RC_BUSY: parked, leave; RC_TIMEOUT: told to stop. */
enum rc run_calls(struct run *r, const struct tool_call *calls, size_t n);

enum verdict { VERDICT_ALLOW, VERDICT_DENY, VERDICT_ASK };

/* The layers that decide without a person. *MESSAGE: for a denial, may be NULL. */
enum verdict permit(struct run *r, const char *tool, const json_t *input, const char *input_text,
    const char **message, const json_t **final_input);

#endif
