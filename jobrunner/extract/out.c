/* The text under way, and reading files whole. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/text.h"
#include "jobrunner/extract/extract_int.h"

#define PIECE ((size_t)64 << 10)

void out_init(struct out *o, buf_sink sink, void *arg)
{
	*o = (struct out){ .units = 0 };
	buf_init(&o->buf, PIECE);
	buf_set_sink(&o->buf, sink, arg);
}

bool out_end(struct out *o)
{
	bool ok = buf_flush(&o->buf);

	buf_fini(&o->buf);
	return ok;
}

void out_add(struct out *o, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && !o->full) {
		unsigned char c = (unsigned char)s[i];
		size_t units = c >= 0xf0 ? 2 : 1;

		if ((c & 0xc0) != 0x80) {
			if (o->units + units > EXTRACT_UNITS_MAX) {
				o->full = true;
				break;
			}
			o->units += units;
		}
		i++;
	}
	buf_add(&o->buf, s, i);
}

void out_str(struct out *o, const char *s)
{
	out_add(o, s, strlen(s));
}

enum rc extract_read(int fd, size_t max, char **data, size_t *n, struct err *e)
{
	struct buf b;
	char *room;
	ssize_t got = 0;

	buf_init(&b, max);
	while (b.len < max && (room = buf_reserve(&b, max - b.len < PIECE ? max - b.len : PIECE))) {
		got = read(fd, room, max - b.len < PIECE ? max - b.len : PIECE);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		b.len += (size_t)got;
	}
	*data = b.data;
	*n = b.len;
	if (b.failed)
		return err_set(e, RC_TOOLARGE, "Out of memory");
	return got < 0 ? err_set(e, RC_IO, "The file cannot be read: %s", strerror(errno)) : RC_OK;
}
