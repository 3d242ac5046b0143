/* Models: what a table's rows look like, said once. A constant array of columns serves the SELECT
 * lists (@model in sql/q), the JSON of answers, the OpenAPI schemas and exports. */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include "core/db.h"
#include "core/json_out.h"

/* A closed set of words, in the order in which messages list them. */
struct word_set {
	const char *const *words;
	size_t n;
};
#define WORDS(array) { (array), COUNT(array) }

bool word_in(const struct word_set *set, const char *word);

enum col_type {
	COL_TEXT,
	COL_ID,     /* text that names a row */
	COL_INT,
	COL_NUM,    /* a number that may have a fraction */
	COL_BOOL,   /* 0 and 1, false and true on the wire */
	COL_TIME,   /* Unix seconds, ISO on the wire */
	COL_JSON,   /* JSON text, a value on the wire */
	COL_PACKED, /* JSON text, a string on the wire */
	COL_SECRET, /* never leaves the database */
};

enum { COL_NULL = 1, COL_READONLY = 2 };

struct column {
	const char *sql, *key;
	enum col_type type;
	unsigned flags;
	const struct word_set *words; /* allowed values, or NULL */
	const char *doc;
};

struct model {
	const char *name;  /* of the schema: Task */
	const char *alias; /* in statements: task */
	const char *table;
	const struct column *cols;
	size_t n_cols;
	const char *doc;
};

/* All models, NULL at the end. */
extern const struct model *const MODELS[];
const struct model *model_find(const char *alias, size_t n);

/* Writes "key":value for each column of M; its first stands in column FROM of the row. */
void row_json_members(struct jw *w, struct q *q, const struct model *m, int from);
/* The same as an object. */
void row_json(struct jw *w, struct q *q, const struct model *m, int from);

#endif
