/* One question to a model, without tools, outside of a task's run: assists, what is learned from a
 * run, condensing. */
#ifndef JOBRUNNER_ASK_H
#define JOBRUNNER_ASK_H

#include "core/domain/task.h"
#include "jobrunner/runner.h"
#include "jobrunner/runtime.h"

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
/* Writes the ledger row inside the caller's transaction. */
void ask_write_ledger(struct ask *k, const struct usage *u, bool ok);

#endif
