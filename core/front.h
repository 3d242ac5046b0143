/* The front matter of SKILL.md files, as its readers have it. */
#ifndef CORE_FRONT_H
#define CORE_FRONT_H

#include "core/arena.h"

/* The lines between a leading "---" line and the next one, without either; NULL where there is no
 * such block. *REST is then what follows it. */
const char *front_block(struct arena *a, const char *text, const char **rest);
/* The value of the first line "KEY: VALUE" of that block, trimmed, whatever quotes or marks it has;
 * NULL where there is none that is not empty. */
const char *front_line(struct arena *a, const char *text, const char *key);

#endif
