/* Processes of the master: how a worker, the hub or a migration is started, and how it says that it
 * is ready. */
#ifndef FCGI_CHILD_H
#define FCGI_CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "core/core.h"

/* What all children are started from. */
struct program {
	pid_t master;
	int argc;
	char **argv;
	int exe_fd; /* the program's file, as it was when the master was started or reloaded */
	int listen_fd;
	sigset_t mask; /* signal mask for the children */
};

struct child {
	pid_t pid; /* 0: none */
	int ready_fd;
	bool ready;
	int64_t started; /* monotonic ms */
};

/* Opens a program's file for child_start; -1 on failure. */
int program_open(const char *path);
/* Starts a child in this mode (MODE_*); ps will show it as "stagent-fcgi: TITLE". It gets SIGTERM
 * when the master dies. False after a message. */
bool child_start(const struct program *p, struct child *c, const char *mode, const char *title);
/* Closes what the master has of a child that ended or is no longer watched. */
void child_forget(struct child *c);

/* Tells systemd, where it asked for it (NOTIFY_SOCKET). */
void notify_systemd(const char *state);

#endif
