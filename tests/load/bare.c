/* The yardstick of "make bench": the least that a FastCGI page on SQLite can be.
 *
 *	bare SOCKET DATABASE WORKERS
 *
 * Three pages, with prepared statements and the database settings and write lock of the real programs:
 *
 *	GET  /bare/task/ID        a task by its id
 *	POST /bare/task           one durable row; the answer is the row
 *	GET  /bare/list/PROJECT   the project's tasks in list order
 *
 * No routing, no validation, no log, no limits: not a server to use. It keeps the rule of the real ones that
 * checkpoints happen under the write lock only. */
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS \
	"id, project_id, workflow_id, schedule_id, title, description, status, assigned_agent, " \
	"agent_profile, priority, result, session_id, resume_count, source_type, " \
	"workflow_run_number, created_at, updated_at"
#define OUT_MAX (1 << 20)
#define WAL_PAGES 1000

static const char *const KEYS[] = { "id", "projectId", "workflowId", "scheduleId", "title",
	"description", "status", "assignedAgent", "agentProfile", "priority", "result", "sessionId",
	"resumeCount", "sourceType", "workflowRunNumber", "createdAt", "updatedAt" };
#define KEYS_N (sizeof(KEYS) / sizeof(KEYS[0]))

struct bare {
	sqlite3 *db;
	sqlite3_stmt *by_id, *list, *insert, *begin, *commit;
	int lock_fd, wal_pages;
	char *out;
	size_t len;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void put(struct bare *b, const char *s, size_t n)
{
	if (b->len + n > OUT_MAX)
		n = OUT_MAX - b->len;
	memcpy(b->out + b->len, s, n);
	b->len += n;
}

static void put_text(struct bare *b, const char *s, size_t n)
{
	put(b, "\"", 1);
	for (size_t i = 0, from = 0; i <= n; i++) {
		unsigned char c = i < n ? (unsigned char)s[i] : 0;
		char esc[8];

		if (i < n && c >= 0x20 && c != '"' && c != '\\')
			continue;
		put(b, s + from, i - from);
		from = i + 1;
		if (i < n)
			put(b, esc,
			    (size_t)(c < 0x20 ? snprintf(esc, sizeof(esc), "\\u%04x", c) :
						snprintf(esc, sizeof(esc), "\\%c", c)));
	}
	put(b, "\"", 1);
}

static void put_time(struct bare *b, time_t t)
{
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	put(b, text, strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%S.000Z\"", &tm));
}

static void put_row(struct bare *b, sqlite3_stmt *st)
{
	for (int i = 0; i < (int)KEYS_N; i++) {
		put(b, i == 0 ? "{\"" : ",\"", 2);
		put(b, KEYS[i], strlen(KEYS[i]));
		put(b, "\":", 2);
		if (i >= 15)
			put_time(b, sqlite3_column_int64(st, i));
		else if (sqlite3_column_type(st, i) == SQLITE_NULL)
			put(b, "null", 4);
		else if (sqlite3_column_type(st, i) == SQLITE_TEXT)
			put_text(b, (const char *)sqlite3_column_text(st, i),
			    (size_t)sqlite3_column_bytes(st, i));
		else
			put(b, (const char *)sqlite3_column_text(st, i),
			    (size_t)sqlite3_column_bytes(st, i));
	}
	put(b, "}", 1);
}

static sqlite3_stmt *prepare(struct bare *b, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v3(b->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "bare: %s\n", sqlite3_errmsg(b->db));
		exit(1);
	}
	return st;
}

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct bare *)arg)->wal_pages = pages;
	return SQLITE_OK;
}

static void open_database(struct bare *b, const char *path)
{
	char lock[4096];

	if (sqlite3_open(path, &b->db) != SQLITE_OK)
		die(path);
	sqlite3_exec(b->db,
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
	    "PRAGMA busy_timeout=5000; PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;"
	    "PRAGMA mmap_size=0; PRAGMA wal_autocheckpoint=0;",
	    NULL, NULL, NULL);
	sqlite3_wal_hook(b->db, on_wal, b);
	b->by_id = prepare(b, "SELECT " COLUMNS " FROM tasks WHERE id = ?1");
	b->list = prepare(b, "SELECT " COLUMNS " FROM tasks WHERE project_id = ?1"
			     " ORDER BY priority, created_at DESC, rowid");
	b->insert = prepare(b, "INSERT INTO tasks (id, title, status, priority, resume_count, created_at,"
			       " updated_at) VALUES (?1, ?2, 'planned', 2, 0, ?3, ?3) RETURNING " COLUMNS);
	b->begin = prepare(b, "BEGIN IMMEDIATE");
	b->commit = prepare(b, "COMMIT");
	snprintf(lock, sizeof(lock), "%s-lock", path);
	b->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (b->lock_fd < 0)
		die(lock);
}

static bool run(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

static bool rows(struct bare *b, sqlite3_stmt *st, const char *key, bool many)
{
	bool any = false;

	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	if (many)
		put(b, "[", 1);
	while (sqlite3_step(st) == SQLITE_ROW) {
		if (any)
			put(b, ",", 1);
		put_row(b, st);
		any = true;
	}
	if (many)
		put(b, "]", 1);
	sqlite3_reset(st);
	return any || many;
}

static bool insert(struct bare *b, const char *title, int n)
{
	unsigned char r[16];
	char id[40];
	bool ok;

	if (getrandom(r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return false;
	snprintf(id, sizeof(id), "%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x",
	    r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15, r[7], r[8] & 15, r[9], r[10], r[11], r[12],
	    r[13], r[14], r[15]);
	flock(b->lock_fd, LOCK_EX);
	ok = run(b->begin);
	sqlite3_bind_text(b->insert, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(b->insert, 2, title, n, SQLITE_STATIC);
	sqlite3_bind_int64(b->insert, 3, time(NULL));
	ok = ok && sqlite3_step(b->insert) == SQLITE_ROW;
	if (ok)
		put_row(b, b->insert);
	sqlite3_reset(b->insert);
	ok = run(b->commit) && ok;
	if (b->wal_pages > WAL_PAGES) {
		sqlite3_wal_checkpoint_v2(b->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
		b->wal_pages = 0;
	}
	flock(b->lock_fd, LOCK_UN);
	return ok;
}

static void answer(struct bare *b, FCGX_Request *r)
{
	const char *uri = FCGX_GetParam("REQUEST_URI", r->envp);
	const char *method = FCGX_GetParam("REQUEST_METHOD", r->envp);
	const char *status = "404 Not Found";
	char body[4096];

	b->len = 0;
	if (uri == NULL || method == NULL) {
		status = "400 Bad Request";
	} else if (strcmp(method, "POST") == 0) {
		int n = FCGX_GetStr(body, sizeof(body), r->in);

		status = insert(b, body, n) ? "201 Created" : "500 Internal Server Error";
	} else if (strncmp(uri, "/bare/task/", 11) == 0) {
		if (rows(b, b->by_id, uri + 11, false))
			status = "200 OK";
	} else if (strncmp(uri, "/bare/list/", 11) == 0) {
		if (rows(b, b->list, uri + 11, true))
			status = "200 OK";
	}
	FCGX_FPrintF(r->out, "Status: %s\r\nContent-Type: application/json\r\n\r\n", status);
	FCGX_PutStr(b->out, (int)b->len, r->out);
	FCGX_Finish_r(r);
}

static void work(int fd, const char *path)
{
	struct bare b = { 0 };
	FCGX_Request r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	b.out = malloc(OUT_MAX);
	if (b.out == NULL)
		die("malloc");
	open_database(&b, path);
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 1);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 1);
	FCGX_Init();
	FCGX_InitRequest(&r, fd, 0);
	while (FCGX_Accept_r(&r) == 0)
		answer(&b, &r);
	exit(0);
}

int main(int argc, char **argv)
{
	int fd, workers;

	if (argc != 4) {
		fprintf(stderr, "usage: bare SOCKET DATABASE WORKERS\n");
		return 2;
	}
	workers = (int)strtol(argv[3], NULL, 10);
	umask(0);
	fd = FCGX_OpenSocket(argv[1], 1024);
	if (fd < 0)
		die(argv[1]);
	umask(077);
	for (int i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(fd, argv[2]);
		if (pid < 0)
			die("fork");
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
