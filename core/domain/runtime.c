/* The suggestion is a score: keywords that occur in the task's text, and points for what the user
 * prefers. Words count as substrings, each once. */
#include "core/domain/runtime.h"

#include "core/domain/provider.h"
#include "core/domain/settings.h"
#include "core/json_in.h"
#include "core/profile.h"
#include "core/setting.h"
#include "core/text.h"

#define KEYWORDS_MAX 12
#define POINTS_KEYWORD 3

enum preference { LATENCY, COST, QUALITY, PREFERENCES_N };
static const char *const PREFERENCES[PREFERENCES_N] = { "latency", "cost", "quality" };

/* In the order of the catalogue. */
static const struct {
	const char *keywords[KEYWORDS_MAX];
	int points[PREFERENCES_N];
} SCORES[RUNTIMES_N] = {
	{ { "edit", "file", "refactor", "debug", "commit", "deploy", "build", "compile", "test",
	      "lint" },
	    { 1, 1, 3 } },
	{ { "sandbox", "isolated" }, { 1, 1, 2 } },
	{ { "research", "search", "investigate", "explain", "summarize", "translate", "write",
	      "draft", "report", "document", "outline", "review" },
	    { 3, 3, 2 } },
	{ { "analyze", "compute", "chart", "data", "calculate", "statistics", "visualize", "image",
	      "visual", "design", "diagram" },
	    { 3, 3, 2 } },
	{ { "local", "private", "offline", "free" }, { 2, 5, 1 } },
};

unsigned runtime_configured(struct ctx *cx)
{
	struct runtime_state states[RUNTIMES_N];
	unsigned set = 0;

	runtime_states(cx, states);
	for (unsigned i = 0; i < RUNTIMES_N; i++)
		set |= (unsigned)states[i].configured << i;
	return set;
}

/* Lower case as far as keywords can tell: ASCII, and the two other characters whose simple case
 * folding is an ASCII letter (long s, Kelvin sign). */
static const char *fold(struct arena *a, const char *s)
{
	char *text = text_lower(a, s), *to = text;

	for (const char *from = text; *from;) {
		if (text_starts(from, "\xc5\xbf")) {
			*to++ = 's';
			from += 2;
		} else if (text_starts(from, "\xe2\x84\xaa")) {
			*to++ = 'k';
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return text;
}

struct scored {
	unsigned runtime; /* index in the catalogue */
	int signals, score;
};

static int count_signals(unsigned runtime, const char *text)
{
	int n = 0;

	for (size_t i = 0; i < KEYWORDS_MAX && SCORES[runtime].keywords[i]; i++)
		n += strstr(text, SCORES[runtime].keywords[i]) != NULL;
	return n;
}

/* Scores the runtimes of SET into OUT, best first; returns their number. */
static size_t rank(unsigned set, const char *text, enum preference p, struct scored out[RUNTIMES_N])
{
	size_t n = 0;

	for (unsigned i = 0; i < RUNTIMES_N; i++) {
		struct scored s = { .runtime = i };
		size_t at = n;

		if (!(set >> i & 1))
			continue;
		s.signals = count_signals(i, text);
		s.score = POINTS_KEYWORD * s.signals + SCORES[i].points[p];
		for (; at && out[at - 1].score < s.score; at--)
			out[at] = out[at - 1];
		out[at] = s;
		n++;
	}
	return n;
}

static void write_choice(struct jw *w, const char *runtime, const char *reason)
{
	jw_kstr(w, "runtimeId", runtime);
	jw_kstr(w, "reason", reason);
}

static const char *reason(struct arena *a, const struct scored *s, const char *preference)
{
	if (!s->signals)
		return arena_printf(a, "Optimizing for %s", preference);
	return arena_printf(a, "Best match for task content (%d keyword signals), optimizing for %s",
	    s->signals, preference);
}

enum rc runtime_check_task(struct ctx *cx, const json_t *in)
{
	const json_t *title = json_object_get(in, "title");
	static const char *const OPTIONAL[] = { "description", "profileId" };

	if (!title || json_is_null(title) ||
	    (json_is_string(title) && !json_string_length(title)))
		return ctx_fail(cx, RC_INVALID, "title is required");
	if (!json_is_string(title))
		return ctx_fail(cx, RC_INVALID, "title must be a string");
	for (size_t i = 0; i < COUNT(OPTIONAL); i++) {
		const json_t *v = json_object_get(in, OPTIONAL[i]);

		if (v && !json_is_null(v) && !json_is_string(v))
			return ctx_fail(cx, RC_INVALID, "%s must be a string", OPTIONAL[i]);
	}
	return RC_OK;
}

/* Puts the runtime PREFERRED first, where it is among the N. */
static bool put_first(struct scored *list, size_t n, const char *preferred)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(RUNTIME_CATALOG[list[i].runtime].id, preferred) == 0) {
			struct scored s = list[i];

			memmove(list + 1, list, i * sizeof *list);
			list[0] = s;
			return true;
		}
	return false;
}

static void write_suggestion(struct ctx *cx, struct jw *w, const struct profile *p,
    const char *text, enum preference preference)
{
	unsigned available = runtime_configured(cx), set = available & (p ? p->runtimes : ~0u);
	const char *word = PREFERENCES[preference], *why;
	struct scored list[RUNTIMES_N] = { 0 };
	size_t n;

	if (p && p->preferred && catalog_find(p->preferred))
		set |= available & 1u << (catalog_find(p->preferred) - RUNTIME_CATALOG);
	n = rank(set ? set : available, text, preference, list);
	why = p && p->preferred && put_first(list, n, p->preferred)
	    ? arena_printf(cx->arena, "%s profile prefers this runtime", p->name)
	    : reason(cx->arena, &list[0], word);
	write_choice(w, RUNTIME_CATALOG[list[0].runtime].id, why);
	jw_key(w, "alternatives");
	jw_arr(w);
	for (size_t i = 1; i < n; i++) {
		jw_obj(w);
		write_choice(w, RUNTIME_CATALOG[list[i].runtime].id,
		    reason(cx->arena, &list[i], word));
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

void runtime_suggest(struct ctx *cx, const json_t *in, struct jw *w)
{
	const char *wanted = settings_routing(cx);
	const char *id = json_str(in, "profileId"), *description = json_str(in, "description");
	enum preference preference = LATENCY;

	for (int i = 0; i < PREFERENCES_N; i++)
		if (strcmp(PREFERENCES[i], wanted) == 0)
			preference = (enum preference)i;
	jw_obj(w);
	if (strcmp(wanted, "manual") == 0) {
		write_choice(w, RUNTIME_CATALOG[0].id,
		    "Manual routing \xe2\x80\x94 using default runtime");
		jw_key(w, "alternatives");
		jw_arr(w);
		jw_end_arr(w);
	} else {
		write_suggestion(cx, w, id && *id ? profile_find(cx->conf, id) : NULL,
		    fold(cx->arena, arena_printf(cx->arena, "%s %s", json_str(in, "title"),
					description ? description : "")),
		    preference);
	}
	jw_end_obj(w);
}

const char *runtime_ollama_url(struct ctx *cx)
{
	const char *url = setting_get(cx, SETTING_OLLAMA_URL);
	size_t n;

	if (!url || !*url)
		url = cx->conf->ollama_url;
	for (n = strlen(url); n && url[n - 1] == '/';)
		n--;
	return arena_strndup(cx->arena, url, n);
}

enum rc runtime_check_pull(struct ctx *cx, const json_t *in, const char **model)
{
	const json_t *action = json_object_get(in, "action");
	const char *word = json_string_value(action), *name = json_str(in, "model");

	if (!word || strcmp(word, "pull") != 0) {
		if (!word)
			word = action ? json_text(cx->arena, action) : "undefined";
		return ctx_fail(cx, RC_INVALID, "Unknown action: %s",
		    text_cut(cx->arena, word, OLLAMA_NAME_MAX / 3));
	}
	if (!name || !*name)
		return ctx_fail(cx, RC_INVALID, "model is required");
	if (strlen(name) > OLLAMA_NAME_MAX)
		return ctx_fail(cx, RC_INVALID, "model is not a valid name");
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
			return ctx_fail(cx, RC_INVALID, "model is not a valid name");
	*model = name;
	return RC_OK;
}
