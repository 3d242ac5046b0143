/* Folders of stored files below the data folder, and the writing of whole files into them. */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "core/ctx.h"

#define STORE_TEMP ".new-" /* what the names of files under way begin with */

/* The data folder as an absolute path, in CX's arena. */
const char *store_data(struct ctx *cx);
/* Opens the fixed folder <data>/NAME ("uploads", "documents/thumbs"), which may be a link; with
 * MAKE it is made where it is missing. *PATH, where that is not NULL: its absolute path. -1 with
 * errno. */
int store_open_fixed(struct ctx *cx, const char *name, bool make, const char **path);
/* Opens <data>/BELOW/ID, or <data>/ID where BELOW is NULL. The last part is never a link, and is
 * made ours (0700); with MAKE all are made where they are missing, and what is no folder in the
 * place of the last goes. *PATH as above. -1 with errno. */
int store_open(struct ctx *cx, const char *below, const char *id, bool make,
    const char **path);
/* Opens the folder NAME in DIR, which is no link, and gives the owner back what rights it lacks. -1
 * with errno. */
int store_open_own(int dir, const char *name);

/* Opens the regular file PATH, relative to the folder DIR, for reading, following no link anywhere
 * on the way. -1 with errno; EISDIR for whatever is no regular file. */
int store_open_at(int dir, const char *path);
/* The place below the data folder that the stored PATH means, also where the folder was moved
 * since; NULL for one outside of it. */
const char *store_relative(struct ctx *cx, const char *path);
/* store_open_at for a stored path; its first folder below the data folder is a fixed one, and may
 * be a link. */
int store_open_file(struct ctx *cx, const char *path);

/* Notes that a file of the folder WHAT could not be written: RC_FULL or RC_IO, by the errno CAUSE.
 */
enum rc store_failed(struct ctx *cx, const char *what, int cause);

/* A file under way: others see it, under its final name, only when it is whole and on disk. */
struct store_temp {
	int dir, fd;
	char name[64];
};

bool store_temp_open(struct store_temp *t, int dir);
bool store_temp_write(struct store_temp *t, const char *data, size_t n);
/* Ends it: as NAME, or, for NULL, not at all. False where there is no such file then, with the
 * errno of the failure; for NULL errno stays. */
bool store_temp_close(struct store_temp *t, const char *name);

#endif
