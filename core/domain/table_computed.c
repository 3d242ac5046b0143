/* Computed columns. They are worked out row by row, in an order in which each comes after those
 * that it refers to; an aggregate is worked out when a formula first asks for it, by a pass over
 * the whole table, so that nothing but the aggregates themselves is kept in memory. */
#include "core/domain/table_int.h"

#include <math.h>

#include "core/clock.h"
#include "core/formula.h"
#include "core/json_in.h"

#define CYCLE "#CYCLE"
#define ROOM_MAX ((size_t)8 << 20) /* of texts that formulas make for one row */
#define AGGREGATES_MAX 256
#define FORMULAS_MAX 1000
#define TIME_MAX_MS 20000 /* for all rows and passes over the table */
#define LOOK_EVERY 1024

struct column_formula {
	const char *name;
	const struct formula *formula; /* NULL: wrong, the value is null */
	int *refs;       /* for each reference: a stored key (from 0), or ~(a computed column) */
	int *needs;      /* computed columns that it depends on */
	size_t n_needs;
	bool settled;    /* has its place in the order */
};

enum state { BUSY, DONE };

struct total {
	const char *column;
	enum state state;
	int64_t n;
	double sum, min, max;
};

/* One row being worked out. */
struct frame {
	struct computed *owner;
	struct arena *scratch;
	struct cell *stored, *values;
	const struct column_formula *current;
};

struct computed {
	struct ctx *cx;
	const char *table;
	const json_t *schema;
	struct column_formula *columns; /* in the order of the table */
	size_t n;
	size_t *order, n_order; /* those that are on no cycle */
	struct row_key *keys;   /* stored values that formulas refer to */
	const char **key_names;
	size_t n_keys;
	struct frame row, pass;
	struct total totals[AGGREGATES_MAX];
	size_t n_totals;
	const char *wanted; /* an aggregate that is missing */
	int64_t end_ms;     /* of the time that all of this may take */
	int64_t rows;       /* worked out so far */
};

int computed_find(const struct computed *c, const char *name)
{
	for (size_t i = 0; c && i < c->n; i++)
		if (strcmp(c->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int stored_key(struct computed *c, const char *name)
{
	struct row_key key;

	for (size_t i = 0; i < c->n_keys; i++)
		if (strcmp(c->key_names[i], name) == 0)
			return (int)i;
	if (c->n_keys % 64 == 0) {
		struct row_key *keys = arena_array(c->cx->arena, struct row_key, c->n_keys + 64);
		const char **names = arena_array(c->cx->arena, const char *, c->n_keys + 64);

		if (c->n_keys) {
			memcpy(keys, c->keys, c->n_keys * sizeof *keys);
			memcpy(names, c->key_names, c->n_keys * sizeof *names);
		}
		c->keys = keys;
		c->key_names = names;
	}
	key = row_key(c->cx->arena, name);
	c->keys[c->n_keys] = key;
	c->key_names[c->n_keys] = name;
	return (int)c->n_keys++;
}

static void need(struct column_formula *col, int other)
{
	if (other >= 0)
		col->needs[col->n_needs++] = other;
}

/* Says where each reference of a formula comes from, and what it waits for. */
static void resolve(struct computed *c, struct column_formula *col)
{
	size_t n_refs = 0, n_columns = 0;
	const char *const *refs, *const *columns;

	if (!col->formula)
		return;
	refs = formula_refs(col->formula, &n_refs);
	columns = formula_columns(col->formula, &n_columns);
	col->refs = arena_array(c->cx->arena, int, n_refs + 1);
	col->needs = arena_array(c->cx->arena, int, n_refs + n_columns + 1);
	for (size_t i = 0; i < n_refs; i++) {
		int other = computed_find(c, refs[i]);

		col->refs[i] = other >= 0 ? ~other : stored_key(c, refs[i]);
		need(col, other);
	}
	for (size_t i = 0; i < n_columns; i++)
		need(col, computed_find(c, columns[i]));
}

static bool is_ready(const struct computed *c, const struct column_formula *col)
{
	for (size_t i = 0; i < col->n_needs; i++)
		if (!c->columns[col->needs[i]].settled)
			return false;
	return true;
}

/* What is left without a place is on a cycle, or depends on one. */
static void settle(struct computed *c)
{
	bool moved = true;

	c->order = arena_array(c->cx->arena, size_t, c->n + 1);
	while (moved) {
		moved = false;
		for (size_t i = 0; i < c->n; i++)
			if (!c->columns[i].settled && is_ready(c, &c->columns[i])) {
				c->order[c->n_order++] = i;
				c->columns[i].settled = moved = true;
			}
	}
}

static void frame_init(struct computed *c, struct frame *f)
{
	f->owner = c;
	f->scratch = arena_scratch(c->cx->arena, TABLE_SCRATCH_MAX);
	f->stored = arena_array(c->cx->arena, struct cell, c->n_keys + 1);
	f->values = arena_array(c->cx->arena, struct cell, c->n + 1);
}

static const char *formula_of(const json_t *column)
{
	const char *type = json_str(column, "dataType");
	const char *text = json_str(json_object_get(column, "config"), "formula");

	return type && strcmp(type, "computed") == 0 && text && *text ? text : NULL;
}

struct computed *computed_new(struct ctx *cx, const char *table, const json_t *schema)
{
	struct computed *c = arena_new_of(cx->arena, struct computed);
	json_t *column;
	size_t i;

	*c = (struct computed){ .cx = cx, .table = table, .schema = schema,
		.end_ms = mono_ms() + TIME_MAX_MS };
	c->columns = arena_array(cx->arena, struct column_formula, json_array_size(schema) + 1);
	json_array_foreach(schema, i, column) {
		const char *name = json_str(column, "name"), *text = formula_of(column);

		if (!name || !text || computed_find(c, name) >= 0 || c->n == FORMULAS_MAX)
			continue;
		c->columns[c->n++] =
		    (struct column_formula){ name, formula_parse(cx->arena, text) };
	}
	if (!c->n)
		return NULL;
	for (i = 0; i < c->n; i++)
		resolve(c, &c->columns[i]);
	settle(c);
	frame_init(c, &c->row);
	frame_init(c, &c->pass);
	return c;
}

static struct cell value_of(void *arg, const struct formula *formula UNUSED, size_t ref)
{
	const struct frame *f = arg;
	int source = f->current->refs[ref];

	return source < 0 ? f->values[~source] : f->stored[source];
}

static bool is_column(const struct computed *c, const char *name)
{
	json_t *column;
	size_t i, n;

	json_array_foreach(c->schema, i, column) {
		const char *known = json_str(column, "name");

		if (known && strcmp(known, name) == 0)
			return true;
	}
	for (i = 0; i < c->n; i++) {
		const char *const *names =
		    c->columns[i].formula ? formula_columns(c->columns[i].formula, &n) : NULL;

		for (size_t k = 0; names && k < n; k++)
			if (strcmp(names[k], name) == 0)
				return true;
	}
	return false;
}

static struct total *total_of(struct computed *c, const char *column)
{
	for (size_t i = 0; i < c->n_totals; i++)
		if (strcmp(c->totals[i].column, column) == 0)
			return &c->totals[i];
	return NULL;
}

static struct cell read_total(const struct total *t, enum aggregate what)
{
	int64_t n = t ? t->n : 0;

	if (what == AGG_COUNT)
		return cell_num((double)n);
	if (!n)
		return (struct cell){ CELL_NULL };
	return cell_num(what == AGG_SUM       ? t->sum
			: what == AGG_AVG ? t->sum / (double)n
			: what == AGG_MIN ? t->min
					  : t->max);
}

/* A missing aggregate ends the work on the row, which begins anew once there is one. While it is
 * worked out itself, or where the name is made by a formula and is none of a column, it is that of
 * nothing. */
static bool aggregate_of(void *arg, enum aggregate what, const char *column, struct cell *out)
{
	struct computed *c = ((struct frame *)arg)->owner;
	const struct total *t = total_of(c, column);

	if (!t && c->n_totals < AGGREGATES_MAX && is_column(c, column)) {
		c->wanted = arena_strdup(c->cx->arena, column);
		return false;
	}
	*out = read_total(t && t->state == DONE ? t : NULL, what);
	return true;
}

/* Works out the first N columns of the order; false where an aggregate is missing. */
static bool work_out(struct computed *c, struct frame *f, const char *data, size_t n)
{
	struct formula_env env = { .a = f->scratch, .arg = f, .value = value_of,
		.aggregate = aggregate_of, .now = c->cx->now, .room = ROOM_MAX };

	row_pick(f->scratch, data, c->keys, c->n_keys, f->stored);
	for (size_t i = 0; i < n; i++) {
		struct cell *value = &f->values[c->order[i]];

		f->current = &c->columns[c->order[i]];
		*value = (struct cell){ CELL_NULL };
		if (f->current->formula && !formula_eval(f->current->formula, &env, value))
			return false;
	}
	return true;
}

static void add_up(struct total *t, const struct cell *c)
{
	double v;

	if (!cell_numeric(c, &v))
		return;
	t->sum += v;
	t->min = t->n && t->min < v ? t->min : v;
	t->max = t->n && t->max > v ? t->max : v;
	t->n++;
}

/* How many columns of the order it takes to know the computed column INDEX. */
static size_t reach_of(const struct computed *c, int index)
{
	for (size_t i = 0; index >= 0 && i < c->n_order; i++)
		if (c->order[i] == (size_t)index)
			return i + 1;
	return 0;
}

/* Whether there is time left; where there is not, nothing is read any more. */
static bool has_time(struct computed *c, int64_t rows)
{
	if (rows % LOOK_EVERY || mono_ms() < c->end_ms)
		return true;
	ctx_fail(c->cx, RC_TOOLARGE, "The formulas of this table take too long");
	return false;
}

/* One pass over the table; false where it takes another aggregate first. */
static bool pass(struct computed *c, struct total *t)
{
	struct q *q = db_query(c->cx->db, Q_TABLE_ROW_SCAN_COMPUTED, "t", c->table);
	int index = computed_find(c, t->column);
	size_t reach = reach_of(c, index);
	struct row_key key = row_key(c->cx->arena, t->column);
	struct cell value;
	int64_t rows = 0;

	t->n = 0;
	t->sum = t->min = t->max = 0;
	while (has_time(c, ++rows) && db_next(q)) {
		arena_reset(c->pass.scratch);
		if (index >= 0 && !work_out(c, &c->pass, db_text(q, 0), reach)) {
			db_done(q);
			return false;
		}
		if (index >= 0)
			value = reach ? c->pass.values[index] : (struct cell){ CELL_NULL };
		else
			row_pick(c->pass.scratch, db_text(q, 0), &key, 1, &value);
		add_up(t, &value);
	}
	db_done(q);
	return true;
}

/* Works out the aggregate that is wanted, and before it those that it takes: as deep as there are
 * aggregates at most. */
static void provide(struct computed *c)
{
	struct total *t = &c->totals[c->n_totals++];

	*t = (struct total){ .column = c->wanted, .state = BUSY };
	while (!pass(c, t))
		provide(c);
	t->state = DONE;
}

const struct cell *computed_row(struct computed *c, const char *data)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->columns[i].settled)
			c->row.values[i] = cell_text(CYCLE, sizeof CYCLE - 1);
	arena_reset(c->row.scratch);
	if (c->cx->err.rc || !has_time(c, ++c->rows))
		return c->row.values;
	while (!work_out(c, &c->row, data, c->n_order))
		provide(c);
	return c->row.values;
}

json_t *computed_data(struct computed *c, struct arena *a, const char *data)
{
	json_t *row = json_read_cells_text(a, data);
	const struct cell *values;

	if (!json_is_object(row))
		row = json_keep(a, json_object());
	if (!c)
		return row;
	values = computed_row(c, data);
	for (size_t i = 0; i < c->n; i++)
		json_object_set_new(row, c->columns[i].name, cell_json(&values[i]));
	return row;
}
