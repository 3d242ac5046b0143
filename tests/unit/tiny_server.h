/* An HTTP server of a forked process for tests: it reads one request a connection, notes what came,
 * and lets the test's function answer on the bare socket. It dies with the test. */
#ifndef TESTS_UNIT_TINY_SERVER_H
#define TESTS_UNIT_TINY_SERVER_H

#include "core/core.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"

#define TINY_HITS_MAX 16u
#define TINY_REQUEST_MAX ((size_t)4 << 20)
#define TINY_KEEP 8192u

struct tiny_hit {
	int64_t at_ms;
	char head[1024];
	size_t body_len;
	char body[TINY_KEEP]; /* its beginning */
};

struct tiny {
	pid_t pid;
	int port;
	char url[64];
	struct {
		unsigned hits;
		struct tiny_hit hit[TINY_HITS_MAX];
	} *seen;
};

/* Answers request number HIT (from 0); the connection is closed afterwards. */
typedef void (*tiny_answer)(int fd, const char *path, unsigned hit);

static inline void tiny_write(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t done = send(fd, data, n, MSG_NOSIGNAL);

		if (done <= 0)
			return;
		data += done;
		n -= (size_t)done;
	}
}

static inline void PRINTF(2, 3) tiny_printf(int fd, const char *fmt, ...)
{
	char text[16384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	tiny_write(fd, text, strlen(text));
}

/* A whole answer; HEADERS is empty or lines that end in CRLF. */
static inline void tiny_reply(int fd, int status, const char *headers, const char *body)
{
	tiny_printf(fd, "HTTP/1.1 %d Word\r\n%sContent-Length: %zu\r\n\r\n", status, headers,
	    strlen(body));
	tiny_write(fd, body, strlen(body));
}

/* Keeps the connection open until the client has gone. */
static inline void tiny_hang(int fd)
{
	char c[256];

	while (recv(fd, c, sizeof c, 0) > 0)
		;
}

static inline void tiny_serve_one(struct tiny *t, int fd, tiny_answer answer)
{
	char *text = malloc(TINY_REQUEST_MAX + 1), *body = NULL, *p, path[256] = "";
	size_t n = 0, want = 0;
	unsigned hit = t->seen->hits;
	struct tiny_hit *seen = &t->seen->hit[hit];

	while (!body || n < want) {
		ssize_t got = recv(fd, text + n, TINY_REQUEST_MAX - n, 0);

		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = '\0';
		if (!body && (body = strstr(text, "\r\n\r\n"))) {
			body += 4;
			p = strcasestr(text, "\r\ncontent-length:");
			want = (size_t)(body - text) + (p ? strtoul(p + 17, NULL, 10) : 0);
		}
	}
	if (body && hit < TINY_HITS_MAX) {
		seen->at_ms = mono_ms();
		seen->body_len = n - (size_t)(body - text);
		snprintf(seen->head, sizeof seen->head, "%.*s", (int)(body - text), text);
		snprintf(seen->body, sizeof seen->body, "%s", body);
		t->seen->hits++;
		sscanf(text, "%*s %255s", path);
		answer(fd, path, hit);
	}
	free(text);
}

static inline void tiny_start(struct tiny *t, tiny_answer answer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), client;
	pid_t parent = getpid();

	t->seen = mmap(NULL, sizeof *t->seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0 || (void *)t->seen == MAP_FAILED)
		abort();
	t->port = ntohs(a.sin_port);
	snprintf(t->url, sizeof t->url, "http://127.0.0.1:%d", t->port);
	t->pid = fork();
	if (t->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent && (client = accept(fd, NULL, NULL)) >= 0) {
			tiny_serve_one(t, client, answer);
			close(client);
		}
		_exit(0);
	}
	close(fd);
}

static inline void tiny_stop(struct tiny *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	munmap(t->seen, sizeof *t->seen);
}

#endif
