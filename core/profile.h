/* Agent profiles: how an agent behaves, which tools it may use, which runtimes it fits. They are
 * folders with profile.yaml and SKILL.md, not rows: those that ship (<share.dir>/profiles) and the
 * user's ($HOME/.claude/skills), which take the place of shipped ones with the same id. The order
 * is that of the folder names, byte by byte. (Projects have profiles of their own, which are listed
 * only: profile_list_project.) Folders without profile.yaml are none of ours; what
 * does not parse or does not validate is passed over with a warning in the log.
 *
 * Other processes and programs change the folders at any time, so nothing is served that is older
 * than the files: looking up one profile costs four stat(2), a list or a miss two for each folder,
 * and only what has changed is read again. All of it is file work: not inside a transaction.
 *
 * What profile_find gives out is borrowed: good for the request or the tool call at hand (the last
 * PROFILE_RETIRED_MAX that were replaced are kept), not for a run, which takes a profile_view. */
#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include <jansson.h>
#include "core/conf.h"
#include "core/shape.h"

#define PROFILE_RETIRED_MAX 256
#define PROFILE_DEFAULT "general"
#define PROFILE_SWEEP "sweep" /* its results are proposals of tasks */
#define PROFILE_THINKING_BUDGET 10000

struct profile {
	const char *id, *name, *version, *domain;
	const char *description;  /* from the front matter of SKILL.md, else the name */
	const char *folder;       /* its name, without the path */
	const char *origin;       /* manual, import, environment, ai-assist; NULL: not told */
	const char *preferred;    /* a runtime id, or NULL */
	const char *instructions; /* SKILL.md as it is, "" where there is none */
	const char *const *tags;
	size_t n_tags;
	unsigned runtimes;  /* bit i: RUNTIME_CATALOG[i] */
	int64_t max_turns;  /* rounded up; 0: the profile has none */
	bool builtin;       /* a shipped profile has this id */
	bool in_user;       /* its folder is one of the user's */
	bool in_project;    /* it was read from a project's folder */
	const json_t *doc;  /* profile.yaml, valid by SHAPE_PROFILE; unknown keys are in it too */
};

/* A profile as one runtime sees it. */
struct profile_view {
	const char *id, *name, *instructions;
	int64_t max_turns;
	const json_t *allowed_tools;             /* array of texts, NULL: not restricted */
	const json_t *auto_approve, *auto_deny;  /* arrays of texts, or NULL */
	const json_t *mcp_servers, *tests;       /* object, array, or NULL */
	const char *model_id;                    /* instead of the setting, or NULL */
	bool thinking;
	int64_t thinking_budget;                 /* tokens */
	const json_t *server_tools;              /* object of booleans, or NULL */
};

/* NULL where there is none of that id. */
const struct profile *profile_find(const struct conf *c, const char *id);
/* All of them; the array is good until the next call of this module. */
const struct profile *const *profile_list(const struct conf *c, size_t *n);

/* The profiles in the folder .claude/skills of a project's working directory DIR, read anew, in the
 * order of the folders; all of it lives as long as A. A folder with only SKILL.md is one, too. */
const struct profile *const *profile_list_project(const struct conf *c, struct arena *a,
    const char *dir, size_t *n);

/* RUNTIME may be NULL, empty or unknown, which is the default runtime. */
bool profile_supports(const struct profile *p, const char *runtime);
/* The profile with the overrides of the runtime applied; what OUT holds lives as long as A,
 * whatever happens to the profile. Does not look at profile_supports. */
void profile_resolve(struct arena *a, const struct profile *p, const char *runtime,
    struct profile_view *out);
/* The id of the profile for a task: of those that support the runtime the one with the most tags in
 * the lower-cased text, the first on a tie; "general" with fewer than two. In the arena. */
const char *profile_classify(const struct conf *c, struct arena *a, const char *title,
    const char *description, const char *runtime);
/* The same among the N profiles of LIST, without a look at files. */
const char *profile_choose(const struct profile *const *list, size_t n, struct arena *a,
    const char *title, const char *description, const char *runtime);

/* What profile.yaml and the bodies of create and update must look like. */
extern const struct shape SHAPE_PROFILE;
/* The same with skillMd, as the bodies have it. */
extern const struct shape SHAPE_PROFILE_BODY;
/* The messages of all violations, joined with ", "; NULL where there are none. Anything but an
 * object counts as one without fields. Includes the rule for ids. */
const char *profile_problems(struct arena *a, const json_t *doc);
/* The same without the rule for ids. */
const char *profile_shape_problems(struct arena *a, const json_t *doc);
extern const char PROFILE_ID_RULE[];
/* 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit, no "..". */
bool profile_id_ok(const char *id);
/* The same without the length: whether it may name a folder. */
bool profile_name_ok(const char *id);

#endif
