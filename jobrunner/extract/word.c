/* Texts of word processors (.docx): a walk over the body. What has no place in the tables below is
 * left out with all that is in it. */
#include "core/text.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/symbols.h"
#include "jobrunner/extract/xml.h"

#define BOXES_MAX  ((size_t)32 << 20) /* bytes of the text boxes of one paragraph */
#define LEVELS_MAX (XML_DEPTH_MAX + 1)

/* What an element is to us. */
enum kind {
	SKIP,
	DOCUMENT,
	BODY,
	THROUGH, /* only its content counts */
	PARAGRAPH,
	PARAGRAPH_PROPERTIES,
	MARK_PROPERTIES, /* of a paragraph's mark */
	ROW,
	ROW_PROPERTIES,
	CELL,
	CELL_PROPERTIES,
	CONTROL, /* sdt */
	CONTROL_PROPERTIES,
	CONTROL_CONTENT,
	TEXT,
	PICTURE,
	CHOICES, /* mc:AlternateContent */
	/* Without content that counts. */
	TAB,
	BREAK,
	HYPHEN,
	SOFT_HYPHEN,
	SYMBOL,
	DELETED, /* in properties */
	MERGE,
	CHECK_BOX,
};

struct level {
	enum kind kind;
	bool dropped; /* of paragraphs: the mark; of rows and cells: all; of controls: the content */
	struct buf boxes; /* of a paragraph: the texts of its text boxes */
	bool has_boxes;
};

struct walk {
	struct out *out;
	struct level levels[LEVELS_MAX];
	size_t depth, skipped;
	struct buf *boxes[LEVELS_MAX]; /* those that are being read, innermost last */
	size_t n_boxes;
	bool has_body, failed;
};

static const struct {
	enum xml_ns ns;
	const char *name;
	enum kind kind;
} CONTENT[] = {
	{ XML_WORD, "p", PARAGRAPH },
	{ XML_WORD, "r", THROUGH },
	{ XML_WORD, "t", TEXT },
	{ XML_WORD, "tab", TAB },
	{ XML_WORD, "br", BREAK },
	{ XML_WORD, "cr", BREAK },
	{ XML_WORD, "noBreakHyphen", HYPHEN },
	{ XML_WORD, "softHyphen", SOFT_HYPHEN },
	{ XML_WORD, "sym", SYMBOL },
	{ XML_WORD, "pPr", PARAGRAPH_PROPERTIES },
	{ XML_WORD, "trPr", ROW_PROPERTIES },
	{ XML_WORD, "tcPr", CELL_PROPERTIES },
	{ XML_WORD, "tbl", THROUGH },
	{ XML_WORD, "tr", ROW },
	{ XML_WORD, "tc", CELL },
	{ XML_WORD, "sdt", CONTROL },
	{ XML_WORD, "hyperlink", THROUGH },
	{ XML_WORD, "ins", THROUGH },
	{ XML_WORD, "moveTo", THROUGH },
	{ XML_WORD, "smartTag", THROUGH },
	{ XML_WORD, "customXml", THROUGH },
	{ XML_WORD, "fldSimple", THROUGH },
	{ XML_WORD, "object", THROUGH },
	{ XML_WORD, "pict", PICTURE },
	{ XML_WORD, "txbxContent", THROUGH },
	{ XML_VML, "group", THROUGH },
	{ XML_VML, "rect", THROUGH },
	{ XML_VML, "roundrect", THROUGH },
	{ XML_VML, "shape", THROUGH },
	{ XML_VML, "textbox", THROUGH },
	{ XML_COMPAT, "AlternateContent", CHOICES },
};

static const struct level *top(const struct walk *w)
{
	return &w->levels[w->depth - 1];
}

/* The innermost level of the KIND that is open; NULL. */
static struct level *innermost(struct walk *w, enum kind kind)
{
	for (size_t i = w->depth; i-- > 0;)
		if (w->levels[i].kind == kind)
			return &w->levels[i];
	return NULL;
}

static void add(struct walk *w, const char *s, size_t n)
{
	if (w->n_boxes)
		buf_add(w->boxes[w->n_boxes - 1], s, n);
	else
		out_add(w->out, s, n);
}

static void add_text(struct walk *w, const char *s)
{
	add(w, s, strlen(s));
}

/* ---- what an element is ---- */

static enum kind content_kind(const struct xml_element *el)
{
	for (size_t i = 0; i < COUNT(CONTENT); i++)
		if (xml_is(el, CONTENT[i].ns, CONTENT[i].name))
			return CONTENT[i].kind;
	return SKIP;
}

/* In the properties of kind IN. */
static enum kind property_kind(enum kind in, const struct xml_element *el)
{
	switch (in) {
	case PARAGRAPH_PROPERTIES:
		return xml_is(el, XML_WORD, "rPr") ? MARK_PROPERTIES : SKIP;
	case MARK_PROPERTIES:
	case ROW_PROPERTIES:
		return xml_is(el, XML_WORD, "del") ? DELETED : SKIP;
	case CELL_PROPERTIES:
		return xml_is(el, XML_WORD, "vMerge") ? MERGE : SKIP;
	default: /* w14:checkbox is of a later namespace */
		return strcmp(el->name, "checkbox") == 0 ? CHECK_BOX : SKIP;
	}
}

static enum kind kind_of(struct walk *w, const struct xml_element *el)
{
	const struct level *in = w->depth ? top(w) : NULL;

	if (!in)
		return xml_is(el, XML_WORD, "document") ? DOCUMENT : SKIP;
	switch (in->kind) {
	case DOCUMENT:
		return xml_is(el, XML_WORD, "body") ? BODY : SKIP;
	case PARAGRAPH_PROPERTIES:
	case MARK_PROPERTIES:
	case ROW_PROPERTIES:
	case CELL_PROPERTIES:
	case CONTROL_PROPERTIES:
		return property_kind(in->kind, el);
	case CONTROL:
		return xml_is(el, XML_WORD, "sdtPr")		    ? CONTROL_PROPERTIES
		    : xml_is(el, XML_WORD, "sdtContent") && !in->dropped ? CONTROL_CONTENT
									 : SKIP;
	case CHOICES:
		return xml_is(el, XML_COMPAT, "Fallback") ? THROUGH : SKIP;
	case ROW:
	case CELL:
		return in->dropped ? SKIP : content_kind(el);
	case BODY:
	case THROUGH:
	case PARAGRAPH:
	case CONTROL_CONTENT:
	case PICTURE:
		return content_kind(el);
	default:
		return SKIP;
	}
}

/* ---- what it does ---- */

/* A break of a page or a column is none of the text. */
static void add_break(struct walk *w, const struct xml_element *el)
{
	char type[32];

	xml_attribute_text(el, XML_WORD, "type", type, sizeof type);
	if (!*type || strcmp(type, "textWrapping") == 0)
		add_text(w, "\n");
}

static void add_symbol(struct walk *w, const struct xml_element *el)
{
	char font[64], code[16], utf8[4];
	uint32_t c;

	xml_attribute_text(el, XML_WORD, "font", font, sizeof font);
	xml_attribute_text(el, XML_WORD, "char", code, sizeof code);
	c = symbol_character(font, code);
	if (c)
		add(w, utf8, text_encode(utf8, c));
}

/* A cell that continues the one above it has no text of its own. */
static void note_merge(struct walk *w, const struct xml_element *el)
{
	struct level *cell = innermost(w, CELL);
	char how[16];

	xml_attribute_text(el, XML_WORD, "val", how, sizeof how);
	if (cell && strcmp(how, "restart") != 0)
		cell->dropped = true;
}

static void note_deleted(struct walk *w)
{
	struct level *of = innermost(w, top(w)->kind == MARK_PROPERTIES ? PARAGRAPH : ROW);

	if (of)
		of->dropped = true;
}

/* From here on the text belongs behind the paragraph that holds the picture. */
static void begin_picture(struct walk *w)
{
	struct level *paragraph = innermost(w, PARAGRAPH);

	if (!paragraph)
		return;
	if (!paragraph->has_boxes)
		buf_init(&paragraph->boxes, BOXES_MAX);
	paragraph->has_boxes = true;
	w->boxes[w->n_boxes++] = &paragraph->boxes;
}

static void end_picture(struct walk *w)
{
	if (w->n_boxes && innermost(w, PARAGRAPH))
		w->n_boxes--;
}

static void end_paragraph(struct walk *w, struct level *l)
{
	if (!l->dropped)
		add_text(w, "\n\n");
	if (!l->has_boxes)
		return;
	w->failed |= l->boxes.failed;
	add(w, buf_text(&l->boxes), l->boxes.len);
	buf_fini(&l->boxes);
}

static void begin(struct walk *w, enum kind kind, const struct xml_element *el)
{
	switch (kind) {
	case BODY:
		w->has_body = true;
		break;
	case TAB:
		add_text(w, "\t");
		break;
	case BREAK:
		add_break(w, el);
		break;
	case HYPHEN:
		add_text(w, "\xe2\x80\x91");
		break;
	case SOFT_HYPHEN:
		add_text(w, "\xc2\xad");
		break;
	case SYMBOL:
		add_symbol(w, el);
		break;
	case DELETED:
		note_deleted(w);
		break;
	case MERGE:
		note_merge(w, el);
		break;
	case CHECK_BOX:
		innermost(w, CONTROL)->dropped = true;
		break;
	case PICTURE:
		begin_picture(w);
		break;
	default:
		break;
	}
}

static void on_open(void *arg, const struct xml_element *el)
{
	struct walk *w = arg;
	enum kind kind = w->skipped ? SKIP : kind_of(w, el);

	if (kind == SKIP) {
		w->skipped++;
		return;
	}
	begin(w, kind, el);
	w->levels[w->depth++] = (struct level){ .kind = kind };
}

static void on_close(void *arg, enum xml_ns ns UNUSED, const char *name UNUSED)
{
	struct walk *w = arg;
	struct level *l;

	if (w->skipped) {
		w->skipped--;
		return;
	}
	l = &w->levels[--w->depth];
	if (l->kind == PARAGRAPH)
		end_paragraph(w, l);
	else if (l->kind == PICTURE)
		end_picture(w);
}

static void on_text(void *arg, const char *s, size_t n)
{
	struct walk *w = arg;

	if (!w->skipped && w->depth && top(w)->kind == TEXT)
		add(w, s, n);
}

/* ---- the file ---- */

/* The main part: the one that the package names, or the usual one. */
static enum rc find_main(struct pack *p, int64_t *part, struct err *e)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct xml_relation *r;
	enum rc rc = xml_relations(p, a, "", &r, e);

	*part = PACK_NONE;
	for (; r && *part == PACK_NONE; r = r->next)
		if (xml_relation_is(r, "officeDocument"))
			*part = pack_find(p, r->target);
	if (*part == PACK_NONE)
		*part = pack_find(p, "word/document.xml");
	arena_free(a);
	if (rc == RC_OK && *part == PACK_NONE)
		rc = err_set(
		    e, RC_INVALID, "Could not find main document part. Is this a docx file?");
	return rc;
}

static enum rc walk(struct pack *p, int64_t part, struct out *o, struct err *e)
{
	struct walk *w = calloc(1, sizeof *w);
	const struct xml_handler handler = { on_open, on_close, on_text, &o->full };
	enum rc rc;

	if (!w)
		return err_set(e, RC_TOOLARGE, "Out of memory");
	w->out = o;
	rc = xml_parse(p, part, &handler, w, e);
	if (rc == RC_OK && !w->has_body)
		rc = err_set(e, RC_INVALID,
		    "Could not find the body element: the main part is no text document");
	if (rc == RC_OK && w->failed)
		rc = err_set(e, RC_TOOLARGE, "The text boxes of a paragraph are too large");
	/* Of paragraphs that the part has not ended. */
	for (size_t i = 0; i < w->depth; i++)
		if (w->levels[i].has_boxes)
			buf_fini(&w->levels[i].boxes);
	free(w);
	return rc;
}

enum rc extract_word(int fd, struct out *o, struct err *e)
{
	struct pack *p = pack_open(fd, NULL, e);
	int64_t part;
	enum rc rc;

	if (!p)
		return e->rc;
	rc = find_main(p, &part, e);
	if (rc == RC_OK)
		rc = walk(p, part, o, e);
	pack_close(p);
	return rc;
}
