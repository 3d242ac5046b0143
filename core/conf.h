/* Options of the programs: one table of names, types, bounds, defaults and help (conf.c), filled
 * from, in rising order of weight: the defaults, the file (-c, else /etc/stagent/stagent.conf where
 * it exists), the environment, and -o name=value. */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include "core/buf.h"
#include "core/core.h"

#define MCP_WAIT_MAX_S 600
#define CONF_OPTIONS_MAX 64
#define CONF_LINE_MAX 4096 /* bytes of a line of the file, with its end */
#define CONF_FILE_DEFAULT SYSCONFDIR "/stagent/stagent.conf"

/* In rising order of weight. */
enum conf_source { CONF_DEFAULT, CONF_FILE, CONF_ENVIRONMENT, CONF_COMMAND_LINE };

struct conf {
	const char *data_dir;  /* database, key file, uploads, outputs */
	const char *run_dir;   /* sockets, locks */
	const char *share_dir; /* what ships as data */
	const char *http_socket;
	const char *http_socket_group;
	const char *http_hosts; /* allowed Host names, blanks between */
	const char *log_level;
	const char *db_synchronous; /* full, normal */
	int64_t http_body_max;      /* bytes of a JSON body */
	int64_t pool_workers;       /* 0: twice the cores, at least 4 */
	int64_t pool_requests;      /* requests after which a worker is replaced, 0: never */
	int64_t streams_max;
	int64_t runs_max;         /* runs at a time */
	int64_t runs_max_runtime; /* runs at a time on one runtime */
	int64_t runs_max_programs; /* runs at a time on the command-line runtimes */
	int64_t runs_park_s;      /* seconds until a run that waits for a person leaves */
	int64_t queue_max;        /* jobs that may wait */
	int64_t mcp_wait_s;       /* seconds that a call of an MCP client waits for the operator */
	int64_t retention_log_days;
	int64_t retention_notification_days;
	int64_t retention_audit_days;
	int64_t retention_job_days;
	const char *anthropic_key, *anthropic_url;
	const char *openai_key, *openai_url;
	const char *ollama_url;
	const char *claude_program, *codex_program;
	const char *runtime_fallback; /* on, off */
	const char *github_api, *github_raw, *github_token;
	const char *anthropic_prices, *openai_prices; /* addresses of their price pages */
	const char *file;                             /* that of -c, or the default one */
	enum conf_source from[CONF_OPTIONS_MAX];      /* of each row of CONF_OPTIONS */
};

enum opt_type { OPT_TEXT, OPT_WORD, OPT_INT };

/* Who reads an option, and with that what it takes for a change of the file to count. */
enum conf_reader {
	READ_MASTER = 1,  /* stagent-fcgi, when it starts */
	READ_POOL = 2,    /* its workers and its hub: a reload (SIGHUP) replaces them */
	READ_RUNNER = 4,  /* the supervisor of stagent-jobrunner, when it starts */
	READ_RUNS = 8,    /* the process of a run, and of any other job */
	READ_CLIENTS = 16 /* stagent-mcp, which its clients start */
};

struct conf_option {
	const char *name, *env;
	enum opt_type type;
	size_t offset; /* in struct conf */
	int64_t min, max;
	const char *words;     /* of OPT_WORD: the values there are, blanks between */
	const char *otherwise; /* default; "" for none */
	bool secret;
	unsigned readers; /* bits of enum conf_reader */
	const char *help;
};

extern const struct conf_option CONF_OPTIONS[];
extern const size_t CONF_OPTIONS_N;

/* Reads everything; the texts live until the process ends. Handles -c and -o of ARGV and leaves
 * the index of the first other argument in *NEXT. On failure says why on standard error and
 * returns false. */
bool conf_load(struct conf *c, int argc, char **argv, int *next);
/* Only looks at the options of ARGV: the file that -c names, or NULL, and the index of the first
 * other argument. On failure says why on standard error and returns false. */
bool conf_arguments(int argc, char **argv, const char **file, int *next);
/* The row of the table, or NULL. */
const struct conf_option *conf_find(const char *name);
/* Whether VALUE fits the option; where not, WHY (of SIZE bytes) says in words what would. */
bool conf_fits(const struct conf_option *o, const char *value, char *why, size_t size);
/* The value of an option as text; secrets as "***" where set. */
void conf_show(const struct conf *c, const struct conf_option *o, struct buf *out);
/* <dir>/<name>, kept until the process ends. */
const char *conf_path(const char *dir, const char *name);
/* Creates the data and run folders, mode 0700 and 0755. */
bool conf_make_dirs(const struct conf *c);

#endif
