/* The options and where their values come from. Adding one is a row here and a member in conf.h. */
#include "core/conf.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define DAYS_MAX 36500

/* Who reads: everything that starts; every process with a log and a database; all that act. */
#define STARTERS (READ_MASTER | READ_RUNNER | READ_CLIENTS)
#define LOGGERS  (READ_POOL | READ_RUNNER | READ_CLIENTS)
#define ACTORS   (READ_POOL | READ_RUNS | READ_CLIENTS)

#define TEXT(name, env, member, value, readers, help) \
	{ name, env, OPT_TEXT, offsetof(struct conf, member), 0, 0, NULL, value, false, readers, \
		help }
#define WORD(name, member, words, value, readers, help) \
	{ name, NULL, OPT_WORD, offsetof(struct conf, member), 0, 0, words, value, false, readers, \
		help }
#define SECRET(name, env, member, readers, help) \
	{ name, env, OPT_TEXT, offsetof(struct conf, member), 0, 0, NULL, "", true, readers, help }
#define INT(name, member, min, max, value, readers, help) \
	{ name, NULL, OPT_INT, offsetof(struct conf, member), min, max, NULL, value, false, \
		readers, help }

const struct conf_option CONF_OPTIONS[] = {
	TEXT("data.dir", "STAGENT_DATA_DIR", data_dir, "", STARTERS,
	    "Folder of the database, key file, uploads, outputs, blueprints; default ~/.stagent"),
	TEXT("run.dir", "STAGENT_RUN_DIR", run_dir, "", STARTERS,
	    "Folder of sockets and locks; default <data.dir>/run"),
	TEXT("share.dir", "STAGENT_SHARE_DIR", share_dir, PKGDATADIR, ACTORS,
	    "Folder of the built-in profiles and blueprints, and of the prices"),
	TEXT("http.socket", NULL, http_socket, "", READ_MASTER,
	    "FastCGI socket; default <run.dir>/fcgi.sock"),
	TEXT("http.socket_group", NULL, http_socket_group, "", READ_MASTER,
	    "Group that may connect to the FastCGI socket; empty: that of the process"),
	TEXT("http.hosts", "STAGENT_HOSTS", http_hosts, "localhost 127.0.0.1 [::1]", READ_POOL,
	    "Host names that are answered, blanks between; a port is ignored"),
	INT("http.body_max", http_body_max, 1024, 64 << 20, "10485760", READ_POOL,
	    "Largest JSON body in bytes"),
	WORD("log.level", log_level, "debug info warn error", "info", LOGGERS,
	    "debug, info, warn or error"),
	WORD("db.synchronous", db_synchronous, "full normal", "full", LOGGERS,
	    "full: an answered write survives a power cut; normal: it survives a crash"),
	INT("pool.workers", pool_workers, 0, 256, "0", READ_POOL,
	    "Worker processes; 0: twice the cores, at least 4"),
	INT("pool.requests", pool_requests, 0, 1000000000, "1000000", READ_POOL,
	    "Requests after which a worker is replaced; 0: never"),
	INT("streams.max", streams_max, 1, 1000000, "16384", READ_POOL,
	    "Event streams open at a time"),
	INT("runs.max", runs_max, 1, 1024, "16", READ_RUNNER,
	    "Agent runs at a time"),
	INT("runs.max_per_runtime", runs_max_runtime, 1, 1024, "1024", READ_RUNNER,
	    "Agent runs at a time on one runtime"),
	INT("runs.max_programs", runs_max_programs, 1, 1024, "8", READ_RUNNER,
	    "Agent runs at a time on Claude Code and Codex together"),
	INT("runs.park_after", runs_park_s, 0, 86400, "60", READ_RUNS,
	    "Seconds after which a run that waits for a person is saved and leaves memory"),
	INT("queue.max", queue_max, 1, 10000000, "100000", ACTORS,
	    "Jobs that may wait"),
	INT("mcp.permission_timeout", mcp_wait_s, 1, MCP_WAIT_MAX_S, "120", READ_CLIENTS,
	    "Seconds after which a call of an MCP client that nobody has allowed is denied"),
	INT("retention.log_days", retention_log_days, 0, DAYS_MAX, "0", READ_RUNNER,
	    "Days that agent log rows of ended tasks are kept; 0: for ever"),
	INT("retention.notification_days", retention_notification_days, 0, DAYS_MAX, "0",
	    READ_RUNNER,
	    "Days that answered notifications are kept; 0: for ever"),
	INT("retention.audit_days", retention_audit_days, 0, DAYS_MAX, "365", READ_RUNNER,
	    "Days that audit rows are kept; 0: for ever"),
	INT("retention.job_days", retention_job_days, 1, DAYS_MAX, "7", READ_RUNNER,
	    "Days that ended jobs are kept"),
	SECRET("anthropic.key", "ANTHROPIC_API_KEY", anthropic_key, ACTORS,
	    "Anthropic key, used where none is stored"),
	TEXT("anthropic.url", "ANTHROPIC_BASE_URL", anthropic_url, "https://api.anthropic.com",
	    READ_RUNS,
	    "Address of the Anthropic API"),
	SECRET("openai.key", "OPENAI_API_KEY", openai_key, ACTORS,
	    "OpenAI key, used where none is stored"),
	TEXT("openai.url", "OPENAI_BASE_URL", openai_url, "https://api.openai.com/v1", READ_RUNS,
	    "Address of the OpenAI API"),
	TEXT("ollama.url", NULL, ollama_url, "http://localhost:11434", READ_RUNS,
	    "Address of the Ollama server, used where no setting has one"),
	TEXT("claude.program", "STAGENT_CLAUDE_BIN", claude_program, "claude", READ_RUNS,
	    "The Claude Code program: a path, or a name that is looked up in PATH"),
	TEXT("codex.program", "STAGENT_CODEX_BIN", codex_program, "codex", READ_RUNS,
	    "The Codex program: a path, or a name that is looked up in PATH"),
	WORD("runtime.fallback", runtime_fallback, "on off", "on", READ_RUNS,
	    "on: without the Claude Code program its tasks run on the built-in loop, if there is an "
	    "Anthropic key; off: they fail"),
	TEXT("github.api", "STAGENT_GITHUB_API_URL", github_api, "https://api.github.com",
	    READ_RUNS,
	    "Address of the GitHub API, from which profiles and blueprints are imported"),
	TEXT("github.raw", "STAGENT_GITHUB_RAW_URL", github_raw,
	    "https://raw.githubusercontent.com", READ_RUNS,
	    "Address of GitHub's files"),
	SECRET("github.token", "GITHUB_TOKEN", github_token, READ_RUNS,
	    "GitHub token: for private repositories, and more calls an hour"),
	TEXT("anthropic.prices", NULL, anthropic_prices, "https://www.anthropic.com/pricing",
	    READ_RUNS,
	    "Page from which Anthropic's prices are refreshed"),
	TEXT("openai.prices", NULL, openai_prices, "https://openai.com/api/pricing/", READ_RUNS,
	    "Page from which OpenAI's prices are refreshed"),
};
const size_t CONF_OPTIONS_N = COUNT(CONF_OPTIONS);
_Static_assert(COUNT(CONF_OPTIONS) <= CONF_OPTIONS_MAX, "struct conf has room for every row");

/* The three texts joined, kept until the process ends; on a list, for leak checkers to see. */
static const char *keep(const char *one, const char *two, const char *three)
{
	static struct kept {
		struct kept *next;
		char text[];
	} *all;
	size_t size = strlen(one) + strlen(two) + strlen(three) + 1;
	struct kept *k = malloc(sizeof *k + size);

	if (!k)
		abort();
	k->next = all;
	all = k;
	snprintf(k->text, size, "%s%s%s", one, two, three);
	return k->text;
}

static void *member(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->offset;
}

static const struct conf_option *find(const char *name, size_t n)
{
	for (size_t i = 0; i < CONF_OPTIONS_N; i++)
		if (strlen(CONF_OPTIONS[i].name) == n &&
		    memcmp(CONF_OPTIONS[i].name, name, n) == 0)
			return &CONF_OPTIONS[i];
	return NULL;
}

const struct conf_option *conf_find(const char *name)
{
	return find(name, strlen(name));
}

/* Whether WORD is one of those in LIST. */
static bool is_listed(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; n && *s; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");

		if (len == n && memcmp(s, word, n) == 0)
			return true;
		s += len;
	}
	return false;
}

bool conf_fits(const struct conf_option *o, const char *value, char *why, size_t size)
{
	int64_t number;

	if (o->type == OPT_INT && !text_to_int(value, o->min, o->max, &number)) {
		snprintf(why, size, "%s must be a whole number from %lld to %lld, not \"%s\"",
		    o->name, (long long)o->min, (long long)o->max, value);
		return false;
	}
	if (o->type == OPT_WORD && !is_listed(o->words, value)) {
		snprintf(why, size, "%s must be one of the words %s, not \"%s\"", o->name,
		    o->words, value);
		return false;
	}
	return true;
}

/* FROM is the place in words, for the message. */
static bool set(struct conf *c, const struct conf_option *o, const char *value,
    enum conf_source source, const char *from)
{
	char why[512];

	if (!conf_fits(o, value, why, sizeof why)) {
		fprintf(stderr, "%s: %s\n", from, why);
		return false;
	}
	if (o->type == OPT_INT)
		text_to_int(value, o->min, o->max, member(c, o));
	else
		*(const char **)member(c, o) = keep(value, "", "");
	c->from[o - CONF_OPTIONS] = source;
	return true;
}

/* One "name = value"; blanks around both are dropped, the value runs to the end of the line. */
static bool assign(struct conf *c, const char *line, enum conf_source source, const char *from)
{
	const char *eq = strchr(line, '='), *value;
	const struct conf_option *o;
	size_t n;
	char *copy;
	bool ok;

	if (!eq) {
		fprintf(stderr, "%s: not of the form name = value\n", from);
		return false;
	}
	for (n = (size_t)(eq - line); n && (line[n - 1] == ' ' || line[n - 1] == '\t');)
		n--;
	o = find(line, n);
	if (!o) {
		fprintf(stderr, "%s: unknown option %.*s\n", from, (int)n, line);
		return false;
	}
	value = eq + 1 + strspn(eq + 1, " \t");
	copy = strdup(value);
	if (!copy)
		return false;
	for (n = strlen(copy); n && strchr(" \t\r\n", copy[n - 1]);)
		copy[--n] = '\0';
	ok = set(c, o, copy, source, from);
	free(copy);
	return ok;
}

/* Whether ARGUMENT would set a secret, which a command line shows to every user of the machine. */
static bool names_secret(const char *argument)
{
	const struct conf_option *o = find(argument, strcspn(argument, " \t="));

	if (o && o->secret)
		fprintf(stderr, "-o: %s is a secret: put it into the configuration file, or into %s\n",
		    o->name, o->env);
	return o && o->secret;
}

/* Whether LINE is all of its line. A longer one is an error, but for a comment, which is skipped. */
static bool is_whole(FILE *f, const char *line, const char *from)
{
	int c;

	if (strchr(line, '\n') || feof(f))
		return true;
	if (line[strspn(line, " \t\r")] != '#') {
		fprintf(stderr, "%s: longer than %d bytes\n", from, CONF_LINE_MAX - 1);
		return false;
	}
	do
		c = getc(f);
	while (c != '\n' && c != EOF);
	return true;
}

static bool read_file(struct conf *c, const char *path, bool must_exist)
{
	char line[CONF_LINE_MAX], from[512];
	FILE *f = fopen(path, "re");
	bool ok = true;

	if (!f) {
		if (!must_exist && errno == ENOENT)
			return true;
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	for (int n = 1; ok && fgets(line, sizeof line, f); n++) {
		const char *s = line + strspn(line, " \t\r\n");

		snprintf(from, sizeof from, "%s line %d", path, n);
		ok = is_whole(f, line, from) &&
		    (!*s || *s == '#' || assign(c, s, CONF_FILE, from));
	}
	if (ok && ferror(f)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		ok = false;
	}
	fclose(f);
	return ok;
}

static bool read_environment(struct conf *c)
{
	for (size_t i = 0; i < CONF_OPTIONS_N; i++) {
		const struct conf_option *o = &CONF_OPTIONS[i];
		const char *value = o->env ? getenv(o->env) : NULL;

		if (value && *value && !set(c, o, value, CONF_ENVIRONMENT, o->env))
			return false;
	}
	return true;
}

const char *conf_path(const char *dir, const char *name)
{
	return keep(dir, "/", name);
}

static void derive(struct conf *c)
{
	const char *home = getenv("HOME");

	if (!*c->data_dir)
		c->data_dir = conf_path(home && *home ? home : ".", ".stagent");
	if (!*c->run_dir)
		c->run_dir = conf_path(c->data_dir, "run");
	if (!*c->http_socket)
		c->http_socket = conf_path(c->run_dir, "fcgi.sock");
}

bool conf_arguments(int argc, char **argv, const char **file, int *next)
{
	int opt;

	*file = NULL;
	optind = 1;
	while ((opt = getopt(argc, argv, "+c:o:")) != -1)
		if (opt == 'c')
			*file = optarg;
		else if (opt == '?')
			return false;
	*next = optind;
	return true;
}

bool conf_load(struct conf *c, int argc, char **argv, int *next)
{
	const char *file;
	int opt;

	for (size_t i = 0; i < CONF_OPTIONS_N; i++)
		if (!set(c, &CONF_OPTIONS[i], CONF_OPTIONS[i].otherwise, CONF_DEFAULT, "default"))
			return false;
	if (!conf_arguments(argc, argv, &file, next))
		return false;
	c->file = file ? file : CONF_FILE_DEFAULT;
	if (!read_file(c, c->file, file != NULL) || !read_environment(c))
		return false;
	optind = 1;
	while ((opt = getopt(argc, argv, "+c:o:")) != -1)
		if (opt == 'o' &&
		    (names_secret(optarg) || !assign(c, optarg, CONF_COMMAND_LINE, "-o")))
			return false;
	derive(c);
	return true;
}

void conf_show(const struct conf *c, const struct conf_option *o, struct buf *out)
{
	const char *p = (const char *)c + o->offset;

	if (o->type == OPT_INT)
		buf_printf(out, "%lld", (long long)*(const int64_t *)(const void *)p);
	else if (o->secret)
		buf_str(out, **(const char *const *)(const void *)p ? "***" : "");
	else
		buf_str(out, *(const char *const *)(const void *)p);
}

/* mkdir -p; an existing folder is left as it is. */
static bool make_dir(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	bool ok = false;

	if (!copy)
		return false;
	for (char *p = copy + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(copy, 0755) < 0 && errno != EEXIST)
				goto out;
			*p = '/';
		}
	ok = mkdir(copy, mode) == 0 || errno == EEXIST;
out:
	if (!ok)
		fprintf(stderr, "cannot make the folder %s: %s\n", path, strerror(errno));
	free(copy);
	return ok;
}

bool conf_make_dirs(const struct conf *c)
{
	return make_dir(c->data_dir, 0700) && make_dir(c->run_dir, 0755);
}
