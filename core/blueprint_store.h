/* Writing the user's blueprint files. All of it is file work: not inside a transaction.
 *
 * What is new is written aside and renamed into place, so that readers and a crash meet all of
 * it or nothing, and of several writers of one id one succeeds. */
#ifndef CORE_BLUEPRINT_STORE_H
#define CORE_BLUEPRINT_STORE_H

#include "core/ctx.h"

/* Makes the file of the blueprint ID (which is blueprint_id_ok), and the folder where it is not
 * there yet; RC_CONFLICT without a word where there is such a file. */
enum rc blueprint_store_create(struct ctx *cx, const char *id, const char *text);
/* Removes the user's file of that name; of a link only the link. RC_NOTFOUND without a word where
 * there is none. */
enum rc blueprint_store_remove(struct ctx *cx, const char *file);

#endif
