/* Recall: a memory scores for its confidence, for being used lately, for a tag that occurs in the
 * task's text and for words that it shares with it. */
#include "jobrunner/recall.h"

#include <math.h>
#include <strings.h>

#include "core/json_in.h"
#include "core/text.h"

#define BLANKS " \t\r\n\v\f"
#define WORDS_ENOUGH 5

/* A word, in place. */
struct word {
	const char *s;
	size_t n;
};

/* What memories are compared with: the task's text, and its words in order. */
struct subject {
	const char *text;
	struct word *words;
	size_t n;
};

/* The next word at *S, which moves behind it; false at the end. */
static bool next_word(const char **s, struct word *out)
{
	*s += strspn(*s, BLANKS);
	out->s = *s;
	out->n = strcspn(*s, BLANKS);
	*s += out->n;
	return out->n > 0;
}

static int word_compare(const void *pa, const void *pb)
{
	const struct word *a = pa, *b = pb;
	int c = strncasecmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

static struct subject subject_of(struct arena *a, const char *text)
{
	struct subject s = { .text = text,
		.words = arena_array(a, struct word, strlen(text) / 2 + 1) };
	struct word w;

	while (next_word(&text, &w))
		s.words[s.n++] = w;
	qsort(s.words, s.n, sizeof *s.words, word_compare);
	return s;
}

static bool any_tag_in(struct arena *a, const char *tags, const char *text)
{
	const json_t *list = json_read_text(a, tags);
	size_t i;
	json_t *tag;

	json_array_foreach(list, i, tag)
		if (json_string_length(tag) && strcasestr(text, json_string_value(tag)))
			return true;
	return false;
}

static double score(struct ctx *cx, struct arena *scratch, const struct subject *s, struct q *q)
{
	double days = (double)(cx->now - db_int(q, 5)) / 86400;
	const char *p = db_text(q, 2);
	struct word w;
	int n = 0;

	while (n < WORDS_ENOUGH && next_word(&p, &w))
		if (bsearch(&w, s->words, s->n, sizeof w, word_compare))
			n++;
	return 0.3 * (double)db_int(q, 3) / 1000 + 0.2 * exp(-0.05 * (days > 0 ? days : 0)) +
	       (any_tag_in(scratch, db_text(q, 4), s->text) ? 0.25 : 0) +
	       0.25 * n / WORDS_ENOUGH;
}

size_t recall_best(struct ctx *cx, const char *profile, const char *text,
    struct memory out[RECALL_MAX])
{
	struct arena *a = cx->arena, *scratch = arena_new(ARENA_REQUEST_MAX);
	struct subject s = subject_of(a, text);
	struct q *q = db_query(cx->db, Q_PROMPT_MEMORIES, "t", profile);
	size_t n = 0;

	while (db_next(q)) {
		struct memory m = { .score = score(cx, scratch, &s, q) };
		size_t at = n;

		arena_reset(scratch);
		while (at && out[at - 1].score < m.score)
			at--;
		if (at == RECALL_MAX)
			continue;
		m.id = arena_strdup(a, db_text(q, 0));
		m.category = arena_strdup(a, db_text(q, 1));
		m.content = arena_strndup(
		    a, db_text(q, 2), text_prefix(db_text(q, 2), RECALL_UNITS));
		m.confidence = db_int(q, 3);
		if (n < RECALL_MAX)
			n++;
		memmove(out + at + 1, out + at, (n - at - 1) * sizeof *out);
		out[at] = m;
	}
	arena_free(scratch);
	return n;
}

void recall_note(struct ctx *cx, const struct memory *m)
{
	db_run(cx->db, Q_PROMPT_MEMORY_RECALLED, "ti", m->id, cx->now);
}
