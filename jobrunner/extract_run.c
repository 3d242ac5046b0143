/* stagent-extract as a child. */
#include "jobrunner/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"

#define PROGRAM	     "stagent-extract"
#define BLOCK	     65536
#define MESSAGE_MAX  ((size_t)4 << 10)
#define MESSAGE_UNITS 500
#define OUTPUT_MAX   ((rlim_t)256 << 20)
#define FILES_MAX    64
#define WAIT_MS	     10
#define EXIT_MEMORY  83 /* of an arena that was far beyond its limit */

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

struct run {
	pid_t pid;
	int out, messages; /* ends of pipes; -1 when they are closed */
	int64_t end_ms;
	struct buf message;
};

/* ---- in the child ---- */

#ifndef SANITIZED /* a sanitizer looks around in /proc */
/* Opens PATH and what is below it to the ruleset: to be read and started, not to be written. */
static void allow_reading(int rules, const char *path)
{
	struct landlock_path_beneath_attr a = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
							      LANDLOCK_ACCESS_FS_EXECUTE };
	struct stat st;

	a.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0)
		return;
	if (fstat(a.parent_fd, &st) == 0 && S_ISDIR(st.st_mode))
		a.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	close(a.parent_fd);
}

/* From here on nothing is seen of the file system but programs and libraries, so that a file that
 * takes its reader over finds no other. Where the kernel has no Landlock there is no such promise.
 */
static void forbid_files(const char *program)
{
	static const char *const SEEN[] = { "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache",
		"/etc/alternatives", "/etc/fonts" };
	const struct landlock_ruleset_attr a = { .handled_access_fs =
						     (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof a, 0);

	if (rules < 0)
		return;
	for (size_t i = 0; i < COUNT(SEEN); i++)
		allow_reading(rules, SEEN[i]);
	allow_reading(rules, program);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}
#endif

/* No sockets from here on, of whatever kind; without filters in the kernel there is no such
 * promise. */
static void forbid_network(void)
{
#ifdef ARCHITECTURE
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
	};
	struct sock_fprog filter = { COUNT(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
#endif
}

static bool limit(int what, rlim_t most)
{
	const struct rlimit l = { most, most };

	return setrlimit((__rlimit_resource_t)what, &l) == 0;
}

static bool set_limits(void)
{
#ifndef SANITIZED /* a sanitizer reserves more than anybody has */
	if (!limit(RLIMIT_AS, EXTRACT_MEMORY_MAX))
		return false;
#endif
	return limit(RLIMIT_CPU, EXTRACT_SECONDS_MAX) && limit(RLIMIT_FSIZE, OUTPUT_MAX) &&
	    limit(RLIMIT_NOFILE, FILES_MAX) && limit(RLIMIT_CORE, 0);
}

static void become(
    const char *program, const char *kind, int fd, int out, int messages, pid_t parent)
{
	char *const argv[] = { (char[]){ PROGRAM }, (char *)(uintptr_t)kind, NULL };
	char *const env[] = { (char[]){ "PATH=/usr/local/bin:/usr/bin:/bin" },
		(char[]){ "LC_ALL=C.UTF-8" }, NULL };
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(fd, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(messages, STDERR_FILENO) < 0 || syscall(SYS_close_range, 3, ~0u, 0) < 0 ||
	    chdir("/") < 0 || !set_limits())
		_exit(127);
#ifndef SANITIZED
	forbid_files(program);
#endif
	forbid_network();
	execve(program, argv, env);
	_exit(127);
}

/* ---- in the parent ---- */

/* The program stands beside this one. */
static const char *find_program(struct arena *a)
{
	char self[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n <= 0)
		return PROGRAM;
	self[n] = '\0';
	slash = strrchr(self, '/');
	return arena_printf(a, "%.*s/" PROGRAM, (int)(slash - self), self);
}

static bool start(struct run *r, struct arena *a, const char *kind, int fd)
{
	const char *program = find_program(a);
	int out[2], messages[2];
	pid_t parent = getpid();

	if (pipe2(out, O_CLOEXEC) < 0)
		return false;
	if (pipe2(messages, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return false;
	}
	r->pid = fork();
	if (r->pid == 0)
		become(program, kind, fd, out[1], messages[1], parent);
	close(out[1]);
	close(messages[1]);
	r->out = out[0];
	r->messages = messages[0];
	r->end_ms = mono_ms() + EXTRACT_SECONDS_MAX * 1000;
	return r->pid > 0;
}

/* Hands on what has come on *FD, which is closed at its end. False where the sink refuses. */
static bool take(int *fd, buf_sink sink, void *arg)
{
	static char block[BLOCK];
	ssize_t n = read(*fd, block, sizeof block);

	if (n > 0)
		return sink(arg, block, (size_t)n);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	close(*fd);
	*fd = -1;
	return true;
}

/* Keeps the beginning of what it says; the rest is read and dropped. */
static bool keep_message(void *arg, const char *data, size_t n)
{
	struct buf *b = arg;
	size_t room = b->max - b->len;

	buf_add(b, data, n < room ? n : room);
	return true;
}

/* Reads until there is no more. */
static enum rc listen_to(struct run *r, struct job *j, buf_sink sink, void *arg, struct err *e)
{
	while (r->out >= 0 || r->messages >= 0) {
		struct pollfd p[] = { { r->out, POLLIN, 0 }, { r->messages, POLLIN, 0 },
			{ j->signal_fd, POLLIN, 0 } };
		int64_t left = r->end_ms - mono_ms();

		if (left <= 0)
			return err_set(
			    e, RC_TIMEOUT, "It takes longer than %d s", EXTRACT_SECONDS_MAX);
		poll(p, COUNT(p), (int)left);
		if (p[2].revents && job_told_to_stop(j))
			return err_set(e, RC_CANCELLED, "Stopped");
		if (r->out >= 0 && p[0].revents && !take(&r->out, sink, arg))
			return err_set(e, RC_TOOLARGE, "Its text is too large");
		if (r->messages >= 0 && p[1].revents)
			take(&r->messages, keep_message, &r->message);
	}
	return RC_OK;
}

/* Waits until it has ended; kills it where it goes on. */
static int reap(struct run *r, bool at_once)
{
	int status = 0;

	while (!at_once && mono_ms() < r->end_ms) {
		if (waitpid(r->pid, &status, WNOHANG) == r->pid)
			return status;
		poll(NULL, 0, WAIT_MS);
	}
	kill(-r->pid, SIGKILL);
	kill(r->pid, SIGKILL);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

/* How it ended, in words for the user. */
static enum rc explain(struct run *r, struct arena *a, int status, struct err *e)
{
	const char *words;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return RC_OK;
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		return err_set(e, RC_TIMEOUT, "It takes longer than %d s", EXTRACT_SECONDS_MAX);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_MEMORY)
		return err_set(e, RC_TOOLARGE, "It takes too much memory");
	words = text_trim(a, text_repaired(a, buf_text(&r->message), r->message.len));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && *words)
		return err_set(e, RC_INVALID, "%s", text_cut(a, words, MESSAGE_UNITS));
	log_warn("%s ended with status 0x%x: %s", PROGRAM, status, words);
	return err_set(e, RC_INVALID, "The file cannot be read");
}

enum rc extract_run(
    struct job *j, const char *kind, int fd, buf_sink sink, void *arg, struct err *e)
{
	struct arena *a = j->cx->arena;
	struct run r = { .out = -1, .messages = -1 };
	enum rc rc;
	int status;

	if (lseek(fd, 0, SEEK_SET) < 0 || !start(&r, a, kind, fd))
		return err_set(e, RC_IO, "%s cannot be started: %s", PROGRAM, strerror(errno));
	buf_init(&r.message, MESSAGE_MAX);
	rc = listen_to(&r, j, sink, arg, e);
	status = reap(&r, rc != RC_OK);
	if (rc == RC_OK)
		rc = explain(&r, a, status, e);
	if (r.out >= 0)
		close(r.out);
	if (r.messages >= 0)
		close(r.messages);
	buf_fini(&r.message);
	return rc;
}
