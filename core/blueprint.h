/* Blueprints: templates of workflows. They are YAML files, one blueprint a file, not rows: those
 * that ship (<share.dir>/blueprints) and the user's (<data.dir>/blueprints), which take the place
 * of shipped ones with the same id. The order is that of the file names, byte by byte, shipped ones
 * first. Of files of one folder with the same id the last counts, in the place of the first. What
 * does not parse or does not validate is passed over with a warning in the log.
 *
 * Other processes and people change the folders at any time, so nothing is served that is older
 * than the files: each look costs the two folders and a stat(2) for each file, and only what has
 * changed is read again. All of it is file work: not inside a transaction. */
#ifndef CORE_BLUEPRINT_H
#define CORE_BLUEPRINT_H

#include <jansson.h>
#include "core/conf.h"
#include "core/shape.h"
#include "core/yaml.h"

#define BLUEPRINT_SIZE_MAX YAML_SIZE_MAX
#define BLUEPRINT_FILES_MAX 2000
#define BLUEPRINT_ID_MAX 100
/* Begins the names of what is being written; nobody reads that as a blueprint. */
#define BLUEPRINT_ASIDE ".stagent-"

struct blueprint {
	const char *id;
	const char *file;  /* its name, without the path */
	bool shipped;      /* it is a built-in one, not the user's */
	const json_t *doc; /* as it is shown, without isBuiltin */
};

/* What is found is borrowed: good until the next call of this module. NULL where there is none. */
const struct blueprint *blueprint_find(const struct conf *c, const char *id);
const struct blueprint *const *blueprint_list(const struct conf *c, size_t *n);

/* The folder of the user's blueprints. */
const char *blueprint_user_root(struct arena *a, const struct conf *c);
/* The names of the user's files that hold the blueprint ID, and <ID>.yaml where it is there and
 * holds no other blueprint; NULL at the end. */
const char *const *blueprint_user_files(const struct conf *c, struct arena *a, const char *id);

/* The blueprint that TEXT is: what a file has of the fields that there are, in their order.
 * NULL, and what the client is told in *WHY. */
const json_t *blueprint_read(struct arena *a, const char *text, size_t n, const char **why);
/* 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit: such a name
 * never leads out of a folder. */
bool blueprint_id_ok(const char *id);

#endif
