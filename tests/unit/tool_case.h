/* What the tests of the tools share: a database and an output folder for each test, and calls as
 * the engine makes them. */
#ifndef TESTS_UNIT_TOOL_CASE_H
#define TESTS_UNIT_TOOL_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/migrate.h"
#include "jobrunner/tools/tools.h"

struct fixture {
	char dir[64];
	struct conf conf;
	struct ctx cx;
	struct tool_env env;
};

static inline const char *below(struct fixture *f, const char *name)
{
	return arena_printf(f->cx.arena, "%s/%s", f->dir, name);
}

static inline int set_up(void **state)
{
	const char *top = getenv("srcdir");
	struct db_options o = { .synchronous = "normal" };
	static struct fixture fixture;
	struct fixture *f = &fixture;

	log_init("test", LOG_ERROR);
	snprintf(f->dir, sizeof f->dir, "/tmp/test-tools-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	setenv("HOME", f->dir, 1);
	setenv("TZ", "UTC0", 1);
	tzset();
	unsetenv("STAGENT_LAUNCH_CWD");
	f->cx = (struct ctx){ .arena = arena_new(ARENA_REQUEST_MAX), .conf = &f->conf };
	f->conf = (struct conf){ .data_dir = f->dir, .queue_max = 100,
		.share_dir = arena_printf(f->cx.arena, "%s/share", top ? top : ".") };
	assert_int_equal(migrate_run(&f->conf, &f->cx.err), RC_OK);
	o.path = below(f, DB_FILE);
	assert_int_equal(db_open(&f->cx.db, &o, &f->cx.err), RC_OK);
	ctx_begin(&f->cx, "test", NULL);
	f->env = (struct tool_env){ .cx = &f->cx, .output_dir = below(f, "out") };
	*state = f;
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	db_close(f->cx.db);
	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	arena_free(f->cx.arena);
	return 0;
}

/* Runs a tool as the engine does; ARGS is JSON. */
static inline const char *call(struct fixture *f, const char *name, const char *args, bool *error)
{
	const struct tool *t = tool_find(name);
	const char *text;

	assert_non_null(t);
	assert_int_equal(tx_begin(&f->cx), RC_OK);
	*error = tool_run(&f->env, t, json_read_text(f->cx.arena, args), &text);
	assert_int_equal(f->cx.err.rc, RC_OK);
	assert_int_equal(tx_end(&f->cx, RC_OK), RC_OK);
	return text;
}

static inline json_t *good(struct fixture *f, const char *name, const char *args)
{
	bool error;
	const char *text = call(f, name, args, &error);
	json_t *v = json_read_text(f->cx.arena, text);

	if (error)
		fail_msg("%s %s: %s", name, args, text);
	assert_non_null(v);
	return v;
}

static inline void bad(struct fixture *f, const char *name, const char *args, const char *message)
{
	bool error;
	const char *text = call(f, name, args, &error);

	assert_string_equal(text, tool_error_text(f->cx.arena, message));
	assert_true(error);
}

static inline const char *with_id(struct fixture *f, const char *format, const char *id)
{
	struct buf b;
	const char *text, *mark = strchr(format, '$');

	buf_init(&b, 65536);
	buf_add(&b, format, (size_t)(mark - format));
	buf_str(&b, id);
	buf_str(&b, mark + 1);
	text = arena_strdup(f->cx.arena, buf_text(&b));
	buf_fini(&b);
	return text;
}

/* Writes a file for a test to find. */
static inline void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
