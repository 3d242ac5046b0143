/* A formula and the row it is worked out for, one a line: whatever both are, the work ends, a
 * result is a value that JSON can hold, and the same formula gives the same again. */
#include "core/formula.h"
#include "tests/fuzz/fuzz.h"

struct source {
	struct arena *a;
	const char *row;
};

static struct cell value(void *arg, const struct formula *f, size_t ref)
{
	const struct source *s = arg;
	struct row_key key;
	struct cell c;
	size_t n;

	key = row_key(s->a, formula_refs(f, &n)[ref]);
	require(ref < n);
	row_pick(s->a, s->row, &key, 1, &c);
	return c;
}

static bool aggregate(void *arg UNUSED, enum aggregate what, const char *column, struct cell *out)
{
	*out = cell_num(what + (double)strlen(column));
	return *column != '!';
}

static const char *result(struct source *s, const struct formula *f, bool *had)
{
	struct formula_env env = { .a = s->a, .arg = s, .value = value, .aggregate = aggregate,
		.now = 1700000000, .room = 1 << 20 };
	struct cell c;

	*had = formula_eval(f, &env, &c);
	require(env.room <= 1 << 20 && c.kind != CELL_NONE);
	require(c.kind != CELL_TEXT || text_is_utf8(c.s, c.n));
	return json_text(s->a, json_keep(s->a, cell_json(&c)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s = { arena_new(FUZZ_ARENA_MAX), NULL };
	const char *text = (const char *)data, *line;
	const struct formula *f;
	bool had, again;

	if (size && size < 1 << 14 && text_is_utf8(text, size)) {
		line = fuzz_line(s.a, &text, (const char *)data + size);
		s.row = fuzz_line(s.a, &text, (const char *)data + size);
		f = formula_parse(s.a, line);
		if (f) {
			line = result(&s, f, &had);
			require(strcmp(line, result(&s, f, &again)) == 0 && had == again);
		}
	}
	arena_free(s.a);
	return 0;
}
