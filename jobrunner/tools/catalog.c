/* The table of tools, and how one is offered and run. */
#include "jobrunner/tools/tools_int.h"

#include "core/json_in.h"
#include "core/log.h"
#include "core/policy.h"
#include "core/text.h"

#define RESULT_MAX 100000
#define DEFINITIONS_MAX ((size_t)4 << 20)
#define ERROR_MAX ((size_t)256 << 10)
#define PREFIX "mcp__stagent__"

/* In the order of requests, which must not change during a run: prompts are cached by it. */
const struct tool TOOLS[] = {
	{ "list_projects", "List all projects, oldest first, with the number of their tasks.",
	    &PARAMS_LIST_PROJECTS, tool_list_projects, 0 },
	{ "create_project", "Create a project. Returns the new project.", &PARAMS_CREATE_PROJECT,
	    tool_create_project, 0 },
	{ "list_tasks", "List tasks, most urgent first, then newest; at most 50.",
	    &PARAMS_LIST_TASKS, tool_list_tasks, 0 },
	{ "create_task",
	    "Create a task in the state planned. Returns the new task. Nothing is executed yet.",
	    &PARAMS_CREATE_TASK, tool_create_task, 0 },
	{ "update_task", "Change a task's texts, state, priority, runtime or profile.",
	    &PARAMS_UPDATE_TASK, tool_update_task, 0 },
	{ "get_task", "Read one task with its state and result.", &PARAMS_TASK_ID, tool_get_task,
	    0 },
	{ "execute_task",
	    "Start an agent on a task. It works in the background; read the result with get_task "
	    "when the task has ended.",
	    &PARAMS_EXECUTE_TASK, tool_execute_task, TOOL_GATED },
	{ "cancel_task", "Stop a running task.", &PARAMS_TASK_ID, tool_cancel_task, TOOL_GATED },
	{ "list_workflows", "List workflows, latest updated first; at most 50.",
	    &PARAMS_LIST_WORKFLOWS, tool_list_workflows, 0 },
	{ "create_workflow",
	    "Create a workflow: steps that agents carry out in a pattern. Returns the new workflow. "
	    "Nothing is executed yet.",
	    &PARAMS_CREATE_WORKFLOW, tool_create_workflow, 0 },
	{ "get_workflow", "Read one workflow with its steps and what they came to.",
	    &PARAMS_WORKFLOW_ID, tool_get_workflow, 0 },
	{ "update_workflow", "Change the name or definition of a workflow that is a draft.",
	    &PARAMS_UPDATE_WORKFLOW, tool_update_workflow, 0 },
	{ "delete_workflow", "Delete a workflow with all its tasks.", &PARAMS_WORKFLOW_ID,
	    tool_delete_workflow, TOOL_GATED },
	{ "execute_workflow",
	    "Start a workflow, or resume a paused one. It works in the background; read how far it is "
	    "with get_workflow_status.",
	    &PARAMS_WORKFLOW_ID, tool_execute_workflow, TOOL_GATED },
	{ "get_workflow_status", "Read how far a workflow is, step by step.", &PARAMS_WORKFLOW_ID,
	    tool_get_workflow_status, 0 },
	{ "find_related_documents",
	    "Find documents of a project whose text is ready, newest first, by name or by the "
	    "workflow that made them.",
	    &PARAMS_FIND_RELATED, tool_find_related_documents, 0 },
	{ "list_documents", "List documents, newest first; at most 50. Their texts are left out.",
	    &PARAMS_LIST_DOCUMENTS, tool_list_documents, 0 },
	{ "get_document", "Read what is known of one document, without its text.",
	    &PARAMS_DOCUMENT_ID, tool_get_document, 0 },
	{ "upload_document",
	    "Make a document of a file: it is copied, and its text is extracted in the background.",
	    &PARAMS_UPLOAD_DOCUMENT, tool_upload_document, TOOL_GATED | TOOL_FILES },
	{ "update_document", "Label a document, or let its text be extracted again.",
	    &PARAMS_UPDATE_DOCUMENT, tool_update_document, TOOL_GATED },
	{ "delete_document", "Delete a document with its file.", &PARAMS_DELETE_DOCUMENT,
	    tool_delete_document, TOOL_GATED },
	{ "read_document_content",
	    "Read a document's text, or the part of it from offset on; totalLength says how long it "
	    "is.",
	    &PARAMS_READ_DOCUMENT, tool_read_document_content, 0 },
	{ "list_schedules", "List schedules, the latest changed first; at most 50.",
	    &PARAMS_LIST_SCHEDULES, tool_list_schedules, 0 },
	{ "create_schedule",
	    "Create a schedule. It makes and executes a task again and again, until it ends or is "
	    "paused. Returns the new schedule.",
	    &PARAMS_CREATE_SCHEDULE, tool_create_schedule, 0 },
	{ "get_schedule", "Read one schedule with its state and next time.", &PARAMS_SCHEDULE_ID,
	    tool_get_schedule, 0 },
	{ "update_schedule", "Change a schedule, pause it, or let it go on.",
	    &PARAMS_UPDATE_SCHEDULE, tool_update_schedule, 0 },
	{ "delete_schedule", "Delete a schedule. The tasks that it has made stay.",
	    &PARAMS_SCHEDULE_ID, tool_delete_schedule, TOOL_GATED },
	{ "list_notifications",
	    "List requests that wait for the operator, or the latest notifications of all kinds.",
	    &PARAMS_LIST_NOTIFICATIONS, tool_list_notifications, 0 },
	{ "respond_notification",
	    "Approve or deny a request. Those of tasks are answered by the operator alone.",
	    &PARAMS_RESPOND_NOTIFICATION, tool_respond_notification, TOOL_GATED },
	{ "mark_notifications_read", "Mark all notifications as read. Open requests stay open.",
	    &PARAMS_NONE, tool_mark_notifications_read, 0 },
	{ "list_profiles", "List the agent profiles: what kinds of agents there are.",
	    &PARAMS_NONE, tool_list_profiles, TOOL_FILES },
	{ "get_profile", "Read one agent profile with its instructions.", &PARAMS_GET_PROFILE,
	    tool_get_profile, TOOL_FILES },
	{ "get_usage_summary",
	    "Report what models have cost: spend and tokens by day, and sums by model.",
	    &PARAMS_GET_USAGE_SUMMARY, tool_get_usage_summary, 0 },
	{ "get_settings", "Read one setting, or an overview. Secrets cannot be read.",
	    &PARAMS_GET_SETTINGS, tool_get_settings, 0 },
	{ "set_settings", "Change one of a few settings.", &PARAMS_SET_SETTINGS,
	    tool_set_settings, TOOL_GATED },
	{ "send_handoff",
	    "Hand work over to an agent of another profile. It becomes a task that is executed in the "
	    "background; you are not told of its result.",
	    &PARAMS_SEND_HANDOFF, tool_send_handoff, 0 },
	{ "list_tables", "List the user's tables, the latest first; at most 50.",
	    &PARAMS_LIST_TABLES, tool_list_tables, 0 },
	{ "get_table_schema", "Read a table's columns: names, types and settings.",
	    &PARAMS_TABLE_ID, tool_get_table_schema, 0 },
	{ "query_table",
	    "Read rows of a table, filtered and sorted. Computed columns are worked out, but filters "
	    "and sorts see stored values only.",
	    &PARAMS_QUERY_TABLE, tool_query_table, 0 },
	{ "search_table", "Find rows in whose text, email or url columns a text occurs.",
	    &PARAMS_SEARCH_TABLE, tool_search_table, 0 },
	{ "aggregate_table",
	    "Work out the sum, average, count, minimum or maximum of a column's numbers.",
	    &PARAMS_AGGREGATE_TABLE, tool_aggregate_table, 0 },
	{ "add_rows", "Add rows to a table. Values are keyed by column name.", &PARAMS_ADD_ROWS,
	    tool_add_rows, 0 },
	{ "update_row", "Change values of a row; those that are not given stay.",
	    &PARAMS_UPDATE_ROW, tool_update_row, 0 },
	{ "delete_rows", "Delete rows. They can be restored from the history.",
	    &PARAMS_DELETE_ROWS, tool_delete_rows, TOOL_GATED },
	{ "create_table", "Create a table with columns.", &PARAMS_CREATE_TABLE, tool_create_table,
	    0 },
	{ "import_document_as_table",
	    "Fill a table with the rows of a document (CSV, TSV or spreadsheet). Columns that the "
	    "table lacks are added.",
	    &PARAMS_IMPORT_TABLE, tool_import_document_as_table, TOOL_FILES },
	{ "list_table_templates", "List templates that tables can be made from.",
	    &PARAMS_LIST_TEMPLATES, tool_list_table_templates, 0 },
	{ "create_table_from_template", "Create a table from a template.", &PARAMS_CLONE_TABLE,
	    tool_create_table_from_template, 0 },
	{ "create_table_from_description",
	    "Create a table for what the user has described, with columns that you infer from it.",
	    &PARAMS_DESCRIBE_TABLE, tool_create_table_from_description, 0 },
	{ "export_table", "Say where a table can be downloaded as a file.", &PARAMS_EXPORT_TABLE,
	    tool_export_table, 0 },
	{ "add_column", "Add a column to a table.", &PARAMS_ADD_COLUMN, tool_add_column, 0 },
	{ "update_column", "Change a column's header, type or settings.", &PARAMS_UPDATE_COLUMN,
	    tool_update_column, 0 },
	{ "delete_column", "Delete a column. What rows have under its name stays in them.",
	    &PARAMS_COLUMN_ID, tool_delete_column, TOOL_GATED },
	{ "reorder_columns", "Put columns first, in the order given.", &PARAMS_REORDER_COLUMNS,
	    tool_reorder_columns, 0 },
	{ "update_table", "Change a table's name or description.", &PARAMS_UPDATE_TABLE,
	    tool_update_table, 0 },
	{ "delete_table", "Delete a table with everything in it, for good.", &PARAMS_TABLE_ID,
	    tool_delete_table, TOOL_GATED },
	{ "list_charts", "List the saved charts of a table.", &PARAMS_TABLE_ID, tool_list_charts,
	    0 },
	{ "create_chart", "Save a chart of a table.", &PARAMS_CREATE_CHART, tool_create_chart, 0 },
	{ "update_chart", "Change a saved chart.", &PARAMS_UPDATE_CHART, tool_update_chart, 0 },
	{ "delete_chart", "Delete a saved chart.", &PARAMS_CHART_ID, tool_delete_chart, 0 },
	{ "render_chart", "Work out the points of a saved chart.", &PARAMS_CHART_ID,
	    tool_render_chart, 0 },
	{ "list_triggers", "List what happens by itself when a table's rows change.",
	    &PARAMS_TABLE_ID, tool_list_triggers, 0 },
	{ "create_trigger",
	    "Have a task created or a workflow started whenever a table's rows change.",
	    &PARAMS_CREATE_TRIGGER, tool_create_trigger, 0 },
	{ "update_trigger", "Rename a trigger, pause it or let it go on.", &PARAMS_UPDATE_TRIGGER,
	    tool_update_trigger, 0 },
	{ "delete_trigger", "Delete a trigger.", &PARAMS_TRIGGER_ID, tool_delete_trigger, 0 },
	{ "get_table_history", "List the latest changes of a table's rows.", &PARAMS_TABLE_HISTORY,
	    tool_get_table_history, 0 },
	{ "save_as_template", "Save a table's columns as a template.", &PARAMS_SAVE_TEMPLATE,
	    tool_save_as_template, 0 },
	{ "AskUserQuestion",
	    "Ask the operator one to four questions with choices, and wait for the answers.",
	    &PARAMS_ASK_USER, tool_ask_user, TOOL_ASKS },
	{ "write_output_file",
	    "Write a text file into the output folder of this run. It replaces a file of the same "
	    "name and is kept as a document of the task.",
	    &PARAMS_WRITE_OUTPUT_FILE, tool_write_output_file,
	    TOOL_FREE | TOOL_FILES | TOOL_DIRECT },
};
const size_t TOOLS_N = COUNT(TOOLS);

const struct tool *tool_find(const char *name)
{
	if (text_starts(name, PREFIX))
		name += strlen(PREFIX);
	for (size_t i = 0; i < TOOLS_N; i++)
		if (strcmp(TOOLS[i].name, name) == 0)
			return &TOOLS[i];
	return NULL;
}

static bool listed(const json_t *allowed, const struct tool *t)
{
	size_t i;
	json_t *item;

	json_array_foreach(allowed, i, item)
		if (json_is_string(item) && tool_find(json_string_value(item)) == t)
			return true;
	return false;
}

/* Command-line clients have an AskUserQuestion, too. */
bool tool_restricts(const json_t *allowed)
{
	for (size_t i = 0; i < TOOLS_N; i++)
		if (TOOLS[i].fn != tool_ask_user && listed(allowed, &TOOLS[i]))
			return true;
	return false;
}

/* No object takes keys that its schema does not name. */
static void close_schema(json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *item;
	const char *key;

	json_object_foreach(properties, key, item)
		close_schema(item);
	if (json_object_get(schema, "items"))
		close_schema(json_object_get(schema, "items"));
	if (!properties)
		return;
	if (!json_object_get(schema, "required"))
		json_object_set_new(schema, "required", json_array());
	json_object_set_new(schema, "additionalProperties", json_false());
}

json_t *tool_definitions(const json_t *allowed, unsigned without)
{
	bool some = tool_restricts(allowed);
	struct buf b;
	struct jw w = jw_on(&b);
	json_t *list, *item;
	size_t i;

	buf_init(&b, DEFINITIONS_MAX);
	jw_arr(&w);
	for (i = 0; i < TOOLS_N; i++) {
		const struct tool *t = &TOOLS[i];

		if ((some && !listed(allowed, t)) || (t->flags & without))
			continue;
		jw_obj(&w);
		jw_kstr(&w, "name", t->name);
		jw_kstr(&w, "description", t->doc);
		jw_key(&w, "input_schema");
		shape_json_schema(&w, t->params);
		jw_end_obj(&w);
	}
	jw_end_arr(&w);
	list = json_loads(buf_text(&b), 0, NULL);
	buf_fini(&b);
	json_array_foreach(list, i, item)
		close_schema(json_object_get(item, "input_schema"));
	return list ? list : json_array();
}

/* A message may have been cut in the middle of a character. */
const char *tool_error_text(struct arena *a, const char *message)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text;
	size_t n = strlen(message);

	while (!text_is_utf8(message, n))
		n--;
	buf_init(&b, ERROR_MAX);
	jw_obj(&w);
	jw_key(&w, "error");
	jw_strn(&w, message, n);
	jw_end_obj(&w);
	text = b.failed ? "{\"error\":\"Internal server error\"}"
			: arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

static const struct field *field_of(const struct shape *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->fields[i].key, key) == 0)
			return &s->fields[i];
	return NULL;
}

static json_t *known_keys(const struct shape *s, const json_t *v);

/* V without the keys that its field does not know, at every level. New reference. */
static json_t *known_part(const struct field *f, json_t *v)
{
	json_t *copy, *item;
	size_t i;

	if (f->type == F_OBJECT && f->shape && json_is_object(v))
		return known_keys(f->shape, v);
	if (f->type != F_ARRAY || !f->item || !json_is_array(v))
		return json_incref(v);
	copy = json_array();
	json_array_foreach(v, i, item)
		json_array_append_new(copy, known_part(f->item, item));
	return copy;
}

static json_t *known_keys(const struct shape *s, const json_t *v)
{
	json_t *copy = json_object(), *item;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)v, key, item) {
		const struct field *f = field_of(s, key);

		if (f)
			json_object_set_new(copy, key, known_part(f, item));
	}
	return copy;
}

/* Puts the operator's answers, which are no parameter, beside the questions. */
static void add_answers(const struct tool *t, const json_t *args, json_t *in)
{
	json_t *answers = json_object_get(args, "answers");

	if (t->fn == tool_ask_user && answers)
		json_object_set(in, "answers", answers);
}

/* The value as the model reads it. */
static const char *result_text(struct arena *a, const json_t *v)
{
	const char *s = json_text_pretty(a, v);
	size_t n = text_prefix(s, RESULT_MAX);

	if (!s[n])
		return s;
	return arena_printf(a, "%.*s\n[cut here: the first %d of %zu characters]", (int)n, s,
	    RESULT_MAX, text_units(s));
}

/* After these the transaction around the call may be gone: whoever runs it must see that. */
static bool is_fatal(const struct tool *t, enum rc rc)
{
	return !(t->flags & TOOL_FILES) && (rc == RC_FULL || rc == RC_IO || rc == RC_CORRUPT);
}

static bool failed(struct ctx *cx, const struct tool *t, enum rc rc, const char **text)
{
	if (!cx->err.rc)
		err_internal(&cx->err, rc, "%s", rc_name(rc));
	if (*cx->err.cause)
		log_warn("tool %s: %s: %s", t->name, rc_name(cx->err.rc), cx->err.cause);
	*text = tool_error_text(cx->arena, err_text(&cx->err));
	if (!is_fatal(t, cx->err.rc))
		err_clear(&cx->err);
	return true;
}

/* What the tool takes of ARGS. */
static json_t *input_of(struct arena *a, const struct tool *t, const json_t *args)
{
	return args && !json_is_object(args) ? (json_t *)(uintptr_t)args
					     : json_keep(a, known_keys(t->params, args));
}

static const char *misfit(struct arena *a, const struct tool *t, const json_t *in)
{
	const struct problem *list = shape_problems(a, t->params, in);

	return list ? tool_error_text(a,
			  arena_printf(a, "Invalid arguments: %s", shape_problems_line(a, list)))
		    : NULL;
}

const char *tool_misfit(struct arena *a, const struct tool *t, const json_t *args)
{
	return misfit(a, t, input_of(a, t, args));
}

bool tool_run(struct tool_env *env, const struct tool *t, const json_t *args, const char **text)
{
	struct arena *a = env->cx->arena;
	json_t *in = input_of(a, t, args), *out = NULL;
	enum rc rc;

	*text = misfit(a, t, in);
	if (*text)
		return true;
	add_answers(t, args, in);
	rc = t->fn(env, in, &out);
	json_keep(a, out);
	if (rc == RC_OK)
		rc = env->cx->err.rc;
	if (rc == RC_OK && !out)
		rc = RC_BUG;
	if (rc != RC_OK)
		return failed(env->cx, t, rc, text);
	*text = result_text(a, out);
	return false;
}
