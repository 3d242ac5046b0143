/* /api/profiles: the profiles themselves, their tests, and the assist. */
#include "core/domain/profile.h"

#include "core/catalog.h"
#include "core/text.h"
#include "fcgi/handlers.h"
#include "fcgi/job_reply.h"

#define TESTS_TIMEOUT_MS (INT64_C(6) * 3600 * 1000 + 30000)

enum rc h_profile_list(struct request *rq)
{
	return profile_write_list(
	    &rq->cx, reply(rq, 200), query_get(rq, "scope"), query_get(rq, "projectId"));
}

enum rc h_profile_create(struct request *rq)
{
	enum rc rc = profile_create(&rq->cx, rq->in);

	return rc != RC_OK ? rc : reply_ok(rq, 201);
}

enum rc h_profile_get(struct request *rq)
{
	return profile_write_one(&rq->cx, reply(rq, 200), rq->id);
}

enum rc h_profile_replace(struct request *rq)
{
	enum rc rc = profile_check_builtin(&rq->cx, rq->id, "modify");

	if (rc == RC_OK)
		rc = request_json(rq);
	if (rc == RC_OK)
		rc = profile_replace(&rq->cx, rq->id, rq->in);
	return rc != RC_OK ? rc : reply_ok(rq, 200);
}

enum rc h_profile_delete(struct request *rq)
{
	enum rc rc = profile_check_builtin(&rq->cx, rq->id, "delete");

	if (rc == RC_OK)
		rc = profile_remove(&rq->cx, rq->id);
	return rc != RC_OK ? rc : reply_ok(rq, 200);
}

/* The runtime that the body names, or the default one. */
static enum rc tested_runtime(struct request *rq, const struct runtime_info **out)
{
	const json_t *v = json_object_get(rq->in, "runtimeId");
	const char *id = json_string_value(v);

	*out = catalog_resolve(id);
	if (!v || json_is_null(v) || (id && !*id) || catalog_find(id))
		return RC_OK;
	return ctx_fail(&rq->cx, RC_INVALID, "Unknown runtime: %.200s",
	    id ? id : json_text(rq->cx.arena, v));
}

static const char *test_payload(struct request *rq, const char *runtime, int64_t index)
{
	json_t *o = json_object();

	json_object_set_new(o, "profileId", json_string(rq->id));
	json_object_set_new(o, "runtimeId", json_string(runtime));
	if (index >= 0)
		json_object_set_new(o, "testIndex", json_integer(index));
	return json_text(rq->cx.arena, json_keep(rq->cx.arena, o));
}

/* INDEX -1: all tests. */
static enum rc run_tests(struct request *rq, const char *runtime, int64_t index)
{
	struct job_reply jr = { .kind = JOB_PROFILE_TEST, .subject = rq->id,
		.payload = test_payload(rq, runtime, index), .activity = "profile_test",
		.runtime = runtime, .audit = "profile.run_tests",
		.timeout_ms = index < 0 ? TESTS_TIMEOUT_MS : ASSIST_TIMEOUT_MS,
		.timeout_text = "The tests take too long" };

	return reply_with_job(rq, &jr);
}

/* A report without a run: REASON why, or NULL where there is nothing to run. */
static void write_no_tests(struct jw *w, const struct profile *p, const char *runtime,
    const char *reason)
{
	jw_obj(w);
	jw_kstr(w, "profileId", p->id);
	jw_kstr(w, "profileName", p->name);
	jw_kstr(w, "runtimeId", runtime);
	jw_key(w, "results");
	jw_arr(w);
	jw_end_arr(w);
	jw_kint(w, "totalPassed", 0);
	jw_kint(w, "totalFailed", 0);
	jw_kint(w, "total", 0);
	jw_kint(w, "passed", 0);
	if (reason) {
		jw_kbool(w, "unsupported", true);
		jw_kstr(w, "unsupportedReason", reason);
	}
	jw_end_obj(w);
}

static enum rc reply_no_tests(struct request *rq, const struct profile *p, const char *runtime,
    const char *reason)
{
	struct ctx *cx = &rq->cx;
	struct buf b;
	struct jw w = jw_on(&b);
	enum rc rc;

	if (reason) {
		write_no_tests(reply(rq, 200), p, runtime, reason);
		return RC_OK;
	}
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	buf_init(&b, 64 << 10);
	write_no_tests(&w, p, runtime, NULL);
	profile_store_report(cx, p->id, runtime, buf_text(&b), 0, 0);
	buf_fini(&b);
	rc = tx_end(cx, RC_OK);
	if (rc == RC_OK)
		write_no_tests(reply(rq, 200), p, runtime, NULL);
	return rc;
}

/* Why the profile's tests cannot be run there; NULL where they can. */
static const char *unsupported(struct arena *a, const struct profile *p,
    const struct runtime_info *info)
{
	if (!profile_supports(p, info->id))
		return arena_printf(a, "%s does not support %s", p->name, info->id);
	if (!(info->can & CAN_PROFILE_TESTS))
		return arena_printf(
		    a, "%s does not support profile smoke tests yet", info->label);
	return NULL;
}

enum rc h_profile_test(struct request *rq)
{
	struct arena *a = rq->cx.arena;
	const struct runtime_info *info;
	const struct profile *p;
	struct profile_view view;
	const char *reason;
	enum rc rc = request_json_lenient(rq);

	if (rc != RC_OK || (rc = tested_runtime(rq, &info)) != RC_OK)
		return rc;
	p = profile_find(rq->cx.conf, rq->id);
	if (!p)
		return ctx_fail(&rq->cx, RC_INVALID, "Profile \"%.200s\" not found", rq->id);
	reason = unsupported(a, p, info);
	profile_resolve(a, p, info->id, &view);
	if (reason || !json_array_size(view.tests))
		return reply_no_tests(rq, p, info->id, reason);
	return run_tests(rq, info->id, -1);
}

/* The index in the body; -1 where it is no whole number below N. */
static int64_t test_index(const json_t *in, size_t n)
{
	double v = json_num(in, "testIndex", -1);

	for (size_t i = 0; i < n; i++)
		if ((double)i == v)
			return (int64_t)i;
	return -1;
}

enum rc h_profile_test_single(struct request *rq)
{
	const struct runtime_info *info;
	const struct profile *p;
	struct profile_view view;
	int64_t index;
	enum rc rc = request_json_lenient(rq);

	if (rc != RC_OK || (rc = tested_runtime(rq, &info)) != RC_OK)
		return rc;
	p = profile_find(rq->cx.conf, rq->id);
	if (!p)
		return ctx_fail(&rq->cx, RC_NOTFOUND, "Profile not found");
	profile_resolve(rq->cx.arena, p, info->id, &view);
	index = test_index(rq->in, json_array_size(view.tests));
	if (index < 0 || unsupported(rq->cx.arena, p, info))
		return ctx_fail(
		    &rq->cx, RC_INVALID, "Invalid test index or unsupported runtime");
	return run_tests(rq, info->id, index);
}

enum rc h_profile_test_results(struct request *rq)
{
	const char *runtime = query_get_raw(rq, "runtimeId");
	const char *report = db_get_text(rq->cx.db, rq->cx.arena, Q_PROFILE_REPORT, "tt", rq->id,
	    runtime ? runtime : RUNTIME_CATALOG[0].id);

	if (report)
		jw_raw(reply(rq, 200), report, strlen(report));
	else
		jw_null(reply(rq, 404));
	return RC_OK;
}

enum rc h_profile_assist(struct request *rq)
{
	const char *goal = json_str(rq->in, "goal");
	const json_t *tags = json_object_get(rq->in, "existingTags"), *v;
	struct job_reply jr = { .kind = JOB_PROFILE_ASSIST, .activity = "profile_assist",
		.runtime = RUNTIME_CATALOG[0].id, .audit = "profile.assist",
		.payload = json_text(rq->cx.arena, rq->in), .timeout_ms = ASSIST_TIMEOUT_MS,
		.timeout_text = ASSIST_TIMEOUT_TEXT };
	bool texts = !tags || json_is_array(tags);
	size_t i;

	if (!goal || text_is_blank(goal))
		return ctx_fail(&rq->cx, RC_INVALID, "Provide a goal description");
	json_array_foreach(tags, i, v)
		texts = texts && json_is_string(v);
	if (!texts)
		return ctx_fail(
		    &rq->cx, RC_INVALID, "existingTags must be an array of strings");
	return reply_with_job(rq, &jr);
}
