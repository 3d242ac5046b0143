/* Skills of other programs as profiles: what their SKILL.md and README files say is looked at, and
 * a name, a description and tags are derived from it. All texts are somebody else's; nothing here
 * fails, it only finds less. What comes back is in the arena. */
#ifndef JOBRUNNER_SKILL_H
#define JOBRUNNER_SKILL_H

#include <jansson.h>
#include "core/arena.h"

#define SKILL_TAGS_MAX 12
#define SKILL_KEYWORDS_MAX 20

/* The front matter as an object of texts: top-level "key: value" lines, blocks and lists joined. */
json_t *skill_front(struct arena *a, const char *text);
/* What follows the front matter. */
const char *skill_body(struct arena *a, const char *text);

/* What a description is made from; any of the texts may be "". */
struct skill_texts {
	const char *name;        /* as the front matter or the folder has it */
	const char *skill;       /* SKILL.md */
	const char *readme;      /* of its folder */
	const char *repo_readme;
};

/* The description, at most 200 characters. (skill_describe.c) */
const char *skill_describe(struct arena *a, const struct skill_texts *t);
/* SKILL.md with the description in its front matter, unless a longer one stands there. */
const char *skill_put_description(struct arena *a, const char *text, const char *description);
/* TEXT without the marks of Markdown inside a line. */
const char *skill_plain(struct arena *a, const char *text);

/* Appends tags from the folder's name and the texts to TAGS, without doubles, SKILL_TAGS_MAX at
 * most in all. (skill_tags.c) */
void skill_add_tags(struct arena *a, json_t *tags, const char *folder, const char *skill,
    const char *readme, const json_t *front);
/* How much two texts have in common, 0 to 1: of their most frequent words. */
double skill_likeness(const char *one, const char *other);
/* Whether WORD stands in TEXT where a word begins and, where WHOLE, ends; case does not count. */
bool skill_has_word(const char *text, const char *word, bool whole);

/* The folder's name in a repository: the last part of PATH, or REPO for the root. */
const char *skill_folder(const char *path, const char *repo);

#endif
