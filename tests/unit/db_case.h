/* For tests on a database of their own: a scratch data folder, a context, and SQL on a connection
 * beside the one under test. */
#ifndef TESTS_UNIT_DB_CASE_H
#define TESTS_UNIT_DB_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ctx.h"
#include "core/log.h"
#include "core/migrate.h"

static char scratch[64];
static struct conf conf;
static struct ctx cx;
static sqlite3 *side;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static int set_up_db(void)
{
	struct db_options o = { .synchronous = "normal" };
	struct err e = { 0 };

	log_init("test", LOG_ERROR);
	snprintf(scratch, sizeof scratch, "/tmp/test-db-XXXXXX");
	assert_non_null(mkdtemp(scratch));
	conf = (struct conf){ .data_dir = scratch, .queue_max = 100 };
	assert_int_equal(migrate_run(&conf, &e), RC_OK);
	cx = (struct ctx){ .arena = arena_new(ARENA_REQUEST_MAX), .conf = &conf };
	o.path = arena_printf(cx.arena, "%s/%s", scratch, DB_FILE);
	assert_int_equal(db_open(&cx.db, &o, &e), RC_OK);
	assert_int_equal(sqlite3_open(o.path, &side), SQLITE_OK);
	ctx_begin(&cx, "test", NULL);
	return 0;
}

static int tear_down_db(void)
{
	sqlite3_close(side);
	db_close(cx.db);
	arena_free(cx.arena);
	return nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Runs SQL, with the texts that follow (up to NULL) as its parameters. */
__attribute__((sentinel)) static UNUSED void sql(const char *text, ...)
{
	sqlite3_stmt *st;
	const char *arg;
	va_list ap;

	assert_int_equal(sqlite3_prepare_v2(side, text, -1, &st, NULL), SQLITE_OK);
	va_start(ap, text);
	for (int i = 1; (arg = va_arg(ap, const char *)); i++)
		assert_int_equal(
		    sqlite3_bind_text(st, i, arg, -1, SQLITE_TRANSIENT), SQLITE_OK);
	va_end(ap);
	assert_int_equal(sqlite3_step(st), SQLITE_DONE);
	sqlite3_finalize(st);
}

/* All rows of a query: columns joined by "|", rows ended by line feeds; null as "-". */
static UNUSED const char *rows(const char *text)
{
	sqlite3_stmt *st;
	struct buf b;
	const char *out;

	buf_init(&b, 1 << 20);
	assert_int_equal(sqlite3_prepare_v2(side, text, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const unsigned char *v = sqlite3_column_text(st, i);

			buf_str(&b, v ? (const char *)v : "-");
			buf_char(&b, i + 1 < sqlite3_column_count(st) ? '|' : '\n');
		}
	sqlite3_finalize(st);
	out = arena_strdup(cx.arena, buf_text(&b));
	buf_fini(&b);
	return out;
}

#endif
