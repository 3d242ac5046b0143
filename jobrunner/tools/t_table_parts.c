/* Tools: what tables are filled from and saved as, their charts, triggers and history. */
#include "core/domain/table.h"

#include "core/json_in.h"
#include "core/model/models.h"
#include "jobrunner/import.h"
#include "jobrunner/tools/tools_int.h"

#define HISTORY_ROWS 50

#define TABLE_ID { "tableId", F_STRING, F_REQUIRED, .doc = "Id of the table" }

/* A refusal of the operation in the tool's own words, with the reason behind. */
static enum rc refused(struct tool_env *env, enum rc rc, const char *words)
{
	struct err *e = &env->cx->err;
	char reason[sizeof e->msg];

	if (rc == RC_OK)
		return rc;
	snprintf(reason, sizeof reason, "%s", *e->msg ? e->msg : rc_name(rc));
	snprintf(e->msg, sizeof e->msg, "%s: %.400s", words, reason);
	return rc;
}

static const struct field IMPORT[] = {
	TABLE_ID,
	{ "documentId", F_STRING, F_REQUIRED, .doc = "Id of the document" },
};
const struct shape PARAMS_IMPORT_TABLE = { "import_document_as_table", IMPORT, COUNT(IMPORT) };

enum rc tool_import_document_as_table(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "importId", "rowsImported", "rowsSkipped" };
	const struct import im = {
		.table = json_str(args, "tableId"),
		.document = json_str(args, "documentId"),
	};
	json_t *result;
	struct draft d;
	enum rc rc = import_run(env->cx, &im, draft_begin(&d));

	rc = draft_end(env, &d, rc, &result);
	if (rc != RC_OK)
		return rc;
	*out = json_pick(result, KEYS, COUNT(KEYS));
	json_decref(result);
	return RC_OK;
}

static const struct field TEMPLATES[] = {
	{ "category", F_ENUM, .words = &TEMPLATE_CATEGORIES, .doc = "Only those of this category" },
};
const struct shape PARAMS_LIST_TEMPLATES = { "list_table_templates", TEMPLATES, COUNT(TEMPLATES) };

enum rc tool_list_table_templates(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "name", "description", "category" };
	json_t *all;
	struct draft d;
	enum rc rc;

	template_write_list(env->cx, draft_begin(&d), json_str(args, "category"), NULL);
	rc = draft_end(env, &d, RC_OK, &all);
	if (rc != RC_OK)
		return rc;
	*out = json_array();
	for (size_t i = 0; i < json_array_size(all) && i < TOOL_ROWS_MAX; i++)
		json_array_append_new(*out, json_pick(json_array_get(all, i), KEYS, COUNT(KEYS)));
	json_decref(all);
	return RC_OK;
}

static const struct field CLONE[] = {
	{ "templateId", F_STRING, F_REQUIRED, .doc = "Id of the template" },
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 256, .doc = "Name of the table" },
	{ "projectId", F_STRING, .doc = "Project of the table; default: the current one" },
	{ "includeSampleData", F_BOOL, .doc = "The sample rows of the template, too" },
};
const struct shape PARAMS_CLONE_TABLE = { "create_table_from_template", CLONE, COUNT(CLONE) };

enum rc tool_create_table_from_template(struct tool_env *env, const json_t *args, json_t **out)
{
	json_t *in = json_keep(env->cx->arena, json_copy((json_t *)(uintptr_t)args));
	const char *project = tool_project(env, args), *id;
	enum rc rc;

	json_object_set_new(
	    in, "projectId", json_text_or_null(project && *project ? project : NULL));
	rc = table_clone(env->cx, in, NULL, &id);
	if (rc == RC_OK)
		*out = json_pack("{s:s, s:s}", "id", id, "name", json_str(args, "name"));
	return rc;
}

static const char *const FORMAT_WORDS[] = { "csv", "json", "xlsx" };
static const struct word_set FORMATS = WORDS(FORMAT_WORDS);
static const struct field EXPORT[] = {
	TABLE_ID,
	{ "format", F_ENUM, F_REQUIRED, .words = &FORMATS, .doc = "Kind of the file" },
};
const struct shape PARAMS_EXPORT_TABLE = { "export_table", EXPORT, COUNT(EXPORT) };

enum rc tool_export_table(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "tableId"), *format = json_str(args, "format");
	json_t *row;
	struct draft d;
	enum rc rc = table_write(env->cx, draft_begin(&d), id, false);

	rc = draft_end(env, &d, rc, &row);
	if (rc != RC_OK)
		return rc;
	*out = json_pack("{s:o, s:O, s:s}", "url",
	    json_sprintf("/api/tables/%s/export?format=%s", id, format), "table",
	    json_object_get(row, "name"), "format", format);
	json_decref(row);
	return RC_OK;
}

enum rc tool_list_charts(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *table = json_str(args, "tableId");
	struct draft d;
	enum rc rc = table_find(env->cx, table);

	draft_begin(&d);
	if (rc == RC_OK)
		chart_write_list(env->cx, &d.w, table);
	return refused(env, draft_end(env, &d, rc, out), "Failed to list charts");
}

#define CHART_FIELDS(flags) \
	{ "type", F_ENUM, flags, .words = &CHART_TYPES, .doc = "Kind of the chart" }, \
	{ "title", F_STRING, (flags) | F_MIN, .min = 1, .doc = "Title of the chart" }, \
	{ "xColumn", F_STRING, flags, .doc = "Column of the labels" }, \
	{ "yColumn", F_STRING, .doc = "Column of the values; without one rows are counted" }, \
	{ "aggregation", F_ENUM, .words = &AGGREGATIONS, \
	    .doc = "How values with the same label become one" }

static const char *const CHART_WORDS[] = { "bar", "line", "pie", "scatter" };
static const struct word_set CHART_TYPES = WORDS(CHART_WORDS);
static const char *const AGGREGATION_WORDS[] = { "sum", "avg", "count", "min", "max" };
static const struct word_set AGGREGATIONS = WORDS(AGGREGATION_WORDS);
static const struct field CREATE_CHART[] = { TABLE_ID, CHART_FIELDS(F_REQUIRED) };
const struct shape PARAMS_CREATE_CHART = { "create_chart", CREATE_CHART, COUNT(CREATE_CHART) };
#define CHART_ID { "chartId", F_STRING, F_REQUIRED, .doc = "Id of the chart" }
static const struct field UPDATE_CHART[] = { TABLE_ID, CHART_ID, CHART_FIELDS(0) };
const struct shape PARAMS_UPDATE_CHART = { "update_chart", UPDATE_CHART, COUNT(UPDATE_CHART) };
static const struct field CHART_ONLY[] = { TABLE_ID, CHART_ID };
const struct shape PARAMS_CHART_ID = { "chart_id", CHART_ONLY, COUNT(CHART_ONLY) };

static enum rc chart_row(struct tool_env *env, const json_t *args, const char *id, json_t **out)
{
	struct draft d;
	enum rc rc = chart_write(env->cx, draft_begin(&d), json_str(args, "tableId"), id);

	return draft_end(env, &d, rc, out);
}

enum rc tool_create_chart(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	enum rc rc = chart_create(env->cx, json_str(args, "tableId"), args, &id);

	if (rc == RC_OK)
		rc = chart_row(env, args, id, out);
	return refused(env, rc, "Failed to create chart");
}

enum rc tool_update_chart(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "chartId");
	enum rc rc = chart_update(env->cx, json_str(args, "tableId"), id, args);

	if (rc == RC_OK)
		rc = chart_row(env, args, id, out);
	return refused(env, rc, "Failed to update chart");
}

enum rc tool_delete_chart(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "chartId");
	enum rc rc = chart_delete(env->cx, json_str(args, "tableId"), id);

	if (rc == RC_OK)
		*out = json_pack("{s:b, s:s}", "deleted", 1, "chartId", id);
	return refused(env, rc, "Failed to delete chart");
}

enum rc tool_render_chart(struct tool_env *env, const json_t *args, json_t **out)
{
	struct draft d;
	enum rc rc = chart_write_data(env->cx, draft_begin(&d), json_str(args, "tableId"),
	    json_str(args, "chartId"));

	rc = draft_end(env, &d, rc, out);
	return rc == RC_NOTFOUND ? rc : refused(env, rc, "Failed to fetch charts");
}

enum rc tool_list_triggers(struct tool_env *env, const json_t *args, json_t **out)
{
	struct draft d;
	enum rc rc = trigger_write_list(env->cx, draft_begin(&d), json_str(args, "tableId"));

	return refused(env, draft_end(env, &d, rc, out), "Failed to list triggers");
}

static const struct field CONDITION[] = {
	{ "column", F_STRING, F_REQUIRED, .doc = "Name of the column" },
	{ "operator", F_STRING, F_REQUIRED, .doc = "An operator of filters" },
	{ "value", F_ANY, .doc = "What the column's value is compared with" },
};
static const struct shape CONDITION_SHAPE = { "trigger_condition", CONDITION, COUNT(CONDITION) };
static const struct field CREATE_TRIGGER[] = {
	TABLE_ID,
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Name of the trigger" },
	{ "triggerEvent", F_ENUM, F_REQUIRED, .words = &TRIGGER_EVENTS, .doc = "What sets it off" },
	{ "condition", F_OBJECT, .shape = &CONDITION_SHAPE, .doc = "What must hold for the row" },
	{ "actionType", F_ENUM, F_REQUIRED, .words = &TRIGGER_ACTIONS, .doc = "What it does" },
	{ "actionConfig", F_RECORD, F_REQUIRED,
	    .doc = "title, description and projectId of the task; or workflowId" },
};
const struct shape PARAMS_CREATE_TRIGGER = { "create_trigger", CREATE_TRIGGER,
	COUNT(CREATE_TRIGGER) };
#define TRIGGER_ID { "triggerId", F_STRING, F_REQUIRED, .doc = "Id of the trigger" }
static const struct field UPDATE_TRIGGER[] = {
	TABLE_ID, TRIGGER_ID,
	{ "status", F_ENUM, .words = &TRIGGER_STATUSES, .doc = "paused, or active again" },
	{ "name", F_STRING, F_MIN, .min = 1, .doc = "New name" },
};
const struct shape PARAMS_UPDATE_TRIGGER = { "update_trigger", UPDATE_TRIGGER,
	COUNT(UPDATE_TRIGGER) };
static const struct field TRIGGER_ONLY[] = { TABLE_ID, TRIGGER_ID };
const struct shape PARAMS_TRIGGER_ID = { "trigger_id", TRIGGER_ONLY, COUNT(TRIGGER_ONLY) };

static enum rc trigger_row(struct tool_env *env, const json_t *args, const char *id, json_t **out)
{
	struct draft d;
	enum rc rc = trigger_write(env->cx, draft_begin(&d), json_str(args, "tableId"), id);

	return draft_end(env, &d, rc, out);
}

enum rc tool_create_trigger(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	enum rc rc = trigger_create(env->cx, json_str(args, "tableId"), args, &id);

	if (rc == RC_OK)
		rc = trigger_row(env, args, id, out);
	return refused(env, rc, "Failed to create trigger");
}

enum rc tool_update_trigger(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id = json_str(args, "triggerId");
	enum rc rc = trigger_update(env->cx, json_str(args, "tableId"), id, args);

	if (rc == RC_OK)
		rc = trigger_row(env, args, id, out);
	return refused(env, rc, "Failed to update trigger");
}

enum rc tool_delete_trigger(struct tool_env *env, const json_t *args, json_t **out)
{
	enum rc rc =
	    trigger_delete(env->cx, json_str(args, "tableId"), json_str(args, "triggerId"));

	if (rc == RC_OK)
		*out = json_pack("{s:b}", "deleted", 1);
	return refused(env, rc, "Failed to delete trigger");
}

static const struct field HISTORY[] = {
	TABLE_ID,
	{ "limit", F_INT, F_MIN | F_MAX, 1, 200, .otherwise = "50",
	    .doc = "At most so many changes" },
};
const struct shape PARAMS_TABLE_HISTORY = { "get_table_history", HISTORY, COUNT(HISTORY) };

enum rc tool_get_table_history(struct tool_env *env, const json_t *args, json_t **out)
{
	static const char *const KEYS[] = { "id", "rowId", "changeType", "changedBy", "createdAt" };
	struct draft d;
	enum rc rc;

	history_write(env->cx, draft_begin(&d), json_str(args, "tableId"), NULL,
	    (int64_t)json_num(args, "limit", HISTORY_ROWS));
	rc = draft_end(env, &d, RC_OK, out);
	for (size_t i = 0; rc == RC_OK && i < json_array_size(*out); i++)
		json_array_set_new(
		    *out, i, json_pick(json_array_get(*out, i), KEYS, COUNT(KEYS)));
	return rc;
}

static const struct field SAVE[] = {
	TABLE_ID,
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Name of the template" },
	{ "category", F_ENUM, .words = &TEMPLATE_CATEGORIES, .otherwise = "\"personal\"",
	    .doc = "Category of the template" },
	{ "includeSampleData", F_BOOL, .doc = "The first five rows, too" },
};
const struct shape PARAMS_SAVE_TEMPLATE = { "save_as_template", SAVE, COUNT(SAVE) };

enum rc tool_save_as_template(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *id;
	struct draft d;
	enum rc rc = template_save(env->cx, args, &id);

	if (rc != RC_OK)
		return refused(env, rc, "Failed to save template");
	rc = template_write(env->cx, draft_begin(&d), id);
	return refused(env, draft_end(env, &d, rc, out), "Failed to save template");
}
