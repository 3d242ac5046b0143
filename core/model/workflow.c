/* Workflows: columns and request bodies. The operations check the bodies themselves: their refusals
 * have words of their own, which are said in a certain order. */
#include "core/model/models.h"

static const char *const STATUS_WORDS[] = { "draft", "active", "paused", "completed", "failed" };
const struct word_set WORKFLOW_STATUSES = WORDS(STATUS_WORDS);

static const struct column COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "project_id", "projectId", COL_ID, COL_NULL | COL_READONLY, NULL, NULL },
	{ "name", "name", COL_TEXT, 0, NULL, NULL },
	{ "definition", "definition", COL_PACKED, 0, NULL,
	    "Pattern, steps and run state, JSON as text" },
	{ "status", "status", COL_TEXT, 0, &WORKFLOW_STATUSES, NULL },
	{ "run_number", "runNumber", COL_INT, COL_READONLY, NULL, "Counts the executions" },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
	{ "updated_at", "updatedAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_WORKFLOW = { "Workflow", "workflow", "workflows", COLUMNS, COUNT(COLUMNS),
	"Steps that agents carry out in a certain pattern" };

static const char *const PATTERN_WORDS[] = { "sequence", "planner-executor", "checkpoint", "loop",
	"parallel", "swarm" };
static const struct word_set PATTERNS = WORDS(PATTERN_WORDS);
static const struct field TEXT_ITEM = { .type = F_STRING };

static const struct field STEP[] = {
	{ "id", F_STRING, F_REQUIRED, .doc = "Unique in the workflow" },
	{ "name", F_STRING, F_REQUIRED },
	{ "prompt", F_STRING, F_REQUIRED },
	{ "requiresApproval", F_BOOL, .doc = "A person is asked before the step (checkpoint)" },
	{ "dependsOn", F_ARRAY, .item = &TEXT_ITEM,
	    .doc = "Ids of all the branches, of the step that joins them (parallel)" },
	{ "assignedAgent", F_ENUM, .words = &RUNTIMES, .otherwise = "\"claude-code\"" },
	{ "agentProfile", F_STRING, .doc = "Profile; absent or auto: chosen by the text" },
	{ "documentIds", F_ARRAY, .item = &TEXT_ITEM, .doc = "Documents that the step is given" },
};
static const struct shape SHAPE_STEP = { "WorkflowStep", STEP, COUNT(STEP) };
static const struct field STEP_ITEM = { .type = F_OBJECT, .shape = &SHAPE_STEP };

static const struct field LOOP[] = {
	{ "maxIterations", F_NUMBER, F_REQUIRED | F_MIN, .min = 1 },
	{ "timeBudgetMs", F_NUMBER, .doc = "No iteration begins later than this" },
	{ "assignedAgent", F_ENUM, .words = &RUNTIMES, .doc = "Instead of the step's" },
	{ "agentProfile", F_STRING, .doc = "Instead of the step's" },
	{ "completionSignals", F_ARRAY, .item = &TEXT_ITEM, .otherwise = "[\"LOOP_COMPLETE\"]",
	    .doc = "A result with one of these ends the loop" },
};
static const struct shape SHAPE_LOOP = { "WorkflowLoop", LOOP, COUNT(LOOP) };

static const struct field SWARM[] = {
	{ "workerConcurrencyLimit", F_NUMBER, F_MIN | F_MAX, 1, 5, .otherwise = "2" },
};
static const struct shape SHAPE_SWARM = { "WorkflowSwarm", SWARM, COUNT(SWARM) };

static const struct field DEFINITION[] = {
	{ "pattern", F_ENUM, F_REQUIRED, .words = &PATTERNS },
	{ "steps", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &STEP_ITEM },
	{ "loopConfig", F_OBJECT, .shape = &SHAPE_LOOP, .doc = "Required for the pattern loop" },
	{ "swarmConfig", F_OBJECT, .shape = &SHAPE_SWARM },
	{ "sourceTaskId", F_STRING, .doc = "Task whose input documents every step is given" },
};
static const struct shape SHAPE_DEFINITION = { "WorkflowDefinition", DEFINITION,
	COUNT(DEFINITION) };

static const struct field CREATE[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "projectId", F_STRING, F_NULLABLE },
	{ "definition", F_OBJECT, F_REQUIRED, .shape = &SHAPE_DEFINITION },
};
const struct shape SHAPE_WORKFLOW_CREATE = { "WorkflowCreate", CREATE, COUNT(CREATE) };

static const struct field UPDATE[] = {
	{ "name", F_STRING, F_MIN, .min = 1 },
	{ "definition", F_OBJECT, .shape = &SHAPE_DEFINITION },
	{ "status", F_STRING, .doc = "paused, to pause an active workflow; not beside the others" },
};
const struct shape SHAPE_WORKFLOW_UPDATE = { "WorkflowUpdate", UPDATE, COUNT(UPDATE) };

static const struct field ASSIST[] = {
	{ "name", F_STRING, F_REQUIRED | F_MIN, .min = 1 },
	{ "projectId", F_STRING, F_NULLABLE },
	{ "definition", F_OBJECT, F_REQUIRED, .shape = &SHAPE_DEFINITION },
	{ "priority", F_INT, .otherwise = "2", .doc = "Of the planned tasks" },
	{ "assignedAgent", F_ENUM, .words = &RUNTIMES,
	    .doc = "Runtime of the planned tasks whose steps name none" },
	{ "executeImmediately", F_BOOL, .otherwise = "false" },
};
const struct shape SHAPE_WORKFLOW_ASSIST = { "WorkflowFromAssist", ASSIST, COUNT(ASSIST) };

static const struct field ATTACH[] = {
	{ "documentIds", F_ARRAY, F_REQUIRED | F_MIN, .min = 1, .item = &TEXT_ITEM },
	{ "stepId", F_STRING, F_NULLABLE, .doc = "Only for this step; else for all" },
};
const struct shape SHAPE_WORKFLOW_ATTACH = { "WorkflowAttach", ATTACH, COUNT(ATTACH) };

static const struct field DETACH[] = {
	{ "documentIds", F_ARRAY, .item = &TEXT_ITEM, .doc = "Only these documents" },
	{ "stepId", F_STRING, F_NULLABLE, .doc = "Only the bindings of this step" },
};
const struct shape SHAPE_WORKFLOW_DETACH = { "WorkflowDetach", DETACH, COUNT(DETACH) };
