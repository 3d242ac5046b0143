/* Doorbells. */
#include "core/bell.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const NAMES[] = { "hub.bell", "runner.bell" };

static const char *dir = ".";
static int out_fd = -1;
static pid_t out_pid;

void bell_init(const char *run_dir)
{
	dir = run_dir;
}

static struct sockaddr_un address(size_t i)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", dir, NAMES[i]);
	return a;
}

void bell_ring(unsigned bells)
{
	if (out_fd < 0 || out_pid != getpid()) {
		out_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		out_pid = getpid();
	}
	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (bells & (1u << i)) {
			struct sockaddr_un a = address(i);

			if (sendto(out_fd, "!", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
				(struct sockaddr *)&a, sizeof a) < 0)
				continue;
		}
}

int bell_open(unsigned bell)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	for (size_t i = 0; fd >= 0 && i < COUNT(NAMES); i++)
		if (bell == 1u << i) {
			struct sockaddr_un a = address(i);

			unlink(a.sun_path);
			if (bind(fd, (struct sockaddr *)&a, sizeof a) == 0)
				return fd;
		}
	if (fd >= 0)
		close(fd);
	return -1;
}

void bell_clear(int fd)
{
	char c[64];

	while (recv(fd, c, sizeof c, MSG_DONTWAIT) >= 0)
		;
}
