/* THE job table: which kinds of jobs there are, and how each is treated. */
#include "jobrunner/runner.h"

#include "core/queue.h"

static const struct job_kind KINDS[] = {
	{ JOB_AGENT_RUN, agent_run, RUN_MAX_S, true, false },
	{ JOB_TASK_ASSIST, task_assist, 330, false, false },
	{ JOB_PROFILE_ASSIST, profile_assist, 330, false, false },
	{ JOB_PROFILE_TEST, profile_test, 6 * 3600 + 30, false, false },
	{ JOB_PROFILE_FETCH, profile_fetch, 330, false, false },
	{ JOB_BLUEPRINT_FETCH, blueprint_fetch, 30, false, false },
	{ JOB_REPO_SCAN, repo_scan, 330, false, false },
	{ JOB_REPO_PREVIEW, repo_preview, 330, false, false },
	{ JOB_REPO_CHECK, repo_check, 330, false, false },
	{ JOB_REPO_APPLY, repo_apply, 330, false, false },
	{ JOB_SETTINGS_TEST, settings_test, 75, false, false },
	{ JOB_PRICING_REFRESH, pricing_job, 45, false, false },
	{ JOB_LEARN, learn_patterns, 330, false, true },
	{ JOB_CONDENSE, learn_condense, 330, false, true },
	{ JOB_LEARN_CLOSE, learn_close, 120, false, false },
	{ JOB_REMEMBER, remember_result, 60, false, true },
	{ JOB_SWEEP, sweep_result, 60, false, false },
	{ JOB_TABLE_IMPORT, table_import, 300, false, false },
	{ JOB_TABLE_UNDO, table_undo, 300, false, false },
	{ JOB_WORKFLOW, workflow_advance, 60, false, true },
	{ JOB_EXTRACT, extract_documents, 0, false, true },
	{ JOB_OLLAMA_LIST, ollama_list, 30, false, false },
	{ JOB_OLLAMA_PULL, ollama_pull, 6 * 3600 + 30, false, false },
};

const struct job_kind *job_kind_find(const char *name)
{
	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(KINDS[i].name, name) == 0)
			return &KINDS[i];
	return NULL;
}
