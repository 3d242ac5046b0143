/* /api/permissions */
#include "core/setting.h"
#include "fcgi/handlers.h"

enum rc h_permission_list(struct request *rq)
{
	const json_t *list = permission_list(&rq->cx);
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_kjson(w, "permissions", list);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_permission_add(struct request *rq)
{
	enum rc rc = permission_add(&rq->cx, json_str(rq->in, "pattern"));

	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_permission_remove(struct request *rq)
{
	enum rc rc = permission_remove(&rq->cx, json_str(rq->in, "pattern"));

	return rc != RC_OK ? rc : reply_success(rq);
}

static void write_preset(struct jw *w, const struct policy_preset *p, const json_t *list)
{
	jw_obj(w);
	jw_kstr(w, "id", p->id);
	jw_kstr(w, "name", p->name);
	jw_kstr(w, "description", p->description);
	jw_kstr(w, "risk", p->risk);
	jw_key(w, "patterns");
	jw_arr(w);
	for (size_t i = 0; i < p->n_patterns; i++)
		jw_str(w, p->patterns[i]);
	jw_end_arr(w);
	jw_kbool(w, "active", policy_preset_active(p, list));
	jw_end_obj(w);
}

enum rc h_preset_list(struct request *rq)
{
	const json_t *list = permission_list(&rq->cx);
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_key(w, "presets");
	jw_arr(w);
	for (size_t i = 0; i < POLICY_PRESETS_N; i++)
		write_preset(w, &POLICY_PRESETS[i], list);
	jw_end_arr(w);
	jw_end_obj(w);
	return RC_OK;
}

static enum rc change_preset(
    struct request *rq, enum rc (*change)(struct ctx *cx, const struct policy_preset *p))
{
	const char *id = json_str(rq->in, "presetId");
	const struct policy_preset *p = policy_preset_find(id);
	enum rc rc;

	if (!p)
		return ctx_fail(&rq->cx, RC_NOTFOUND, "Unknown preset: %s", id);
	rc = change(&rq->cx, p);
	return rc != RC_OK ? rc : reply_success(rq);
}

enum rc h_preset_add(struct request *rq)
{
	return change_preset(rq, permission_add_preset);
}

enum rc h_preset_remove(struct request *rq)
{
	return change_preset(rq, permission_remove_preset);
}
