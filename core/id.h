/* Ids: UUID version 4 from the kernel's random source. */
#ifndef CORE_ID_H
#define CORE_ID_H

#include "core/arena.h"

#define ID_SIZE 37

/* Writes a new id (36 characters and the zero) and returns OUT. */
char *id_new(char out[ID_SIZE]);
/* The id of part N of what SEED names: looks like any other, and is the same every time. */
char *id_of_part(char out[ID_SIZE], const char *seed, int64_t n);
/* A new id in the arena. */
char *id_make(struct arena *a);
void random_bytes(void *p, size_t n);

#endif
