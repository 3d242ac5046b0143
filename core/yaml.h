/* Reading YAML as data: one document of maps, lists and scalars, as JSON values. */
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

#endif
