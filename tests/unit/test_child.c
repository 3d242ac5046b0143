/* Child programs: framing, backpressure, environment, ends, and what they leave behind. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/clock.h"
#include "core/text.h"
#include "jobrunner/child.h"

static struct arena *arena;

static int begin(void **state UNUSED)
{
	arena = arena_new(ARENA_REQUEST_MAX * 4);
	signal(SIGPIPE, SIG_IGN);
	child_adopt();
	return 0;
}

static int finish(void **state UNUSED)
{
	arena_free(arena);
	return 0;
}

static struct child *shell_with(const char *secret, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	const char *env[] = { "PATH=/usr/bin:/bin", "ONLY=this", NULL };
	struct err e = { 0 };
	struct child *c =
	    child_start(&(struct child_spec){ "/bin/sh", argv, env, "/tmp", secret }, &e);

	assert_non_null(c);
	return c;
}

static struct child *shell(const char *script)
{
	return shell_with(NULL, script);
}

/* The next event within ten seconds; a line as text. */
static enum child_event next(struct child *c, const char **text)
{
	const char *line = "";
	size_t n = 0;
	enum child_event ev = child_next(c, -1, 10000, &line, &n);

	*text = arena_strndup(arena, line, n);
	return ev;
}

static void expect_line(struct child *c, const char *want)
{
	const char *text;

	assert_int_equal(next(c, &text), CHILD_LINE);
	assert_string_equal(text, want);
}

static void expect_end(struct child *c, const char *words)
{
	const char *text;

	assert_int_equal(next(c, &text), CHILD_ENDED);
	assert_string_equal(child_status_words(arena, c), words);
	child_free(c);
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static void lines_come_whole(void **state UNUSED)
{
	struct child *c = shell("printf 'a'; sleep 0.1; printf 'b\\r\\n\\n\\nc\\nlast'; exit 3");

	expect_line(c, "ab");
	expect_line(c, "c");
	expect_line(c, "last");
	expect_end(c, "exit status 3");
}

static void a_line_that_is_too_long_is_skipped(void **state UNUSED)
{
	struct child *c = shell("head -c 34000000 /dev/zero | tr '\\0' x; echo; echo after");
	const char *text;

	assert_int_equal(next(c, &text), CHILD_LONG);
	assert_true(text_starts(text, "xxxx"));
	expect_line(c, "after");
	expect_end(c, "exit status 0");
}

static void a_long_line_comes_in_one_piece(void **state UNUSED)
{
	struct child *c = shell("head -c 9000000 /dev/zero | tr '\\0' y; echo");
	const char *line;
	size_t n;

	assert_int_equal(child_next(c, -1, 10000, &line, &n), CHILD_LINE);
	assert_int_equal(n, 9000000);
	expect_end(c, "exit status 0");
}

static void both_sides_may_talk_at_once(void **state UNUSED)
{
	struct child *c = shell("exec cat");
	char *big = arena_alloc(arena, 300000);
	const char *line;
	size_t n, lines = 0;

	memset(big, 'z', 300000);
	for (int i = 0; i < 60; i++)
		assert_true(child_send(c, big, 300000));
	child_close_input(c);
	assert_false(child_send(c, "x", 1));
	while (child_next(c, -1, 10000, &line, &n) == CHILD_LINE) {
		assert_int_equal(n, 300000);
		lines++;
	}
	assert_int_equal(lines, 60);
	expect_end(c, "exit status 0");
}

static void the_queue_has_a_bound(void **state UNUSED)
{
	struct child *c = shell("sleep 1000");
	char *big = arena_alloc(arena, 1 << 20);
	int n = 0;

	memset(big, 'q', 1 << 20);
	while (n < 1000 && child_send(c, big, 1 << 20))
		n++;
	assert_in_range(n, 60, 64);
	child_free(c);
}

static void the_environment_is_what_was_given(void **state UNUSED)
{
	struct child *c = shell("tr '\\0' '\\n' < /proc/self/environ; pwd; ls /proc/self/fd | wc -l");

	setenv("STAGENT_TEST_SECRET", "x", 1);
	expect_line(c, "PATH=/usr/bin:/bin");
	expect_line(c, "ONLY=this");
	expect_line(c, "/tmp");
	expect_line(c, "4"); /* three of its own, and the folder that ls reads */
	expect_end(c, "exit status 0");
}

static void a_secret_is_read_once_and_seen_nowhere(void **state UNUSED)
{
	struct child *c = shell_with("sesame",
	    "cat <&4; echo; cat <&4; ls /proc/self/fd | wc -l; grep -c sesame /proc/self/environ "
	    "/proc/$$/environ /proc/$$/cmdline; sh -c 'cat <&4; echo none'");

	expect_line(c, "sesame");
	expect_line(c, "5");
	expect_line(c, "/proc/self/environ:0");
	assert_int_equal(child_next(c, -1, 10000, &(const char *){ NULL }, &(size_t){ 0 }), CHILD_LINE);
	assert_int_equal(child_next(c, -1, 10000, &(const char *){ NULL }, &(size_t){ 0 }), CHILD_LINE);
	expect_line(c, "none");
	expect_end(c, "exit status 0");
	c = shell("cat <&4; echo none");
	expect_line(c, "none");
	expect_end(c, "exit status 0");
}

static void what_cannot_start_says_why(void **state UNUSED)
{
	const char *argv[] = { "x", NULL }, *env[] = { NULL };
	struct err e = { 0 };

	assert_null(child_start(&(struct child_spec){ "/no/such", argv, env, "/", NULL }, &e));
	assert_string_equal(e.msg, "No such file or directory");
	err_clear(&e);
	assert_null(child_start(&(struct child_spec){ "/bin/true", argv, env, "/no/dir", NULL }, &e));
	assert_string_equal(e.msg, "No such file or directory");
	err_clear(&e);
	assert_null(child_start(&(struct child_spec){ "/etc/passwd", argv, env, "/", NULL }, &e));
	assert_string_equal(e.msg, "Permission denied");
}

static void a_signal_has_a_name(void **state UNUSED)
{
	expect_end(shell("kill -9 $$"), "signal 9 (Killed)");
}

static void time_passes_and_others_wake(void **state UNUSED)
{
	struct child *c = shell("sleep 1000");
	const char *line;
	int fd[2];
	size_t n;

	assert_int_equal(pipe(fd), 0);
	assert_int_equal(child_next(c, fd[0], 20, &line, &n), CHILD_NOTHING);
	assert_int_equal(write(fd[1], "x", 1), 1);
	assert_int_equal(child_next(c, fd[0], 10000, &line, &n), CHILD_WAKE);
	child_free(c);
	close(fd[0]);
	close(fd[1]);
}

static void the_last_words_are_kept(void **state UNUSED)
{
	struct child *c = shell("head -c 400000 /dev/zero | tr '\\0' e >&2; printf "
				"'\\n\\033[31;1mkey\\033[0m sk-ant-abcdefgh12345 \\377 here\\n\\n  \\n' >&2");
	const char *line;
	size_t n;

	assert_int_equal(child_next(c, -1, 10000, &line, &n), CHILD_ENDED);
	assert_string_equal(child_last_words(arena, c, 300), "key sk-*** ? here");
	assert_string_equal(child_last_words(arena, c, 5), "key s");
	assert_in_range(strlen(child_stderr(arena, c)), 200000, CHILD_STDERR_MAX);
	child_free(c);
}

static void an_end_takes_no_excuse(void **state UNUSED)
{
	struct child *c = shell("trap '' TERM; echo up; while :; do sleep 0.05; done");
	pid_t pid = child_pid(c);
	int64_t began;

	expect_line(c, "up");
	assert_non_null(child_start_time(arena, pid));
	began = mono_ms();
	child_end(c, 100, 200);
	assert_in_range(mono_ms() - began, 250, 5000);
	assert_string_equal(child_status_words(arena, c), "signal 9 (Killed)");
	assert_false(is_alive(pid));
	assert_null(child_start_time(arena, pid));
	child_free(c);
}

static void an_end_is_gentle_first(void **state UNUSED)
{
	struct child *c = shell("echo up; cat; exit 7");

	expect_line(c, "up");
	child_end(c, 5000, 0);
	assert_string_equal(child_status_words(arena, c), "exit status 7");
	child_free(c);
}

static void nothing_is_left_behind(void **state UNUSED)
{
	struct child *c = shell("setsid sleep 1001 & echo $!; sleep 1002 & echo $!; "
				"setsid sh -c 'setsid sleep 1003 & sleep 1004' & echo $!; cat");
	int64_t pid[3];
	const char *text;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(next(c, &text), CHILD_LINE);
		assert_true(text_to_int(text, 1, INT32_MAX, &pid[i]));
	}
	child_end(c, 1000, 1000);
	for (int i = 0; i < 3; i++)
		assert_false(is_alive((pid_t)pid[i]));
	assert_int_equal(child_end_strays(NULL, 0), 0);
	child_free(c);
}

static void a_grandchild_does_not_hold_the_end(void **state UNUSED)
{
	struct child *c = shell("setsid sleep 1005 & echo said");
	int64_t began = mono_ms();

	expect_line(c, "said");
	expect_end(c, "exit status 0");
	assert_in_range(mono_ms() - began, 1500, 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_whole),
		cmocka_unit_test(a_line_that_is_too_long_is_skipped),
		cmocka_unit_test(a_long_line_comes_in_one_piece),
		cmocka_unit_test(both_sides_may_talk_at_once),
		cmocka_unit_test(the_queue_has_a_bound),
		cmocka_unit_test(the_environment_is_what_was_given),
		cmocka_unit_test(a_secret_is_read_once_and_seen_nowhere),
		cmocka_unit_test(what_cannot_start_says_why),
		cmocka_unit_test(a_signal_has_a_name),
		cmocka_unit_test(time_passes_and_others_wake),
		cmocka_unit_test(the_last_words_are_kept),
		cmocka_unit_test(an_end_takes_no_excuse),
		cmocka_unit_test(an_end_is_gentle_first),
		cmocka_unit_test(nothing_is_left_behind),
		cmocka_unit_test(a_grandchild_does_not_hold_the_end),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
