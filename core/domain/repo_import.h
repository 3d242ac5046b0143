/* Importing profiles from repositories on GitHub: the addresses that are taken, the records, and
 * what a person has confirmed. Whatever needs the network is the job runner's. */
#ifndef CORE_DOMAIN_REPO_IMPORT_H
#define CORE_DOMAIN_REPO_IMPORT_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

/* Skills or updates that one request may name. */
#define REPO_ITEMS_MAX 200

/* A place in a repository, its parts as they are written in the address, with their escapes. BRANCH
 * may be NULL; PATH is "" or a path without slashes at the ends. */
struct repo_place {
	const char *owner, *repo, *branch, *path;
	bool raw; /* it was the address of a file's text */
};

/* Reads the address of a repository, or of a folder or file in it: https://github.com/OWNER/REPO,
 * also with /tree/BRANCH/PATH or /blob/BRANCH/PATH, or
 * https://raw.githubusercontent.com/OWNER/REPO/BRANCH/PATH. False where it is no such address. */
bool repo_parse_url(struct arena *a, const char *url, struct repo_place *out);

void repo_import_write_list(struct ctx *cx, struct jw *w);
/* Creates and replaces the profiles that the body has confirmed, and writes the answer. */
enum rc repo_import_confirm(struct ctx *cx, struct jw *w, const json_t *in);
/* The ids of the profiles that a check for updates is about, with what the body names: an import or
 * a profile. */
enum rc repo_import_check(struct ctx *cx, const json_t *in, const json_t **ids,
    const char **import);
/* Notes that an import was checked now. */
enum rc repo_import_note_check(struct ctx *cx, const char *import);

#endif
