/* Schedules: reading request bodies. The checks stand in the order in which their refusals are said. */
#include "core/domain/schedule_int.h"

#include <math.h>

#include "core/catalog.h"
#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/text.h"

#define HOUR_MAX 23
#define WHOLE_MAX 9007199254740991.0
/* Bytes. What is longer would be in the way of all others when it fires. */
#define WORD_BYTES 1000
#define NAME_BYTES 10000
#define LIST_BYTES 200000
#define PROMPT_BYTES 1000000
#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

/* Whether there is anything under KEY; null is nothing. */
static bool given(const json_t *in, const char *key)
{
	const json_t *v = json_object_get(in, key);

	return v && !json_is_null(v);
}

/* The text under KEY, trimmed; NULL where it is blank or no text. */
static const char *filled(struct ctx *cx, const json_t *in, const char *key)
{
	const char *s = json_str(in, key);

	return s && !text_is_blank(s) ? text_trim(cx->arena, s) : NULL;
}

static enum rc check_length(struct ctx *cx, const char *key, const char *text, size_t max)
{
	if (text && strlen(text) > max)
		return ctx_fail(cx, RC_INVALID, "%s is too long (max %zu bytes)", key, max);
	return RC_OK;
}

/* A text that may be missing; null and the empty one count as OTHERWISE. */
static enum rc read_text(struct ctx *cx, const json_t *in, const char *key, const char *otherwise,
    const char **out)
{
	const json_t *v = json_object_get(in, key);

	if (given(in, key) && !json_is_string(v))
		return ctx_fail(cx, RC_INVALID, "%s must be a string", key);
	*out = json_string_length(v) ? json_string_value(v) : otherwise;
	return check_length(cx, key, *out, WORD_BYTES);
}

/* A list that is kept as JSON; null: none. */
static enum rc read_list(struct ctx *cx, const json_t *in, const char *key, const char **out)
{
	const json_t *v = json_object_get(in, key);

	if (given(in, key) && !json_is_array(v))
		return ctx_fail(cx, RC_INVALID, "%s must be an array", key);
	*out = given(in, key) ? json_text(cx->arena, v) : NULL;
	return check_length(cx, key, *out, LIST_BYTES);
}

static enum rc read_channels(struct ctx *cx, const json_t *in, const char **out)
{
	const json_t *list = json_object_get(in, "deliveryChannels"), *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!json_is_string(item))
			return ctx_fail(cx, RC_INVALID,
			    "deliveryChannels must be an array of channel ids");
	return read_list(cx, in, "deliveryChannels", out);
}

/* A whole number from MIN to MAX. */
static bool is_whole(const json_t *v, double min, double max)
{
	double n = json_number_value(v);

	return json_is_number(v) && n >= min && n <= max && n == trunc(n);
}

/* WIDE: any whole number will do. */
static enum rc read_hour(struct ctx *cx, const json_t *in, const char *key, const char *name,
    bool wide, int64_t *out)
{
	const json_t *v = json_object_get(in, key);

	if (given(in, key) && !is_whole(v, wide ? -WHOLE_MAX : 0, wide ? WHOLE_MAX : HOUR_MAX))
		return ctx_fail(cx, RC_INVALID, "Active hours %s must be 0-23", name);
	*out = given(in, key) ? (int64_t)json_number_value(v) : HOUR_NONE;
	return RC_OK;
}

static enum rc read_hours(struct ctx *cx, const json_t *in, bool wide, struct heartbeat_hours *out)
{
	enum rc rc = read_hour(cx, in, "activeHoursStart", "start", wide, &out->start);

	return rc != RC_OK ? rc : read_hour(cx, in, "activeHoursEnd", "end", wide, &out->end);
}

static enum rc read_number(struct ctx *cx, const json_t *in, const char *key, bool *has, double *out)
{
	*has = given(in, key);
	if (*has && !json_is_number(json_object_get(in, key)))
		return ctx_fail(cx, RC_INVALID, "%s must be a number", key);
	*out = *has ? json_number_value(json_object_get(in, key)) : 0;
	return RC_OK;
}

/* What must be there, and what depends on the type. */
static enum rc read_needed(struct ctx *cx, const json_t *in, struct schedule *s)
{
	const char *prompt = filled(cx, in, "prompt");

	s->name = filled(cx, in, "name");
	if (!s->name)
		return ctx_fail(cx, RC_INVALID, "Name is required");
	if (!filled(cx, in, "interval"))
		return ctx_fail(cx, RC_INVALID, "Interval is required");
	s->type = given(in, "type") ? json_str(in, "type") : "scheduled";
	if (!word_in(&SCHEDULE_TYPES, s->type))
		return ctx_fail(cx, RC_INVALID, "type must be 'scheduled' or 'heartbeat'");
	if (!schedule_is_heartbeat(s)) {
		s->prompt = prompt;
		return prompt ? RC_OK : ctx_fail(cx, RC_INVALID, "Prompt is required");
	}
	s->prompt = prompt ? prompt : arena_printf(cx->arena, "Heartbeat check: %s", s->name);
	if (!json_array_size(json_object_get(in, "heartbeatChecklist")))
		return ctx_fail(cx, RC_INVALID,
		    "Heartbeat schedules require at least one checklist item");
	return read_hours(cx, in, false, &s->hours);
}

static enum rc read_limits(struct ctx *cx, const json_t *in, struct schedule *s)
{
	const json_t *max = json_object_get(in, "maxFirings");
	double hours, at;
	bool has;
	enum rc rc;

	if (given(in, "maxFirings") && !is_whole(max, 1, WHOLE_MAX))
		return ctx_fail(cx, RC_INVALID, "maxFirings must be a positive integer");
	s->max_firings = given(in, "maxFirings") ? (int64_t)json_number_value(max) : FIRINGS_ANY;
	s->recurs = !json_is_false(json_object_get(in, "recurs"));
	rc = read_number(cx, in, "expiresInHours", &has, &hours);
	if (rc != RC_OK || hours == 0)
		return rc;
	at = floor((double)cx->now + hours * 3600);
	if (!(at >= 1 && at <= (double)TIME_MAX))
		return ctx_fail(cx, RC_INVALID, "expiresInHours is out of range");
	s->expires_at = (int64_t)at;
	return RC_OK;
}

static enum rc read_names(struct ctx *cx, const json_t *in, struct schedule *s)
{
	enum rc rc = read_text(cx, in, "projectId", NULL, &s->project_id);

	if (rc == RC_OK)
		rc = read_text(cx, in, "assignedAgent", NULL, &s->agent);
	if (rc == RC_OK)
		rc = read_text(cx, in, "agentProfile", NULL, &s->profile);
	if (rc == RC_OK)
		rc = read_text(cx, in, "activeTimezone", "UTC", &s->hours.zone);
	return rc;
}

static enum rc check_texts(struct ctx *cx, const struct schedule *s)
{
	enum rc rc = check_length(cx, "name", s->name, NAME_BYTES);

	return rc != RC_OK ? rc : check_length(cx, "prompt", s->prompt, PROMPT_BYTES);
}

/* The interval; the first time comes with it. */
static enum rc read_interval(struct ctx *cx, const json_t *in, struct schedule *s)
{
	struct interval i;
	const char *why;

	if (!interval_parse(cx->arena, json_str(in, "interval"), cx->now, &i, &why))
		return ctx_fail(cx, RC_INVALID, "%s", why);
	s->cron = i.cron;
	s->next_fire_at = i.next;
	return RC_OK;
}

enum rc schedule_read_new(struct ctx *cx, const json_t *in, struct schedule *s,
    const json_t **documents)
{
	const json_t *list = json_object_get(in, "documentIds");
	enum rc rc;

	*s = (struct schedule){ .status = "active" };
	*documents = list;
	rc = read_needed(cx, in, s);
	if (rc == RC_OK)
		rc = read_limits(cx, in, s);
	if (rc == RC_OK)
		rc = check_texts(cx, s);
	if (rc == RC_OK)
		rc = read_names(cx, in, s);
	if (rc == RC_OK)
		rc = read_list(cx, in, "heartbeatChecklist", &s->checklist);
	if (rc == RC_OK)
		rc = read_hours(cx, in, !schedule_is_heartbeat(s), &s->hours);
	if (rc == RC_OK)
		rc = read_number(cx, in, "heartbeatBudgetPerDay", &s->has_budget, &s->budget);
	if (rc == RC_OK && given(in, "documentIds") && !json_is_array(list))
		rc = ctx_fail(cx, RC_INVALID, "documentIds must be an array");
	if (rc == RC_OK)
		rc = read_channels(cx, in, &s->channels);
	return rc != RC_OK ? rc : read_interval(cx, in, s);
}

/* *RESUMED: it was paused and is active again. */
static enum rc change_status(struct ctx *cx, const json_t *in, struct schedule *s, bool *resumed)
{
	const json_t *v = json_object_get(in, "status");
	const char *status = json_is_string(v) ? json_string_value(v) : json_text(cx->arena, v);

	*resumed = false;
	if (!given(in, "status") || !*status)
		return RC_OK;
	if (strcmp(status, "paused") == 0) {
		if (!schedule_is(s, "active"))
			return ctx_fail(cx, RC_CONFLICT, "Can only pause an active schedule");
		s->next_fire_at = 0;
	} else if (strcmp(status, "active") == 0) {
		if (!schedule_is(s, "paused"))
			return ctx_fail(cx, RC_CONFLICT, "Can only resume a paused schedule");
		*resumed = true;
	} else {
		return ctx_fail(cx, RC_INVALID, "Invalid status: %s", status);
	}
	s->status = arena_strdup(cx->arena, status);
	return RC_OK;
}

static enum rc change_text(struct ctx *cx, const json_t *in, const char *key, const char *why,
    const char **out)
{
	if (!json_object_get(in, key))
		return RC_OK;
	if (!filled(cx, in, key))
		return ctx_fail(cx, RC_INVALID, "%s cannot be empty", why);
	*out = filled(cx, in, key);
	return RC_OK;
}

/* A new interval, or the old one of a schedule that waits again. */
static enum rc change_times(struct ctx *cx, const json_t *in, struct schedule *s, bool resumed)
{
	int64_t before = s->next_fire_at;
	struct interval i;
	const char *why, *text = s->cron;
	enum rc rc = change_text(cx, in, "interval", "Interval", &text);
	bool changed = text != s->cron;

	if (rc != RC_OK || (!changed && !resumed))
		return rc;
	if (!interval_parse(cx->arena, text, cx->now, &i, &why))
		return ctx_fail(cx, RC_INVALID, "%s", why);
	if (changed)
		s->cron = i.cron;
	s->next_fire_at = schedule_is(s, "active") ? i.next : before;
	return RC_OK;
}

static enum rc change_agent(struct ctx *cx, const json_t *in, struct schedule *s)
{
	enum rc rc = RC_OK;

	if (json_object_get(in, "agentProfile"))
		rc = read_text(cx, in, "agentProfile", NULL, &s->profile);
	if (rc == RC_OK && json_object_get(in, "assignedAgent"))
		rc = read_text(cx, in, "assignedAgent", NULL, &s->agent);
	else
		return rc;
	if (rc == RC_OK && s->agent && !catalog_find(s->agent))
		s->agent = RUNTIME_DEFAULT;
	return rc;
}

/* What was spent of it is told in its unit; without one nothing was counted. */
static enum rc change_budget(struct ctx *cx, const json_t *in, struct schedule *s)
{
	bool had = s->has_budget;
	double before = s->budget;
	enum rc rc;

	if (!json_object_get(in, "heartbeatBudgetPerDay"))
		return RC_OK;
	rc = read_number(cx, in, "heartbeatBudgetPerDay", &s->has_budget, &s->budget);
	if (rc == RC_OK && had && s->has_budget)
		s->spent = heartbeat_convert(s->spent, before, s->budget);
	else if (rc == RC_OK)
		s->spent = 0;
	return rc;
}

static enum rc change_hours(struct ctx *cx, const json_t *in, struct heartbeat_hours *h)
{
	enum rc rc = RC_OK;

	if (json_object_get(in, "activeHoursStart"))
		rc = read_hour(cx, in, "activeHoursStart", "start", false, &h->start);
	if (rc == RC_OK && json_object_get(in, "activeHoursEnd"))
		rc = read_hour(cx, in, "activeHoursEnd", "end", false, &h->end);
	if (rc == RC_OK && json_object_get(in, "activeTimezone"))
		rc = read_text(cx, in, "activeTimezone", "UTC", &h->zone);
	return rc;
}

enum rc schedule_read_changes(struct ctx *cx, const json_t *in, struct schedule *s)
{
	bool resumed;
	enum rc rc = change_status(cx, in, s, &resumed);

	if (rc == RC_OK)
		rc = change_text(cx, in, "name", "Name", &s->name);
	if (rc == RC_OK)
		rc = change_text(cx, in, "prompt", "Prompt", &s->prompt);
	if (rc == RC_OK)
		rc = check_texts(cx, s);
	if (rc == RC_OK)
		rc = change_times(cx, in, s, resumed);
	if (rc == RC_OK)
		rc = change_agent(cx, in, s);
	if (rc == RC_OK && json_object_get(in, "heartbeatChecklist"))
		rc = read_list(cx, in, "heartbeatChecklist", &s->checklist);
	if (rc == RC_OK)
		rc = change_hours(cx, in, &s->hours);
	if (rc == RC_OK)
		rc = change_budget(cx, in, s);
	if (rc == RC_OK && json_object_get(in, "deliveryChannels"))
		rc = read_channels(cx, in, &s->channels);
	return rc;
}

enum rc schedule_preview(struct ctx *cx, const json_t *in, struct schedule_preview *out)
{
	const char *text = filled(cx, in, "expression"), *why;
	struct interval i;
	int64_t at;

	if (!text)
		return ctx_fail(cx, RC_INVALID, "Expression is required");
	if (!interval_parse(cx->arena, text, cx->now, &i, &why))
		return ctx_fail(cx, RC_INVALID,
		    "Could not parse \"%s\". Try expressions like \"every weekday at 9am\", "
		    "\"hourly\", \"5m\", or a cron expression.",
		    text_ellipsis(cx->arena, text, INTERVAL_MAX));
	*out = (struct schedule_preview){ i.cron, i.description, i.certain ? 1 : 0.9 };
	for (at = i.next; out->n < SCHEDULE_TIMES && at != CRON_NEVER; at = cron_next(&i.when, at))
		out->times[out->n++] = at;
	return RC_OK;
}
