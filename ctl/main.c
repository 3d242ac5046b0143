/* stagentctl: what runs, what waits and for whom, and whether the installation is sound. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/migrate.h"
#include "ctl/keys_file.h"

static const struct ctl_command COMMANDS[] = {
	{ "status", "", "tasks, jobs, runs and today's spending", true, ctl_status },
	{ "jobs", "[all]", "the job queue, newest first", true, ctl_jobs },
	{ "approvals", "[allow ID [always] | deny ID [MESSAGE]]",
	    "open requests; answer one of them", true, ctl_approvals },
	{ "audit", "[ID]", "who changed what, newest first; of one thing", true, ctl_audit },
	{ "config", "[NAME | set NAME VALUE | unset NAME]",
	    "options with their values in force; change one in the configuration file", false,
	    ctl_config },
	{ "migrate", "", "bring the database's schema up to date", false, ctl_migrate },
	{ "doctor", "", "check the installation and name what is wrong", false, ctl_doctor },
};

static int usage(FILE *f)
{
	fputs("usage: stagentctl [-c file] [-o name=value]... command\n\n", f);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		fprintf(f, "  %s%s%s\n        %s\n", COMMANDS[i].name,
		    *COMMANDS[i].arguments ? " " : "", COMMANDS[i].arguments, COMMANDS[i].help);
	return f == stdout ? 0 : 2;
}

int ctl_failed(struct ctx *cx)
{
	fprintf(stderr, "stagentctl: %s\n",
	    cx->err.cause[0] ? cx->err.cause : cx->err.msg[0] ? cx->err.msg : "failed");
	return 1;
}

int ctl_usage(const char *command)
{
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		if (strcmp(COMMANDS[i].name, command) == 0)
			fprintf(stderr, "usage: stagentctl %s%s%s\n", command,
			    *COMMANDS[i].arguments ? " " : "", COMMANDS[i].arguments);
	return 2;
}

static enum rc not_current(struct ctx *cx, const char *path)
{
	const char *why = arena_strdup(cx->arena, cx->err.cause);

	db_close(cx->db);
	cx->db = NULL;
	err_clear(&cx->err);
	return ctx_fail(cx, RC_IO, "%s: not the schema of this version (%s); run \"stagentctl "
	    "migrate\"", path, why);
}

enum rc ctl_open(struct ctx *cx)
{
	struct db_options o = { conf_path(cx->conf->data_dir, DB_FILE), cx->conf->db_synchronous,
		false, false };

	if (access(o.path, R_OK | W_OK) < 0 && errno == ENOENT)
		return ctx_fail(cx, RC_NOTFOUND, "%s: no database yet; it is made when stagent-fcgi "
		    "starts, or by \"stagentctl migrate\"", o.path);
	if (access(o.path, R_OK | W_OK) < 0)
		return ctx_fail(cx, RC_IO, "%s: %s; run it as the user that owns the data folder",
		    o.path, strerror(errno));
	if (db_open(&cx->db, &o, &cx->err) != RC_OK)
		return cx->err.rc;
	ctx_begin(cx, "ctl", NULL);
	return db_check_statements(cx->db) == RC_OK ? RC_OK : not_current(cx, o.path);
}

static int run(struct ctx *cx, const struct ctl_command *c, int argc, char **argv)
{
	int status;

	if (argc && !*c->arguments)
		return ctl_usage(c->name);
	if (c->needs_db && ctl_open(cx) != RC_OK)
		return ctl_failed(cx);
	status = c->run(cx, argc, argv);
	db_close(cx->db);
	return status;
}

static const struct ctl_command *find_command(const char *name)
{
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		if (strcmp(COMMANDS[i].name, name) == 0)
			return &COMMANDS[i];
	return NULL;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

int main(int argc, char **argv)
{
	const struct ctl_command *c;
	struct conf conf = { 0 };
	struct ctx cx = { .conf = &conf, .actor = "ctl" };
	const char *file;
	int next, status;

	umask(077);
	if (argc > 1 && asks_for_help(argv[1]))
		return usage(stdout);
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("stagentctl " PACKAGE_VERSION);
		return 0;
	}
	if (!conf_arguments(argc, argv, &file, &next) || next >= argc)
		return usage(stderr);
	c = find_command(argv[next]);
	if (!c) {
		fprintf(stderr, "stagentctl: unknown command %s\n", argv[next]);
		return usage(stderr);
	}
	log_init("stagentctl", LOG_INFO);
	cx.arena = arena_new(ARENA_REQUEST_MAX);
	if (c->run == ctl_doctor)
		keys_file_load(cx.arena, keys_file_path(cx.arena, file ? file : CONF_FILE_DEFAULT));
	if (ctl_config_edits(argc - next, argv + next)) {
		status = ctl_config_edit(&cx, &conf, file, argc, argv, next);
	} else if (conf_load(&conf, argc, argv, &next)) {
		bell_init(conf.run_dir);
		status = run(&cx, c, argc - next - 1, argv + next + 1);
	} else {
		status = 2;
	}
	arena_free(cx.arena);
	return status;
}
