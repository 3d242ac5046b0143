/* The worker's side of the hub: one connection a process, made when it is first needed and again
 * when the hub was replaced. */
#include "fcgi/hub_int.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#define SEND_TIMEOUT_S 2
#define CONFIRM_MS 250
#define RETRY_FOR_MS 1200 /* a hub that is being replaced is back by then */
#define RETRY_FIRST_MS 5
#define RETRY_MAX_MS 100

static int conn = -1;
static pid_t owner;

static bool connect_to_hub(const char *run_dir)
{
	const struct timeval limit = { .tv_sec = SEND_TIMEOUT_S };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", run_dir, HUB_SOCKET);
	int fd;

	if (conn >= 0 && owner == getpid())
		return true;
	if (n < 0 || (size_t)n >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		int e = errno;

		close(fd);
		errno = e;
		return false;
	}
	conn = fd;
	owner = getpid();
	return true;
}

static bool send_ticket(int fd, const struct hub_ticket *t)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { (void *)(uintptr_t)t, sizeof *t };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	do
		n = sendmsg(conn, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *t;
}

static void disconnect(void)
{
	close(conn);
	conn = -1;
}

/* Answers that were not waited for. */
static void forget_answers(void)
{
	char c[8];

	while (recv(conn, c, sizeof c, MSG_DONTWAIT) > 0)
		;
}

/* Whether the hub has the ticket; it may die while tickets wait in its socket. */
static bool confirmed(int wait_ms)
{
	struct pollfd p = { .fd = conn, .events = POLLIN };
	char c;

	if (!wait_ms)
		return true;
	if (poll(&p, 1, wait_ms) > 0) {
		if (recv(conn, &c, 1, MSG_DONTWAIT) == 1)
			return true;
		errno = EPIPE;
		return false;
	}
	disconnect(); /* what it says later is not mistaken for another answer */
	return true;
}

enum rc hub_pass_once(const char *run_dir, int fd, const struct hub_ticket *t, int wait_ms)
{
	int e;

	if (!connect_to_hub(run_dir))
		return RC_BUSY;
	forget_answers();
	if (send_ticket(fd, t) && confirmed(wait_ms))
		return RC_OK;
	e = errno;
	disconnect();
	errno = e;
	return RC_BUSY;
}

/* Whether the failure is that of a hub which may be there again in a moment. */
static bool passing(int e)
{
	return e == ENOENT || e == ECONNREFUSED || e == EPIPE || e == ECONNRESET || e == ENOTCONN;
}

enum rc hub_pass(const char *run_dir, int fd, const struct hub_ticket *t)
{
	int64_t until = mono_ms() + RETRY_FOR_MS;
	long wait_ms = 0;

	while (hub_pass_once(run_dir, fd, t, CONFIRM_MS) != RC_OK) {
		const struct timespec ts = { .tv_nsec = wait_ms * 1000000 };
		int e = errno;

		if (!passing(e) || mono_ms() > until) {
			log_error("cannot reach the stream hub: %s", strerror(e));
			return RC_BUSY;
		}
		if (wait_ms) /* the first failure is most often a connection to the last hub */
			nanosleep(&ts, NULL);
		wait_ms = wait_ms ? 2 * wait_ms : RETRY_FIRST_MS;
		if (wait_ms > RETRY_MAX_MS)
			wait_ms = RETRY_MAX_MS;
	}
	return RC_OK;
}
