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

/* settings.c */
extern const struct word_set ROUTING_PREFERENCES, CHAT_MODELS, CLAUDE_PLANS;
extern const struct shape SHAPE_AUTH, SHAPE_OPENAI_AUTH;

/* view.c */
extern const struct word_set VIEW_DENSITIES;
extern const struct model MODEL_VIEW;
extern const struct shape SHAPE_VIEW_CREATE, SHAPE_VIEW_UPDATE;

#endif
