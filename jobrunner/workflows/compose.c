/* Putting the prompts of steps together. */
#include "jobrunner/workflows/compose.h"

#include "core/buf.h"
#include "core/json_in.h"
#include "core/text.h"

#define PROMPT_MAX ((size_t)32 << 20)
#define RULE "\n\n---\n\n"
#define SWARM_JOINT \
	"The workers have carried out the mayor's plan. Make one whole of what they came to.\n\n"
#define PARALLEL_JOINT \
	"The branches below were worked on at the same time. Bring together what they came to.\n\n"

static const char *finish(struct arena *a, struct buf *b)
{
	const char *text = arena_strndup(a, buf_text(b), b->failed ? 0 : b->len);

	buf_fini(b);
	return text;
}

static const char *result_of(const struct flow *f, size_t i)
{
	return flow_text(flow_state(f, i), "result");
}

/* The step's prompt behind the result of another step, if that has one. */
static const char *after(struct arena *a, const struct flow *f, size_t i, const char *heading,
    const char *result)
{
	struct buf b;

	if (!*result)
		return flow_step_prompt(f, i);
	buf_init(&b, PROMPT_MAX);
	buf_str(&b, heading);
	buf_str(&b, "\n\n");
	buf_str(&b, result);
	buf_str(&b, RULE);
	buf_str(&b, flow_step_prompt(f, i));
	return finish(a, &b);
}

static void add_result(struct arena *a, struct buf *b, const struct flow *f, size_t i,
    const char *what, size_t number)
{
	buf_printf(b, "%s %zu - ", what, number);
	buf_str(b, flow_step_name(a, f, i));
	buf_str(b, ":\n");
	buf_str(b, text_trim(a, result_of(f, i)));
	buf_str(b, RULE);
}

static void add_mayor(struct arena *a, struct buf *b, const struct flow *f)
{
	buf_str(b, "Mayor - ");
	buf_str(b, flow_step_name(a, f, 0));
	buf_str(b, ":\n");
	buf_str(b, text_trim(a, result_of(f, 0)));
	buf_str(b, RULE);
}

/* Of the step that joins what the branches or workers came to. */
static const char *joint(struct arena *a, const struct flow *f, size_t i)
{
	bool swarm = f->pattern == FLOW_SWARM;
	size_t number = 0;
	struct buf b;

	buf_init(&b, PROMPT_MAX);
	buf_str(&b, swarm ? SWARM_JOINT : PARALLEL_JOINT);
	if (swarm)
		add_mayor(a, &b, f);
	for (size_t k = 0; k < f->n; k++)
		if (flow_is_branch(f, k))
			add_result(a, &b, f, k, swarm ? "Worker" : "Branch", ++number);
	buf_str(&b, flow_step_prompt(f, i));
	return finish(a, &b);
}

static const char *worker(struct arena *a, const struct flow *f, size_t i)
{
	struct buf b;

	buf_init(&b, PROMPT_MAX);
	buf_str(&b, "You are one of several workers who carry out the mayor's plan at the same "
		    "time.\n\n");
	add_mayor(a, &b, f);
	buf_str(&b, "Your part - ");
	buf_str(&b, flow_step_name(a, f, i));
	buf_str(&b, ":\n");
	buf_str(&b, flow_step_prompt(f, i));
	buf_str(&b, "\n\nDo this part only, and give its result as your answer.");
	return finish(a, &b);
}

const char *compose_step(struct arena *a, const struct flow *f, size_t i)
{
	switch (f->pattern) {
	case FLOW_SEQUENCE:
	case FLOW_CHECKPOINT:
		return i ? after(a, f, i, "The step before came to this result:",
			       result_of(f, i - 1))
			 : flow_step_prompt(f, i);
	case FLOW_PLANNER:
		return i ? after(a, f, i, "The plan to follow:", result_of(f, 0))
			 : flow_step_prompt(f, i);
	case FLOW_PARALLEL:
	case FLOW_SWARM:
		if (i == flow_joint(f))
			return joint(a, f, i);
		return f->pattern == FLOW_SWARM && i ? worker(a, f, i) : flow_step_prompt(f, i);
	default:
		return flow_step_prompt(f, i);
	}
}

const char *compose_failures(struct arena *a, const struct flow *f)
{
	struct buf b;

	buf_init(&b, PROMPT_MAX);
	for (size_t i = 0; i < f->n; i++) {
		if (!flow_is_branch(f, i) || !flow_is(f, i, "failed"))
			continue;
		if (b.len)
			buf_str(&b, "; ");
		buf_str(&b, flow_step_name(a, f, i));
		buf_str(&b, ": ");
		buf_str(&b, flow_text(flow_state(f, i), "error"));
	}
	if (b.len)
		return finish(a, &b);
	buf_fini(&b);
	return NULL;
}

/* ---- loops ---- */

static const json_t *signals_of(const struct flow *f)
{
	return json_object_get(
	    json_object_get(f->definition, "loopConfig"), "completionSignals");
}

/* The first of the texts that end the loop; NULL where there is none and the default does. */
static const char *first_signal(const struct flow *f)
{
	const json_t *list = signals_of(f);
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		if (json_string_length(v))
			return json_string_value(v);
	return NULL;
}

/* The result of the newest iteration that completed. */
static const char *previous_result(const struct flow *f)
{
	const json_t *list = json_object_get(f->loop, "iterations");

	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *v = json_array_get(list, i - 1);

		if (strcmp(flow_text(v, "status"), "completed") == 0)
			return flow_text(v, "result");
	}
	return "";
}

const char *compose_iteration(struct arena *a, const struct flow *f, size_t n, double max)
{
	const char *before = previous_result(f), *signal = first_signal(f);
	struct buf b;

	buf_init(&b, PROMPT_MAX);
	buf_printf(&b, "Iteration %zu of %.0f\n\n", n, max);
	if (*before) {
		buf_str(&b, "The iteration before came to this result:\n\n");
		buf_str(&b, before);
		buf_str(&b, RULE);
	} else {
		buf_str(&b, "---\n\n");
	}
	buf_str(&b, flow_step_prompt(f, 0));
	buf_str(&b, "\n\nWhen you are satisfied and nothing is left to be done, write ");
	if (signal) {
		buf_str(&b, signal);
		buf_str(&b, " (in this loop it stands for " LOOP_SIGNAL ")");
	} else {
		buf_str(&b, LOOP_SIGNAL);
	}
	buf_str(&b, " in your answer.");
	return finish(a, &b);
}

bool compose_is_signal(struct arena *a, const struct flow *f, const char *result)
{
	const json_t *list = signals_of(f);
	const char *text = text_lower(a, result);
	size_t i;
	json_t *v;

	if (!first_signal(f))
		return strstr(text, text_lower(a, LOOP_SIGNAL)) != NULL;
	json_array_foreach(list, i, v)
		if (json_string_length(v) && strstr(text, text_lower(a, json_string_value(v))))
			return true;
	return false;
}
