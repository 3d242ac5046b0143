/* Templates: three passes over a text, each from one buffer into the next. */
#include "core/template.h"

#include "core/json_out.h"
#include "core/text.h"

#define IF_OPEN "{{#if"
#define IF_CLOSE "{{/if}}"
#define VALUE_DEPTH_MAX 100

bool template_truth(const json_t *v)
{
	if (!v || json_is_null(v) || json_is_false(v))
		return false;
	return !json_is_string(v) || *json_string_value(v);
}

/* The length of the name at S, 0 where there is none. */
static size_t name_length(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static const json_t *value_of(const json_t *values, const char *name, size_t n)
{
	return json_object_getn(values, name, n);
}

/* ---- the first pass: conditional parts ---- */

struct part {
	const char *name;
	size_t n;
	const char *content, *end; /* the latter behind the closing mark */
};

/* Reads the conditional part at S; false where none begins there or it has no end. LAST is the last
 * closing mark of the text. */
static bool read_part(const char *s, const char *last, struct part *p)
{
	const char *blanks = s + strlen(IF_OPEN);

	if (!last || s > last || !text_starts(s, IF_OPEN))
		return false;
	p->name = blanks + strspn(blanks, " \t\r\n\v\f");
	p->n = name_length(p->name);
	if (p->name == blanks || !p->n || !text_starts(p->name + p->n, "}}"))
		return false;
	p->content = p->name + p->n + 2;
	p->end = strstr(p->content, IF_CLOSE);
	if (!p->end)
		return false;
	p->end += strlen(IF_CLOSE);
	return true;
}

static const char *last_close(const char *text)
{
	const char *last = NULL;

	for (const char *p = text; (p = strstr(p, IF_CLOSE)); p++)
		last = p;
	return last;
}

static void choose_parts(struct buf *out, const char *text, const json_t *values)
{
	const char *last = last_close(text), *next;
	struct part p;

	for (; (next = strstr(text, "{{")); text = next) {
		buf_add(out, text, (size_t)(next - text));
		if (!read_part(next, last, &p)) {
			buf_char(out, *next++);
			continue;
		}
		if (template_truth(value_of(values, p.name, p.n)))
			buf_add(out, p.content, (size_t)(p.end - p.content) - strlen(IF_CLOSE));
		next = p.end;
	}
	buf_str(out, text);
}

/* ---- the second pass: values ---- */

static void add_value(struct buf *out, const json_t *v, int depth)
{
	char number[NUM_TEXT_SIZE];
	size_t i;
	json_t *item;

	if (json_is_string(v)) {
		buf_add(out, json_string_value(v), json_string_length(v));
	} else if (json_is_number(v)) {
		num_text(number, json_number_value(v));
		buf_str(out, number);
	} else if (json_is_boolean(v)) {
		buf_str(out, json_is_true(v) ? "true" : "false");
	} else if (json_is_object(v)) {
		buf_str(out, "[object Object]");
	} else if (json_is_array(v) && depth < VALUE_DEPTH_MAX) {
		json_array_foreach(v, i, item) {
			if (i)
				buf_char(out, ',');
			add_value(out, item, depth + 1);
		}
	}
}

static void put_values(struct buf *out, const char *text, const json_t *values)
{
	const char *next;
	size_t n;

	for (; !out->failed && (next = strstr(text, "{{")); text = next) {
		buf_add(out, text, (size_t)(next - text));
		n = name_length(next + 2);
		if (n && text_starts(next + 2 + n, "}}")) {
			add_value(out, value_of(values, next + 2, n), 0);
			next += n + 4;
		} else {
			buf_char(out, *next++);
		}
	}
	buf_str(out, text);
}

/* ---- the third pass: blank lines ---- */

static void add_tidied(struct buf *out, const char *text)
{
	struct arena *a = arena_new(2 * TEMPLATE_MAX);

	text = text_trim(a, text);
	while (*text) {
		size_t n = strcspn(text, "\n"), lines = strspn(text + n, "\n");

		buf_add(out, text, n + (lines < 3 ? lines : 2));
		text += n + lines;
	}
	arena_free(a);
}

void template_resolve(struct buf *out, const char *text, const json_t *values)
{
	struct buf chosen, filled;

	buf_init(&chosen, TEMPLATE_MAX);
	buf_init(&filled, TEMPLATE_MAX);
	choose_parts(&chosen, text, values);
	put_values(&filled, buf_text(&chosen), values);
	if (chosen.failed || filled.failed)
		out->failed = true;
	else
		add_tidied(out, buf_text(&filled));
	buf_fini(&chosen);
	buf_fini(&filled);
}

bool template_condition(struct arena *a, const char *condition, const json_t *values)
{
	const char *name = text_trim(a, condition);
	size_t n = strlen(name);

	if (!n)
		return true;
	if (n >= 4 && text_starts(name, "{{") && text_ends(name, "}}"))
		name = text_trim(a, arena_strndup(a, name + 2, n - 4));
	return template_truth(json_object_get(values, name));
}
