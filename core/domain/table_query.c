/* Asking tables for rows: filters, sorting, pages.
 *
 * The rows of a table are read in their order, one at a time, and looked at here: a filter is a
 * comparison in C, not a piece of SQL that would have to be put together from what a client sent.
 * Sorting keeps only as many rows as the page reaches (offset + limit) in a heap, with their keys
 * and nothing else, and then fetches the page's rows one by one. */
#include "core/domain/table_int.h"

#include "core/json_in.h"
#include "core/model/models.h"

#define SORT_MEMORY_MAX ((size_t)64 << 20)

enum filter_op { F_EQ, F_NEQ, F_GT, F_GTE, F_LT, F_LTE, F_CONTAINS, F_STARTS, F_IN, F_IS_EMPTY,
	F_IS_NOT_EMPTY };

struct filter {
	size_t key;
	enum filter_op op;
	struct cell value;
	struct cell *list; /* of F_IN: texts */
	size_t n_list;
};

struct sort {
	size_t key;
	bool down;
};

/* A row that may be on the page: where it is, and its sort keys, with their texts behind them. */
struct hit {
	int64_t rowid, position;
	size_t size;
	struct cell keys[];
};

/* The hits found so far: a heap whose first is the last in order. */
struct heap {
	const struct table_query *query;
	struct hit **hits;
	size_t n, room, max, bytes;
};

static enum filter_op op_of(const char *word)
{
	size_t i = 0;

	while (i < FILTER_OPERATORS.n && strcmp(FILTER_OPERATORS.words[i], word) != 0)
		i++;
	return (enum filter_op)i;
}

/* The key of a column in the query's list; RC_INVALID where the table has no such column. */
static enum rc key_of(struct ctx *cx, struct table_query *query, const json_t *schema,
    const json_t *item, size_t *key)
{
	const char *name = json_str(item, "column");
	struct row_key k = row_key(cx->arena, name);
	json_t *column;
	size_t i;

	json_array_foreach(schema, i, column) {
		const char *known = json_str(column, "name");

		if (known && strcmp(known, name) == 0)
			break;
	}
	if (i == json_array_size(schema))
		return ctx_fail(cx, RC_INVALID, "Unknown column: %s", name);
	for (*key = 0; *key < query->n_keys; (*key)++)
		if (strcmp(query->keys[*key].quoted, k.quoted) == 0)
			return RC_OK;
	query->keys[query->n_keys++] = k;
	return RC_OK;
}

/* Filter values as texts: numbers and booleans as JSON has them. */
static struct cell text_of(struct arena *a, const json_t *v)
{
	struct cell c = cell_of(a, v);

	return cell_as_text(a, &c);
}

static void read_list(struct arena *a, struct filter *f, const json_t *v)
{
	size_t i;
	json_t *item;

	f->n_list = json_is_array(v) ? json_array_size(v) : 1;
	f->list = arena_array(a, struct cell, f->n_list + 1);
	f->list[0] = text_of(a, v);
	json_array_foreach(v, i, item)
		f->list[i] = text_of(a, item);
}

static enum rc read_filter(struct ctx *cx, struct table_query *query, const json_t *schema,
    const json_t *item, struct filter *f)
{
	const json_t *v = json_object_get(item, "value");
	const char *word = json_str(item, "operator");
	enum rc rc = key_of(cx, query, schema, item, &f->key);

	if (rc != RC_OK)
		return rc;
	f->op = op_of(word);
	if (f->op == F_IS_EMPTY || f->op == F_IS_NOT_EMPTY)
		return RC_OK;
	if (!v)
		return ctx_fail(cx, RC_INVALID, "Filter value is required for operator %s", word);
	if (f->op == F_IN) {
		read_list(cx->arena, f, v);
		return RC_OK;
	}
	if (json_is_array(v) && json_array_size(v) != 1)
		return ctx_fail(
		    cx, RC_INVALID, "Filter value must not be a list for operator %s", word);
	f->value = cell_of(cx->arena, json_is_array(v) ? json_array_get(v, 0) : v);
	return RC_OK;
}

enum rc table_query_read(struct ctx *cx, const char *table, const json_t *filters,
    const json_t *sorts, struct table_query *out)
{
	size_t nf = json_array_size(filters), ns = json_array_size(sorts), i;
	const json_t *schema;
	json_t *item;
	enum rc rc = table_schema(cx, table, &schema);

	*out = (struct table_query){ .table = table, .limit = -1 };
	out->keys = arena_array(cx->arena, struct row_key, nf + ns + 1);
	out->filters = arena_array(cx->arena, struct filter, nf + 1);
	out->sorts = arena_array(cx->arena, struct sort, ns + 1);
	for (i = 0; rc == RC_OK && i < nf; i++)
		rc = read_filter(cx, out, schema, json_array_get(filters, i),
		    &out->filters[out->n_filters++]);
	for (i = 0; rc == RC_OK && i < ns; i++) {
		struct sort *s = &out->sorts[out->n_sorts++];

		item = json_array_get(sorts, i);
		s->down = strcmp(json_str(item, "direction"), "desc") == 0;
		rc = key_of(cx, out, schema, item, &s->key);
	}
	return rc;
}

static bool is_listed(const struct filter *f, const struct cell *v)
{
	char number[NUM_TEXT_SIZE];
	struct cell text = *v;

	if (v->kind == CELL_JSON)
		return false;
	if (v->kind == CELL_BOOL)
		text = v->num != 0 ? cell_text("true", 4) : cell_text("false", 5);
	else if (v->kind == CELL_NUM)
		text = cell_text(number, (size_t)num_text(number, v->num));
	for (size_t i = 0; i < f->n_list; i++)
		if (cell_compare(&f->list[i], &text) == 0)
			return true;
	return false;
}

static bool holds(const struct filter *f, const struct cell *v)
{
	bool none = cell_is_none(v), empty = none || (v->kind == CELL_TEXT && !v->n);

	if (f->op == F_IS_EMPTY || f->op == F_IS_NOT_EMPTY)
		return empty == (f->op == F_IS_EMPTY);
	if (none)
		return false;
	switch (f->op) {
	case F_EQ:
		return cell_compare(v, &f->value) == 0;
	case F_NEQ:
		return cell_compare(v, &f->value) != 0;
	case F_GT:
		return cell_compare(v, &f->value) > 0;
	case F_GTE:
		return cell_compare(v, &f->value) >= 0;
	case F_LT:
		return cell_compare(v, &f->value) < 0;
	case F_LTE:
		return cell_compare(v, &f->value) <= 0;
	case F_IN:
		return is_listed(f, v);
	default:
		return cell_has_text(v, &f->value, f->op == F_STARTS);
	}
}

/* Whether all filters hold for a row; the keys of the query are then in CELLS. */
static bool fits(const struct row_scan *s, const char *data)
{
	const struct table_query *query = s->query;

	if (!query->n_keys)
		return true;
	arena_reset(s->scratch);
	row_pick(s->scratch, data, query->keys, query->n_keys, s->cells);
	for (size_t i = 0; i < query->n_filters; i++)
		if (!holds(&query->filters[i], &s->cells[query->filters[i].key]))
			return false;
	return true;
}

static int compare_hits(const struct table_query *query, const struct hit *x, const struct hit *y)
{
	for (size_t i = 0; i < query->n_sorts; i++) {
		int order = cell_compare(&x->keys[i], &y->keys[i]);

		if (order)
			return query->sorts[i].down ? -order : order;
	}
	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return (x->rowid > y->rowid) - (x->rowid < y->rowid);
}

/* Whether the row in CELLS comes before HIT; as it is later in the table, not where they tie. */
static bool comes_before(const struct table_query *query, const struct cell *cells,
    const struct hit *hit)
{
	for (size_t i = 0; i < query->n_sorts; i++) {
		int order = cell_compare(&cells[query->sorts[i].key], &hit->keys[i]);

		if (order)
			return query->sorts[i].down ? order > 0 : order < 0;
	}
	return false;
}

static struct hit *hit_new(const struct table_query *query, const struct cell *cells,
    int64_t position, int64_t rowid)
{
	size_t head = sizeof(struct hit) + query->n_sorts * sizeof(struct cell), size = head;
	struct hit *h;
	char *text;

	for (size_t i = 0; i < query->n_sorts; i++)
		size += cells[query->sorts[i].key].n;
	h = malloc(size);
	if (!h)
		abort();
	*h = (struct hit){ rowid, position, size };
	text = (char *)h + head;
	for (size_t i = 0; i < query->n_sorts; i++) {
		struct cell *key = &h->keys[i];

		*key = cells[query->sorts[i].key];
		if (key->n)
			memcpy(text, key->s, key->n);
		key->s = text;
		text += key->n;
	}
	return h;
}

static void sink(struct heap *heap, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		struct hit *h = heap->hits[i];

		if (child >= heap->n)
			return;
		if (child + 1 < heap->n &&
		    compare_hits(heap->query, heap->hits[child + 1], heap->hits[child]) > 0)
			child++;
		if (compare_hits(heap->query, h, heap->hits[child]) >= 0)
			return;
		heap->hits[i] = heap->hits[child];
		heap->hits[child] = h;
		i = child;
	}
}

static void rise(struct heap *heap, size_t i)
{
	while (i) {
		size_t parent = (i - 1) / 2;
		struct hit *h = heap->hits[i];

		if (compare_hits(heap->query, h, heap->hits[parent]) <= 0)
			return;
		heap->hits[i] = heap->hits[parent];
		heap->hits[parent] = h;
		i = parent;
	}
}

static void make_room(struct heap *heap)
{
	if (heap->n < heap->room)
		return;
	heap->room = heap->room ? 2 * heap->room : 256;
	heap->hits = realloc(heap->hits, heap->room * sizeof(struct hit *));
	if (!heap->hits)
		abort();
}

/* Takes the row where it is among the first so far. */
static void offer(struct heap *heap, const struct cell *cells, int64_t position, int64_t rowid)
{
	struct hit *h;

	if (heap->n == heap->max) {
		if (!heap->n || !comes_before(heap->query, cells, heap->hits[0]))
			return;
		h = hit_new(heap->query, cells, position, rowid);
		heap->bytes += h->size - heap->hits[0]->size;
		free(heap->hits[0]);
		heap->hits[0] = h;
		sink(heap, 0);
		return;
	}
	make_room(heap);
	h = hit_new(heap->query, cells, position, rowid);
	heap->bytes += h->size + sizeof(struct hit *);
	heap->hits[heap->n] = h;
	rise(heap, heap->n++);
}

/* Puts the heap in order, first to last. */
static void unheap(struct heap *heap)
{
	size_t n = heap->n;

	while (heap->n > 1) {
		struct hit *last = heap->hits[0];

		heap->hits[0] = heap->hits[--heap->n];
		heap->hits[heap->n] = last;
		sink(heap, 0);
	}
	heap->n = n;
}

static void free_hits(struct row_scan *s)
{
	for (size_t i = 0; i < s->n_hits; i++)
		free(s->hits[i]);
	free(s->hits);
	s->hits = NULL;
	s->n_hits = 0;
}

static enum rc sort_rows(struct row_scan *s)
{
	const struct table_query *query = s->query;
	struct heap heap = { .query = query, .max = (size_t)(query->offset + query->limit) };
	struct q *q = db_query(s->cx->db, Q_TABLE_ROW_SCAN_SORT, "t", query->table);

	while (heap.bytes <= SORT_MEMORY_MAX && db_next(q))
		if (fits(s, db_text(q, 0)))
			offer(&heap, s->cells, db_int(q, 1), db_int(q, 2));
	db_done(q);
	unheap(&heap);
	s->hits = heap.hits;
	s->n_hits = heap.n;
	s->at = (size_t)query->offset;
	if (heap.bytes <= SORT_MEMORY_MAX)
		return RC_OK;
	free_hits(s);
	return ctx_fail(s->cx, RC_TOOLARGE,
	    "Too many rows to sort: narrow the filters or take an earlier page");
}

enum rc row_scan_begin(struct row_scan *s, struct ctx *cx, const struct table_query *query)
{
	*s = (struct row_scan){ .cx = cx, .query = query };
	s->scratch = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	s->cells = arena_array(cx->arena, struct cell, query->n_keys + 1);
	if (query->n_sorts)
		return sort_rows(s);
	s->q = db_query(cx->db, Q_TABLE_ROW_SCAN, "t", query->table);
	return RC_OK;
}

static struct q *next_sorted(struct row_scan *s)
{
	while (s->at < s->n_hits) {
		s->q = db_query(s->cx->db, Q_TABLE_ROW_AT, "i", s->hits[s->at++]->rowid);
		if (db_next(s->q))
			return s->q;
	}
	row_scan_end(s);
	return NULL;
}

struct q *row_scan_next(struct row_scan *s)
{
	const struct table_query *query = s->query;

	if (query->n_sorts)
		return next_sorted(s);
	while ((query->limit < 0 || s->given < query->limit) && db_next(s->q)) {
		if (!fits(s, db_text(s->q, ROW_DATA)) || s->passed++ < query->offset)
			continue;
		s->given++;
		return s->q;
	}
	row_scan_end(s);
	return NULL;
}

void row_scan_end(struct row_scan *s)
{
	db_done(s->q);
	free_hits(s);
}
