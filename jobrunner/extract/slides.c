/* Presentations: the paragraphs of each slide, slides in the order of their numbers. */
#include "core/text.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/xml.h"

#define PARAGRAPH_MAX ((size_t)64 << 20)
#define BEGIN	      "ppt/slides/slide"
#define END	      ".xml"

struct slide {
	int64_t number, part;
};

struct reader {
	struct out *out;
	struct buf paragraph;
	int skipped; /* depth inside of what is left out */
	bool in_text, any_slide, any_paragraph;
};

static void on_open(void *arg, const struct xml_element *el)
{
	struct reader *r = arg;

	/* What readers that know less would show instead. */
	if (r->skipped || xml_is(el, XML_COMPAT, "Fallback"))
		r->skipped++;
	else if (xml_is(el, XML_DRAWING, "p"))
		buf_clear(&r->paragraph);
	else
		r->in_text = xml_is(el, XML_DRAWING, "t");
}

/* Writes the paragraph that has ended, unless it is empty. */
static void end_paragraph(struct reader *r)
{
	if (!r->paragraph.len)
		return;
	if (r->any_paragraph)
		out_str(r->out, " ");
	else if (r->any_slide)
		out_str(r->out, "\n\n");
	r->any_paragraph = r->any_slide = true;
	out_add(r->out, r->paragraph.data, r->paragraph.len);
	buf_clear(&r->paragraph);
}

static void on_close(void *arg, enum xml_ns ns, const char *name)
{
	struct reader *r = arg;

	r->in_text = false;
	if (r->skipped)
		r->skipped--;
	else if (ns == XML_DRAWING && strcmp(name, "p") == 0)
		end_paragraph(r);
}

static void on_text(void *arg, const char *s, size_t n)
{
	struct reader *r = arg;

	if (r->in_text)
		buf_add(&r->paragraph, s, n);
}

/* The number of the slide whose part is called NAME; -1 where it is none. */
static int64_t slide_number(const char *name)
{
	size_t n = strlen(name);
	char digits[20];
	int64_t number;

	if (!text_starts(name, BEGIN) || !text_ends(name, END))
		return -1;
	n -= strlen(BEGIN) + strlen(END);
	if (!n || n >= sizeof digits)
		return -1;
	memcpy(digits, name + strlen(BEGIN), n);
	digits[n] = '\0';
	return text_to_int(digits, 0, INT64_MAX, &number) ? number : -1;
}

static int by_number(const void *a, const void *b)
{
	const struct slide *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static enum rc read_slides(struct pack *p, struct out *o, struct err *e)
{
	struct reader r = { .out = o };
	const struct xml_handler handler = { on_open, on_close, on_text, &o->full };
	struct slide *slides = calloc(pack_parts(p) + 1, sizeof *slides);
	size_t n = 0;
	enum rc rc = slides ? RC_OK : err_set(e, RC_TOOLARGE, "Out of memory");

	for (size_t i = 0; slides && i < pack_parts(p); i++) {
		slides[n] = (struct slide){ slide_number(pack_name(p, i)), (int64_t)i };
		n += slides[n].number >= 0;
	}
	if (n)
		qsort(slides, n, sizeof *slides, by_number);
	buf_init(&r.paragraph, PARAGRAPH_MAX);
	for (size_t i = 0; i < n && rc == RC_OK && !o->full; i++) {
		r.any_paragraph = false;
		rc = xml_parse(p, slides[i].part, &handler, &r, e);
	}
	if (rc == RC_OK && r.paragraph.failed)
		rc = err_set(e, RC_TOOLARGE, "A paragraph is too large");
	buf_fini(&r.paragraph);
	free(slides);
	return rc;
}

enum rc extract_slides(int fd, struct out *o, struct err *e)
{
	struct pack *p = pack_open(fd, NULL, e);
	enum rc rc;

	if (!p)
		return e->rc;
	rc = read_slides(p, o, e);
	pack_close(p);
	return rc;
}
