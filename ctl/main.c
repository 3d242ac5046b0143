/* stagentctl: what runs, what waits and for whom, and whether the installation is sound. */
#include "ctl/ctl.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/migrate.h"

static const struct ctl_command COMMANDS[] = {
	{ "status", "", "tasks, jobs, runs and today's spending", true, ctl_status },
	{ "jobs", "[all]", "the job queue, newest first", true, ctl_jobs },
	{ "approvals", "[allow ID [always] | deny ID [MESSAGE]]",
	    "open requests; answer one of them", true, ctl_approvals },
	{ "audit", "[ID]", "who changed what, newest first; of one thing", true, ctl_audit },
	{ "config", "", "every option with its value in force", false, ctl_config },
	{ "migrate", "", "bring the database's schema up to date", false, ctl_migrate },
	{ "doctor", "", "check the installation and name what is wrong", false, ctl_doctor },
};

static int usage(FILE *f)
{
	fputs("usage: stagentctl [-c file] [-o name=value]... command\n\n", f);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		fprintf(f, "  %s %s\n        %s\n", COMMANDS[i].name, COMMANDS[i].arguments,
		    COMMANDS[i].help);
	return f == stdout ? 0 : 2;
}

int ctl_failed(struct ctx *cx)
{
	fprintf(stderr, "stagentctl: %s\n",
	    cx->err.cause[0] ? cx->err.cause : cx->err.msg[0] ? cx->err.msg : "failed");
	return 1;
}

static int run(struct ctx *cx, const struct ctl_command *c, int argc, char **argv)
{
	struct db_options o = { conf_path(cx->conf->data_dir, DB_FILE), cx->conf->db_synchronous,
		false, false };
	int status;

	if (c->needs_db) {
		if (access(o.path, F_OK) < 0) {
			fprintf(stderr, "stagentctl: no database at %s\n", o.path);
			return 1;
		}
		if (db_open(&cx->db, &o, &cx->err) != RC_OK)
			return ctl_failed(cx);
		ctx_begin(cx, "ctl", NULL);
	}
	status = c->run(cx, argc, argv);
	db_close(cx->db);
	return status;
}

int main(int argc, char **argv)
{
	struct conf conf;
	struct ctx cx = { .conf = &conf, .actor = "ctl" };
	int next, status = 2;

	umask(077);
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout);
	if (!conf_load(&conf, argc, argv, &next))
		return 2;
	log_init("stagentctl", LOG_INFO);
	bell_init(conf.run_dir);
	if (next >= argc)
		return usage(stderr);
	cx.arena = arena_new(ARENA_REQUEST_MAX);
	for (size_t i = 0; i < COUNT(COMMANDS); i++)
		if (strcmp(COMMANDS[i].name, argv[next]) == 0) {
			status = run(&cx, &COMMANDS[i], argc - next - 1, argv + next + 1);
			arena_free(cx.arena);
			return status;
		}
	arena_free(cx.arena);
	fprintf(stderr, "stagentctl: unknown command %s\n", argv[next]);
	return usage(stderr);
}
