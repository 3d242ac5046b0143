/* The stream hub: one process that holds all event streams and all answers that wait for a job.
 *
 * A worker that meets such a request hands its connection over (SCM_RIGHTS on a SOCK_SEQPACKET
 * socket in the run folder) with a struct hub_ticket and is free; the hub then writes the FastCGI
 * records of the response itself. Nothing is kept here that is not in the database: a hub that dies
 * loses open connections only, and clients come back with Last-Event-ID. */
#ifndef FCGI_HUB_H
#define FCGI_HUB_H

#include "core/ctx.h"

#define HUB_SOCKET "hub.sock"
#define HUB_TEXT_MAX 256

enum hub_kind {
	HUB_LOGS,      /* GET /api/logs/stream and GET /api/tasks/{id}/logs */
	HUB_APPROVALS, /* GET /api/notifications/pending-approvals/stream */
	HUB_JOB,       /* an ordinary answer that is the result of a job */
};

struct hub_ticket {
	enum hub_kind kind;
	uint16_t fcgi_id;   /* request id of the FastCGI records */
	bool head;          /* HEAD: headers, then the end */
	bool one_task;      /* HUB_LOGS for one task: ends 10 s after the last row of an ended task */
	bool filter_task, filter_event;
	bool bound;         /* HUB_JOB: the job is cancelled where its client leaves */
	bool settled;       /* HUB_JOB: all is done already: 200 {"ok":true}, however it ends */
	bool is_test;       /* HUB_JOB: a failure is 200 {"connected":false,"error":TEXT} */
	int64_t after;      /* HUB_LOGS: only rows behind this rowid */
	int64_t since_s;    /* HUB_LOGS: only rows of this second or later; 0: all */
	int64_t tail;       /* HUB_LOGS: only the newest N stored rows; 0: all */
	int64_t job;        /* HUB_JOB */
	int64_t timeout_ms; /* HUB_JOB: then 500 with timeout_text */
	char task[HUB_TEXT_MAX], event[HUB_TEXT_MAX], timeout_text[HUB_TEXT_MAX];
};

/* The hub's main function: runs until SIGTERM, then ends every stream with a retry hint. */
int hub_main(const struct conf *conf);

/* Worker side: hands FD (which stays open here) to the hub. RC_BUSY where no hub answers. */
enum rc hub_pass(const char *run_dir, int fd, const struct hub_ticket *t);

#endif
