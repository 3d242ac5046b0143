/* stagentctl: the operator's program. One table of commands (main.c), one function each. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "core/ctx.h"

struct ctl_command {
	const char *name, *arguments, *help;
	bool needs_db;
	/* ARGV begins behind the command's name. Returns the exit status. */
	int (*run)(struct ctx *cx, int argc, char **argv);
};

int ctl_status(struct ctx *cx, int argc, char **argv);
int ctl_jobs(struct ctx *cx, int argc, char **argv);
int ctl_approvals(struct ctx *cx, int argc, char **argv);
int ctl_audit(struct ctx *cx, int argc, char **argv);
int ctl_config(struct ctx *cx, int argc, char **argv);
/* Whether the arguments, "config" the first of them, change the configuration file: config set and
 * config unset. These do not need a configuration that can be read, so that they can mend one. */
bool ctl_config_edits(int argc, char **argv);
/* Does it; the command begins at ARGV[NEXT]. FILE is that of -c, or NULL. */
int ctl_config_edit(struct ctx *cx, struct conf *conf, const char *file, int argc, char **argv,
    int next);
int ctl_migrate(struct ctx *cx, int argc, char **argv);
int ctl_doctor(struct ctx *cx, int argc, char **argv);

enum ctl_runner { RUNNER_WORKS, RUNNER_DOWN, RUNNER_UNKNOWN };

/* Whether the job runner's supervisor is there, which holds its lock as long as it lives. */
enum ctl_runner ctl_runner(struct ctx *cx);
/* Says what went wrong in CX, and returns 1. */
int ctl_failed(struct ctx *cx);
/* Says how COMMAND is called, and returns 2. */
int ctl_usage(const char *command);
/* Opens the database of the configuration. RC_NOTFOUND where there is none; an error too where its
 * schema is not this version's. */
enum rc ctl_open(struct ctx *cx);

#endif
