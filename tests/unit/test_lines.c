/* Lines over pipes: whatever pieces they come in, the same lines come out, and one that is too long
 * costs no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "mcp/lines.h"

#define MAX 100

/* Feeds TEXT in pieces of up to PIECE bytes; what comes out is noted in GOT: "[line]" for each,
 * "!" for one that was too long. */
static void feed(const char *text, size_t piece, struct buf *got)
{
	struct lines_in in;
	size_t left = strlen(text), n;
	const char *line;
	enum line kind;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	lines_in_init(&in, fd[0], MAX);
	buf_clear(got);
	while (!in.ended) {
		n = left < piece ? left : piece;
		if (n)
			assert_int_equal(write(fd[1], text, n), n);
		else
			close(fd[1]);
		text += n;
		left -= n;
		lines_read(&in);
		while ((kind = lines_next(&in, &line, &n)) != LINE_NONE)
			if (kind == LINE_WHOLE)
				buf_printf(got, "[%.*s]", (int)n, line);
			else
				buf_char(got, '!');
	}
	lines_in_fini(&in);
	close(fd[0]);
}

static void lines_in_pieces(void **state UNUSED)
{
	static const size_t PIECES[] = { 1, 2, 3, 7, 50, 99, 100, 101, 102, 1000, 60000 };
	struct buf text, want, got;

	buf_init(&text, 1 << 20);
	buf_init(&want, 1 << 20);
	buf_init(&got, 1 << 20);
	buf_str(&text, "\none\n\n");
	buf_str(&want, "[][one][]");
	for (int n = 98; n < 103; n++) {
		buf_printf(&text, "%0*d\n", n, n);
		if (n <= MAX)
			buf_printf(&want, "[%0*d]", n, n);
		else
			buf_char(&want, '!');
	}
	buf_printf(&text, "%05000d\nafter\n%01000d\nlast", 0, 0);
	buf_str(&want, "![after]![last]");
	for (size_t i = 0; i < COUNT(PIECES); i++) {
		feed(buf_text(&text), PIECES[i], &got);
		assert_string_equal(buf_text(&got), buf_text(&want));
	}
	buf_fini(&text);
	buf_fini(&want);
	buf_fini(&got);
}

static void end_of_input(void **state UNUSED)
{
	struct buf got;

	buf_init(&got, 1 << 20);
	feed("", 10, &got);
	assert_string_equal(buf_text(&got), "");
	feed("a\n", 10, &got);
	assert_string_equal(buf_text(&got), "[a]");
	feed("a", 10, &got);
	assert_string_equal(buf_text(&got), "[a]");
	buf_fini(&got);
}

/* Nobody reads: what does not fit the pipe is kept, and no write waits. */
static void writing(void **state UNUSED)
{
	static char page[65536], line[1000];
	struct lines_out out;
	size_t sum = 0;
	ssize_t n;
	int fd[2];

	memset(line, 'x', sizeof line - 1);
	assert_int_equal(pipe(fd), 0);
	lines_out_init(&out, fd[1], 1 << 20);
	for (int i = 0; i < 200; i++)
		lines_put(&out, line);
	lines_write(&out);
	assert_true(lines_left(&out) > 0 && lines_left(&out) < 200 * sizeof line);
	while (lines_left(&out) || sum < 200 * sizeof line) {
		n = read(fd[0], page, sizeof page);
		assert_true(n > 0);
		sum += (size_t)n;
		lines_write(&out);
	}
	assert_int_equal(sum, 200 * sizeof line);
	assert_false(out.broken);
	close(fd[0]);
	lines_put(&out, line);
	lines_write(&out);
	assert_true(out.broken);
	assert_int_equal(lines_left(&out), 0);
	lines_out_fini(&out);
	close(fd[1]);
}

static void too_much(void **state UNUSED)
{
	struct lines_out out;

	lines_out_init(&out, -1, 10);
	lines_put(&out, "1234");
	assert_false(out.broken);
	lines_put(&out, "123456");
	assert_true(out.broken);
	lines_out_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_in_pieces),
		cmocka_unit_test(end_of_input),
		cmocka_unit_test(writing),
		cmocka_unit_test(too_much),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
