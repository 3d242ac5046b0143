/* Workbooks: which sheets there are, shared texts, and which formats are dates. */
#include "jobrunner/extract/xlsx_int.h"

#include <math.h>
#include <time.h>

#include "core/text.h"

#define ARENA_MAX     ((size_t)64 << 20)
#define SHEET_NAME_MAX 512
#define FORMAT_MAX    2048
#define CUSTOM_MAX    4096 /* number formats that the workbook defines */
#define UNIX_EPOCH    25569.0 /* day 0 is 1899-12-30 */
#define DAYS_1904     1462.0
#define ESCAPE_SIZE   7u /* _xHHHH_ */
#define HEX	      "0123456789abcdef0123456789ABCDEF"

/* ---- formats ---- */

struct formats {
	uint32_t *custom; /* ids of number formats, and below whether each is a date */
	bool *custom_date;
	size_t n_custom;
	uint32_t *used; /* number format of each cell format */
	size_t n_used;
	bool in_cells;
};

static uint32_t format_id(const struct xml_element *el)
{
	char text[16];
	int64_t v;

	xml_attribute_text(el, XML_NONE, "numFmtId", text, sizeof text);
	return text_to_int(text, 0, UINT32_MAX, &v) ? (uint32_t)v : 0;
}

/* Whether a format code shows a date or a time: a y, m, d, h or s that is neither quoted nor
 * escaped nor in brackets. */
static bool shows_date(const char *code)
{
	for (const char *s = code; *s; s++) {
		switch (*s) {
		case '"':
			s = strchr(s + 1, '"');
			break;
		case '[':
			s = strchr(s, ']');
			break;
		case '\\':
		case '_': /* the width of the next character */
		case '*': /* the next character fills the cell */
			s = s[1] ? s + 1 : s;
			break;
		default:
			if (strchr("ymdhsYMDHS", *s))
				return true;
		}
		if (!s)
			return false;
	}
	return false;
}

static bool built_in_date(uint32_t id)
{
	return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
	    (id >= 50 && id <= 58);
}

static void on_format(void *arg, const struct xml_element *el)
{
	struct formats *f = arg;
	char code[FORMAT_MAX];

	if (el->ns != XML_SHEET)
		return;
	if (strcmp(el->name, "numFmt") == 0 && f->n_custom < CUSTOM_MAX) {
		f->custom[f->n_custom] = format_id(el);
		xml_attribute_text(el, XML_NONE, "formatCode", code, sizeof code);
		f->custom_date[f->n_custom++] = shows_date(code);
	} else if (strcmp(el->name, "cellXfs") == 0) {
		f->in_cells = true;
	} else if (strcmp(el->name, "xf") == 0 && f->in_cells && f->n_used < XLSX_STYLES_MAX) {
		f->used[f->n_used++] = format_id(el);
	}
}

static void on_format_end(void *arg, enum xml_ns ns, const char *name)
{
	struct formats *f = arg;

	if (ns == XML_SHEET && strcmp(name, "cellXfs") == 0)
		f->in_cells = false;
}

static bool is_date_format(const struct formats *f, uint32_t id)
{
	for (size_t i = 0; i < f->n_custom; i++)
		if (f->custom[i] == id)
			return f->custom_date[i];
	return built_in_date(id);
}

static enum rc read_formats(struct xlsx *x, int64_t part, struct err *e)
{
	static const struct xml_handler HANDLER = { .open = on_format, .close = on_format_end };
	struct arena *a = arena_new((size_t)4 << 20);
	struct formats f = {
		.custom = arena_array(a, uint32_t, CUSTOM_MAX),
		.custom_date = arena_array(a, bool, CUSTOM_MAX),
		.used = arena_array(a, uint32_t, XLSX_STYLES_MAX),
	};
	enum rc rc = xml_parse(x->pack, part, &HANDLER, &f, e);

	x->is_date = arena_alloc(x->arena, f.n_used + 1);
	x->n_formats = f.n_used;
	for (size_t i = 0; i < f.n_used; i++)
		x->is_date[i] = is_date_format(&f, f.used[i]);
	arena_free(a);
	return rc;
}

void xlsx_make_date(const struct xlsx *x, struct xlsx_cell *cell)
{
	double days = cell->number - UNIX_EPOCH + (x->from_1904 ? DAYS_1904 : 0);
	struct tm tm;
	time_t t;

	if (!(fabs(days) < 4e6))
		return;
	t = (time_t)llround(days * 86400);
	if (!gmtime_r(&t, &tm) || tm.tm_year < 1 - 1900 || tm.tm_year > 9999 - 1900)
		return;
	cell->type = XLSX_DATE;
	cell->date.year = (int16_t)(tm.tm_year + 1900);
	cell->date.month = (uint8_t)(tm.tm_mon + 1);
	cell->date.day = (uint8_t)tm.tm_mday;
	cell->date.hour = (uint8_t)tm.tm_hour;
	cell->date.minute = (uint8_t)tm.tm_min;
	cell->date.second = (uint8_t)tm.tm_sec;
}

/* ---- texts ---- */

void xlsx_string_open(struct xlsx_string *s, const struct xml_element *el)
{
	if (xml_is(el, XML_SHEET, "rPh"))
		s->hints++;
	else if (xml_is(el, XML_SHEET, "t"))
		s->in_t = !s->hints;
}

void xlsx_string_close(struct xlsx_string *s, enum xml_ns ns, const char *name)
{
	if (ns != XML_SHEET)
		return;
	if (strcmp(name, "rPh") == 0)
		s->hints--;
	else if (strcmp(name, "t") == 0)
		s->in_t = false;
}

void xlsx_string_text(struct xlsx_string *s, const char *text, size_t n)
{
	if (s->in_t)
		buf_add(s->out, text, n);
}

/* The unit of the escape at S, of which LEFT bytes are there; -1 where it is none. */
static int32_t escape(const char *s, size_t left)
{
	int32_t unit = 0;

	if (left < ESCAPE_SIZE || s[1] != 'x' || s[ESCAPE_SIZE - 1] != '_')
		return -1;
	for (size_t i = 2; i < ESCAPE_SIZE - 1; i++) {
		const char *digit = s[i] ? strchr(HEX, s[i]) : NULL;

		if (!digit)
			return -1;
		unit = unit << 4 | (int32_t)((digit - HEX) % 16);
	}
	return unit;
}

/* What UNIT, with the unit of the escape behind it, stands for; sets *USED to what it took. */
static uint32_t character(int32_t unit, int32_t behind, size_t *used)
{
	*used = ESCAPE_SIZE;
	if (unit >= 0xd800 && unit < 0xdc00 && behind >= 0xdc00 && behind < 0xe000) {
		*used = 2 * ESCAPE_SIZE;
		return 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(behind - 0xdc00);
	}
	return !unit || (unit >= 0xd800 && unit < 0xe000) ? 0xfffd : (uint32_t)unit;
}

void xlsx_unescape(struct buf *b, size_t from)
{
	const char *s, *end;
	char *out;

	if (b->failed || from >= b->len)
		return;
	s = b->data + from;
	end = b->data + b->len;
	for (out = b->data + from; s < end;) {
		size_t left = (size_t)(end - s), used;
		int32_t unit = *s == '_' ? escape(s, left) : -1;

		if (unit < 0) {
			*out++ = *s++;
			continue;
		}
		left -= ESCAPE_SIZE;
		out += text_encode(out, character(unit,
		    left && s[ESCAPE_SIZE] == '_' ? escape(s + ESCAPE_SIZE, left) : -1, &used));
		s += used;
	}
	b->len = (size_t)(out - b->data);
}

struct texts {
	struct xlsx *book;
	struct xlsx_string string;
	size_t from; /* where the text at hand begins */
	bool in_item;
};

static void on_texts_open(void *arg, const struct xml_element *el)
{
	struct texts *t = arg;

	if (xml_is(el, XML_SHEET, "si")) {
		t->in_item = true;
		t->from = t->book->texts.len;
	} else if (t->in_item) {
		xlsx_string_open(&t->string, el);
	}
}

static void on_texts_close(void *arg, enum xml_ns ns, const char *name)
{
	struct texts *t = arg;

	if (ns == XML_SHEET && strcmp(name, "si") == 0) {
		t->in_item = false;
		xlsx_unescape(&t->book->texts, t->from);
		buf_add(&t->book->ends, (const char *)&t->book->texts.len, sizeof(size_t));
	} else if (t->in_item) {
		xlsx_string_close(&t->string, ns, name);
	}
}

static void on_texts_text(void *arg, const char *s, size_t n)
{
	struct texts *t = arg;

	if (t->in_item)
		xlsx_string_text(&t->string, s, n);
}

static enum rc read_texts(struct xlsx *x, int64_t part, struct err *e)
{
	static const struct xml_handler HANDLER = { .open = on_texts_open,
		.close = on_texts_close,
		.text = on_texts_text };
	struct texts t = { .book = x, .string = { .out = &x->texts } };
	enum rc rc = xml_parse(x->pack, part, &HANDLER, &t, e);

	if (rc == RC_OK && (x->texts.failed || x->ends.failed))
		rc = err_set(e, RC_TOOLARGE, "The workbook has too many texts");
	return rc;
}

bool xlsx_shared(const struct xlsx *x, uint64_t i, const char **text, size_t *n)
{
	const char *ends = x->ends.data;
	size_t from = 0, to;

	if (i >= x->ends.len / sizeof(size_t))
		return false;
	if (i)
		memcpy(&from, ends + (i - 1) * sizeof(size_t), sizeof from);
	memcpy(&to, ends + i * sizeof(size_t), sizeof to);
	*text = x->texts.data ? x->texts.data + from : "";
	*n = to - from;
	return true;
}

/* ---- the workbook ---- */

static void on_workbook(void *arg, const struct xml_element *el)
{
	struct xlsx *x = arg;
	char name[SHEET_NAME_MAX], id[256], flag[8];

	if (xml_is(el, XML_SHEET, "workbookPr")) {
		xml_attribute_text(el, XML_NONE, "date1904", flag, sizeof flag);
		x->from_1904 = strcmp(flag, "1") == 0 || strcmp(flag, "true") == 0;
	} else if (xml_is(el, XML_SHEET, "sheet") && x->n_sheets < XLSX_SHEETS_MAX) {
		xml_attribute_text(el, XML_NONE, "name", name, sizeof name);
		xml_attribute_text(el, XML_OFFICE, "id", id, sizeof id);
		x->sheets[x->n_sheets++] = (struct xlsx_sheet){ arena_strdup(x->arena, name),
			arena_strdup(x->arena, id), NULL };
	}
}

/* Keeps the worksheets among the sheets and says where their parts are. */
static void keep_worksheets(struct xlsx *x, const struct xml_relation *relations)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->n_sheets; i++)
		for (const struct xml_relation *r = relations; r; r = r->next)
			if (strcmp(r->id, x->sheets[i].relation) == 0 &&
			    xml_relation_is(r, "worksheet")) {
				x->sheets[kept] = x->sheets[i];
				x->sheets[kept++].part = r->target;
				break;
			}
	x->n_sheets = kept;
}

/* The part of the type NAME that the workbook refers to; PACK_NONE. */
static int64_t related(struct xlsx *x, const struct xml_relation *relations, const char *name)
{
	for (const struct xml_relation *r = relations; r; r = r->next)
		if (xml_relation_is(r, name))
			return pack_find(x->pack, r->target);
	return PACK_NONE;
}

/* The workbook's part: the one that the package names, or the usual one. */
static enum rc find_workbook(struct xlsx *x, const char **name, int64_t *part, struct err *e)
{
	struct xml_relation *r;
	enum rc rc = xml_relations(x->pack, x->arena, "", &r, e);

	*name = "xl/workbook.xml";
	for (; r; r = r->next)
		if (xml_relation_is(r, "officeDocument") && pack_find(x->pack, r->target) >= 0) {
			*name = r->target;
			break;
		}
	*part = pack_find(x->pack, *name);
	if (rc == RC_OK && *part == PACK_NONE)
		rc = err_set(e, RC_INVALID, "The archive holds no workbook");
	return rc;
}

static enum rc read_workbook(struct xlsx *x, struct err *e)
{
	static const struct xml_handler HANDLER = { .open = on_workbook };
	struct xml_relation *relations = NULL;
	const char *name;
	int64_t part, texts, formats;
	enum rc rc = find_workbook(x, &name, &part, e);

	x->sheets = arena_array(x->arena, struct xlsx_sheet, XLSX_SHEETS_MAX);
	if (rc == RC_OK)
		rc = xml_parse(x->pack, part, &HANDLER, x, e);
	if (rc == RC_OK)
		rc = xml_relations(x->pack, x->arena, name, &relations, e);
	if (rc != RC_OK)
		return rc;
	keep_worksheets(x, relations);
	texts = related(x, relations, "sharedStrings");
	formats = related(x, relations, "styles");
	if (texts != PACK_NONE)
		rc = read_texts(x, texts, e);
	if (rc == RC_OK && formats != PACK_NONE)
		rc = read_formats(x, formats, e);
	return rc;
}

struct xlsx *xlsx_open(int fd, const struct pack_limits *limits, struct err *e)
{
	struct pack *pack = pack_open(fd, limits, e);
	struct arena *a;
	struct xlsx *x;

	if (!pack)
		return NULL;
	a = arena_new(ARENA_MAX);
	x = arena_new_of(a, struct xlsx);
	x->arena = a;
	x->pack = pack;
	buf_init(&x->texts, XLSX_TEXTS_MAX);
	buf_init(&x->ends, XLSX_TEXTS_MAX);
	if (read_workbook(x, e) == RC_OK)
		return x;
	xlsx_close(x);
	return NULL;
}

void xlsx_close(struct xlsx *x)
{
	if (!x)
		return;
	buf_fini(&x->texts);
	buf_fini(&x->ends);
	pack_close(x->pack);
	arena_free(x->arena);
}

size_t xlsx_sheets(const struct xlsx *x)
{
	return x->n_sheets;
}

const char *xlsx_sheet_name(const struct xlsx *x, size_t sheet)
{
	return x->sheets[sheet].name;
}

const char *xlsx_text(const struct xlsx_cell *c, char joint, char room[NUM_TEXT_SIZE], size_t *n)
{
	*n = 0;
	switch (c->type) {
	case XLSX_NONE:
	case XLSX_PENDING:
		return "";
	case XLSX_TEXT:
	case XLSX_ERROR:
		*n = c->n;
		return c->text;
	case XLSX_BOOL:
		*n = c->truth ? 4 : 5;
		return c->truth ? "true" : "false";
	case XLSX_NUMBER:
		*n = (size_t)num_text(room, c->number);
		return room;
	case XLSX_DATE:
		break;
	}
	*n = (size_t)snprintf(room, NUM_TEXT_SIZE, "%04d-%02u-%02u", c->date.year, c->date.month,
	    c->date.day);
	if (c->date.hour || c->date.minute || c->date.second)
		*n += (size_t)snprintf(room + *n, NUM_TEXT_SIZE - *n, "%c%02u:%02u:%02u", joint,
		    c->date.hour, c->date.minute, c->date.second);
	return room;
}
