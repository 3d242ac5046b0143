/* Output files: the folder outputs/TASK, in which a run writes, and the documents that the files in
 * it become. Of every file that is new or has changed there is a copy a version, below
 * documents/output/TASK; what the agent does to its folder later does not touch it. */
#ifndef JOBRUNNER_OUTPUTS_H
#define JOBRUNNER_OUTPUTS_H

#include "core/domain/task.h"

#define OUTPUT_FILES_MAX 500
#define OUTPUT_FILE_MAX ((int64_t)50 << 20)
#define OUTPUT_LEVELS_MAX 16
#define RESULT_MAX ((size_t)1 << 20)
#define RESULT_FILE "result.md"

/* Makes the run's folder; empties it first where FRESH. *DIR: its absolute path, in CX's arena.
 * RC_INVALID where the id cannot name a folder, RC_FULL, RC_IO. */
enum rc outputs_prepare(struct ctx *cx, const char *task_id, bool fresh, const char **dir);

/* The MIME type of files that are captured, by the ending of NAME; NULL for all others. */
const char *outputs_mime(const char *name);

/* RESULT itself, or, where it is longer than RESULT_MAX, its beginning and a line that says so; the
 * whole of it is then written into the task's folder as RESULT_FILE, so that it becomes a document
 * when that is collected. A file of that name that is there already is renamed, not replaced. */
const char *outputs_keep_result(struct ctx *cx, const char *task_id, const char *result);

struct output_list;

/* Walks the folder and copies what is captured. Outside of any transaction. *OUT: what is to be
 * registered, maybe nothing. *PROBLEM: what was left out and why, or NULL; that is no failure.
 * Fails, with nothing copied and *OUT NULL, only where the database does. */
enum rc outputs_collect(struct ctx *cx, const struct task *t, struct output_list **out,
    const char **problem);
/* Inserts the documents; inside the caller's (final) transaction. A copy whose version number was
 * given away since it was made is renamed; that is all that it does to files. */
void outputs_register(struct ctx *cx, const struct task *t, struct output_list *list);
/* Removes the copies again where that transaction failed. */
void outputs_discard(struct ctx *cx, struct output_list *list);

#endif
