/* Validation answers as a raw list of issues, where the interface has that instead of the schema
 * form (documents): {"error":"Invalid request body","details":[ISSUE, ...]}. */
#ifndef CORE_ISSUES_H
#define CORE_ISSUES_H

#include "core/shape.h"

/* Checks V, as shape_check does, for shapes of texts, enums, flags and records of texts; on
 * violation fills E and returns RC_INVALID. */
enum rc issues_check(struct arena *a, const struct shape *s, const json_t *v, struct err *e);

#endif
