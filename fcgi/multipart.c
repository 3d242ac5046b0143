/* multipart/form-data as a machine of four states. Content is held back only as long as it may be
 * the beginning of a delimiter. */
#include "fcgi/multipart.h"

#include <strings.h>

#include "core/text.h"

#define PADDING_MAX 64u	  /* blanks behind a delimiter */
#define HEADS_MAX   ((size_t)256 << 10) /* bytes of all heads */
#define HOLD	    ((size_t)96 << 10)

enum state { PREAMBLE, HEAD, CONTENT, DONE };

/* What stands at a place where a delimiter may begin. */
enum found { NOTHING, OPENING, CLOSING, TOO_SHORT };

struct multipart {
	struct arena *arena;
	const struct multipart_handler *h;
	void *arg;
	enum state state;
	char mark[MULTIPART_BOUNDARY_MAX + 5]; /* CR LF - - boundary */
	size_t mark_n;
	size_t parts;
	char *hold; /* the bytes at hand */
	size_t n;
	size_t heads;
	bool failed;
};

/* ---- header fields ---- */

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The end of a quoted text that began before S. A quote behind a backslash is a part of it, unless
 * nothing but another parameter follows: names of Windows may end in a backslash. */
static const char *quoted_end(const char *s)
{
	for (; *s; s++) {
		if (*s == '"')
			return s;
		if (s[0] == '\\' && s[1] == '"') {
			const char *next = skip_blanks(s + 2);

			if (!*next || *next == ';')
				return s + 1;
			s++;
		}
	}
	return s;
}

/* The parameter NAME of a header value: its raw text in the arena; NULL where there is none. */
static const char *parameter(struct arena *a, const char *value, const char *name)
{
	const char *s = value + strcspn(value, ";"), *key, *end;
	size_t n;

	while (*s == ';') {
		key = skip_blanks(s + 1);
		n = strcspn(key, "=; \t");
		s = skip_blanks(key + n);
		if (*s != '=') {
			s += strcspn(s, ";");
			continue;
		}
		s = skip_blanks(s + 1);
		if (*s == '"') {
			end = quoted_end(++s);
		} else {
			end = s + strcspn(s, ";");
			while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
		}
		if (n == strlen(name) && strncasecmp(key, name, n) == 0)
			return arena_strndup(a, s, (size_t)(end - s));
		s = end + strcspn(end, ";");
	}
	return NULL;
}

/* Undoes what browsers do to quotes and line ends in names, and what others do to quotes. */
static void unescape(char *s)
{
	static const struct {
		const char *from;
		char to;
	} ESCAPES[] = { { "%22", '"' }, { "%0D", '\r' }, { "%0A", '\n' }, { "\\\"", '"' } };
	char *out = s;

	while (*s) {
		size_t i = 0;

		while (i < COUNT(ESCAPES) &&
		    strncasecmp(s, ESCAPES[i].from, strlen(ESCAPES[i].from)) != 0)
			i++;
		*out++ = i < COUNT(ESCAPES) ? ESCAPES[i].to : *s;
		s += i < COUNT(ESCAPES) ? strlen(ESCAPES[i].from) : 1;
	}
	*out = '\0';
}

static const char *name_of(struct arena *a, const char *disposition, const char *parameter_name)
{
	const char *raw = parameter(a, disposition, parameter_name);
	char *name;

	if (!raw)
		return NULL;
	name = text_repaired(a, raw, strlen(raw));
	unescape(name);
	return name;
}

/* ---- parts ---- */

/* Looks for a delimiter at S, of which LEFT bytes are there; its end in *END. */
static enum found find_delimiter(const struct multipart *m, const char *s, size_t left,
    const char **end)
{
	size_t n = left < m->mark_n ? left : m->mark_n, padding;

	if (memcmp(s, m->mark, n) != 0)
		return NOTHING;
	s += n;
	left -= n;
	if (n < m->mark_n || left < 2)
		return TOO_SHORT;
	if (s[0] == '-' && s[1] == '-')
		return CLOSING;
	for (padding = 0; padding < left && (s[padding] == ' ' || s[padding] == '\t');)
		if (++padding > PADDING_MAX)
			return NOTHING;
	if (left - padding < 2 && (left == padding || s[padding] == '\r'))
		return TOO_SHORT;
	*end = s + padding + 2;
	return left - padding >= 2 && memcmp(s + padding, "\r\n", 2) == 0 ? OPENING : NOTHING;
}

/* The first LEN bytes at hand are done with. */
static void drop(struct multipart *m, size_t len)
{
	memmove(m->hold, m->hold + len, m->n - len);
	m->n -= len;
}

static bool give(struct multipart *m, size_t len)
{
	if (m->state == CONTENT && len && !m->h->data(m->arg, m->hold, len))
		return false;
	drop(m, len);
	return true;
}

/* Hands the content out up to the next delimiter, or as far as it certainly is content. True where
 * there is more to do. */
static bool pass_content(struct multipart *m)
{
	const char *end = NULL;
	size_t at = 0;

	for (;; at++) {
		char *cr = memchr(m->hold + at, '\r', m->n - at);
		enum found f;

		at = cr ? (size_t)(cr - m->hold) : m->n;
		if (!cr)
			break;
		f = find_delimiter(m, cr, m->n - at, &end);
		if (f == NOTHING)
			continue;
		if (f == TOO_SHORT)
			break;
		if (!give(m, at)) {
			m->failed = true;
			return false;
		}
		m->state = f == OPENING ? HEAD : DONE;
		if (f == OPENING)
			drop(m, (size_t)(end - m->hold) - at);
		return true;
	}
	m->failed = !give(m, at);
	return false;
}

static const char *header_value(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':' ? skip_blanks(line + n + 1) : NULL;
}

static void read_header(struct multipart *m, const char *line, struct multipart_part *p)
{
	const char *value = header_value(line, "Content-Disposition");
	char *type;

	if (value) {
		const char *name = name_of(m->arena, value, "name");

		p->name = name ? name : "";
		p->filename = name_of(m->arena, value, "filename");
		return;
	}
	value = header_value(line, "Content-Type");
	if (value && *value) {
		type = text_lower(m->arena, text_repaired(m->arena, value, strlen(value)));
		for (size_t n = strlen(type); n && (type[n - 1] == ' ' || type[n - 1] == '\t');)
			type[--n] = '\0';
		if (*type)
			p->type = type;
	}
}

/* The length of the head at hand, with the empty line that ends it; 0 where it is not whole yet. A
 * part without header fields is that line alone. */
static size_t head_length(const struct multipart *m)
{
	const char *end;

	if (m->n >= 2 && memcmp(m->hold, "\r\n", 2) == 0)
		return 2;
	end = memmem(m->hold, m->n, "\r\n\r\n", 4);
	return end ? (size_t)(end - m->hold) + 4 : 0;
}

/* Takes a part's head, where it is whole. True where there is more to do. */
static bool pass_head(struct multipart *m)
{
	struct multipart_part p = { "", NULL, "text/plain" };
	size_t len = head_length(m);

	m->heads += len;
	m->failed = m->n > MULTIPART_HEAD_MAX && !len;
	m->failed |= len > MULTIPART_HEAD_MAX || m->heads > HEADS_MAX;
	m->failed |= memchr(m->hold, '\0', len) != NULL;
	if (!len || m->failed)
		return false;
	for (size_t at = 0; at + 2 < len;) {
		const char *line = m->hold + at, *end = memmem(line, len - at, "\r\n", 2);

		read_header(m, arena_strndup(m->arena, line, (size_t)(end - line)), &p);
		at = (size_t)(end - m->hold) + 2;
	}
	drop(m, len);
	m->state = CONTENT;
	m->failed = ++m->parts > MULTIPART_PARTS_MAX || !m->h->part(m->arg, &p);
	return !m->failed;
}

/* ---- the whole ---- */

struct multipart *multipart_new(struct arena *a, const char *content_type,
    const struct multipart_handler *h, void *arg)
{
	static const char TYPE[] = "multipart/form-data";
	struct multipart *m;
	const char *boundary;
	size_t n = strlen(TYPE);

	if (strncasecmp(content_type, TYPE, n) != 0 || !strchr("; \t", content_type[n]))
		return NULL;
	boundary = parameter(a, content_type, "boundary");
	if (!boundary || !*boundary || strlen(boundary) > MULTIPART_BOUNDARY_MAX)
		return NULL;
	m = arena_new_of(a, struct multipart);
	*m = (struct multipart){ .arena = a, .h = h, .arg = arg, .hold = arena_alloc(a, HOLD) };
	m->mark_n = (size_t)snprintf(m->mark, sizeof m->mark, "\r\n--%s", boundary);
	/* The beginning of the body counts as one of a line. */
	memcpy(m->hold, "\r\n", 2);
	m->n = 2;
	return m;
}

bool multipart_feed(struct multipart *m, const char *data, size_t n)
{
	bool more;

	while (n && !m->failed && m->state != DONE) {
		size_t piece = n < HOLD - m->n ? n : HOLD - m->n;

		memcpy(m->hold + m->n, data, piece);
		m->n += piece;
		data += piece;
		n -= piece;
		do
			more = m->state == HEAD ? pass_head(m)
			    : m->state == DONE	? false
						: pass_content(m);
		while (more);
	}
	return !m->failed;
}

bool multipart_complete(const struct multipart *m)
{
	return m->state == DONE && !m->failed;
}
