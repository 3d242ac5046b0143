/* Writing profile folders. All of it is file work: not inside a transaction.
 *
 * What is new is written aside and renamed into place, so that readers and a crash meet either the
 * old or the new; a folder or file that is a symbolic link is never followed. Folder names must be
 * profile_id_ok or come from the registry. */
#ifndef CORE_PROFILE_STORE_H
#define CORE_PROFILE_STORE_H

#include "core/ctx.h"

/* Makes the folder ID with both files; RC_CONFLICT without a word where it has one of them. */
enum rc profile_store_create(struct ctx *cx, const char *id, const char *yaml, const char *skill);
/* Whether the user's FOLDER has a profile.yaml. */
bool profile_store_has(const char *folder);
/* Replaces both files and leaves whatever else is there. */
enum rc profile_store_replace(struct ctx *cx, const char *folder, const char *yaml,
    const char *skill);
/* Removes the folder with all that is in it; of a link only the link. */
enum rc profile_store_remove(struct ctx *cx, const char *folder);
/* Copies the shipped profiles that the user's folder lacks, and the profile.yaml that a copy which is
 * else as it was shipped has lost; what is there is left alone. A failure is logged: shipped profiles
 * are served from where they are then. */
void profile_store_copy_shipped(struct ctx *cx);

#endif
