/* The usage ledger: one row for every model activity, append only, and the reports over it. Days
 * are those of the server's local time zone. */
#ifndef CORE_USAGE_H
#define CORE_USAGE_H

#include "core/ctx.h"
#include "core/json_out.h"

/* A number of tokens or micro-dollars that nobody reported. */
#define USAGE_UNKNOWN (-1)
#define USAGE_DAYS_MAX 366

struct usage_row {
	/* What it belongs to; each may be NULL. */
	const char *task_id, *workflow_id, *schedule_id, *project_id;
	const char *activity_type; /* task_run, task_resume, workflow_step, ... */
	const char *runtime_id, *provider_id;
	const char *model_id; /* NULL: not known */
	const char *status;   /* completed, failed, cancelled, blocked */
	int64_t input_tokens, output_tokens, total_tokens; /* USAGE_UNKNOWN or the number */
	int64_t cost_micros;                               /* the same */
	const char *pricing_version;
	int64_t started_at, finished_at;
};

/* Writes one row inside the caller's transaction. An unknown total is the sum of input and output
 * where both are known. What completed with a known total but without a cost is stored as
 * unknown_pricing; what was blocked costs nothing. */
void usage_add(struct ctx *cx, const struct usage_row *r);

struct usage_day {
	char day[16]; /* YYYY-MM-DD */
	int64_t cost_micros, input_tokens, output_tokens, total_tokens;
};

/* Local midnight DAYS - 1 days before today: where a report over DAYS days begins. */
int64_t usage_since(const struct ctx *cx, int days);
/* Fills OUT, which has room for DAYS (1 to USAGE_DAYS_MAX), with those of the last DAYS days that
 * have rows, oldest first; returns their number. */
size_t usage_days(struct ctx *cx, int days, struct usage_day *out);
/* Writes an array with the sums by provider, model and runtime since SINCE, dearest first. */
void usage_write_breakdown(struct ctx *cx, struct jw *w, int64_t since);

#endif
