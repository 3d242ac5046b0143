/* Comparing texts as people do: letters without their case and, where names are sorted, without
 * their accents. Latin, Greek and Cyrillic letters are known; others are taken as they are. */
#ifndef CORE_COLLATE_H
#define CORE_COLLATE_H

#include "core/arena.h"

/* S in lower case, accents kept. */
const char *collate_lower(struct arena *a, const char *s);
/* The order of names: character by character, blanks before punctuation before digits before
 * letters, without case and accents. 0 where nothing else tells them apart. */
int collate_names(const char *a, const char *b);

#endif
