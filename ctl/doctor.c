/* stagentctl doctor: looks at everything an installation needs and says what is wrong and how to
 * mend it. A line each: ok, warn or FAIL. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/migrate.h"
#include "core/profile.h"
#include "core/setting.h"
#include "core/text.h"
#include "ctl/ctl.h"

#define KEY_BYTES 32
#define VERSION_WAIT_S 10
#define FREE_MIN ((uint64_t)200 << 20)

static int failures;

static void say(const char *level, const char *what, const char *mend)
{
	printf("%-4s  %s%s%s\n", level, what, *mend ? "\n      -> " : "", mend);
	failures += strcmp(level, "FAIL") == 0;
}

static void check_folder(struct ctx *cx)
{
	const char *dir = cx->conf->data_dir;
	struct statvfs v;
	struct stat st;

	if (stat(dir, &st) < 0 || access(dir, W_OK) < 0) {
		say("FAIL", arena_printf(cx->arena, "data folder %s: %s", dir, strerror(errno)),
		    "run as the user that owns it, or set data.dir");
		return;
	}
	if (st.st_mode & 077)
		say("warn", "the data folder can be read by other users", "chmod 700 it");
	else
		say("ok", arena_printf(cx->arena, "data folder %s", dir), "");
	if (statvfs(dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < FREE_MIN)
		say("warn", "less than 200 MB free", "writes answer 507 once the disk is full");
}

static void check_key_file(struct ctx *cx)
{
	struct stat st;

	if (lstat(conf_path(cx->conf->data_dir, ".keyfile"), &st) < 0)
		say("ok", "no key file yet (made when the first secret is stored)", "");
	else if (!S_ISREG(st.st_mode) || st.st_size != KEY_BYTES)
		say("FAIL", "the key file is not a file of 32 bytes",
		    "restore it from a backup: stored keys cannot be read without it");
	else if (st.st_mode & 077)
		say("warn", "the key file can be read by other users", "chmod 600 it");
	else
		say("ok", "key file", "");
}

static bool check_database(struct ctx *cx)
{
	struct db_options o = { conf_path(cx->conf->data_dir, DB_FILE), cx->conf->db_synchronous,
		false, false };
	const char *word;

	if (access(o.path, F_OK) < 0) {
		say("warn", "no database yet", "it is made when stagent-fcgi starts");
		return false;
	}
	if (db_open(&cx->db, &o, &cx->err) != RC_OK) {
		say("FAIL", cx->err.cause, "restore a backup if the file is damaged");
		return false;
	}
	ctx_begin(cx, "ctl", NULL);
	if (db_check_statements(cx->db) != RC_OK) {
		say("FAIL", "the database's schema is not current", "stagentctl migrate");
		return false;
	}
	word = db_get_text(cx->db, cx->arena, Q_CTL_INTEGRITY, "");
	if (!word || strcmp(word, "ok") != 0)
		say("FAIL", "the database fails its integrity check", "restore a backup");
	else
		say("ok", arena_printf(cx->arena, "database %s", o.path), "");
	return true;
}

/* Whether somebody listens on the Unix socket. */
static bool answers(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static void check_programs(struct ctx *cx)
{
	int fd = open(conf_path(cx->conf->data_dir, "runner.lock"), O_RDWR | O_CLOEXEC);
	bool runs = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;

	if (fd >= 0)
		close(fd);
	if (answers(cx->conf->http_socket))
		say("ok", arena_printf(cx->arena, "stagent-fcgi on %s", cx->conf->http_socket), "");
	else
		say("FAIL",
		    arena_printf(cx->arena, "nobody listens on %s", cx->conf->http_socket),
		    "start stagent-fcgi (systemctl start stagent-fcgi)");
	if (runs)
		say("ok", "stagent-jobrunner", "");
	else
		say("FAIL", "the job runner does not run: tasks stay queued",
		    "start stagent-jobrunner (systemctl start stagent-jobrunner)");
}

static void check_providers(struct ctx *cx)
{
	static const struct {
		const char *provider, *words, *mend;
	} P[] = {
		{ "anthropic", "Anthropic key", "set ANTHROPIC_API_KEY or POST /api/settings" },
		{ "openai", "OpenAI key", "set OPENAI_API_KEY or POST /api/settings/openai" },
	};

	for (size_t i = 0; i < COUNT(P); i++) {
		const char *key = provider_key(cx, P[i].provider);

		if (key && *key)
			say("ok", P[i].words, "");
		else
			say("warn", arena_printf(cx->arena, "no %s", P[i].words), P[i].mend);
	}
}

/* Leaves only what a program needs to run; keys are none of it. */
static void keep_environment(void)
{
	static const char *const NAMES[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG",
		"LC_ALL", "TZ", "TMPDIR" };
	const char *values[COUNT(NAMES)];

	for (size_t i = 0; i < COUNT(NAMES); i++)
		values[i] = getenv(NAMES[i]);
	environ = NULL;
	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (values[i])
			setenv(NAMES[i], values[i], 1);
}

/* The first line that PROGRAM --version prints, or NULL where it cannot be run. */
static const char *version_of(struct arena *a, const char *program)
{
	char line[128] = "";
	int out[2], status = -1;
	ssize_t n = 0;
	pid_t pid;

	if (pipe(out) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(out[0]);
		close(out[1]);
		alarm(VERSION_WAIT_S);
		keep_environment();
		execlp(program, program, "--version", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	if (pid > 0) {
		n = read(out[0], line, sizeof line - 1);
		close(out[0]);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	} else {
		close(out[0]);
	}
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return status == 0 ? text_trim(a, arena_strdup(a, line)) : NULL;
}

/* The command-line agents; without them the runtimes of their providers still work over HTTP. */
static void check_agents(struct ctx *cx)
{
	static const struct {
		const char *env, *program, *mend;
	} P[] = {
		{ "STAGENT_CLAUDE_BIN", "claude",
		    "install Claude Code (npm install -g @anthropic-ai/claude-code) or set "
		    "STAGENT_CLAUDE_BIN; the runtime anthropic-direct needs only a key" },
		{ "STAGENT_CODEX_BIN", "codex",
		    "install Codex (npm install -g @openai/codex) or set STAGENT_CODEX_BIN" },
	};

	for (size_t i = 0; i < COUNT(P); i++) {
		const char *named = getenv(P[i].env);
		const char *program = named && *named ? named : P[i].program;
		const char *version = version_of(cx->arena, program);

		if (version)
			say("ok", arena_printf(cx->arena, "%s: %s", program, version), "");
		else
			say("warn", arena_printf(cx->arena, "no program %s", program), P[i].mend);
	}
}

int ctl_doctor(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	say("ok", db_engine(), "");
	check_folder(cx);
	check_key_file(cx);
	if (profile_find(cx->conf, "general"))
		say("ok", "built-in profiles", "");
	else
		say("FAIL",
		    arena_printf(cx->arena, "no profiles in %s", cx->conf->share_dir),
		    "set share.dir to the installed share/stagent folder");
	if (check_database(cx))
		check_providers(cx);
	check_agents(cx);
	check_programs(cx);
	return failures ? 1 : 0;
}
