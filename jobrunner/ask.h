/* One question to a model, without tools, outside of a task's run: assists, what is learned from a
 * run, condensing. */
#ifndef JOBRUNNER_ASK_H
#define JOBRUNNER_ASK_H

#include "core/domain/task.h"
#include "jobrunner/runner.h"
#include "jobrunner/runtime.h"

#define ASK_TIMED_OUT \
	"Request timed out. You can increase the timeout in Settings \xe2\x86\x92 Runtime."

struct ask {
	struct job *job;
	const char *activity;    /* of the ledger row */
	const struct task *task; /* that the ledger row names, or NULL */
	const struct runtime_info *runtime;
	bool json;               /* the answer is to be one JSON object */
	const char *schema;      /* of it, as JSON Schema; or NULL */
	struct runtime_access access;
	int64_t timeout_s, started_at;
};

/* Fills the rest of K for the runtime (NULL: the default). NULL, or why it cannot be asked. */
const char *ask_init(struct ask *k, const char *runtime);
/* Makes the call, within the time of the setting. RC_CANCELLED: told to stop. */
enum rc ask_model(struct ask *k, const char *system, const char *prompt, struct turn *out,
    struct err *e);
/* Why a call failed, for the client that asked. */
const char *ask_failure(enum rc rc, const struct turn *t, const struct err *e);
/* {"error":WORDS}, keys masked. */
const char *ask_error_body(struct arena *a, const char *words);
/* Ends the job with the client's answer and, where U is given, the ledger row, in one transaction;
 * returns what the job's process returns. */
int ask_finish(struct ask *k, int status, const char *body, const struct usage *u);
/* Writes the ledger row inside the caller's transaction. */
void ask_write_ledger(struct ask *k, const struct usage *u, bool ok);

#endif
