/* Lines in and out. */
#include "mcp/lines.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#define READ_BYTES ((size_t)64 << 10)
#define KEEP_BYTES ((size_t)1 << 20) /* a larger buffer is given back once it is empty */

void lines_in_init(struct lines_in *in, int fd, size_t max)
{
	*in = (struct lines_in){ .fd = fd, .max = max };
	buf_init(&in->b, max + READ_BYTES);
}

void lines_in_fini(struct lines_in *in)
{
	buf_fini(&in->b);
}

void lines_read(struct lines_in *in)
{
	char *room = buf_reserve(&in->b, READ_BYTES);
	ssize_t n;

	if (!room) {
		in->ended = true;
		return;
	}
	n = read(in->fd, room, READ_BYTES);
	if (n > 0)
		in->b.len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		in->ended = true;
}

/* Drops what is in front of the next line. */
static void compact(struct lines_in *in)
{
	size_t max = in->b.max;

	buf_consume(&in->b, in->at);
	in->at = 0;
	in->seen = in->b.len;
	if (!in->b.len && in->b.cap > KEEP_BYTES) {
		buf_fini(&in->b);
		buf_init(&in->b, max);
	}
}

/* Without the end of its line; false where more has to come. */
static bool take(struct lines_in *in, const char **line, size_t *n)
{
	const char *end = in->seen < in->b.len
	    ? memchr(in->b.data + in->seen, '\n', in->b.len - in->seen) : NULL;

	if (!end && !(in->ended && in->at < in->b.len)) {
		compact(in);
		return false;
	}
	*line = in->b.data + in->at;
	*n = end ? (size_t)(end - *line) : in->b.len - in->at;
	in->at += *n + (end ? 1 : 0);
	in->seen = in->at;
	return true;
}

enum line lines_next(struct lines_in *in, const char **line, size_t *n)
{
	while (take(in, line, n)) {
		bool rest = in->skipping;

		in->skipping = false;
		if (!rest)
			return *n > in->max ? LINE_TOO_LONG : LINE_WHOLE;
	}
	if (in->b.len <= in->max && !in->skipping)
		return LINE_NONE;
	in->at = in->b.len;
	compact(in);
	if (in->skipping)
		return LINE_NONE;
	in->skipping = true;
	return LINE_TOO_LONG;
}

void lines_out_init(struct lines_out *out, int fd, size_t max)
{
	*out = (struct lines_out){ .fd = fd };
	buf_init(&out->b, max);
}

void lines_out_fini(struct lines_out *out)
{
	buf_fini(&out->b);
}

void lines_put(struct lines_out *out, const char *line)
{
	buf_str(&out->b, line);
	buf_char(&out->b, '\n');
	out->broken = out->broken || out->b.failed;
}

size_t lines_left(const struct lines_out *out)
{
	return out->broken ? 0 : out->b.len - out->at;
}

/* Whether a write of up to PIPE_BUF bytes would not wait. */
static bool is_ready(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

void lines_write(struct lines_out *out)
{
	while (lines_left(out) && is_ready(out->fd)) {
		size_t n = lines_left(out) < PIPE_BUF ? lines_left(out) : PIPE_BUF;
		ssize_t done = write(out->fd, out->b.data + out->at, n);

		if (done >= 0)
			out->at += (size_t)done;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			out->broken = true;
	}
	if (out->at > KEEP_BYTES || out->at == out->b.len) {
		buf_consume(&out->b, out->at);
		out->at = 0;
	}
}
