/* Reading files of others' making: stagent-extract in a process with limits (extract_run.c), and
 * the job that extracts the texts of documents (extract.c). */
#ifndef JOBRUNNER_EXTRACT_H
#define JOBRUNNER_EXTRACT_H

#include "core/buf.h"
#include "jobrunner/runner.h"

#define EXTRACT_SECONDS_MAX 60
#define EXTRACT_MEMORY_MAX  ((uint64_t)1 << 30)

/* Runs stagent-extract KIND on the file FD, from its beginning; what it writes goes to SINK as it
 * comes. RC_OK where it succeeded; RC_INVALID with its words, RC_TIMEOUT or RC_TOOLARGE where it
 * failed, which the sink cannot know before; RC_CANCELLED where the job was told to stop. It has
 * EXTRACT_SECONDS_MAX, EXTRACT_MEMORY_MAX, no network, and nothing of our environment. */
enum rc extract_run(
    struct job *j, const char *kind, int fd, buf_sink sink, void *arg, struct err *e);

/* The extractor for a MIME type; NULL where there is none. */
const char *extract_kind(struct arena *a, const char *mime);

#endif
