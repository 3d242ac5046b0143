/* Request bodies against the shapes (the first byte says which one): whatever is wrong is said in a
 * body that is JSON, once, and with words; a value is refused exactly where it has a problem. */
#include "core/model/models.h"
#include "core/profile.h"
#include "tests/fuzz/fuzz.h"

static const struct shape *const SHAPES[] = { &SHAPE_PROJECT_CREATE, &SHAPE_PROJECT_UPDATE,
	&SHAPE_TASK_CREATE, &SHAPE_TASK_UPDATE, &SHAPE_TASK_RESPOND, &SHAPE_TASK_ASSIST,
	&SHAPE_NOTIFICATION_UPDATE, &SHAPE_CONTEXT_BATCH, &SHAPE_PERMISSION, &SHAPE_PRESET,
	&SHAPE_AUTH, &SHAPE_OPENAI_AUTH, &SHAPE_PROFILE };

static bool is_key(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->fields[i].key, name) == 0)
			return true;
	return false;
}

static void check(struct arena *a, const struct shape *s, const json_t *v)
{
	const struct problem *list = shape_problems(a, s, v);
	const char *body = shape_errors_body(a, list);
	const json_t *error = json_object_get(json_read_text(a, body), "error");
	struct err e = { 0 };
	size_t n = 0;

	require(json_is_array(json_object_get(error, "formErrors")));
	require(json_is_object(json_object_get(error, "fieldErrors")));
	for (const struct problem *p = list; p; p = p->next, n++) {
		require(p->message && *p->message && text_is_utf8(p->message, strlen(p->message)));
		require(!p->field || is_key(s, p->field));
	}
	require(n == 0 || *shape_problems_line(a, list));
	require((shape_check(a, s, v, &e) == RC_OK) == (list == NULL));
	require((e.rc == RC_INVALID) == (list != NULL));
	if (e.body)
		require(json_is_object(json_read_text(a, e.body)));
	else
		require(!list || *e.msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const json_t *v = size ? json_read(a, (const char *)data + 1, size - 1) : NULL;

	if (v)
		check(a, SHAPES[data[0] % COUNT(SHAPES)], v);
	arena_free(a);
	return 0;
}
