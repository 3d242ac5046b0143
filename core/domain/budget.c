/* What was spent of the caps, and how that is said. */
#include "core/domain/budget.h"

#include <float.h>
#include <math.h>
#include <time.h>

#include "core/clock.h"
#include "core/domain/pricing.h"
#include "core/price.h"
#include "core/setting.h"

#define MICROS 1e6
#define AMOUNT_MAX 9e18
#define CLAUDE 0

/* Midnight of a local day; MONTHS and DAYS are added, the first of the month is taken where DAY1. */
static int64_t local_day(struct tm tm, int months, int days, bool day1)
{
	tm.tm_mon += months;
	tm.tm_mday = day1 ? 1 : tm.tm_mday + days;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

static int days_of_month(const struct tm *tm)
{
	static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y = tm->tm_year + 1900;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return DAYS[tm->tm_mon] + (tm->tm_mon == 1 && leap);
}

void budget_windows(int64_t now, struct budget_window *day, struct budget_window *month)
{
	time_t t = (time_t)now;
	struct tm tm;

	localtime_r(&t, &tm);
	day->days = month->days = days_of_month(&tm);
	day->start = local_day(tm, 0, 0, false);
	day->reset = local_day(tm, 0, 1, false);
	month->start = local_day(tm, 0, 0, true);
	month->reset = local_day(tm, 1, 0, true);
}

double budget_ratio(const struct budget_status *s, bool with_running)
{
	if (s->limit <= 0)
		return -1;
	return (double)(s->current + (with_running ? s->running : 0)) / s->limit;
}

const char *budget_health(const struct budget_status *s, const struct budget_policy *p)
{
	double ratio = budget_ratio(s, false);

	if (s->limit < 0)
		return "unlimited";
	if (ratio >= 1)
		return "blocked";
	return ratio >= (p->threshold > 0 ? p->threshold : BUDGET_THRESHOLD) ? "warning" : "ok";
}

const char *budget_amount(struct arena *a, double micros)
{
	int64_t parts = ((int64_t)fmin(micros, AMOUNT_MAX) + 50) / 100, whole = parts / 10000;
	char digits[32], grouped[48];
	size_t n = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)whole), m = 0;
	int decimals = (int)(parts % 10000), places = 4;

	for (size_t i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			grouped[m++] = ',';
		grouped[m++] = digits[i];
	}
	grouped[m] = '\0';
	for (; places > 2 && decimals % 10 == 0; places--)
		decimals /= 10;
	return arena_printf(a, "$%s.%0*d", grouped, places, decimals);
}

const char *budget_scope(const struct budget_status *s)
{
	return s->runtime ? s->runtime->label : "Overall";
}

const char *budget_period(const struct budget_status *s)
{
	return s->monthly ? "monthly" : "daily";
}

static const char *scope_id(const struct budget_status *s)
{
	return s->runtime ? s->runtime->id : "overall";
}

const char *budget_status_id(struct arena *a, const struct budget_status *s)
{
	return arena_printf(a, "%s:%s:spend", scope_id(s), budget_period(s));
}

const char *budget_text(struct arena *a, const struct budget_status *s)
{
	static const char *const MONTHS[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)s->reset;
	struct tm tm;

	localtime_r(&t, &tm);
	return arena_printf(a, "%s %s spend is %s of %s. Resets %s %d, %d, %d:%02d %s.",
	    budget_scope(s), budget_period(s), budget_amount(a, (double)(s->current + s->running)),
	    budget_amount(a, s->limit), MONTHS[tm.tm_mon], tm.tm_mday, tm.tm_year + 1900,
	    tm.tm_hour % 12 ? tm.tm_hour % 12 : 12, tm.tm_min, tm.tm_hour < 12 ? "AM" : "PM");
}

void budget_prepare(struct ctx *cx, struct budget *b)
{
	budget_load(cx, &b->policy);
	runtime_states(cx, b->states);
	b->plan_micros = 0;
	if (b->states[CLAUDE].subscription)
		b->plan_micros = (int64_t)llround(
		    price_plan_usd(cx, b->policy.plan ? b->policy.plan : "pro") * MICROS);
}

/* Micros of one runtime: in the month, in the day, and what is under way. */
struct spend {
	int64_t month, day, running;
};

static void read_running(struct ctx *cx, const char *runtime, int64_t except, struct spend *out)
{
	bool local = strcmp(runtime, "ollama") == 0;
	int64_t mean = 0;
	struct q *q = db_query(cx->db, Q_BUDGET_MEAN, "t", runtime);

	if (db_next(q)) {
		mean = db_is_null(q, 0) ? local ? 0 : BUDGET_FIRST_MICROS
					: (int64_t)llround(db_num(q, 0));
		db_done(q);
	}
	out->running =
	    db_get_int(cx->db, 0, Q_BUDGET_RUNNING, "tii", runtime, mean, except);
}

static void read_spend(struct ctx *cx, const struct budget *b, const struct budget_window *day,
    const struct budget_window *month, bool running, int64_t except, struct spend *out)
{
	struct q *q = db_query(cx->db, Q_BUDGET_SPENT, "iiii", month->start, month->reset,
	    day->start, day->reset);

	while (db_next(q)) {
		const struct runtime_info *info = catalog_find(db_text(q, 0));

		if (info)
			out[runtime_place(info)] = (struct spend){ db_int(q, 1), db_int(q, 2), 0 };
	}
	for (size_t i = 0; running && i < RUNTIMES_N; i++)
		if (b->states[i].configured)
			read_running(cx, RUNTIME_CATALOG[i].id, except, &out[i]);
	if (b->states[CLAUDE].subscription)
		out[CLAUDE] = (struct spend){ b->plan_micros,
			(int64_t)llround((double)b->plan_micros / month->days), 0 };
}

/* The limit of a cap in dollars a month, shared out over the days where the window is one. */
static double limit_of(double cap, int days)
{
	return cap < 0 ? BUDGET_NONE : fmin(round(cap * MICROS / days), DBL_MAX);
}

size_t budget_statuses(struct ctx *cx, const struct budget *b, bool running, int64_t except,
    struct budget_status out[BUDGET_STATUSES_MAX])
{
	struct spend spent[RUNTIMES_N] = { { 0 } }, all = { 0 };
	struct budget_window day, month;
	size_t n = 2;

	budget_windows(cx->now, &day, &month);
	read_spend(cx, b, &day, &month, running, except, spent);
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		const struct spend *s = &spent[i];
		double cap = b->policy.runtimes[i];

		if (!b->states[i].configured)
			continue;
		all.month += s->month;
		all.day += s->day;
		all.running += s->running;
		out[n++] = (struct budget_status){ &RUNTIME_CATALOG[i], false, s->day, s->running,
			limit_of(cap, month.days), day.reset };
		out[n++] = (struct budget_status){ &RUNTIME_CATALOG[i], true, s->month, s->running,
			limit_of(cap, 1), month.reset };
	}
	out[0] = (struct budget_status){ NULL, false, all.day, all.running,
		b->policy.daily >= 0 ? limit_of(b->policy.daily, 1)
				     : limit_of(b->policy.overall, month.days),
		day.reset };
	out[1] = (struct budget_status){ NULL, true, all.month, all.running,
		limit_of(b->policy.overall, 1), month.reset };
	return n;
}

static void write_status(
    struct ctx *cx, struct jw *w, const struct budget_status *s, const struct budget_policy *p)
{
	double ratio = budget_ratio(s, false);

	jw_obj(w);
	jw_kstr(w, "id", budget_status_id(cx->arena, s));
	jw_kstr(w, "scopeId", scope_id(s));
	jw_kstr(w, "scopeLabel", budget_scope(s));
	jw_kstr(w, "runtimeId", s->runtime ? s->runtime->id : NULL);
	jw_kstr(w, "window", budget_period(s));
	jw_kint(w, "currentValue", s->current);
	if (s->limit >= 0)
		jw_knum(w, "limitValue", s->limit);
	else
		jw_knull(w, "limitValue");
	if (ratio >= 0)
		jw_knum(w, "ratio", ratio);
	else
		jw_knull(w, "ratio");
	jw_kstr(w, "health", budget_health(s, p));
	jw_ktime(w, "resetAt", s->reset);
	jw_ktime(w, "resetAtIso", s->reset);
	jw_end_obj(w);
}

static void write_dollars(struct jw *w, const char *key, double dollars)
{
	if (dollars >= 0)
		jw_knum(w, key, dollars);
	else
		jw_knull(w, key);
}

void budget_write(struct ctx *cx, struct jw *w)
{
	struct budget_status list[BUDGET_STATUSES_MAX];
	struct budget b;
	int64_t updated = setting_updated_at(cx, BUDGET_SETTING);
	size_t n;

	budget_prepare(cx, &b);
	budget_normalise(&b.policy, b.states);
	n = budget_statuses(cx, &b, false, 0, list);
	jw_obj(w);
	jw_kjson(w, "policy", budget_json(cx->arena, &b.policy));
	jw_key(w, "statuses");
	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		write_status(cx, w, &list[i], &b.policy);
	jw_end_arr(w);
	jw_ktime(w, "dailyResetAtIso", list[0].reset);
	jw_ktime(w, "monthlyResetAtIso", list[1].reset);
	jw_key(w, "runtimeStates");
	jw_obj(w);
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		jw_key(w, RUNTIME_CATALOG[i].id);
		runtime_state_write(w, &b.states[i]);
	}
	jw_end_obj(w);
	jw_key(w, "pricing");
	pricing_write(cx, w);
	write_dollars(w, "dailyLimit", b.policy.daily);
	write_dollars(w, "monthlyLimit", b.policy.overall);
	jw_knum(w, "dailySpend", (double)list[0].current / MICROS);
	jw_knum(w, "monthlySpend", (double)list[1].current / MICROS);
	jw_knum(w, "alertThreshold",
	    b.policy.threshold > 0 ? b.policy.threshold : BUDGET_THRESHOLD);
	if (updated)
		jw_ktime(w, "updatedAt", updated);
	else
		jw_knull(w, "updatedAt");
	jw_end_obj(w);
}
