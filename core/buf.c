/* Bounded text buffers. */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define CAP_FIRST 512u

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_set_sink(struct buf *b, buf_sink sink, void *arg)
{
	b->sink = sink;
	b->sink_arg = arg;
}

bool buf_flush(struct buf *b)
{
	if (b->failed || !b->sink)
		return !b->failed;
	if (b->len && !b->sink(b->sink_arg, b->data, b->len))
		b->failed = true;
	b->len = 0;
	return !b->failed;
}

/* Makes the allocation at least NEED bytes, which is not above the maximum. */
static bool grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : CAP_FIRST;
	char *data;

	while (cap < need)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (n > b->max - b->len && !(b->sink && buf_flush(b) && n <= b->max)) {
		b->failed = true;
		return NULL;
	}
	if (b->len + n + 1 > b->cap && !grow(b, b->len + n + 1))
		return NULL;
	return b->data + b->len;
}

void buf_add(struct buf *b, const char *data, size_t n)
{
	while (b->sink && n > b->max) {
		buf_add(b, data, b->max);
		data += b->max;
		n -= b->max;
	}
	char *p = buf_reserve(b, n);

	if (p && n) {
		memcpy(p, data, n);
		b->len += n;
	}
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	if (b->len + 1 < b->cap && b->len < b->max && !b->failed)
		b->data[b->len++] = c;
	else
		buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char small[256], *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof small, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof small) {
		buf_add(b, small, (size_t)n);
		return;
	}
	p = buf_reserve(b, (size_t)n);
	if (!p)
		return;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *buf_text(struct buf *b)
{
	if (!b->data || b->failed)
		return "";
	b->data[b->len] = '\0';
	return b->data;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (!n)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}
