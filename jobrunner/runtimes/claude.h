/* The parts of the Claude Code adapter as they see each other: how the program is started, a run
 * (claude.c), one question and the connection test (claude_ask.c). */
#ifndef JOBRUNNER_RUNTIMES_CLAUDE_H
#define JOBRUNNER_RUNTIMES_CLAUDE_H

#include "jobrunner/client.h"

/* A server of tools that is served inside the pipe. */
#define CLAUDE_SERVER "stagent"

struct claude_command {
	const char *const *argv, *const *env; /* for child.h; ENV is what program_env adds to */
	const char *mcp_file; /* to be removed afterwards, or NULL */
};

/* How the program is started for a run: RESUME says whether it goes on with the task's session.
 * Everything lives in the run's arena. NULL, or why it cannot be. */
const char *claude_command(struct run *r, bool resume, struct claude_command *out);
/* What the program is given as its secret: KEY, else the user's token for it, if there is one; NULL:
 * it uses its own login. */
const char *claude_secret(const char *key);
/* What the program gets in its environment beside the user's: with KEY (NULL: it uses its own
 * login) also its private home. NULL where that cannot be made. */
const char *const *claude_env(struct ctx *cx, struct arena *a, const char *key);

/* One question (struct runtime_ops). */
enum rc claude_ask(struct job *j, const struct runtime_access *access, const struct model_call *mc,
    struct turn *out, struct err *e);
/* The connection test: one turn with the program, at most 20 seconds. *SOURCE: where its key comes
 * from, as the program says it, or NULL. *ERROR: NULL where it has got an answer, else why not.
 * RC_CANCELLED where the job is to stop, else RC_OK. */
enum rc claude_probe(struct job *j, const struct runtime_access *access, const char **source,
    const char **error);

#endif
