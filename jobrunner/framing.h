/* Bytes as they come from a child, as lines. Pure: nothing is read here. A line ends at LF; a CR in
 * front of that goes with it; empty lines are none; what stands behind the last LF is a line once
 * nothing more comes. A line that is too long is told of once, and skipped. */
#ifndef JOBRUNNER_FRAMING_H
#define JOBRUNNER_FRAMING_H

#include "core/buf.h"

#define FRAMING_READ ((size_t)64 << 10) /* bytes that there is always room for */

struct framing {
	size_t max;             /* bytes of a line */
	struct buf b;           /* read, not yet handed out */
	size_t handed, scanned; /* bytes of it that were handed out; searched for a line's end */
	bool skipping;          /* the rest of a line that is too long */
	bool ended;             /* set by the reader: nothing more comes */
};

enum frame {
	FRAME_NONE, /* not before more has come */
	FRAME_LINE, /* *LINE, *N, good until framing_room; never empty */
	FRAME_LONG, /* *LINE, *N are the first bytes of a line that was too long */
};

void framing_init(struct framing *f, size_t max);
void framing_fini(struct framing *f);
/* Where FRAMING_READ bytes can be put, once all lines were taken; NULL where they were not. */
char *framing_room(struct framing *f);
/* N bytes were put there. */
void framing_add(struct framing *f, size_t n);
enum frame framing_next(struct framing *f, const char **line, size_t *n);
/* Forgets everything that was not handed out. */
void framing_drop(struct framing *f);

#endif
