/* The budget policy: reading it from the settings and from requests, and its normal form. */
#include <ctype.h>
#include <math.h>

#include "core/domain/budget.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/setting.h"
#include "core/text.h"

#define CAP "monthlySpendCapUsd"
#define PLAN "claudeOAuthPlan"
#define CLAUDE 0
#define CODEX 1
#define CENTS_MAX 1e13

/* Beyond CENTS_MAX a double has none. */
static double cents(double dollars)
{
	return dollars < CENTS_MAX ? floor(dollars * 100 + 0.5) / 100 : dollars;
}

static const struct budget_policy NO_CAPS = { BUDGET_NONE,
	{ BUDGET_NONE, BUDGET_NONE, BUDGET_NONE, BUDGET_NONE, BUDGET_NONE }, BUDGET_NONE, 0, NULL };

/* The whole of S as digits of BASE. */
static double based_number(const char *s, int base)
{
	static const char DIGITS[] = "0123456789abcdef";
	double v = *s ? 0 : NAN;

	for (; *s; s++) {
		const char *digit = strchr(DIGITS, tolower((unsigned char)*s));

		if (!digit || digit - DIGITS >= base)
			return NAN;
		v = v * base + (double)(digit - DIGITS);
	}
	return v;
}

/* Number(text) of ECMAScript; NAN where it is none. */
static double text_number(struct arena *a, const char *text)
{
	static const struct {
		char letter;
		int base;
	} BASES[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
	const char *s = text_trim(a, text);
	size_t digits = strspn(s, "0123456789.eE+-");
	char *end;
	double v;

	if (!*s)
		return 0;
	for (size_t i = 0; s[0] == '0' && i < COUNT(BASES); i++)
		if (tolower((unsigned char)s[1]) == BASES[i].letter)
			return based_number(s + 2, BASES[i].base);
	if (strcmp(s, "Infinity") == 0 || strcmp(s, "+Infinity") == 0)
		return INFINITY;
	if (strcmp(s, "-Infinity") == 0)
		return -INFINITY;
	if (s[digits])
		return NAN;
	v = strtod(s, &end);
	return *end ? NAN : v;
}

/* A stored cap: a positive number or the text of one; anything else is none. */
static double stored_cap(struct arena *a, const json_t *v)
{
	double n = json_is_number(v) ? json_number_value(v)
	    : json_is_string(v)      ? text_number(a, json_string_value(v))
				     : 0;

	return isfinite(n) && n > 0 ? n : BUDGET_NONE;
}

static double stored_scope(struct arena *a, const json_t *scope)
{
	const json_t *v = json_object_get(scope, CAP);

	return stored_cap(a, v ? v : json_object_get(scope, "dailySpendCapUsd"));
}

void budget_load(struct ctx *cx, struct budget_policy *out)
{
	struct arena *a = cx->arena;
	const json_t *v = json_read_text(a, setting_get(cx, BUDGET_SETTING));
	const json_t *runtimes = json_object_get(v, "runtimes"), *claude;
	double threshold = json_num(v, "alertThreshold", 0);
	const char *plan;

	*out = NO_CAPS;
	out->overall = stored_scope(a, json_object_get(v, "overall"));
	for (size_t i = 0; i < RUNTIMES_N; i++)
		out->runtimes[i] =
		    stored_scope(a, json_object_get(runtimes, RUNTIME_CATALOG[i].id));
	claude = json_object_get(runtimes, RUNTIME_CATALOG[CLAUDE].id);
	plan = json_str(claude, PLAN);
	out->plan = plan && word_in(&CLAUDE_PLANS, plan) ? plan : NULL;
	out->daily = stored_cap(a, json_object_get(v, "dailyLimitUsd"));
	out->threshold = threshold > 0 && threshold <= 1 ? threshold : 0;
}

static bool openai_configured(const struct runtime_state states[RUNTIMES_N])
{
	for (size_t i = 0; i < RUNTIMES_N; i++)
		if (states[i].configured && strcmp(states[i].info->provider, "openai") == 0)
			return true;
	return false;
}

void budget_normalise(struct budget_policy *p, const struct runtime_state states[RUNTIMES_N])
{
	double wanted[RUNTIMES_N], sum = 0, share;
	size_t configured = 0, only = 0;

	if (!p->plan && states[CLAUDE].subscription)
		p->plan = "pro";
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		wanted[i] = fmax(p->runtimes[i], 0);
		p->runtimes[i] = BUDGET_NONE;
		if (!states[i].configured)
			continue;
		configured++;
		only = i;
		sum += wanted[i];
	}
	if (p->overall < 0 || !configured)
		return;
	if (configured == 1) {
		p->runtimes[only] = p->overall;
		return;
	}
	if (!openai_configured(states) || !states[CLAUDE].configured) {
		p->runtimes[states[CLAUDE].configured ? CLAUDE : CODEX] = p->overall;
		return;
	}
	share = sum > 0 ? wanted[CLAUDE] / sum : 0.5;
	p->runtimes[CLAUDE] = cents(p->overall * share);
	p->runtimes[CODEX] = cents(fmax(p->overall - p->runtimes[CLAUDE], 0));
}

/* The problems of a body, in order. */
struct faults {
	struct arena *a;
	struct problem *first, **end;
};

static void fault(struct faults *f, const char *field, const char *message)
{
	struct problem *p = arena_new_of(f->a, struct problem);

	*p = (struct problem){ NULL, field, message };
	*f->end = p;
	f->end = &p->next;
}

static void wrong_kind(struct faults *f, const char *field, const char *wanted, const char *got)
{
	fault(f, field,
	    arena_printf(f->a, "Invalid input: expected %s, received %s", wanted, got));
}

/* A cap of a request; absent, null and "" are none. */
static double read_cap(struct faults *f, const char *field, const json_t *v)
{
	double n;

	if (!v || json_is_null(v) || (json_is_string(v) && !*json_string_value(v)))
		return BUDGET_NONE;
	if (!json_is_number(v) && !json_is_string(v)) {
		wrong_kind(f, field, "number", json_kind(v));
		return BUDGET_NONE;
	}
	n = json_is_number(v) ? json_number_value(v) : text_number(f->a, json_string_value(v));
	if (!isfinite(n))
		wrong_kind(f, field, "number", isnan(n) ? "NaN" : "number");
	else if (n <= 0)
		fault(f, field, "Too small: expected number to be >0");
	return n;
}

static const char *read_plan(struct faults *f, const json_t *v)
{
	const char *word = json_string_value(v);

	if (v && (!word || !word_in(&CLAUDE_PLANS, word)))
		fault(f, "runtimes",
		    "Invalid option: expected one of \"pro\"|\"max_5x\"|\"max_20x\"");
	return word;
}

static void read_long(struct faults *f, const json_t *in, struct budget_policy *out)
{
	const json_t *overall = json_object_get(in, "overall");
	const json_t *runtimes = json_object_get(in, "runtimes");

	*out = NO_CAPS;
	if (json_is_object(overall))
		out->overall = read_cap(f, "overall", json_object_get(overall, CAP));
	else
		wrong_kind(f, "overall", "object", json_kind(overall));
	if (!json_is_object(runtimes)) {
		wrong_kind(f, "runtimes", "object", json_kind(runtimes));
		return;
	}
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		const json_t *scope = json_object_get(runtimes, RUNTIME_CATALOG[i].id);
		const char *plan;

		if (!json_is_object(scope)) {
			wrong_kind(f, "runtimes", "object", json_kind(scope));
			continue;
		}
		out->runtimes[i] = read_cap(f, "runtimes", json_object_get(scope, CAP));
		plan = read_plan(f, json_object_get(scope, PLAN));
		if (i == CLAUDE)
			out->plan = plan;
	}
}

static bool is_short(const json_t *in)
{
	return !json_object_get(in, "overall") && !json_object_get(in, "runtimes") &&
	       (json_object_get(in, "dailyLimit") || json_object_get(in, "monthlyLimit") ||
		   json_object_get(in, "alertThreshold"));
}

/* Unlike a cap it is a number or absent. */
static double read_threshold(struct faults *f, const json_t *v)
{
	static const char FIELD[] = "alertThreshold";
	double n = json_number_value(v);

	if (v && !json_is_number(v))
		wrong_kind(f, FIELD, "number", json_kind(v));
	else if (v && n <= 0)
		fault(f, FIELD, "Too small: expected number to be >0");
	else if (n > 1)
		fault(f, FIELD, "Too big: expected number to be <=1");
	return n;
}

static void read_short(struct faults *f, const json_t *in, const struct budget_policy *old,
    struct budget_policy *out)
{
	*out = *old;
	out->daily = read_cap(f, "dailyLimit", json_object_get(in, "dailyLimit"));
	out->overall = read_cap(f, "monthlyLimit", json_object_get(in, "monthlyLimit"));
	out->threshold = read_threshold(f, json_object_get(in, "alertThreshold"));
}

enum rc budget_read(struct ctx *cx, const json_t *in, const struct budget_policy *old,
    struct budget_policy *out)
{
	struct faults f = { .a = cx->arena };

	f.end = &f.first;
	if (!json_is_object(in))
		wrong_kind(&f, NULL, "object", json_kind(in));
	else if (is_short(in))
		read_short(&f, in, old, out);
	else
		read_long(&f, in, out);
	if (!f.first)
		return RC_OK;
	cx->err.body = shape_errors_body(cx->arena, f.first);
	return ctx_fail(cx, RC_INVALID, "Invalid budget");
}

static json_t *cap_json(double cap)
{
	return cap >= 0 ? json_real(cap) : json_null();
}

const json_t *budget_json(struct arena *a, const struct budget_policy *p)
{
	json_t *v = json_keep(a, json_object()), *runtimes = json_object();

	json_object_set_new(v, "overall", json_pack("{s:o}", CAP, cap_json(p->overall)));
	json_object_set_new(v, "runtimes", runtimes);
	for (size_t i = 0; i < RUNTIMES_N; i++) {
		json_t *scope = json_pack("{s:o}", CAP, cap_json(p->runtimes[i]));

		if (i == CLAUDE && p->plan)
			json_object_set_new(scope, PLAN, json_string(p->plan));
		json_object_set_new(runtimes, RUNTIME_CATALOG[i].id, scope);
	}
	if (p->daily >= 0)
		json_object_set_new(v, "dailyLimitUsd", json_real(p->daily));
	if (p->threshold > 0)
		json_object_set_new(v, "alertThreshold", json_real(p->threshold));
	return v;
}

enum rc budget_put(struct ctx *cx, const json_t *in)
{
	struct runtime_state states[RUNTIMES_N];
	struct budget_policy old, p;
	const char *text;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	budget_load(cx, &old);
	rc = budget_read(cx, in, &old, &p);
	if (rc != RC_OK)
		return tx_end(cx, rc);
	runtime_states(cx, states);
	budget_normalise(&p, states);
	text = json_text(cx->arena, budget_json(cx->arena, &p));
	setting_put(cx, BUDGET_SETTING, text);
	setting_put(cx, BUDGET_WARNING_SETTING, "{}");
	audit(cx, "budget.update", "setting", BUDGET_SETTING, text);
	return tx_end(cx, RC_OK);
}
