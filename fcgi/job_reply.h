/* Answers that are the result of a job: the job is put into the queue, and the hub keeps the
 * connection until it has ended. */
#ifndef FCGI_JOB_REPLY_H
#define FCGI_JOB_REPLY_H

#include "core/queue.h"
#include "fcgi/request.h"

/* Longer than any time that the setting gives one question to a model. */
#define ASSIST_TIMEOUT_MS 330000
#define ASSIST_TIMEOUT_TEXT \
	"Request timed out. You can increase the timeout in Settings \xe2\x86\x92 Runtime."

struct job_reply {
	const char *kind, *subject, *payload;
	const char *activity; /* of the budget guard; NULL: no model is asked */
	const char *runtime;  /* that it is asked on */
	const char *audit;    /* name of the operation, or NULL */
	int64_t timeout_ms;
	const char *timeout_text;
};

/* RC_LIMIT, and its words, where the spend caps leave no room. */
enum rc reply_with_job(struct request *rq, const struct job_reply *jr);

#endif
