/* Issues, in the order of the fields. */
#include "core/issues.h"

#include "core/text.h"

#define BODY_MAX ((size_t)4 << 20)
#define UUID_PATTERN                                                                               \
	"/^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-"             \
	"[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|"                                    \
	"ffffffff-ffff-ffff-ffff-ffffffffffff)$/"

struct issues {
	struct arena *arena;
	struct jw w;
	const char *field, *key; /* where; the key is that of a record's value, or NULL */
	size_t n;
};

/* Ends an issue, the particulars of which are written. */
static void end_issue(struct issues *is, const char *message)
{
	struct jw *w = &is->w;

	jw_key(w, "path");
	jw_arr(w);
	if (is->field)
		jw_str(w, is->field);
	if (is->key)
		jw_str(w, is->key);
	jw_end_arr(w);
	jw_kstr(w, "message", message);
	jw_end_obj(w);
	is->n++;
}

static void wrong_type(struct issues *is, const char *expected, const json_t *got)
{
	jw_obj(&is->w);
	jw_kstr(&is->w, "expected", expected);
	jw_kstr(&is->w, "code", "invalid_type");
	end_issue(is, arena_printf(is->arena, "Invalid input: expected %s, received %s", expected,
			  json_kind(got)));
}

static void wrong_length(struct issues *is, const char *origin, bool small, double limit)
{
	jw_obj(&is->w);
	jw_kstr(&is->w, "origin", origin);
	jw_kstr(&is->w, "code", small ? "too_small" : "too_big");
	jw_kint(&is->w, small ? "minimum" : "maximum", (int64_t)limit);
	jw_kbool(&is->w, "inclusive", true);
	end_issue(is, arena_printf(is->arena, "Too %s: expected %s to have %s=%lld %s",
			  small ? "small" : "big", origin, small ? ">" : "<", (long long)limit,
			  strcmp(origin, "array") == 0 ? "items" : "characters"));
}

static void check_length(struct issues *is, const struct field *f, const json_t *v)
{
	bool text = json_is_string(v);
	double n = text ? (double)text_units(json_string_value(v)) : (double)json_array_size(v);
	const char *origin = text ? "string" : "array";

	if ((f->flags & F_MIN) && n < f->min)
		wrong_length(is, origin, true, f->min);
	if ((f->flags & F_MAX) && n > f->max)
		wrong_length(is, origin, false, f->max);
}

static void wrong_word(struct issues *is, const struct field *f)
{
	struct buf b;

	buf_init(&b, 4096);
	buf_str(&b, "Invalid option: expected one of ");
	jw_obj(&is->w);
	jw_kstr(&is->w, "code", "invalid_value");
	jw_key(&is->w, "values");
	jw_arr(&is->w);
	for (size_t i = 0; i < f->words->n; i++) {
		jw_str(&is->w, f->words->words[i]);
		buf_printf(&b, "%s\"%s\"", i ? "|" : "", f->words->words[i]);
	}
	jw_end_arr(&is->w);
	end_issue(is, buf_text(&b));
	buf_fini(&b);
}

static void check_format(struct issues *is, const struct field *f, const json_t *v)
{
	const struct field one = { "v", F_STRING, .format = f->format };
	const struct shape shape = { .fields = &one, .n = 1 };
	json_t *wrapped = json_pack("{s:O}", "v", v);

	if (f->format == FMT_UUID && shape_problems(is->arena, &shape, wrapped)) {
		jw_obj(&is->w);
		jw_kstr(&is->w, "origin", "string");
		jw_kstr(&is->w, "code", "invalid_format");
		jw_kstr(&is->w, "format", "uuid");
		jw_kstr(&is->w, "pattern", UUID_PATTERN);
		end_issue(is, "Invalid UUID");
	}
	json_decref(wrapped);
}

static void check_text(struct issues *is, const struct field *f, const json_t *v)
{
	if (!json_is_string(v))
		wrong_type(is, "string", v);
	if (json_is_string(v) || json_is_array(v))
		check_length(is, f, v);
	if (json_is_string(v))
		check_format(is, f, v);
}

static void check_record(struct issues *is, const struct field *f, const json_t *v)
{
	json_t *item;

	if (!json_is_object(v)) {
		wrong_type(is, "record", v);
		return;
	}
	json_object_foreach((json_t *)(uintptr_t)v, is->key, item)
		check_text(is, f->item, item);
	is->key = NULL;
}

static void check_field(struct issues *is, const struct field *f, const json_t *v)
{
	if ((!v && !(f->flags & F_REQUIRED)) || (json_is_null(v) && (f->flags & F_NULLABLE)))
		return;
	is->field = f->key;
	switch (f->type) {
	case F_ENUM:
		if (!json_is_string(v) || !word_in(f->words, json_string_value(v)))
			wrong_word(is, f);
		break;
	case F_BOOL:
		if (!json_is_boolean(v))
			wrong_type(is, "boolean", v);
		break;
	case F_RECORD:
		check_record(is, f, v);
		break;
	default:
		check_text(is, f, v);
	}
}

enum rc issues_check(struct arena *a, const struct shape *s, const json_t *v, struct err *e)
{
	struct buf b;
	struct issues is = { .arena = a, .w = jw_on(&b) };

	buf_init(&b, BODY_MAX);
	jw_obj(&is.w);
	jw_kstr(&is.w, "error", "Invalid request body");
	jw_key(&is.w, "details");
	jw_arr(&is.w);
	if (!json_is_object(v))
		wrong_type(&is, "object", v);
	for (size_t i = 0; json_is_object(v) && i < s->n; i++)
		check_field(&is, &s->fields[i], json_object_get(v, s->fields[i].key));
	jw_end_arr(&is.w);
	jw_end_obj(&is.w);
	if (is.n) {
		err_set(e, RC_INVALID, "Invalid request body");
		if (!b.failed)
			e->body = arena_strdup(a, buf_text(&b));
	}
	buf_fini(&b);
	return is.n ? RC_INVALID : RC_OK;
}
