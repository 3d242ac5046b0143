/* Tools: files of the run's output folder.
 *
 * Nothing that a name says leads out of the folder: it is taken apart first, every folder on the
 * way is opened by itself, beneath the one before and never through a link, and the file replaces
 * what was there in one step. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/id.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/tools/tools_int.h"

#define LEVELS_MAX 8
#define CONTENT_MAX ((size_t)1 << 20)

static const struct field WRITE[] = {
	{ "filename", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 200,
	    .doc = "Path inside the output folder, ending in .md, .txt, .json, .csv or .html" },
	{ "content", F_STRING, F_REQUIRED | F_MAX, .max = (double)CONTENT_MAX,
	    .doc = "The whole text of the file" },
};
const struct shape PARAMS_WRITE_OUTPUT_FILE = { "write_output_file", WRITE, COUNT(WRITE) };

/* The parts of a name, folders first. */
struct parts {
	const char *part[LEVELS_MAX];
	size_t n;
};

static bool has_control(const char *s)
{
	for (const unsigned char *u = (const unsigned char *)s; *u; u++)
		if (*u < 0x20 || *u == 0x7f || (*u == 0xc2 && u[1] >= 0x80 && u[1] < 0xa0))
			return true;
	return false;
}

/* Takes NAME apart; "." and doubled slashes are passed over. */
static bool take_apart(struct arena *a, const char *name, struct parts *p)
{
	size_t n;

	p->n = 0;
	if (*name == '/' || has_control(name) || text_ends(name, "/"))
		return false;
	for (const char *s = name; *s; s += n) {
		n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.')
			return false;
		if (n && !(n == 1 && *s == '.')) {
			if (p->n == LEVELS_MAX || n > NAME_MAX)
				return false;
			p->part[p->n++] = arena_strndup(a, s, n);
		}
		n += s[n] == '/';
	}
	return p->n > 0;
}

static bool known_type(struct arena *a, const char *file)
{
	static const char *const TYPES[] = { ".md", ".txt", ".json", ".csv", ".html" };
	const char *lower = text_lower(a, file), *dot = strrchr(lower, '.');

	for (size_t i = 0; dot && dot > lower && i < COUNT(TYPES); i++)
		if (strcmp(dot, TYPES[i]) == 0)
			return true;
	return false;
}

/* Opens one name in a folder. NAME has no slash, so that plain openat does the same where the
 * kernel, or a filter in front of it, does not know the newer call. */
static int open_in(int dir, const char *name, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_NOFOLLOW | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof how);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return (int)fd;
}

/* Opens the folder in which the file belongs, making what is missing; -1 with errno. */
static int open_folder(const char *root, const struct parts *p)
{
	int dir, next;

	if (mkdir(root, 0700) < 0 && errno != EEXIST)
		return -1;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t i = 0; dir >= 0 && i + 1 < p->n; i++) {
		next = -1;
		if (mkdirat(dir, p->part[i], 0700) == 0 || errno == EEXIST)
			next = open_in(dir, p->part[i], O_RDONLY | O_DIRECTORY, 0);
		close(dir);
		dir = next;
	}
	return dir;
}

static bool write_all(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t w = write(fd, s, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		s += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0;
}

/* Writes beside NAME and takes its place; 0, or errno. */
static int replace(int dir, const char *name, const char *content, size_t n)
{
	char id[ID_SIZE], temp[ID_SIZE + 8];
	int fd, failed = 0;

	snprintf(temp, sizeof temp, ".%s.tmp", id_new(id));
	fd = open_in(dir, temp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return errno;
	if (!write_all(fd, content, n))
		failed = errno;
	if (close(fd) < 0 && !failed)
		failed = errno;
	if (!failed && renameat(dir, temp, dir, name) < 0)
		failed = errno;
	if (failed)
		unlinkat(dir, temp, 0);
	return failed;
}

/* A name that meets a link, or a file where a folder should be, is as bad as any other. */
static enum rc fail(struct ctx *cx, int code)
{
	if (code == ELOOP || code == ENOTDIR || code == EISDIR || code == EXDEV ||
	    code == ENAMETOOLONG || code == ENOTEMPTY || code == EEXIST)
		return ctx_fail(cx, RC_INVALID, "Invalid filename");
	return ctx_fail(cx, code == ENOSPC || code == EDQUOT ? RC_FULL : RC_IO,
	    "The file could not be written: %s", strerror(code));
}

enum rc tool_write_output_file(struct tool_env *env, const json_t *args, json_t **out)
{
	const char *content = json_str(args, "content");
	struct arena *a = env->cx->arena;
	size_t n = strlen(content);
	const char *path = env->output_dir;
	struct parts p;
	int dir, failed;

	if (!take_apart(a, json_str(args, "filename"), &p))
		return ctx_fail(env->cx, RC_INVALID, "Invalid filename");
	if (!known_type(a, p.part[p.n - 1]))
		return ctx_fail(env->cx, RC_INVALID,
		    "Unsupported file type. Use .md, .txt, .json, .csv or .html");
	if (n > CONTENT_MAX)
		return ctx_fail(env->cx, RC_TOOLARGE, "Content is larger than 1 MiB");
	if (!env->output_dir)
		return ctx_fail(env->cx, RC_INVALID, "This run has no output folder");
	dir = open_folder(env->output_dir, &p);
	if (dir < 0)
		return fail(env->cx, errno);
	failed = replace(dir, p.part[p.n - 1], content, n);
	close(dir);
	if (failed)
		return fail(env->cx, failed);
	for (size_t i = 0; i < p.n; i++)
		path = arena_printf(a, "%s/%s", path, p.part[i]);
	*out = json_pack("{s:s, s:I}", "path", path, "size", (json_int_t)n);
	return RC_OK;
}
