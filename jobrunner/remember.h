/* What a run's result teaches: statements of one line that are worth keeping as memories. */
#ifndef JOBRUNNER_REMEMBER_H
#define JOBRUNNER_REMEMBER_H

#include "core/arena.h"

#define REMEMBER_MAX 20

struct statement {
	const char *content;
	const char *category; /* pattern, preference, outcome or fact */
	const char *tags;     /* a JSON array of texts, or NULL */
	int64_t confidence;   /* thousandths */
};

/* Fills OUT with the statements of RESULT that say nothing that KNOWN, or one before them, says
 * already; returns their number. Of a result that is longer than 1 MiB the beginning is read, and
 * of one with very many statements the first 500 are compared. What OUT holds lives in A. */
size_t remember_statements(struct arena *a, const char *result, const char *const *known,
    size_t n_known, struct statement out[REMEMBER_MAX]);

#endif
