/* Recall: a memory scores for its confidence, for being used lately, for a tag that occurs in the
 * task's text and for words that it shares with it. */
#include "jobrunner/recall.h"

#include <math.h>

#include "core/collate.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/words.h"

#define WORDS_ENOUGH 5

/* What memories are compared with, in lower case: the task's text, and its words in order. */
struct subject {
	const char *text;
	struct word *words;
	size_t n;
};

static struct subject subject_of(struct arena *a, const char *text)
{
	size_t max = strlen(text) / 2 + 1;
	struct subject s = { .text = collate_lower(a, text),
		.words = arena_array(a, struct word, max) };

	s.n = word_set(s.text, s.words, max);
	return s;
}

static bool any_tag_in(struct arena *a, const char *tags, const char *text)
{
	const json_t *list = json_read_text(a, tags);
	size_t i;
	json_t *tag;

	json_array_foreach(list, i, tag)
		if (json_string_length(tag) &&
		    strstr(text, collate_lower(a, json_string_value(tag))))
			return true;
	return false;
}

static double score(struct ctx *cx, struct arena *scratch, const struct subject *s, struct q *q)
{
	double days = (double)(cx->now - db_int(q, 5)) / 86400;
	const char *p = collate_lower(scratch, db_text(q, 2));
	struct word w;
	int n = 0;

	while (n < WORDS_ENOUGH && word_next(&p, &w))
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
