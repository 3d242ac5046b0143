/* The usage ledger. Days are cut in C, because SQL has no say in local time here. */
#include "core/usage.h"

#include <time.h>

#include "core/id.h"

void usage_add(struct ctx *cx, const struct usage_row *r)
{
	int64_t total = r->total_tokens, cost = r->cost_micros;
	const char *status = r->status, *version = r->pricing_version;

	if (total == USAGE_UNKNOWN && r->input_tokens != USAGE_UNKNOWN &&
	    r->output_tokens != USAGE_UNKNOWN)
		total = r->input_tokens + r->output_tokens;
	if (strcmp(status, "blocked") == 0) {
		cost = 0;
		version = "budget-guardrail";
	} else if (strcmp(status, "completed") == 0 && total != USAGE_UNKNOWN &&
		   cost == USAGE_UNKNOWN) {
		status = "unknown_pricing";
	}
	db_run(cx->db, Q_USAGE_INSERT, "ttttttttttiiiitii", id_make(cx->arena), r->task_id,
	    r->workflow_id, r->schedule_id, r->project_id, r->activity_type, r->runtime_id,
	    r->provider_id, r->model_id, status, r->input_tokens, r->output_tokens, total, cost,
	    version, r->started_at, r->finished_at);
}

/* The local day BACK days before the one of NOW, at HOUR. */
static int64_t day_at(int64_t now, int back, int hour, struct tm *tm)
{
	time_t t = (time_t)now;

	localtime_r(&t, tm);
	tm->tm_mday -= back;
	tm->tm_hour = hour;
	tm->tm_min = tm->tm_sec = 0;
	tm->tm_isdst = -1;
	return (int64_t)mktime(tm);
}

int64_t usage_since(const struct ctx *cx, int days)
{
	struct tm tm;

	return day_at(cx->now, days - 1, 0, &tm);
}

/* The name is taken at noon: some zones have days without a midnight. */
static void day_name(int64_t now, int back, char *out, size_t size)
{
	struct tm tm;

	day_at(now, back, 12, &tm);
	strftime(out, size, "%Y-%m-%d", &tm);
}

size_t usage_days(struct ctx *cx, int days, struct usage_day *out)
{
	size_t n = 0;
	struct tm tm;

	for (int back = days - 1; back >= 0; back--) {
		struct q *q = db_query(cx->db, Q_USAGE_DAY, "ii", day_at(cx->now, back, 0, &tm),
		    day_at(cx->now, back - 1, 0, &tm));

		if (!db_next(q))
			break;
		if (db_int(q, 0)) {
			struct usage_day *d = &out[n++];

			day_name(cx->now, back, d->day, sizeof d->day);
			d->cost_micros = db_int(q, 1);
			d->input_tokens = db_int(q, 2);
			d->output_tokens = db_int(q, 3);
			d->total_tokens = db_int(q, 4);
		}
		db_done(q);
	}
	return n;
}

void usage_write_breakdown(struct ctx *cx, struct jw *w, int64_t since)
{
	struct q *q = db_query(cx->db, Q_USAGE_BREAKDOWN, "i", since);

	jw_arr(w);
	while (db_next(q)) {
		jw_obj(w);
		jw_kstr(w, "providerId", db_text(q, 0));
		jw_kstr(w, "modelId", db_text(q, 1));
		jw_kstr(w, "runtimeId", db_text(q, 2));
		jw_kint(w, "costMicros", db_int(q, 3));
		jw_kint(w, "inputTokens", db_int(q, 4));
		jw_kint(w, "outputTokens", db_int(q, 5));
		jw_kint(w, "totalTokens", db_int(q, 6));
		jw_kint(w, "runs", db_int(q, 7));
		jw_kint(w, "unknownPricingRuns", db_int(q, 8));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}
