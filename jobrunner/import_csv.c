/* Reading CSV and TSV. The rules are the interface's own, and no library's: quotes may open
 * anywhere in a field, and close again; line ends inside quotes belong to the text only where the
 * quote opened the field and is closed later; nothing is an error. */
#include "core/text.h"
#include "jobrunner/import.h"

struct reader {
	const char *p, *end;
	char separator;
	struct buf text; /* of the record's fields, one behind the other */
	size_t *ends;    /* where each of them ends */
	struct field_text *fields;
	size_t n, room;
};

/* UTF-16 as UTF-8, with U+FFFD for halves of pairs. */
static void decode_utf16(struct buf *out, const unsigned char *s, size_t n, bool big)
{
	char c[4];

	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t u =
		    big ? (uint32_t)(s[i] << 8 | s[i + 1]) : (uint32_t)(s[i + 1] << 8 | s[i]);
		uint32_t low = 0;

		if (u >= 0xd800 && u < 0xdc00 && i + 3 < n)
			low = big ? (uint32_t)(s[i + 2] << 8 | s[i + 3])
				  : (uint32_t)(s[i + 3] << 8 | s[i + 2]);
		if (low >= 0xdc00 && low < 0xe000) {
			u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		} else if ((u >= 0xd800 && u < 0xe000) || !u) {
			u = 0xfffd;
		}
		buf_add(out, c, text_encode(c, u));
	}
}

/* The document as UTF-8. */
static void decode(struct buf *out, const char *bytes, size_t n)
{
	const unsigned char *u = (const unsigned char *)bytes;

	if (n >= 2 && ((u[0] == 0xff && u[1] == 0xfe) || (u[0] == 0xfe && u[1] == 0xff)))
		decode_utf16(out, u + 2, n - 2, u[0] == 0xfe);
	else
		text_repair(out, bytes, n);
}

/* Behind the line end at P; NULL where there is none. */
static const char *line_end(const struct reader *r, const char *p)
{
	if (*p == '\n')
		return p + 1;
	return *p == '\r' && p + 1 < r->end && p[1] == '\n' ? p + 2 : NULL;
}

static void skip_blank_lines(struct reader *r)
{
	while (r->p < r->end) {
		const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
		const char *s = r->p, *stop = lf ? lf + 1 : r->end;
		size_t n = (size_t)(stop - s);

		text_trim_span(&s, &n);
		if (n)
			return;
		r->p = stop;
	}
}

static void end_field(struct reader *r)
{
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->ends = realloc(r->ends, r->room * sizeof *r->ends);
		r->fields = realloc(r->fields, r->room * sizeof *r->fields);
		if (!r->ends || !r->fields)
			abort();
	}
	r->ends[r->n++] = r->text.len;
}

/* Whether the field has nothing but white space so far. */
static bool at_start(const struct reader *r)
{
	size_t from = r->n ? r->ends[r->n - 1] : 0, n = r->text.len - from;
	const char *s = n ? r->text.data + from : "";

	if (n)
		text_trim_span(&s, &n);
	return !n;
}

/* Reads the record at P; with LINES its quotes may reach over line ends. False where one then never
 * closes. */
static bool take_record(struct reader *r, bool lines)
{
	const char *p = r->p, *next;
	bool quoted = false, across = false, opened = false;

	buf_clear(&r->text);
	r->n = 0;
	for (; p < r->end; p++) {
		next = line_end(r, p);
		if (next && !(quoted && across)) {
			p = next;
			quoted = false;
			break;
		}
		if (quoted && *p == '"' && p + 1 < r->end && p[1] == '"') {
			buf_char(&r->text, *p++);
		} else if (quoted && *p == '"') {
			quoted = false;
		} else if (quoted) {
			buf_char(&r->text, *p);
		} else if (*p == '"') {
			across = lines && !opened && at_start(r);
			quoted = opened = true;
		} else if (*p == r->separator) {
			end_field(r);
			opened = false;
		} else {
			buf_char(&r->text, *p);
		}
	}
	if (quoted && across)
		return false;
	end_field(r);
	r->p = p;
	return true;
}

static bool next_record(struct reader *r)
{
	const char *text;

	skip_blank_lines(r);
	if (r->p >= r->end)
		return false;
	if (!take_record(r, true))
		take_record(r, false);
	text = buf_text(&r->text);
	for (size_t i = 0; i < r->n; i++) {
		struct field_text *f = &r->fields[i];

		f->s = text + (i ? r->ends[i - 1] : 0);
		f->n = (size_t)(text + r->ends[i] - f->s);
		text_trim_span(&f->s, &f->n);
	}
	return true;
}

enum rc import_read_csv(const char *bytes, size_t n, char separator, import_record record,
    void *arg, struct err *e)
{
	struct reader r = { .separator = separator };
	struct buf text;
	size_t records = 0;

	buf_init(&text, 3 * n + 16);
	decode(&text, bytes, n);
	r.p = buf_text(&text);
	r.end = r.p + text.len;
	buf_init(&r.text, text.len + 16);
	while (next_record(&r) && ++records && record(arg, r.fields, r.n))
		;
	buf_fini(&r.text);
	buf_fini(&text);
	free(r.ends);
	free(r.fields);
	return records ? RC_OK : err_set(e, RC_INVALID, "Empty file");
}
