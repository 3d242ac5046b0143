/* Random ids: UUID version 4 from the kernel's random source. */
#ifndef CORE_ID_H
#define CORE_ID_H

#include "core/arena.h"

#define ID_SIZE 37

/* Writes a new id (36 characters and the zero) and returns OUT. */
char *id_new(char out[ID_SIZE]);
/* A new id in the arena. */
char *id_make(struct arena *a);
void random_bytes(void *p, size_t n);

#endif
