/* Spend caps: the policy, what was spent of it, and the check before every model activity.
 *
 * Amounts are dollars in the policy and whole millionths of a dollar everywhere else; limits are
 * doubles, because caps have no upper bound. Windows are the server's local day and month. Usage is
 * what the ledger says; it knows an activity only when that has ended, so the check also counts those
 * under way: an activity that passed is reserved in the same transaction, by its job, and counts with
 * the mean cost of the runtime's last activities, or with what it is known to have spent already,
 * until that job ends. The ledger row is written in the transaction that ends the job, so nothing
 * counts twice or not at all. */
#ifndef CORE_DOMAIN_BUDGET_H
#define CORE_DOMAIN_BUDGET_H

#include <jansson.h>
#include "core/domain/provider.h"
#include "core/domain/task.h"

#define BUDGET_SETTING         "usage.budgetPolicy"
#define BUDGET_WARNING_SETTING "usage.budgetWarningState"
#define BUDGET_NONE            (-1.0)
#define BUDGET_THRESHOLD       0.8
/* What an activity under way counts on a runtime that has no completed one yet. */
#define BUDGET_FIRST_MICROS    10000
#define BUDGET_STATUSES_MAX    (2 * (RUNTIMES_N + 1))

struct budget_policy {
	double overall, runtimes[RUNTIMES_N]; /* dollars a month, or BUDGET_NONE */
	double daily;                         /* overall cap of a day, or BUDGET_NONE */
	double threshold;                     /* of warnings; 0: not set */
	const char *plan;                     /* of claude-code, or NULL */
};

/* Reads the stored policy; what is unreadable is no cap. */
void budget_load(struct ctx *cx, struct budget_policy *out);
/* Gives the runtimes their shares of the overall cap. */
void budget_normalise(struct budget_policy *p, const struct runtime_state states[RUNTIMES_N]);
/* Checks a request body, in its long or its short form, against the policy OLD; all problems at
 * once. */
enum rc budget_read(struct ctx *cx, const json_t *in, const struct budget_policy *old,
    struct budget_policy *out);
/* The policy as it is stored and shown; in the arena. */
const json_t *budget_json(struct arena *a, const struct budget_policy *p);
/* Checks, normalises and stores the body's policy. */
enum rc budget_put(struct ctx *cx, const json_t *in);

struct budget_window {
	int64_t start, reset; /* Unix seconds */
	int days;             /* of the month */
};

/* The local day and month of NOW. */
void budget_windows(int64_t now, struct budget_window *day, struct budget_window *month);

struct budget_status {
	const struct runtime_info *runtime; /* NULL: overall */
	bool monthly;
	int64_t current; /* by the ledger */
	int64_t running; /* what is under way adds to it; 0 where that was not asked for */
	double limit;    /* BUDGET_NONE: none */
	int64_t reset;
};

/* current / limit; negative where there is no limit above 0. WITH_RUNNING counts what is under
 * way too. */
double budget_ratio(const struct budget_status *s, bool with_running);
/* unlimited, ok, warning or blocked, by the ledger. */
const char *budget_health(const struct budget_status *s, const struct budget_policy *p);
/* overall:daily:spend. */
const char *budget_status_id(struct arena *a, const struct budget_status *s);
/* Overall, or the runtime's label. */
const char *budget_scope(const struct budget_status *s);
/* daily or monthly. */
const char *budget_period(const struct budget_status *s);
/* "Overall daily spend is $1.00 of $2.00. Resets Nov 24, 2026, 12:00 AM." */
const char *budget_text(struct arena *a, const struct budget_status *s);
/* "$1,234.50": 2 to 4 decimals. */
const char *budget_amount(struct arena *a, double micros);

/* What a computation needs beside the ledger. Made outside of transactions: it may read a file. */
struct budget {
	struct budget_policy policy;
	struct runtime_state states[RUNTIMES_N];
	int64_t plan_micros; /* a month of claude-code's plan */
};
void budget_prepare(struct ctx *cx, struct budget *b);
/* The statuses of all configured runtimes, in order; returns their number. With RUNNING, what the
 * jobs under way will spend is noted, but for EXCEPT (a job's id, 0: none). */
size_t budget_statuses(struct ctx *cx, const struct budget *b, bool running, int64_t except,
    struct budget_status out[BUDGET_STATUSES_MAX]);
/* The budget snapshot as an object. Not inside a transaction. */
void budget_write(struct ctx *cx, struct jw *w);

/* An activity that is about to begin. */
struct activity {
	const char *type;       /* as in the ledger */
	const char *runtime;    /* id; unknown ones mean the default */
	const struct task *task; /* or NULL */
	int64_t job;            /* its job where it has one already, else 0 */
	bool quiet;             /* nobody waits for it: that it is blocked is written nowhere */
};

/* The check, inside the caller's transaction, with B made before it. RC_OK: it may begin; warnings
 * that are due are written. RC_LIMIT: the notification and the ledger row are written (of a quiet one
 * neither) and *WHY says what to tell; the caller commits all the same. CX's error stays untouched. */
enum rc budget_check(struct ctx *cx, const struct budget *b, const struct activity *act,
    const char **why);
/* Notes that JOB is an activity on RUNTIME that has passed the check; same transaction. */
void budget_reserve(struct ctx *cx, int64_t job, const char *runtime);
/* The activity type of a task's run. */
const char *budget_task_activity(const struct task *t, bool resume);

#endif
