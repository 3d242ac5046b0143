/* YAML as data: one document of maps, lists and scalars, read and written as JSON values. */
#ifndef CORE_YAML_H
#define CORE_YAML_H

#include <jansson.h>
#include "core/arena.h"

#define YAML_SIZE_MAX ((size_t)1 << 20)
#define YAML_DEPTH_MAX 32
#define YAML_VALUES_MAX 10000

/* Limits of the whole language; the size is that of all texts and marks, aliases written out. */
#define YAML_WHOLE_DEPTH_MAX 100
#define YAML_WHOLE_VALUES_MAX 1000000
#define YAML_WHOLE_SIZE_MAX ((size_t)10 << 20)

/* Reads one document into the arena. Plain scalars are those of the core schema of YAML 1.2; dates
 * become {"date":TEXT}, so that they are no texts. Anchors, aliases, tags and repeated keys are
 * refused, and whatever passes the first limits above. NULL with the reason in *WHY. */
json_t *yaml_read(struct arena *a, const char *text, size_t n, const char **why);
/* The same for the whole language within the second limits: anchors, aliases, merge keys, the
 * tags of the core schema and 0b are taken, and JSON with all its escapes. Dates are what
 * yaml_date knows; values that aliases repeat are shared. Where there is no document at all,
 * NULL and *WHY is NULL, too. */
json_t *yaml_read_whole(struct arena *a, const char *text, size_t n, const char **why);
/* The text of a date as it was written; NULL where V is none. */
const char *yaml_date(const json_t *v);

/* V as a document in block style, two blanks a level, keys in their order; texts that readers of
 * YAML 1.1 or 1.2 would take for something else are quoted. In the arena; NULL where V cannot be
 * read back as it is: it passes the limits above, or has dates as yaml_read gives them. */
const char *yaml_write(struct arena *a, const json_t *v);

#endif
