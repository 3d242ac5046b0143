/* Listening socket and lock. */
#include "fcgi/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"

#define LOCK_FILE "fcgi.lock"
#define LOCK_WAIT_MS 2000 /* a master that was killed may be going just now */
#define BACKLOG 4096
#define SYSTEMD_FD 3

static char *made; /* the socket file, where we made one */
static ino_t made_ino;

bool listen_lock(const struct conf *conf)
{
	const char *path = conf_path(conf->run_dir, LOCK_FILE);
	const struct timespec moment = { .tv_nsec = 50000000 };
	int64_t until = mono_ms() + LOCK_WAIT_MS;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		log_error("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || mono_ms() > until) {
			log_error("another stagent-fcgi runs with this run folder (%s is locked)",
			    path);
			close(fd);
			return false;
		}
		nanosleep(&moment, NULL);
	}
	return true; /* the descriptor stays open on purpose */
}

/* The socket of systemd's socket unit, or -1. */
static int from_systemd(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t p, n;
	bool ours = pid && fds && text_to_int(pid, 1, INT32_MAX, &p) && p == getpid() &&
		    text_to_int(fds, 1, 64, &n);

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return ours ? SYSTEMD_FD : -1;
}

static bool give_to_group(const char *path, const char *group)
{
	const struct group *g;

	if (!*group)
		return true;
	g = getgrnam(group);
	if (!g) {
		log_error("http.socket_group: there is no group \"%s\"", group);
		return false;
	}
	if (chown(path, (uid_t)-1, g->gr_gid) < 0) {
		log_error("cannot give %s to the group %s: %s", path, group, strerror(errno));
		return false;
	}
	return true;
}

/* Binds beside the place and moves the file there. */
static int bind_socket(const struct conf *conf)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = conf->http_socket;
	int fd, n = snprintf(a.sun_path, sizeof a.sun_path, "%s.%d", path, (int)getpid());
	struct stat st;

	if (n < 0 || (size_t)n >= sizeof a.sun_path) {
		log_error("http.socket: the name %s is too long", path);
		return -1;
	}
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode)) {
		log_error("http.socket: %s exists and is no socket", path);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
	    chmod(a.sun_path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
		log_error("cannot listen at %s: %s", path, strerror(errno));
		goto failed;
	}
	if (!give_to_group(a.sun_path, conf->http_socket_group))
		goto failed;
	if (stat(a.sun_path, &st) < 0 || rename(a.sun_path, path) < 0) {
		log_error("cannot move the socket to %s: %s", path, strerror(errno));
		goto failed;
	}
	made = strdup(path);
	made_ino = st.st_ino;
	return fd;
failed:
	unlink(a.sun_path);
	if (fd >= 0)
		close(fd);
	return -1;
}

int listen_open(const struct conf *conf)
{
	int fd = from_systemd(), flags, listens = 0;
	socklen_t n = sizeof listens;

	if (fd < 0)
		return bind_socket(conf);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) < 0 || !listens ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("LISTEN_FDS: descriptor %d is no listening socket", fd);
		return -1;
	}
	return fd;
}

void listen_unlink(void)
{
	struct stat st;

	if (made && stat(made, &st) == 0 && st.st_ino == made_ino)
		unlink(made);
	free(made);
	made = NULL;
}
