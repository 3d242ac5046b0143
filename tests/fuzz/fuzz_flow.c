/* Definitions of workflows, whatever stands in the row: there is a state for every step, prompts
 * have the step's own in them, branches and the step that joins them are different, and what is
 * written can be read again. */
#include "jobrunner/workflows/compose.h"
#include "tests/fuzz/fuzz.h"

#define STEPS_MAX 40

static void check_prompts(struct arena *a, const struct flow *f)
{
	size_t joint = flow_joint(f);

	require(joint == f->n || !flow_is_branch(f, joint));
	for (size_t i = 0; i < f->n && i < STEPS_MAX; i++) {
		require(strstr(compose_step(a, f, i), flow_step_prompt(f, i)) != NULL);
		require(text_is_utf8(flow_step_name(a, f, i), strlen(flow_step_name(a, f, i))));
	}
	require(strstr(compose_iteration(a, f, 1, 3), flow_step_prompt(f, 0)) != NULL);
	compose_failures(a, f);
	compose_is_signal(a, f, "done: LOOP_COMPLETE");
	require(flow_branches_at_once(f) >= 1 && flow_branches_at_once(f) <= FLOW_BRANCHES_MAX);
}

static void check_states(struct arena *a, struct flow *f)
{
	for (size_t i = 0; f->state && i < f->n && i < STEPS_MAX; i++) {
		require(json_is_object(flow_state(f, i)));
		flow_set(f, i, "running");
		require(flow_is(f, i, "running"));
	}
	flow_begin(f);
	require(json_array_size(json_object_get(f->state, "stepStates")) == f->n);
	require((f->loop != NULL) == (f->pattern == FLOW_LOOP));
	require(json_read_text(a, json_text(a, f->definition)) != NULL);
	flow_clear(f);
	require(!json_object_get(f->definition, "_state"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	struct flow f = { .id = "w", .text = text_as_utf8(a, (const char *)data, size) };

	flow_read(a, &f);
	check_prompts(a, &f);
	check_states(a, &f);
	arena_free(a);
	return 0;
}
