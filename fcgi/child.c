/* Starting children: fork and exec of the program's own file, so that each is a small, clean
 * process with an address layout of its own, and runs the program that was current at the last
 * reload. */
#include "fcgi/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "fcgi/master.h"

#define FD_FREE 16 /* above the descriptors that children find at fixed places */

extern char **environ;

int program_open(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC), up;

	if (fd < 0)
		return -1;
	up = fcntl(fd, F_DUPFD_CLOEXEC, FD_FREE);
	close(fd);
	return up;
}

/* In the child, between fork and exec. */
static _Noreturn void run(const struct program *p, const char *mode, const char *title,
    int ready_fd)
{
	char own_title[64], **args = calloc((size_t)p->argc + 2, sizeof *args);
	int n = 0, ready = fcntl(ready_fd, F_DUPFD_CLOEXEC, FD_FREE);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (!args || getppid() != p->master)
		_exit(1);
	/* What a terminal sends is for the master to pass on. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &p->mask, NULL);
	if (strcmp(mode, MODE_WORKER) == 0) {
		if (p->listen_fd == CHILD_LISTEN_FD)
			fcntl(p->listen_fd, F_SETFD, 0);
		else
			dup2(p->listen_fd, CHILD_LISTEN_FD);
	}
	dup2(ready, CHILD_READY_FD);
	snprintf(own_title, sizeof own_title, "stagent-fcgi: %s", title);
	args[n++] = own_title;
	args[n++] = (char *)(uintptr_t)mode;
	for (int i = 1; i < p->argc; i++)
		args[n++] = p->argv[i];
	fexecve(p->exe_fd, args, environ);
	log_error("cannot start %s: %s", title, strerror(errno));
	_exit(1);
}

bool child_start(const struct program *p, struct child *c, const char *mode, const char *title)
{
	int ready[2];

	*c = (struct child){ .ready_fd = -1, .started = mono_ms() };
	if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0) {
		log_error("pipe: %s", strerror(errno));
		return false;
	}
	c->pid = fork();
	if (!c->pid)
		run(p, mode, title, ready[1]);
	close(ready[1]);
	if (c->pid < 0) {
		log_error("fork: %s", strerror(errno));
		close(ready[0]);
		c->pid = 0;
		return false;
	}
	c->ready_fd = ready[0];
	log_debug("%s started: %d", title, (int)c->pid);
	return true;
}

void child_forget(struct child *c)
{
	if (c->ready_fd >= 0)
		close(c->ready_fd);
	*c = (struct child){ .ready_fd = -1 };
}

void master_child_ready(void)
{
	static bool said;
	int flags = fcntl(CHILD_READY_FD, F_GETFL);

	/* Only the pipe from child_start is non-blocking and for writing only. */
	if (said || flags < 0 || (flags & (O_ACCMODE | O_NONBLOCK)) != (O_WRONLY | O_NONBLOCK))
		return;
	said = true;
	if (write(CHILD_READY_FD, "!", 1) == 1)
		close(CHILD_READY_FD);
}

/* The protocol of sd_notify(3): a datagram. */
void notify_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (!n || n >= sizeof a.sun_path)
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_warn("cannot notify systemd: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}
