/* Arena allocation: a chain of blocks, each twice as large as the one before, up to 1 MiB. */
#include "core/arena.h"

#include <stdio.h>

#define BLOCK_FIRST ((size_t)16 << 10)
#define BLOCK_MAX ((size_t)1 << 20)
#define ALIGN 16u
#define EXIT_NOMEM 83

struct block {
	struct block *prev;
	size_t size, used;
	_Alignas(ALIGN) char data[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct block *block;
	struct cleanup *cleanups;
	size_t total, max;
};

static struct block *block_new(struct block *prev, size_t size)
{
	struct block *b = malloc(sizeof *b + size);

	if (!b) {
		fputs("out of memory\n", stderr);
		exit(EXIT_NOMEM);
	}
	b->prev = prev;
	b->size = size;
	b->used = 0;
	return b;
}

struct arena *arena_new(size_t max)
{
	struct block *b = block_new(NULL, BLOCK_FIRST);
	struct arena *a = (struct arena *)(void *)b->data;

	b->used = (sizeof *a + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	*a = (struct arena){ .block = b, .max = max };
	return a;
}

static void run_cleanups(struct arena *a)
{
	struct cleanup *c;

	while ((c = a->cleanups)) {
		a->cleanups = c->next;
		c->fn(c->arg);
	}
}

/* Frees every block but the first, which holds the arena itself. */
static void drop_blocks(struct arena *a)
{
	while (a->block->prev) {
		struct block *b = a->block;

		a->block = b->prev;
		free(b);
	}
}

void arena_reset(struct arena *a)
{
	run_cleanups(a);
	drop_blocks(a);
	a->block->used = (sizeof *a + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	a->total = 0;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	run_cleanups(a);
	drop_blocks(a);
	free(a->block);
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->block;
	void *p;

	if (n > SIZE_MAX / 4 || a->total + n > 4 * a->max) {
		fprintf(stderr, "arena limit of %zu bytes far exceeded\n", a->max);
		exit(EXIT_NOMEM);
	}
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (b->size - b->used < n) {
		size_t size = b->size * 2 > BLOCK_MAX ? BLOCK_MAX : b->size * 2;

		b = a->block = block_new(b, size < n ? n : size);
	}
	p = b->data + b->used;
	b->used += n;
	a->total += n;
	return memset(p, 0, n);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	int n;
	char *p;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		return arena_strdup(a, "");
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg)
{
	struct cleanup *c = arena_new_of(a, struct cleanup);

	*c = (struct cleanup){ a->cleanups, fn, arg };
	a->cleanups = c;
}

static void free_scratch(void *scratch)
{
	arena_free(scratch);
}

struct arena *arena_scratch(struct arena *a, size_t max)
{
	struct arena *scratch = arena_new(max);

	arena_cleanup(a, free_scratch, scratch);
	return scratch;
}

bool arena_exhausted(const struct arena *a)
{
	return a->total > a->max;
}
