/* XML parts of archives, parsed as a stream of elements and text: no tree, no document type, no
 * entities but the five of XML, nothing fetched from anywhere. Names are told apart by namespace,
 * never by prefix. */
#ifndef JOBRUNNER_EXTRACT_XML_H
#define JOBRUNNER_EXTRACT_XML_H

#include "core/arena.h"
#include "jobrunner/extract/pack.h"

#define XML_DEPTH_MAX 200

/* The namespaces of office documents; transitional and strict ones are the same to us. */
enum xml_ns {
	XML_NONE,
	XML_PACKAGE, /* relationships of parts */
	XML_OFFICE,  /* r:id and its like */
	XML_SHEET,
	XML_WORD,
	XML_DRAWING,
	XML_SLIDE,
	XML_VML,
	XML_COMPAT, /* mc:AlternateContent */
	XML_OTHER,
};

struct xml_element {
	enum xml_ns ns;
	const char *name; /* local */
	const void *attributes;
	int n;
};

struct xml_handler {
	void (*open)(void *arg, const struct xml_element *el);
	void (*close)(void *arg, enum xml_ns ns, const char *name);
	void (*text)(void *arg, const char *s, size_t n); /* in pieces */
	const bool *stop; /* set: the rest is not parsed; or NULL */
};

/* Parses part I; RC_INVALID with the words in E where it is no well-formed XML. */
enum rc xml_parse(struct pack *p, int64_t i, const struct xml_handler *h, void *arg, struct err *e);

/* Whether EL is NAME in the namespace NS. */
bool xml_is(const struct xml_element *el, enum xml_ns ns, const char *name);
/* The value of the attribute NAME in the namespace NS (XML_NONE: without one), of *N bytes and
 * without a zero at the end; NULL where there is none. Good until the handler returns. */
const char *xml_attribute(
    const struct xml_element *el, enum xml_ns ns, const char *name, size_t *n);
/* The same as a text in OUT, empty where there is none or it does not fit. */
const char *xml_attribute_text(
    const struct xml_element *el, enum xml_ns ns, const char *name, char *out, size_t size);

/* ---- relationships ---- */

struct xml_relation {
	const char *id, *type, *target; /* the target is a part's name, without a leading slash */
	struct xml_relation *next;
};

/* The relationships of PART ("" for those of the package), first one first; *OUT is NULL where
 * there are none. They live in A. External ones are left out. */
enum rc xml_relations(struct pack *p, struct arena *a, const char *part, struct xml_relation **out,
    struct err *e);
/* Whether R is of the office document type NAME ("worksheet", "styles"). */
bool xml_relation_is(const struct xml_relation *r, const char *name);

#endif
