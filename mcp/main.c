/* stagent-mcp: Stagent's tools for other programs' agents, over standard input and output. */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/migrate.h"
#include "mcp/server.h"

#define PROGRAM "stagent-mcp"
/* A message of the largest size, and whatever its answer takes. */
#define ARENA_MAX ((size_t)256 << 20)

static int usage(FILE *f)
{
	fputs("usage: " PROGRAM " [-c file] [-o name=value]...\n\n"
	      "Speaks the Model Context Protocol on standard input and output; see stagent-mcp(1).\n",
	    f);
	return f == stdout ? 0 : 2;
}

/* Readable when the process is to end; -1 where that cannot be had. */
static int open_signals(void)
{
	sigset_t end;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &end, NULL) < 0)
		return -1;
	return signalfd(-1, &end, SFD_NONBLOCK | SFD_CLOEXEC);
}

static enum rc open_store(struct ctx *cx)
{
	struct db_options o = { conf_path(cx->conf->data_dir, DB_FILE), cx->conf->db_synchronous,
		false, false };
	enum rc rc;

	if (access(o.path, F_OK) < 0)
		return err_internal(&cx->err, RC_IO, "no database at %s: %s", o.path,
		    strerror(errno));
	rc = db_open(&cx->db, &o, &cx->err);
	if (rc != RC_OK)
		return rc;
	ctx_begin(cx, "mcp", NULL);
	if (db_check_statements(cx->db) != RC_OK) {
		err_clear(&cx->err);
		return err_internal(&cx->err, RC_CORRUPT,
		    "the database's schema is not current: run \"stagentctl migrate\"");
	}
	return RC_OK;
}

int main(int argc, char **argv)
{
	struct conf conf;
	struct ctx cx = { .conf = &conf };
	enum log_level level = LOG_INFO;
	int next, signal_fd, status = 1;

	umask(077);
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (!conf_load(&conf, argc, argv, &next))
		return 2;
	if (next < argc)
		return usage(stderr);
	log_level_parse(conf.log_level, &level);
	log_init(PROGRAM, level);
	bell_init(conf.run_dir);
	signal_fd = open_signals();
	cx.arena = arena_new(ARENA_MAX);
	if (signal_fd < 0)
		log_error("no signals: %s", strerror(errno));
	else if (open_store(&cx) != RC_OK)
		log_error("%s", cx.err.cause);
	else
		status = server_run(&cx, signal_fd);
	db_close(cx.db);
	arena_free(cx.arena);
	return status;
}
