/* YAML: libyaml's events to JSON values, and back. */
#include "core/yaml.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <yaml.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

struct builder {
	struct arena *a;
	json_t *root;
	struct level {
		json_t *node;
		const char *key; /* of a map, when its value comes next */
	} levels[YAML_DEPTH_MAX];
	int depth;
	size_t values;
	const char *why;
};

static bool refuse(struct builder *b, const char *why)
{
	if (!b->why)
		b->why = why;
	return false;
}

static bool is_word(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

/* Whether S has the form of FORM, where 0 stands for any digit, up to the end of FORM. */
static bool has_form(const char *s, const char *form)
{
	for (; *form; s++, form++)
		if (*form == '0' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	return true;
}

static bool is_date(const char *s)
{
	if (!has_form(s, "0000-00-00"))
		return false;
	s += strlen("0000-00-00");
	return !*s || ((*s == 'T' || *s == 't' || *s == ' ') && has_form(s + 1, "00:00:00") &&
			  !s[1 + strspn(s + 1, "0123456789:.+-Z ")]);
}

static bool is_float(const char *s)
{
	size_t whole, fraction = 0;

	s += *s == '-' || *s == '+';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		fraction = strspn(s + 1, "0123456789");
		s += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s += s[1] == '-' || s[1] == '+' ? 2 : 1;
		if (!*s)
			return false;
		s += strspn(s, "0123456789");
	}
	return !*s;
}

/* The number that the DIGITS make; NULL where there are none or others, or where it is so large
 * that it is read as a float. */
static json_t *whole_number(const char *digits, int base, bool negative)
{
	static const char ALL[] = "0123456789abcdef";
	double v = 0;

	if (!*digits)
		return NULL;
	for (; *digits; digits++) {
		const char *p = strchr(ALL, tolower((unsigned char)*digits));

		if (!p || p - ALL >= base)
			return NULL;
		v = v * base + (double)(p - ALL);
	}
	if (v > 9e15)
		return NULL;
	return json_integer((json_int_t)(negative ? -v : v));
}

/* A plain scalar as the core schema of YAML 1.2 has it; numbers without a JSON form are null. */
static json_t *plain_scalar(const char *s)
{
	static const char *const NONE[] = { "", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN",
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF" };
	static const char *const TRUE_WORDS[] = { "true", "True", "TRUE" };
	static const char *const FALSE_WORDS[] = { "false", "False", "FALSE" };
	json_t *v = NULL;

	if (is_word(s, NONE, COUNT(NONE)))
		return json_null();
	if (is_word(s, TRUE_WORDS, COUNT(TRUE_WORDS)))
		return json_true();
	if (is_word(s, FALSE_WORDS, COUNT(FALSE_WORDS)))
		return json_false();
	if (!strchr("+-.0123456789", *s))
		return json_string(s);
	if (is_date(s))
		return json_pack("{s:s}", "date", s);
	if (text_starts(s, "0x"))
		v = whole_number(s + 2, 16, false);
	else if (text_starts(s, "0o"))
		v = whole_number(s + 2, 8, false);
	else
		v = whole_number(s + (*s == '-' || *s == '+'), 10, *s == '-');
	if (v)
		return v;
	if (!is_float(s))
		return json_string(s);
	v = json_real(strtod(s, NULL));
	return v ? v : json_null();
}

/* Puts a value, whose reference is taken, where the next one belongs. */
static bool put(struct builder *b, json_t *v)
{
	struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;

	if (!v)
		return refuse(b, "a text is not well-formed");
	if (++b->values > YAML_VALUES_MAX) {
		json_decref(v);
		return refuse(b, "too many values");
	}
	if (!top) {
		b->root = v;
	} else if (json_is_array(top->node)) {
		json_array_append_new(top->node, v);
	} else if (top->key) {
		json_object_set_new(top->node, top->key, v);
		top->key = NULL;
	} else {
		json_decref(v);
		return refuse(b, "a key must be a text");
	}
	return true;
}

static bool put_scalar(struct builder *b, const yaml_event_t *e)
{
	struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;
	const char *s = (const char *)e->data.scalar.value;

	if (strlen(s) != e->data.scalar.length || !text_is_utf8(s, e->data.scalar.length))
		return refuse(b, "a text is not well-formed");
	if (top && json_is_object(top->node) && !top->key) {
		if (json_object_get(top->node, s))
			return refuse(b, arena_printf(b->a, "the key %s is repeated", s));
		top->key = arena_strdup(b->a, s);
		return true;
	}
	return put(b, e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(s)
								       : json_string(s));
}

static bool open_level(struct builder *b, json_t *v)
{
	if (b->depth == YAML_DEPTH_MAX) {
		json_decref(v);
		return refuse(b, "nested too deeply");
	}
	if (!put(b, v))
		return false;
	b->levels[b->depth++] = (struct level){ v, NULL };
	return true;
}

static bool take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->root ? refuse(b, "there is a second document") : true;
	case YAML_ALIAS_EVENT:
		return refuse(b, "aliases are not taken");
	case YAML_SCALAR_EVENT:
		if (e->data.scalar.anchor || e->data.scalar.tag)
			return refuse(b, "anchors and tags are not taken");
		return put_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		if (e->data.sequence_start.anchor || e->data.sequence_start.tag)
			return refuse(b, "anchors and tags are not taken");
		return open_level(b, json_array());
	case YAML_MAPPING_START_EVENT:
		if (e->data.mapping_start.anchor || e->data.mapping_start.tag)
			return refuse(b, "anchors and tags are not taken");
		return open_level(b, json_object());
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	default:
		return true;
	}
}

json_t *yaml_read(struct arena *a, const char *text, size_t n, const char **why)
{
	struct builder b = { .a = a };
	yaml_parser_t parser;
	yaml_event_t event;
	bool ok = true, end = false;

	if (n > YAML_SIZE_MAX) {
		*why = "larger than 1 MiB";
		return NULL;
	}
	if (!yaml_parser_initialize(&parser)) {
		*why = "out of memory";
		return NULL;
	}
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (ok && !end) {
		if (!yaml_parser_parse(&parser, &event)) {
			ok = refuse(&b, arena_printf(a, "line %zu: %s",
					    parser.problem_mark.line + 1,
					    parser.problem ? parser.problem : "malformed"));
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		ok = take_event(&b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	json_keep(a, b.root);
	if (ok && !b.root)
		ok = refuse(&b, "there is no document");
	*why = b.why;
	return ok ? b.root : NULL;
}

/* ---- writing ---- */

struct writer {
	yaml_emitter_t emitter;
	struct buf out;
	bool quote_all, failed;
};

static int on_output(void *arg, unsigned char *data, size_t n)
{
	struct buf *b = arg;

	buf_add(b, (const char *)data, n);
	return !b->failed;
}

static void emit(struct writer *w, yaml_event_t *e, int made)
{
	if (!made)
		w->failed = true;
	else if (w->failed)
		yaml_event_delete(e);
	else if (!yaml_emitter_emit(&w->emitter, e))
		w->failed = true;
}

/* Whether every reader takes S without quotes for a text: YAML 1.1 has more words, and times. */
static bool is_plain_text(const char *s)
{
	static const char *const WORDS_1_1[] = { "y", "Y", "n", "N", "yes", "Yes", "YES", "no",
		"No", "NO", "on", "On", "ON", "off", "Off", "OFF", "<<", "=" };
	json_t *v = plain_scalar(s);
	bool text = json_is_string(v);

	json_decref(v);
	return text && !is_word(s, WORDS_1_1, COUNT(WORDS_1_1)) && !strpbrk(s, "\n:");
}

static void emit_text(struct writer *w, const char *s)
{
	yaml_event_t e;
	yaml_scalar_style_t style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;

	if (!w->quote_all && strchr(s, '\n'))
		style = YAML_LITERAL_SCALAR_STYLE;
	else if (!w->quote_all && is_plain_text(s))
		style = YAML_PLAIN_SCALAR_STYLE;
	emit(w, &e,
	    yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)s, (int)strlen(s),
		style == YAML_PLAIN_SCALAR_STYLE, 1, style));
}

static void emit_plain(struct writer *w, const char *s)
{
	yaml_event_t e;

	emit(w, &e,
	    yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)s, (int)strlen(s), 1,
		0, YAML_PLAIN_SCALAR_STYLE));
}

static void emit_value(struct writer *w, const json_t *v, int depth)
{
	char number[NUM_TEXT_SIZE];
	const char *key;
	json_t *item;
	yaml_event_t e;
	size_t i;

	if (depth > YAML_DEPTH_MAX) {
		w->failed = true;
	} else if (json_is_object(v)) {
		emit(w, &e,
		    yaml_mapping_start_event_initialize(
			&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
		json_object_foreach((json_t *)(uintptr_t)v, key, item) {
			emit_text(w, key);
			emit_value(w, item, depth + 1);
		}
		emit(w, &e, yaml_mapping_end_event_initialize(&e));
	} else if (json_is_array(v)) {
		emit(w, &e,
		    yaml_sequence_start_event_initialize(&e, NULL, NULL, 1,
			YAML_BLOCK_SEQUENCE_STYLE));
		json_array_foreach(v, i, item)
			emit_value(w, item, depth + 1);
		emit(w, &e, yaml_sequence_end_event_initialize(&e));
	} else if (json_is_string(v)) {
		emit_text(w, json_string_value(v));
	} else if (json_is_number(v)) {
		num_text(number, json_number_value(v));
		emit_plain(w, number);
	} else {
		emit_plain(w, json_is_true(v) ? "true" : json_is_false(v) ? "false" : "null");
	}
}

static void emit_document(struct writer *w, const json_t *v)
{
	yaml_event_t e;

	emit(w, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING));
	emit(w, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1));
	emit_value(w, v, 0);
	emit(w, &e, yaml_document_end_event_initialize(&e, 1));
	emit(w, &e, yaml_stream_end_event_initialize(&e));
}

/* Whether both are the same, where numbers count by their value. */
static bool same(const json_t *a, const json_t *b)
{
	json_t *item;
	const char *key;
	size_t i;

	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	if (!a || !b || json_typeof(a) != json_typeof(b))
		return false;
	if (json_object_size(a) != json_object_size(b) || json_array_size(a) != json_array_size(b))
		return false;
	json_object_foreach((json_t *)(uintptr_t)a, key, item)
		if (!same(item, json_object_get(b, key)))
			return false;
	json_array_foreach(a, i, item)
		if (!same(item, json_array_get(b, i)))
			return false;
	return !json_is_string(a) || json_equal(a, b);
}

/* The document, or NULL where it does not read back as V. */
static const char *written(struct arena *a, const json_t *v, bool quote_all)
{
	struct writer w = { .quote_all = quote_all };
	const char *text = NULL, *why;

	if (!yaml_emitter_initialize(&w.emitter))
		return NULL;
	buf_init(&w.out, YAML_SIZE_MAX);
	yaml_emitter_set_output(&w.emitter, on_output, &w.out);
	yaml_emitter_set_unicode(&w.emitter, 1);
	yaml_emitter_set_indent(&w.emitter, 2);
	yaml_emitter_set_width(&w.emitter, -1);
	emit_document(&w, v);
	yaml_emitter_flush(&w.emitter);
	if (!w.failed && !w.out.failed) {
		text = arena_strdup(a, buf_text(&w.out));
		if (!same(yaml_read(a, text, strlen(text), &why), v))
			text = NULL;
	}
	yaml_emitter_delete(&w.emitter);
	buf_fini(&w.out);
	return text;
}

const char *yaml_write(struct arena *a, const json_t *v)
{
	const char *text = written(a, v, false);

	return text ? text : written(a, v, true);
}
