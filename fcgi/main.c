/* stagent-fcgi: the master by default; with an internal first argument one of its children.
 *
 *	stagent-fcgi [-c FILE] [-o NAME=VALUE]...
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bell.h"
#include "core/conf.h"
#include "core/domain/table.h"
#include "core/log.h"
#include "core/migrate.h"
#include "fcgi/hub.h"
#include "fcgi/listen.h"
#include "fcgi/master.h"
#include "fcgi/worker.h"

static struct conf conf;

/* What ps shows: TITLE in the place of the arguments (from FIRST to END), which are not needed any
 * more by then. */
static void set_title(char *first, const char *end, const char *title)
{
	size_t room = (size_t)(end - first), n = strlen(title);

	if (n >= room)
		return; /* the master gave us the title as first argument anyway */
	memset(first, 0, room);
	memcpy(first, title, n);
}

/* Descriptors 0 to 2 must exist: what is opened later would take their place. */
static bool have_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	return fd > 2 && close(fd) == 0;
}

static bool prepare(int argc, char **argv)
{
	enum log_level level = LOG_INFO;
	int next;

	if (!conf_load(&conf, argc, argv, &next))
		return false;
	if (next < argc) {
		fprintf(stderr, "usage: stagent-fcgi [-c FILE] [-o NAME=VALUE]...\n");
		return false;
	}
	log_level_parse(conf.log_level, &level);
	log_init("stagent-fcgi", level);
	umask(022); /* the web server must be able to pass through the run folder */
	if (!conf_make_dirs(&conf))
		return false;
	umask(077);
	bell_init(conf.run_dir);
	return true;
}

static bool migrate(void)
{
	struct err e = { 0 };

	if (migrate_run(&conf, &e) == RC_OK)
		return true;
	log_error("cannot bring the database up to date: %s", *e.cause ? e.cause : e.msg);
	return false;
}

/* Puts in what a new database begins with. The connection ends before the first fork; what fails here
 * is only missing. */
static void seed(void)
{
	struct db_options o = { conf_path(conf.data_dir, DB_FILE), conf.db_synchronous, false, false };
	struct ctx cx = { .conf = &conf, .arena = arena_new(ARENA_REQUEST_MAX) };
	struct err e = { 0 };

	if (db_open(&cx.db, &o, &e) == RC_OK) {
		ctx_begin(&cx, "server", NULL);
		if (template_seed(&cx) != RC_OK)
			log_error("cannot put in the table templates: %s", cx.err.cause);
		db_close(cx.db);
	}
	arena_free(cx.arena);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "", *end;
	bool worker = strcmp(mode, MODE_WORKER) == 0, hub = strcmp(mode, MODE_HUB) == 0;
	bool update = strcmp(mode, MODE_MIGRATE) == 0, child = worker || hub || update;
	char *first = argv[0], title[64];

	if (!have_standard_files())
		return 1;
	end = argv[argc - 1] + strlen(argv[argc - 1]);
	snprintf(title, sizeof title, "%s", first);
	if (child) {
		argc--;
		argv++;
		argv[0] = title;
	}
	if (!prepare(argc, argv))
		return 1;
	if (!child) {
		if (!listen_lock(&conf) || !migrate())
			return 1;
		seed();
		return master_main(&conf, argc, argv);
	}
	if (update)
		return migrate() ? 0 : 1;
	set_title(first, end, title);
	prctl(PR_SET_NAME, hub ? "stagent-hub" : "stagent-worker");
	return hub ? hub_main(&conf) : worker_main(&conf, CHILD_LISTEN_FD);
}
