/* The prompt of a task's run. The user part is what the person wrote; the system part is put
 * together from the profile, from what was learned and remembered, and from what is attached to the
 * task. Every part has a limit. Texts that anybody may have written (documents, tables, memories,
 * learned notes) are announced as data and cannot close the marks that enclose them. */
#ifndef JOBRUNNER_PROMPT_H
#define JOBRUNNER_PROMPT_H

#include "core/buf.h"
#include "core/domain/task.h"

struct prompt {
	const char *user;
	const char *system_stable; /* the same for every run of the profile; "" where empty */
	const char *system_rest;   /* of this task; "" where empty */
	bool again;                /* set before: this run was given its memories already */
};

/* Puts the prompt of a run of T together from the database. Everything lives in CX's arena.
 * PROFILE_ID says whose notes and memories count; INSTRUCTIONS are the profile's, resolved; DIRECT:
 * the runtime has no file tools and no current directory, so hints name tools of the catalogue.
 * INSTRUCTIONS, WORKDIR and OUTPUT_DIR may be NULL. The memories that are given count as recalled
 * unless OUT says that they were given before, in a transaction of its own or as a part of the
 * caller's. */
enum rc prompt_build(struct ctx *cx, const struct task *t, const char *profile_id,
    const char *instructions, const char *workdir, const char *output_dir, bool direct,
    struct prompt *out);

/* The documents of a query (columns as in PROMPT_DOCUMENTS) as a block of text between a line that
 * opens it and one that closes it, each with TITLE; cut at 30,000 units. NULL where there are none,
 * or the block cannot be made. In CX's arena. */
const char *prompt_documents_block(struct ctx *cx, struct q *q, const char *title, bool direct);

/* Appends at most UNITS units of S, with blanks in place of line feeds and other control
 * characters: for names and the like in a text whose lines mean something. */
void prompt_add_line(struct buf *b, const char *s, size_t units);

#endif
