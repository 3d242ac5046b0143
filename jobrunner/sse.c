/* The parser of server-sent events: bytes into lines, lines into fields, an empty line hands the
 * event over. Buffers that a large event has blown up are given back after it. */
#include "jobrunner/sse.h"

#define FIELD_MAX 16u
#define KEEP_MAX  ((size_t)64 << 10)

void sse_init(struct sse *s, sse_handler handler, void *arg)
{
	*s = (struct sse){ .handler = handler, .arg = arg };
	buf_init(&s->line, SSE_EVENT_MAX + FIELD_MAX);
	buf_init(&s->data, SSE_EVENT_MAX);
}

void sse_fini(struct sse *s)
{
	buf_fini(&s->line);
	buf_fini(&s->data);
}

static void empty(struct buf *b)
{
	if (b->cap > KEEP_MAX)
		buf_fini(b);
	else
		buf_clear(b);
}

void sse_reset(struct sse *s)
{
	empty(&s->line);
	empty(&s->data);
	s->event[0] = '\0';
	s->cr = s->has_data = s->stopped = false;
}

static void dispatch(struct sse *s)
{
	if (s->has_data && !s->handler(s->arg, s->event, buf_text(&s->data), s->data.len))
		s->stopped = true;
	empty(&s->data);
	s->event[0] = '\0';
	s->has_data = false;
}

static void take_field(struct sse *s, const char *name, size_t name_len, const char *value,
    size_t n)
{
	if (name_len == 4 && memcmp(name, "data", 4) == 0) {
		if (s->has_data)
			buf_char(&s->data, '\n');
		buf_add(&s->data, value, n);
		s->has_data = true;
		s->stopped = s->data.failed;
	} else if (name_len == 5 && memcmp(name, "event", 5) == 0) {
		n = n < sizeof s->event ? n : sizeof s->event - 1;
		memcpy(s->event, value, n);
		s->event[n] = '\0';
	}
}

static void take_line(struct sse *s)
{
	const char *line = buf_text(&s->line), *end = line + s->line.len;
	const char *colon = memchr(line, ':', s->line.len), *value;

	if (line == end) {
		dispatch(s);
	} else {
		value = colon ? colon + 1 : end;
		if (value < end && *value == ' ')
			value++;
		take_field(s, line, (size_t)((colon ? colon : end) - line), value,
		    (size_t)(end - value));
	}
	empty(&s->line);
}

/* The first line end from S on, or END. */
static const char *line_end(const char *s, const char *end)
{
	const char *lf = memchr(s, '\n', (size_t)(end - s)), *stop = lf ? lf : end;
	const char *cr = memchr(s, '\r', (size_t)(stop - s));

	return cr ? cr : stop;
}

bool sse_feed(struct sse *s, const char *data, size_t n)
{
	const char *end = data + n, *p;

	while (data < end && !s->stopped) {
		if (s->cr && *data == '\n') {
			s->cr = false;
			data++;
			continue;
		}
		p = line_end(data, end);
		buf_add(&s->line, data, (size_t)(p - data));
		s->stopped = s->line.failed;
		s->cr = p < end && *p == '\r';
		if (p < end && !s->stopped)
			take_line(s);
		data = p < end ? p + 1 : p;
	}
	return !s->stopped;
}
