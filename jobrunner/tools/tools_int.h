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

/* t_files.c */
extern const struct shape PARAMS_WRITE_OUTPUT_FILE;
enum rc tool_write_output_file(struct tool_env *env, const json_t *args, json_t **out);

/* t_questions.c */
extern const struct shape PARAMS_ASK_USER;
enum rc tool_ask_user(struct tool_env *env, const json_t *args, json_t **out);

#endif
