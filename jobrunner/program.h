/* The command-line clients that run agents, as programs: where they are found, which version they
 * are, what they are given, and the words for what is wrong with them. */
#ifndef JOBRUNNER_PROGRAM_H
#define JOBRUNNER_PROGRAM_H

#include "core/ctx.h"
#include "jobrunner/child.h"

struct program {
	const char *label;   /* Claude Code */
	const char *package; /* of npm */
	const char *home;    /* folder below <data.dir>/runtimes */
	size_t option;       /* offset of the program's name in struct conf */
	int oldest[2];       /* the first version, major and minor, that is known to work */
};

extern const struct program PROGRAM_CLAUDE, PROGRAM_CODEX;

/* The file that would be started: the option's path, or its name looked up in PATH; NULL where
 * there is none that can be executed. In the arena. */
const char *program_find(const struct conf *c, struct arena *a, const struct program *p);
/* "LABEL CLI not found. Install it, or choose another runtime." */
const char *program_missing(struct arena *a, const struct program *p);
/* Asks FILE for its version, at most ten seconds: digits and dots. NULL, and in *WHY (may be NULL)
 * what came instead. */
const char *program_version(struct arena *a, const char *file, const char **why);
/* Whether VERSION is one that is known to work; true for NULL. */
bool program_version_ok(const struct program *p, const char *version);
/* What is wrong, with the program, its version (NULL: it is asked) and what mends it. WHAT is a
 * sentence without its full stop. */
const char *program_broken(struct arena *a, const struct program *p, const char *file,
    const char *version, const char *what);

/* Its private home <data.dir>/runtimes/HOME, made with mode 0700; NULL where that fails. */
const char *program_home(const struct conf *c, struct arena *a, const struct program *p);
/* The environment of a client: what a program of the user needs (PATH, HOME, locale, proxies,
 * certificates) from ours, and EXTRA (NAME=VALUE, NULL at the end). Nothing else: no key reaches it
 * that is not in EXTRA. */
const char *const *program_env(struct arena *a, const char *const *extra);

#endif
