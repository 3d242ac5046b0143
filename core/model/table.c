/* Users' tables: columns and request bodies. What triggers, charts, templates, imports and
 * rollbacks take is checked by the operations themselves, in words of their own; their shapes
 * describe it. */
#include "core/model/models.h"

static const char *const SOURCE_WORDS[] = { "manual", "imported", "agent", "template" };
const struct word_set TABLE_SOURCES = WORDS(SOURCE_WORDS);
static const char *const TYPE_WORDS[] = { "text", "number", "date", "boolean", "select", "url",
	"email", "relation", "computed" };
const struct word_set DATA_TYPES = WORDS(TYPE_WORDS);
static const char *const FORMULA_TYPE_WORDS[] = { "arithmetic", "text_concat", "date_diff",
	"conditional", "aggregate" };
static const struct word_set FORMULA_TYPES = WORDS(FORMULA_TYPE_WORDS);
static const char *const OPERATOR_WORDS[] = { "eq", "neq", "gt", "gte", "lt", "lte", "contains",
	"starts_with", "in", "is_empty", "is_not_empty" };
const struct word_set FILTER_OPERATORS = WORDS(OPERATOR_WORDS);
static const char *const DIRECTION_WORDS[] = { "asc", "desc" };
static const struct word_set DIRECTIONS = WORDS(DIRECTION_WORDS);
static const char *const EVENT_WORDS[] = { "row_added", "row_updated", "row_deleted" };
const struct word_set TRIGGER_EVENTS = WORDS(EVENT_WORDS);
static const char *const ACTION_WORDS[] = { "run_workflow", "create_task" };
const struct word_set TRIGGER_ACTIONS = WORDS(ACTION_WORDS);
static const char *const STATUS_WORDS[] = { "active", "paused" };
const struct word_set TRIGGER_STATUSES = WORDS(STATUS_WORDS);
static const char *const CATEGORY_WORDS[] = { "business", "personal", "pm", "finance", "content" };
const struct word_set TEMPLATE_CATEGORIES = WORDS(CATEGORY_WORDS);
static const char *const SCOPE_WORDS[] = { "system", "user" };
static const struct word_set TEMPLATE_SCOPES = WORDS(SCOPE_WORDS);
static const char *const FORMAT_WORDS[] = { "csv", "tsv", "xlsx", "json" };
const struct word_set IMPORT_FORMATS = WORDS(FORMAT_WORDS);

static const struct column TABLE[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "project_id", "projectId", COL_ID, COL_NULL, NULL, NULL },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "description", "description", COL_TEXT, COL_NULL, NULL, NULL },
	{ "column_schema", "columnSchema", COL_PACKED, COL_READONLY, NULL,
	    "The columns: a JSON array as text" },
	{ "row_count", "rowCount", COL_INT, COL_READONLY, NULL, NULL },
	{ "source", "source", COL_TEXT, COL_READONLY, &TABLE_SOURCES, "How it came to be" },
	{ "template_id", "templateId", COL_ID, COL_NULL | COL_READONLY, NULL,
	    "Template that it was made from" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE = { "Table", "utable", "user_tables", TABLE, COUNT(TABLE),
	"A table of the user's with typed columns" };

static const struct column COLUMN[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "table_id", "tableId", COL_ID, COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, COL_READONLY, NULL, "The key in the data of rows" },
	{ "display_name", "displayName", COL_TEXT, 0, NULL, "Header of pages and exports" },
	{ "data_type", "dataType", COL_TEXT, 0, NULL, NULL },
	{ "position", "position", COL_INT, 0, NULL, NULL },
	{ "required", "required", COL_BOOL, 0, NULL, NULL },
	{ "default_value", "defaultValue", COL_TEXT, COL_NULL, NULL, NULL },
	{ "config", "config", COL_PACKED, COL_NULL, NULL, "A JSON object as text" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_COLUMN = { "TableColumn", "ucolumn", "user_table_columns", COLUMN,
	COUNT(COLUMN), "A column of a table" };

static const struct column ROW[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "table_id", "tableId", COL_ID, COL_READONLY, NULL, NULL },
	{ "data", "data", COL_PACKED, 0, NULL, "Column name to value: a JSON object as text" },
	{ "position", "position", COL_INT, COL_READONLY, NULL, NULL },
	{ "created_by", "createdBy", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_ROW = { "TableRow", "urow", "user_table_rows", ROW, COUNT(ROW),
	"A row of a table" };

static const struct column HISTORY[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "row_id", "rowId", COL_ID, COL_READONLY, NULL, NULL },
	{ "table_id", "tableId", COL_ID, COL_READONLY, NULL, NULL },
	{ "previous_data", "previousData", COL_PACKED, COL_READONLY, NULL,
	    "The row's data before the change: a JSON object as text" },
	{ "changed_by", "changedBy", COL_TEXT, COL_NULL | COL_READONLY, NULL,
	    "user, agent or rollback" },
	{ "change_type", "changeType", COL_TEXT, COL_READONLY, NULL, "update or delete" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_HISTORY = { "TableHistory", "uhistory", "user_table_row_history",
	HISTORY, COUNT(HISTORY), "A change of a row" };

static const struct column TRIGGER[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "table_id", "tableId", COL_ID, COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "trigger_event", "triggerEvent", COL_TEXT, 0, NULL,
	    "row_added, row_updated or row_deleted" },
	{ "condition", "condition", COL_PACKED, COL_NULL, NULL,
	    "column, operator and value: a JSON object as text" },
	{ "action_type", "actionType", COL_TEXT, 0, NULL, "run_workflow or create_task" },
	{ "action_config", "actionConfig", COL_PACKED, 0, NULL, "A JSON object as text" },
	{ "status", "status", COL_TEXT, 0, NULL, "active or paused" },
	{ "fire_count", "fireCount", COL_INT, COL_READONLY, NULL,
	    "How often its action took effect" },
	{ "last_fired_at", "lastFiredAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_TRIGGER = { "TableTrigger", "utrigger", "user_table_triggers",
	TRIGGER, COUNT(TRIGGER), "What happens by itself when rows change" };

static const struct column CHART[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "table_id", "tableId", COL_ID, COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "type", "type", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "config", "config", COL_JSON, COL_NULL, NULL, "type, xColumn, yColumn, aggregation" },
	{ "is_default", "isDefault", COL_BOOL, COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_CHART = { "TableChart", "uchart", "user_table_views", CHART,
	COUNT(CHART), "A saved chart of a table" };

static const struct column TEMPLATE[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "description", "description", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "category", "category", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "column_schema", "columnSchema", COL_PACKED, COL_READONLY, NULL,
	    "The columns: a JSON array as text" },
	{ "sample_data", "sampleData", COL_PACKED, COL_NULL | COL_READONLY, NULL,
	    "Data of rows: a JSON array as text" },
	{ "scope", "scope", COL_TEXT, COL_READONLY, NULL, "system or user" },
	{ "icon", "icon", COL_TEXT, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_TABLE_TEMPLATE = { "TableTemplate", "utemplate", "user_table_templates",
	TEMPLATE, COUNT(TEMPLATE), "Columns, and perhaps rows, that new tables can begin with" };

static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field CONFIG_FIELDS[] = {
	{ "options", F_ARRAY, .item = &TEXT_ITEM, .doc = "Of a select" },
	{ "formula", F_STRING, .doc = "Of a computed column" },
	{ "formulaType", F_ENUM, .words = &FORMULA_TYPES, .doc = "For information only" },
	{ "resultType", F_ENUM, .words = &DATA_TYPES, .doc = "For information only" },
	{ "dependencies", F_ARRAY, .item = &TEXT_ITEM, .doc = "For information only" },
	{ "targetTableId", F_STRING, .doc = "Of a relation" },
	{ "displayColumn", F_STRING, .doc = "Of a relation" },
};
const struct shape SHAPE_COLUMN_CONFIG = { "TableColumnConfig", CONFIG_FIELDS,
	COUNT(CONFIG_FIELDS) };

#define COLUMN_NAME                                                                                \
	{                                                                                          \
		"name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 64,                               \
		    .doc = "The key in the data of rows"                                           \
	}
#define COLUMN_DISPLAY \
	{ "displayName", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 128, .doc = "The header" }
#define COLUMN_TYPE { "dataType", F_ENUM, F_REQUIRED, .words = &DATA_TYPES }
#define COLUMN_REST \
	{ "required", F_BOOL, .doc = "For the user interface only" }, \
	{ "defaultValue", F_STRING, F_NULLABLE, .doc = "For the user interface only" }, \
	{ "config", F_OBJECT, .shape = &SHAPE_COLUMN_CONFIG }

static const struct field DEFINITION[] = {
	COLUMN_NAME, COLUMN_DISPLAY, COLUMN_TYPE,
	{ "position", F_INT, F_REQUIRED | F_MIN, .min = 0 },
	COLUMN_REST,
};
static const struct shape SHAPE_DEFINITION = { "TableColumnDefinition", DEFINITION,
	COUNT(DEFINITION) };
static const struct field DEFINITION_ITEM = { .type = F_OBJECT, .shape = &SHAPE_DEFINITION };

static const struct field ADD_COLUMN[] = { COLUMN_NAME, COLUMN_DISPLAY, COLUMN_TYPE, COLUMN_REST };
const struct shape SHAPE_TABLE_COLUMN = { "TableColumnCreate", ADD_COLUMN, COUNT(ADD_COLUMN) };

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 256 },
	{ "description", F_STRING, F_NULLABLE | F_MAX, .max = 1024 },
	{ "projectId", F_STRING, F_NULLABLE },
	{ "columns", F_ARRAY, .item = &DEFINITION_ITEM },
	{ "source", F_ENUM, .words = &TABLE_SOURCES, .otherwise = "\"manual\"" },
	{ "templateId", F_STRING, F_NULLABLE,
	    .doc = "Makes the table from this template; columns then count for nothing" },
	{ "includeSampleData", F_BOOL, .doc = "With a template: its sample rows, too" },
};
/* The last field is of the other kind of creation. */
const struct shape SHAPE_TABLE_CREATE = { "TableCreate", CREATE, COUNT(CREATE) - 1 };
const struct shape SHAPE_TABLE_NEW = { "TableNew", CREATE, COUNT(CREATE) };

static const struct field CLONE[] = {
	{ "templateId", F_STRING, F_REQUIRED },
	{ "name", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 256 },
	{ "projectId", F_STRING, F_NULLABLE },
	{ "includeSampleData", F_BOOL },
};
const struct shape SHAPE_TABLE_CLONE = { "TableClone", CLONE, COUNT(CLONE) };

static const struct field UPDATE[] = {
	{ "name", F_STRING, F_MIN | F_MAX, 1, 256 },
	{ "description", F_STRING, F_NULLABLE | F_MAX, .max = 1024 },
	{ "projectId", F_STRING, F_NULLABLE },
};
const struct shape SHAPE_TABLE_UPDATE = { "TableUpdate", UPDATE, COUNT(UPDATE) };

static const struct field NEW_ROW[] = {
	{ "data", F_RECORD, F_REQUIRED, .doc = "Column name to value" },
	{ "createdBy", F_STRING, .otherwise = "\"user\"" },
};
static const struct shape SHAPE_NEW_ROW = { "TableRowNew", NEW_ROW, COUNT(NEW_ROW) };
static const struct field ROW_ITEM = { .type = F_OBJECT, .shape = &SHAPE_NEW_ROW };
static const struct field ROWS[] = {
	{ "rows", F_ARRAY, F_REQUIRED | F_MIN | F_MAX, 1, 1000, .item = &ROW_ITEM },
};
const struct shape SHAPE_TABLE_ROWS = { "TableRows", ROWS, COUNT(ROWS) };

static const struct field ROW_UPDATE[] = {
	{ "data", F_RECORD, F_REQUIRED, .doc = "Replaces the values of its keys" },
	{ "replace", F_ANY, .doc = "true: the data replaces all of the row's" },
};
const struct shape SHAPE_TABLE_ROW_UPDATE = { "TableRowUpdate", ROW_UPDATE, COUNT(ROW_UPDATE) };

static const struct field REORDER[] = {
	{ "columnIds", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &TEXT_ITEM },
};
const struct shape SHAPE_TABLE_REORDER = { "TableColumnOrder", REORDER, COUNT(REORDER) };

static const struct field VALUES[] = {
	{ .type = F_STRING }, { .type = F_NUMBER }, { .type = F_BOOL },
	{ .type = F_ARRAY, .item = &TEXT_ITEM },
};
static const struct field FILTER[] = {
	{ "column", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Name of the column" },
	{ "operator", F_ENUM, F_REQUIRED, .words = &FILTER_OPERATORS },
	{ "value", F_UNION, .item = VALUES, .n_items = COUNT(VALUES) },
};
static const struct shape SHAPE_FILTER = { "TableFilter", FILTER, COUNT(FILTER) };
const struct field FIELD_FILTER = { .type = F_OBJECT, .shape = &SHAPE_FILTER };

static const struct field SORT[] = {
	{ "column", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "Name of the column" },
	{ "direction", F_ENUM, F_REQUIRED, .words = &DIRECTIONS },
};
static const struct shape SHAPE_SORT = { "TableSort", SORT, COUNT(SORT) };
const struct field FIELD_SORT = { .type = F_OBJECT, .shape = &SHAPE_SORT };

static const struct field ROW_QUERY[] = {
	{ "limit", F_INT, F_MIN | F_MAX, 1, 1000 },
	{ "offset", F_INT, F_MIN, .min = 0 },
	{ "filters", F_ARRAY, .item = &FIELD_FILTER },
	{ "sorts", F_ARRAY, .item = &FIELD_SORT },
};
const struct shape SHAPE_ROW_QUERY = { "TableRowQuery", ROW_QUERY, COUNT(ROW_QUERY) };

static const struct field ROLLBACK[] = {
	{ "historyEntryId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
};
const struct shape SHAPE_TABLE_ROLLBACK = { "TableRollback", ROLLBACK, COUNT(ROLLBACK) };

static const struct field MAPPING[] = {
	{ "name", F_STRING }, { "displayName", F_STRING },
	{ "dataType", F_ENUM, .words = &DATA_TYPES },
	{ "skip", F_BOOL, .doc = "Leave the column out" },
};
static const struct shape SHAPE_MAPPING = { "TableColumnMapping", MAPPING, COUNT(MAPPING) };
static const struct field MAPPING_ITEM = { .type = F_OBJECT, .shape = &SHAPE_MAPPING };
static const struct field IMPORT[] = {
	{ "documentId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "preview", F_BOOL, .doc = "Only say what would be imported" },
	{ "columnMapping", F_ARRAY, .item = &MAPPING_ITEM },
	{ "format", F_ENUM, .words = &IMPORT_FORMATS, .doc = "Instead of the document's own" },
};
const struct shape SHAPE_TABLE_IMPORT = { "TableImport", IMPORT, COUNT(IMPORT) };

static const struct field CONDITION[] = {
	{ "column", F_STRING, F_REQUIRED }, { "operator", F_STRING, F_REQUIRED },
	{ "value", F_ANY },
};
static const struct shape SHAPE_CONDITION = { "TableCondition", CONDITION, COUNT(CONDITION) };
static const struct field TRIGGER_CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "triggerEvent", F_ENUM, F_REQUIRED, .words = &TRIGGER_EVENTS },
	{ "condition", F_OBJECT, F_NULLABLE, .shape = &SHAPE_CONDITION },
	{ "actionType", F_ENUM, F_REQUIRED, .words = &TRIGGER_ACTIONS },
	{ "actionConfig", F_OBJECT, F_REQUIRED,
	    .doc = "title, description and projectId of a task; workflowId of a workflow" },
};
const struct shape SHAPE_TRIGGER_CREATE = { "TableTriggerCreate", TRIGGER_CREATE,
	COUNT(TRIGGER_CREATE) };

static const struct field TRIGGER_UPDATE[] = {
	{ "name", F_STRING, F_MIN, .min = 1 },
	{ "triggerEvent", F_ENUM, .words = &TRIGGER_EVENTS },
	{ "status", F_ENUM, .words = &TRIGGER_STATUSES },
	{ "condition", F_OBJECT, F_NULLABLE, .shape = &SHAPE_CONDITION },
	{ "actionType", F_ENUM, .words = &TRIGGER_ACTIONS },
	{ "actionConfig", F_OBJECT },
};
const struct shape SHAPE_TRIGGER_UPDATE = { "TableTriggerUpdate", TRIGGER_UPDATE,
	COUNT(TRIGGER_UPDATE) };

static const struct field TRIGGER_STATUS[] = {
	{ "triggerId", F_STRING, F_REQUIRED },
	{ "status", F_ENUM, F_REQUIRED, .words = &TRIGGER_STATUSES },
};
const struct shape SHAPE_TRIGGER_STATUS = { "TableTriggerStatus", TRIGGER_STATUS,
	COUNT(TRIGGER_STATUS) };

static const struct field CHART_CREATE[] = {
	{ "type", F_STRING, F_REQUIRED | F_MIN, .min = 1, .doc = "bar, line, pie or scatter" },
	{ "title", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "xColumn", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "yColumn", F_STRING, F_NULLABLE },
	{ "aggregation", F_STRING, F_NULLABLE, .doc = "sum, avg, count, min or max" },
};
const struct shape SHAPE_CHART_CREATE = { "TableChartCreate", CHART_CREATE, COUNT(CHART_CREATE) };

static const struct field CHART_UPDATE[] = {
	{ "type", F_STRING, F_MIN, .min = 1 }, { "title", F_STRING, F_MIN, .min = 1 },
	{ "xColumn", F_STRING, F_MIN, .min = 1 }, { "yColumn", F_STRING, F_NULLABLE },
	{ "aggregation", F_STRING, F_NULLABLE },
};
const struct shape SHAPE_CHART_UPDATE = { "TableChartUpdate", CHART_UPDATE, COUNT(CHART_UPDATE) };

static const struct field TEMPLATE_QUERY[] = {
	{ "category", F_ENUM, .words = &TEMPLATE_CATEGORIES },
	{ "scope", F_ENUM, .words = &TEMPLATE_SCOPES },
};
const struct shape SHAPE_TEMPLATE_QUERY = { "TableTemplateQuery", TEMPLATE_QUERY,
	COUNT(TEMPLATE_QUERY) };

static const struct field TEMPLATE_SAVE[] = {
	{ "tableId", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "description", F_STRING, F_NULLABLE, .doc = "Default: the table's" },
	{ "category", F_ENUM, F_NULLABLE, .words = &TEMPLATE_CATEGORIES,
	    .otherwise = "\"personal\"" },
	{ "includeSampleData", F_BOOL, .doc = "Keep the first five rows, too" },
};
const struct shape SHAPE_TEMPLATE_SAVE = { "TableTemplateSave", TEMPLATE_SAVE,
	COUNT(TEMPLATE_SAVE) };
