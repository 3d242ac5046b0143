/* Server-sent events: any split of any bytes gives the same events. The first byte of the input
 * seeds the splits. */
#include "jobrunner/sse.h"
#include "tests/fuzz/fuzz.h"

static bool on_event(void *arg, const char *event, const char *data, size_t n)
{
	struct buf *seen = arg;

	buf_str(seen, event);
	buf_char(seen, '|');
	buf_add(seen, data, n);
	buf_char(seen, '\n');
	/* Refuses now and then, as an adapter would. */
	return n != 3;
}

static void run(struct buf *seen, const char *text, size_t n, uint32_t seed)
{
	struct sse s;
	size_t at = 0;

	buf_init(seen, 1 << 24);
	sse_init(&s, on_event, seen);
	while (at < n) {
		size_t piece = fuzz_piece(&seed, n - at, 7);

		if (!sse_feed(&s, text + at, piece))
			break;
		at += piece;
	}
	sse_fini(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, split;

	if (!size)
		return 0;
	run(&whole, (const char *)data + 1, size - 1, 0);
	run(&split, (const char *)data + 1, size - 1, data[0] + 1u);
	require(whole.len == split.len && strcmp(buf_text(&whole), buf_text(&split)) == 0);
	buf_fini(&whole);
	buf_fini(&split);
	return 0;
}
