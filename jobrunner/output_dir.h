/* The folders of output files and the writing of whole files into them: what outputs.c is built
 * on. */
#ifndef JOBRUNNER_OUTPUT_DIR_H
#define JOBRUNNER_OUTPUT_DIR_H

#include <dirent.h>

#include "core/ctx.h"

#define OUTPUT_BLOCK 32768u

/* Opens <data>/BELOW/ID, or <data>/ID where BELOW is NULL. The last part is never a link, and is made ours (0700); with MAKE all are
 * made where they are missing, and what is no folder in the place of the last goes. *PATH, where
 * that is not NULL: its absolute path. -1 with errno. */
int output_dir_open(struct ctx *cx, const char *below, const char *id, bool make,
    const char **path);
/* Removes all that is in the folder DIR, whatever the modes and depths. False with errno. */
bool output_dir_empty(int dir);
/* Removes what a process that died has left of files under way. */
void output_dir_sweep(int dir);
/* The next entry but . and ..; NULL at the end (errno is 0) and on failure. */
struct dirent *output_next_entry(DIR *d);

/* A file under way: others see it, under its final name, only when it is whole and on disk. */
struct output_temp {
	int dir, fd;
	char name[64];
};

bool output_temp_open(struct output_temp *t, int dir);
bool output_temp_write(struct output_temp *t, const char *data, size_t n);
/* Ends it: as NAME, or, for NULL, not at all. False where there is no such file then, with the
 * errno of the failure; for NULL errno stays. */
bool output_temp_close(struct output_temp *t, const char *name);

/* Whether two files have the same bytes, from their current places on. */
bool output_same_bytes(int a, int b);

#endif
