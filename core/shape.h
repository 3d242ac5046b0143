/* Shapes: what a request body or a tool's arguments must look like, said once as constant arrays.
 * They serve validation (all problems at once, in the contract's words), the OpenAPI request
 * bodies and the agents' tool input schemas. */
#ifndef CORE_SHAPE_H
#define CORE_SHAPE_H

#include <jansson.h>
#include "core/err.h"
#include "core/json_out.h"
#include "core/model.h"

enum field_type {
	F_STRING,  /* limits: length in UTF-16 units */
	F_NUMBER,  /* limits: value */
	F_INT,     /* a whole number; limits: value */
	F_BOOL,
	F_ENUM,    /* one of words */
	F_ARRAY,   /* limits: number of items; each like item, where there is one */
	F_OBJECT,  /* shape, or any object where there is none */
	F_RECORD,  /* an object with free keys; each value like item, where there is one */
	F_ANY,
	F_UNION,   /* like one of the n_items fields at item */
};

enum {
	F_REQUIRED = 1,
	F_NULLABLE = 2,
	F_MIN = 4,       /* min holds */
	F_MAX = 8,       /* max holds */
	F_ABOVE = 16,    /* min is exclusive */
	F_BELOW = 32,    /* max is exclusive */
	F_MULTIPLE = 64, /* a multiple of multiple */
	F_BRIEF = 128,   /* of a wrong type nothing else is said */
};

/* What else a text must look like. */
enum field_format { FMT_ANY, FMT_VERSION, FMT_URL, FMT_UUID, FMT_EMAIL, FMT_TIME };

struct shape;

struct field {
	const char *key;
	enum field_type type;
	unsigned flags;
	double min, max;
	const struct word_set *words;
	const struct field *item;
	const struct shape *shape;
	const char *prefix;      /* a text must start so */
	const char *message_min; /* instead of the pattern, for the lower limit */
	const char *message_prefix;
	const char *doc;
	const char *otherwise; /* default, as JSON, for the documents only */
	size_t n_items;        /* of F_UNION */
	double multiple;
	enum field_format format;
};

struct shape {
	const char *name; /* of the schema: TaskCreate */
	const struct field *fields;
	size_t n;
	bool strict;       /* unknown keys are an error */
	const char *plain; /* any violation gives {"error":plain} instead of the schema form */
	const char *doc;
};

struct problem {
	struct problem *next;
	const char *field; /* top-level key; NULL for the root */
	const char *message;
};

/* Every problem of V, in the order of the shape, of a field at most the first thousand; NULL where
 * there is none. */
struct problem *shape_problems(struct arena *a, const struct shape *s, const json_t *v);
/* Checks V; on violation fills E with the contract's body and returns RC_INVALID. */
enum rc shape_check(struct arena *a, const struct shape *s, const json_t *v, struct err *e);
/* {"error":{"formErrors":[…],"fieldErrors":{…}}} of a list. */
const char *shape_errors_body(struct arena *a, const struct problem *list);
/* One problem of one field, for checks that shapes cannot express. */
enum rc shape_fail(struct arena *a, struct err *e, const char *field, const char *message);
/* "FIELD: MESSAGE; FIELD: MESSAGE", for tools. */
const char *shape_problems_line(struct arena *a, const struct problem *list);

/* A copy of V, which is valid by S, with the keys that S knows, at every level and in its order. */
json_t *shape_pick(struct arena *a, const struct shape *s, const json_t *v);

/* Writes the shape as a JSON Schema object (an agent's input schema; with DOCS descriptions). */
void shape_json_schema(struct jw *w, const struct shape *s);
void field_json_schema(struct jw *w, const struct field *f);

/* "undefined", "null", "string", … as messages have it; "Date" of a date that YAML had. */
const char *json_kind(const json_t *v);

#endif
