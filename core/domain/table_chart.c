/* Charts of tables, and their points. */
#include "core/domain/table_int.h"

#include <math.h>

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

/* Columns of MODEL_TABLE_CHART. */
enum { V_ID, V_TABLE, V_NAME, V_TYPE, V_CONFIG };

#define GROUPS_MAX 100000
#define UNKNOWN "Unknown"

enum how { H_COUNT, H_SUM, H_AVG, H_MIN, H_MAX, H_NONE };
static const char *const HOW_NAMES[] = { "count", "sum", "avg", "min", "max", "none" };

/* The numbers of the rows that share a label. */
struct group {
	double sum, min, max;
	int64_t n, rows;
};

struct points {
	struct ctx *cx;
	struct jw *w;
	struct computed *computed;
	struct arena *scratch;
	enum how how;
	const char *columns[2]; /* x and y; y NULL: rows are counted */
	struct row_key keys[2];
	int places[2]; /* in what is computed; -1: stored */
	json_t *numbers; /* label to number of its group */
	struct group *groups;
	size_t n, room;
};

void chart_write_list(struct ctx *cx, struct jw *w, const char *table)
{
	struct q *q = db_query(cx->db, Q_TABLE_CHART_LIST, "t", table);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TABLE_CHART, 0);
	jw_end_arr(w);
}

enum rc chart_write(struct ctx *cx, struct jw *w, const char *table, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_CHART_GET, "tt", id, table);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Chart not found");
	row_json(w, q, &MODEL_TABLE_CHART, 0);
	db_done(q);
	return RC_OK;
}

/* Its configuration; RC_NOTFOUND where there is no such chart. *NAME may be NULL. */
static enum rc load(struct ctx *cx, const char *table, const char *id, json_t **config,
    const char **name)
{
	struct q *q = db_query(cx->db, Q_TABLE_CHART_GET, "tt", id, table);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Chart not found");
	*config = json_read_text(cx->arena, db_text(q, V_CONFIG));
	if (name)
		*name = db_text_dup(q, V_NAME, cx->arena);
	db_done(q);
	if (!json_is_object(*config))
		*config = json_keep(cx->arena, json_object());
	return RC_OK;
}

enum rc chart_find(struct ctx *cx, const char *table, const char *id)
{
	json_t *config;

	return load(cx, table, id, &config, NULL);
}

static void take(json_t *config, const json_t *in, const char *key)
{
	json_t *v = json_object_get(in, key);

	if (v)
		json_object_set(config, key, v);
}

enum rc chart_create(struct ctx *cx, const char *table, const json_t *in, const char **id)
{
	static const char *const NEEDED[] = { "type", "title", "xColumn" };
	json_t *config = json_keep(cx->arena, json_object());
	enum rc rc;

	if (json_is_null(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	for (size_t i = 0; i < COUNT(NEEDED); i++)
		if (!json_truth(json_object_get(in, NEEDED[i])))
			return ctx_fail(
			    cx, RC_INVALID, "type, title, and xColumn are required");
	for (size_t i = 0; i < COUNT(NEEDED); i++)
		if (!json_is_string(json_object_get(in, NEEDED[i])))
			return ctx_fail(
			    cx, RC_INVALID, "type, title, and xColumn must be strings");
	take(config, in, "type");
	take(config, in, "xColumn");
	take(config, in, "yColumn");
	take(config, in, "aggregation");
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = table_find(cx, table);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	*id = id_make(cx->arena);
	db_run(cx->db, Q_TABLE_CHART_INSERT, "tttti", *id, table, json_str(in, "title"),
	    json_text(cx->arena, config), cx->now);
	audit(cx, "table.chart.create", "table", table, *id);
	return tx_end(cx, RC_OK);
}

enum rc chart_update(struct ctx *cx, const char *table, const char *id, const json_t *in)
{
	static const char *const TEXTS[] = { "title", "type", "xColumn" };
	json_t *config;
	enum rc rc;

	if (!json_is_object(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	for (size_t i = 0; i < COUNT(TEXTS); i++) {
		const json_t *v = json_object_get(in, TEXTS[i]);

		if (v && !json_string_length(v))
			return ctx_fail(
			    cx, RC_INVALID, "%s must be a non-empty string", TEXTS[i]);
	}
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = load(cx, table, id, &config, NULL);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	take(config, in, "type");
	take(config, in, "xColumn");
	take(config, in, "yColumn");
	take(config, in, "aggregation");
	db_run(cx->db, Q_TABLE_CHART_UPDATE, "tttti", id, table, json_str(in, "title"),
	    json_text(cx->arena, config), cx->now);
	audit(cx, "table.chart.update", "table", table, id);
	return tx_end(cx, RC_OK);
}

enum rc chart_delete(struct ctx *cx, const char *table, const char *id)
{
	json_t *config;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = load(cx, table, id, &config, NULL);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TABLE_CHART_DELETE, "tt", id, table);
	audit(cx, "table.chart.delete", "table", table, id);
	return tx_end(cx, RC_OK);
}

static enum how how_of(const json_t *config)
{
	const char *word = json_str(config, "aggregation");
	bool has_y = json_string_length(json_object_get(config, "yColumn")) > 0;

	if (!has_y || (word && strcmp(word, HOW_NAMES[H_COUNT]) == 0))
		return H_COUNT;
	for (int i = H_SUM; word && i <= H_MAX; i++)
		if (strcmp(word, HOW_NAMES[i]) == 0)
			return (enum how)i;
	return H_NONE;
}

static void write_point(struct jw *w, const struct cell *label, double value)
{
	jw_obj(w);
	jw_key(w, "label");
	jw_strn(w, label->s, label->n);
	jw_knum(w, "value", value);
	jw_end_obj(w);
}

/* The group of a label, perhaps a new one; NULL where there are too many. */
static struct group *group_of(struct points *p, const struct cell *label)
{
	json_t *number = json_object_getn(p->numbers, label->s, label->n);

	if (number)
		return &p->groups[json_integer_value(number)];
	if (p->n == GROUPS_MAX) {
		ctx_fail(p->cx, RC_TOOLARGE, "The chart has too many labels");
		return NULL;
	}
	if (p->n == p->room) {
		struct group *grown = arena_array(p->cx->arena, struct group, 2 * p->room + 64);

		if (p->n)
			memcpy(grown, p->groups, p->n * sizeof *grown);
		p->groups = grown;
		p->room = 2 * p->room + 64;
	}
	json_object_setn_new(p->numbers, label->s, label->n, json_integer((json_int_t)p->n));
	return &p->groups[p->n++];
}

static void add_to_group(struct group *g, const struct cell *y)
{
	double v;

	g->rows++;
	if (!cell_numeric(y, &v))
		return;
	g->sum += v;
	g->min = g->n && g->min < v ? g->min : v;
	g->max = g->n && g->max > v ? g->max : v;
	g->n++;
}

/* The x and y of a row. */
static void read_row(struct points *p, const char *data, struct cell xy[2])
{
	const struct cell *values = NULL;

	arena_reset(p->scratch);
	row_pick(p->scratch, data, p->keys, p->columns[1] ? 2 : 1, xy);
	if (p->places[0] >= 0 || p->places[1] >= 0)
		values = computed_row(p->computed, data);
	for (int i = 0; i < 2; i++)
		if (p->places[i] >= 0)
			xy[i] = values[p->places[i]];
}

/* One pass over the table: writes the points of single rows, gathers groups. */
static void gather(struct points *p, struct row_scan *scan)
{
	struct cell xy[2] = { { CELL_NONE }, { CELL_NONE } }, label;
	struct group *g;
	struct q *q;

	while ((q = row_scan_next(scan))) {
		double v;

		read_row(p, db_text(q, ROW_DATA), xy);
		label = cell_is_none(&xy[0]) ? cell_text(UNKNOWN, sizeof UNKNOWN - 1)
					     : cell_as_text(p->scratch, &xy[0]);
		if (p->how == H_NONE) {
			v = cell_number(&xy[1]);
			write_point(p->w, &label, isnan(v) ? 0 : v);
			continue;
		}
		g = group_of(p, &label);
		if (!g)
			break;
		add_to_group(g, &xy[1]);
	}
	row_scan_end(scan);
}

static double value_of(const struct group *g, enum how how)
{
	double v = how == H_SUM ? g->sum
	    : how == H_AVG	? g->sum / (double)g->n
	    : how == H_MIN	? g->min
				: g->max;

	return how == H_COUNT ? (double)g->rows : number_round(v * 100) / 100;
}

static void write_groups(struct points *p)
{
	const char *s;
	size_t n;
	json_t *number;

	for (void *at = json_object_iter(p->numbers); at;
	     at = json_object_iter_next(p->numbers, at)) {
		const struct group *g;

		s = json_object_iter_key(at);
		n = json_object_iter_key_len(at);
		number = json_object_iter_value(at);
		g = &p->groups[json_integer_value(number)];
		if (p->how == H_COUNT || g->n) {
			const struct cell label = cell_text(s, n);

			write_point(p->w, &label, value_of(g, p->how));
		}
	}
}

static void points_init(struct points *p, struct ctx *cx, struct jw *w, const char *table,
    const json_t *schema, const json_t *config)
{
	const char *x = json_str(config, "xColumn");

	*p = (struct points){ .cx = cx, .w = w, .how = how_of(config) };
	p->scratch = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	p->computed = computed_new(cx, table, schema);
	p->numbers = json_keep(cx->arena, json_object());
	p->columns[0] = x ? x : "";
	p->columns[1] = p->how == H_COUNT ? NULL : json_str(config, "yColumn");
	for (int i = 0; i < 2; i++) {
		const char *name = p->columns[i];

		p->places[i] = name ? computed_find(p->computed, name) : -1;
		if (name)
			p->keys[i] = row_key(cx->arena, name);
	}
}

enum rc chart_write_data(struct ctx *cx, struct jw *w, const char *table, const char *id)
{
	struct table_query query;
	struct row_scan scan;
	const json_t *schema;
	const char *name;
	struct points p;
	json_t *config;
	enum rc rc = load(cx, table, id, &config, &name);

	if (rc == RC_OK)
		rc = table_schema(cx, table, &schema);
	if (rc == RC_OK)
		rc = table_query_read(cx, table, NULL, NULL, &query);
	if (rc == RC_OK)
		rc = row_scan_begin(&scan, cx, &query);
	if (rc != RC_OK)
		return rc;
	points_init(&p, cx, w, table, schema, config);
	jw_obj(w);
	jw_key(w, "chart");
	jw_obj(w);
	jw_kstr(w, "id", id);
	jw_kstr(w, "name", name);
	jw_kjson(w, "type", json_object_get(config, "type"));
	jw_end_obj(w);
	jw_kjson(w, "xAxis", json_object_get(config, "xColumn"));
	jw_kstr(w, "yAxis", p.columns[1] ? p.columns[1] : HOW_NAMES[H_COUNT]);
	jw_kstr(w, "aggregation", HOW_NAMES[p.how]);
	jw_key(w, "dataPoints");
	jw_arr(w);
	gather(&p, &scan);
	write_groups(&p);
	jw_end_arr(w);
	jw_end_obj(w);
	return cx->err.rc;
}
