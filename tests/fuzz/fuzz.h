/* What the fuzz targets share. A target says in its head what must hold of any input; require()
 * is how it says so in code. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define FUZZ_ARENA_MAX ((size_t)256 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool ok)
{
	if (!ok)
		abort();
}

/* The length of the next piece of LEFT bytes: from 1 to MAX as *SEED has it; without a seed all. */
static inline size_t fuzz_piece(uint32_t *seed, size_t left, size_t max)
{
	size_t piece;

	if (!*seed)
		return left;
	*seed = *seed * 1103515245u + 12345u;
	piece = 1 + (*seed >> 16) % max;
	return piece < left ? piece : left;
}

/* Feeds an answer to an adapter in the pieces that SEED makes. With a seed a first try breaks off
 * anywhere and leaves nothing behind. False once FEED has refused. */
static inline bool fuzz_feed(bool (*feed)(void *, const char *, size_t), void (*restart)(void *),
    void *answer, const char *text, size_t n, uint32_t seed)
{
	bool ok = true;

	if (seed) {
		feed(answer, text, seed % (n + 1));
		restart(answer);
	}
	for (size_t at = 0, piece; ok && at < n; at += piece) {
		piece = fuzz_piece(&seed, n - at, 60);
		ok = feed(answer, text + at, piece);
	}
	return ok;
}

/* The next line of *TEXT (all up to N, its end) as a text of its own; cut at a zero byte. */
static inline char *fuzz_line(struct arena *a, const char **text, const char *end)
{
	const char *from = *text, *lf = from < end ? memchr(from, '\n', (size_t)(end - from)) : NULL;
	size_t n = (size_t)((lf ? lf : end) - from);
	char *line = arena_alloc(a, n + 1);

	memcpy(line, from, n);
	line[n] = '\0';
	*text = lf ? lf + 1 : end;
	return line;
}

#endif
