/* For tests of jobs: one that is leased, as its process sees it. */
#ifndef TESTS_UNIT_JOB_CASE_H
#define TESTS_UNIT_JOB_CASE_H

#include "tests/unit/db_case.h"

#include "jobrunner/runner.h"

/* Runs RUN as a fresh job about SUBJECT; what it returns is its exit code. The context has its time
 * back afterwards. */
static inline int run_job(int (*run)(struct job *j), const char *subject, const char *payload)
{
	struct job j = { .cx = &cx, .fence = 1, .attempts = 1, .kind = "test", .subject = subject,
		.payload = payload, .signal_fd = -1 };
	int64_t now = cx.now;
	int code;

	sql("INSERT INTO jobs (kind, subject, state, run_at_ms, fence, created_at_ms) "
	    "VALUES ('test', ?1, 'leased', 0, 1, 0)", subject, NULL);
	j.id = sqlite3_last_insert_rowid(side);
	code = run(&j);
	cx.now = now;
	return code;
}

#endif
