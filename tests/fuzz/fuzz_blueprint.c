/* Blueprints: a text is refused with words, or it is a value that has what the schema asks for and
 * can be shown as JSON. A template with any values gives a text without runs of blank lines, and an
 * address leads to a place that is plain ASCII. */
#include "core/blueprint.h"
#include "core/domain/blueprint.h"
#include "core/model/models.h"
#include "core/template.h"
#include "tests/fuzz/fuzz.h"

/* Whether V, within DEPTH levels, can be shown; a date has no JSON form. */
static void check_value(const json_t *v, int depth)
{
	const json_t *item;
	const char *key;
	size_t i;

	require(depth <= YAML_WHOLE_DEPTH_MAX && !yaml_date(v));
	json_array_foreach(v, i, item)
		check_value(item, depth + 1);
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		require(text_is_utf8(key, strlen(key)));
		check_value(item, depth + 1);
	}
}

static void check_template(struct arena *a, const char *text, const json_t *values)
{
	struct buf b;

	buf_init(&b, TEMPLATE_MAX);
	template_resolve(&b, text, values);
	if (!b.failed) {
		const char *out = buf_text(&b);

		require(!strstr(out, "\n\n\n"));
		require(strcmp(text_trim(a, out), out) == 0);
	}
	buf_fini(&b);
	template_condition(a, text, values);
}

static void check_blueprint(struct arena *a, const json_t *doc)
{
	const json_t *step, *values = json_array_get(json_object_get(doc, "variables"), 0);
	size_t i;

	check_value(doc, 0);
	require(blueprint_id_ok(json_string_value(json_object_get(doc, "id"))));
	require(json_array_size(json_object_get(doc, "steps")) >= 1);
	require(!shape_problems(a, &SHAPE_BLUEPRINT, doc));
	json_array_foreach(json_object_get(doc, "steps"), i, step)
		if (i < 10)
			check_template(a, json_string_value(json_object_get(step, "promptTemplate")),
			    values);
}

static void check_address(struct arena *a, const char *text)
{
	const char *place = blueprint_parse_url(a, text);

	for (; place && *place; place++)
		require(*place > ' ' && *place < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *text = text_as_utf8(a, (const char *)data, size), *why = NULL;
	const json_t *doc = blueprint_read(a, (const char *)data, size, &why);
	const json_t *values = json_read_text(a, "{\"a\":\"{{b}}\\n\\n\\n\",\"b\":[1,[null]]}");

	require(doc ? !why : why && *why);
	if (doc)
		check_blueprint(a, doc);
	check_template(a, text, values);
	check_address(a, text);
	arena_free(a);
	return 0;
}
