/* What the jobs about repositories share: skills as they are found, fetched and made into
 * profiles. */
#ifndef JOBRUNNER_REPO_H
#define JOBRUNNER_REPO_H

#include "core/domain/profile.h"
#include "jobrunner/github.h"
#include "jobrunner/skill.h"

/* Of an answer, and of the work on one skill. */
#define REPO_ANSWER_MAX ((size_t)8 << 20)
#define REPO_EACH_MEMORY ((size_t)16 << 20)

/* Fetches SKILL.md, or SKILL.md.tmpl where that is the file (TMPL) or the first is not there; NULL
 * and why. */
const char *repo_fetch_skill(struct github *g, const struct github_repo *r, const char *path,
    bool tmpl, const char **why);
/* The time now as importMeta has it. */
const char *repo_now(struct arena *a);

#endif
