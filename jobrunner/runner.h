/* The job runner: a supervisor that leases jobs and watches over them, and one process for each
 * job that runs. */
#ifndef JOBRUNNER_RUNNER_H
#define JOBRUNNER_RUNNER_H

#include "core/ctx.h"
#include "core/domain/schedule.h"
#include "jobrunner/http.h"

/* How a job's process ends. */
enum {
	EXIT_DONE = 0,         /* its outcome is written */
	EXIT_INTERRUPTED = 75, /* told to stop; to be taken up again at once */
};

/* How often a run's process may die in a row without getting anywhere. A crash is likely the run's
 * own fault and the third one is the last; SIGKILL comes from outside, and counts for less. */
enum { DEATHS_MAX = 20, DEATH_CRASHED = 7, DEATH_KILLED = 1 };

/* A job in its own process. */
struct job {
	struct ctx *cx;
	struct http *http;
	int64_t id, fence;
	int attempts;
	const char *kind, *subject, *run_id, *payload; /* NULL where there is none */
	int signal_fd; /* readable: SIGTERM (stop) or SIGUSR1 (look again) */
	bool stopping;
};

/* How long a process may work on a run. */
#ifndef RUN_MAX_S
#define RUN_MAX_S 86400
#endif

struct job_kind {
	const char *name;
	int (*run)(struct job *j); /* returns an EXIT_ code */
	int64_t limit_s;           /* then it is told to stop; 0: none */
	bool counts_as_run;        /* takes one of runs.max, and of the runtime's limit */
	bool one_a_slot;           /* of all such kinds, one at a time for a slot */
};

/* The job table (kinds.c). */
const struct job_kind *job_kind_find(const char *name);

int agent_run(struct job *j);  /* agent.c */
int task_assist(struct job *j); /* assist.c */
int profile_assist(struct job *j); /* profile_assist.c */
int profile_test(struct job *j); /* profile_test.c */
int profile_fetch(struct job *j); /* repo_scan.c */
int blueprint_fetch(struct job *j); /* blueprint.c */
int repo_scan(struct job *j);
int repo_preview(struct job *j); /* repo_preview.c */
int repo_check(struct job *j); /* repo_update.c */
int repo_apply(struct job *j);
int settings_test(struct job *j); /* probe.c */
int pricing_job(struct job *j); /* pricing.c */
int learn_patterns(struct job *j); /* learn.c */
/* The answer of a model as the text of a proposal; NULL where it has no pattern. */
const char *learn_text(struct arena *a, const char *answer);
int learn_condense(struct job *j);
int learn_close(struct job *j);
int remember_result(struct job *j); /* remember.c */
int sweep_result(struct job *j); /* sweep.c */
int table_import(struct job *j); /* import.c */
int table_undo(struct job *j); /* import_store.c */
int workflow_advance(struct job *j); /* workflows/advance.c */
int extract_documents(struct job *j); /* extract.c */
int ollama_list(struct job *j); /* ollama_admin.c */
int ollama_pull(struct job *j);

/* The supervisor's main function: runs until SIGTERM. SELF is the program's path. */
int supervisor_main(const struct conf *conf, int argc, char **argv);
/* The main function of one job's process. */
int job_main(const struct conf *conf, int64_t id, int64_t fence);

/* Writes the outcome of a job for the client that waits: an HTTP status and a JSON body. */
enum rc job_finish(struct job *j, int status, const char *body, const char *error);
/* Takes waiting signals; true when the job should stop. */
bool job_told_to_stop(struct job *j);
/* Waits for a signal or at most MS milliseconds. */
void job_wait(struct job *j, int ms);

/* Upkeep (upkeep.c): what the supervisor does beside jobs. Called about once a second. */
struct upkeep {
	struct ctx *cx;
	int64_t next_checkpoint_ms, next_sweep_ms, next_purge_ms, next_decay_ms,
	    next_schedules_ms, next_handoffs_ms, next_workflows_ms, next_clean_ms;
	struct schedule_pass schedules;
	int64_t clock_ahead_ms; /* of the clock that only grows; 0: not looked at yet */
};
void upkeep_tick(struct upkeep *u, const char *owner);
/* Once, when the supervisor starts and holds its lock. */
void upkeep_recover(struct ctx *cx, const char *owner);

#endif
