/* Reading repositories on GitHub. Addresses come from the options; owners, names, branches and
 * paths may be anything and are escaped. Failures come back as words for the person who asked. */
#ifndef JOBRUNNER_GITHUB_H
#define JOBRUNNER_GITHUB_H

#include <jansson.h>
#include "jobrunner/runner.h"

struct github {
	struct job *job;
	struct arena *arena; /* for what comes back; the job's, or one that is reset now and then */
	int64_t end_ms; /* on mono_ms: nothing is fetched later */
	bool cancelled; /* the job was told to stop; everything fails then */
};

struct github_repo {
	const char *owner, *repo, *branch;
};

#define GITHUB_SHA256_SIZE 65

void github_init(struct github *g, struct job *j);
/* The branch of a repository that it names as its default. NULL, and why in *WHY. */
const char *github_default_branch(struct github *g, const char *owner, const char *repo,
    const char **why);
/* The newest commit of a branch; the same. */
const char *github_head(struct github *g, const struct github_repo *r, const char **why);
/* The paths of all files in a commit as an array; the same. */
const json_t *github_files(struct github *g, const struct github_repo *r, const char *commit,
    const char **why);
/* The text of a file of at most 1 MiB; the same. *STATUS, where STATUS is not NULL, gets that of
 * the answer, 0 where there was none. */
const char *github_file(struct github *g, const struct github_repo *r, const char *folder,
    const char *name, long *status, const char **why);
/* SHA-256 of a text, in hex. */
const char *github_hash(struct arena *a, const char *text);

/* Ends the job with STATUS and BODY; returns what its process returns. */
int github_finish(struct github *g, int status, const char *body);

#endif
