/* The configuration file, held for a change of its whole text.
 *
 * Between conf_file_open and conf_file_close no other stagentctl changes the same file: the lock is
 * on the file ".NAME.new" beside it, which holds the new text until it takes the old one's place in
 * one step. Whatever goes wrong, a full disk too, leaves the old file. */
#ifndef CTL_CONF_FILE_H
#define CTL_CONF_FILE_H

#include "core/buf.h"
#include "core/err.h"

#define CONF_FILE_MAX ((size_t)1 << 20)

struct conf_file {
	char *path;       /* the real file, behind symbolic links */
	const char *name; /* the end of it */
	char fresh[300];  /* name of the file that will take its place */
	int dir_fd, fresh_fd;
	int fd; /* the file, or -1 where there is none yet */
	struct buf text;
};

/* Waits for others, some seconds at most, and reads the file. One that does not exist reads as
 * empty; its folder has to exist. After a failure too, conf_file_close has to follow. */
enum rc conf_file_open(struct conf_file *f, const char *path, struct err *e);
/* Makes TEXT the file's. Mode, owner and access list stay; a new file gets the mode 0640 and, from
 * root, the group GROUP where there is such a one. */
enum rc conf_file_replace(struct conf_file *f, const struct buf *text, const char *group,
    struct err *e);
void conf_file_close(struct conf_file *f);

#endif
