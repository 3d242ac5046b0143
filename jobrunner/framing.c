/* Lines out of bytes. See framing.h. */
#include "jobrunner/framing.h"

#define LONG_HEAD ((size_t)4096)

void framing_init(struct framing *f, size_t max)
{
	*f = (struct framing){ .max = max };
	buf_init(&f->b, max + 2 * FRAMING_READ);
}

void framing_fini(struct framing *f)
{
	buf_fini(&f->b);
}

char *framing_room(struct framing *f)
{
	if (f->handed) {
		buf_consume(&f->b, f->handed);
		f->scanned -= f->handed;
		f->handed = 0;
	}
	return buf_reserve(&f->b, FRAMING_READ);
}

void framing_add(struct framing *f, size_t n)
{
	f->b.len += n;
}

void framing_drop(struct framing *f)
{
	buf_clear(&f->b);
	f->handed = f->scanned = 0;
}

/* Drops what a line that is too long has left; false where its end has not come yet. */
static bool skip(struct framing *f)
{
	const char *from = f->b.data + f->handed;
	const char *end = memchr(from, '\n', f->b.len - f->handed);

	f->handed = end ? (size_t)(end - f->b.data) + 1 : f->b.len;
	f->scanned = f->handed;
	f->skipping = !end;
	return end != NULL;
}

enum frame framing_next(struct framing *f, const char **line, size_t *n)
{
	while (f->b.data && f->handed < f->b.len) {
		char *from = f->b.data + f->handed, *end;

		if (f->skipping) {
			if (!skip(f))
				break;
			continue;
		}
		end = memchr(f->b.data + f->scanned, '\n', f->b.len - f->scanned);
		f->scanned = end ? (size_t)(end - f->b.data) + 1 : f->b.len;
		if (!end && f->ended)
			end = f->b.data + f->b.len;
		*line = from;
		*n = end ? (size_t)(end - from) : f->b.len - f->handed;
		if (*n > f->max) {
			*n = *n < LONG_HEAD ? *n : LONG_HEAD;
			f->skipping = !end;
			f->handed = f->scanned;
			return FRAME_LONG;
		}
		if (!end)
			break;
		f->handed = f->scanned;
		if (*n && from[*n - 1] == '\r')
			--*n;
		if (*n)
			return FRAME_LINE;
	}
	return FRAME_NONE;
}
