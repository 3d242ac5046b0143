/* The master process.
 *
 * Slot 0 is the hub, the others are workers. A slot has a current child and, while it is being
 * replaced, the next one; what was replaced leaves by itself and is only watched. Everything is
 * driven by one poll over a signalfd and the pipes on which children say that they are ready. */
#include "fcgi/master.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "fcgi/child.h"
#include "fcgi/listen.h"

#define SLOTS_MAX 257 /* the hub and 256 workers */
#define LEAVING_MAX 512
#define EARLY_MS 1000         /* a child that dies sooner is started again later */
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 5000
#define READY_ASSUMED_MS 1000 /* for children that do not say so */
#define LEAVE_MS 60000        /* for the last request of a replaced child */
#define STOP_HUB_MS 2500      /* the hub stays for the workers that finish */
#define STOP_MS 5000
#define EXIT_NOMEM 83

struct slot {
	struct child now, next;
	int64_t start_at, backoff;
};

enum reload { RELOAD_NONE, RELOAD_MIGRATE, RELOAD_ROLL };

static struct master {
	struct program program;
	char exe_path[4096];
	int signal_fd;
	size_t n_workers;
	struct slot slots[SLOTS_MAX];
	struct {
		pid_t pid;
		int64_t kill_at;
	} leaving[LEAVING_MAX];
	size_t n_leaving;
	enum reload reload;
	bool reload_again;
	size_t reload_at; /* slot that is being replaced */
	size_t reload_workers;
	pid_t migrate_pid;
	int old_exe_fd; /* while reloading, -1 else */
	bool announced, stopping, hub_told, killed;
	int64_t stop_since;
} m;

static const char *name_of(size_t slot)
{
	static char name[32];

	if (!slot)
		return "hub";
	snprintf(name, sizeof name, "worker %zu", slot);
	return name;
}

static void plan_restart(struct slot *s, int64_t lived, bool fine)
{
	if (fine || lived > EARLY_MS) {
		s->backoff = 0;
	} else {
		s->backoff = s->backoff ? 2 * s->backoff : BACKOFF_FIRST_MS;
		if (s->backoff > BACKOFF_MAX_MS)
			s->backoff = BACKOFF_MAX_MS;
	}
	s->start_at = mono_ms() + s->backoff;
}

static void start_slot(size_t i)
{
	struct slot *s = &m.slots[i];

	if (!child_start(&m.program, &s->now, i ? MODE_WORKER : MODE_HUB, name_of(i)))
		plan_restart(s, 0, false);
}

static void log_end(const char *what, pid_t pid, int status)
{
	if (WIFSIGNALED(status))
		log_error("%s (%d) was killed by signal %d", what, (int)pid, WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_NOMEM)
		log_warn("%s (%d) ran out of memory", what, (int)pid);
	else if (WEXITSTATUS(status))
		log_error("%s (%d) ended with status %d", what, (int)pid, WEXITSTATUS(status));
	else
		log_debug("%s (%d) ended", what, (int)pid);
}

/* Reload. */

static void end_reload(const char *why)
{
	int drop = why ? m.program.exe_fd : m.old_exe_fd;

	if (why) {
		log_error("reload given up: %s", why);
		m.program.exe_fd = m.old_exe_fd;
	} else {
		log_info("reload done");
	}
	if (drop >= 0)
		close(drop);
	m.old_exe_fd = -1;
	m.reload = RELOAD_NONE;
}

static size_t workers_wanted(const struct conf *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->pool_workers)
		return (size_t)c->pool_workers;
	return cores > 2 ? (size_t)cores * 2 < SLOTS_MAX ? (size_t)cores * 2 : SLOTS_MAX - 1 : 4;
}

/* Reads everything anew, then lets the new program look after the schema. */
static void begin_reload(void)
{
	struct conf c = { 0 };
	struct child child;
	int next, fd;

	if (m.reload) {
		m.reload_again = true;
		return;
	}
	if (!conf_load(&c, m.program.argc, m.program.argv, &next)) {
		log_error("reload refused: the configuration is wrong");
		return;
	}
	m.reload_workers = workers_wanted(&c);
	fd = program_open(m.exe_path);
	if (fd < 0) {
		log_error("reload refused: cannot open %s: %s", m.exe_path, strerror(errno));
		return;
	}
	log_info("reload");
	m.old_exe_fd = m.program.exe_fd;
	m.program.exe_fd = fd;
	m.reload = RELOAD_MIGRATE;
	if (!child_start(&m.program, &child, MODE_MIGRATE, "migrate")) {
		end_reload("cannot start the migration");
		return;
	}
	m.migrate_pid = child.pid;
	child.pid = 0;
	child_forget(&child);
}

/* A child that was replaced, or is no longer wanted, finishes what it does. */
static void let_go(struct child *c)
{
	if (!c->pid)
		return;
	kill(c->pid, SIGTERM);
	m.leaving[m.n_leaving].pid = c->pid;
	m.leaving[m.n_leaving].kill_at = mono_ms() + LEAVE_MS;
	m.n_leaving++;
	c->pid = 0;
	child_forget(c);
}

static bool is_ready(const struct child *c)
{
	return c->pid && (c->ready || mono_ms() - c->started >= READY_ASSUMED_MS);
}

/* Replaces one slot after the other, the hub last, and fits the number of workers. */
static void step_reload(void)
{
	struct slot *s;

	if (m.reload != RELOAD_ROLL || m.n_leaving > LEAVING_MAX - 2)
		return;
	if (m.reload_at > m.reload_workers || m.reload_at > m.n_workers) {
		while (m.n_workers > m.reload_workers && m.n_leaving < LEAVING_MAX - 2)
			let_go(&m.slots[m.n_workers--].now);
		while (m.n_workers < m.reload_workers)
			start_slot(++m.n_workers);
		m.reload_at = 0;
	}
	s = &m.slots[m.reload_at];
	if (!s->next.pid) {
		if (!child_start(&m.program, &s->next, m.reload_at ? MODE_WORKER : MODE_HUB,
			name_of(m.reload_at)))
			end_reload("cannot start a process");
	} else if (is_ready(&s->next)) {
		let_go(&s->now);
		s->now = s->next;
		s->next = (struct child){ .ready_fd = -1 };
		s->backoff = s->start_at = 0;
		if (m.reload_at)
			m.reload_at++;
		else
			end_reload(NULL);
	}
}

/* What has ended. */

static void child_ended(pid_t pid, int status)
{
	for (size_t i = 0; i <= m.n_workers; i++) {
		struct slot *s = &m.slots[i];

		if (s->next.pid == pid) {
			log_end(name_of(i), pid, status);
			s->next.pid = 0;
			child_forget(&s->next);
			end_reload("a new process ended at once");
			return;
		}
		if (s->now.pid == pid) {
			int64_t lived = mono_ms() - s->now.started;

			if (!m.stopping || WIFSIGNALED(status))
				log_end(name_of(i), pid, status);
			s->now.pid = 0;
			child_forget(&s->now);
			plan_restart(s, lived, WIFEXITED(status) && !WEXITSTATUS(status));
			return;
		}
	}
	for (size_t i = 0; i < m.n_leaving; i++)
		if (m.leaving[i].pid == pid) {
			log_end("a replaced process", pid, status);
			m.leaving[i] = m.leaving[--m.n_leaving];
			return;
		}
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == m.migrate_pid) {
			m.migrate_pid = 0;
			if (status) {
				end_reload("the new program cannot use the database");
				continue;
			}
			m.reload = RELOAD_ROLL;
			m.reload_at = 1;
		} else {
			child_ended(pid, status);
		}
}

/* The end. */

static size_t count_alive(bool hub_too)
{
	size_t n = m.n_leaving + (m.migrate_pid != 0);

	for (size_t i = hub_too ? 0 : 1; i <= m.n_workers; i++)
		n += (size_t)(m.slots[i].now.pid != 0) + (size_t)(m.slots[i].next.pid != 0);
	return n;
}

static void kill_slot(size_t i, int sig)
{
	if (m.slots[i].now.pid)
		kill(m.slots[i].now.pid, sig);
	if (m.slots[i].next.pid)
		kill(m.slots[i].next.pid, sig);
}

static void kill_workers(int sig)
{
	for (size_t i = 1; i <= m.n_workers; i++)
		kill_slot(i, sig);
	for (size_t i = 0; i < m.n_leaving; i++)
		kill(m.leaving[i].pid, sig);
	if (m.migrate_pid)
		kill(m.migrate_pid, sig);
}

static void begin_stop(void)
{
	if (m.stopping)
		return;
	log_info("stopping");
	notify_systemd("STOPPING=1");
	m.stopping = true;
	m.stop_since = mono_ms();
	listen_unlink();
	kill_workers(SIGTERM);
}

static void step_stop(void)
{
	int64_t since = mono_ms() - m.stop_since;

	if (!m.hub_told && (!count_alive(false) || since >= STOP_HUB_MS)) {
		m.hub_told = true;
		kill_slot(0, SIGTERM);
	}
	if (!m.killed && since >= STOP_MS && count_alive(true)) {
		m.killed = true;
		log_error("killing %zu processes that did not stop", count_alive(true));
		kill_workers(SIGKILL);
		kill_slot(0, SIGKILL);
	}
}

/* The loop. */

static void on_signals(void)
{
	struct signalfd_siginfo si;

	while (read(m.signal_fd, &si, sizeof si) == sizeof si)
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			begin_stop();
		else if (si.ssi_signo == SIGHUP && !m.stopping)
			begin_reload();
	reap();
}

static void on_ready(struct child *c)
{
	char byte;

	if (read(c->ready_fd, &byte, 1) == 1)
		c->ready = true;
	close(c->ready_fd);
	c->ready_fd = -1;
}

static void earlier(int64_t *at, int64_t when)
{
	if (when < *at)
		*at = when;
}

/* What is due; returns when the next thing is. */
static int64_t run_due(void)
{
	int64_t now = mono_ms(), at = now + 60000;
	bool all = true;

	if (m.stopping) {
		step_stop();
		return now + 50;
	}
	for (size_t i = 0; i <= m.n_workers; i++) {
		struct slot *s = &m.slots[i];

		if (!s->now.pid && s->start_at <= now)
			start_slot(i);
		if (!s->now.pid)
			earlier(&at, s->start_at);
		all = all && is_ready(&s->now);
	}
	if (all && !m.announced) {
		m.announced = true;
		log_info("ready: %zu workers and the stream hub", m.n_workers);
		notify_systemd("READY=1");
	} else if (!m.announced) {
		earlier(&at, now + 100);
	}
	for (size_t i = 0; i < m.n_leaving; i++) {
		if (m.leaving[i].kill_at <= now) {
			log_warn("killing %d, which does not end", (int)m.leaving[i].pid);
			kill(m.leaving[i].pid, SIGKILL);
			m.leaving[i].kill_at = now + LEAVE_MS;
		}
		earlier(&at, m.leaving[i].kill_at);
	}
	step_reload();
	if (m.reload == RELOAD_ROLL)
		earlier(&at, now + 20);
	if (m.reload_again && !m.reload) {
		m.reload_again = false;
		begin_reload();
	}
	return at;
}

static void wait_for_events(int64_t until)
{
	static struct pollfd p[2 * SLOTS_MAX + 1];
	static struct child *whose[2 * SLOTS_MAX + 1];
	int64_t ms = until - mono_ms();
	nfds_t n = 0;

	p[n++] = (struct pollfd){ .fd = m.signal_fd, .events = POLLIN };
	for (size_t i = 0; i <= m.n_workers; i++) {
		struct child *both[] = { &m.slots[i].now, &m.slots[i].next };

		for (size_t k = 0; k < 2; k++)
			if (both[k]->pid && both[k]->ready_fd >= 0) {
				whose[n] = both[k];
				p[n++] = (struct pollfd){ both[k]->ready_fd, POLLIN, 0 };
			}
	}
	if (poll(p, n, ms < 0 ? 0 : (int)ms) <= 0)
		return;
	for (nfds_t i = 1; i < n; i++)
		if (p[i].revents)
			on_ready(whose[i]);
	if (p[0].revents)
		on_signals();
}

static bool open_signals(void)
{
	static const int SIGNALS[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(SIGNALS); i++)
		sigaddset(&set, SIGNALS[i]);
	sigprocmask(SIG_BLOCK, &set, &m.program.mask);
	m.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return m.signal_fd >= 0;
}

int master_main(const struct conf *conf, int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", m.exe_path, sizeof m.exe_path - 1);

	m.program.master = getpid();
	m.program.argc = argc;
	m.program.argv = argv;
	m.old_exe_fd = -1;
	m.n_workers = workers_wanted(conf);
	m.program.exe_fd = program_open("/proc/self/exe");
	if (n <= 0 || m.program.exe_fd < 0 || !open_signals()) {
		log_error("cannot start: %s", strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < SLOTS_MAX; i++)
		m.slots[i].now.ready_fd = m.slots[i].next.ready_fd = -1;
	m.program.listen_fd = listen_open(conf);
	if (m.program.listen_fd < 0)
		return 1;
	while (!m.stopping || count_alive(true))
		wait_for_events(run_due());
	log_info("stopped");
	return 0;
}
