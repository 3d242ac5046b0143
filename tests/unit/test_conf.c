/* Options: where values come from, bounds, and what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/conf.h"

static char dir[64], file[96];
static struct conf c;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static int set_up(void **state UNUSED)
{
	static const char *const NAMES[] = { "STAGENT_DATA_DIR", "STAGENT_RUN_DIR",
		"STAGENT_SHARE_DIR", "STAGENT_HOSTS", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL",
		"OPENAI_API_KEY", "OPENAI_BASE_URL", "GITHUB_TOKEN", "STAGENT_GITHUB_API_URL",
		"STAGENT_GITHUB_RAW_URL" };

	for (size_t i = 0; i < COUNT(NAMES); i++)
		unsetenv(NAMES[i]);
	snprintf(dir, sizeof dir, "/tmp/test-conf-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/stagent.conf", dir);
	setenv("HOME", dir, 1);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_conf(const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Loads with the arguments, NULL at the end, and returns the index of the first other one; -1 on
 * failure, the words of which are not shown. */
static int load(const char *one, const char *two, const char *three)
{
	const char *argv[] = { "test", "-c", file, one, two, three, NULL };
	int argc = 3, next = -1, err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	bool ok;

	while (argv[argc])
		argc++;
	dup2(null, STDERR_FILENO);
	ok = conf_load(&c, argc, (char **)(uintptr_t)argv, &next);
	dup2(err, STDERR_FILENO);
	close(err);
	close(null);
	return ok ? next : -1;
}

static void test_defaults(void **state UNUSED)
{
	char path[128];

	write_conf("");
	assert_int_equal(load(NULL, NULL, NULL), 3);
	snprintf(path, sizeof path, "%s/.stagent", dir);
	assert_string_equal(c.data_dir, path);
	snprintf(path, sizeof path, "%s/.stagent/run/fcgi.sock", dir);
	assert_string_equal(c.http_socket, path);
	assert_string_equal(c.http_hosts, "localhost 127.0.0.1 [::1]");
	assert_string_equal(c.anthropic_key, "");
	assert_string_equal(c.anthropic_url, "https://api.anthropic.com");
	assert_int_equal(c.http_body_max, 10485760);
	assert_int_equal(c.retention_audit_days, 365);
}

/* Defaults, file, environment, -o: the later wins. */
static void test_weights(void **state UNUSED)
{
	write_conf("# a comment\n\n  runs.max = 3  \r\nlog.level=\tdebug\nhttp.hosts = a b = c\n"
		   "data.dir = /from/file\nstreams.max=5\n");
	setenv("STAGENT_DATA_DIR", "/from/environment", 1);
	setenv("OPENAI_API_KEY", "sk-x", 1);
	setenv("STAGENT_RUN_DIR", "", 1);
	assert_int_equal(load("-o", "streams.max=7", "command"), 5);
	assert_int_equal(c.runs_max, 3);
	assert_string_equal(c.log_level, "debug");
	assert_string_equal(c.http_hosts, "a b = c");
	assert_string_equal(c.data_dir, "/from/environment");
	assert_string_equal(c.run_dir, "/from/environment/run");
	assert_string_equal(c.openai_key, "sk-x");
	assert_int_equal(c.streams_max, 7);
	assert_int_equal(load("-odata.dir=/from/option", "-orun.dir=", NULL), 5);
	assert_string_equal(c.data_dir, "/from/option");
	assert_string_equal(c.run_dir, "/from/option/run");
	unsetenv("STAGENT_RUN_DIR");
}

static void test_refused(void **state UNUSED)
{
	static const char *const BAD[] = { "nonsense\n", "no.such = 1\n", "runs.max = 0\n",
		"runs.max = 1025\n", "runs.max = many\n", "runs.max =\n", "runs.max = 1 2\n",
		"runs.max = 1.5\n", "= 1\n", "runs.ma = 1\n", "runs.maxx = 1\n",
		"log.level = loud\n", "log.level =\n", "log.level = info warn\n",
		"log.level = inf\n", "db.synchronous = off\n", "runtime.fallback = 1\n" };

	for (size_t i = 0; i < COUNT(BAD); i++) {
		write_conf(BAD[i]);
		if (load(NULL, NULL, NULL) != -1)
			fail_msg("%s was taken", BAD[i]);
	}
	write_conf("");
	assert_int_equal(load("-o", "runs.max=0", NULL), -1);
	assert_int_equal(load("-o", "runs.max", NULL), -1);
	assert_int_equal(load("-o", "anthropic.key=sk-secret", NULL), -1);
	assert_int_equal(load("-oopenai.key = sk-secret", NULL, NULL), -1);
	assert_int_equal(load("-x", NULL, NULL), -1);
	unlink(file);
	assert_int_equal(load(NULL, NULL, NULL), -1);
}

/* A line that is too long is an error and not two lines; a comment may be as long as it likes. */
static void test_long_lines(void **state UNUSED)
{
	char text[3 * CONF_LINE_MAX];

	memset(text, 'x', sizeof text);
	memcpy(text, "# ", 2);
	memcpy(text + CONF_LINE_MAX - 1, "runs.max = 9", 12);
	memcpy(text + sizeof text - 17, "\nstreams.max = 5", 17);
	write_conf(text);
	assert_int_equal(load(NULL, NULL, NULL), 3);
	assert_int_equal(c.runs_max, 16);
	assert_int_equal(c.streams_max, 5);
	memcpy(text, "log.level = info", 16);
	memset(text + 16, ' ', CONF_LINE_MAX - 17);
	write_conf(text);
	assert_int_equal(load(NULL, NULL, NULL), -1);
	memset(text, 'x', sizeof text);
	memcpy(text, "ollama.url = ", 13);
	text[CONF_LINE_MAX - 2] = '\n';
	text[CONF_LINE_MAX - 1] = '\0';
	write_conf(text);
	assert_int_equal(load(NULL, NULL, NULL), 3);
	assert_int_equal(strlen(c.ollama_url), CONF_LINE_MAX - 2 - 13);
}

static enum conf_source source_of(const char *name)
{
	const struct conf_option *o = conf_find(name);

	assert_non_null(o);
	return c.from[o - CONF_OPTIONS];
}

static void test_sources(void **state UNUSED)
{
	write_conf("runs.max = 3\nhttp.hosts = a\nstreams.max = 3\nrun.dir = /r\n");
	setenv("STAGENT_HOSTS", "b", 1);
	setenv("STAGENT_RUN_DIR", "/e", 1);
	assert_int_equal(load("-ostreams.max=4", "-orun.dir=/o", "command"), 5);
	assert_string_equal(c.file, file);
	assert_int_equal(source_of("queue.max"), CONF_DEFAULT);
	assert_int_equal(source_of("runs.max"), CONF_FILE);
	assert_int_equal(source_of("http.hosts"), CONF_ENVIRONMENT);
	assert_int_equal(source_of("streams.max"), CONF_COMMAND_LINE);
	assert_int_equal(source_of("run.dir"), CONF_COMMAND_LINE);
	assert_null(conf_find("runs.ma"));
	assert_null(conf_find(""));
}

/* The options of a command line alone; nothing is read. */
static void test_arguments(void **state UNUSED)
{
	const char *argv[] = { "test", "-o", "no.such=1", "-c", "/none", "config", "-x", NULL };
	const char *named;
	int next;

	assert_true(conf_arguments(7, (char **)(uintptr_t)argv, &named, &next));
	assert_string_equal(named, "/none");
	assert_int_equal(next, 5);
	assert_true(conf_arguments(1, (char **)(uintptr_t)argv, &named, &next));
	assert_null(named);
	assert_int_equal(next, 1);
}

/* Every option of the table has a default within its bounds and a help text. */
static void test_table(void **state UNUSED)
{
	struct buf b;

	write_conf("anthropic.key=sk-secret\n");
	unsetenv("OPENAI_API_KEY");
	assert_int_equal(load(NULL, NULL, NULL), 3);
	buf_init(&b, 4096);
	for (size_t i = 0; i < CONF_OPTIONS_N; i++) {
		buf_clear(&b);
		conf_show(&c, &CONF_OPTIONS[i], &b);
		assert_null(strstr(buf_text(&b), "secret"));
		assert_true(strlen(CONF_OPTIONS[i].help) > 0);
		assert_true(CONF_OPTIONS[i].readers);
		if (strcmp(CONF_OPTIONS[i].name, "anthropic.key") == 0)
			assert_string_equal(buf_text(&b), "***");
		if (strcmp(CONF_OPTIONS[i].name, "openai.key") == 0)
			assert_string_equal(buf_text(&b), "");
		if (strcmp(CONF_OPTIONS[i].name, "runs.max") == 0)
			assert_string_equal(buf_text(&b), "16");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(CONF_OPTIONS[i].name, CONF_OPTIONS[j].name);
	}
	buf_fini(&b);
}

static void test_paths(void **state UNUSED)
{
	assert_string_equal(conf_path("/a", "b"), "/a/b");
}

static void test_make_dirs(void **state UNUSED)
{
	char data[128], run[160];
	struct stat st;

	snprintf(data, sizeof data, "%s/x/y/data", dir);
	snprintf(run, sizeof run, "%s/run", data);
	c.data_dir = data;
	c.run_dir = run;
	assert_true(conf_make_dirs(&c));
	assert_true(conf_make_dirs(&c));
	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(run, &st), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_weights, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_lines, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sources, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_arguments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paths, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_make_dirs, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
