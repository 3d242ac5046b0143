/* Screenshots that an agent's browser tools return: each becomes a document with a thumbnail.
 *
 * The files are written first, outside of any transaction; the row then makes a document of them,
 * and is written together with whatever tells of it. Where that fails, the files are removed. */
#ifndef JOBRUNNER_SCREENSHOT_H
#define JOBRUNNER_SCREENSHOT_H

#include "core/ctx.h"

#define SCREENSHOT_BASE64_MAX ((size_t)20971520) /* characters */

/* What it belongs to; NULL where there is none. */
struct screenshot_owner {
	const char *task_id, *project_id, *conversation_id, *message_id;
};

/* One whose files are there. Lives in the context's arena. */
struct screenshot {
	const char *id;
	const char *path;      /* of the image, a PNG */
	const char *thumbnail; /* its path; NULL: none could be made */
	int64_t size;          /* of the image, in bytes */
	uint32_t width, height;
};

/* Whether the results of TOOL are kept. */
bool screenshot_is_tool(const char *tool);
/* Writes the files of the image, the N characters at BASE64. RC_OK; else nothing is left, and E has
 * the words: RC_INVALID for what is too large, no base64 or no image. */
enum rc screenshot_store(struct ctx *cx, const char *base64, size_t n, struct screenshot *out,
    struct err *e);
/* Inserts its document; inside the caller's transaction. */
void screenshot_register(struct ctx *cx, const struct screenshot *s,
    const struct screenshot_owner *of);
/* Removes the files again, where that transaction failed. */
void screenshot_discard(const struct screenshot *s);
/* What the log tells of it: {"documentId","thumbnailUrl","toolName"}. */
const char *screenshot_payload(struct arena *a, const struct screenshot *s, const char *tool);

#endif
