/* Learning from a run's result: its lines are looked at one by one, and those that read like a
 * statement and are new become memories of the profile.
 *
 * No model is asked, so a job that was interrupted is done again; what it writes is one
 * transaction. */
#include "jobrunner/remember.h"

#include "core/clock.h"
#include "core/domain/memory.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/runner.h"
#include "jobrunner/words.h"

#define RESULT_MAX ((size_t)1 << 20)
#define LINE_UNITS_MIN 20
#define LINE_UNITS_MAX 500
#define LINE_BYTES (LINE_UNITS_MAX * 3)
#define COMPARED_MAX 500
#define TAGS_MAX 5

/* Words of the shortest kind in the longest line, and in a memory as far as it is read; and the
 * largest set that a line can share more than 80 % of. */
#define LINE_WORDS (LINE_UNITS_MAX / 2)
#define TEXT_WORDS 1000
#define SET_MAX 313

#define KNOWN_MAX 5000
#define KNOWN_BYTES ((size_t)4 << 20)
#define ARENA_MAX ((size_t)64 << 20)

static const char *const BEGINNINGS[] = { "the ", "this project ", "this repo ", "users ",
	"the system ", "the api ", "the database ", "the app ", "currently " };

/* The first that has a keyword counts; the last one has none. */
static const struct kind {
	const char *category;
	int64_t confidence;
	const char *keywords[11];
} KINDS[] = {
	{ "pattern", 500, { "when", "if", "whenever", "each time", "tends to", "usually",
			      "typically", "pattern", "consistently" } },
	{ "preference", 600, { "prefer", "should", "recommend", "best practice", "always", "never",
				 "avoid", "instead", "better to" } },
	{ "outcome", 600, { "succeeded", "failed", "error", "success", "completed", "result",
			      "resolved", "fixed", "broke", "caused" } },
	{ "fact", 700, { NULL } },
};
#define FACT (&KINDS[COUNT(KINDS) - 1])

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Letters of other alphabets count as well. */
static bool is_word_char(char c)
{
	return is_upper(c) || is_lower(c) || is_digit(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Whether KEYWORD stands in LINE as a word or words of its own. */
static bool has_keyword(const char *line, const char *keyword)
{
	size_t n = strlen(keyword);

	for (const char *p = line; (p = strstr(p, keyword)); p++)
		if ((p == line || !is_word_char(p[-1])) && !is_word_char(p[n]))
			return true;
	return false;
}

static const struct kind *kind_of(const char *lower)
{
	for (const struct kind *k = KINDS; k < FACT; k++)
		for (size_t i = 0; i < COUNT(k->keywords) && k->keywords[i]; i++)
			if (has_keyword(lower, k->keywords[i]))
				return k;
	return FACT;
}

static bool begins_like_a_fact(const char *lower)
{
	for (size_t i = 0; i < COUNT(BEGINNINGS); i++)
		if (text_starts(lower, BEGINNINGS[i]))
			return true;
	return false;
}

/* What kind of statement LINE is, LOWER being the same in lower case; NULL: none. A path has no
 * blanks, and what has none says nothing. */
static const struct kind *judge(const char *line, const char *lower)
{
	size_t units = text_units(line);
	const struct kind *k;

	if (units < LINE_UNITS_MIN || units > LINE_UNITS_MAX || text_starts(line, "```") ||
	    text_starts(line, "http") || !strpbrk(line, " \t"))
		return NULL;
	k = kind_of(lower);
	return k != FACT || begins_like_a_fact(lower) ? k : NULL;
}

/* The next line of *S, which moves behind it, without its marks and blanks; "" where it is too long
 * for a statement. False at END. */
static bool next_line(const char **s, const char *end, char out[LINE_BYTES + 1])
{
	const char *from = *s, *to;
	size_t n;

	if (from >= end)
		return false;
	to = memchr(from, '\n', (size_t)(end - from));
	if (!to)
		to = end;
	*s = to + 1;
	while (from < to && strchr("-*># \t\r\v\f", *from))
		from++;
	while (to > from && strchr(" \t\r\v\f", to[-1]))
		to--;
	n = (size_t)(to - from);
	if (n > LINE_BYTES)
		n = 0;
	memcpy(out, from, n);
	out[n] = '\0';
	return true;
}

/* A text as it is compared: in lower case, and its different words in order. None where there are
 * more than a line could share. */
struct compared {
	const char *text;
	size_t len;
	const struct word *words;
	size_t n_words;
};

static struct compared compare_with(struct arena *a, const char *text)
{
	struct word all[TEXT_WORDS], *kept;
	struct compared c = { .text = text_lower(a, text), .len = strlen(text) };
	size_t n = word_set(c.text, all, COUNT(all));

	if (n > SET_MAX)
		return c;
	kept = arena_array(a, struct word, n);
	memcpy(kept, all, n * sizeof *kept);
	c.words = kept;
	c.n_words = n;
	return c;
}

static size_t shared_words(const struct compared *a, const struct compared *b)
{
	size_t i = 0, j = 0, shared = 0;

	while (i < a->n_words && j < b->n_words) {
		int c = word_compare(&a->words[i], &b->words[j]);

		shared += c == 0;
		i += c <= 0;
		j += c >= 0;
	}
	return shared;
}

/* Whether one contains the other, or they share more than 80 % of the larger one's words. */
static bool says_the_same(const struct compared *a, const struct compared *b)
{
	size_t less = a->n_words < b->n_words ? a->n_words : b->n_words;
	size_t more = a->n_words + b->n_words - less;

	if (a->len < b->len ? strstr(b->text, a->text) : strstr(a->text, b->text))
		return true;
	return less * 5 > more * 4 && shared_words(a, b) * 5 > more * 4;
}

/* Two or more parts of one capital and lower-case letters. */
static bool is_camel(const char *s, size_t n)
{
	size_t parts = 0;

	for (size_t i = 0; i < n; parts++) {
		size_t from = i;

		if (!is_upper(s[i++]))
			return false;
		while (i < n && is_lower(s[i]))
			i++;
		if (i == from + 1)
			return false;
	}
	return parts > 1;
}

static bool is_capitals(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_upper(s[i]))
			return false;
	return n > 1;
}

/* Parts in lower case, digits among them, joined with dashes. */
static bool is_dashed(const char *s, size_t n)
{
	bool dash = false;

	if (!n || !is_lower(s[0]) || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_lower(s[i]) && !is_digit(s[i]) && (s[i] != '-' || s[i - 1] == '-'))
			return false;
		dash = dash || s[i] == '-';
	}
	return dash;
}

static void add_tag(json_t *tags, const char *s, size_t n)
{
	size_t i;
	json_t *tag;

	json_array_foreach(tags, i, tag)
		if (json_string_length(tag) == n && memcmp(json_string_value(tag), s, n) == 0)
			return;
	if (i < TAGS_MAX)
		json_array_append_new(tags, json_stringn(s, n));
}

/* The tags of one word: the whole of it, or those of its parts. */
static void add_tags(json_t *tags, const char *s, size_t n)
{
	if (is_dashed(s, n)) {
		add_tag(tags, s, n);
		return;
	}
	for (const char *end = s + n, *part; s < end; s++) {
		for (part = s; s < end && *s != '-';)
			s++;
		n = (size_t)(s - part);
		if (is_camel(part, n) || is_capitals(part, n))
			add_tag(tags, part, n);
	}
}

static const char *tags_of(struct arena *a, const char *line)
{
	json_t *tags = json_keep(a, json_array());

	while (*line) {
		const char *from, *to;

		for (from = line; *line && (is_word_char(*line) || *line == '-');)
			line++;
		for (to = line; from < to && *from == '-';)
			from++;
		while (to > from && to[-1] == '-')
			to--;
		add_tags(tags, from, (size_t)(to - from));
		if (*line)
			line++;
	}
	return json_array_size(tags) ? json_text(a, tags) : NULL;
}

static bool is_known(const struct compared *c, const struct compared *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (says_the_same(c, &list[i]))
			return true;
	return false;
}

static void lower_line(char *out, const char *line)
{
	do
		*out++ = is_upper(*line) ? (char)(*line - 'A' + 'a') : *line;
	while (*line++);
}

size_t remember_statements(struct arena *a, const char *result, const char *const *known,
    size_t n_known, struct statement out[REMEMBER_MAX])
{
	struct compared *list = arena_array(a, struct compared, n_known + REMEMBER_MAX);
	const char *end = result + strnlen(result, RESULT_MAX);
	char line[LINE_BYTES + 1], lower[LINE_BYTES + 1];
	size_t n = 0, n_list = 0, looked_at = 0;

	for (size_t i = 0; i < n_known; i++)
		if (!text_is_blank(known[i]))
			list[n_list++] = compare_with(a, known[i]);
	while (n < REMEMBER_MAX && looked_at < COMPARED_MAX && next_line(&result, end, line)) {
		struct word words[LINE_WORDS];
		struct compared c = { .text = lower, .words = words };
		const struct kind *k;

		lower_line(lower, line);
		if (!(k = judge(line, lower)))
			continue;
		looked_at++;
		c.len = strlen(lower);
		c.n_words = word_set(lower, words, COUNT(words));
		if (is_known(&c, list, n_list))
			continue;
		list[n_list++] = compare_with(a, line);
		out[n++] = (struct statement){ arena_strdup(a, line), k->category, tags_of(a, line),
			k->confidence };
	}
	return n;
}

/* The profile's active memories, the newest first, as many as there is room for. */
static size_t read_known(struct ctx *cx, struct arena *a, const char *profile, const char **out)
{
	struct q *q = db_query(cx->db, Q_MEMORY_KNOWN, "t", profile);
	size_t n = 0, bytes = 0;

	while (n < KNOWN_MAX && bytes < KNOWN_BYTES && db_next(q)) {
		out[n++] = db_text_dup(q, 0, a);
		bytes += db_text_len(q, 0);
	}
	db_done(q);
	return n;
}

static size_t learn(struct ctx *cx, struct arena *a, const struct task *t, const char *profile,
    struct statement out[REMEMBER_MAX])
{
	const char **known = arena_array(a, const char *, KNOWN_MAX);
	size_t n = read_known(cx, a, profile, known);

	return remember_statements(a, t->result, known, n, out);
}

/* Stores the statements with the end of the job; none where the task was deleted meanwhile. */
static int store(struct job *j, const char *profile, const struct statement *list, size_t n)
{
	struct ctx *cx = j->cx;
	enum rc rc;

	if (tx_begin(cx) != RC_OK)
		return 1;
	cx->now = now_s();
	if (!db_get_int(cx->db, 0, Q_TASK_EXISTS, "t", j->subject))
		n = 0;
	for (size_t i = 0; i < n; i++)
		memory_add(cx, &(struct memory_new){ .profile = profile,
				   .category = list[i].category, .content = list[i].content,
				   .task = j->subject, .tags = list[i].tags,
				   .confidence = list[i].confidence });
	if (n)
		audit(cx, "memory.learn", "profile", profile, j->subject);
	rc = job_finish(j, 200, NULL, NULL);
	return tx_end(cx, rc) == RC_OK || rc == RC_FENCED ? EXIT_DONE : 1;
}

int remember_result(struct job *j)
{
	struct ctx *cx = j->cx;
	const char *profile = json_str(json_read_text(cx->arena, j->payload), "profile");
	struct arena *a = arena_new(ARENA_MAX);
	struct statement list[REMEMBER_MAX];
	struct task t;
	size_t n = 0;
	int code;

	if (!profile || task_load(cx, j->subject, "gone", &t) != RC_OK)
		err_clear(&cx->err);
	else if (strcmp(t.status, "completed") == 0 && t.result)
		n = learn(cx, a, &t, profile, list);
	code = store(j, profile, list, n);
	arena_free(a);
	return code;
}
