/* The tests of a profile: one question to a model each, one after another. An answer passes where
 * it has all the expected words; a call that fails is a failed test, not an error.
 *
 * A test that is over has its ledger row at once, also where the job is stopped later; a job that
 * begins anew begins with the first test. */
#include "core/catalog.h"
#include "core/clock.h"
#include "core/collate.h"
#include "core/domain/budget.h"
#include "core/domain/profile.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/ask.h"

#define REPORT_MAX ((size_t)8 << 20)
#define ALL_MS (INT64_C(6) * 3600 * 1000 - 360000) /* then the rest fails without being asked */

struct testing {
	struct job *job;
	const struct profile *profile;
	struct profile_view view;
	const char *runtime;
	int64_t end_ms;
	int64_t passed, failed;
};

static const char *prompt_of(struct arena *a, const struct profile_view *view, const char *task)
{
	return arena_printf(a,
	    "%s\n\n%s\n\nThis is a short check of how you work: answer briefly, without tools, and "
	    "use the usual terms of the field.",
	    view->instructions, task);
}

static void write_ledger(struct ask *k, const struct usage *u, bool ok)
{
	struct ctx *cx = k->job->cx;

	if (tx_begin(cx) != RC_OK)
		return;
	cx->now = now_s();
	ask_write_ledger(k, u, ok);
	tx_end(cx, RC_OK);
}

/* The spend caps are looked at before every test but the first, which the request has passed. */
static const char *blocked(struct ask *k)
{
	struct ctx *cx = k->job->cx;
	struct activity act = { .type = k->activity, .runtime = k->runtime->id, .job = k->job->id,
		.quiet = true };
	const char *why = NULL;
	struct budget b;

	budget_prepare(cx, &b);
	if (tx_begin(cx) == RC_OK) {
		cx->now = now_s();
		budget_check(cx, &b, &act, &why);
		tx_end(cx, RC_OK);
	}
	return why;
}

/* Puts the task to the model. RC_OK with the answer in *TEXT, NULL where the call has failed. */
static enum rc put_task(struct testing *t, const char *task, const char **text)
{
	struct arena *a = t->job->cx->arena;
	struct ask k = { .job = t->job, .activity = "profile_test" };
	const char *why = mono_ms() < t->end_ms ? ask_init(&k, t->runtime) : "out of time";
	struct turn turn = { 0 };
	struct err e = { 0 };
	enum rc rc;

	*text = NULL;
	if (!k.runtime)
		k.runtime = catalog_resolve(t->runtime);
	if (!why && t->passed + t->failed)
		why = blocked(&k);
	rc = why ? err_set(&e, RC_UPSTREAM, "%.500s", why)
		 : ask_model(&k, NULL, prompt_of(a, &t->view, task), &turn, &e);
	if (rc == RC_CANCELLED)
		return rc;
	if (rc == RC_OK)
		*text = turn.text;
	else
		log_info("a test of %s failed: %s", t->view.id, e.msg);
	write_ledger(&k, &turn.usage, rc == RC_OK);
	return t->job->cx->err.rc;
}

/* "KEY":[those of the words that the answer has, or lacks]; returns their number. */
static size_t write_words(struct arena *a, struct jw *w, const char *key, const json_t *words,
    const char *answer, bool found)
{
	size_t i, n = 0;
	json_t *v;

	jw_key(w, key);
	jw_arr(w);
	json_array_foreach(words, i, v) {
		const char *word = json_string_value(v);

		if ((strstr(answer, collate_lower(a, word)) != NULL) == found) {
			jw_str(w, word);
			n++;
		}
	}
	jw_end_arr(w);
	return n;
}

/* Runs one test and writes its result. */
static enum rc run_test(struct testing *t, struct jw *w, const json_t *test)
{
	struct arena *a = t->job->cx->arena;
	const json_t *words = json_object_get(test, "expectedKeywords");
	const char *task = json_str(test, "task"), *text, *answer;
	int64_t began = mono_ms();
	bool passed;
	enum rc rc = put_task(t, task, &text);

	if (rc != RC_OK)
		return rc;
	answer = collate_lower(a, text ? text : "");
	jw_obj(w);
	jw_kstr(w, "task", task);
	jw_kjson(w, "expectedKeywords", words);
	write_words(a, w, "foundKeywords", words, answer, true);
	passed = write_words(a, w, "missingKeywords", words, answer, false) == 0 && text;
	jw_kbool(w, "passed", passed);
	jw_kbool(w, "pass", passed);
	write_words(a, w, "matchedKeywords", words, answer, true);
	jw_kint(w, "durationMs", mono_ms() - began);
	jw_end_obj(w);
	t->passed += passed;
	t->failed += !passed;
	return RC_OK;
}

static enum rc write_report(struct testing *t, struct jw *w)
{
	size_t i;
	json_t *test;
	enum rc rc;

	jw_obj(w);
	jw_kstr(w, "profileId", t->view.id);
	jw_kstr(w, "profileName", t->view.name);
	jw_kstr(w, "runtimeId", t->runtime);
	jw_key(w, "results");
	jw_arr(w);
	json_array_foreach(t->view.tests, i, test)
		if ((rc = run_test(t, w, test)) != RC_OK)
			return rc;
	jw_end_arr(w);
	jw_kint(w, "totalPassed", t->passed);
	jw_kint(w, "totalFailed", t->failed);
	jw_kint(w, "total", t->passed + t->failed);
	jw_kint(w, "passed", t->passed);
	jw_end_obj(w);
	return RC_OK;
}

/* The answer, and the report of all tests, in one transaction. */
static int finish(struct testing *t, int status, const char *body, bool store)
{
	struct ctx *cx = t->job->cx;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return 1;
	cx->now = now_s();
	if (store)
		profile_store_report(cx, t->view.id, t->runtime, body, t->passed, t->failed);
	rc = job_finish(t->job, status, body, NULL);
	rc = tx_end(cx, rc);
	return rc == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}

/* What has changed since the request was taken. */
static const char *gone(struct testing *t, int64_t index)
{
	if (!t->profile)
		return "Profile not found";
	return index >= (int64_t)json_array_size(t->view.tests)
	    ? "Invalid test index or unsupported runtime" : NULL;
}

int profile_test(struct job *j)
{
	struct arena *a = j->cx->arena;
	const json_t *in = json_read_text(a, j->payload);
	int64_t index = (int64_t)json_num(in, "testIndex", -1);
	struct testing t = { .job = j, .end_ms = mono_ms() + ALL_MS,
		.runtime = catalog_resolve(json_str(in, "runtimeId"))->id };
	const char *why;
	struct buf b;
	struct jw w = jw_on(&b);
	enum rc rc;
	int status = 1;

	t.profile = profile_find(j->cx->conf, j->subject);
	if (t.profile)
		profile_resolve(a, t.profile, t.runtime, &t.view);
	why = gone(&t, index);
	if (why)
		return finish(&t, 400, ask_error_body(a, why), false);
	buf_init(&b, REPORT_MAX);
	rc = index < 0 ? write_report(&t, &w)
		       : run_test(&t, &w, json_array_get(t.view.tests, (size_t)index));
	if (rc == RC_CANCELLED)
		status = EXIT_INTERRUPTED;
	else if (rc == RC_OK && b.failed)
		status = finish(&t, 500, ask_error_body(a, "The report is too large"), false);
	else if (rc == RC_OK)
		status = finish(&t, 200, buf_text(&b), index < 0);
	buf_fini(&b);
	return status;
}
