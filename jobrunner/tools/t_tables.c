/* Tools: tables, their columns and rows. */
#include "core/domain/table.h"

#include "core/json_in.h"
#include "core/model/models.h"
#include "jobrunner/tools/tools_int.h"

#define QUERY_ROWS 100
#define SEARCH_ROWS 20
#define AGGREGATE_ROWS 10000
#define BY "agent"

#define TABLE_ID { "tableId", F_STRING, F_REQUIRED, .doc = "Id of the table" }
#define PROJECT_ID(text) { "projectId", F_STRING, .doc = text }
#define FILTERS \
	{ "filters", F_ARRAY, .item = &FIELD_FILTER, .doc = "Conditions; all must hold" }

static const struct field TEXT_ITEM = { .type = F_STRING };
static const struct field ID_ONLY[] = { TABLE_ID };
const struct shape PARAMS_TABLE_ID = { "table_id", ID_ONLY, COUNT(ID_ONLY) };

static const struct field LIST[] = {
	PROJECT_ID("Only tables of this project; default: the current one; empty: all"),
	{ "source", F_ENUM, .words = &TABLE_SOURCES, .doc = "Only those that came to be so" },
};
const struct shape PARAMS_LIST_TABLES = { "list_tables", LIST, COUNT(LIST) };

/* Each element of *LIST, a new reference, becomes what KEYS leave of it. */
static void pick_each(json_t *list, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		json_array_set_new(list, i, json_pick(json_array_get(list, i), keys, n));
}

enum rc tool_list_tables(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "description", "projectName",
		"columnCount", "rowCount", "source" };
	const char *project = tool_project(env, args);
	struct draft d;
	enum rc rc;

	table_write_list(env->cx, draft_begin(&d), project && *project ? project : NULL,
	    json_str(args, "source"), NULL, TOOL_ROWS_MAX);
	rc = draft_end(env, &d, RC_OK, out);
	if (rc == RC_OK)
		pick_each(*out, KEYS, COUNT(KEYS));
	return rc;
}

static enum rc table_row(struct tool_env *env, const char *id, json_t **out)
{
	struct draft d;
	enum rc rc = table_write(env->cx, draft_begin(&d), id, false);

	return draft_end(env, &d, rc, out);
}

enum rc tool_get_table_schema(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "description", "rowCount" };
	static const char *const COLUMN[] = { "name", "displayName", "dataType", "required",
		"config" };
	const char *id = json_str(args, "tableId");
	const json_t *schema;
	json_t *columns, *row;
	enum rc rc = table_schema(env->cx, id, &schema);

	if (rc == RC_OK)
		rc = table_row(env, id, &row);
	if (rc != RC_OK)
		return rc;
	columns = json_copy((json_t *)(uintptr_t)schema);
	pick_each(columns, COLUMN, COUNT(COLUMN));
	*out = json_pick(row, KEYS, COUNT(KEYS));
	json_object_set_new(*out, "columns", columns);
	json_decref(row);
	return RC_OK;
}

static const struct field QUERY[] = {
    TABLE_ID,
    FILTERS,
    {"sorts", F_ARRAY, .item = &FIELD_SORT, .doc = "Order of the rows, by each in turn"},
    {"limit", F_INT, F_MIN | F_MAX, 1, 500, .otherwise = "100", .doc = "At most so many rows"},
};
const struct shape PARAMS_QUERY_TABLE = { "query_table", QUERY, COUNT(QUERY) };

/* A scan of rows with what is computed. */
struct reading {
	struct table_query query;
	struct row_scan scan;
	struct computed *computed;
	const json_t *schema;
	struct arena *scratch;
};

static enum rc begin(struct tool_env *env, const json_t *args, int64_t limit, struct reading *r)
{
	struct ctx *cx = env->cx;
	const char *table = json_str(args, "tableId");
	enum rc rc = table_query_read(cx, table, json_object_get(args, "filters"),
	    json_object_get(args, "sorts"), &r->query);

	if (rc == RC_OK)
		rc = table_schema(cx, table, &r->schema);
	if (rc != RC_OK)
		return rc;
	r->query.limit = limit;
	r->computed = computed_new(cx, table, r->schema);
	r->scratch = arena_scratch(cx->arena, TABLE_SCRATCH_MAX);
	return row_scan_begin(&r->scan, cx, &r->query);
}

static json_t *row_value(struct reading *r, struct q *q, bool position)
{
	json_t *row = json_object();

	json_object_set_new(row, "id", json_string(db_text(q, ROW_ID)));
	json_object_set(row, "data", computed_data(r->computed, r->scratch, db_text(q, ROW_DATA)));
	if (position)
		json_object_set_new(row, "position", json_integer(db_int(q, ROW_POSITION)));
	return row;
}

enum rc tool_query_table(struct tool_env *env, const json_t *args, json_t **out)
{
	struct reading r;
	struct q *q;
	enum rc rc = begin(env, args, (int64_t)json_num(args, "limit", QUERY_ROWS), &r);

	if (rc != RC_OK)
		return rc;
	*out = json_array();
	while ((q = row_scan_next(&r.scan))) {
		arena_reset(r.scratch);
		json_array_append_new(*out, row_value(&r, q, true));
	}
	return RC_OK;
}

static const struct field SEARCH[] = {
	TABLE_ID,
	{ "query", F_STRING, F_REQUIRED, .doc = "The text to find" },
	{ "limit", F_INT, F_MIN | F_MAX, 1, 100, .otherwise = "20", .doc = "At most so many rows" },
};
const struct shape PARAMS_SEARCH_TABLE = { "search_table", SEARCH, COUNT(SEARCH) };

/* The keys of the columns that are looked into. */
static size_t searched_keys(struct arena *a, const json_t *schema, struct row_key *keys)
{
	size_t i, n = 0;
	json_t *column;

	json_array_foreach(schema, i, column) {
		const char *name = json_str(column, "name"), *type = json_str(column, "dataType");

		if (name && type && (strcmp(type, "text") == 0 || strcmp(type, "email") == 0 ||
					strcmp(type, "url") == 0))
			keys[n++] = row_key(a, name);
	}
	return n;
}

enum rc tool_search_table(struct tool_env *env, const json_t *args, json_t **out)
{
	struct cell what = cell_of(env->cx->arena, json_object_get(args, "query")), *cells;
	size_t limit = (size_t)json_num(args, "limit", SEARCH_ROWS), n, i;
	struct row_key *keys;
	struct reading r;
	struct q *q;
	enum rc rc = begin(env, args, -1, &r);

	if (rc != RC_OK)
		return rc;
	n = json_array_size(r.schema);
	keys = arena_array(env->cx->arena, struct row_key, n + 1);
	cells = arena_array(env->cx->arena, struct cell, n + 1);
	n = searched_keys(env->cx->arena, r.schema, keys);
	*out = json_array();
	while (n && json_array_size(*out) < limit && (q = row_scan_next(&r.scan))) {
		arena_reset(r.scratch);
		row_pick(r.scratch, db_text(q, ROW_DATA), keys, n, cells);
		for (i = 0; i < n; i++)
			if (!cell_is_none(&cells[i]) && cell_has_text(&cells[i], &what, false))
				break;
		if (i < n)
			json_array_append_new(*out, row_value(&r, q, false));
	}
	row_scan_end(&r.scan);
	return RC_OK;
}

static const char *const OPERATION_WORDS[] = { "sum", "avg", "count", "min", "max" };
static const struct word_set OPERATIONS = WORDS(OPERATION_WORDS);
static const struct field AGGREGATE[] = {
	TABLE_ID,
	{ "column", F_STRING, F_REQUIRED, .doc = "Name of the column" },
	{ "operation", F_ENUM, F_REQUIRED, .words = &OPERATIONS, .doc = "What to work out" },
	FILTERS,
};
const struct shape PARAMS_AGGREGATE_TABLE = { "aggregate_table", AGGREGATE, COUNT(AGGREGATE) };

struct sums {
	double sum, min, max;
	int64_t n;
};

static void add_number(struct sums *s, double v)
{
	s->sum += v;
	s->min = s->n && s->min < v ? s->min : v;
	s->max = s->n && s->max > v ? s->max : v;
	s->n++;
}

static enum rc check_column(struct tool_env *env, const json_t *schema, const char *name)
{
	size_t i;
	json_t *column;

	json_array_foreach(schema, i, column) {
		const char *known = json_str(column, "name");

		if (known && strcmp(known, name) == 0)
			return RC_OK;
	}
	return ctx_fail(env->cx, RC_INVALID, "Unknown column: %s", name);
}

static json_t *number_or_null(double v)
{
	json_t *number = json_real(v);

	return number ? number : json_null();
}

static json_t *aggregate_result(const struct sums *s, const json_t *args)
{
	const char *what = json_str(args, "operation");
	double v = strcmp(what, "sum") == 0 ? s->sum
	    : strcmp(what, "avg") == 0	    ? s->sum / (double)s->n
	    : strcmp(what, "min") == 0	    ? s->min
	    : strcmp(what, "max") == 0	    ? s->max
					    : (double)s->n;

	if (!s->n)
		return json_pack("{s:n, s:i}", "result", "count", 0);
	return json_pack("{s:o, s:I, s:s, s:s}", "result", number_or_null(v),
	    "count", (json_int_t)s->n, "operation", what, "column", json_str(args, "column"));
}

enum rc tool_aggregate_table(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *column = json_str(args, "column");
	struct row_key key = row_key(env->cx->arena, column);
	struct sums sums = { 0 };
	struct reading r;
	struct cell c;
	struct q *q;
	double v;
	int place;
	enum rc rc = begin(env, args, AGGREGATE_ROWS, &r);

	if (rc == RC_OK && (rc = check_column(env, r.schema, column)) != RC_OK)
		row_scan_end(&r.scan);
	if (rc != RC_OK)
		return rc;
	place = computed_find(r.computed, column);
	while ((q = row_scan_next(&r.scan))) {
		arena_reset(r.scratch);
		if (place >= 0)
			c = computed_row(r.computed, db_text(q, ROW_DATA))[place];
		else
			row_pick(r.scratch, db_text(q, ROW_DATA), &key, 1, &c);
		if (cell_numeric(&c, &v))
			add_number(&sums, v);
	}
	*out = aggregate_result(&sums, args);
	return RC_OK;
}

static const struct field DATA_ITEM = { .type = F_RECORD };
static const struct field ADD[] = {
	TABLE_ID,
	{ "rows", F_ARRAY, F_REQUIRED | F_MIN | F_MAX, 1, 100, .item = &DATA_ITEM,
	    .doc = "The new rows: an object each, column name to value" },
};
const struct shape PARAMS_ADD_ROWS = { "add_rows", ADD, COUNT(ADD) };

enum rc tool_add_rows(struct tool_env *env, const json_t *args, json_t **out)
{
	json_t *rows = json_keep(env->cx->arena, json_array()), *row;
	const json_t *ids;
	size_t i;
	enum rc rc;

	json_array_foreach(json_object_get(args, "rows"), i, row)
		json_array_append_new(rows, json_pack("{s:O}", "data", row));
	rc = row_add(env->cx, json_str(args, "tableId"), rows, BY, &ids);
	if (rc == RC_OK)
		*out = json_pack("{s:I, s:O}", "added", (json_int_t)json_array_size(ids), "rowIds",
		    ids);
	return rc;
}

static const struct field UPDATE[] = {
	{ "rowId", F_STRING, F_REQUIRED, .doc = "Id of the row" },
	{ "data", F_RECORD, F_REQUIRED, .doc = "Column name to new value" },
};
const struct shape PARAMS_UPDATE_ROW = { "update_row", UPDATE, COUNT(UPDATE) };

enum rc tool_update_row(struct tool_env *env, const json_t *args, json_t **out)
{
	struct ctx *cx = env->cx;
	const char *id = json_str(args, "rowId"), *table = row_table(cx, id), *data;
	enum rc rc;

	if (!table)
		return ctx_fail(cx, RC_NOTFOUND, "Row not found");
	rc = row_update(cx, table, id, json_object_get(args, "data"), false, BY);
	if (rc != RC_OK)
		return rc;
	data = db_get_text(cx->db, cx->arena, Q_TABLE_ROW_DATA, "tt", id, table);
	*out = json_pack("{s:s, s:O*}", "id", id, "data", json_read_cells_text(cx->arena, data));
	return RC_OK;
}

static const struct field DELETE[] = {
	{ "rowIds", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &TEXT_ITEM,
	    .doc = "Ids of the rows" },
};
const struct shape PARAMS_DELETE_ROWS = { "delete_rows", DELETE, COUNT(DELETE) };

enum rc tool_delete_rows(struct tool_env *env, const json_t *args, json_t **out)
{
	json_int_t n = 0;
	json_t *id;
	size_t i;

	json_array_foreach(json_object_get(args, "rowIds"), i, id) {
		const char *table = row_table(env->cx, json_string_value(id));
		bool deleted = false;
		enum rc rc = table ? row_delete(env->cx, table, json_string_value(id), BY, &deleted)
				   : RC_OK;

		if (rc != RC_OK)
			return rc;
		n += deleted;
	}
	*out = json_pack("{s:I}", "deleted", n);
	return RC_OK;
}

static const char *const PLAIN_WORDS[] = { "text", "number", "date", "boolean", "select", "url",
	"email" };
static const struct word_set PLAIN_TYPES = WORDS(PLAIN_WORDS);
static const struct field OPTIONS_FIELDS[] = {
	{ "options", F_ARRAY, .item = &TEXT_ITEM, .doc = "Of a select: what may be chosen" },
};
static const struct shape OPTIONS_SHAPE = { "column_options", OPTIONS_FIELDS,
	COUNT(OPTIONS_FIELDS) };

#define COLUMN_HEAD                                                                                \
	{"name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 64,                                      \
	    .doc = "The key in the data of rows"},                                                 \
	{                                                                                          \
		"displayName", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 128, .doc = "The header"   \
	}

static const struct field NEW_COLUMN[] = {
	COLUMN_HEAD,
	{ "dataType", F_ENUM, F_REQUIRED, .words = &PLAIN_TYPES, .doc = "Type of the values" },
	{ "config", F_OBJECT, .shape = &SHAPE_COLUMN_CONFIG, .doc = "Settings of the type" },
};
static const struct shape NEW_COLUMN_SHAPE = { "new_column", NEW_COLUMN, COUNT(NEW_COLUMN) };
static const struct field NEW_COLUMN_ITEM = { .type = F_OBJECT, .shape = &NEW_COLUMN_SHAPE };

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 256, .doc = "Name of the table" },
	{ "description", F_STRING, F_MAX, .max = 1024, .doc = "What the table is for" },
	PROJECT_ID("Project of the table; default: the current one"),
	{ "columns", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &NEW_COLUMN_ITEM,
	    .doc = "The columns in their order" },
};
const struct shape PARAMS_CREATE_TABLE = { "create_table", CREATE, COUNT(CREATE) };

/* Creates it with the columns in the form in which agents' tables have them. */
static enum rc create(struct tool_env *env, const json_t *args, const char *description,
    const struct shape *shape, const char **id)
{
	struct arena *a = env->cx->arena;
	const char *project = tool_project(env, args);
	json_t *in = json_keep(a, json_pack("{s:O, s:s, s:s*, s:s*}", "name",
	    json_object_get(args, "name"), "source", "agent", "description", description,
	    "projectId", project && *project ? project : NULL));
	json_t *columns = json_keep(a, json_array()), *column;
	size_t i;

	json_array_foreach(json_object_get(args, "columns"), i, column) {
		json_t *kept = json_deep_copy(shape_pick(a, shape, column));

		json_object_set_new(kept, "position", json_integer((json_int_t)i));
		json_array_append_new(columns, kept);
	}
	return table_create_as(env->cx, in, columns, id);
}

enum rc tool_create_table(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	enum rc rc = create(env, args, json_str(args, "description"), &NEW_COLUMN_SHAPE, &id);

	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s}", "id", id, "name", json_str(args, "name"));
	return rc;
}

static const struct field SIMPLE_COLUMN[] = {
	COLUMN_HEAD,
	{ "dataType", F_ENUM, F_REQUIRED, .words = &PLAIN_TYPES, .doc = "Type of the values" },
	{ "config", F_OBJECT, .shape = &OPTIONS_SHAPE, .doc = "Settings of the type" },
};
static const struct shape SIMPLE_COLUMN_SHAPE = { "simple_column", SIMPLE_COLUMN,
	COUNT(SIMPLE_COLUMN) };
static const struct field SIMPLE_COLUMN_ITEM = { .type = F_OBJECT, .shape = &SIMPLE_COLUMN_SHAPE };

static const struct field DESCRIBE[] = {
	{ "description", F_STRING, F_REQUIRED | F_MIN, .min = 3,
	    .doc = "What the user wants to keep in the table" },
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 256, .doc = "Name of the table" },
	{ "columns", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &SIMPLE_COLUMN_ITEM,
	    .doc = "The columns that you infer, in their order" },
	PROJECT_ID("Project of the table; default: the current one"),
};
const struct shape PARAMS_DESCRIBE_TABLE = { "create_table_from_description", DESCRIBE,
	COUNT(DESCRIBE) };

enum rc tool_create_table_from_description(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	enum rc rc = create(env, args, NULL, &SIMPLE_COLUMN_SHAPE, &id);

	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:I, s:o}", "id", id, "name", json_str(args, "name"),
		    "columns", (json_int_t)json_array_size(json_object_get(args, "columns")),
		    "description",
		    json_sprintf("Created from: \"%s\"", json_str(args, "description")));
	return rc;
}

static const struct field ADD_COLUMN[] = {
	TABLE_ID,
	COLUMN_HEAD,
	{ "dataType", F_ENUM, F_REQUIRED, .words = &DATA_TYPES, .doc = "Type of the values" },
	{ "required", F_BOOL, .doc = "Whether people have to fill it" },
	{ "config", F_OBJECT, .shape = &SHAPE_COLUMN_CONFIG, .doc = "Settings of the type" },
};
const struct shape PARAMS_ADD_COLUMN = { "add_column", ADD_COLUMN, COUNT(ADD_COLUMN) };

static enum rc column_row(struct tool_env *env, const char *id, json_t **row)
{
	struct draft d;
	enum rc rc = column_write(env->cx, draft_begin(&d), id);

	return draft_end(env, &d, rc, row);
}

enum rc tool_add_column(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	enum rc rc = column_add(env->cx, json_str(args, "tableId"), args, &id);

	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s, s:s}", "id", id, "name", json_str(args, "name"),
		    "displayName", json_str(args, "displayName"));
	return rc;
}

#define COLUMN_ID { "columnId", F_STRING, F_REQUIRED, .doc = "Id of the column" }
static const struct field UPDATE_COLUMN[] = {
	COLUMN_ID,
	{ "displayName", F_STRING, F_MIN | F_MAX, 1, 128, .doc = "New header" },
	{ "dataType", F_ENUM, .words = &DATA_TYPES, .doc = "New type; values stay as they are" },
	{ "config", F_OBJECT, .shape = &SHAPE_COLUMN_CONFIG, .doc = "New settings" },
};
const struct shape PARAMS_UPDATE_COLUMN = { "update_column", UPDATE_COLUMN, COUNT(UPDATE_COLUMN) };
static const struct field COLUMN_ONLY[] = { COLUMN_ID };
const struct shape PARAMS_COLUMN_ID = { "column_id", COLUMN_ONLY, COUNT(COLUMN_ONLY) };

enum rc tool_update_column(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name" };
	const char *id = json_str(args, "columnId");
	json_t *row;
	enum rc rc = column_update(env->cx, id, args);

	if (rc == RC_OK)
		rc = column_row(env, id, &row);
	if (rc != RC_OK)
		return rc;
	*out = json_pick(row, KEYS, COUNT(KEYS));
	json_decref(row);
	return RC_OK;
}

enum rc tool_delete_column(struct tool_env *env, const json_t *args, json_t **out)
{
	enum rc rc = column_delete(env->cx, json_str(args, "columnId"));

	if (rc == RC_OK)
		*out = json_pack("{s:b}", "deleted", 1);
	return rc;
}

static const struct field REORDER[] = {
	TABLE_ID,
	{ "columnIds", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &TEXT_ITEM,
	    .doc = "Ids of columns in their new order" },
};
const struct shape PARAMS_REORDER_COLUMNS = { "reorder_columns", REORDER, COUNT(REORDER) };

enum rc tool_reorder_columns(struct tool_env *env, const json_t *args, json_t **out)
{
	const json_t *ids = json_object_get(args, "columnIds");
	enum rc rc = column_reorder(env->cx, json_str(args, "tableId"), ids);

	if (rc == RC_OK)
		*out = json_pack("{s:b, s:I}", "reordered", 1, "count",
		    (json_int_t)json_array_size(ids));
	return rc;
}

static const struct field UPDATE_TABLE[] = {
	TABLE_ID,
	{ "name", F_STRING, F_MIN | F_MAX, 1, 256, .doc = "New name" },
	{ "description", F_STRING, F_NULLABLE | F_MAX, .max = 1024, .doc = "New description" },
};
const struct shape PARAMS_UPDATE_TABLE = { "update_table", UPDATE_TABLE, COUNT(UPDATE_TABLE) };

enum rc tool_update_table(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name" };
	const char *id = json_str(args, "tableId");
	json_t *row;
	enum rc rc = table_update(env->cx, id, args);

	if (rc == RC_OK)
		rc = table_row(env, id, &row);
	if (rc != RC_OK)
		return rc;
	*out = json_pick(row, KEYS, COUNT(KEYS));
	json_decref(row);
	return RC_OK;
}

enum rc tool_delete_table(struct tool_env *env, const json_t *args, json_t **out)
{
	enum rc rc = table_delete(env->cx, json_str(args, "tableId"));

	if (rc == RC_OK)
		*out = json_pack("{s:b}", "deleted", 1);
	return rc;
}
