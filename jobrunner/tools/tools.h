/* The tools that agents get: one table (catalog.c), in the order of requests, served to every
 * runtime. A tool does what the operation of the same purpose does, through the same domain
 * functions and checks. */
#ifndef JOBRUNNER_TOOLS_TOOLS_H
#define JOBRUNNER_TOOLS_TOOLS_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/shape.h"

/* Who calls. */
struct tool_env {
	struct ctx *cx;
	const char *task_id;    /* of the run; NULL in chat */
	const char *project_id; /* default of projectId; or NULL */
	const char *profile_id;
	const char *output_dir; /* of the run; NULL: none */
	const char *workdir;    /* of the run; NULL: the launch folder */
	bool outside;           /* another program's agent: answers no requests, as in a task */
};

enum {
	TOOL_GATED = 1,   /* chat asks for it, too */
	TOOL_FREE = 2,    /* never asks */
	TOOL_FILES = 4,   /* touches files: its outcome is not part of the transaction */
	TOOL_DIRECT = 8,  /* only where the runtime has no tools of its own */
	TOOL_ASKS = 16,   /* only where the runtime has no way of its own to ask the operator */
};

struct tool {
	const char *name, *doc;
	const struct shape *params;
	/* Does it. ARGS are valid by the shape. Success: RC_OK and *OUT a new value. Failure: the
	 * code, with the words for the model in cx->err. Runs inside the caller's transaction
	 * unless TOOL_FILES. */
	enum rc (*fn)(struct tool_env *env, const json_t *args, json_t **out);
	unsigned flags;
};

extern const struct tool TOOLS[];
extern const size_t TOOLS_N;

/* By its bare name or as mcp__stagent__NAME; NULL for an unknown one. */
const struct tool *tool_find(const char *name);
/* Whether the profile's list (may be NULL) names a tool of this catalogue. */
bool tool_restricts(const json_t *allowed);
/* {"name","description","input_schema"} of the tools for a run, in order. ALLOWED (NULL: all) is the
 * profile's list; it restricts the catalogue only where it names one of its tools. WITHOUT: the tools
 * with one of these flags are left out. New reference. */
json_t *tool_definitions(const json_t *allowed, unsigned without);
/* What tool_run would say of ARGS alone: why they do not fit (arena); NULL where they do. */
const char *tool_misfit(struct arena *a, const struct tool *t, const json_t *args);
/* Validates and runs TOOL. *TEXT gets what the model reads (arena): indented JSON, cut at 100,000
 * characters with a note, or {"error":…}. Returns whether it is an error. Clears cx->err. */
bool tool_run(struct tool_env *env, const struct tool *t, const json_t *args, const char **text);
/* {"error":"MESSAGE"} in the arena. */
const char *tool_error_text(struct arena *a, const char *message);

#endif
