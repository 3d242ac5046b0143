/* Blueprints: what a file must look like, and request bodies. The operations check the bodies
 * themselves: their refusals have words of their own. */
#include "core/blueprint.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/model/models.h"

#define PROBLEMS_MAX ((size_t)8 << 20) /* of all fields, as a text */

static const char *const DOMAIN_WORDS[] = { "work", "personal" };
static const struct word_set DOMAINS = WORDS(DOMAIN_WORDS);
static const char *const PATTERN_WORDS[] = { "sequence", "planner-executor", "checkpoint" };
static const struct word_set PATTERNS = WORDS(PATTERN_WORDS);
static const char *const DIFFICULTY_WORDS[] = { "beginner", "intermediate", "advanced" };
static const struct word_set DIFFICULTIES = WORDS(DIFFICULTY_WORDS);
static const char *const TYPE_WORDS[] = { "text", "textarea", "select", "number", "boolean",
	"file" };
static const struct word_set TYPES = WORDS(TYPE_WORDS);

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field OPTION[] = {
	{ "value", F_STRING, F_REQUIRED },
	{ "label", F_STRING, F_REQUIRED },
};
static const struct shape SHAPE_OPTION = { "BlueprintOption", OPTION, COUNT(OPTION) };
static const struct field OPTION_ITEM = { .type = F_OBJECT, .shape = &SHAPE_OPTION };

static const struct field VARIABLE[] = {
	{ "id", F_STRING, F_REQUIRED, .doc = "The name that templates and conditions use" },
	{ "type", F_ENUM, F_REQUIRED, .words = &TYPES },
	{ "label", F_STRING, F_REQUIRED },
	{ "description", F_STRING },
	{ "required", F_BOOL, F_REQUIRED },
	{ "default", F_ANY,
	    .doc = "Value of a variable that is given none; not of a required one" },
	{ "placeholder", F_STRING },
	{ "options", F_ARRAY, .item = &OPTION_ITEM },
	{ "min", F_NUMBER },
	{ "max", F_NUMBER },
};
static const struct shape SHAPE_VARIABLE = { "BlueprintVariable", VARIABLE, COUNT(VARIABLE) };
static const struct field VARIABLE_ITEM = { .type = F_OBJECT, .shape = &SHAPE_VARIABLE };

static const struct field STEP[] = {
	{ "name", F_STRING, F_REQUIRED },
	{ "profileId", F_STRING, F_REQUIRED },
	{ "promptTemplate", F_STRING, F_REQUIRED,
	    .doc = "{{NAME}} is a value, {{#if NAME}}...{{/if}} a part that needs one" },
	{ "requiresApproval", F_BOOL, F_REQUIRED },
	{ "expectedOutput", F_STRING },
	{ "condition", F_STRING, .doc = "A variable; the step is left out where it is not true" },
};
static const struct shape SHAPE_STEP = { "BlueprintStep", STEP, COUNT(STEP) };
static const struct field STEP_ITEM = { .type = F_OBJECT, .shape = &SHAPE_STEP };

static const struct field BLUEPRINT[] = {
	{ "id", F_STRING, F_REQUIRED },
	{ "name", F_STRING, F_REQUIRED },
	{ "description", F_STRING, F_REQUIRED },
	{ "version", F_STRING, F_REQUIRED, .format = FMT_VERSION },
	{ "domain", F_ENUM, F_REQUIRED, .words = &DOMAINS },
	{ "tags", F_ARRAY, F_REQUIRED, .item = &TEXT_ITEM },
	{ "pattern", F_ENUM, F_REQUIRED, .words = &PATTERNS },
	{ "variables", F_ARRAY, F_REQUIRED, .item = &VARIABLE_ITEM },
	{ "steps", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &STEP_ITEM },
	{ "author", F_STRING },
	{ "estimatedDuration", F_STRING },
	{ "source", F_STRING, .format = FMT_URL },
	{ "difficulty", F_ENUM, .words = &DIFFICULTIES },
	{ "isBuiltin", F_BOOL, F_REQUIRED },
};
/* A file has all but the last. */
const struct shape SHAPE_BLUEPRINT = { "BlueprintFile", BLUEPRINT, COUNT(BLUEPRINT) - 1 };
const struct shape SHAPE_BLUEPRINT_SHOWN = { "Blueprint", BLUEPRINT, COUNT(BLUEPRINT) };

static const struct field CREATE[] = {
	{ "yaml", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "The blueprint as YAML" },
};
const struct shape SHAPE_BLUEPRINT_CREATE = { "BlueprintCreate", CREATE, COUNT(CREATE) };

static const struct field IMPORT[] = {
	{ "url", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Address of a file on GitHub" },
};
const struct shape SHAPE_BLUEPRINT_IMPORT = { "BlueprintImport", IMPORT, COUNT(IMPORT) };

static const struct field INSTANTIATE[] = {
	{ "variables", F_RECORD, F_REQUIRED, .doc = "Values by the ids of the variables" },
	{ "projectId", F_STRING, F_NULLABLE },
};
const struct shape SHAPE_BLUEPRINT_INSTANTIATE = { "BlueprintInstantiate", INSTANTIATE,
	COUNT(INSTANTIATE) };

bool blueprint_id_ok(const char *id)
{
	size_t n = strspn(
	    id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n >= 1 && n <= BLUEPRINT_ID_MAX && !id[n] && !strchr("._-", *id);
}

/* The messages of all violations, joined with ", "; NULL where there are none. */
static const char *problems_of(struct arena *a, const json_t *doc)
{
	static const char ID_RULE[] =
	    "id may only contain letters, digits, dot, dash and underscore";
	const char *id = json_str(doc, "id"), *line;
	size_t n = 0;
	struct buf b;

	buf_init(&b, PROBLEMS_MAX);
	for (struct problem *p = shape_problems(a, &SHAPE_BLUEPRINT, doc); p; p = p->next)
		buf_printf(&b, "%s%s", n++ ? ", " : "", p->message);
	if (id && !blueprint_id_ok(id))
		buf_printf(&b, "%s%s", n++ ? ", " : "", ID_RULE);
	line = n ? arena_strdup(a, buf_text(&b)) : NULL;
	buf_fini(&b);
	return line;
}

/* A day, or a day and a time, as an ISO time; as it was written where it is none there is. */
static json_t *iso_time(const char *date)
{
	char day[sizeof "2000-01-01T00:00:00.000Z"], iso[TIME_ISO_SIZE];
	int64_t t;

	snprintf(day, sizeof day, "%.10sT00:00:00.000Z", date);
	if (!time_parse_iso(date[10] ? date : day, &t))
		return json_string(date);
	return json_string(time_iso(iso, t));
}

/* A new reference to V, in which dates have become texts. */
static json_t *without_dates(json_t *v)
{
	const char *date = yaml_date(v), *key;
	json_t *item;
	size_t i;

	if (date)
		return iso_time(date);
	json_array_foreach(v, i, item)
		json_array_set_new(v, i, without_dates(item));
	json_object_foreach(v, key, item)
		json_object_set_new(v, key, without_dates(item));
	return json_incref(v);
}

const json_t *blueprint_read(struct arena *a, const char *text, size_t n, const char **why)
{
	const json_t *doc = yaml_read_whole(a, text, n, why);
	json_t *out, *variable;
	size_t i;

	if (*why)
		return NULL;
	*why = problems_of(a, doc);
	if (*why) {
		*why = arena_printf(a, "Invalid blueprint: %s", *why);
		return NULL;
	}
	out = shape_pick(a, &SHAPE_BLUEPRINT, doc);
	json_array_foreach(json_object_get(out, "variables"), i, variable) {
		json_t *v = json_object_get(variable, "default");

		if (v)
			json_object_set_new(variable, "default", without_dates(v));
	}
	return out;
}
