/* Bytes as lines. The first byte is the longest line, the second how the rest is cut into pieces: the
 * lines are the same as those of the whole, looked at once. */
#include "jobrunner/framing.h"
#include "tests/fuzz/fuzz.h"

#define LINE_MAX 64u

/* The next line by the rules, without pieces: FRAME_NONE at the end. */
static enum frame whole_next(const char **at, const char *end, size_t max, const char **line,
    size_t *n)
{
	while (*at < end) {
		const char *stop = memchr(*at, '\n', (size_t)(end - *at));

		*line = *at;
		*n = (size_t)((stop ? stop : end) - *at);
		*at = stop ? stop + 1 : end;
		if (*n > max)
			return FRAME_LONG;
		if (*n && (*line)[*n - 1] == '\r')
			--*n;
		if (*n)
			return FRAME_LINE;
	}
	return FRAME_NONE;
}

/* Takes what there is, and compares. */
static void take(struct framing *f, const char **at, const char *end)
{
	const char *line, *want;
	size_t n, n_want;
	enum frame fr;

	while ((fr = framing_next(f, &line, &n)) != FRAME_NONE) {
		require(whole_next(at, end, f->max, &want, &n_want) == fr);
		require(fr == FRAME_LINE ? n == n_want : n <= n_want);
		require(memcmp(line, want, n) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *from = (const char *)data + 2, *end = (const char *)data + size, *at = from;
	struct framing f;
	uint32_t cut;
	const char *line;
	size_t n;

	if (size < 2)
		return 0;
	framing_init(&f, data[0] % LINE_MAX + 1);
	cut = data[1] + 1u;
	while (from < end) {
		char *room = framing_room(&f);

		require(room != NULL);
		n = fuzz_piece(&cut, (size_t)(end - from), data[1] + 1u);
		n = n < FRAMING_READ ? n : FRAMING_READ;
		memcpy(room, from, n);
		framing_add(&f, n);
		from += n;
		take(&f, &at, end);
	}
	f.ended = true;
	take(&f, &at, end);
	require(whole_next(&at, end, f.max, &line, &n) == FRAME_NONE);
	framing_fini(&f);
	return 0;
}
