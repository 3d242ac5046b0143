/* Saved views. */
#include "core/domain/view.h"

#include "core/id.h"
#include "core/json_in.h"
#include "core/model/models.h"

#define DENSITY "comfortable"

struct view {
	const char *surface, *name, *filters, *sorting, *columns, *density;
	bool is_default;
};

void view_write_list(struct ctx *cx, struct jw *w, const char *surface)
{
	struct q *q = db_query(cx->db, Q_VIEW_LIST, "t", surface);

	jw_arr(w);
	while (db_next(q))
		row_json(w, q, &MODEL_VIEW, 0);
	jw_end_arr(w);
}

static enum rc not_found(struct ctx *cx)
{
	return ctx_fail(cx, RC_NOTFOUND, "View not found");
}

enum rc view_write(struct ctx *cx, struct jw *w, const char *id)
{
	struct q *q = db_query(cx->db, Q_VIEW_GET, "t", id);

	if (!db_next(q))
		return not_found(cx);
	row_json(w, q, &MODEL_VIEW, 0);
	db_done(q);
	return RC_OK;
}

static enum rc read_density(struct ctx *cx, const json_t *in, const char **out)
{
	const json_t *v = json_object_get(in, "density");

	if (!v)
		return RC_OK;
	if (!json_is_null(v) && !word_in(&VIEW_DENSITIES, json_string_value(v)))
		return ctx_fail(cx, RC_INVALID,
		    "Invalid density. Must be one of: comfortable, compact, spacious");
	*out = json_is_null(v) ? DENSITY : json_string_value(v);
	return RC_OK;
}

/* The configuration KEY of a new view. */
static const char *new_configuration(struct ctx *cx, const json_t *in, const char *key)
{
	const json_t *v = json_object_get(in, key);

	return json_truth(v) ? json_text(cx->arena, v) : NULL;
}

static enum rc read_new(struct ctx *cx, const json_t *in, struct view *v)
{
	static const char *const REQUIRED[] = { "surface", "name" };
	const json_t *is_default = json_object_get(in, "isDefault");
	enum rc rc;

	if (json_is_null(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	for (size_t i = 0; i < COUNT(REQUIRED); i++)
		if (!json_truth(json_object_get(in, REQUIRED[i])))
			return ctx_fail(cx, RC_INVALID, "surface and name are required");
	for (size_t i = 0; i < COUNT(REQUIRED); i++)
		if (!json_str(in, REQUIRED[i]))
			return ctx_fail(cx, RC_INVALID, "%s must be a string", REQUIRED[i]);
	*v = (struct view){ .surface = json_str(in, "surface"), .name = json_str(in, "name"),
		.filters = new_configuration(cx, in, "filters"),
		.sorting = new_configuration(cx, in, "sorting"),
		.columns = new_configuration(cx, in, "columns"), .density = DENSITY,
		.is_default = json_is_true(is_default) };
	rc = read_density(cx, in, &v->density);
	if (rc == RC_OK && is_default && !json_is_null(is_default) && !json_is_boolean(is_default))
		return ctx_fail(cx, RC_INVALID, "isDefault must be a boolean");
	return rc;
}

enum rc view_create(struct ctx *cx, const json_t *in, const char **id)
{
	struct view v;
	enum rc rc = read_new(cx, in, &v);

	if (rc != RC_OK || (rc = tx_begin(cx)) != RC_OK)
		return rc;
	*id = id_make(cx->arena);
	if (v.is_default)
		db_run(cx->db, Q_VIEW_UNSET_DEFAULTS, "tti", v.surface, *id, cx->now);
	db_run(cx->db, Q_VIEW_INSERT, "tttttttbi", *id, v.surface, v.name, v.filters, v.sorting,
	    v.columns, v.density, v.is_default, cx->now);
	audit(cx, "view.create", "view", *id, NULL);
	return tx_end(cx, RC_OK);
}

/* What a body puts in the place of the stored configuration KEY. */
static void change_configuration(struct ctx *cx, const json_t *in, const char *key,
    const char **out)
{
	const json_t *v = json_object_get(in, key);

	if (v)
		*out = json_is_null(v) ? NULL : json_text(cx->arena, v);
}

static enum rc read_changes(struct ctx *cx, const json_t *in, struct view *v)
{
	const json_t *name = json_object_get(in, "name");
	const json_t *is_default = json_object_get(in, "isDefault");
	enum rc rc;

	if (name && (!json_is_string(name) || !json_truth(name)))
		return ctx_fail(cx, RC_INVALID, "name must be a non-empty string");
	rc = read_density(cx, in, &v->density);
	if (rc != RC_OK)
		return rc;
	if (is_default && !json_is_boolean(is_default))
		return ctx_fail(cx, RC_INVALID, "isDefault must be a boolean");
	if (name)
		v->name = json_string_value(name);
	change_configuration(cx, in, "filters", &v->filters);
	change_configuration(cx, in, "sorting", &v->sorting);
	change_configuration(cx, in, "columns", &v->columns);
	if (is_default)
		v->is_default = json_is_true(is_default);
	return RC_OK;
}

static enum rc load(struct ctx *cx, const char *id, struct view *v)
{
	struct q *q = db_query(cx->db, Q_VIEW_STATE, "t", id);

	if (!db_next(q))
		return not_found(cx);
	*v = (struct view){ .surface = db_text_dup(q, 0, cx->arena),
		.name = db_text_dup(q, 1, cx->arena), .filters = db_text_dup(q, 2, cx->arena),
		.sorting = db_text_dup(q, 3, cx->arena), .columns = db_text_dup(q, 4, cx->arena),
		.density = db_text_dup(q, 5, cx->arena), .is_default = db_int(q, 6) != 0 };
	db_done(q);
	return RC_OK;
}

/* Inside a transaction. */
static enum rc change(struct ctx *cx, const char *id, const json_t *in)
{
	struct view v;
	enum rc rc = load(cx, id, &v);

	if (rc != RC_OK || (rc = read_changes(cx, in, &v)) != RC_OK)
		return rc;
	if (json_flag(in, "isDefault"))
		db_run(cx->db, Q_VIEW_UNSET_DEFAULTS, "tti", v.surface, id, cx->now);
	db_run(cx->db, Q_VIEW_UPDATE, "ttttttbi", id, v.name, v.filters, v.sorting, v.columns,
	    v.density, v.is_default, cx->now);
	audit(cx, "view.update", "view", id, NULL);
	return RC_OK;
}

enum rc view_update(struct ctx *cx, const char *id, const json_t *in)
{
	enum rc rc;

	if (!json_is_object(in))
		return ctx_fail(cx, RC_INVALID, "Invalid JSON body");
	rc = tx_begin(cx);
	return rc != RC_OK ? rc : tx_end(cx, change(cx, id, in));
}

enum rc view_delete(struct ctx *cx, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	db_run(cx->db, Q_VIEW_DELETE, "t", id);
	if (!db_changes(cx->db))
		return tx_end(cx, not_found(cx));
	audit(cx, "view.delete", "view", id, NULL);
	return tx_end(cx, RC_OK);
}
