/* stagentctl doctor: looks at everything an installation needs and says what is wrong and how to
 * mend it. A line each: ok, warn or FAIL. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/blueprint.h"
#include "core/domain/settings.h"
#include "core/migrate.h"
#include "core/profile.h"
#include "core/setting.h"
#include "ctl/ctl.h"
#include "ctl/keys_file.h"
#include "jobrunner/program.h"

#define KEY_BYTES 32
#define FREE_MIN ((uint64_t)200 << 20)
#define AS_OWNER "run it as the user that owns the data folder"

static int failures;

static void say(const char *level, const char *what, const char *mend)
{
	printf("%-4s  %s%s%s\n", level, what, *mend ? "\n      -> " : "", mend);
	failures += strcmp(level, "FAIL") == 0;
}

/* What the services are given besides the configuration is looked at with them (main.c). */
static void check_keys_file(struct ctx *cx)
{
	const char *path = keys_file_path(cx->arena, cx->conf->file);

	if (access(path, F_OK) == 0 && access(path, R_OK) < 0)
		say("warn", arena_printf(cx->arena, "%s: %s", path, strerror(errno)),
		    "run it as root: keys and programs that the services have from there count as "
		    "missing below");
}

static void check_folder(struct ctx *cx)
{
	const char *dir = cx->conf->data_dir;
	struct statvfs v;
	struct stat st;

	if (stat(dir, &st) < 0 || access(dir, W_OK | X_OK) < 0) {
		say("FAIL", arena_printf(cx->arena, "data folder %s: %s", dir, strerror(errno)),
		    errno == ENOENT ? "it is made when stagent-fcgi starts; or set data.dir" : AS_OWNER);
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
	const char *path = conf_path(cx->conf->data_dir, ".keyfile");
	struct stat st;

	if (lstat(path, &st) < 0 && errno == ENOENT)
		say("ok", "no key file yet (made when the first secret is stored)", "");
	else if (access(path, R_OK) < 0)
		say("FAIL", arena_printf(cx->arena, "key file: %s", strerror(errno)), AS_OWNER);
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
	struct stat dir, file;
	const char *word;

	if (access(o.path, F_OK) < 0 && errno == ENOENT) {
		say("warn", "no database yet", "it is made when stagent-fcgi starts");
		return false;
	}
	if (access(o.path, R_OK | W_OK) < 0) {
		say("FAIL", arena_printf(cx->arena, "%s: %s", o.path, strerror(errno)), AS_OWNER);
		return false;
	}
	if (db_open(&cx->db, &o, &cx->err) != RC_OK) {
		say("FAIL", cx->err.cause, "restore a backup if the file is damaged");
		return false;
	}
	if (stat(cx->conf->data_dir, &dir) == 0 && stat(o.path, &file) == 0 &&
	    dir.st_uid != file.st_uid)
		say("warn", "the database does not belong to the owner of the data folder",
		    "chown it, or the other programs cannot write it");
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

/* 0 where somebody listens on the Unix socket, else an errno value. */
static int try_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), why;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	why = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? 0 : errno;
	if (fd >= 0)
		close(fd);
	return why;
}

static void check_pool(struct ctx *cx)
{
	const char *path = cx->conf->http_socket;
	int why = try_socket(path);

	if (!why)
		say("ok", arena_printf(cx->arena, "stagent-fcgi on %s", path), "");
	else if (why == EACCES)
		say("warn", arena_printf(cx->arena, "%s: %s", path, strerror(why)), AS_OWNER);
	else
		say("FAIL", arena_printf(cx->arena, "nobody listens on %s", path),
		    "start stagent-fcgi (systemctl start stagent-fcgi)");
}

static void check_runner(struct ctx *cx)
{
	switch (ctl_runner(cx)) {
	case RUNNER_WORKS:
		say("ok", "stagent-jobrunner", "");
		break;
	case RUNNER_UNKNOWN:
		say("warn", "whether the job runner runs: its lock cannot be read", AS_OWNER);
		break;
	case RUNNER_DOWN:
		say("FAIL", "the job runner does not run: tasks stay queued",
		    "start stagent-jobrunner (systemctl start stagent-jobrunner)");
		break;
	}
}

static void check_providers(struct ctx *cx)
{
	static const struct {
		const char *provider, *words, *setting, *mend;
	} P[] = {
		{ "anthropic", "Anthropic key", SETTING_AUTH_KEY,
		    "set ANTHROPIC_API_KEY or POST /api/settings" },
		{ "openai", "OpenAI key", SETTING_OPENAI_KEY,
		    "set OPENAI_API_KEY or POST /api/settings/openai" },
	};
	struct arena *a = cx->arena;

	for (size_t i = 0; i < COUNT(P); i++) {
		bool stored = setting_get(cx, P[i].setting) != NULL;
		const char *from;

		provider_key_from(cx, P[i].provider, &from);
		if (stored && (!from || strcmp(from, "db") != 0))
			say("FAIL",
			    arena_printf(a, "the stored %s cannot be decrypted", P[i].words),
			    "restore the key file from a backup, or store the key again");
		else if (from)
			say("ok",
			    arena_printf(a, "%s, %s", P[i].words,
				stored ? "stored" : "from the environment"),
			    "");
		else
			say("warn", arena_printf(a, "no %s", P[i].words), P[i].mend);
	}
}

/* A command-line agent that is there. */
static void check_found(struct arena *a, const struct program *p, const char *file)
{
	const char *why, *version = program_version(a, file, &why);
	const char *again = arena_printf(a, "npm install -g %s", p->package);

	if (!version)
		say("FAIL", arena_printf(a, "%s at %s is broken: %s", p->label, file, why),
		    arena_printf(a, "try it in a shell; to install it anew: %s", again));
	else if (!program_version_ok(p, version))
		say("warn",
		    arena_printf(a, "%s %s at %s is older than %d.%d", p->label, version, file,
			p->oldest[0], p->oldest[1]),
		    again);
	else
		say("ok", arena_printf(a, "%s %s at %s", p->label, version, file), "");
}

/* What it means that Claude Code is not there. */
static const char *without_claude(struct ctx *cx, bool has_db)
{
	const char *key = has_db ? provider_key(cx, "anthropic") : cx->conf->anthropic_key;

	if (strcmp(cx->conf->runtime_fallback, "on") != 0)
		return "tasks on claude-code fail (runtime.fallback is off)";
	return key && *key ? "the built-in loop stands in for it"
			   : "tasks on claude-code fail: the built-in loop that could stand in for it "
			     "has no Anthropic key";
}

static void check_agents(struct ctx *cx, bool has_db)
{
	const struct {
		const struct program *program;
		const char *name, *option, *missing;
	} P[] = {
		{ &PROGRAM_CLAUDE, cx->conf->claude_program, "claude.program",
		    without_claude(cx, has_db) },
		{ &PROGRAM_CODEX, cx->conf->codex_program, "codex.program",
		    "tasks on openai-codex-app-server fail" },
	};
	struct arena *a = cx->arena;

	for (size_t i = 0; i < COUNT(P); i++) {
		const struct program *p = P[i].program;
		const char *file = program_find(cx->conf, a, p);

		if (file)
			check_found(a, p, file);
		else
			say("warn",
			    arena_printf(a, "no %s (%s): %s", p->label, P[i].name, P[i].missing),
			    arena_printf(a, "npm install -g %s, or set %s", p->package,
				P[i].option));
	}
}

static bool has_blueprints(const struct conf *conf)
{
	size_t n, i = 0;
	const struct blueprint *const *list = blueprint_list(conf, &n);

	while (i < n && !list[i]->shipped)
		i++;
	return i < n;
}

static void check_shipped(struct ctx *cx, const char *what, bool there)
{
	if (there)
		say("ok", arena_printf(cx->arena, "built-in %s", what), "");
	else
		say("FAIL", arena_printf(cx->arena, "no %s in %s", what, cx->conf->share_dir),
		    "set share.dir to the installed share/stagent folder");
}

/* What ships as data. */
static void check_share(struct ctx *cx)
{
	check_shipped(cx, "profiles", profile_find(cx->conf, "general") != NULL);
	check_shipped(cx, "blueprints", has_blueprints(cx->conf));
}

int ctl_doctor(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	bool has_db;

	say("ok", "Stagent " PACKAGE_VERSION, "");
	say("ok", db_engine(), "");
	check_keys_file(cx);
	check_folder(cx);
	check_key_file(cx);
	check_share(cx);
	has_db = check_database(cx);
	if (has_db)
		check_providers(cx);
	check_agents(cx, has_db);
	check_pool(cx);
	check_runner(cx);
	return failures ? 1 : 0;
}
