/* Triggers: the operations. What they do is in table_fire.c. */
#include "core/domain/table_int.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

enum rc trigger_write_list(struct ctx *cx, struct jw *w, const char *table)
{
	struct q *q;
	enum rc rc = table_find(cx, table);

	if (rc != RC_OK)
		return rc;
	q = db_query(cx->db, Q_TABLE_TRIGGER_LIST, "t", table);
	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_TABLE_TRIGGER, 0);
	jw_end_arr(w);
	return RC_OK;
}

enum rc trigger_write(struct ctx *cx, struct jw *w, const char *table, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_TRIGGER_GET, "tt", id, table);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Trigger not found");
	row_json(w, q, &MODEL_TABLE_TRIGGER, 0);
	db_done(q);
	return RC_OK;
}

static enum rc check_word(struct ctx *cx, const char *what, const struct word_set *set,
    const json_t *v, const char *words)
{
	if (!v || word_in(set, json_string_value(v)))
		return RC_OK;
	return ctx_fail(cx, RC_INVALID, "Invalid %s. Must be one of: %s", what, words);
}

/* A condition that counts as none is fine. */
static enum rc check_condition(struct ctx *cx, const json_t *v)
{
	const char *operator = json_str(v, "operator");

	if (!json_truth(v))
		return RC_OK;
	if (!json_str(v, "column") || !operator)
		return ctx_fail(cx, RC_INVALID,
		    "condition must be an object with column, operator and value");
	if (!fire_knows(operator))
		return ctx_fail(cx, RC_INVALID, "Invalid condition operator: %s", operator);
	return RC_OK;
}

/* What is given must be right; in this order. A name cannot hold a zero byte, as the condition and
 * the configuration can. */
static enum rc check(struct ctx *cx, const json_t *in, bool update)
{
	const json_t *name = json_object_get(in, "name");
	const json_t *config = json_object_get(in, "actionConfig");
	enum rc rc;

	if (strlen(json_is_string(name) ? json_string_value(name) : "") != json_string_length(name))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	if (name && (!json_is_string(name) || !json_string_length(name)))
		return ctx_fail(cx, RC_INVALID,
		    update ? "name must be a non-empty string" : "name must be a string");
	rc = check_word(cx, "triggerEvent", &TRIGGER_EVENTS, json_object_get(in, "triggerEvent"),
	    "row_added, row_updated, row_deleted");
	if (rc == RC_OK && update)
		rc = check_word(cx, "status", &TRIGGER_STATUSES, json_object_get(in, "status"),
		    "active, paused");
	if (rc == RC_OK && update)
		rc = check_condition(cx, json_object_get(in, "condition"));
	if (rc == RC_OK)
		rc = check_word(cx, "actionType", &TRIGGER_ACTIONS,
		    json_object_get(in, "actionType"), "run_workflow, create_task");
	if (rc == RC_OK && config && !json_is_object(config))
		rc = ctx_fail(cx, RC_INVALID, "actionConfig must be an object");
	if (rc == RC_OK && !update)
		rc = check_condition(cx, json_object_get(in, "condition"));
	return rc;
}

static const char *text_or_null(struct ctx *cx, const json_t *v)
{
	return json_truth(v) ? json_text(cx->arena, v) : NULL;
}

enum rc trigger_create(struct ctx *cx, const char *table, const json_t *in, const char **id)
{
	static const char *const NEEDED[] = { "name", "triggerEvent", "actionType",
		"actionConfig" };
	enum rc rc;

	if (json_is_null(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	for (size_t i = 0; i < COUNT(NEEDED); i++)
		if (!json_truth(json_object_get(in, NEEDED[i])))
			return ctx_fail(cx, RC_INVALID,
			    "name, triggerEvent, actionType, and actionConfig are required");
	rc = check(cx, in, false);
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = table_find(cx, table);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	*id = id_make(cx->arena);
	db_run(cx->db, Q_TABLE_TRIGGER_INSERT, "ttttttti", *id, table, json_str(in, "name"),
	    json_str(in, "triggerEvent"), text_or_null(cx, json_object_get(in, "condition")),
	    json_str(in, "actionType"), json_text(cx->arena, json_object_get(in, "actionConfig")),
	    cx->now);
	audit(cx, "table.trigger.create", "table", table, *id);
	return tx_end(cx, RC_OK);
}

enum rc trigger_find(struct ctx *cx, const char *table, const char *id)
{
	struct q *q = db_query(cx->db, Q_TABLE_TRIGGER_GET, "tt", id, table);

	if (!db_next(q))
		return ctx_fail(cx, RC_NOTFOUND, "Trigger not found");
	db_done(q);
	return RC_OK;
}

enum rc trigger_update(struct ctx *cx, const char *table, const char *id, const json_t *in)
{
	const json_t *condition = json_object_get(in, "condition");
	const json_t *config = json_object_get(in, "actionConfig");
	enum rc rc;

	if (!json_is_object(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	rc = check(cx, in, true);
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = trigger_find(cx, table, id);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TABLE_TRIGGER_UPDATE, "tttttbttti", id, table, json_str(in, "name"),
	    json_str(in, "triggerEvent"), json_str(in, "status"), condition != NULL,
	    text_or_null(cx, condition), json_str(in, "actionType"),
	    config ? json_text(cx->arena, config) : NULL, cx->now);
	audit(cx, "table.trigger.update", "table", table, id);
	return tx_end(cx, RC_OK);
}

enum rc trigger_set_status(struct ctx *cx, const char *table, const json_t *in)
{
	const json_t *id = json_object_get(in, "triggerId");
	const json_t *status = json_object_get(in, "status");
	enum rc rc;

	if (!json_is_object(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	if (!json_truth(id) || !json_truth(status))
		return ctx_fail(cx, RC_INVALID, "triggerId and status are required");
	rc = check_word(cx, "status", &TRIGGER_STATUSES, status, "active, paused");
	if (rc == RC_OK && !json_is_string(id))
		rc = ctx_fail(cx, RC_NOTFOUND, "Trigger not found");
	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	rc = trigger_find(cx, table, json_string_value(id));
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TABLE_TRIGGER_UPDATE, "tttttbttti", json_string_value(id), table, NULL,
	    NULL, json_string_value(status), 0, NULL, NULL, NULL, cx->now);
	audit(cx, "table.trigger.update", "table", table, json_string_value(id));
	return tx_end(cx, RC_OK);
}

enum rc trigger_delete(struct ctx *cx, const char *table, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = trigger_find(cx, table, id);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	db_run(cx->db, Q_TABLE_TRIGGER_DELETE, "tt", id, table);
	audit(cx, "table.trigger.delete", "table", table, id);
	return tx_end(cx, RC_OK);
}
