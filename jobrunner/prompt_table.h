/* What a prompt says about a table: its columns and a few of its rows, in Markdown. */
#ifndef JOBRUNNER_PROMPT_TABLE_H
#define JOBRUNNER_PROMPT_TABLE_H

#include "core/buf.h"
#include "core/ctx.h"

/* Appends the section of the table ID, which begins with BEFORE and "### Table: " and ends with a
 * line feed. False, and nothing written, where there is no such table or its columns are
 * unreadable. */
bool prompt_add_table(struct ctx *cx, struct buf *b, const char *id, const char *before);

#endif
