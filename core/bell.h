/* Doorbells: a datagram socket in the run folder for each process that waits for news. Whoever
 * commits something of interest rings; a lost ring costs one slow poll, never correctness. */
#ifndef CORE_BELL_H
#define CORE_BELL_H

#include "core/core.h"

enum {
	BELL_HUB = 1,    /* log rows, notifications, ended jobs: the stream hub */
	BELL_RUNNER = 2, /* jobs, cancellations, decisions: the job runner's supervisor */
};

/* Where the sockets are; RUN_DIR must stay valid. */
void bell_init(const char *run_dir);
/* Rings every bell of the set; never blocks, never fails. */
void bell_ring(unsigned bells);
/* The listening side of one bell: a non-blocking descriptor, or -1. Replaces a stale socket. */
int bell_open(unsigned bell);
/* Takes all waiting rings off. */
void bell_clear(int fd);

#endif
