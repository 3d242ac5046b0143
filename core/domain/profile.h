/* Profiles as the interface has them: lists, one profile, and the changes to the user's. The
 * folders are the truth (core/profile.h); every change is complete on disk before it is noted in the
 * database. */
#ifndef CORE_DOMAIN_PROFILE_H
#define CORE_DOMAIN_PROFILE_H

#include "core/ctx.h"
#include "core/json_out.h"
#include "core/profile.h"

#define PROFILE_SLUG_MAX 64

/* Writes the profile as an object; WHOLE: with systemPrompt. */
void profile_write(struct jw *w, const struct profile *p, bool whole);
/* Writes the profile; RC_NOTFOUND where there is none of the id. */
enum rc profile_write_one(struct ctx *cx, struct jw *w, const char *id);
/* Writes an array, sorted by name: those of everybody; with SCOPE "all" also those of the project
 * with the id PROJECT, with "project" those alone. Both may be NULL. */
enum rc profile_write_list(struct ctx *cx, struct jw *w, const char *scope, const char *project);

/* A body of create and update: checks it, and gives profile.yaml and SKILL.md as texts. On failure
 * the client hears all that is wrong. The id is checked for its form only where NEW_ID is. */
struct profile_text {
	const char *id, *name, *yaml, *skill;
};
enum rc profile_read_body(struct ctx *cx, const json_t *in, bool new_id, struct profile_text *out);

/* Creates a profile from the body. */
enum rc profile_create(struct ctx *cx, const json_t *in);
/* Replaces the profile ID by the body. */
enum rc profile_replace(struct ctx *cx, const char *id, const json_t *in);
enum rc profile_remove(struct ctx *cx, const char *id);
/* Says that the built-in profile ID cannot be changed, in the word VERB; RC_OK where it is none. */
enum rc profile_check_builtin(struct ctx *cx, const char *id, const char *verb);

/* Lower case, what is not a-z or 0-9 as single dashes, none at the ends, PROFILE_SLUG_MAX at most;
 * may be empty. */
const char *profile_slug(struct arena *a, const char *name);

/* Stores the report of a test run in the place of the one before, inside the caller's
 * transaction. */
void profile_store_report(struct ctx *cx, const char *profile, const char *runtime,
    const char *report, int64_t passed, int64_t failed);

#endif
