/* stagent-jobrunner: the supervisor, or (started by it) the process of one job. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "core/log.h"
#include "core/migrate.h"
#include "core/text.h"
#include "jobrunner/runner.h"

#define PROGRAM "stagent-jobrunner"

static int usage(void)
{
	fputs("usage: " PROGRAM " [-c file] [-o name=value]...\n", stderr);
	return 2;
}

static int supervise(const struct conf *conf, int argc, char **argv)
{
	struct err e = { 0 };

	if (!conf_make_dirs(conf))
		return 1;
	if (migrate_run(conf, &e) != RC_OK) {
		log_error("%s", e.cause);
		return 1;
	}
	return supervisor_main(conf, argc, argv);
}

int main(int argc, char **argv)
{
	struct conf conf;
	enum log_level level = LOG_INFO;
	int64_t id, fence;
	int next;

	umask(027);
	if (!conf_load(&conf, argc, argv, &next))
		return 2;
	log_level_parse(conf.log_level, &level);
	log_init(PROGRAM, level);
	bell_init(conf.run_dir);
	if (next == argc)
		return supervise(&conf, argc, argv);
	if (argc - next == 3 && strcmp(argv[next], "run") == 0 &&
	    text_to_int(argv[next + 1], 1, INT64_MAX, &id) &&
	    text_to_int(argv[next + 2], 1, INT64_MAX, &fence))
		return job_main(&conf, id, fence);
	return usage();
}
