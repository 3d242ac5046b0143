/* The formula language of computed columns: arithmetic, comparison, texts, dates, and aggregates
 * over all rows. A formula is parsed once and worked out for each row.
 *
 * Whatever is wrong in a formula gives null. Depth and length are limited, so that no formula,
 * however made, takes more than its share of stack and time. */
#ifndef CORE_FORMULA_H
#define CORE_FORMULA_H

#include "core/cell.h"

#define FORMULA_LENGTH_MAX 10000
#define FORMULA_DEPTH_MAX 200

enum aggregate { AGG_SUM, AGG_AVG, AGG_MIN, AGG_MAX, AGG_COUNT };

struct formula;

/* What a row's values come from. */
struct formula_env {
	struct arena *a; /* what is made on the way lives here */
	void *arg;
	/* The value of a reference, one of those that formula_refs lists. */
	struct cell (*value)(void *arg, const struct formula *f, size_t ref);
	/* The aggregate of a column over all rows; false ends the work, and formula_eval fails. */
	bool (*aggregate)(void *arg, enum aggregate what, const char *column, struct cell *out);
	int64_t now; /* Unix seconds */
	size_t room; /* bytes of text that may still be made; more gives null */
};

/* Parses TEXT into A; NULL where it is no formula. */
const struct formula *formula_parse(struct arena *a, const char *text);
/* The names that the formula refers to, each once. */
const char *const *formula_refs(const struct formula *f, size_t *n);
/* The columns of its aggregates, as far as they are written out, each once; they are no references
 * unless they are used as such, too. */
const char *const *formula_columns(const struct formula *f, size_t *n);

/* Works the formula out; an error gives null. False only where an aggregate was not to be had. */
bool formula_eval(const struct formula *f, struct formula_env *env, struct cell *out);

#endif
