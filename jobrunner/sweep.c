/* After a sweep: the tasks that its agent proposes in the result, as planned tasks of the same
 * project. Nothing is run. The profiles are looked up before the transaction, which has all tasks
 * and the end of the job. */
#include "core/clock.h"
#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/profile.h"
#include "core/text.h"
#include "jobrunner/runner.h"

#define TASKS_MAX 10
#define TITLE_UNITS 200
#define PRIORITY_MIN 1
#define PRIORITY_MAX 3

struct proposal {
	struct task task;
	double priority;
};

static double priority_of(const json_t *v)
{
	double n = json_num(v, "priority", PRIORITY_MAX);

	return n < PRIORITY_MIN ? PRIORITY_MIN : n > PRIORITY_MAX ? PRIORITY_MAX : n;
}

/* The proposals of a result; the first ones, where there are too many. */
static size_t read_proposals(struct ctx *cx, const struct task *swept,
    struct proposal out[TASKS_MAX])
{
	struct arena *a = cx->arena;
	const json_t *list = json_read_part(a, swept->result, '[', ']');
	size_t n = 0, i;
	json_t *v;

	json_array_foreach(list, i, v) {
		const char *title = json_str(v, "title"), *text = json_str(v, "description");
		const char *profile = json_str(v, "suggestedProfile");

		if (n == TASKS_MAX)
			break;
		if (!title || !text || text_is_blank(title))
			continue;
		out[n++] = (struct proposal){ .priority = priority_of(v),
			.task = { .project_id = swept->project_id,
			    .title = text_cut(a, title, TITLE_UNITS),
			    .description = arena_printf(a, "[Sweep-generated] %s", text),
			    .profile = profile && profile_find(cx->conf, profile)
				? profile : PROFILE_DEFAULT } };
	}
	return n;
}

int sweep_result(struct job *j)
{
	struct ctx *cx = j->cx;
	struct proposal list[TASKS_MAX];
	struct task swept, now;
	size_t n = 0;
	enum rc rc = task_load(cx, j->subject, "gone", &swept);

	if (rc == RC_OK && strcmp(swept.status, "completed") == 0 && swept.result)
		n = read_proposals(cx, &swept, list);
	err_clear(&cx->err);
	if (tx_begin(cx) != RC_OK)
		return 1;
	cx->now = now_s();
	if (n && task_load(cx, j->subject, "gone", &now) != RC_OK) {
		err_clear(&cx->err);
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		task_add(cx, &list[i].task, list[i].priority);
	rc = job_finish(j, 200, NULL, NULL);
	return tx_end(cx, rc) == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}
