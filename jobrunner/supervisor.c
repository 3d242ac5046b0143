/* The supervisor: leases jobs, starts a process for each, watches over them.
 *
 * It is single (a lock file), so whatever is leased when it starts belongs to nobody any more. A
 * job's process dies with it (PR_SET_PDEATHSIG) and is fenced besides: its writes carry the fence
 * of its lease. What the supervisor knows is in the database; killing it loses nothing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"
#include "core/migrate.h"
#include "core/text.h"
#include "jobrunner/child.h"
#include "jobrunner/runner.h"
#include "jobrunner/runtime.h"

#define LEASE_MS 60000
#define HEARTBEAT_MS 10000
#define TICK_MS 1000
#define KILL_AFTER_MS 5000
#define STOP_WITHIN_MS 5000
#define BACKOFF_MS 500
#define CHILDREN_MAX 2048
#define STRAY_TERM_MS 400 /* less than BACKOFF_MS: a run that begins again finds nothing of before */
#define STRAY_LOOK_MS 50

struct child {
	pid_t pid;
	int64_t job, fence, started_ms, told_ms, limit_ms;
	const struct job_kind *kind;
	char slot[48];
};

struct supervisor {
	const struct conf *conf;
	struct ctx cx;
	char owner[ID_SIZE];
	char **argv;
	int argc, signal_fd, bell_fd;
	struct child *children;
	size_t n_children;
	bool stopping;
	int64_t strays_ms; /* when a job died that may have left some; 0: none */
	int64_t next_heartbeat;
	struct upkeep upkeep;
};

/* Readies the context for another piece of work; keeps memory flat. */
static struct ctx *fresh(struct supervisor *s)
{
	arena_reset(s->cx.arena);
	ctx_begin(&s->cx, "runner", NULL);
	return &s->cx;
}

static void end_tx(struct ctx *cx, const char *what)
{
	enum rc rc = tx_end(cx, RC_OK);

	if (rc != RC_OK)
		log_error("%s: %s %s", what, rc_name(rc), cx->err.cause);
}

/* In the child: becomes the process of one job. */
static void exec_job(const struct supervisor *s, int64_t job, int64_t fence, pid_t parent)
{
	char id_text[24], fence_text[24];
	char **argv = calloc((size_t)s->argc + 4, sizeof *argv);
	sigset_t mask;
	int n = 0;

	if (!argv)
		_exit(83);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_INTERRUPTED);
	setpgid(0, 0);
	/* A ring that comes before the program is ready for it must not end it. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	snprintf(id_text, sizeof id_text, "%lld", (long long)job);
	snprintf(fence_text, sizeof fence_text, "%lld", (long long)fence);
	for (; n < s->argc; n++)
		argv[n] = s->argv[n];
	argv[n++] = (char[]){ "run" };
	argv[n++] = id_text;
	argv[n] = fence_text;
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void start_child(struct supervisor *s, int64_t job, int64_t fence,
    const struct job_kind *kind, const char *slot)
{
	pid_t parent = getpid(), pid = fork();
	struct child *c;

	if (pid == 0)
		exec_job(s, job, fence, parent);
	if (pid < 0) {
		log_error("cannot start job %lld: %s", (long long)job, strerror(errno));
		return;
	}
	c = &s->children[s->n_children++];
	*c = (struct child){ .pid = pid, .job = job, .fence = fence, .started_ms = mono_ms(),
		.limit_ms = kind->limit_s * 1000, .kind = kind };
	snprintf(c->slot, sizeof c->slot, "%s", slot);
}

/* Whether runs in SLOT, the id of a runtime, are driven by a program. */
static bool is_program(const char *slot)
{
	const struct runtime_ops *ops = runtime_find(slot);

	return ops && ops->program;
}

/* Whether the limits of runs at a time leave room for this one. */
static bool has_room(const struct supervisor *s, const struct job_kind *kind, const char *slot)
{
	int64_t runs = 0, same = 0, programs = 0;
	bool program = is_program(slot);

	if (s->n_children == CHILDREN_MAX)
		return false;
	for (size_t i = 0; kind->one_a_slot && i < s->n_children; i++)
		if (s->children[i].kind->one_a_slot && strcmp(s->children[i].slot, slot) == 0)
			return false;
	if (!kind->counts_as_run)
		return true;
	for (size_t i = 0; i < s->n_children; i++)
		if (s->children[i].kind->counts_as_run) {
			runs++;
			same += strcmp(s->children[i].slot, slot) == 0;
			programs += is_program(s->children[i].slot);
		}
	return runs < s->conf->runs_max && same < s->conf->runs_max_runtime &&
	    (!program || programs < s->conf->runs_max_programs);
}

/* Leases one job for us; its fence, or 0 where somebody else was faster. */
static int64_t lease(struct supervisor *s, int64_t job)
{
	struct ctx *cx = fresh(s);
	int64_t fence;

	if (tx_begin(cx) != RC_OK)
		return 0;
	fence = db_get_int(
	    cx->db, 0, Q_JOB_LEASE, "iti", job, s->owner, now_ms() + LEASE_MS);
	return tx_end(cx, RC_OK) == RC_OK ? fence : 0;
}

struct candidate {
	int64_t id;
	char kind[48], slot[48];
};

static size_t candidates(struct supervisor *s, struct candidate *list, size_t max)
{
	struct ctx *cx = fresh(s);
	struct q *q = db_query(cx->db, Q_JOB_READY, "i", now_ms());
	size_t n = 0;

	while (n < max && db_next(q)) {
		list[n].id = db_int(q, 0);
		snprintf(list[n].kind, sizeof list[n].kind, "%s", db_text(q, 1));
		snprintf(list[n].slot, sizeof list[n].slot, "%s", db_text(q, 2));
		n++;
	}
	db_done(q);
	return n;
}

static void give_up(struct supervisor *s, int64_t job, int64_t fence, const char *why)
{
	struct ctx *cx = fresh(s);

	if (tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_JOB_FINISH, "iititti", job, fence, "failed", (int64_t)500,
	    "{\"error\":\"Internal server error\"}", why, now_ms());
	cx->bells |= BELL_HUB;
	end_tx(cx, why);
}

static void claim(struct supervisor *s)
{
	static struct candidate list[256];
	size_t n = candidates(s, list, COUNT(list));

	for (size_t i = 0; i < n && !s->stopping; i++) {
		const struct job_kind *kind = job_kind_find(list[i].kind);
		int64_t fence;

		if (kind && !has_room(s, kind, list[i].slot))
			continue;
		fence = lease(s, list[i].id);
		if (!fence)
			continue;
		if (kind)
			start_child(s, list[i].id, fence, kind, list[i].slot);
		else
			give_up(s, list[i].id, fence, "unknown kind of job");
	}
}

/* Puts a job back whose process ended without writing an outcome. DIED: what its death weighs, 0
 * where it was told to stop. */
static void put_back(struct supervisor *s, const struct child *c, int64_t died)
{
	struct ctx *cx = fresh(s);
	const char *task = NULL, *run = NULL;
	int64_t attempts = 0;
	struct q *q;

	if (tx_begin(cx) != RC_OK)
		return;
	q = db_query(cx->db, Q_JOB_LOAD, "ii", c->job, c->fence);
	if (db_next(q)) {
		task = db_text_dup(q, 1, cx->arena);
		run = db_text_dup(q, 2, cx->arena);
		attempts = db_int(q, 4);
		db_done(q);
	}
	if (died && run)
		db_run(cx->db, Q_RUN_COUNT_DEATH, "tti", task, run, died);
	if (died && !c->kind->counts_as_run && attempts >= 3)
		db_run(cx->db, Q_JOB_FINISH, "iititti", c->job, c->fence, "failed", (int64_t)500,
		    "{\"error\":\"Internal server error\"}", "the process died", now_ms());
	else
		db_run(cx->db, Q_JOB_RELEASE, "iii", c->job, c->fence,
		    now_ms() + (died ? BACKOFF_MS : 0));
	end_tx(cx, "putting a job back");
}

/* Ends what the processes of jobs that died have left: all that is a child of ours and no job. It is
 * told to end first, since a program writes its session down then. */
static void end_strays(struct supervisor *s)
{
	pid_t keep[CHILDREN_MAX];

	if (!s->strays_ms)
		return;
	for (size_t i = 0; i < s->n_children; i++)
		keep[i] = s->children[i].pid;
	if (!child_tell_strays(keep, s->n_children, SIGTERM)) {
		s->strays_ms = 0;
	} else if (mono_ms() - s->strays_ms > STRAY_TERM_MS) {
		log_info("%zu processes were left by a job, and were ended",
		    child_end_strays(keep, s->n_children));
		s->strays_ms = 0;
	}
}

static int64_t weight(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? DEATH_KILLED : DEATH_CRASHED;
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n_children; i++) {
			struct child c = s->children[i];
			bool told = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_INTERRUPTED;

			if (c.pid != pid)
				continue;
			s->children[i] = s->children[--s->n_children];
			kill(-pid, SIGKILL);
			if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE)
				break;
			s->strays_ms = mono_ms();
			if (!told)
				log_warn("job %lld: its process ended with status 0x%x",
				    (long long)c.job, status);
			put_back(s, &c, told || c.told_ms ? 0 : weight(status));
			break;
		}
}

static void tell(struct child *c)
{
	int64_t now = mono_ms();

	if (!c->told_ms) {
		c->told_ms = now;
		kill(c->pid, SIGTERM);
	} else if (now - c->told_ms > KILL_AFTER_MS) {
		kill(-c->pid, SIGKILL);
	}
}

/* Stops the runs that were cancelled or deleted, other jobs that were cancelled, and what runs for
 * too long. */
static void stop_unwanted(struct supervisor *s)
{
	struct ctx *cx = fresh(s);
	struct q *q = db_query(cx->db, Q_JOB_UNWANTED, "t", s->owner);
	int64_t now = mono_ms();

	while (db_next(q))
		for (size_t i = 0; i < s->n_children; i++)
			if (s->children[i].job == db_int(q, 0))
				tell(&s->children[i]);
	for (size_t i = 0; i < s->n_children; i++) {
		struct child *c = &s->children[i];

		if (!c->kind->counts_as_run &&
		    !db_get_int(cx->db, 0, Q_JOB_HELD, "ii", c->job, c->fence) && !cx->err.rc)
			tell(c);
		if (c->limit_ms && now - c->started_ms > c->limit_ms)
			tell(c);
	}
}

static void heartbeat(struct supervisor *s)
{
	struct ctx *cx = fresh(s);

	if (mono_ms() < s->next_heartbeat)
		return;
	s->next_heartbeat = mono_ms() + HEARTBEAT_MS;
	if (!s->n_children || tx_begin(cx) != RC_OK)
		return;
	db_run(cx->db, Q_JOB_RENEW, "ti", s->owner, now_ms() + LEASE_MS);
	db_run(cx->db, Q_RUN_HEARTBEAT, "it", cx->now, s->owner);
	end_tx(cx, "heartbeat");
}

static void stop_all(struct supervisor *s)
{
	int64_t deadline = mono_ms() + STOP_WITHIN_MS;

	for (size_t i = 0; i < s->n_children; i++) {
		s->children[i].told_ms = mono_ms();
		kill(s->children[i].pid, SIGTERM);
	}
	while (s->n_children && mono_ms() < deadline) {
		reap(s);
		poll(NULL, 0, 20);
	}
	for (size_t i = 0; i < s->n_children; i++)
		kill(-s->children[i].pid, SIGKILL);
	while (s->n_children) {
		reap(s);
		poll(NULL, 0, 5);
	}
}

/* Signals: an end of a child wakes us; a request to stop is remembered. */
static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof si) == sizeof si)
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			s->stopping = true;
}

/* Somebody rang: runs that wait for a decision should look, too. */
static void pass_ring(struct supervisor *s)
{
	bell_clear(s->bell_fd);
	for (size_t i = 0; i < s->n_children; i++)
		kill(s->children[i].pid, SIGUSR1);
}

static void loop(struct supervisor *s)
{
	while (!s->stopping) {
		struct pollfd p[2] = { { s->bell_fd, POLLIN, 0 }, { s->signal_fd, POLLIN, 0 } };

		claim(s);
		poll(p, 2, s->strays_ms ? STRAY_LOOK_MS : TICK_MS);
		take_signals(s);
		reap(s);
		end_strays(s);
		if (p[0].revents)
			pass_ring(s);
		stop_unwanted(s);
		heartbeat(s);
		upkeep_tick(&s->upkeep, s->owner);
	}
}

/* Waits until no other supervisor works on this data folder. */
static bool take_lock(struct supervisor *s)
{
	int fd = open(conf_path(s->conf->data_dir, "runner.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		log_error("cannot open the runner's lock: %s", strerror(errno));
		return false;
	}
	for (bool said = false; flock(fd, LOCK_EX | LOCK_NB) < 0 && !s->stopping; said = true) {
		if (!said)
			log_info("another job runner is at work; waiting for it to end");
		poll(NULL, 0, 250);
		take_signals(s);
	}
	return !s->stopping;
}

static bool watch(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1); /* for the children: blocked from their first instant on */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->signal_fd >= 0;
}

int supervisor_main(const struct conf *conf, int argc, char **argv)
{
	struct db_options o = { conf_path(conf->data_dir, DB_FILE), conf->db_synchronous, false,
		true };
	struct supervisor s = { .conf = conf, .argv = argv, .argc = argc };
	struct err e = { 0 };

	if (!watch(&s) || !take_lock(&s))
		return s.stopping ? 0 : 1;
	s.cx.arena = arena_new(ARENA_REQUEST_MAX);
	s.cx.conf = conf;
	s.children = calloc(CHILDREN_MAX, sizeof *s.children);
	s.bell_fd = bell_open(BELL_RUNNER);
	id_new(s.owner);
	if (!s.children || s.bell_fd < 0 || db_open(&s.cx.db, &o, &e) != RC_OK ||
	    db_check_statements(s.cx.db) != RC_OK) {
		log_error("cannot start: %s", e.cause[0] ? e.cause : strerror(errno));
		return 1;
	}
	child_adopt();
	upkeep_recover(fresh(&s), s.owner);
	s.upkeep.cx = &s.cx;
	log_info("job runner ready, at most %lld runs at a time; %s", (long long)conf->runs_max,
	    db_engine());
	loop(&s);
	stop_all(&s);
	db_checkpoint(s.cx.db, true);
	db_close(s.cx.db);
	arena_free(s.cx.arena);
	free(s.children);
	log_info("job runner stopped");
	return 0;
}
