/* Recall: which memories of a profile an agent gets for the work at hand. */
#ifndef JOBRUNNER_RECALL_H
#define JOBRUNNER_RECALL_H

#include "core/ctx.h"

#define RECALL_MAX 10
#define RECALL_UNITS 8000

struct memory {
	const char *id, *category, *content; /* the content cut to RECALL_UNITS */
	int64_t confidence;                  /* thousandths */
	double score;
};

/* The memories of PROFILE that go best with TEXT (title and description of the task), best first;
 * returns their number. They live in CX's arena. Only active ones with some confidence count. */
size_t recall_best(struct ctx *cx, const char *profile, const char *text,
    struct memory out[RECALL_MAX]);
/* Notes that M was given to an agent, inside the caller's transaction. */
void recall_note(struct ctx *cx, const struct memory *m);

#endif
