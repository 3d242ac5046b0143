/* What the adapters of the HTTP runtimes have in common: texts and results in a conversation, and the
 * system text. */
#ifndef JOBRUNNER_RUNTIMES_PARTS_H
#define JOBRUNNER_RUNTIMES_PARTS_H

#include "core/buf.h"
#include "jobrunner/runtime.h"

/* In place of a tool result that had to go. */
#define PART_REMOVED "[removed: the conversation has become too long]"

/* Whether the member KEY is the text VALUE. */
bool part_is(const json_t *object, const char *key, const char *value);
/* TEXT as a value, or a note where it is not UTF-8. New reference. */
json_t *part_text(const char *text);
/* Appends both parts of the system text, with an empty line between them, but for blank ones. */
void part_add_system(struct buf *b, const struct model_call *mc);
/* Replaces the texts of the oldest results in LIST by PART_REMOVED until CONVERSATION, which has them,
 * takes at most MAX bytes. A result is an item whose KEY is VALUE; its text is in MEMBER. */
void part_shrink(const json_t *conversation, json_t *list, size_t max, const char *key,
    const char *value, const char *member);

#endif
