/* The list of HTTP runtimes. */
#include "jobrunner/runtime.h"

static const struct runtime_ops *const RUNTIMES[] = {
	&RUNTIME_ANTHROPIC,
};

const struct runtime_ops *runtime_find(const char *id)
{
	for (size_t i = 0; id && i < COUNT(RUNTIMES); i++)
		if (strcmp(RUNTIMES[i]->id, id) == 0)
			return RUNTIMES[i];
	return NULL;
}
