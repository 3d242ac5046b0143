/* The command-line clients as programs. See program.h. */
#include "jobrunner/program.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"

#define VERSION_MS  10000
#define VERSION_MAX 32
#define ENV_MAX	    128
#define LINES_MAX   20

extern char **environ;

const struct program PROGRAM_CLAUDE = { "Claude Code", "@anthropic-ai/claude-code", "claude-code",
	offsetof(struct conf, claude_program), { 2, 0 } };
const struct program PROGRAM_CODEX = { "Codex", "@openai/codex", "codex",
	offsetof(struct conf, codex_program), { 0, 100 } };

static bool can_run(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0;
}

const char *program_find(const struct conf *c, struct arena *a, const struct program *p)
{
	const char *name = *(const char *const *)((const char *)c + p->option);
	const char *at = getenv("PATH"), *end, *file;

	if (strchr(name, '/'))
		return can_run(name) ? name : NULL;
	for (at = at ? at : "/usr/local/bin:/usr/bin:/bin"; *name && *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, ':');
		file = arena_printf(a, "%.*s/%s", (int)(end - at), at, name);
		if (end > at && can_run(file))
			return file;
	}
	return NULL;
}

const char *program_missing(struct arena *a, const struct program *p)
{
	return arena_printf(
	    a, "%s CLI not found. Install it, or choose another runtime.", p->label);
}

/* The first word of LINE that looks like a version; NULL where there is none. */
static const char *find_version(struct arena *a, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = 0, dots = 0;

		if (i && line[i - 1] != ' ' && line[i - 1] != 'v')
			continue;
		while (i + len < n && ((line[i + len] >= '0' && line[i + len] <= '9') ||
					  (len && line[i + len] == '.')))
			dots += line[i + len++] == '.';
		if (dots && len <= VERSION_MAX)
			return arena_strndup(a, line + i, len);
	}
	return NULL;
}

/* Reads what it says until a version is found or there is no more of it. */
static const char *read_version(struct arena *a, struct child *c, const char **why)
{
	int64_t end = mono_ms() + VERSION_MS;
	const char *line, *found = NULL;
	enum child_event ev = CHILD_NOTHING;
	size_t n;

	for (int i = 0; i < LINES_MAX && !found; i++) {
		ev = child_next(c, -1, (int)(end - mono_ms()), &line, &n);
		if (ev != CHILD_LINE)
			break;
		found = find_version(a, line, n);
	}
	if (found)
		return found;
	if (ev == CHILD_NOTHING)
		*why = "it does not answer";
	else if (ev == CHILD_ENDED && child_status(c) != 0)
		*why = arena_printf(a, "%s%s%s", child_status_words(a, c),
		    *child_last_words(a, c, 1) ? ": " : "", child_last_words(a, c, 200));
	else
		*why = "its answer has no version";
	return NULL;
}

const char *program_version(struct arena *a, const char *file, const char **why)
{
	const char *argv[] = { file, "--version", NULL }, *extra[] = { NULL }, *ignored, *version;
	struct child_spec spec = { file, argv, program_env(a, extra), "/", NULL };
	struct err e = { 0 };
	struct child *c = child_start(&spec, &e);

	if (!why)
		why = &ignored;
	*why = NULL;
	if (!c) {
		*why = arena_strdup(a, e.msg);
		return NULL;
	}
	child_close_input(c);
	version = read_version(a, c, why);
	child_free(c);
	return version;
}

bool program_version_ok(const struct program *p, const char *version)
{
	char *rest;
	long major, minor = 0;

	if (!version)
		return true;
	major = strtol(version, &rest, 10);
	if (*rest == '.')
		minor = strtol(rest + 1, NULL, 10);
	return major > p->oldest[0] || (major == p->oldest[0] && minor >= p->oldest[1]);
}

const char *program_broken(struct arena *a, const struct program *p, const char *file,
    const char *version, const char *what)
{
	const char *why = NULL, *seen;

	if (!version)
		version = program_version(a, file, &why);
	seen = version ? arena_printf(a, "version %s", version)
		       : arena_printf(a, "no version: %s", why);
	if (!program_version_ok(p, version))
		return arena_printf(a,
		    "%s. %s at %s (%s) is older than %d.%d. Install a newer one: npm install -g %s",
		    what, p->label, file, seen, p->oldest[0], p->oldest[1], p->package);
	return arena_printf(a,
	    "%s. The program is %s at %s (%s). Try it in a shell; to install it anew: npm install "
	    "-g %s",
	    what, p->label, file, seen, p->package);
}

const char *program_home(const struct conf *c, struct arena *a, const struct program *p)
{
	const char *all = arena_printf(a, "%s/runtimes", c->data_dir);
	const char *home = arena_printf(a, "%s/%s", all, p->home);

	if ((mkdir(all, 0700) < 0 && errno != EEXIST) || (mkdir(home, 0700) < 0 && errno != EEXIST))
		return NULL;
	return home;
}

/* What a client gets from our own environment. */
static bool is_passed_on(const char *var)
{
	static const char *const NAMES[] = { "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG",
		"TZ", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy",
		"https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE" };
	size_t n = strcspn(var, "=");

	if (text_starts(var, "LC_"))
		return true;
	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (strlen(NAMES[i]) == n && memcmp(NAMES[i], var, n) == 0)
			return true;
	return false;
}

const char *const *program_env(struct arena *a, const char *const *extra)
{
	const char **env = arena_array(a, const char *, ENV_MAX + 1);
	size_t n = 0;

	for (; *extra && n < ENV_MAX; extra++)
		env[n++] = *extra;
	for (char **v = environ; *v && n < ENV_MAX; v++)
		if (is_passed_on(*v))
			env[n++] = *v;
	return env;
}
