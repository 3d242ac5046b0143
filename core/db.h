/* The door to the database. Nothing outside db_sqlite.c and migrate.c knows which engine is
 * behind it.
 *
 * - Statements have names (sql/q), never texts: no value can become SQL.
 * - One connection a process; it must not cross fork().
 * - Writing happens between db_begin and db_end only, under a lock file that all processes share
 *   (SQLite's own waiting is unfair: see field notes), as short as possible and without any
 *   network, file or process work inside.
 * - Errors are sticky: the first failure fills the struct err of db_use, later calls do nothing,
 *   db_end rolls back. So a write path may be written without a check after every line.
 * - A row's texts are valid until the next step of the same statement. */
#ifndef CORE_DB_H
#define CORE_DB_H

#include "core/arena.h"
#include "core/err.h"
#include "core/stmt_gen.h"

struct db;
struct q; /* a statement in use */

struct stmt_text {
	const char *name, *sql;
};
extern const struct stmt_text STMT_TEXTS[Q_COUNT];

struct db_options {
	const char *path;        /* the database file */
	const char *synchronous; /* full or normal */
	bool read_only;
	/* Writers of this kind queue among themselves, so that however many there are, at most one
	 * of them is ever in front of a request that wants to write. */
	bool background;
};

/* Opens an existing database of the current schema. */
enum rc db_open(struct db **out, const struct db_options *o, struct err *e);
void db_close(struct db *db);
/* Prepares every statement once, so that a mistake in one shows at start and not at night. */
enum rc db_check_statements(struct db *db);
/* Where failures are noted from now on; must stay valid. */
void db_use(struct db *db, struct err *e);

/* Starts STMT with its parameters. FMT has a letter for each: t text (NULL is null), i int64_t,
 * d double, D and I the same but ignored in favour of null, n null (no argument), b bool (as int).
 * Ends by itself when db_next returns false. */
struct q *db_query(struct db *db, enum stmt stmt, const char *fmt, ...);
/* The next row; false at the end and on failure. */
bool db_next(struct q *q);
/* Ends a query before its last row. Ending it again is no harm. */
void db_done(struct q *q);
/* Runs a statement that gives no rows. */
enum rc db_run(struct db *db, enum stmt stmt, const char *fmt, ...);
/* Rows changed by the last db_run. */
int64_t db_changes(const struct db *db);

/* Columns of the current row, from 0. */
const char *db_text(struct q *q, int col); /* NULL for null */
char *db_text_dup(struct q *q, int col, struct arena *a); /* the same, copied into A */
size_t db_text_len(struct q *q, int col);
int64_t db_int(struct q *q, int col); /* 0 for null */
double db_num(struct q *q, int col);
bool db_is_null(struct q *q, int col);
bool db_is_real(struct q *q, int col); /* stored as a fraction */

/* The first column of the first row, or the default. */
int64_t db_get_int(struct db *db, int64_t otherwise, enum stmt stmt, const char *fmt, ...);
/* The same as text, copied into A; NULL where there is none. */
char *db_get_text(struct db *db, struct arena *a, enum stmt stmt, const char *fmt, ...);

/* Begins a writing transaction: takes the shared lock, waits at most 5 s for it. */
enum rc db_begin(struct db *db);
/* The same, but RC_BUSY where another has the lock at this moment. */
enum rc db_begin_now(struct db *db);
/* Commits where RC and all statements since db_begin were fine, else rolls back. Returns what it
 * came to. */
enum rc db_end(struct db *db, enum rc rc);
/* A part of the running transaction that can be undone alone; may be nested. */
enum rc db_savepoint(struct db *db);
enum rc db_savepoint_end(struct db *db, enum rc rc);
/* A reading transaction, for several statements that must see one state. */
enum rc db_begin_read(struct db *db);
void db_end_read(struct db *db);
bool db_in_tx(const struct db *db);

/* A number that changes whenever another connection has changed the database. */
int64_t db_version(struct db *db);
/* Bytes of the write-ahead log, as of the last look at the file. */
int64_t db_wal_size(const struct db *db);
/* Copies the log into the database, under the write lock; TRUNCATE also empties its file. */
enum rc db_checkpoint(struct db *db, bool truncate);
/* The engine and its version, and what is known against it, in words. */
const char *db_engine(void);

#endif
