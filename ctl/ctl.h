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
int ctl_migrate(struct ctx *cx, int argc, char **argv);
int ctl_doctor(struct ctx *cx, int argc, char **argv);

/* Says what went wrong in CX, and returns 1. */
int ctl_failed(struct ctx *cx);

#endif
