/* XML parts by libxml2's push parser. */
#include "jobrunner/extract/xml.h"

#include <libxml/parser.h>

#include "core/text.h"

#define RELATIONS_MAX 20000
#define NAME_PART_MAX 512

#define TRANSITIONAL "http://schemas.openxmlformats.org/"
#define STRICT	     "http://purl.oclc.org/ooxml/"

static const struct {
	enum xml_ns ns;
	const char *uri;
} NAMESPACES[] = {
	{ XML_PACKAGE, TRANSITIONAL "package/2006/relationships" },
	{ XML_OFFICE, TRANSITIONAL "officeDocument/2006/relationships" },
	{ XML_OFFICE, STRICT "officeDocument/relationships" },
	{ XML_SHEET, TRANSITIONAL "spreadsheetml/2006/main" },
	{ XML_SHEET, STRICT "spreadsheetml/main" },
	{ XML_WORD, TRANSITIONAL "wordprocessingml/2006/main" },
	{ XML_WORD, STRICT "wordprocessingml/main" },
	{ XML_DRAWING, TRANSITIONAL "drawingml/2006/main" },
	{ XML_DRAWING, STRICT "drawingml/main" },
	{ XML_SLIDE, TRANSITIONAL "presentationml/2006/main" },
	{ XML_SLIDE, STRICT "presentationml/main" },
	{ XML_VML, "urn:schemas-microsoft-com:vml" },
	{ XML_COMPAT, TRANSITIONAL "markup-compatibility/2006" },
};

struct parse {
	const struct xml_handler *h;
	void *arg;
	xmlParserCtxtPtr parser;
	const xmlChar *last_uri; /* names are interned: the same pointer is the same namespace */
	enum xml_ns last_ns;
	int depth;
	bool refused;
};

static enum xml_ns namespace_of(const xmlChar *uri)
{
	if (!uri)
		return XML_NONE;
	for (size_t i = 0; i < COUNT(NAMESPACES); i++)
		if (strcmp((const char *)uri, NAMESPACES[i].uri) == 0)
			return NAMESPACES[i].ns;
	return XML_OTHER;
}

static enum xml_ns known_namespace(struct parse *x, const xmlChar *uri)
{
	if (!uri)
		return XML_NONE;
	if (uri != x->last_uri) {
		x->last_uri = uri;
		x->last_ns = namespace_of(uri);
	}
	return x->last_ns;
}

static void refuse(struct parse *x)
{
	x->refused = true;
	xmlStopParser(x->parser);
}

static bool stopped(const struct parse *x)
{
	return x->refused || (x->h->stop && *x->h->stop);
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix UNUSED,
    const xmlChar *uri, int n_namespaces UNUSED, const xmlChar **namespaces UNUSED, int n,
    int n_defaulted UNUSED, const xmlChar **attributes)
{
	struct parse *x = arg;
	struct xml_element el = { known_namespace(x, uri), (const char *)name, attributes, n };

	if (++x->depth > XML_DEPTH_MAX) {
		refuse(x);
		return;
	}
	if (x->h->open && !stopped(x))
		x->h->open(x->arg, &el);
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix UNUSED,
    const xmlChar *uri)
{
	struct parse *x = arg;

	x->depth--;
	if (x->h->close && !stopped(x))
		x->h->close(x->arg, known_namespace(x, uri), (const char *)name);
}

static void on_text(void *arg, const xmlChar *s, int n)
{
	struct parse *x = arg;

	if (x->h->text && n > 0 && !stopped(x))
		x->h->text(x->arg, (const char *)s, (size_t)n);
}

static void on_document_type(void *arg, const xmlChar *name UNUSED, const xmlChar *id UNUSED,
    const xmlChar *system UNUSED)
{
	refuse(arg);
}

/* Takes libxml2's messages, which would go to standard error. */
static void on_error(void *arg UNUSED, xmlErrorPtr problem UNUSED)
{
}

static bool feed(void *arg, const char *data, size_t n)
{
	struct parse *x = arg;

	return xmlParseChunk(x->parser, data, (int)n, 0) == 0 && !stopped(x);
}

static void quiet_handlers(xmlSAXHandler *sax)
{
	*sax = (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_open,
		.endElementNs = on_close,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_document_type,
		.serror = on_error,
	};
}

enum rc xml_parse(struct pack *p, int64_t i, const struct xml_handler *h, void *arg, struct err *e)
{
	struct parse x = { .h = h, .arg = arg };
	xmlSAXHandler sax;
	enum rc rc;

	quiet_handlers(&sax);
	x.parser = xmlCreatePushParserCtxt(&sax, &x, NULL, 0, NULL);
	if (!x.parser)
		return err_set(e, RC_TOOLARGE, "Out of memory");
	/* "Entities" are the five of XML: a document type, which could bring others, is refused. */
	xmlCtxtUseOptions(x.parser, XML_PARSE_NONET | XML_PARSE_NOENT);
	rc = pack_read(p, i, feed, &x, e);
	if (rc == RC_OK && !stopped(&x))
		xmlParseChunk(x.parser, "", 0, 1);
	if (rc == RC_OK && (x.refused || (!stopped(&x) && !x.parser->wellFormed)))
		rc = err_set(e, RC_INVALID, "Malformed XML in %.200s", pack_name(p, (size_t)i));
	xmlFreeParserCtxt(x.parser);
	return rc;
}

bool xml_is(const struct xml_element *el, enum xml_ns ns, const char *name)
{
	return el->ns == ns && strcmp(el->name, name) == 0;
}

/* An attribute is five pointers: name, prefix, namespace, begin and end of the value. */
const char *xml_attribute(const struct xml_element *el, enum xml_ns ns, const char *name, size_t *n)
{
	const xmlChar *const *at = el->attributes;

	for (int i = 0; i < el->n; i++, at += 5)
		if (strcmp((const char *)at[0], name) == 0 && namespace_of(at[2]) == ns) {
			*n = (size_t)(at[4] - at[3]);
			return (const char *)at[3];
		}
	return NULL;
}

const char *xml_attribute_text(
    const struct xml_element *el, enum xml_ns ns, const char *name, char *out, size_t size)
{
	size_t n = 0;
	const char *value = xml_attribute(el, ns, name, &n);

	if (!value || n >= size)
		n = 0;
	else
		memcpy(out, value, n);
	out[n] = '\0';
	return out;
}

/* ---- relationships ---- */

struct relations {
	struct arena *arena;
	const char *folder; /* of the part, with a slash at the end; "" */
	struct xml_relation **tail;
	size_t n;
};

/* TARGET as seen from FOLDER, without dots; in the arena. */
static const char *resolve(struct arena *a, const char *folder, const char *target)
{
	char *path = *target == '/' ? arena_strdup(a, target + 1)
				    : arena_printf(a, "%s%s", folder, target);
	char *out = path;

	for (const char *s = path, *next; *s; s = next) {
		size_t n = strcspn(s, "/");

		next = s + n + (s[n] == '/');
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			for (out -= out > path; out > path && out[-1] != '/';)
				out--;
		} else if (n && !(n == 1 && *s == '.')) {
			memmove(out, s, (size_t)(next - s));
			out += next - s;
		}
	}
	*out = '\0';
	return path;
}

static void on_relation(void *arg, const struct xml_element *el)
{
	struct relations *rs = arg;
	char id[256], type[256], target[NAME_PART_MAX], mode[16];
	struct xml_relation *r;

	if (!xml_is(el, XML_PACKAGE, "Relationship") || rs->n >= RELATIONS_MAX)
		return;
	xml_attribute_text(el, XML_NONE, "Id", id, sizeof id);
	xml_attribute_text(el, XML_NONE, "Type", type, sizeof type);
	xml_attribute_text(el, XML_NONE, "Target", target, sizeof target);
	xml_attribute_text(el, XML_NONE, "TargetMode", mode, sizeof mode);
	if (strcmp(mode, "External") == 0)
		return;
	r = arena_new_of(rs->arena, struct xml_relation);
	*r = (struct xml_relation){ arena_strdup(rs->arena, id), arena_strdup(rs->arena, type),
		resolve(rs->arena, rs->folder, target), NULL };
	*rs->tail = r;
	rs->tail = &r->next;
	rs->n++;
}

enum rc xml_relations(struct pack *p, struct arena *a, const char *part, struct xml_relation **out,
    struct err *e)
{
	static const struct xml_handler HANDLER = { .open = on_relation };
	const char *slash = strrchr(part, '/'), *base = slash ? slash + 1 : part;
	struct relations rs = { .arena = a, .tail = out };
	int64_t i;

	*out = NULL;
	rs.folder = arena_strndup(a, part, (size_t)(base - part));
	i = pack_find(p, arena_printf(a, "%s_rels/%s.rels", rs.folder, base));
	return i == PACK_NONE ? RC_OK : xml_parse(p, i, &HANDLER, &rs, e);
}

bool xml_relation_is(const struct xml_relation *r, const char *name)
{
	static const char *const BEGIN[] = { TRANSITIONAL "officeDocument/2006/relationships/",
		STRICT "officeDocument/relationships/" };

	for (size_t i = 0; i < COUNT(BEGIN); i++)
		if (text_starts(r->type, BEGIN[i]) && strcmp(r->type + strlen(BEGIN[i]), name) == 0)
			return true;
	return false;
}
