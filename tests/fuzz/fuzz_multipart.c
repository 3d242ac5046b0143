/* Multipart bodies: they are the same in whatever pieces they come, what is complete is made of parts
 * that stand in the body, and nothing is longer than that. */
#include "core/buf.h"
#include "fcgi/multipart.h"
#include "tests/fuzz/fuzz.h"

#define TYPE "multipart/form-data; boundary=xx"

struct seen {
	struct buf text;
	size_t parts, data;
};

static bool on_part(void *arg, const struct multipart_part *p)
{
	struct seen *s = arg;

	require(p->name && p->type && *p->type && text_is_utf8(p->name, strlen(p->name)));
	require(!p->filename || text_is_utf8(p->filename, strlen(p->filename)));
	buf_printf(&s->text, "[%s|%s|%s]", p->name, p->filename ? p->filename : "", p->type);
	s->parts++;
	return true;
}

static bool on_data(void *arg, const char *data, size_t n)
{
	struct seen *s = arg;

	require(s->parts && n);
	buf_add(&s->text, data, n);
	s->data += n;
	return true;
}

/* Whether the body is a form; what it holds in S. */
static bool parse(struct arena *a, const char *data, size_t n, uint32_t seed, struct seen *s)
{
	static const struct multipart_handler HANDLER = { on_part, on_data };
	struct multipart *m = multipart_new(a, TYPE, &HANDLER, s);
	bool ok = true;

	for (size_t at = 0, piece; ok && at < n; at += piece) {
		piece = fuzz_piece(&seed, n - at, 40);
		ok = multipart_feed(m, data + at, piece);
	}
	return multipart_complete(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	struct seen whole = { .parts = 0 }, pieces = { .parts = 0 };
	uint32_t seed = size ? data[0] | 1u : 1;
	bool ok;

	buf_init(&whole.text, 4 * size + 65536);
	buf_init(&pieces.text, 4 * size + 65536);
	ok = parse(a, (const char *)data, size, 0, &whole);
	require(ok == parse(a, (const char *)data, size, seed, &pieces));
	require(whole.data <= size && whole.parts <= size);
	if (ok) {
		require(whole.text.len == pieces.text.len);
		require(!whole.text.len ||
		    memcmp(whole.text.data, pieces.text.data, whole.text.len) == 0);
	}
	buf_fini(&whole.text);
	buf_fini(&pieces.text);
	arena_free(a);
	return 0;
}
