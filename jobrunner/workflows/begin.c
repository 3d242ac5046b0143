/* Beginning a step or an iteration: its prompt, with documents in front, its profile, its task. */
#include "core/catalog.h"
#include "core/domain/task.h"
#include "core/domain/workflow_int.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "jobrunner/prompt.h"
#include "jobrunner/runtime.h"
#include "jobrunner/workflows/advance.h"
#include "jobrunner/workflows/compose.h"

#define LOOP_AGENT "loop-executor"
#define CLASSIFY_UNITS 200000 /* of a prompt, to look for tags in */

struct part {
	const char *name, *title, *prompt; /* of the step, of the task, composed */
	const char *agent, *profile;       /* as they are defined, or NULL */
	const char *step_id;               /* whose documents it is given besides; NULL: none */
	const json_t *documents;           /* of the step itself, or NULL */
	int64_t index;                     /* of the step or iteration */
};

static const char *choose_profile(struct advance *v, const struct part *p)
{
	struct arena *a = v->cx->arena;

	if (p->profile && strcmp(p->profile, "auto") != 0)
		return p->profile;
	return profile_choose(v->profiles, v->n_profiles, a, p->name,
	    text_cut(a, p->prompt, CLASSIFY_UNITS), p->agent);
}

/* The prompt with what stands in front of it. */
static const char *whole_prompt(struct advance *v, const struct part *p)
{
	struct ctx *cx = v->cx;
	struct arena *a = cx->arena;
	const struct runtime_ops *ops = runtime_find(catalog_resolve(p->agent)->id);
	bool direct = ops && !ops->drive;
	const char *source = flow_some(v->f.definition, "sourceTaskId");
	const char *context = db_get_text(cx->db, a, Q_WORKFLOW_CONTEXT, "t", v->f.id);
	const char *text = p->prompt, *block;

	if (context)
		text = arena_printf(a, "%s\n\n%s", context, text);
	if (source && p->step_id) {
		block = prompt_documents_block(cx,
		    db_query(cx->db, Q_PROMPT_SOURCE_DOCUMENTS, "t", source),
		    "Parent Task Documents", direct);
		if (block)
			text = arena_printf(a, "%s\n\n%s", block, text);
	}
	block = prompt_documents_block(cx,
	    db_query(cx->db, Q_PROMPT_POOL_DOCUMENTS, "ttt", v->f.id, p->step_id,
		p->documents ? json_text(a, p->documents) : "[]"),
	    "Workflow Pool Documents", direct);
	return block ? arena_printf(a, "%s\n\n%s", block, text) : text;
}

/* The task, and the row that says what waits for it. */
static void begin(struct advance *v, const struct part *p)
{
	struct ctx *cx = v->cx;
	struct task t = {
		.id = id_make(cx->arena),
		.project_id = v->f.project_id,
		.workflow_id = v->f.id,
		.title = p->title,
		.description = whole_prompt(v, p),
		.assigned_agent = p->agent,
		.profile = choose_profile(v, p),
		.runtime = p->agent ? p->agent : RUNTIME_DEFAULT,
	};
	enum rc rc = task_add_running(cx, &t, v->f.run_number);

	if (rc != RC_OK && v->rc == RC_OK)
		v->rc = rc;
	db_run(cx->db, Q_WORKFLOW_WAIT, "tttiI", t.id, v->f.id, "task", p->index, (int64_t)0);
	v->changed = true;
}

void advance_begin_step(struct advance *v, size_t i)
{
	struct arena *a = v->cx->arena;
	const json_t *step = flow_step(&v->f, i);
	const json_t *documents = json_object_get(step, "documentIds");
	struct part p = {
		.name = flow_step_name(a, &v->f, i),
		.prompt = compose_step(a, &v->f, i),
		.agent = flow_some(step, "assignedAgent"),
		.profile = flow_some(step, "agentProfile"),
		.step_id = flow_step_id(&v->f, i),
		.documents = json_is_array(documents) ? documents : NULL,
		.index = (int64_t)i,
	};

	p.title = arena_printf(a, "[Workflow] %s", p.name);
	begin(v, &p);
	flow_set_now(flow_set(&v->f, i, "running"), "startedAt");
	if (!flow_is_branch(&v->f, i))
		advance_set_index(v, i);
}

static void log_iteration(struct advance *v, size_t n, double max)
{
	struct arena *a = v->cx->arena;
	json_t *payload = json_keep(a, json_pack("{s:s, s:I, s:f}", "workflowId", v->f.id,
					   "iteration", (json_int_t)n, "maxIterations", max));

	workflow_log(v->cx, LOOP_AGENT, "loop_iteration_started", payload);
}

void advance_begin_iteration(struct advance *v, size_t n, double max)
{
	struct arena *a = v->cx->arena;
	const json_t *step = flow_step(&v->f, 0);
	const json_t *config = json_object_get(v->f.definition, "loopConfig");
	json_t *iteration;
	struct part p = {
		.name = flow_step_name(a, &v->f, 0),
		.title = arena_printf(a, "[Workflow] Loop Iteration %zu", n),
		.prompt = compose_iteration(a, &v->f, n, max),
		.agent = flow_some(config, "assignedAgent"),
		.profile = flow_some(config, "agentProfile"),
		.index = (int64_t)n - 1,
	};

	if (!p.agent)
		p.agent = flow_some(step, "assignedAgent");
	if (!p.profile)
		p.profile = flow_some(step, "agentProfile");
	log_iteration(v, n, max);
	begin(v, &p);
	iteration = json_pack("{s:I, s:s, s:s}", "iteration", (json_int_t)n, "taskId", "", "status",
	    "running");
	flow_set_now(iteration, "startedAt");
	json_array_append_new(json_object_get(v->f.loop, "iterations"), iteration);
}
