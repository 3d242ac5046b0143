/* Small tools of the hub: linked lists, interned words, and a heap of timers. */
#include "fcgi/hub_int.h"

#include <stdio.h>

#define EXIT_NOMEM 83
#define SLOTS_FIRST 64u

void *must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(EXIT_NOMEM);
	}
	return p;
}

void link_drop(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	link_init(l);
}

void link_append(struct link *head, struct link *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/* FNV-1a. */
uint64_t hash_bytes(const char *p, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 1099511628211u;
	return h;
}

static uint32_t hash_text(const char *text)
{
	uint64_t h = hash_bytes(text, strlen(text));

	return (uint32_t)(h ^ h >> 32);
}

static void grow(struct words *w)
{
	size_t size = w->size ? 2 * w->size : SLOTS_FIRST;
	struct word **slots = must(calloc(size, sizeof(struct word *)));

	for (size_t i = 0; i < w->size; i++)
		for (struct word *x = w->slots[i], *next; x; x = next) {
			struct word **slot = &slots[x->hash & (size - 1)];

			next = x->next;
			x->next = *slot;
			*slot = x;
		}
	free(w->slots);
	w->slots = slots;
	w->size = size;
}

struct word *word_find(const struct words *w, const char *text)
{
	uint32_t hash;

	if (!w->n || !text)
		return NULL;
	hash = hash_text(text);
	for (struct word *x = w->slots[hash & (w->size - 1)]; x; x = x->next)
		if (x->hash == hash && strcmp(x->text, text) == 0)
			return x;
	return NULL;
}

struct word *word_get(struct words *w, const char *text)
{
	struct word *x = word_find(w, text), **slot;
	size_t n = strlen(text);

	if (!x) {
		if (w->n >= w->size)
			grow(w);
		x = must(calloc(1, sizeof *x + n + 1));
		memcpy(x->text, text, n);
		x->hash = hash_text(text);
		link_init(&x->live);
		slot = &w->slots[x->hash & (w->size - 1)];
		x->next = *slot;
		*slot = x;
		w->n++;
	}
	x->refs++;
	return x;
}

void word_put(struct words *w, struct word *word)
{
	struct word **slot;

	if (!word || --word->refs)
		return;
	for (slot = &w->slots[word->hash & (w->size - 1)]; *slot != word;)
		slot = &(*slot)->next;
	*slot = word->next;
	free(word);
	if (!--w->n) {
		free(w->slots);
		*w = (struct words){ 0 };
	}
}

static void place(struct hub *h, size_t i, struct timer t)
{
	h->timers[i] = t;
	t.s->timer = (uint32_t)i + 1;
}

/* Moves T, which belongs at I or above. */
static void sift_up(struct hub *h, size_t i, struct timer t)
{
	while (i && h->timers[(i - 1) / 2].due > t.due) {
		place(h, i, h->timers[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(h, i, t);
}

/* Moves T, which belongs at I or below. */
static void sift_down(struct hub *h, size_t i, struct timer t)
{
	for (size_t kid; (kid = 2 * i + 1) < h->n_timers; i = kid) {
		if (kid + 1 < h->n_timers && h->timers[kid + 1].due < h->timers[kid].due)
			kid++;
		if (h->timers[kid].due >= t.due)
			break;
		place(h, i, h->timers[kid]);
	}
	place(h, i, t);
}

void timer_set(struct hub *h, struct stream *s, int64_t due)
{
	struct timer t = { due, s };

	if (s->timer) {
		size_t i = s->timer - 1;

		if (due < h->timers[i].due)
			sift_up(h, i, t);
		else
			sift_down(h, i, t);
		return;
	}
	if (h->n_timers == h->cap_timers) {
		h->cap_timers = h->cap_timers ? h->cap_timers * 3 / 2 : 64;
		h->timers = must(realloc(h->timers, h->cap_timers * sizeof *h->timers));
	}
	sift_up(h, h->n_timers++, t);
}

void timer_drop(struct hub *h, struct stream *s)
{
	size_t i = s->timer;
	struct timer last;

	if (!i--)
		return;
	s->timer = 0;
	last = h->timers[--h->n_timers];
	if (i == h->n_timers)
		return;
	if (i && h->timers[(i - 1) / 2].due > last.due)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

struct stream *timer_next(struct hub *h)
{
	struct stream *s;

	if (!h->n_timers || h->timers[0].due > h->now)
		return NULL;
	s = h->timers[0].s;
	timer_drop(h, s);
	return s;
}
