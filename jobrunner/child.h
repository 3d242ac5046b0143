/* A child program that is spoken to in lines over its standard streams: Claude Code, Codex.
 *
 * It gets exactly the environment it is given, a session of its own, and ends with its parent
 * (PR_SET_PDEATHSIG). The parent becomes the reaper of whatever the child leaves behind, and
 * child_end leaves no process of it, however it ends. Nothing blocks but child_next, and that no
 * longer than it is told; nothing grows without a bound. */
#ifndef JOBRUNNER_CHILD_H
#define JOBRUNNER_CHILD_H

#include <sys/types.h>

#include "core/arena.h"
#include "core/err.h"

#define CHILD_LINE_MAX	 ((size_t)32 << 20) /* a longer line is skipped */
#define CHILD_QUEUE_MAX	 ((size_t)64 << 20) /* bytes that the child has not read yet */
#define CHILD_STDERR_MAX ((size_t)256 << 10) /* the last of what it said there is kept */

/* The variable by which the processes of a run are found when all that knew of them is gone; its value
 * is the run's id. */
#define CHILD_MARK "AGENT_RUN_ID="

struct child;

/* Where a child finds its secret: what stands in an environment is seen by all that the child starts,
 * and by whoever may read /proc. */
#define CHILD_SECRET_FD 4
#define CHILD_SECRET_MAX 4096u

struct child_spec {
	const char *program;     /* a path */
	const char *const *argv; /* [0] is the program's name; NULL at the end */
	const char *const *env;  /* NAME=VALUE; NULL at the end */
	const char *cwd;
	const char *secret; /* the child reads it from descriptor CHILD_SECRET_FD, once; or NULL */
};

/* Starts it; NULL with the words in E where that fails (the cause is the system's). */
struct child *child_start(const struct child_spec *spec, struct err *e);

pid_t child_pid(const struct child *c);
/* When PID was started, as the system says it, so that a reused pid is noticed; in the arena; NULL
 * where there is no such process. */
const char *child_start_time(struct arena *a, pid_t pid);

enum child_event {
	CHILD_LINE,     /* one came: *LINE, *N, good until the next call; no line end, never empty */
	CHILD_LONG,     /* one was longer than CHILD_LINE_MAX: *LINE, *N are its first bytes */
	CHILD_ENDED,    /* it has ended and everything it said was read */
	CHILD_WAKE,     /* WAKE_FD became readable */
	CHILD_NOTHING,  /* MS have passed */
};

/* Waits for the next thing to happen, at most MS milliseconds; writes what is queued meanwhile.
 * WAKE_FD may be -1. What has come is handed out before a wake-up is looked for only if it was
 * read already: neither starves the other. */
enum child_event child_next(struct child *c, int wake_fd, int ms, const char **line, size_t *n);

/* Queues one line (without its end). False where the child takes no more: it has closed its input,
 * or the queue is full. */
bool child_send(struct child *c, const char *line, size_t n);
/* Closes its input once everything queued is written. */
void child_close_input(struct child *c);

/* Ends it: closes its input and waits CLOSE_MS, SIGTERM to its group and waits TERM_MS, SIGKILL; by
 * then every process that came from it is gone. What it still says is dropped. 0 skips a stage.
 * Harmless where it has ended. */
void child_end(struct child *c, int close_ms, int term_ms);
/* How it ended, as waitpid says; -1 while it runs. */
int child_status(const struct child *c);
/* The same in words: "exit status 1", "signal 9 (Killed)". In the arena. */
const char *child_status_words(struct arena *a, const struct child *c);

/* Adds a line to what it said on standard error. */
void child_remember(struct child *c, const char *line, size_t n);
/* What it last said on standard error, oldest first, as UTF-8 with masked keys; in the arena. */
const char *child_stderr(struct arena *a, const struct child *c);
/* The last line of it that is not blank, without colours, at most MAX UTF-16 units; "" where there is
 * none. */
const char *child_last_words(struct arena *a, const struct child *c, size_t max);

/* child_end at once, where it was not called, and gives everything back. */
void child_free(struct child *c);

/* Sends SIG to every process whose parent this one is, but for those listed in KEEP. Returns how many
 * there are. */
size_t child_tell_strays(const pid_t *keep, size_t n, int sig);
/* Ends every process below this one that is not listed in KEEP: strays of children that are gone.
 * For processes that are reapers (child_adopt). Returns how many it has met. */
size_t child_end_strays(const pid_t *keep, size_t n);
/* Sends SIG to every process whose environment has MARK (NAME=VALUE). Returns how many there are. */
size_t child_tell_marked(const char *mark, int sig);
/* Makes this process the reaper of what its descendants leave behind. */
void child_adopt(void);

#endif
