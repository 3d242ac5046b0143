/* Lines are told apart by conf.c's rules: blanks around name and value are dropped, "#" begins a
 * comment only as the first character of a line. */
#include "ctl/edit.h"

enum kind { LINE_OTHER, LINE_SETS, LINE_SHOWS /* "#NAME = ..." */ };

struct line {
	const char *at;
	size_t n; /* with its end */
	enum kind kind;
};

static size_t blanks(const char *s, const char *end, const char *which)
{
	size_t n = 0;

	while (s + n < end && s[n] && strchr(which, s[n]))
		n++;
	return n;
}

static enum kind kind_of(const char *s, const char *end, const char *name)
{
	enum kind kind = LINE_SETS;
	size_t n = strlen(name);

	s += blanks(s, end, " \t\r");
	if (s < end && *s == '#') {
		kind = LINE_SHOWS;
		s++;
	}
	if ((size_t)(end - s) <= n || memcmp(s, name, n) != 0)
		return LINE_OTHER;
	s += n;
	s += blanks(s, end, " \t");
	return s < end && *s == '=' ? kind : LINE_OTHER;
}

/* The line of TEXT that begins at POS, or false at its end. */
static bool line_at(struct line *l, const char *text, size_t n, size_t pos, const char *name)
{
	const char *end;

	if (pos >= n)
		return false;
	l->at = text + pos;
	end = memchr(l->at, '\n', n - pos);
	l->n = end ? (size_t)(end + 1 - l->at) : n - pos;
	l->kind = kind_of(l->at, l->at + l->n, name);
	return true;
}

/* The end of a line: "\r\n", "\n", or "" of the last one. */
static const char *end_of(const char *line, size_t n)
{
	if (!n || line[n - 1] != '\n')
		return "";
	return n > 1 && line[n - 2] == '\r' ? "\r\n" : "\n";
}

static void add_option(struct buf *out, const char *name, const char *value, const char *end)
{
	buf_printf(out, "%s =%s%s%s", name, *value ? " " : "", value, end);
}

/* Below what is there already; UNLIKE is where a line without an end takes its kind from. */
static void add_below(struct buf *out, const char *name, const char *value, const char *last,
    const char *unlike)
{
	const char *end = *last ? last : *unlike ? unlike : "\n";

	if (out->len && !*last)
		buf_str(out, end);
	add_option(out, name, value, end);
}

size_t edit_option(struct buf *out, const char *text, size_t n, const char *name,
    const char *value)
{
	const char *sets = NULL, *shows = NULL, *first_end = "", *end;
	size_t found = 0;
	struct line l;

	for (size_t pos = 0; line_at(&l, text, n, pos, name); pos += l.n) {
		if (l.kind == LINE_SETS) {
			sets = l.at;
			found++;
		} else if (l.kind == LINE_SHOWS) {
			shows = l.at;
		}
		if (!pos)
			first_end = end_of(l.at, l.n);
	}
	for (size_t pos = 0; line_at(&l, text, n, pos, name); pos += l.n) {
		end = end_of(l.at, l.n);
		if (l.kind != LINE_SETS)
			buf_add(out, l.at, l.n);
		else if (value && l.at == sets)
			add_option(out, name, value, end);
		if (value && !sets && l.at == shows)
			add_below(out, name, value, end, first_end);
	}
	if (value && !sets && !shows)
		add_below(out, name, value, n ? end_of(text, n) : "\n", first_end);
	return found;
}
