/* Formulas: lexer and parser. Binary operators of one level form a chain, not a tree, so that only
 * what is written nested is nested. */
#include "core/formula_int.h"

#include <ctype.h>

#include "core/text.h"

enum token_kind { T_END, T_BAD, T_NUMBER, T_TEXT, T_REF, T_NAME, T_OP, T_OPEN, T_CLOSE, T_COMMA };

struct token {
	enum token_kind kind;
	enum op op;
	const char *s;
	size_t n;
};

struct parser {
	struct arena *a;
	struct formula *f;
	const char *p;
	struct token t;
	int depth;
};

static const struct {
	const char *text;
	enum op op;
} OPERATORS[] = {
	{ "==", OP_EQ }, { "!=", OP_NE }, { ">=", OP_GE }, { "<=", OP_LE }, { ">", OP_GT },
	{ "<", OP_LT }, { "+", OP_ADD }, { "-", OP_SUB }, { "*", OP_MUL }, { "/", OP_DIV },
	{ "%", OP_MOD },
};

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool starts_number(const char *p)
{
	return isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1]));
}

/* The text from S on, up to END or to the end of the formula; P goes behind it. */
static void take_until(struct parser *ps, enum token_kind kind, const char *s, const char *end)
{
	const char *stop = strstr(s, end);

	ps->t = (struct token){ kind, OP_NONE, s, stop ? (size_t)(stop - s) : strlen(s) };
	ps->p = stop ? stop + strlen(end) : s + ps->t.n;
}

static void take_run(struct parser *ps, enum token_kind kind, size_t n)
{
	ps->t = (struct token){ kind, OP_NONE, ps->p, n };
	ps->p += n;
}

static void take_operator(struct parser *ps)
{
	for (size_t i = 0; i < COUNT(OPERATORS); i++)
		if (text_starts(ps->p, OPERATORS[i].text)) {
			take_run(ps, T_OP, strlen(OPERATORS[i].text));
			ps->t.op = OPERATORS[i].op;
			return;
		}
	take_run(ps, T_BAD, 0);
}

static void advance(struct parser *ps)
{
	size_t left = strlen(ps->p), n = 0;

	text_trim_span(&ps->p, &left);
	if (!*ps->p)
		take_run(ps, T_END, 0);
	else if (text_starts(ps->p, "{{"))
		take_until(ps, T_REF, ps->p + 2, "}}");
	else if (*ps->p == '"' || *ps->p == '\'')
		take_until(ps, T_TEXT, ps->p + 1, *ps->p == '"' ? "\"" : "'");
	else if (starts_number(ps->p))
		take_run(ps, T_NUMBER, strspn(ps->p, "0123456789."));
	else if (strchr("(),", *ps->p))
		take_run(ps, *ps->p == '(' ? T_OPEN : *ps->p == ')' ? T_CLOSE : T_COMMA, 1);
	else if (isalpha((unsigned char)*ps->p) || *ps->p == '_') {
		while (is_name_char(ps->p[n]))
			n++;
		take_run(ps, T_NAME, n);
	} else {
		take_operator(ps);
	}
}

static size_t note_name(struct arena *a, struct name_list *list, const char *s, size_t n)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->names[i]) == n && memcmp(list->names[i], s, n) == 0)
			return i;
	if (list->n == list->room) {
		const char **grown = arena_array(a, const char *, 2 * list->room + 8);

		if (list->n)
			memcpy(grown, list->names, list->n * sizeof *grown);
		list->names = grown;
		list->room = 2 * list->room + 8;
	}
	list->names[list->n] = arena_strndup(a, s, n);
	return list->n++;
}

static struct node *node(struct parser *ps, enum node_kind kind)
{
	struct node *n = arena_new_of(ps->a, struct node);

	n->kind = kind;
	return n;
}

static struct node *reference(struct parser *ps, const char *s, size_t n)
{
	struct node *out = node(ps, NODE_REF);

	text_trim_span(&s, &n);
	out->ref = note_name(ps->a, &ps->f->refs, s, n);
	return out;
}

static struct node *value(struct parser *ps, struct cell c)
{
	struct node *out = node(ps, NODE_VALUE);

	out->value = c;
	return out;
}

/* The longest valid decimal prefix: nothing from a second dot on. */
static struct node *number(struct parser *ps, const char *s, size_t n)
{
	const char *text = arena_strndup(ps->a, s, n);
	char *dot = strchr(text, '.');

	if (dot && (dot = strchr(dot + 1, '.')))
		*dot = '\0';
	return value(ps, cell_num(strtod(text, NULL)));
}

static struct node *expression(struct parser *ps);

/* The first argument of an aggregate names a column; that alone makes it no reference. */
static bool names_column(const struct parser *ps, const struct node *call)
{
	return !call->first && formula_aggregate(call->name) >= 0 &&
	       (ps->t.kind == T_REF || ps->t.kind == T_TEXT || ps->t.kind == T_NAME);
}

static bool is_word(const struct token *t, const char *word)
{
	size_t i = 0;

	while (i < t->n && word[i] && tolower((unsigned char)t->s[i]) == word[i])
		i++;
	return i == t->n && !word[i];
}

static struct node *argument(struct parser *ps, const struct node *call)
{
	bool column = names_column(ps, call) &&
	    !(ps->t.kind == T_NAME && (is_word(&ps->t, "true") || is_word(&ps->t, "false")));
	const struct token t = ps->t;
	const struct parser before = *ps;
	const char *s = t.s;
	size_t n = t.n;
	struct node *out;

	if (!column)
		return expression(ps);
	advance(ps);
	if (ps->t.kind != T_COMMA && ps->t.kind != T_CLOSE) {
		*ps = before;
		return expression(ps);
	}
	if (t.kind == T_REF)
		text_trim_span(&s, &n);
	note_name(ps->a, &ps->f->columns, s, n);
	out = value(ps, cell_text(arena_strndup(ps->a, s, n), n));
	return out;
}

static struct node *call(struct parser *ps, const char *name)
{
	struct node *out = node(ps, NODE_CALL), **end = &out->first;

	out->name = name;
	advance(ps);
	if (ps->t.kind == T_CLOSE) {
		advance(ps);
		return out;
	}
	for (;;) {
		*end = argument(ps, out);
		if (!*end)
			return NULL;
		end = &(*end)->next;
		if (ps->t.kind == T_CLOSE)
			break;
		if (ps->t.kind != T_COMMA)
			return NULL;
		advance(ps);
	}
	advance(ps);
	return out;
}

static struct node *name(struct parser *ps)
{
	const struct token t = ps->t;

	advance(ps);
	if (ps->t.kind == T_OPEN)
		return call(ps, text_lower(ps->a, arena_strndup(ps->a, t.s, t.n)));
	if (is_word(&t, "true") || is_word(&t, "false"))
		return value(ps, cell_bool(is_word(&t, "true")));
	return reference(ps, t.s, t.n);
}

static struct node *primary(struct parser *ps)
{
	const struct token t = ps->t;
	struct node *out;

	if (t.kind == T_NAME)
		return name(ps);
	advance(ps);
	switch (t.kind) {
	case T_NUMBER:
		return number(ps, t.s, t.n);
	case T_TEXT:
		return value(ps, cell_text(t.s, t.n));
	case T_REF:
		return reference(ps, t.s, t.n);
	case T_OPEN:
		out = expression(ps);
		if (!out || ps->t.kind != T_CLOSE)
			return NULL;
		advance(ps);
		return out;
	default:
		return NULL;
	}
}

static struct node *unary(struct parser *ps)
{
	struct node *out, *inner;

	if (++ps->depth > FORMULA_DEPTH_MAX + 1)
		return NULL;
	if (ps->t.kind == T_OP && ps->t.op == OP_SUB) {
		advance(ps);
		inner = unary(ps);
		out = inner ? node(ps, NODE_NEG) : NULL;
		if (out)
			out->first = inner;
	} else {
		out = primary(ps);
	}
	ps->depth--;
	return out;
}

/* The operators of each level, the weakest first. */
static int level_of(enum op op)
{
	return op >= OP_MUL ? 2 : op >= OP_ADD ? 1 : op >= OP_EQ ? 0 : -1;
}

static struct node *chain(struct parser *ps, int level)
{
	struct node *first = level < 2 ? chain(ps, level + 1) : unary(ps), *out = first,
		    *last = first;

	while (first && ps->t.kind == T_OP && level_of(ps->t.op) == level) {
		enum op op = ps->t.op;

		advance(ps);
		last->next = level < 2 ? chain(ps, level + 1) : unary(ps);
		last = last->next;
		if (!last)
			return NULL;
		last->op = op;
		if (out == first) {
			out = node(ps, NODE_CHAIN);
			out->first = first;
		}
	}
	return out;
}

static struct node *expression(struct parser *ps)
{
	return chain(ps, 0);
}

const struct formula *formula_parse(struct arena *a, const char *text)
{
	struct formula *f = arena_new_of(a, struct formula);
	struct parser ps = { .a = a, .f = f, .p = text };

	if (strlen(text) > FORMULA_LENGTH_MAX)
		return NULL;
	advance(&ps);
	f->root = expression(&ps);
	return f->root && ps.t.kind == T_END ? f : NULL;
}

const char *const *formula_refs(const struct formula *f, size_t *n)
{
	*n = f->refs.n;
	return f->refs.names;
}

const char *const *formula_columns(const struct formula *f, size_t *n)
{
	*n = f->columns.n;
	return f->columns.names;
}
