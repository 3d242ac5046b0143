/* Schema migrations. Speaks SQLite directly: it makes the database that db.h then opens. */
#include "core/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"

#define SQL_SIZE 1024
#define BACKUP_PAGES 1000
#define BUSY_MS 5000

struct job {
	sqlite3 *db;
	const char *path;
	struct err *err;
};

static enum rc fail(struct job *j, const char *what)
{
	int code = sqlite3_errcode(j->db);

	return err_internal(j->err, code == SQLITE_FULL ? RC_FULL : RC_IO, "%s: %s: %s", j->path,
	    what, sqlite3_errmsg(j->db));
}

static enum rc run(struct job *j, const char *sql, const char *what)
{
	return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : fail(j, what);
}

/* The first column of the first row as a number; 0 where there is none. */
static int64_t number(sqlite3 *db, const char *sql, const char *arg)
{
	sqlite3_stmt *st = NULL;
	int64_t v = 0;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
		if (arg)
			sqlite3_bind_text(st, 1, arg, -1, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW)
			v = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return v;
}

static bool has_table(sqlite3 *db, const char *table)
{
	return number(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
		   table) > 0;
}

static bool applied(struct job *j, const char *name)
{
	return has_table(j->db, "stagent_schema") &&
	       number(j->db, "SELECT count(*) FROM stagent_schema WHERE name = ?1", name) > 0;
}

static bool pending(struct job *j)
{
	for (const struct migration *m = MIGRATIONS; m->name; m++)
		if (!applied(j, m->name))
			return true;
	return false;
}

/* Copies the database to <path>.before-<time>; the copy is checked before anything is changed. */
static enum rc back_up(struct job *j)
{
	char to[4096], stamp[32];
	time_t t = time(NULL);
	struct tm tm;
	sqlite3 *copy = NULL;
	sqlite3_backup *b;
	int code = SQLITE_ERROR;

	strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", gmtime_r(&t, &tm));
	snprintf(to, sizeof to, "%s.before-%s", j->path, stamp);
	if (sqlite3_open(to, &copy) == SQLITE_OK &&
	    (b = sqlite3_backup_init(copy, "main", j->db, "main"))) {
		while ((code = sqlite3_backup_step(b, BACKUP_PAGES)) == SQLITE_OK)
			;
		if (sqlite3_backup_finish(b) != SQLITE_OK)
			code = SQLITE_ERROR;
	}
	if (code == SQLITE_DONE &&
	    number(copy, "SELECT count(*) FROM pragma_quick_check WHERE quick_check = 'ok'", NULL) != 1)
		code = SQLITE_CORRUPT;
	/* One file, that can be kept and opened anywhere. */
	if (code == SQLITE_DONE &&
	    sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) != SQLITE_OK)
		code = SQLITE_ERROR;
	sqlite3_close(copy);
	if (code != SQLITE_DONE)
		return err_internal(j->err, RC_IO, "cannot copy the database to %s", to);
	log_info("copied the database to %s before changing its schema", to);
	return RC_OK;
}

/* Adds column row (name, type, not null, default) of the wanted TABLE to the existing one. */
static enum rc add_column(struct job *j, sqlite3 *want, const char *table, sqlite3_stmt *row)
{
	const char *name = (const char *)sqlite3_column_text(row, 0);
	const char *type = (const char *)sqlite3_column_text(row, 1);
	const char *otherwise = (const char *)sqlite3_column_text(row, 3);
	char sql[SQL_SIZE], reference[SQL_SIZE / 2] = "";
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(want,
		"SELECT \"table\", \"to\" FROM pragma_foreign_key_list(?1) WHERE \"from\" = ?2", -1,
		&st, NULL) == SQLITE_OK) {
		sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
		if (sqlite3_step(st) == SQLITE_ROW)
			snprintf(reference, sizeof reference, " REFERENCES %s (%s)",
			    (const char *)sqlite3_column_text(st, 0),
			    (const char *)sqlite3_column_text(st, 1));
	}
	sqlite3_finalize(st);
	snprintf(sql, sizeof sql, "ALTER TABLE %s ADD COLUMN %s %s%s%s%s%s", table, name, type,
	    sqlite3_column_int(row, 2) && otherwise ? " NOT NULL" : "",
	    otherwise ? " DEFAULT " : "", otherwise ? otherwise : "", reference);
	log_info("schema: %s", sql);
	return run(j, sql, "adding a column");
}

static enum rc complete_table(struct job *j, sqlite3 *want, const char *table)
{
	sqlite3_stmt *st = NULL;
	enum rc rc = RC_OK;

	if (!has_table(j->db, table))
		return RC_OK;
	if (sqlite3_prepare_v2(want,
		"SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info(?1)", -1, &st,
		NULL) != SQLITE_OK)
		return fail(j, "reading the wanted schema");
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	while (rc == RC_OK && sqlite3_step(st) == SQLITE_ROW) {
		char query[SQL_SIZE];

		snprintf(query, sizeof query,
		    "SELECT count(*) FROM pragma_table_info('%s') WHERE name = ?1", table);
		if (!number(j->db, query, (const char *)sqlite3_column_text(st, 0)))
			rc = add_column(j, want, table, st);
	}
	sqlite3_finalize(st);
	return rc;
}

/* Gives the tables that exist the columns they lack, by comparing them with a fresh schema. */
static enum rc complete_tables(struct job *j)
{
	sqlite3 *want = NULL;
	sqlite3_stmt *st = NULL;
	enum rc rc = RC_OK;

	if (sqlite3_open(":memory:", &want) != SQLITE_OK)
		rc = fail(j, "a scratch schema");
	for (const struct migration *m = MIGRATIONS; rc == RC_OK && m->name; m++)
		if (sqlite3_exec(want, m->sql, NULL, NULL, NULL) != SQLITE_OK)
			rc = err_internal(
			    j->err, RC_BUG, "%s: %s", m->name, sqlite3_errmsg(want));
	if (rc == RC_OK && sqlite3_prepare_v2(want,
			       "SELECT name FROM sqlite_master WHERE type = 'table' "
			       "AND name NOT LIKE 'sqlite!_%' ESCAPE '!'",
			       -1, &st, NULL) != SQLITE_OK)
		rc = fail(j, "reading the wanted schema");
	while (rc == RC_OK && sqlite3_step(st) == SQLITE_ROW)
		rc = complete_table(j, want, (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(want);
	return rc;
}

static enum rc apply(struct job *j, const struct migration *m)
{
	char sql[SQL_SIZE];
	enum rc rc = run(j, m->sql, m->name);

	if (rc != RC_OK)
		return rc;
	snprintf(sql, sizeof sql,
	    "INSERT INTO stagent_schema (name, applied_at_ms) VALUES ('%s', %lld)"
	    " ON CONFLICT (name) DO NOTHING",
	    m->name, (long long)now_ms());
	return run(j, sql, m->name);
}

static enum rc migrate(struct job *j)
{
	bool used = has_table(j->db, "tasks");
	enum rc rc;

	if (!pending(j))
		return RC_OK;
	if (used && (rc = back_up(j)) != RC_OK)
		return rc;
	if ((rc = run(j, "BEGIN IMMEDIATE", "begin")) != RC_OK)
		return rc;
	rc = complete_tables(j);
	if (rc == RC_OK)
		rc = run(j, "CREATE TABLE IF NOT EXISTS stagent_schema (name TEXT PRIMARY KEY,"
			    " applied_at_ms INTEGER NOT NULL)",
		    "schema table");
	for (const struct migration *m = MIGRATIONS; rc == RC_OK && m->name; m++)
		if (!applied(j, m->name))
			rc = apply(j, m);
	if (rc == RC_OK && number(j->db, "SELECT count(*) FROM pragma_foreign_key_check", NULL))
		log_warn("%s: some rows refer to rows that do not exist", j->path);
	if (rc == RC_OK)
		return run(j, "COMMIT", "commit");
	sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum rc migrate_run(const struct conf *c, struct err *e)
{
	struct job j = { .path = conf_path(c->data_dir, DB_FILE), .err = e };
	char lock[4096];
	mode_t mask;
	int fd;
	enum rc rc = RC_OK;

	snprintf(lock, sizeof lock, "%s-lock", j.path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		if (fd >= 0)
			close(fd);
		return err_internal(e, RC_IO, "%s: %s", lock, strerror(errno));
	}
	mask = umask(077);
	if (sqlite3_open_v2(j.path, &j.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		rc = fail(&j, "open");
	sqlite3_busy_timeout(j.db, BUSY_MS);
	sqlite3_db_config(j.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == RC_OK)
		rc = run(&j, "PRAGMA wal_autocheckpoint=0; PRAGMA auto_vacuum=INCREMENTAL;"
			     "PRAGMA journal_mode=WAL;",
		    "settings");
	if (rc == RC_OK)
		rc = migrate(&j);
	sqlite3_close(j.db);
	umask(mask);
	close(fd);
	return rc;
}
