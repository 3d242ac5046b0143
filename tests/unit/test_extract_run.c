/* The process that reads files: what it gets, what it sees, and what becomes of it. In the
 * program's place stands a script, beside this test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "jobrunner/extract.h"

static const char SCRIPT[] = "#!/bin/sh\n"
			     "case $1 in\n"
			     "echo) cat ;;\n"
			     "env) echo \"$PATH|$LC_ALL|$HOME|$SECRET\" ;;\n"
			     "files) cat /etc/hostname /etc/passwd \"$0.secret\" 2>/dev/null; echo "
			     ">/tmp/test-extract-left; ls -l /proc/self/fd ;;\n"
			     "net) bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' ;;\n"
			     "fail) echo half a text; echo 'why it failed' >&2; exit 1 ;;\n"
			     "die) kill -9 $$ ;;\n"
			     "much) yes ;;\n"
			     "noise) yes loud | head -c 1000000 >&2; echo text ;;\n"
			     "memory) exit 83 ;;\n"
			     "wait) sleep 50 & sleep 50 ;;\n"
			     "esac\n";

static struct ctx cx;
static struct job job;
static struct buf text;
static struct err err;
static char program[4096];
static size_t most;

static bool keep(void *arg UNUSED, const char *data, size_t n)
{
	buf_add(&text, data, n);
	return text.len <= most;
}

static enum rc run(const char *kind)
{
	int fd = open(program, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
	err_clear(&err);
	buf_clear(&text);
	rc = extract_run(&job, kind, fd, keep, NULL, &err);
	assert_true(rc == err.rc);
	close(fd);
	return rc;
}

static void test_text(void **state UNUSED)
{
	assert_int_equal(run("echo"), RC_OK);
	assert_string_equal(buf_text(&text), SCRIPT);
	assert_int_equal(run("noise"), RC_OK);
	assert_string_equal(buf_text(&text), "text\n");
}

static void test_surroundings(void **state UNUSED)
{
	setenv("SECRET", "sk-not-for-it", 1);
	assert_int_equal(run("env"), RC_OK);
	assert_string_equal(buf_text(&text), "/usr/local/bin:/usr/bin:/bin|C.UTF-8||\n");
	run("net");
	assert_non_null(strstr(err.msg, "Permission denied"));
	assert_int_equal(err.rc, RC_INVALID);
}

/* Whether files are kept from the process: not by every kernel, and not in builds with sanitizers. */
static bool keeps_files(void)
{
#ifdef SANITIZED
	return false;
#else
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
#endif
}

static void test_files(void **state UNUSED)
{
	const char *secret = arena_printf(cx.arena, "%s.secret", program);
	FILE *f = fopen(secret, "w");

	assert_non_null(f);
	fputs("secret", f);
	fclose(f);
	if (keeps_files()) {
		run("files");
		assert_string_equal(buf_text(&text), "");
		assert_int_equal(access("/tmp/test-extract-left", F_OK), -1);
	}
	unlink(secret);
	if (!keeps_files())
		skip();
}

static void test_failures(void **state UNUSED)
{
	assert_int_equal(run("fail"), RC_INVALID);
	assert_string_equal(err.msg, "why it failed");
	assert_int_equal(run("memory"), RC_TOOLARGE);
	assert_int_equal(run("die"), RC_TIMEOUT);
	most = 100000;
	assert_int_equal(run("much"), RC_TOOLARGE);
	most = SIZE_MAX;
}

/* A job that is told to stop takes all of it along at once. */
static void test_stop(void **state UNUSED)
{
	int64_t began = mono_ms();

	raise(SIGTERM);
	assert_int_equal(run("wait"), RC_CANCELLED);
	assert_true(mono_ms() - began < 5000);
	assert_true(job.stopping);
	job.stopping = false;
}

static int set_up(void **state UNUSED)
{
	char self[4000];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	sigset_t set;
	FILE *f;

	log_init("test", LOG_ERROR);
	assert_true(n > 0);
	self[n] = '\0';
	snprintf(program, sizeof program, "%.*s/stagent-extract", (int)(strrchr(self, '/') - self),
	    self);
	f = fopen(program, "w");
	assert_non_null(f);
	fputs(SCRIPT, f);
	fclose(f);
	chmod(program, 0700);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	cx.arena = arena_new(ARENA_REQUEST_MAX);
	job = (struct job){.cx = &cx, .signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
	most = SIZE_MAX;
	buf_init(&text, (size_t)64 << 20);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	unlink(program);
	close(job.signal_fd);
	arena_free(cx.arena);
	buf_fini(&text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_surroundings),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
