/* What triggers do when a row has changed. It is done in the transaction of that change, so that it
 * happens where the change does, and only there; each action is a part of its own that may fail. */
#include "core/domain/table_int.h"

#include <math.h>

#include "core/domain/task.h"
#include "core/domain/workflow.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/model/models.h"
#include "core/text.h"

#define TITLE_UNITS 200
#define DESCRIPTION_UNITS 2000
#define PRIORITY 2
#define TRIGGERS_MAX 1000

enum operator { IS_EQ, IS_NEQ, IS_GT, IS_GTE, IS_LT, IS_LTE, CONTAINS, STARTS_WITH, IS_IN, IS_EMPTY,
	IS_NOT_EMPTY, UNKNOWN };

/* The operators of filters, and what the reference's editor calls four of them. */
static const struct {
	const char *word;
	enum operator operator;
} OPERATORS[] = {
	{ "eq", IS_EQ }, { "equals", IS_EQ }, { "neq", IS_NEQ }, { "not_equals", IS_NEQ },
	{ "gt", IS_GT }, { "greater_than", IS_GT }, { "gte", IS_GTE }, { "lt", IS_LT },
	{ "less_than", IS_LT }, { "lte", IS_LTE }, { "contains", CONTAINS },
	{ "starts_with", STARTS_WITH }, { "in", IS_IN }, { "is_empty", IS_EMPTY },
	{ "is_not_empty", IS_NOT_EMPTY },
};

struct trigger {
	const char *id, *action;
	const json_t *condition, *config; /* condition NULL: it always holds */
};

struct fire {
	struct ctx *cx;
	struct arena *scratch;
	struct trigger *triggers;
	size_t n;
};

static enum operator operator_of(const char *word)
{
	for (size_t i = 0; word && i < COUNT(OPERATORS); i++)
		if (strcmp(OPERATORS[i].word, word) == 0)
			return OPERATORS[i].operator;
	return UNKNOWN;
}

bool fire_knows(const char *operator)
{
	return operator_of(operator) != UNKNOWN;
}

/* A condition that cannot be read is one that never holds. */
static const json_t *condition_of(struct arena *a, const char *text)
{
	const json_t *v = json_read_cells_text(a, text);

	return v || !text ? v : json_keep(a, json_object());
}

struct fire *fire_load(struct ctx *cx, const char *table, const char *event)
{
	struct q *q = db_query(cx->db, Q_TABLE_TRIGGER_ACTIVE, "tt", table, event);
	struct trigger found[16], *list = found;
	size_t n = 0, room = COUNT(found);
	struct fire *f;

	while (n < TRIGGERS_MAX && db_next(q)) {
		if (n == room) {
			struct trigger *grown = arena_array(cx->arena, struct trigger, 2 * room);

			memcpy(grown, list, n * sizeof *grown);
			list = grown;
			room *= 2;
		}
		list[n++] = (struct trigger){
			.id = db_text_dup(q, 0, cx->arena),
			.action = db_text_dup(q, 2, cx->arena),
			.condition = condition_of(cx->arena, db_text(q, 1)),
			.config = json_read_cells_text(cx->arena, db_text(q, 3)),
		};
	}
	db_done(q);
	if (!n)
		return NULL;
	f = arena_new_of(cx->arena, struct fire);
	*f = (struct fire){ cx, arena_scratch(cx->arena, TABLE_SCRATCH_MAX),
	    arena_array(cx->arena, struct trigger, n), n };
	memcpy(f->triggers, list, n * sizeof *list);
	return f;
}

static struct cell lowered(struct arena *a, const struct cell *c)
{
	size_t n;
	const char *s = text_lower_all(a, c->s, c->n, &n);

	return cell_text(s, n);
}

static bool found(struct arena *a, const struct cell *v, const struct cell *c, bool at_start)
{
	struct cell text = lowered(a, v), part = lowered(a, c);

	if (part.n > text.n)
		return false;
	if (at_start)
		return memcmp(text.s, part.s, part.n) == 0;
	return !part.n || memmem(text.s, text.n, part.s, part.n);
}

static bool listed(struct arena *a, const json_t *list, const struct cell *text)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item) {
		struct cell c = cell_of(a, item);

		if (c.kind == CELL_TEXT && cell_compare(&c, text) == 0)
			return true;
	}
	return false;
}

static bool in_order(enum operator op, double v, double c)
{
	switch (op) {
	case IS_GT:
		return v > c;
	case IS_GTE:
		return v >= c;
	case IS_LT:
		return v < c;
	default:
		return v <= c;
	}
}

static bool holds(struct arena *a, const json_t *condition, const json_t *row)
{
	const char *column = json_str(condition, "column");
	const json_t *given = json_object_get(condition, "value");
	struct cell v = cell_of(a, column ? json_object_get(row, column) : NULL);
	struct cell c = given ? cell_of(a, given) : cell_text("undefined", 9);
	struct cell s = cell_as_text(a, &v), t = cell_as_text(a, &c);
	enum operator op = operator_of(json_str(condition, "operator"));
	bool empty = cell_is_none(&v) || (v.kind == CELL_TEXT && !v.n);

	switch (op) {
	case IS_EQ:
	case IS_NEQ:
		return (cell_compare(&s, &t) == 0) == (op == IS_EQ);
	case CONTAINS:
	case STARTS_WITH:
		return found(a, &s, &t, op == STARTS_WITH);
	case IS_IN:
		return listed(a, given, &s);
	case IS_EMPTY:
	case IS_NOT_EMPTY:
		return empty == (op == IS_EMPTY);
	case UNKNOWN:
		return false;
	default:
		return in_order(op, cell_number(&v), given ? cell_number(&c) : NAN);
	}
}

static enum rc create_task(struct ctx *cx, struct arena *a, const json_t *config,
    const char *row)
{
	const json_t *title = json_object_get(config, "title");
	const char *about = json_str(config, "description"),
		   *project = json_str(config, "projectId");
	struct cell named = cell_of(a, title), text = cell_as_text(a, &named);
	struct task t = { .title = *text.s ? text.s : "Triggered Task" };

	if (project && db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", project))
		t.project_id = project;
	t.title = text_cut(a, t.title, TITLE_UNITS);
	t.description = text_cut(a,
	    about && *about
		? arena_printf(a, "%s\n\nTrigger data: %s", about, row)
		: arena_printf(a, "Triggered by table row change.\n\nData: %s", row),
	    DESCRIPTION_UNITS);
	task_add(cx, &t, PRIORITY);
	return cx->err.rc;
}

/* Starts the workflow as its operation does, with the row's data as context. */
static enum rc run_workflow(struct ctx *cx, struct arena *a, const json_t *config, const char *row)
{
	const char *id = json_str(config, "workflowId");

	if (!id || !*id)
		id = json_str(config, "targetId");
	if (!id)
		return ctx_fail(cx, RC_NOTFOUND, "Workflow not found");
	return workflow_start(cx, id, arena_printf(a, "Table row data: %s", row));
}

static enum rc act(struct fire *f, const struct trigger *t, const char *row)
{
	struct ctx *cx = f->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	if (strcmp(t->action, "create_task") == 0)
		rc = create_task(cx, f->scratch, t->config, row);
	else
		rc = run_workflow(cx, f->scratch, t->config, row);
	if (rc == RC_OK)
		db_run(cx->db, Q_TABLE_TRIGGER_FIRED, "ti", t->id, cx->now);
	return tx_end(cx, rc);
}

/* Failures that are none of the trigger's own. */
static bool is_fatal(enum rc rc)
{
	return rc == RC_FULL || rc == RC_IO || rc == RC_CORRUPT;
}

void fire_row(struct fire *f, const char *data)
{
	const json_t *row;
	const char *pretty;

	if (!f || f->cx->err.rc)
		return;
	arena_reset(f->scratch);
	row = json_read_cells_text(f->scratch, data);
	pretty = json_text_pretty(f->scratch, row);
	for (size_t i = 0; i < f->n; i++) {
		const struct trigger *t = &f->triggers[i];
		enum rc rc = RC_OK;

		if (!t->condition || holds(f->scratch, t->condition, row))
			rc = act(f, t, pretty);
		if (rc == RC_OK)
			continue;
		if (is_fatal(f->cx->err.rc))
			return;
		log_info("trigger %s had no effect: %s", t->id, f->cx->err.msg);
		err_clear(&f->cx->err);
	}
}
