/* Files that are data of ours: what they look like from outside, reading them whole, and writing
 * new ones so that readers and a crash meet either all of a file or none of it. Functions that
 * return a bool leave the reason for false in errno. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "core/arena.h"

/* A file's time says nothing about a change in the same moment; that long it is not trusted. */
#define FILE_SETTLE_S 2

/* What a file or folder looks like from outside; all zeros where it is not there. */
struct file_stamp {
	ino_t inode;
	off_t size;
	struct timespec mtime;
};

/* The stamp of PATH, through links, where it is of TYPE (S_IFREG, S_IFDIR). */
struct file_stamp file_stamp(const char *path, mode_t type);
bool file_same_stamp(const struct file_stamp *a, const struct file_stamp *b);

/* The text of a regular file of at most MAX bytes without zero bytes; NULL where it is none. */
const char *file_read(struct arena *a, const char *path, size_t max, size_t *n);

/* Makes the folders on the way to PATH, and it, with this mode; PATH is the same in the end. */
void file_make_path(char *path, mode_t mode);
/* Whether there is anything of that name, a link that leads nowhere included. */
bool file_is_there(int dir, const char *name);
/* Writes a new file and makes its text last; the folder must still be synced. */
bool file_write_new(int dir, const char *name, const char *text, mode_t mode);
/* Renames to a name that is free, else EEXIST; where the file system cannot promise that, after a
 * look. */
bool file_rename_new(int from, const char *name, int to, const char *as);

/* Order for scandir(3): byte by byte. */
int file_by_bytes(const struct dirent **a, const struct dirent **b);

#endif
