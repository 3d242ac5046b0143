/* Heartbeats: words, hours and money. */
#include "core/domain/heartbeat.h"

#include <math.h>

#include "core/buf.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"
#include "core/zone.h"

#define PROMPT_MAX ((size_t)256 << 10)
#define SUMMARY_UNITS 2000
#define SUMMARIES_MAX ((size_t)64 << 10)
#define SMALL_BUDGET 10000
#define MICROS 1e6
#define FENCE "```"

static const char HEAD[] =
    "This is a heartbeat check of \"%s\". Look at each item of the checklist and find out whether "
    "something has to be done about it now.\n\nChecklist:\n";
static const char TAIL[] =
    "\nGive each item one of these statuses:\n"
    "- action_needed: something has to be done or decided; say what in the summary\n"
    "- ok: you have looked, and nothing has to be done\n"
    "- skipped: it could not be looked at, or does not apply now; say why in the summary\n\n"
    "Answer with nothing but one JSON object of this form:\n"
    "{\"action_needed\": <true or false>, \"items\": [{\"id\": \"<id of the item>\", \"status\": "
    "\"<action_needed, ok or skipped>\", \"summary\": \"<one or two sentences>\"}]}\n"
    "action_needed is true if at least one item has that status, else false.\n";

/* A text or a number, as text; NULL for anything else and for an empty text. */
static const char *word_of(struct arena *a, const json_t *v)
{
	if (json_is_number(v))
		return json_text(a, v);
	return json_string_length(v) ? json_string_value(v) : NULL;
}

static const char *priority_of(const json_t *item)
{
	const char *p = json_str(item, "priority");

	if (p && strcmp(p, "high") == 0)
		return "HIGH";
	return p && strcmp(p, "low") == 0 ? "LOW" : "MEDIUM";
}

static size_t add_items(struct arena *a, struct buf *b, const json_t *list)
{
	size_t n = 0, i;
	json_t *item;

	json_array_foreach(list, i, item) {
		const char *id = word_of(a, json_object_get(item, "id"));
		const char *text = word_of(a, json_object_get(item, "instruction"));

		if (id && text)
			buf_printf(b, "%zu. [%s] (id: \"%s\") %s\n", ++n, priority_of(item), id, text);
	}
	return n;
}

const char *heartbeat_prompt(struct arena *a, const char *name, const char *checklist)
{
	const char *text = NULL;
	struct buf b;

	buf_init(&b, PROMPT_MAX);
	buf_printf(&b, HEAD, name);
	if (add_items(a, &b, json_read_text(a, checklist))) {
		buf_str(&b, TAIL);
		text = b.failed ? NULL : arena_strdup(a, buf_text(&b));
	}
	buf_fini(&b);
	return text;
}

static bool is_answer(const json_t *v)
{
	return json_is_boolean(json_object_get(v, "action_needed")) &&
	       json_is_array(json_object_get(v, "items"));
}

/* What stands in the first fenced block of code; NULL where there is none. */
static const char *fenced(struct arena *a, const char *s)
{
	const char *end;

	s = strstr(s, FENCE);
	if (!s)
		return NULL;
	s += strlen(FENCE);
	s += strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-");
	end = strstr(s, FENCE);
	return end ? arena_strndup(a, s, (size_t)(end - s)) : NULL;
}

static const json_t *find_answer(struct arena *a, const char *result)
{
	const json_t *v = json_read_text(a, result);

	if (!is_answer(v))
		v = json_read_text(a, fenced(a, result));
	if (!is_answer(v))
		v = json_read_part(a, result, '{', '}');
	return is_answer(v) ? v : NULL;
}

static const char *summaries_of(struct arena *a, const json_t *items)
{
	const char *text;
	struct buf b;
	size_t i;
	json_t *item;

	buf_init(&b, SUMMARIES_MAX);
	json_array_foreach(items, i, item) {
		const char *status = json_str(item, "status"), *summary = json_str(item, "summary");

		if (!status || strcmp(status, "action_needed") != 0 || !summary || !*summary)
			continue;
		summary = text_cut(a, summary, SUMMARY_UNITS);
		if (b.len + strlen(summary) + 2 >= SUMMARIES_MAX)
			break;
		buf_printf(&b, "%s%s", b.len ? "; " : "", summary);
	}
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

struct heartbeat_answer heartbeat_read(struct arena *a, const char *result)
{
	const json_t *v = result ? find_answer(a, result) : NULL;

	if (!v)
		return (struct heartbeat_answer){ .action = true, .summaries = "" };
	return (struct heartbeat_answer){ true, json_is_true(json_object_get(v, "action_needed")),
		summaries_of(a, json_object_get(v, "items")) };
}

const char *heartbeat_report(struct arena *a, const struct heartbeat_answer *r, int64_t n)
{
	if (!r->action)
		return arena_printf(a, "All is well, nothing had to be done (suppression #%lld)",
		    (long long)n);
	if (!r->readable)
		return "Heartbeat action needed: the agent's answer could not be read";
	return arena_printf(a, "Heartbeat action needed: %s",
	    *r->summaries ? r->summaries : "the agent did not say what");
}

int64_t heartbeat_opens(const struct heartbeat_hours *h, int64_t t)
{
	const char *zone = h->zone && *h->zone ? h->zone : "UTC";
	int hour;
	bool open;

	if (h->start < 0 || h->end < 0 || h->start > 23 || !zone_known(zone))
		return 0;
	hour = zone_hour(zone, t);
	open = h->start <= h->end ? hour >= h->start && hour < h->end
				  : hour >= h->start || hour < h->end;
	return open ? 0 : zone_next_hour(zone, t, (int)h->start);
}

static double unit(double budget)
{
	return budget < SMALL_BUDGET ? MICROS : 1;
}

double heartbeat_cost(double budget, double micros)
{
	return micros / unit(budget);
}

double heartbeat_convert(double spent, double before, double after)
{
	return round(spent * unit(before)) / unit(after);
}
