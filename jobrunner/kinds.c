/* THE job table: which kinds of jobs there are, and how each is treated. */
#include "jobrunner/runner.h"

#include "core/queue.h"

#define DAY_S 86400

static const struct job_kind KINDS[] = {
	{ JOB_AGENT_RUN, agent_run, DAY_S, true },
	{ JOB_TASK_ASSIST, task_assist, 330, false },
	{ JOB_SETTINGS_TEST, settings_test, 75, false },
	{ JOB_PRICING_REFRESH, pricing_job, 45, false },
};

const struct job_kind *job_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(KINDS[i].name, name) == 0)
			return &KINDS[i];
	return NULL;
}
