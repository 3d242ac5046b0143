/* The folders of output files: what outputs.c is built on. */
#ifndef JOBRUNNER_OUTPUT_DIR_H
#define JOBRUNNER_OUTPUT_DIR_H

#include <dirent.h>

#include "core/store.h"

#define OUTPUT_BLOCK 32768u

/* Removes all that is in the folder DIR, whatever the modes and depths. False with errno. */
bool output_dir_empty(int dir);
/* Removes what a process that died has left of files under way. */
void output_dir_sweep(int dir);
/* The next entry but . and ..; NULL at the end (errno is 0) and on failure. */
struct dirent *output_next_entry(DIR *d);

/* Whether two files have the same bytes, from their current places on. */
bool output_same_bytes(int a, int b);

#endif
