/* Validation in the interface's words (conventions: Schema messages), and JSON Schema output. */
#include "core/shape.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/text.h"
#include "core/yaml.h"

#define SAFE_INT 9007199254740991.0
#define NEST_MAX 16
#define BODY_MAX ((size_t)16 << 20)
/* Of one field no more problems than this are told: a list may have millions of bad elements. */
#define PROBLEMS_MAX 1000

struct check {
	struct arena *a;
	const char *field;
	struct problem *first, **end;
	size_t n; /* problems of this field so far */
};

/* A date is kept as an object, but is none. */
static bool is_object(const json_t *v)
{
	return json_is_object(v) && !yaml_date(v);
}

const char *json_kind(const json_t *v)
{
	if (!v)
		return "undefined";
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return is_object(v) ? "object" : "Date";
	case JSON_ARRAY:
		return "array";
	case JSON_STRING:
		return "string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "boolean";
	default:
		return "null";
	}
}

static void add(struct check *c, const char *message)
{
	struct problem *p = arena_new_of(c->a, struct problem);

	*p = (struct problem){ NULL, c->field, message };
	*c->end = p;
	c->end = &p->next;
	c->n++;
}

static const char *type_name(const struct field *f)
{
	static const char *const NAMES[] = { [F_STRING] = "string", [F_NUMBER] = "number",
		[F_INT] = "number", [F_BOOL] = "boolean", [F_ENUM] = "string", [F_ARRAY] = "array",
		[F_OBJECT] = "object", [F_RECORD] = "record", [F_ANY] = "any",
		[F_UNION] = "any" };

	return NAMES[f->type];
}

static bool type_fits(const struct field *f, const json_t *v)
{
	switch (f->type) {
	case F_STRING:
		return json_is_string(v);
	case F_NUMBER:
	case F_INT:
		return json_is_number(v);
	case F_BOOL:
		return json_is_boolean(v);
	case F_ARRAY:
		return json_is_array(v);
	case F_OBJECT:
	case F_RECORD:
		return is_object(v);
	default:
		return v != NULL;
	}
}

static const char *number(struct arena *a, double v)
{
	char text[NUM_TEXT_SIZE];

	num_text(text, v);
	return arena_strdup(a, text);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* digits.digits.digits */
static bool is_version(const char *s)
{
	for (int part = 0; part < 3; part++) {
		if (!is_digit(*s))
			return false;
		while (is_digit(*s))
			s++;
		if (part < 2 && *s++ != '.')
			return false;
	}
	return !*s;
}

/* Whether the N bytes at S are a host, perhaps with a user before it and a port behind it. */
static bool is_authority(const char *s, size_t n)
{
	const char *end = s + n, *at = memrchr(s, '@', n), *host = at ? at + 1 : s;
	const char *colon = memchr(host, *host == '[' ? ']' : ':', (size_t)(end - host));
	long port = 0;

	if (host < end && *host == '[') {
		if (!colon++)
			return false;
	} else if (!colon) {
		colon = end;
	}
	if (colon == host)
		return false;
	for (const char *p = host; p < colon; p++)
		if ((unsigned char)*p <= ' ' || strchr("<>^|%", *p))
			return false;
	if (colon < end && *colon != ':')
		return false;
	for (const char *p = colon + 1; p < end; p++) {
		if (!is_digit(*p) || port > 65535)
			return false;
		port = port * 10 + *p - '0';
	}
	return port <= 65535;
}

/* A scheme and something behind it; the schemes of the web need a host. Blanks at the ends are none
 * of it. */
static bool is_url(const char *s)
{
	static const char *const WEB[] = { "http:", "https:", "ftp:", "ws:", "wss:" };
	const char *p;
	size_t n;

	while (*s && (unsigned char)*s <= ' ')
		s++;
	p = s;
	if (!is_letter(*p))
		return false;
	while (is_letter(*p) || is_digit(*p) || *p == '+' || *p == '-' || *p == '.')
		p++;
	if (*p++ != ':')
		return false;
	for (size_t i = 0; i < COUNT(WEB); i++)
		if (strncasecmp(s, WEB[i], strlen(WEB[i])) == 0 && s + strlen(WEB[i]) == p) {
			p += strspn(p, "/\\");
			n = strcspn(p, "/\\?#");
			while (n && !p[n] && (unsigned char)p[n - 1] <= ' ')
				n--;
			return is_authority(p, n);
		}
	return true;
}

/* RFC 9562, with the nil and the max id. */
static bool is_uuid(const char *s)
{
	static const char FORM[] = "xxxxxxxx-xxxx-Vxxx-Nxxx-xxxxxxxxxxxx";

	if (strcmp(s, "00000000-0000-0000-0000-000000000000") == 0 ||
	    strcmp(s, "ffffffff-ffff-ffff-ffff-ffffffffffff") == 0)
		return true;
	for (size_t i = 0; i < sizeof FORM; i++) {
		const char *set = FORM[i] == 'x' ? "0123456789abcdefABCDEF"
		    : FORM[i] == 'V'		 ? "12345678"
		    : FORM[i] == 'N'		 ? "89abAB"
						 : "-";

		if (FORM[i] ? !s[i] || !strchr(set, s[i]) : s[i])
			return false;
	}
	return true;
}

static bool is_email(const char *s)
{
	size_t n = 0;
	const char *at = strchr(s, '@'), *label;

	if (!at || at == s || *s == '.' || at[-1] == '.' || at[-1] == '\'' || strstr(s, ".."))
		return false;
	for (const char *p = s; p < at; p++)
		if (!is_letter(*p) && !is_digit(*p) && !strchr("_'+-.", *p))
			return false;
	for (label = at + 1;; label += n + 1) {
		n = strcspn(label, ".");
		if (!is_letter(*label) && !is_digit(*label))
			return false;
		for (size_t i = 0; i < n; i++)
			if (!is_letter(label[i]) && !is_digit(label[i]) && label[i] != '-')
				return false;
		if (!label[n])
			break;
	}
	for (const char *p = label; *p; p++)
		if (!is_letter(*p))
			return false;
	return label > at + 1 && n >= 2;
}

static bool is_time(const char *s)
{
	int64_t t;

	return time_parse_iso(s, &t);
}

static const struct {
	bool (*fits)(const char *s);
	const char *message, *keyword, *value; /* of the JSON Schema */
} FORMATS[] = {
	[FMT_VERSION] = { is_version,
	    "Invalid string: must match pattern /^\\d+\\.\\d+\\.\\d+$/", "pattern",
	    "^\\d+\\.\\d+\\.\\d+$" },
	[FMT_URL] = { is_url, "Invalid URL", "format", "uri" },
	[FMT_UUID] = { is_uuid, "Invalid UUID", "format", "uuid" },
	[FMT_EMAIL] = { is_email, "Invalid email address", "format", "email" },
	[FMT_TIME] = { is_time, "Invalid ISO datetime", "format", "date-time" },
};

/* Length limits look at texts and arrays, of the right type or not. */
static void check_length(struct check *c, const struct field *f, const json_t *v)
{
	bool text = json_is_string(v);
	double n = text ? (double)text_units(json_string_value(v)) : (double)json_array_size(v);
	const char *what = text ? "string" : "array", *unit = text ? "characters" : "items";

	if ((f->flags & F_MIN) && n < f->min)
		add(c, f->message_min ? f->message_min
				      : arena_printf(c->a, "Too small: expected %s to have >=%s %s",
					    what, number(c->a, f->min), unit));
	if ((f->flags & F_MAX) && n > f->max)
		add(c, arena_printf(c->a, "Too big: expected %s to have <=%s %s", what,
			   number(c->a, f->max), unit));
}

static bool has_length(const struct field *f)
{
	return f->type == F_STRING || f->type == F_ARRAY;
}

static void check_number(struct check *c, const struct field *f, double v)
{
	if (f->type == F_INT && v != floor(v)) {
		add(c, "Invalid input: expected int, received number");
		return;
	}
	if (f->type == F_INT && v > SAFE_INT)
		add(c, "Too big: expected int to be <=9007199254740991");
	if (f->type == F_INT && v < -SAFE_INT)
		add(c, "Too small: expected int to be >=-9007199254740991");
	if ((f->flags & F_MIN) && (v < f->min || ((f->flags & F_ABOVE) && v == f->min)))
		add(c, f->message_min ? f->message_min
				      : arena_printf(c->a, "Too small: expected number to be >%s%s",
					    f->flags & F_ABOVE ? "" : "=", number(c->a, f->min)));
	if ((f->flags & F_MAX) && (v > f->max || ((f->flags & F_BELOW) && v == f->max)))
		add(c, arena_printf(c->a, "Too big: expected number to be <%s%s",
			   f->flags & F_BELOW ? "" : "=", number(c->a, f->max)));
	if ((f->flags & F_MULTIPLE) && fmod(v, f->multiple) != 0)
		add(c, arena_printf(c->a, "Invalid number: must be a multiple of %s",
			   number(c->a, f->multiple)));
}

static void check_enum(struct check *c, const struct field *f, const json_t *v)
{
	struct buf b;

	if (json_is_string(v) && word_in(f->words, json_string_value(v)))
		return;
	if (f->words->n == 1) {
		add(c, arena_printf(c->a, "Invalid input: expected \"%s\"", f->words->words[0]));
		return;
	}
	buf_init(&b, 4096);
	buf_str(&b, "Invalid option: expected one of ");
	for (size_t i = 0; i < f->words->n; i++)
		buf_printf(&b, "%s\"%s\"", i ? "|" : "", f->words->words[i]);
	add(c, arena_strdup(c->a, buf_text(&b)));
	buf_fini(&b);
}

static void check_object(struct check *c, const struct shape *s, const json_t *v, int depth);
static void check_value(struct check *c, const struct field *f, const json_t *v, int depth);

static void check_union(struct check *c, const struct field *f, const json_t *v, int depth)
{
	for (size_t i = 0; v && i < f->n_items; i++) {
		struct check one = { .a = c->a, .field = c->field };

		one.end = &one.first;
		check_value(&one, &f->item[i], v, depth + 1);
		if (!one.first)
			return;
	}
	add(c, "Invalid input");
}

static void check_text(struct check *c, const struct field *f, const char *s)
{
	if (f->prefix && !text_starts(s, f->prefix))
		add(c, f->message_prefix
			    ? f->message_prefix
			    : arena_printf(c->a, "Invalid string: must start with \"%s\"",
				  f->prefix));
	if (f->format != FMT_ANY && !FORMATS[f->format].fits(s))
		add(c, FORMATS[f->format].message);
}

static void check_value(struct check *c, const struct field *f, const json_t *v, int depth)
{
	size_t i;
	const char *key;
	json_t *item;

	if ((json_is_null(v) && (f->flags & F_NULLABLE)) || depth > NEST_MAX || c->n >= PROBLEMS_MAX)
		return;
	if (f->type == F_ENUM) {
		check_enum(c, f, v);
		return;
	}
	if (f->type == F_UNION) {
		check_union(c, f, v, depth);
		return;
	}
	if (!type_fits(f, v)) {
		add(c, arena_printf(c->a, "Invalid input: expected %s, received %s", type_name(f),
			   json_kind(v)));
		if (!(f->flags & F_BRIEF) && has_length(f) &&
		    (json_is_string(v) || json_is_array(v)))
			check_length(c, f, v);
		return;
	}
	if (f->type == F_NUMBER || f->type == F_INT)
		check_number(c, f, json_number_value(v));
	if (f->type == F_ARRAY && f->item)
		json_array_foreach(v, i, item)
			check_value(c, f->item, item, depth + 1);
	if (f->type == F_RECORD && f->item)
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
			check_value(c, f->item, item, depth + 1);
	if (f->type == F_OBJECT && f->shape)
		check_object(c, f->shape, v, depth + 1);
	if (has_length(f))
		check_length(c, f, v);
	if (f->type == F_STRING)
		check_text(c, f, json_string_value(v));
}

static void check_unknown(struct check *c, const struct shape *s, const json_t *v)
{
	struct buf names;
	int n = 0;
	const char *key;
	json_t *item;

	buf_init(&names, BODY_MAX);
	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		size_t i = 0;

		while (i < s->n && strcmp(s->fields[i].key, key) != 0)
			i++;
		if (i == s->n)
			buf_printf(&names, "%s\"%s\"", n++ ? ", " : "", key);
	}
	if (n)
		add(c, arena_printf(c->a, "Unrecognized key%s: %s", n > 1 ? "s" : "",
			   buf_text(&names)));
	buf_fini(&names);
}

/* At depth 0 each field's problems go under its own name; deeper ones under the outermost. */
static void check_object(struct check *c, const struct shape *s, const json_t *v, int depth)
{
	const char *outer = c->field;

	for (size_t i = 0; i < s->n; i++) {
		const struct field *f = &s->fields[i];
		const json_t *item = json_object_get(v, f->key);

		if (!item && !(f->flags & F_REQUIRED))
			continue;
		if (depth == 0) {
			c->field = f->key;
			c->n = 0;
		}
		check_value(c, f, item, depth);
		c->field = outer;
	}
	if (s->strict)
		check_unknown(c, s, v);
}

struct problem *shape_problems(struct arena *a, const struct shape *s, const json_t *v)
{
	struct check c = { .a = a };

	c.end = &c.first;
	if (is_object(v))
		check_object(&c, s, v, 0);
	else
		add(&c, arena_printf(a, "Invalid input: expected object, received %s",
			    json_kind(v)));
	return c.first;
}

static void messages_of(struct jw *w, const struct problem *list, const char *field)
{
	jw_arr(w);
	for (; list; list = list->next)
		if (field ? list->field && strcmp(field, list->field) == 0 : !list->field)
			jw_str(w, list->message);
	jw_end_arr(w);
}

static bool named_before(const struct problem *list, const struct problem *p)
{
	for (; list != p; list = list->next)
		if (list->field && strcmp(list->field, p->field) == 0)
			return true;
	return false;
}

const char *shape_errors_body(struct arena *a, const struct problem *list)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *body;

	buf_init(&b, BODY_MAX);
	jw_obj(&w);
	jw_key(&w, "error");
	jw_obj(&w);
	jw_key(&w, "formErrors");
	messages_of(&w, list, NULL);
	jw_key(&w, "fieldErrors");
	jw_obj(&w);
	for (const struct problem *p = list; p; p = p->next)
		if (p->field && !named_before(list, p)) {
			jw_key(&w, p->field);
			messages_of(&w, list, p->field);
		}
	jw_end_obj(&w);
	jw_end_obj(&w);
	jw_end_obj(&w);
	body = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return body;
}

enum rc shape_check(struct arena *a, const struct shape *s, const json_t *v, struct err *e)
{
	struct problem *list = shape_problems(a, s, v);

	if (!list)
		return RC_OK;
	if (s->plain)
		return err_set(e, RC_INVALID, "%s", s->plain);
	e->body = shape_errors_body(a, list);
	return err_set(e, RC_INVALID, "%s", list->message);
}

enum rc shape_fail(struct arena *a, struct err *e, const char *field, const char *message)
{
	struct problem p = { NULL, field, message };

	e->body = shape_errors_body(a, &p);
	return err_set(e, RC_INVALID, "%s", message);
}

const char *shape_problems_line(struct arena *a, const struct problem *list)
{
	struct buf b;
	const char *line;

	buf_init(&b, 64 << 10);
	for (const struct problem *p = list; p; p = p->next)
		buf_printf(&b, "%s%s%s%s", p == list ? "" : "; ", p->field ? p->field : "",
		    p->field ? ": " : "", p->message);
	line = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return line;
}

static json_t *pick_object(const struct shape *s, const json_t *v);

static json_t *pick_value(const struct field *f, const json_t *v)
{
	json_t *out, *item;
	const char *key;
	size_t i;

	if (f->type == F_OBJECT && f->shape)
		return pick_object(f->shape, v);
	if (f->type == F_ARRAY && f->item) {
		out = json_array();
		json_array_foreach(v, i, item)
			json_array_append_new(out, pick_value(f->item, item));
		return out;
	}
	if (f->type == F_RECORD && f->item) {
		out = json_object();
		json_object_foreach((json_t *)(uintptr_t)v, key, item)
			json_object_set_new(out, key, pick_value(f->item, item));
		return out;
	}
	return json_deep_copy(v);
}

static json_t *pick_object(const struct shape *s, const json_t *v)
{
	json_t *out = json_object();

	for (size_t i = 0; i < s->n; i++) {
		const json_t *item = json_object_get(v, s->fields[i].key);

		if (item)
			json_object_set_new(out, s->fields[i].key, pick_value(&s->fields[i], item));
	}
	return out;
}

json_t *shape_pick(struct arena *a, const struct shape *s, const json_t *v)
{
	return json_keep(a, pick_object(s, v));
}

static void schema_limits(struct jw *w, const struct field *f)
{
	bool length = has_length(f);
	const char *low = !length ? f->flags & F_ABOVE ? "exclusiveMinimum" : "minimum"
	    : f->type == F_STRING ? "minLength" : "minItems";
	const char *high = !length ? f->flags & F_BELOW ? "exclusiveMaximum" : "maximum"
	    : f->type == F_STRING ? "maxLength" : "maxItems";

	if (f->flags & F_MIN)
		jw_knum(w, low, f->min);
	if (f->flags & F_MAX)
		jw_knum(w, high, f->max);
	if (f->flags & F_MULTIPLE)
		jw_knum(w, "multipleOf", f->multiple);
	if (f->format != FMT_ANY)
		jw_kstr(w, FORMATS[f->format].keyword, FORMATS[f->format].value);
}

static void schema_type(struct jw *w, const struct field *f)
{
	const char *type = f->type == F_INT ? "integer" : f->type == F_RECORD ? "object"
									     : type_name(f);

	if (f->type == F_ANY || f->type == F_UNION)
		return;
	jw_key(w, "type");
	if (f->flags & F_NULLABLE) {
		jw_arr(w);
		jw_str(w, type);
		jw_str(w, "null");
		jw_end_arr(w);
	} else {
		jw_str(w, type);
	}
	if (f->type == F_ENUM) {
		jw_key(w, "enum");
		jw_arr(w);
		for (size_t i = 0; i < f->words->n; i++)
			jw_str(w, f->words->words[i]);
		if (f->flags & F_NULLABLE)
			jw_null(w);
		jw_end_arr(w);
	}
}

static void schema_object(struct jw *w, const struct shape *s)
{
	bool required = false;

	jw_key(w, "properties");
	jw_obj(w);
	for (size_t i = 0; i < s->n; i++) {
		required |= (s->fields[i].flags & F_REQUIRED) != 0;
		jw_key(w, s->fields[i].key);
		field_json_schema(w, &s->fields[i]);
	}
	jw_end_obj(w);
	if (required) {
		jw_key(w, "required");
		jw_arr(w);
		for (size_t i = 0; i < s->n; i++)
			if (s->fields[i].flags & F_REQUIRED)
				jw_str(w, s->fields[i].key);
		jw_end_arr(w);
	}
	if (s->strict)
		jw_kbool(w, "additionalProperties", false);
}

void field_json_schema(struct jw *w, const struct field *f)
{
	jw_obj(w);
	schema_type(w, f);
	schema_limits(w, f);
	if (f->doc)
		jw_kstr(w, "description", f->doc);
	if (f->otherwise) {
		jw_key(w, "default");
		jw_raw(w, f->otherwise, strlen(f->otherwise));
	}
	if (f->type == F_ARRAY) {
		jw_key(w, "items");
		if (f->item) {
			field_json_schema(w, f->item);
		} else {
			jw_obj(w);
			jw_end_obj(w);
		}
	}
	if (f->type == F_RECORD && f->item) {
		jw_key(w, "additionalProperties");
		field_json_schema(w, f->item);
	}
	if (f->type == F_UNION) {
		jw_key(w, "anyOf");
		jw_arr(w);
		for (size_t i = 0; i < f->n_items; i++)
			field_json_schema(w, &f->item[i]);
		jw_end_arr(w);
	}
	if (f->type == F_OBJECT && f->shape)
		schema_object(w, f->shape);
	jw_end_obj(w);
}

void shape_json_schema(struct jw *w, const struct shape *s)
{
	jw_obj(w);
	jw_kstr(w, "type", "object");
	schema_object(w, s);
	jw_end_obj(w);
}
