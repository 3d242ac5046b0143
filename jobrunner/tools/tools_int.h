/* What the files of this folder share: the functions and parameters of the tools, one source file
 * a domain (t_<domain>.c), and helpers to make their results. */
#ifndef JOBRUNNER_TOOLS_TOOLS_INT_H
#define JOBRUNNER_TOOLS_TOOLS_INT_H

#include "jobrunner/tools/tools.h"

/* Rows that a list gives at most. */
#define TOOL_ROWS_MAX 50

/* A result that a domain function writes as JSON and the tool hands on as a value. */
struct draft {
	struct buf b;
	struct jw w;
};

/* Begins a draft; write exactly one value to what comes back. */
struct jw *draft_begin(struct draft *d);
/* Ends it. Where RC and the writing were fine, the value comes back in *OUT as a new reference;
 * else the code. */
enum rc draft_end(struct tool_env *env, struct draft *d, enum rc rc, json_t **out);
/* S as a value; null where it is NULL or no UTF-8. */
json_t *json_text_or_null(const char *s);

/* The members of OBJECT under KEYS, in this order, as far as it has them. New reference. */
json_t *json_pick(const json_t *object, const char *const *keys, size_t n);
/* The project that an optional projectId means: the current one where it is missing. */
const char *tool_project(const struct tool_env *env, const json_t *args);

extern const struct shape PARAMS_NONE;

/* t_projects.c */
extern const struct shape PARAMS_LIST_PROJECTS, PARAMS_CREATE_PROJECT;
enum rc tool_list_projects(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_project(struct tool_env *env, const json_t *args, json_t **out);

/* t_tasks.c */
extern const struct shape PARAMS_LIST_TASKS, PARAMS_CREATE_TASK, PARAMS_UPDATE_TASK,
    PARAMS_TASK_ID, PARAMS_EXECUTE_TASK;
enum rc tool_list_tasks(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_task(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_task(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_task(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_execute_task(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_cancel_task(struct tool_env *env, const json_t *args, json_t **out);

/* t_documents.c */
extern const struct shape PARAMS_FIND_RELATED, PARAMS_LIST_DOCUMENTS, PARAMS_DOCUMENT_ID,
    PARAMS_UPLOAD_DOCUMENT, PARAMS_UPDATE_DOCUMENT, PARAMS_DELETE_DOCUMENT, PARAMS_READ_DOCUMENT;
enum rc tool_find_related_documents(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_list_documents(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_document(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_upload_document(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_document(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_document(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_read_document_content(struct tool_env *env, const json_t *args, json_t **out);

/* t_notifications.c */
extern const struct shape PARAMS_LIST_NOTIFICATIONS, PARAMS_RESPOND_NOTIFICATION;
enum rc tool_list_notifications(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_respond_notification(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_mark_notifications_read(struct tool_env *env, const json_t *args, json_t **out);

/* t_profiles.c */
extern const struct shape PARAMS_GET_PROFILE;
enum rc tool_list_profiles(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_profile(struct tool_env *env, const json_t *args, json_t **out);

/* t_schedules.c */
extern const struct shape PARAMS_LIST_SCHEDULES, PARAMS_CREATE_SCHEDULE, PARAMS_SCHEDULE_ID,
    PARAMS_UPDATE_SCHEDULE;
enum rc tool_list_schedules(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_schedule(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_schedule(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_schedule(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_schedule(struct tool_env *env, const json_t *args, json_t **out);

/* t_settings.c */
extern const struct shape PARAMS_GET_USAGE_SUMMARY, PARAMS_GET_SETTINGS, PARAMS_SET_SETTINGS;
enum rc tool_get_usage_summary(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_settings(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_set_settings(struct tool_env *env, const json_t *args, json_t **out);

/* t_handoffs.c */
extern const struct shape PARAMS_SEND_HANDOFF;
enum rc tool_send_handoff(struct tool_env *env, const json_t *args, json_t **out);

/* t_tables.c */
extern const struct shape PARAMS_LIST_TABLES, PARAMS_TABLE_ID, PARAMS_QUERY_TABLE,
    PARAMS_SEARCH_TABLE, PARAMS_AGGREGATE_TABLE, PARAMS_ADD_ROWS, PARAMS_UPDATE_ROW,
    PARAMS_DELETE_ROWS, PARAMS_CREATE_TABLE, PARAMS_DESCRIBE_TABLE, PARAMS_ADD_COLUMN,
    PARAMS_UPDATE_COLUMN, PARAMS_COLUMN_ID, PARAMS_REORDER_COLUMNS, PARAMS_UPDATE_TABLE;
enum rc tool_list_tables(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_table_schema(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_query_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_search_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_aggregate_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_add_rows(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_row(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_rows(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_table_from_description(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_add_column(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_column(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_column(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_reorder_columns(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_table(struct tool_env *env, const json_t *args, json_t **out);

/* t_table_parts.c */
extern const struct shape PARAMS_IMPORT_TABLE, PARAMS_LIST_TEMPLATES, PARAMS_CLONE_TABLE,
    PARAMS_EXPORT_TABLE, PARAMS_CREATE_CHART, PARAMS_UPDATE_CHART, PARAMS_CHART_ID,
    PARAMS_CREATE_TRIGGER, PARAMS_UPDATE_TRIGGER, PARAMS_TRIGGER_ID, PARAMS_TABLE_HISTORY,
    PARAMS_SAVE_TEMPLATE;
enum rc tool_import_document_as_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_list_table_templates(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_table_from_template(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_export_table(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_list_charts(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_chart(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_chart(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_chart(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_render_chart(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_list_triggers(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_trigger(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_trigger(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_trigger(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_table_history(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_save_as_template(struct tool_env *env, const json_t *args, json_t **out);

/* t_workflows.c */
extern const struct shape PARAMS_LIST_WORKFLOWS, PARAMS_CREATE_WORKFLOW, PARAMS_UPDATE_WORKFLOW,
    PARAMS_WORKFLOW_ID;
enum rc tool_list_workflows(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_create_workflow(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_workflow(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_update_workflow(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_delete_workflow(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_execute_workflow(struct tool_env *env, const json_t *args, json_t **out);
enum rc tool_get_workflow_status(struct tool_env *env, const json_t *args, json_t **out);

/* t_files.c */
extern const struct shape PARAMS_WRITE_OUTPUT_FILE;
enum rc tool_write_output_file(struct tool_env *env, const json_t *args, json_t **out);

/* t_questions.c */
extern const struct shape PARAMS_ASK_USER;
enum rc tool_ask_user(struct tool_env *env, const json_t *args, json_t **out);

#endif
