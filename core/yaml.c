/* YAML: libyaml's events to JSON values, and back. */
#include "core/yaml.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <yaml.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

/* The key of the one member that a date is made of: no text of a document has it. */
#define YAML_DATE "ÿ"
#define TAGS "tag:yaml.org,2002:"
#define ANCHORS_MAX 1000

/* How much of YAML is taken, and how far. */
struct dialect {
	bool whole;
	int depth;
	size_t values, size;
};

static const struct dialect PLAIN = { false, YAML_DEPTH_MAX, YAML_VALUES_MAX, SIZE_MAX };
static const struct dialect WHOLE = { true, YAML_WHOLE_DEPTH_MAX, YAML_WHOLE_VALUES_MAX,
	YAML_WHOLE_SIZE_MAX };

/* What repeating a value costs. */
struct extent {
	size_t values, size;
	int levels; /* it has, itself included */
};

struct anchor {
	const char *name;
	json_t *node;
	struct extent extent;
	bool open; /* its end has not come yet */
	struct anchor *next; /* the one before */
};

struct builder {
	struct arena *a;
	const struct dialect *dialect;
	json_t *root;
	struct level {
		json_t *node;
		const char *key; /* of a map, when its value comes next */
		bool merges;     /* and that key is a merge key */
		json_t *merged;  /* keys of a map that a merge has brought */
		size_t values, size; /* before it */
		int levels;          /* the most that were met inside */
		struct anchor *anchor;
	} levels[YAML_WHOLE_DEPTH_MAX];
	int depth;
	size_t values, size;
	struct anchor *anchors;
	size_t n_anchors;
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

static json_t *date_of(const struct dialect *dialect, const char *s)
{
	json_t *v = json_object();

	json_object_set_new_nocheck(v, dialect->whole ? YAML_DATE : "date", json_string(s));
	return v;
}

const char *yaml_date(const json_t *v)
{
	return json_str(v, YAML_DATE);
}

/* A plain scalar as the core schema of YAML 1.2 has it; numbers without a JSON form are null. */
static json_t *plain_scalar(const struct dialect *dialect, const char *s)
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
		return date_of(dialect, s);
	if (text_starts(s, "0x"))
		v = whole_number(s + 2, 16, false);
	else if (text_starts(s, "0o"))
		v = whole_number(s + 2, 8, false);
	else if (dialect->whole && text_starts(s, "0b"))
		v = whole_number(s + 2, 2, false);
	else
		v = whole_number(s + (*s == '-' || *s == '+'), 10, *s == '-');
	if (v)
		return v;
	if (!is_float(s))
		return json_string(s);
	v = json_real(strtod(s, NULL));
	return v ? v : json_null();
}

static struct level *top_level(struct builder *b)
{
	return b->depth ? &b->levels[b->depth - 1] : NULL;
}

/* Counts N more values of SIZE bytes. */
static bool count(struct builder *b, size_t n, size_t size)
{
	b->values += n;
	b->size += size;
	if (b->values > b->dialect->values)
		return refuse(b, "too many values");
	return b->size <= b->dialect->size || refuse(b, "too large, with its aliases written out");
}

/* ---- merge keys ---- */

/* What the map at hand lacks of SOURCE. */
static bool merge_one(struct builder *b, struct level *top, json_t *source)
{
	const char *key;
	json_t *v;

	if (!json_is_object(source) || yaml_date(source))
		return refuse(b, "a merge key needs maps");
	json_object_foreach(source, key, v)
		if (!json_object_get(top->node, key)) {
			json_object_set(top->node, key, v);
			json_object_set_new(top->merged, key, json_true());
		}
	return true;
}

static bool merge(struct builder *b, struct level *top, json_t *v)
{
	json_t *item;
	size_t i;

	if (!top->merged)
		top->merged = json_keep(b->a, json_object());
	if (!json_is_array(v))
		return merge_one(b, top, v);
	json_array_foreach(v, i, item)
		if (!merge_one(b, top, item))
			return false;
	return true;
}

/* ---- values ---- */

/* Takes the text S as the key of the next value. */
static bool take_key(struct builder *b, struct level *top, const char *s, bool merges)
{
	if (!merges && json_object_get(top->node, s) && !json_object_get(top->merged, s))
		return refuse(b, arena_printf(b->a, "the key %s is repeated", s));
	top->key = arena_strdup(b->a, s);
	top->merges = merges;
	return true;
}

/* Puts a value, whose reference is taken, where the next one belongs. */
static bool put(struct builder *b, json_t *v)
{
	struct level *top = top_level(b);
	bool ok = true;

	if (!v)
		return refuse(b, "a text is not well-formed");
	if (!top) {
		b->root = v;
		return true;
	}
	if (json_is_array(top->node)) {
		json_array_append_new(top->node, v);
		return true;
	}
	if (!top->key) {
		ok = json_is_string(v) ? take_key(b, top, json_string_value(v), false)
				       : refuse(b, "a key must be a text");
		json_decref(v);
		return ok;
	}
	if (top->merges) {
		ok = merge(b, top, v);
		json_decref(v);
	} else {
		json_object_set_new(top->node, top->key, v);
		json_object_del(top->merged, top->key);
	}
	top->key = NULL;
	return ok;
}

/* Notes that NAME, if there is one, stands for NODE. */
static bool add_anchor(struct builder *b, const yaml_char_t *name, json_t *node,
    struct anchor **out)
{
	if (!name)
		return true;
	if (!b->dialect->whole)
		return refuse(b, "anchors and tags are not taken");
	if (b->n_anchors++ == ANCHORS_MAX)
		return refuse(b, "too many anchors");
	*out = arena_new_of(b->a, struct anchor);
	**out = (struct anchor){ .name = arena_strdup(b->a, (const char *)name),
		.node = json_keep(b->a, json_incref(node)), .next = b->anchors };
	b->anchors = *out;
	return true;
}

static bool put_alias(struct builder *b, const char *name)
{
	struct level *top = top_level(b);
	const struct anchor *an = b->anchors;

	if (!b->dialect->whole)
		return refuse(b, "aliases are not taken");
	while (an && strcmp(an->name, name) != 0)
		an = an->next;
	if (!an)
		return refuse(b, arena_printf(b->a, "nothing is called %s", name));
	if (an->open)
		return refuse(b, arena_printf(b->a, "%s is a part of itself", name));
	if (b->depth + an->extent.levels > b->dialect->depth)
		return refuse(b, "nested too deeply");
	if (top && an->extent.levels > top->levels)
		top->levels = an->extent.levels;
	return count(b, an->extent.values, an->extent.size) && put(b, json_incref(an->node));
}

/* A scalar with a tag; NULL where the tag is unknown or does not fit. */
static json_t *tagged_scalar(const char *tag, const char *s)
{
	static const char *const NAMES[] = { "int", "float", "bool", "null", "timestamp" };
	json_t *v;
	size_t i = 0;

	if (strcmp(tag, "!") == 0 || strcmp(tag, TAGS "str") == 0)
		return json_string(s);
	if (!text_starts(tag, TAGS))
		return NULL;
	while (i < COUNT(NAMES) && strcmp(tag + strlen(TAGS), NAMES[i]) != 0)
		i++;
	v = plain_scalar(&WHOLE, s);
	if ((i == 0 && json_is_integer(v)) || (i == 1 && json_is_number(v)) ||
	    (i == 2 && json_is_boolean(v)) || (i == 3 && json_is_null(v)) ||
	    (i == 4 && yaml_date(v)))
		return v;
	json_decref(v);
	return NULL;
}

static bool put_scalar(struct builder *b, const yaml_event_t *e)
{
	struct level *top = top_level(b);
	const char *s = (const char *)e->data.scalar.value, *tag = (const char *)e->data.scalar.tag;
	size_t n = e->data.scalar.length;
	bool plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool key = top && json_is_object(top->node) && !top->key;
	struct anchor *an = NULL;
	json_t *v;

	if (strlen(s) != n || !text_is_utf8(s, n))
		return refuse(b, "a text is not well-formed");
	if (tag && !b->dialect->whole)
		return refuse(b, "anchors and tags are not taken");
	if (key && !tag && !e->data.scalar.anchor)
		return count(b, 0, n + 2) &&
		    take_key(b, top, s, b->dialect->whole && plain && strcmp(s, "<<") == 0);
	v = key ? json_string(s)
	    : tag ? tagged_scalar(tag, s)
	    : plain ? plain_scalar(b->dialect, s) : json_string(s);
	if (!v)
		return refuse(b, arena_printf(b->a, "%.100s cannot be read as %.100s", s, tag));
	if (!add_anchor(b, e->data.scalar.anchor, v, &an) || !count(b, 1, n + 2)) {
		json_decref(v);
		return false;
	}
	if (an)
		an->extent = (struct extent){ 1, n + 2, 0 };
	return put(b, v);
}

static bool open_level(struct builder *b, json_t *v, const yaml_char_t *anchor,
    const yaml_char_t *tag)
{
	const char *own = json_is_array(v) ? TAGS "seq" : TAGS "map";
	struct level *level = &b->levels[b->depth];
	struct anchor *an = NULL;
	bool ok;

	if (b->depth == b->dialect->depth) {
		json_decref(v);
		return refuse(b, "nested too deeply");
	}
	*level = (struct level){ .node = v, .values = b->values, .size = b->size };
	b->depth++;
	ok = add_anchor(b, anchor, v, &an) && count(b, 1, 2);
	if (tag && !b->dialect->whole)
		return refuse(b, "anchors and tags are not taken");
	if (tag && strcmp((const char *)tag, "!") != 0 && strcmp((const char *)tag, own) != 0)
		return refuse(b, arena_printf(b->a, "unknown tag %.100s", (const char *)tag));
	level->anchor = an;
	if (an)
		an->open = true;
	return ok;
}

static bool close_level(struct builder *b)
{
	struct level done = b->levels[--b->depth], *top = top_level(b);

	done.levels++;
	if (top && top->levels < done.levels)
		top->levels = done.levels;
	if (done.anchor) {
		done.anchor->open = false;
		done.anchor->extent = (struct extent){ b->values - done.values,
			b->size - done.size, done.levels };
	}
	return put(b, done.node);
}

static bool take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->root ? refuse(b, "there is a second document") : true;
	case YAML_ALIAS_EVENT:
		return put_alias(b, (const char *)e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return put_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(b, json_array(), e->data.sequence_start.anchor,
		    e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_level(b, json_object(), e->data.mapping_start.anchor,
		    e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_level(b);
	default:
		return true;
	}
}

/* Feeds the whole text to the builder. */
static bool build(struct builder *b, const char *text, size_t n)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool ok = true, end = false;

	if (!yaml_parser_initialize(&parser))
		return refuse(b, "out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (ok && !end) {
		if (!yaml_parser_parse(&parser, &event)) {
			ok = refuse(b, arena_printf(b->a, "line %zu: %s",
					   parser.problem_mark.line + 1,
					   parser.problem ? parser.problem : "malformed"));
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		ok = take_event(b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	while (b->depth)
		json_decref(b->levels[--b->depth].node);
	json_keep(b->a, b->root);
	return ok;
}

static void skip_mark(const char **text, size_t *n)
{
	if (*n >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*n -= 3;
	}
}

json_t *yaml_read(struct arena *a, const char *text, size_t n, const char **why)
{
	struct builder b = { .a = a, .dialect = &PLAIN };

	if (n > YAML_SIZE_MAX) {
		*why = "larger than 1 MiB";
		return NULL;
	}
	skip_mark(&text, &n);
	if (build(&b, text, n) && !b.root)
		refuse(&b, "there is no document");
	*why = b.why;
	return b.why ? NULL : b.root;
}

/* JSON, whose escapes of characters beyond U+FFFF are pairs, which YAML does not know. */
static json_t *read_json(struct arena *a, const char *text, size_t n)
{
	json_error_t e;
	json_t *v = json_keep(a, json_loadb(text, n, JSON_REJECT_DUPLICATES, &e));

	return json_is_shallow(v, WHOLE.depth - 1) ? v : NULL;
}

json_t *yaml_read_whole(struct arena *a, const char *text, size_t n, const char **why)
{
	struct builder b = { .a = a, .dialect = &WHOLE };
	json_t *v;

	*why = NULL;
	if (n > YAML_SIZE_MAX) {
		*why = "larger than 1 MiB";
		return NULL;
	}
	skip_mark(&text, &n);
	if (text_is_blank(arena_strndup(a, text, n)))
		return NULL;
	if (build(&b, text, n))
		return b.root;
	v = text[strspn(text, " \t\r\n")] == '{' ? read_json(a, text, n) : NULL;
	*why = v ? NULL : b.why;
	return v;
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
	json_t *v = plain_scalar(&WHOLE, s);
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

	if (depth > YAML_DEPTH_MAX || yaml_date(v)) {
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
