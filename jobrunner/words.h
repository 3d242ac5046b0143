/* Words: what stands between the blanks of a text. They are compared without regard to the case of
 * ASCII letters, and borrow from the text. */
#ifndef JOBRUNNER_WORDS_H
#define JOBRUNNER_WORDS_H

#include "core/core.h"

struct word {
	const char *s;
	size_t n;
};

/* The next word at *S, which moves behind it; false at the end. */
bool word_next(const char **s, struct word *out);
/* For qsort and bsearch. */
int word_compare(const void *a, const void *b);
/* Fills OUT with the different words of TEXT, sorted, looking at the first MAX only, for which
 * there must be room; returns their number. */
size_t word_set(const char *text, struct word *out, size_t max);

#endif
