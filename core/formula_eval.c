/* Formulas: working them out. */
#include "core/formula_int.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define DAY_MS 86400000.0
#define SCALE_MAX 15
#define DATE_LENGTH_MAX 64

struct run {
	const struct formula *f;
	struct formula_env *env;
	bool wrong; /* the result is null */
	bool ended; /* an aggregate was not to be had */
};

static const struct cell NOTHING = { CELL_NULL };

static struct cell eval(struct run *r, const struct node *n);

static struct cell fail(struct run *r)
{
	r->wrong = true;
	return NOTHING;
}

/* The number of a value, or 0 where it has none. */
static double num(const struct cell *c)
{
	double v = cell_number(c);

	return isnan(v) ? 0 : v;
}

static bool is_text(const struct cell *c)
{
	return c->kind == CELL_TEXT;
}

/* Whether there is room for N more bytes, which are then taken. */
static bool take_room(struct run *r, size_t n)
{
	if (n > r->env->room) {
		fail(r);
		return false;
	}
	r->env->room -= n;
	return true;
}

/* Appends the text of a value. */
static void add_text(struct run *r, struct buf *b, const struct cell *c)
{
	if (take_room(r, is_text(c) || c->kind == CELL_JSON ? c->n : NUM_TEXT_SIZE))
		cell_add_text(b, c);
}

/* The text that was put together, as a value. */
static struct cell finish(struct run *r, struct buf *b)
{
	size_t n = b->failed ? 0 : b->len;
	struct cell c = NOTHING;

	if (!r->wrong && take_room(r, n))
		c = cell_text(arena_strndup(r->env->a, buf_text(b), n), n);
	buf_fini(b);
	return c;
}

static bool equal(const struct cell *x, const struct cell *y)
{
	double a, b;

	if (x->kind == CELL_NULL || y->kind == CELL_NULL)
		return x->kind == y->kind;
	if (x->kind == CELL_JSON || y->kind == CELL_JSON || (is_text(x) && is_text(y)))
		return x->kind == y->kind && cell_compare(x, y) == 0;
	a = cell_number(x);
	b = cell_number(y);
	return a == b;
}

/* Whether X OP Y, where OP is one of order. */
static bool ordered(enum op op, const struct cell *x, const struct cell *y)
{
	double a = cell_number(x), b = cell_number(y);
	int order;

	if (is_text(x) && is_text(y) && (isnan(a) || isnan(b)))
		order = cell_compare(x, y);
	else if (isnan(a) || isnan(b))
		return false;
	else
		order = (a > b) - (a < b);
	switch (op) {
	case OP_GT:
		return order > 0;
	case OP_GE:
		return order >= 0;
	case OP_LT:
		return order < 0;
	default:
		return order <= 0;
	}
}

static struct cell apply(enum op op, const struct cell *x, const struct cell *y)
{
	double a, b;

	if (op <= OP_NE)
		return cell_bool(equal(x, y) == (op == OP_EQ));
	if (op <= OP_LE)
		return cell_bool(ordered(op, x, y));
	a = num(x);
	b = num(y);
	switch (op) {
	case OP_ADD:
		return cell_num(a + b);
	case OP_SUB:
		return cell_num(a - b);
	case OP_MUL:
		return cell_num(a * b);
	case OP_DIV:
		return b == 0 ? NOTHING : cell_num(a / b);
	default:
		return cell_num(fmod(a, b == 0 ? 1 : b));
	}
}

/* A number that is none any more is null from here on. */
static struct cell settle(struct cell c)
{
	if (c.kind == CELL_NUM && isnan(c.num))
		return NOTHING;
	return c;
}

static struct cell add_two(struct run *r, const struct cell *x, const struct cell *y)
{
	struct buf b;

	buf_init(&b, r->env->room + 1);
	add_text(r, &b, x);
	add_text(r, &b, y);
	return finish(r, &b);
}

/* A sum that has become a text goes on as one, whose pieces are put together at its end. */
static const struct node *add_texts(struct run *r, const struct node *next, struct cell *x)
{
	struct cell y = *x;
	struct buf b;

	buf_init(&b, r->env->room + 1);
	add_text(r, &b, x);
	while (next && next->op == OP_ADD && !r->wrong) {
		y = eval(r, next);
		add_text(r, &b, &y);
		next = next->next;
	}
	*x = finish(r, &b);
	return next;
}

static struct cell chain(struct run *r, const struct node *n)
{
	const struct node *next = n->first->next;
	struct cell x = eval(r, n->first), y;

	while (next && !r->wrong) {
		if (next->op == OP_ADD && is_text(&x)) {
			next = add_texts(r, next, &x);
			continue;
		}
		y = eval(r, next);
		if (next->op == OP_ADD && is_text(&y))
			x = add_two(r, &x, &y);
		else
			x = settle(apply(next->op, &x, &y));
		next = next->next;
	}
	return x;
}

static bool truthy(const struct cell *c)
{
	switch (c->kind) {
	case CELL_BOOL:
	case CELL_NUM:
		return c->num != 0;
	case CELL_TEXT:
		return c->n > 0;
	default:
		return c->kind == CELL_JSON;
	}
}

static struct cell arg(struct run *r, const struct node *call, int i)
{
	const struct node *n = call->first;

	while (n && i-- > 0)
		n = n->next;
	return n ? eval(r, n) : fail(r);
}

static struct cell fn_if(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0);

	return r->wrong ? c : arg(r, call, truthy(&c) ? 1 : 2);
}

static struct cell fn_concat(struct run *r, const struct node *call)
{
	struct buf b;

	buf_init(&b, r->env->room + 1);
	for (const struct node *n = call->first; n && !r->wrong; n = n->next) {
		struct cell c = eval(r, n);

		add_text(r, &b, &c);
	}
	return finish(r, &b);
}

static struct cell fn_abs(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0);

	return cell_num(fabs(num(&c)));
}

static struct cell fn_floor(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0);

	return cell_num(floor(num(&c)));
}

static struct cell fn_ceil(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0);

	return cell_num(ceil(num(&c)));
}

static struct cell fn_round(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0), digits = cell_num(0);
	double d, scale = 1, x = num(&c);

	if (!r->wrong && call->first->next)
		digits = arg(r, call, 1);
	d = trunc(num(&digits));
	d = d > SCALE_MAX ? SCALE_MAX : d < -SCALE_MAX ? -SCALE_MAX : d;
	for (int i = 0; i < (int)fabs(d); i++)
		scale *= 10;
	return cell_num(d < 0 ? number_round(x / scale) * scale : number_round(x * scale) / scale);
}

static struct cell fn_today(struct run *r, const struct node *call UNUSED)
{
	time_t t = (time_t)r->env->now;
	struct tm tm;
	char text[32];
	size_t n;

	gmtime_r(&t, &tm);
	n = strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return cell_text(arena_strndup(r->env->a, text, n), n);
}

/* Reads between MIN and MAX digits and goes behind them. */
static bool digits(const char **p, int min, int max, int *out)
{
	int n = 0;

	*out = 0;
	while (n < max && isdigit((unsigned char)**p)) {
		*out = *out * 10 + (*(*p)++ - '0');
		n++;
	}
	return n >= min && !isdigit((unsigned char)**p);
}

static bool passed(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* Days of a civil date since 1970; NaN where the calendar has no such day. */
static double days_of(int year, int month, int day)
{
	static const int LENGTHS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	int y = year + 399, length = month >= 1 && month <= 12 ? LENGTHS[month - 1] : 0;
	double days;

	if (day < 1 || day > length + (month == 2 && leap))
		return NAN;
	days = 365.0 * y + y / 4 - y / 100 + y / 400 - 865259;
	for (int m = 1; m < month; m++)
		days += LENGTHS[m - 1] + (m == 2 && leap);
	return days + day - 1;
}

/* The rest of a date behind its day: a time, and what it is ahead of UTC. */
static double time_part(const char *p)
{
	int hour, minute, second = 0, h = 0, m = 0;
	double ms = 0, unit = 100;
	char sign;

	if (!*p)
		return 0;
	if ((*p != 'T' && *p != ' ') || !(p++, digits(&p, 2, 2, &hour)) || !passed(&p, ':') ||
	    !digits(&p, 2, 2, &minute))
		return NAN;
	if (passed(&p, ':')) {
		if (!digits(&p, 2, 2, &second))
			return NAN;
		if (*p == '.' && !isdigit((unsigned char)*++p))
			return NAN;
		for (; isdigit((unsigned char)*p); p++, unit /= 10)
			ms += (*p - '0') * unit;
	}
	sign = *p;
	if (sign == 'Z')
		p++;
	else if (sign && ((sign != '+' && sign != '-') || !(p++, digits(&p, 2, 2, &h)) ||
			     !passed(&p, ':') || !digits(&p, 2, 2, &m)))
		return NAN;
	if (*p || hour > 24 || minute > 59 || second > 59 || h > 23 || m > 59 ||
	    (hour == 24 && (minute || second || ms > 0)))
		return NAN;
	m += h * 60;
	return ((hour * 60 + minute) * 60 + second) * 1000.0 + floor(ms) -
	       (sign == '-' ? -m : m) * 60000.0;
}

/* Milliseconds since 1970 of a date; NaN where the text is none. */
static double date_of(struct arena *a, const struct cell *c)
{
	int year, month = 1, day = 1;
	const char *p;

	if (!is_text(c) || c->n > DATE_LENGTH_MAX || memchr(c->s, '\0', c->n))
		return NAN;
	p = arena_strndup(a, c->s, c->n);
	if (strchr(p, '/')) {
		if (!digits(&p, 1, 2, &month) || !passed(&p, '/') || !digits(&p, 1, 2, &day) ||
		    !passed(&p, '/') || !digits(&p, 4, 4, &year) || *p)
			return NAN;
		return days_of(year, month, day) * DAY_MS;
	}
	if (!digits(&p, 4, 4, &year) || (passed(&p, '-') && !digits(&p, 2, 2, &month)) ||
	    (p[-1] != '-' && passed(&p, '-') && !digits(&p, 2, 2, &day)))
		return NAN;
	return days_of(year, month, day) * DAY_MS + time_part(p);
}

static struct cell fn_days_between(struct run *r, const struct node *call)
{
	struct cell x = arg(r, call, 0), y;
	double distance;

	if (r->wrong)
		return x;
	y = arg(r, call, 1);
	distance = fabs(date_of(r->env->a, &x) - date_of(r->env->a, &y));
	return cell_num(floor(distance / DAY_MS));
}

static const char *const AGGREGATES[] = { [AGG_SUM] = "sum", [AGG_AVG] = "avg",
	[AGG_MIN] = "min", [AGG_MAX] = "max", [AGG_COUNT] = "count" };

int formula_aggregate(const char *name)
{
	for (size_t i = 0; i < COUNT(AGGREGATES); i++)
		if (strcmp(AGGREGATES[i], name) == 0)
			return (int)i;
	return -1;
}

static struct cell fn_aggregate(struct run *r, const struct node *call)
{
	struct cell c = arg(r, call, 0), column, out = NOTHING;

	if (r->wrong || !take_room(r, c.n))
		return NOTHING;
	column = cell_as_text(r->env->a, &c);
	if (memchr(column.s, '\0', column.n))
		return fail(r);
	if (!r->env->aggregate(r->env->arg, (enum aggregate)formula_aggregate(call->name),
		arena_strndup(r->env->a, column.s, column.n), &out)) {
		r->ended = true;
		return fail(r);
	}
	return out;
}

static const struct {
	const char *name;
	struct cell (*fn)(struct run *r, const struct node *call);
} FUNCTIONS[] = {
	{ "if", fn_if }, { "concat", fn_concat }, { "abs", fn_abs }, { "floor", fn_floor },
	{ "ceil", fn_ceil }, { "round", fn_round }, { "today", fn_today },
	{ "daysbetween", fn_days_between }, { "sum", fn_aggregate }, { "avg", fn_aggregate },
	{ "min", fn_aggregate }, { "max", fn_aggregate }, { "count", fn_aggregate },
};

static struct cell call(struct run *r, const struct node *n)
{
	for (size_t i = 0; i < COUNT(FUNCTIONS); i++)
		if (strcmp(FUNCTIONS[i].name, n->name) == 0)
			return settle(FUNCTIONS[i].fn(r, n));
	return fail(r);
}

/* Nested as deep as the parser lets it be. */
static struct cell eval(struct run *r, const struct node *n)
{
	struct cell c;

	switch (n->kind) {
	case NODE_VALUE:
		return n->value;
	case NODE_REF:
		c = r->env->value(r->env->arg, r->f, n->ref);
		return c.kind == CELL_NONE ? NOTHING : c;
	case NODE_NEG:
		c = eval(r, n->first);
		return cell_num(-num(&c));
	case NODE_CHAIN:
		return chain(r, n);
	default:
		return call(r, n);
	}
}

bool formula_eval(const struct formula *f, struct formula_env *env, struct cell *out)
{
	struct run r = { .f = f, .env = env };

	*out = eval(&r, f->root);
	if (r.wrong || (out->kind == CELL_NUM && !isfinite(out->num)))
		*out = NOTHING;
	if (out->kind == CELL_NUM && out->num == 0)
		out->num = 0;
	return !r.ended;
}
