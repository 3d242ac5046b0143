/* The models and shapes of all domains; one source file a domain beside this header. */
#ifndef CORE_MODEL_MODELS_H
#define CORE_MODEL_MODELS_H

#include "core/shape.h"

extern const struct word_set RUNTIMES;

/* project.c */
extern const struct word_set PROJECT_STATUSES;
extern const struct model MODEL_PROJECT;
extern const struct shape SHAPE_PROJECT_CREATE, SHAPE_PROJECT_UPDATE;

/* task.c */
extern const struct word_set TASK_STATUSES;
extern const struct model MODEL_TASK, MODEL_LOG;
extern const struct shape SHAPE_TASK_CREATE, SHAPE_TASK_UPDATE, SHAPE_TASK_RESPOND,
    SHAPE_TASK_ASSIST;

/* document.c */
extern const struct word_set DOCUMENT_STATUSES, DOCUMENT_DIRECTIONS;
extern const struct model MODEL_DOCUMENT, MODEL_DOCUMENT_ROW;
extern const struct shape SHAPE_DOCUMENT_CREATE, SHAPE_DOCUMENT_UPDATE;

/* notification.c */
extern const struct model MODEL_NOTIFICATION;
extern const struct shape SHAPE_NOTIFICATION_UPDATE;

/* profile.c */
extern const struct model MODEL_REPO_IMPORT;

/* context.c */
extern const struct model MODEL_CONTEXT;
extern const struct shape SHAPE_CONTEXT_BATCH;

/* handoff.c */
extern const struct word_set HANDOFF_STATUSES;
extern const struct model MODEL_HANDOFF;
extern const struct shape SHAPE_HANDOFF_CREATE, SHAPE_HANDOFF_DECIDE;

/* memory.c */
extern const struct word_set MEMORY_CATEGORIES, MEMORY_STATUSES;
extern const struct model MODEL_MEMORY;
extern const struct shape SHAPE_MEMORY_CREATE, SHAPE_MEMORY_UPDATE, SHAPE_MEMORY_ARCHIVE;

/* workflow.c */
extern const struct word_set WORKFLOW_STATUSES;
extern const struct model MODEL_WORKFLOW;
extern const struct shape SHAPE_WORKFLOW_CREATE, SHAPE_WORKFLOW_UPDATE, SHAPE_WORKFLOW_ASSIST,
    SHAPE_WORKFLOW_ATTACH, SHAPE_WORKFLOW_DETACH;

/* blueprint.c */
extern const struct shape SHAPE_BLUEPRINT, SHAPE_BLUEPRINT_SHOWN, SHAPE_BLUEPRINT_CREATE,
    SHAPE_BLUEPRINT_IMPORT, SHAPE_BLUEPRINT_INSTANTIATE;

/* permission.c */
extern const struct shape SHAPE_PERMISSION, SHAPE_PRESET;

/* schedule.c */
extern const struct word_set SCHEDULE_STATUSES, SCHEDULE_TYPES;
extern const struct model MODEL_SCHEDULE;
extern const struct shape SHAPE_SCHEDULE_CREATE, SHAPE_SCHEDULE_UPDATE, SHAPE_SCHEDULE_PARSE;

/* settings.c */
extern const struct word_set ROUTING_PREFERENCES, CHAT_MODELS, CLAUDE_PLANS;
extern const struct shape SHAPE_AUTH, SHAPE_OPENAI_AUTH;

/* view.c */
extern const struct word_set VIEW_DENSITIES;
extern const struct model MODEL_VIEW;
extern const struct shape SHAPE_VIEW_CREATE, SHAPE_VIEW_UPDATE;

/* table.c */
extern const struct word_set TABLE_SOURCES, DATA_TYPES, FILTER_OPERATORS, TRIGGER_EVENTS,
    TRIGGER_ACTIONS, TRIGGER_STATUSES, TEMPLATE_CATEGORIES, IMPORT_FORMATS;
extern const struct model MODEL_TABLE, MODEL_TABLE_COLUMN, MODEL_TABLE_ROW, MODEL_TABLE_HISTORY,
    MODEL_TABLE_TRIGGER, MODEL_TABLE_CHART, MODEL_TABLE_TEMPLATE;
extern const struct shape SHAPE_TABLE_CREATE, SHAPE_TABLE_NEW, SHAPE_TABLE_CLONE,
    SHAPE_TABLE_UPDATE, SHAPE_TABLE_COLUMN, SHAPE_TABLE_REORDER, SHAPE_COLUMN_CONFIG,
    SHAPE_TABLE_ROWS, SHAPE_TABLE_ROW_UPDATE, SHAPE_ROW_QUERY, SHAPE_TABLE_ROLLBACK,
    SHAPE_TABLE_IMPORT, SHAPE_TRIGGER_CREATE, SHAPE_TRIGGER_UPDATE, SHAPE_TRIGGER_STATUS,
    SHAPE_CHART_CREATE, SHAPE_CHART_UPDATE, SHAPE_TEMPLATE_QUERY, SHAPE_TEMPLATE_SAVE;
extern const struct field FIELD_FILTER, FIELD_SORT;

#endif
