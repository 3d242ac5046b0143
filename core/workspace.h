/* Where the application was started: the launch folder (STAGENT_LAUNCH_CWD, else the working
 * folder of the process) and what git knows about it, read from its files without running it. */
#ifndef CORE_WORKSPACE_H
#define CORE_WORKSPACE_H

#include "core/arena.h"

struct workspace {
	const char *cwd;
	const char *folder; /* last part of cwd; "" for the root */
	const char *branch; /* NULL: detached, no repository, or it cannot be told */
	bool worktree;      /* .git in the folder itself is a file */
};

/* Looks anew at every call; never fails. */
void workspace_read(struct arena *a, struct workspace *out);
/* The same for a given folder. */
void workspace_read_at(struct arena *a, const char *cwd, struct workspace *out);

#endif
