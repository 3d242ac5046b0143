/* The SQLite engine behind db.h.
 *
 * WAL with checkpoints under the write lock only: SQLite before 3.51.3 can damage a database when
 * a commit meets two checkpoints, and Debian 12 has 3.40.1. So no connection checkpoints by itself
 * (wal_autocheckpoint=0, no checkpoint on close); the job runner does it, and a writer that meets
 * a long log, before it gives the lock back. The lock is flock(2) on a file beside the database,
 * taken before BEGIN IMMEDIATE; SQLite's busy timeout stays for outsiders (the sqlite3 shell,
 * backups). Background writers (the runner and its jobs) take turns at a second lock first, a record
 * lock on the same file: a request must not wait among a hundred runs that have just begun. */
#include "core/db.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/model.h"

#define BUSY_MS 5000
#define LOCK_WAIT_MS 5000
#define SQL_MAX 8192
#define WAL_RESET_FIXED 3051003
#define WAL_PAGES_MAX 4000 /* 16 MB; a longer log makes every read slower */
#define TX_ALARM_MS 50
#define CACHE_KIB 2000
#define SPACE_CHECK_MS 500
#define SPACE_RESERVE ((uint64_t)8 << 20)

struct q {
	struct db *db;
	sqlite3_stmt *st;
	bool active;
};

struct db {
	sqlite3 *s;
	struct q *qs[Q_COUNT];
	struct err *err, own_err;
	char *path, *wal_path;
	int lock_fd;
	bool in_tx, in_read, background;
	int wal_pages; /* in the log, as of our last commit */
	int64_t changes, tx_since, space_checked;
	bool space_low;
	sqlite3_stmt *begin, *begin_read, *commit, *rollback, *version;
	sqlite3_stmt *savepoint, *undo, *release;
};

/* One switch from SQLite's codes to ours. */
static enum rc map(int code)
{
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return RC_BUSY;
	case SQLITE_FULL:
		return RC_FULL;
	case SQLITE_IOERR:
		return RC_IO;
	case SQLITE_CONSTRAINT:
		return RC_CONFLICT;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return RC_CORRUPT;
	case SQLITE_TOOBIG:
		return RC_TOOLARGE;
	default:
		return RC_BUG;
	}
}

/* Whether the file system is so full that a write would leave no room to recover. */
static bool space_low(struct db *db)
{
	int64_t now = mono_ms();
	struct statvfs v;

	if (now - db->space_checked < SPACE_CHECK_MS && db->space_checked)
		return db->space_low;
	db->space_checked = now;
	if (statvfs(db->path, &v) == 0) {
		uint64_t size = (uint64_t)v.f_blocks * v.f_frsize;
		uint64_t reserve = size / 50 < SPACE_RESERVE ? size / 50 : SPACE_RESERVE;

		db->space_low = (uint64_t)v.f_bavail * v.f_frsize < reserve;
	}
	return db->space_low;
}

static enum rc fail_full(struct db *db, const char *what)
{
	if (!db->err->rc)
		snprintf(db->err->cause, sizeof db->err->cause, "%s: no space left", what);
	return err_set(db->err, RC_FULL, "Insufficient storage");
}

static enum rc fail(struct db *db, int code, const char *what)
{
	enum rc rc = map(code);
	int ext = sqlite3_extended_errcode(db->s);

	if (rc == RC_FULL || (rc == RC_IO && sqlite3_system_errno(db->s) == ENOSPC))
		return fail_full(db, what);
	if (rc == RC_BUSY) {
		snprintf(db->err->cause, sizeof db->err->cause, "%s: busy", what);
		return err_set(db->err, rc, "Database is busy");
	}
	if (rc == RC_CORRUPT)
		log_error("database damaged: %s: %s", what, sqlite3_errmsg(db->s));
	return err_internal(db->err, rc, "%s: %s (%d)", what, sqlite3_errmsg(db->s), ext);
}

/* Replaces @model and @model(alias) by the model's columns. */
static bool expand(const char *sql, char *out, size_t size)
{
	size_t len = 0;

	while (*sql) {
		const struct model *m;
		const char *alias = "";
		size_t n, alias_n = 0;

		if (*sql != '@') {
			if (len + 1 >= size)
				return false;
			out[len++] = *sql++;
			continue;
		}
		n = strspn(++sql, "abcdefghijklmnopqrstuvwxyz_");
		m = model_find(sql, n);
		if (!m)
			return false;
		sql += n;
		if (*sql == '(') {
			alias_n = strcspn(++sql, ")");
			alias = sql;
			sql += alias_n + 1;
		}
		for (size_t i = 0; i < m->n_cols; i++) {
			int w = snprintf(out + len, size - len, "%s%.*s%s%s", i ? ", " : "",
			    (int)alias_n, alias, alias_n ? "." : "", m->cols[i].sql);

			if (w < 0 || (size_t)w >= size - len)
				return false;
			len += (size_t)w;
		}
	}
	out[len] = '\0';
	return true;
}

static sqlite3_stmt *prepare(struct db *db, const char *name, const char *text)
{
	char sql[SQL_MAX];
	sqlite3_stmt *st = NULL;
	int code;

	if (!expand(text, sql, sizeof sql)) {
		err_internal(db->err, RC_BUG, "statement %s: unknown model or too long", name);
		return NULL;
	}
	code = sqlite3_prepare_v3(db->s, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
	if (code != SQLITE_OK)
		fail(db, code, name);
	return st;
}

/* Takes the place of SQLite's own checkpoints, which come at any time. */
static int on_commit(void *arg, sqlite3 *s UNUSED, const char *name UNUSED, int pages)
{
	((struct db *)arg)->wal_pages = pages;
	return SQLITE_OK;
}

static bool configure(struct db *db, const struct db_options *o)
{
	char sql[512];

	sqlite3_db_config(db->s, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(db->s, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->s, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->s, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(db->s, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_limit(db->s, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db->s, SQLITE_LIMIT_LENGTH, 64 << 20);
	sqlite3_busy_timeout(db->s, BUSY_MS);
	sqlite3_extended_result_codes(db->s, 1);
	snprintf(sql, sizeof sql,
	    "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=%s; PRAGMA foreign_keys=ON;"
	    "PRAGMA mmap_size=0; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY;"
	    "PRAGMA cell_size_check=ON; PRAGMA journal_size_limit=67108864;",
	    strcmp(o->synchronous, "normal") == 0 ? "NORMAL" : "FULL", CACHE_KIB);
	if (sqlite3_exec(db->s, sql, NULL, NULL, NULL) != SQLITE_OK)
		return false;
	sqlite3_wal_hook(db->s, on_commit, db);
	return true;
}

static bool prepare_own(struct db *db)
{
	db->begin = prepare(db, "begin", "BEGIN IMMEDIATE");
	db->begin_read = prepare(db, "begin_read", "BEGIN");
	db->commit = prepare(db, "commit", "COMMIT");
	db->rollback = prepare(db, "rollback", "ROLLBACK");
	db->version = prepare(db, "version", "PRAGMA data_version");
	db->savepoint = prepare(db, "savepoint", "SAVEPOINT part");
	db->undo = prepare(db, "undo", "ROLLBACK TO part");
	db->release = prepare(db, "release", "RELEASE part");
	return db->savepoint && db->undo && db->release && db->begin && db->begin_read && db->commit && db->rollback && db->version;
}

/* What root makes beside the database belongs to the database's owner, as SQLite's own files do. */
static bool give_to_owner(int fd, const char *path)
{
	struct stat st, now;

	return geteuid() != 0 || (stat(path, &st) == 0 && fstat(fd, &now) == 0 &&
	    (now.st_uid == st.st_uid || fchown(fd, st.st_uid, st.st_gid) == 0));
}

enum rc db_open(struct db **out, const struct db_options *o, struct err *e)
{
	struct db *db = calloc(1, sizeof *db);
	char *lock = NULL;
	int code;

	if (!db)
		abort();
	*out = NULL;
	db->err = e;
	db->lock_fd = -1;
	db->background = o->background;
	db->path = strdup(o->path);
	if (asprintf(&lock, "%s-lock", o->path) < 0 || asprintf(&db->wal_path, "%s-wal", o->path) < 0)
		abort();
	code = sqlite3_open_v2(o->path, &db->s,
	    (o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX,
	    NULL);
	if (code != SQLITE_OK || !configure(db, o)) {
		err_internal(e, RC_IO, "cannot open %s: %s", o->path, sqlite3_errmsg(db->s));
		goto failed;
	}
	db->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (db->lock_fd < 0 || !give_to_owner(db->lock_fd, o->path)) {
		err_internal(e, RC_IO, "cannot open %s: %s", lock, strerror(errno));
		goto failed;
	}
	if (!prepare_own(db))
		goto failed;
	free(lock);
	db_use(db, NULL);
	*out = db;
	return RC_OK;
failed:
	free(lock);
	db_close(db);
	return e->rc;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < Q_COUNT; i++)
		if (db->qs[i]) {
			sqlite3_finalize(db->qs[i]->st);
			free(db->qs[i]);
		}
	sqlite3_finalize(db->begin);
	sqlite3_finalize(db->begin_read);
	sqlite3_finalize(db->commit);
	sqlite3_finalize(db->rollback);
	sqlite3_finalize(db->version);
	sqlite3_finalize(db->savepoint);
	sqlite3_finalize(db->undo);
	sqlite3_finalize(db->release);
	sqlite3_close(db->s);
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	free(db->path);
	free(db->wal_path);
	free(db);
}

void db_use(struct db *db, struct err *e)
{
	err_clear(&db->own_err);
	db->err = e ? e : &db->own_err;
}

enum rc db_check_statements(struct db *db)
{
	for (size_t i = 0; i < Q_COUNT; i++) {
		sqlite3_stmt *st = prepare(db, STMT_TEXTS[i].name, STMT_TEXTS[i].sql);

		if (!st)
			return db->err->rc;
		sqlite3_finalize(st);
	}
	return RC_OK;
}

/* The statement, prepared when it is first used and kept. */
static struct q *statement(struct db *db, enum stmt stmt)
{
	struct q *q = db->qs[stmt];

	if (!q) {
		q = calloc(1, sizeof *q);
		if (!q)
			abort();
		q->db = db;
		q->st = prepare(db, STMT_TEXTS[stmt].name, STMT_TEXTS[stmt].sql);
		if (!q->st) {
			free(q);
			return NULL;
		}
		db->qs[stmt] = q;
	}
	return q;
}

static void bind(struct q *q, const char *fmt, va_list ap)
{
	for (int i = 1; *fmt; i++, fmt++) {
		const char *s;

		switch (*fmt) {
		case 't':
			s = va_arg(ap, const char *);
			if (s)
				sqlite3_bind_text(q->st, i, s, -1, SQLITE_TRANSIENT);
			else
				sqlite3_bind_null(q->st, i);
			break;
		case 'i':
			sqlite3_bind_int64(q->st, i, va_arg(ap, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(q->st, i, va_arg(ap, double));
			break;
		case 'b':
			sqlite3_bind_int(q->st, i, va_arg(ap, int) != 0);
			break;
		case 'D':
			va_arg(ap, double);
			sqlite3_bind_null(q->st, i);
			break;
		case 'I':
			va_arg(ap, int64_t);
			sqlite3_bind_null(q->st, i);
			break;
		default:
			sqlite3_bind_null(q->st, i);
		}
	}
}

static struct q *start(struct db *db, enum stmt stmt, const char *fmt, va_list ap)
{
	struct q *q;

	if (db->err->rc || !(q = statement(db, stmt)))
		return NULL;
	if (q->active)
		sqlite3_reset(q->st);
	bind(q, fmt, ap);
	q->active = true;
	return q;
}

struct q *db_query(struct db *db, enum stmt stmt, const char *fmt, ...)
{
	va_list ap;
	struct q *q;

	va_start(ap, fmt);
	q = start(db, stmt, fmt, ap);
	va_end(ap);
	return q;
}

bool db_next(struct q *q)
{
	int code;

	if (!q || !q->active)
		return false;
	code = sqlite3_step(q->st);
	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		fail(q->db, code, sqlite3_sql(q->st));
	db_done(q);
	return false;
}

void db_done(struct q *q)
{
	if (q && q->active) {
		sqlite3_reset(q->st);
		sqlite3_clear_bindings(q->st);
		q->active = false;
	}
}

enum rc db_run(struct db *db, enum stmt stmt, const char *fmt, ...)
{
	va_list ap;
	struct q *q;

	va_start(ap, fmt);
	q = start(db, stmt, fmt, ap);
	va_end(ap);
	if (!q)
		return db->err->rc;
	if (!db->in_tx) {
		db_done(q);
		return err_internal(
		    db->err, RC_BUG, "%s outside of a transaction", STMT_TEXTS[stmt].name);
	}
	while (db_next(q))
		;
	db->changes = sqlite3_changes64(db->s);
	return db->err->rc;
}

int64_t db_changes(const struct db *db)
{
	return db->err->rc ? 0 : db->changes;
}

const char *db_text(struct q *q, int col)
{
	return (const char *)sqlite3_column_text(q->st, col);
}

char *db_text_dup(struct q *q, int col, struct arena *a)
{
	const char *s = db_text(q, col);

	return s ? arena_strdup(a, s) : NULL;
}

size_t db_text_len(struct q *q, int col)
{
	sqlite3_column_text(q->st, col);
	return (size_t)sqlite3_column_bytes(q->st, col);
}

int64_t db_int(struct q *q, int col)
{
	return sqlite3_column_int64(q->st, col);
}

double db_num(struct q *q, int col)
{
	return sqlite3_column_double(q->st, col);
}

bool db_is_null(struct q *q, int col)
{
	return sqlite3_column_type(q->st, col) == SQLITE_NULL;
}

bool db_is_real(struct q *q, int col)
{
	return sqlite3_column_type(q->st, col) == SQLITE_FLOAT;
}

int64_t db_get_int(struct db *db, int64_t otherwise, enum stmt stmt, const char *fmt, ...)
{
	va_list ap;
	struct q *q;
	int64_t v = otherwise;

	va_start(ap, fmt);
	q = start(db, stmt, fmt, ap);
	va_end(ap);
	if (db_next(q)) {
		if (!db_is_null(q, 0))
			v = db_int(q, 0);
		db_done(q);
	}
	return v;
}

char *db_get_text(struct db *db, struct arena *a, enum stmt stmt, const char *fmt, ...)
{
	va_list ap;
	struct q *q;
	char *v = NULL;

	va_start(ap, fmt);
	q = start(db, stmt, fmt, ap);
	va_end(ap);
	if (db_next(q)) {
		v = db_text_dup(q, 0, a);
		db_done(q);
	}
	return v;
}

static void on_alarm(int sig UNUSED)
{
}

/* The turn among the background writers; it belongs to the open file, as flock does. */
static int turn(struct db *db, bool take, bool wait)
{
	struct flock all = { .l_type = take ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET };

	return db->background ? fcntl(db->lock_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &all) : 0;
}

static void unlock(struct db *db)
{
	flock(db->lock_fd, LOCK_UN);
	turn(db, false, false);
}

static bool try_lock(struct db *db)
{
	if (turn(db, true, false) < 0)
		return false;
	if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	turn(db, false, false);
	return false;
}

/* The shared write lock. flock(2) wakes its waiters when it is free, which SQLite does not; a
 * repeating alarm breaks the wait, so that a holder that was stopped cannot hold us for ever. */
static bool lock(struct db *db)
{
	const struct itimerval tick = { { 0, 250000 }, { 0, 250000 } }, off = { 0 };
	const struct sigaction quiet = { .sa_handler = on_alarm };
	int64_t deadline = mono_ms() + LOCK_WAIT_MS;
	struct sigaction before;
	int got;

	if (try_lock(db))
		return true;
	sigaction(SIGALRM, &quiet, &before);
	setitimer(ITIMER_REAL, &tick, NULL);
	while ((got = turn(db, true, true)) < 0 && errno == EINTR)
		if (mono_ms() > deadline)
			break;
	while (got == 0 && (got = flock(db->lock_fd, LOCK_EX)) < 0 && errno == EINTR) {
		if (mono_ms() > deadline)
			break;
		got = 0;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &before, NULL);
	if (got < 0)
		turn(db, false, false);
	return got == 0;
}

static int run_own(sqlite3_stmt *st)
{
	int code = sqlite3_step(st);

	sqlite3_reset(st);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum rc begin(struct db *db, bool wait)
{
	int code;

	if (db->err->rc)
		return db->err->rc;
	if (db->in_tx || db->in_read)
		return err_internal(db->err, RC_BUG, "transaction inside a transaction");
	if (space_low(db))
		return fail_full(db, "begin");
	if (wait ? !lock(db) : !try_lock(db))
		return err_set(db->err, RC_BUSY, "Database is busy");
	db->tx_since = mono_ms();
	code = run_own(db->begin);
	if (code != SQLITE_OK) {
		unlock(db);
		return fail(db, code, "begin");
	}
	db->in_tx = true;
	return RC_OK;
}

enum rc db_begin(struct db *db)
{
	return begin(db, true);
}

enum rc db_begin_now(struct db *db)
{
	return begin(db, false);
}

int64_t db_wal_size(const struct db *db)
{
	struct stat st;

	return stat(db->wal_path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* Ends every query that is still open: COMMIT may not meet one. */
static void end_queries(struct db *db)
{
	for (size_t i = 0; i < Q_COUNT; i++)
		if (db->qs[i])
			db_done(db->qs[i]);
}

static int checkpoint_locked(struct db *db, bool truncate)
{
	return sqlite3_wal_checkpoint_v2(db->s, NULL,
	    truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART, NULL, NULL);
}

enum rc db_end(struct db *db, enum rc rc)
{
	int64_t held;

	if (!db->in_tx)
		return db->err->rc ? db->err->rc : rc;
	end_queries(db);
	if (rc == RC_OK && !db->err->rc) {
		int code = run_own(db->commit);

		if (code != SQLITE_OK)
			fail(db, code, "commit");
	}
	if (!sqlite3_get_autocommit(db->s))
		run_own(db->rollback);
	db->in_tx = false;
	if (db->wal_pages > WAL_PAGES_MAX) {
		sqlite3_wal_checkpoint_v2(db->s, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		db->wal_pages = 0;
	}
	unlock(db);
	held = mono_ms() - db->tx_since;
	if (held > TX_ALARM_MS)
		log_debug("transaction held the write lock for %lld ms", (long long)held);
	return db->err->rc ? db->err->rc : rc;
}

enum rc db_savepoint(struct db *db)
{
	int code;

	if (db->err->rc)
		return db->err->rc;
	code = run_own(db->savepoint);
	return code == SQLITE_OK ? RC_OK : fail(db, code, "savepoint");
}

enum rc db_savepoint_end(struct db *db, enum rc rc)
{
	end_queries(db);
	if (rc != RC_OK || db->err->rc)
		run_own(db->undo);
	run_own(db->release);
	return db->err->rc ? db->err->rc : rc;
}

enum rc db_begin_read(struct db *db)
{
	int code;

	if (db->err->rc || db->in_read || db->in_tx)
		return db->err->rc;
	code = run_own(db->begin_read);
	if (code != SQLITE_OK)
		return fail(db, code, "begin");
	db->in_read = true;
	return RC_OK;
}

void db_end_read(struct db *db)
{
	if (!db->in_read)
		return;
	end_queries(db);
	run_own(db->commit);
	db->in_read = false;
}

bool db_in_tx(const struct db *db)
{
	return db->in_tx;
}

int64_t db_version(struct db *db)
{
	int64_t v = sqlite3_step(db->version) == SQLITE_ROW
	    ? sqlite3_column_int64(db->version, 0) : 0;

	sqlite3_reset(db->version);
	return v;
}

enum rc db_checkpoint(struct db *db, bool truncate)
{
	int code;

	if (!lock(db))
		return RC_BUSY;
	code = checkpoint_locked(db, truncate);
	unlock(db);
	return code == SQLITE_OK ? RC_OK : map(code);
}

const char *db_engine(void)
{
	static char words[128];

	snprintf(words, sizeof words, "SQLite %s%s", sqlite3_libversion(),
	    sqlite3_libversion_number() < WAL_RESET_FIXED
		? ", checkpoints under the write lock because of its WAL reset defect" : "");
	return words;
}
