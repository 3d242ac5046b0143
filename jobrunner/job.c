/* The process of one job: reads it, does it, writes the outcome. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/migrate.h"
#include "jobrunner/runner.h"

enum rc job_finish(struct job *j, int status, const char *body, const char *error)
{
	struct ctx *cx = j->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_JOB_FINISH, "iititti", j->id, j->fence, "done", (int64_t)status, body,
	    error, now_ms());
	if (!db_changes(cx->db))
		rc = RC_FENCED;
	cx->bells |= BELL_HUB;
	return tx_end(cx, rc);
}

bool job_told_to_stop(struct job *j)
{
	struct signalfd_siginfo si;

	while (read(j->signal_fd, &si, sizeof si) == sizeof si)
		if (si.ssi_signo == SIGTERM)
			j->stopping = true;
	return j->stopping;
}

void job_wait(struct job *j, int ms)
{
	struct pollfd p = { j->signal_fd, POLLIN, 0 };

	if (!j->stopping)
		poll(&p, 1, ms);
}

/* SIGTERM alone is watched by the HTTP client; SIGUSR1 only ends a wait. */
static bool watch(struct job *j, int *stop_fd)
{
	sigset_t stop, both;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	both = stop;
	sigaddset(&both, SIGUSR1);
	sigprocmask(SIG_BLOCK, &both, NULL);
	signal(SIGPIPE, SIG_IGN);
	j->signal_fd = signalfd(-1, &both, SFD_NONBLOCK | SFD_CLOEXEC);
	*stop_fd = signalfd(-1, &stop, SFD_NONBLOCK | SFD_CLOEXEC);
	return j->signal_fd >= 0 && *stop_fd >= 0;
}

static bool load(struct job *j)
{
	struct q *q = db_query(j->cx->db, Q_JOB_LOAD, "ii", j->id, j->fence);

	if (!db_next(q))
		return false;
	j->kind = db_text_dup(q, 0, j->cx->arena);
	j->subject = db_text_dup(q, 1, j->cx->arena);
	j->run_id = db_text_dup(q, 2, j->cx->arena);
	j->payload = db_text_dup(q, 3, j->cx->arena);
	j->attempts = (int)db_int(q, 4);
	db_done(q);
	return true;
}

int job_main(const struct conf *conf, int64_t id, int64_t fence)
{
	struct db_options o = { conf_path(conf->data_dir, DB_FILE), conf->db_synchronous, false,
		true };
	struct ctx cx = { .conf = conf, .arena = arena_new(ARENA_REQUEST_MAX) };
	struct job j = { .cx = &cx, .id = id, .fence = fence };
	const struct job_kind *kind;
	struct err e = { 0 };
	int stop_fd, status = EXIT_DONE;

	prctl(PR_SET_NAME, "stagent-job");
	if (!watch(&j, &stop_fd) || db_open(&cx.db, &o, &e) != RC_OK) {
		log_error("job %lld: %s", (long long)id, e.cause[0] ? e.cause : strerror(errno));
		return 1;
	}
	ctx_begin(&cx, "runner", NULL);
	if (load(&j)) {
		kind = job_kind_find(j.kind);
		j.http = http_new(stop_fd);
		status = kind ? kind->run(&j) : 1;
		http_free(j.http);
	}
	db_close(cx.db);
	arena_free(cx.arena);
	return status;
}
