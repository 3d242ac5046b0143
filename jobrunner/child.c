/* Child programs: started, read in lines, written to without blocking, ended with all they have
 * started. See child.h. */
#include "jobrunner/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/text.h"
#include "jobrunner/framing.h"

#define QUEUE_SPARE ((size_t)64 << 10)
#define DRAIN_MS  2000 /* after its end: somebody else may hold its pipes */
#define STRAYS_MAX 256
#define ENVIRON_MAX ((size_t)256 << 10)
#define STRAY_ROUNDS 500
#define STRAY_WAIT_MS 2
#define KILL_MS 10000

struct ring {
	char *data;
	size_t at, len; /* of the next byte; bytes kept */
};

struct child {
	pid_t pid;
	int pidfd, in, out, err; /* -1: closed */
	int status;              /* of waitpid; -1 while it runs */
	bool close_in;           /* once the queue is empty */
	struct framing lines;
	struct buf queue;
	size_t sent;             /* bytes of it that were written */
	struct ring said;
	int64_t ended_ms;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The pipes between us, by the number that the child's end gets. */
enum { IN, OUT, ERR, REPORT, SECRET = CHILD_SECRET_FD, PIPES };

/* Gives the child's ends their numbers and closes everything else. */
static bool take_pipes(const struct child_spec *s, int p[PIPES][2])
{
	int n = s->secret ? PIPES : SECRET;

	for (int i = 0; i < n; i++)
		if (dup2(p[i][i == IN || i == SECRET ? 0 : 1], i) != i)
			return false;
	return fcntl(REPORT, F_SETFD, FD_CLOEXEC) == 0 && close_range((unsigned)n, ~0u, 0) == 0;
}

/* In the child: becomes the program. What keeps it from doing so goes to REPORT. */
static void become(const struct child_spec *s, int p[PIPES][2], pid_t parent)
{
	sigset_t none;
	int failed;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (take_pipes(s, p) && chdir(s->cwd) == 0)
		execve(s->program, (char **)(uintptr_t)s->argv, (char **)(uintptr_t)s->env);
	failed = errno;
	if (write(REPORT, &failed, sizeof failed) < 0)
		_exit(126);
	_exit(127);
}

/* Pipes whose ends are far from the numbers that the child needs, so that no dup2 hits one. */
static bool make_pipe(int fd[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC) < 0)
		return false;
	for (int i = 0; i < 2; i++) {
		fd[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
		close(low[i]);
	}
	return fd[0] >= 0 && fd[1] >= 0;
}

static bool no_wait(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* A secret fits into an empty pipe, so this does not wait. */
static bool put_secret(const struct child_spec *s, int fd)
{
	size_t n = s->secret ? strlen(s->secret) : 0;

	if (n > CHILD_SECRET_MAX) {
		errno = E2BIG;
		return false;
	}
	return !n || write(fd, s->secret, n) == (ssize_t)n;
}

struct child *child_start(const struct child_spec *s, struct err *e)
{
	int p[PIPES][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct child *c = calloc(1, sizeof *c);
	pid_t parent = getpid();
	int failed = 0;

	if (!c)
		exit(83);
	*c = (struct child){ .pid = -1, .pidfd = -1, .in = -1, .out = -1, .err = -1, .status = -1 };
	framing_init(&c->lines, CHILD_LINE_MAX);
	buf_init(&c->queue, CHILD_QUEUE_MAX + QUEUE_SPARE);
	for (int i = 0; i < PIPES && !failed; i++)
		if (!make_pipe(p[i]))
			failed = errno;
	if (!failed && !put_secret(s, p[SECRET][1]))
		failed = errno;
	if (!failed && (c->pid = fork()) == 0)
		become(s, p, parent);
	if (!failed && c->pid < 0)
		failed = errno;
	close_fd(&p[SECRET][0]);
	close_fd(&p[SECRET][1]);
	close_fd(&p[IN][0]);
	close_fd(&p[OUT][1]);
	close_fd(&p[ERR][1]);
	close_fd(&p[REPORT][1]);
	if (!failed && read(p[REPORT][0], &failed, sizeof failed) != sizeof failed)
		failed = 0;
	close_fd(&p[REPORT][0]);
	c->in = p[IN][1];
	c->out = p[OUT][0];
	c->err = p[ERR][0];
	if (!failed && !((c->pidfd = pidfd_open(c->pid, 0)) >= 0 && no_wait(c->in) &&
			   no_wait(c->out) && no_wait(c->err)))
		failed = errno;
	if (!failed)
		return c;
	err_set(e, RC_IO, "%s", strerror(failed));
	child_free(c);
	return NULL;
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

/* The fields of /proc/PID/stat behind the name, which may hold anything. */
static const char *stat_fields(char *text, size_t size, pid_t pid)
{
	char path[64], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	at = strrchr(text, ')');
	return at && at[1] == ' ' ? at + 2 : NULL;
}

const char *child_start_time(struct arena *a, pid_t pid)
{
	char text[1024];
	const char *f = stat_fields(text, sizeof text, pid);

	for (int i = 3; f && i < 22; i++)
		f = (f = strchr(f, ' ')) ? f + 1 : NULL;
	return f ? arena_strndup(a, f, strcspn(f, " \n")) : NULL;
}

/* ---- reading ---- */

static void remember(struct ring *r, const char *data, size_t n)
{
	if (!r->data && !(r->data = malloc(CHILD_STDERR_MAX)))
		exit(83);
	for (size_t i = 0; i < n; i++) {
		r->data[r->at] = data[i];
		r->at = (r->at + 1) % CHILD_STDERR_MAX;
	}
	r->len = r->len + n < CHILD_STDERR_MAX ? r->len + n : CHILD_STDERR_MAX;
}

void child_remember(struct child *c, const char *line, size_t n)
{
	remember(&c->said, line, n);
	remember(&c->said, "\n", 1);
}

static void read_err(struct child *c)
{
	char piece[4096];
	ssize_t n = read(c->err, piece, sizeof piece);

	if (n > 0)
		remember(&c->said, piece, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&c->err);
}

static void read_out(struct child *c)
{
	char *room = framing_room(&c->lines);
	ssize_t n = room ? read(c->out, room, FRAMING_READ) : -1;

	if (n > 0)
		framing_add(&c->lines, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		close_fd(&c->out);
}

/* The next whole line of what was read, if there is one. */
static enum child_event take_line(struct child *c, const char **line, size_t *n)
{
	c->lines.ended = c->out < 0;
	switch (framing_next(&c->lines, line, n)) {
	case FRAME_LINE:
		return CHILD_LINE;
	case FRAME_LONG:
		return CHILD_LONG;
	default:
		return CHILD_NOTHING;
	}
}

/* ---- writing ---- */

static void write_in(struct child *c)
{
	while (c->in >= 0 && c->sent < c->queue.len) {
		ssize_t n = write(c->in, c->queue.data + c->sent, c->queue.len - c->sent);

		if (n > 0)
			c->sent += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			close_fd(&c->in);
	}
	if (c->sent == c->queue.len) {
		buf_clear(&c->queue);
		c->sent = 0;
		if (c->close_in)
			close_fd(&c->in);
	} else if (c->sent > c->queue.len / 2) {
		buf_consume(&c->queue, c->sent);
		c->sent = 0;
	}
}

bool child_send(struct child *c, const char *line, size_t n)
{
	if (c->in < 0 || c->close_in || c->queue.len - c->sent + n + 1 > CHILD_QUEUE_MAX)
		return false;
	buf_add(&c->queue, line, n);
	buf_char(&c->queue, '\n');
	if (c->queue.failed)
		return false;
	write_in(c);
	return c->in >= 0;
}

void child_close_input(struct child *c)
{
	c->close_in = true;
	write_in(c);
}

/* ---- waiting ---- */

static void reap(struct child *c)
{
	int status;

	if (c->status < 0 && c->pid > 0 && waitpid(c->pid, &status, WNOHANG) == c->pid) {
		c->status = status;
		c->ended_ms = mono_ms();
		close_fd(&c->in);
	}
}

/* Nothing more will come: it has ended, and its pipes are closed or have been silent too long. */
static bool is_over(const struct child *c)
{
	return c->status >= 0 &&
	    ((c->out < 0 && c->err < 0) || mono_ms() - c->ended_ms > DRAIN_MS);
}

/* One look at everything, at most MS long. Returns whether WAKE_FD is readable. */
static bool look(struct child *c, int wake_fd, int ms)
{
	struct pollfd p[] = {
		{ c->out, POLLIN, 0 },
		{ c->err, POLLIN, 0 },
		{ c->sent < c->queue.len ? c->in : -1, POLLOUT, 0 },
		{ c->status < 0 ? c->pidfd : -1, POLLIN, 0 },
		{ wake_fd, POLLIN, 0 },
	};

	if (c->status >= 0 && ms > 100)
		ms = 100;
	if (poll(p, COUNT(p), ms) <= 0)
		return false;
	if (p[0].revents)
		read_out(c);
	if (p[1].revents)
		read_err(c);
	if (p[2].revents)
		write_in(c);
	if (p[3].revents)
		reap(c);
	return p[4].revents != 0;
}

enum child_event child_next(struct child *c, int wake_fd, int ms, const char **line, size_t *n)
{
	int64_t end = mono_ms() + ms, left;
	enum child_event ev;

	for (;;) {
		ev = take_line(c, line, n);
		if (ev != CHILD_NOTHING)
			return ev;
		if (is_over(c))
			return CHILD_ENDED;
		left = end - mono_ms();
		if (look(c, wake_fd, left > 0 ? (int)left : 0))
			return CHILD_WAKE;
		if (left <= 0)
			return take_line(c, line, n);
	}
}

/* ---- the end ---- */

/* Waits until it has ended, at most MS; what it says is dropped, but for standard error. */
static bool wait_end(struct child *c, int ms)
{
	int64_t end = mono_ms() + ms;

	while (c->status < 0 && mono_ms() < end) {
		look(c, -1, (int)(end - mono_ms()));
		framing_drop(&c->lines);
	}
	return c->status >= 0;
}

void child_end(struct child *c, int close_ms, int term_ms)
{
	if (c->pid <= 0)
		return;
	if (c->status < 0 && close_ms) {
		child_close_input(c);
		wait_end(c, close_ms);
	}
	if (c->status < 0 && term_ms) {
		kill(-c->pid, SIGTERM);
		wait_end(c, term_ms);
	}
	if (c->status < 0) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
		wait_end(c, KILL_MS);
	}
	kill(-c->pid, SIGKILL);
	for (int i = 0; c->err >= 0 && i < 64; i++)
		look(c, -1, 0);
	child_end_strays(NULL, 0);
}

int child_status(const struct child *c)
{
	return c->status;
}

const char *child_status_words(struct arena *a, const struct child *c)
{
	if (c->status < 0)
		return "still running";
	if (WIFSIGNALED(c->status))
		return arena_printf(a, "signal %d (%s)", WTERMSIG(c->status),
		    strsignal(WTERMSIG(c->status)));
	return arena_printf(a, "exit status %d", WEXITSTATUS(c->status));
}

const char *child_stderr(struct arena *a, const struct child *c)
{
	const struct ring *r = &c->said;
	size_t from = (r->at + CHILD_STDERR_MAX - r->len) % CHILD_STDERR_MAX, first;
	char *flat = arena_alloc(a, r->len + 1);

	if (!r->len)
		return "";
	first = CHILD_STDERR_MAX - from < r->len ? CHILD_STDERR_MAX - from : r->len;
	memcpy(flat, r->data + from, first);
	memcpy(flat + first, r->data, r->len - first);
	return text_mask_keys(a, text_as_utf8(a, flat, r->len));
}

/* LINE without the sequences that colour it on a terminal (ESC [ … letter). */
static const char *plain(struct arena *a, const char *line)
{
	char *out = arena_alloc(a, strlen(line) + 1);
	size_t n = 0;

	while (*line) {
		if (line[0] == '\x1b' && line[1] == '[') {
			line += 2 + strspn(line + 2, "0123456789;?");
			line += *line != '\0';
		} else {
			out[n++] = *line++;
		}
	}
	return out;
}

const char *child_last_words(struct arena *a, const struct child *c, size_t max)
{
	const char *text = child_stderr(a, c), *best = "", *at = text;

	while (*at) {
		size_t n = strcspn(at, "\n");
		const char *line = text_trim(a, plain(a, arena_strndup(a, at, n)));

		if (*line)
			best = line;
		at += n + (at[n] == '\n');
	}
	return text_cut(a, best, max);
}

void child_free(struct child *c)
{
	if (!c)
		return;
	child_end(c, 0, 0);
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->err);
	close_fd(&c->pidfd);
	framing_fini(&c->lines);
	buf_fini(&c->queue);
	free(c->said.data);
	free(c);
}

/* ---- what they leave behind ---- */

void child_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool listed(pid_t pid, const pid_t *keep, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (keep[i] == pid)
			return true;
	return false;
}

/* The processes whose parent this one is, but for those of KEEP. */
static size_t list_strays(pid_t *out, size_t max, const pid_t *keep, size_t n_keep)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && n < max && (e = readdir(d))) {
		char text[1024];
		const char *f;
		int64_t pid;

		if (!text_to_int(e->d_name, 1, INT32_MAX, &pid) || listed((pid_t)pid, keep, n_keep))
			continue;
		f = stat_fields(text, sizeof text, (pid_t)pid);
		if (f && strlen(f) > 2 && strtol(f + 2, NULL, 10) == getpid())
			out[n++] = (pid_t)pid;
	}
	if (d)
		closedir(d);
	return n;
}

size_t child_tell_strays(const pid_t *keep, size_t n_keep, int sig)
{
	pid_t list[STRAYS_MAX];
	size_t n = list_strays(list, STRAYS_MAX, keep, n_keep);

	for (size_t i = 0; i < n; i++)
		kill(list[i], sig);
	return n;
}

/* Whether the environment of a process, as far as it may be read, has MARK. */
static bool is_marked(pid_t pid, const char *mark, char *text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (const char *v = text; v < text + n; v += strlen(v) + 1)
		if (strcmp(v, mark) == 0)
			return true;
	return false;
}

size_t child_tell_marked(const char *mark, int sig)
{
	char *text = malloc(ENVIRON_MAX);
	DIR *d = opendir("/proc");
	struct dirent *e;
	size_t n = 0;

	while (d && text && (e = readdir(d))) {
		int64_t pid;

		if (!text_to_int(e->d_name, 2, INT32_MAX, &pid) || pid == getpid() ||
		    !is_marked((pid_t)pid, mark, text, ENVIRON_MAX))
			continue;
		kill((pid_t)pid, sig);
		n++;
	}
	if (d)
		closedir(d);
	free(text);
	return n;
}

/* Killing one may hand its own children to us: again until none is left. */
size_t child_end_strays(const pid_t *keep, size_t n_keep)
{
	pid_t list[STRAYS_MAX];
	size_t met = 0, n;

	for (int round = 0; round < STRAY_ROUNDS; round++) {
		n = list_strays(list, STRAYS_MAX, keep, n_keep);
		if (!n)
			break;
		for (size_t i = 0; i < n; i++)
			kill(list[i], SIGKILL);
		poll(NULL, 0, STRAY_WAIT_MS);
		for (size_t i = 0; i < n; i++)
			met += waitpid(list[i], NULL, WNOHANG) == list[i];
	}
	return met;
}
