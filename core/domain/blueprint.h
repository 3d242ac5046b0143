/* Blueprints as the interface has them: the list, one of them, the changes to the user's, and
 * the workflows that are made from them. The files are the truth (core/blueprint.h); a change is
 * complete on disk before it is noted in the database. Bodies may be any JSON: a value of the
 * wrong type counts as absent. */
#ifndef CORE_DOMAIN_BLUEPRINT_H
#define CORE_DOMAIN_BLUEPRINT_H

#include "core/blueprint.h"
#include "core/ctx.h"
#include "core/json_out.h"

/* Writes an array of all of them. */
void blueprint_write_list(struct ctx *cx, struct jw *w);
/* Writes one; RC_NOTFOUND where there is none of the id. */
enum rc blueprint_write_one(struct ctx *cx, struct jw *w, const char *id);
void blueprint_write(struct jw *w, const json_t *doc, bool builtin);

/* Stores TEXT as a blueprint of the user; what it says comes back in *DOC (arena). */
enum rc blueprint_create(struct ctx *cx, const char *text, const json_t **doc);
/* Removes the user's blueprint ID. Workflows that were made from it stay. */
enum rc blueprint_remove(struct ctx *cx, const char *id);

/* The place of a file on GitHub: its address without that of GitHub's files, with its escapes
 * and its query. NULL where URL is no such address. */
const char *blueprint_parse_url(struct arena *a, const char *url);

/* Makes a draft workflow from the blueprint ID and a body {variables, projectId}, and writes the
 * answer. */
enum rc blueprint_instantiate(struct ctx *cx, struct jw *w, const char *id, const json_t *in);

#endif
