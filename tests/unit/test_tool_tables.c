/* Tools: tables. What agents read, change and are refused. */
#include "core/domain/table.h"
#include "tests/unit/tool_case.h"

static const char *text(struct fixture *f, const char *tool, const char *args)
{
	return json_text(f->cx.arena, good(f, tool, args));
}

/* A table with a text, a number and a computed column; its id. */
static const char *make(struct fixture *f)
{
	json_t *v = good(f, "create_table", "{\"name\":\"T\",\"description\":\"d\",\"columns\":["
	    "{\"name\":\"a\",\"displayName\":\"A\",\"dataType\":\"text\"},"
	    "{\"name\":\"n\",\"displayName\":\"N\",\"dataType\":\"number\"}]}");
	const char *id = json_str(v, "id");

	assert_string_equal(json_str(v, "name"), "T");
	good(f, "add_column",
	    with_id(f,
		"{\"tableId\":\"$\",\"name\":\"dbl\",\"displayName\":\"D\","
		"\"dataType\":\"computed\",\"config\":{\"formula\":\"n*2\"}}",
		id));
	return id;
}

static const char *fill(struct fixture *f, const char *id)
{
	json_t *v = good(f, "add_rows", with_id(f, "{\"tableId\":\"$\",\"rows\":["
	    "{\"a\":\"Foo bar\",\"n\":1},{\"a\":\"baz\",\"n\":\"2.5\"},{\"a\":null,\"n\":\"\"},"
	    "{\"n\":true}]}", id));

	assert_int_equal(json_integer_value(json_object_get(v, "added")), 4);
	return json_string_value(json_array_get(json_object_get(v, "rowIds"), 1));
}

static void reading(void **state)
{
	struct fixture *f = *state;
	const char *id = make(f);
	json_t *v;

	fill(f, id);
	v = good(f, "query_table", with_id(f, "{\"tableId\":\"$\",\"filters\":[{\"column\":\"n\","
	    "\"operator\":\"is_not_empty\"}],\"sorts\":[{\"column\":\"a\",\"direction\":\"desc\"}],"
	    "\"limit\":2}", id));
	assert_int_equal(json_array_size(v), 2);
	assert_string_equal(json_text(f->cx.arena, json_object_get(json_array_get(v, 0), "data")),
	    "{\"a\":\"baz\",\"n\":\"2.5\",\"dbl\":5}");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(v, 0), "position")), 1);
	v = good(f, "search_table", with_id(f, "{\"tableId\":\"$\",\"query\":\"O B\"}", id));
	assert_int_equal(json_array_size(v), 1);
	assert_int_equal(json_object_size(json_array_get(v, 0)), 2);
	assert_string_equal(
	    text(f, "search_table", with_id(f, "{\"tableId\":\"$\",\"query\":\"zz\"}", id)), "[]");
	v = good(f, "list_tables", "{\"source\":\"agent\"}");
	assert_string_equal(json_text(f->cx.arena, json_array_get(v, 0)),
	    with_id(f, "{\"id\":\"$\",\"name\":\"T\",\"description\":\"d\",\"projectName\":null,"
		"\"columnCount\":3,\"rowCount\":4,\"source\":\"agent\"}", id));
	v = good(f, "get_table_schema", with_id(f, "{\"tableId\":\"$\"}", id));
	assert_string_equal(
	    json_text(f->cx.arena, json_array_get(json_object_get(v, "columns"), 2)),
	    "{\"name\":\"dbl\",\"displayName\":\"D\",\"dataType\":\"computed\",\"required\":false,"
	    "\"config\":{\"formula\":\"n*2\"}}");
}

static void aggregates(void **state)
{
	static const struct {
		const char *operation, *column, *result;
	} CASES[] = {
	    {"sum", "n", "{\"result\":4.5,\"count\":3,\"operation\":\"sum\",\"column\":\"n\"}"},
	    {"avg", "n", "{\"result\":1.5,\"count\":3,\"operation\":\"avg\",\"column\":\"n\"}"},
	    {"max", "dbl", "{\"result\":5,\"count\":4,\"operation\":\"max\",\"column\":\"dbl\"}"},
	    {"min", "dbl", "{\"result\":0,\"count\":4,\"operation\":\"min\",\"column\":\"dbl\"}"},
	    {"count", "a", "{\"result\":null,\"count\":0}"},
	};
	struct fixture *f = *state;
	const char *id = make(f);

	fill(f, id);
	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(
		    text(f, "aggregate_table",
			arena_printf(f->cx.arena,
			    "{\"tableId\":\"%s\",\"operation\":\"%s\",\"column\":\"%s\"}", id,
			    CASES[i].operation, CASES[i].column)),
		    CASES[i].result);
	bad(f, "aggregate_table",
	    with_id(f, "{\"tableId\":\"$\",\"operation\":\"sum\",\"column\":\"N\"}", id),
	    "Unknown column: N");
}

static void rows_of_agents(void **state)
{
	struct fixture *f = *state;
	const char *id = make(f), *row = fill(f, id);
	json_t *v;

	assert_string_equal(
	    text(f, "update_row", with_id(f, "{\"rowId\":\"$\",\"data\":{\"n\":3,\"z\":[]}}", row)),
	    with_id(f, "{\"id\":\"$\",\"data\":{\"a\":\"baz\",\"n\":3,\"z\":[]}}", row));
	assert_string_equal(
	    text(f, "delete_rows", with_id(f, "{\"rowIds\":[\"no-such\",\"$\"]}", row)),
	    "{\"deleted\":1}");
	bad(f, "update_row", with_id(f, "{\"rowId\":\"$\",\"data\":{}}", row), "Row not found");
	v = good(f, "get_table_history", with_id(f, "{\"tableId\":\"$\"}", id));
	assert_int_equal(json_array_size(v), 2);
	assert_string_equal(json_str(json_array_get(v, 0), "changedBy"), "agent");
	assert_string_equal(json_str(json_array_get(v, 1), "changeType"), "delete");
}

static void columns(void **state)
{
	struct fixture *f = *state;
	const char *id = make(f), *column;
	json_t *v = good(f, "add_column", with_id(f, "{\"tableId\":\"$\",\"name\":\"x\","
	    "\"displayName\":\"X\",\"dataType\":\"select\",\"required\":true}", id));

	column = json_str(v, "id");
	assert_string_equal(text(f, "update_column",
				with_id(f, "{\"columnId\":\"$\",\"displayName\":\"Y\","
					   "\"config\":{\"options\":[\"p\"],\"zz\":1}}", column)),
	    with_id(f, "{\"id\":\"$\",\"name\":\"x\"}", column));
	v = good(f, "get_table_schema", with_id(f, "{\"tableId\":\"$\"}", id));
	assert_string_equal(
	    json_text(f->cx.arena, json_array_get(json_object_get(v, "columns"), 3)),
	    "{\"name\":\"x\",\"displayName\":\"Y\",\"dataType\":\"select\",\"required\":true,"
	    "\"config\":{\"options\":[\"p\"]}}");
	assert_string_equal(text(f, "delete_column", with_id(f, "{\"columnId\":\"$\"}", column)),
	    "{\"deleted\":true}");
	bad(f, "delete_column", with_id(f, "{\"columnId\":\"$\"}", column), "Column not found");
	bad(f, "add_column", with_id(f, "{\"tableId\":\"$\",\"name\":\"a\",\"displayName\":\"A\","
	    "\"dataType\":\"text\"}", id), "Column already exists: a");
}

static void charts_and_triggers(void **state)
{
	struct fixture *f = *state;
	const char *id = make(f), *part;
	json_t *v;

	fill(f, id);
	v = good(f, "create_chart",
	    with_id(f,
		"{\"tableId\":\"$\",\"type\":\"bar\",\"title\":\"C\","
		"\"xColumn\":\"a\",\"yColumn\":\"dbl\",\"aggregation\":\"sum\"}",
		id));
	part = json_str(v, "id");
	v = good(f, "render_chart", arena_printf(f->cx.arena,
	    "{\"tableId\":\"%s\",\"chartId\":\"%s\"}", id, part));
	assert_string_equal(json_text(f->cx.arena, json_object_get(v, "dataPoints")),
	    "[{\"label\":\"Foo bar\",\"value\":2},{\"label\":\"baz\",\"value\":5},"
	    "{\"label\":\"Unknown\",\"value\":2}]");
	bad(f, "render_chart", with_id(f, "{\"tableId\":\"$\",\"chartId\":\"x\"}", id),
	    "Chart not found");
	bad(f, "delete_chart", with_id(f, "{\"tableId\":\"$\",\"chartId\":\"x\"}", id),
	    "Failed to delete chart: Chart not found");
	bad(f, "create_trigger", with_id(f, "{\"tableId\":\"$\",\"name\":\"g\","
	    "\"triggerEvent\":\"row_added\",\"actionType\":\"create_task\",\"actionConfig\":{},"
	    "\"condition\":{\"column\":\"a\",\"operator\":\"like\",\"value\":1}}", id),
	    "Failed to create trigger: Invalid condition operator: like");
	v = good(f, "create_trigger",
	    with_id(f,
		"{\"tableId\":\"$\",\"name\":\"g\","
		"\"triggerEvent\":\"row_added\",\"actionType\":\"create_task\",\"actionConfig\":{}"
		"}",
		id));
	part = json_str(v, "id");
	fill(f, id);
	v = good(f, "update_trigger", arena_printf(f->cx.arena,
	    "{\"tableId\":\"%s\",\"triggerId\":\"%s\",\"status\":\"paused\"}", id, part));
	assert_int_equal(json_integer_value(json_object_get(v, "fireCount")), 4);
	assert_string_equal(json_str(v, "status"), "paused");
}

static void templates(void **state)
{
	struct fixture *f = *state;
	const char *id = make(f);
	json_t *v;

	assert_int_equal(template_seed(&f->cx), RC_OK);
	assert_int_equal(template_seed(&f->cx), RC_OK);
	v = good(f, "list_table_templates", "{}");
	assert_int_equal(json_array_size(v), 12);
	fill(f, id);
	v = good(f, "save_as_template",
	    with_id(f, "{\"tableId\":\"$\",\"name\":\"S\",\"includeSampleData\":true}", id));
	assert_string_equal(json_str(v, "category"), "personal");
	v = good(f, "create_table_from_template", with_id(f,
	    "{\"templateId\":\"$\",\"name\":\"K\",\"includeSampleData\":true}", json_str(v, "id")));
	v = good(f, "query_table", with_id(f, "{\"tableId\":\"$\"}", json_str(v, "id")));
	assert_int_equal(json_array_size(v), 4);
	bad(f, "create_table_from_template", "{\"templateId\":\"x\",\"name\":\"K\"}",
	    "Template not found");
}

static void tables(void **state)
{
	struct fixture *f = *state;
	const char *id;
	json_t *v = good(f, "create_table_from_description",
	    "{\"description\":\"to \\\"do\\\"\","
	    "\"name\":\"D\",\"columns\":[{\"name\":\"x\",\"displayName\":\"X\",\"dataType\":"
	    "\"date\"}]}");

	id = json_str(v, "id");
	assert_string_equal(json_str(v, "description"), "Created from: \"to \"do\"\"");
	assert_string_equal(
	    text(f, "export_table", with_id(f, "{\"tableId\":\"$\",\"format\":\"xlsx\"}", id)),
	    with_id(f, "{\"url\":\"/api/tables/$/export?format=xlsx\",\"table\":\"D\","
		"\"format\":\"xlsx\"}", id));
	assert_string_equal(
	    text(f, "update_table", with_id(f, "{\"tableId\":\"$\",\"name\":\"E\"}", id)),
	    with_id(f, "{\"id\":\"$\",\"name\":\"E\"}", id));
	assert_string_equal(
	    text(f, "delete_table", with_id(f, "{\"tableId\":\"$\"}", id)), "{\"deleted\":true}");
	bad(f, "delete_table", with_id(f, "{\"tableId\":\"$\"}", id), "Table not found");
	bad(f, "query_table", with_id(f, "{\"tableId\":\"$\"}", id), "Table not found");
	bad(f, "add_rows", with_id(f, "{\"tableId\":\"$\",\"rows\":[{}]}", id), "Table not found");
	bad(f, "import_document_as_table",
	    with_id(f, "{\"tableId\":\"$\",\"documentId\":\"x\"}", id), "Table not found");
	bad(f, "create_table", "{\"name\":\"T\",\"columns\":[]}",
	    "Invalid arguments: columns: Too small: expected array to have >=1 items");
}

int main(void)
{
	const struct CMUnitTest all[] = {
		TEST(reading), TEST(aggregates), TEST(rows_of_agents), TEST(columns),
		TEST(charts_and_triggers), TEST(templates), TEST(tables),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
