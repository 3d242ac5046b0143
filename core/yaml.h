/* YAML as data: one document of maps, lists and scalars, read and written as JSON values. */
#ifndef CORE_YAML_H
#define CORE_YAML_H

#include <jansson.h>
#include "core/arena.h"

#define YAML_SIZE_MAX ((size_t)1 << 20)
#define YAML_DEPTH_MAX 32
#define YAML_VALUES_MAX 10000

/* Reads one document into the arena. Plain scalars are those of the core schema of YAML 1.2; dates
 * become {"date":TEXT}, so that they are no texts. Anchors, aliases, tags and repeated keys are
 * refused, and whatever passes the limits above. NULL with the reason in *WHY. */
json_t *yaml_read(struct arena *a, const char *text, size_t n, const char **why);

/* V as a document in block style, two blanks a level, keys in their order; texts that readers of
 * YAML 1.1 or 1.2 would take for something else are quoted. In the arena; NULL where V cannot be read
 * back as it is: it passes the limits above, or has dates as yaml_read gives them. */
const char *yaml_write(struct arena *a, const json_t *v);

#endif
