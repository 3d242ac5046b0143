/* Folders of stored files. Everything goes by descriptors, so that a link that somebody else puts
 * anywhere leads nobody out of a folder. Fixed parents (outputs, documents) may be links: they are
 * the operator's. */
#include "core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "core/text.h"

int store_open_own(int dir, const char *name)
{
	int fd, at = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char proc[40];

	if (at < 0)
		return -1;
	fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) {
		snprintf(proc, sizeof proc, "/proc/self/fd/%d", at);
		if (chmod(proc, 0700) == 0)
			fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd >= 0 && fchmod(fd, 0700) < 0)
		log_debug("folder %s: %s", name, strerror(errno));
	close(at);
	return fd;
}

/* Makes the folders below DATA that PATH has. */
static void make_parents(struct arena *a, const char *data, const char *path)
{
	char *copy = arena_strdup(a, path);

	for (char *p = copy + strlen(data) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(copy, 0700);
	}
	mkdir(copy, 0700);
}

static bool names_a_folder(const char *id)
{
	return *id && !strchr(id, '/') && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;
}

const char *store_data(struct ctx *cx)
{
	const char *data = cx->conf->data_dir;
	char cwd[4096];
	size_t n = strlen(data);

	while (n > 1 && data[n - 1] == '/')
		n--;
	data = arena_strndup(cx->arena, data, n);
	if (*data != '/' && getcwd(cwd, sizeof cwd))
		data = arena_printf(cx->arena, "%s/%s", cwd, data);
	return data;
}

int store_open_fixed(struct ctx *cx, const char *name, bool make, const char **path)
{
	const char *data = store_data(cx), *at = arena_printf(cx->arena, "%s/%s", data, name);
	int fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && make && errno == ENOENT) {
		make_parents(cx->arena, data, at);
		fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (path)
		*path = at;
	return fd;
}

int store_open(struct ctx *cx, const char *below, const char *id, bool make,
    const char **path)
{
	const char *data = store_data(cx), *parent;
	int dir, fd, saved;

	if (!names_a_folder(id)) {
		errno = EINVAL;
		return -1;
	}
	parent = below ? arena_printf(cx->arena, "%s/%s", data, below) : data;
	if (make && below)
		make_parents(cx->arena, data, parent);
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	fd = store_open_own(dir, id);
	if (fd < 0 && make && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		unlinkat(dir, id, 0);
		if (mkdirat(dir, id, 0700) == 0 && fsync(dir) == 0)
			fd = store_open_own(dir, id);
	}
	saved = errno;
	close(dir);
	if (path)
		*path = arena_printf(cx->arena, "%s/%s", parent, id);
	errno = saved;
	return fd;
}

/* Opens the last part of a path. */
static int open_regular(int dir, const char *name)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	errno = S_ISLNK(st.st_mode) ? ELOOP : EISDIR;
	if (!S_ISREG(st.st_mode))
		return -1;
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EISDIR;
		return -1;
	}
	return fd;
}

int store_open_at(int dir, const char *path)
{
	int at = dup(dir), next, saved;
	char part[NAME_MAX + 1];

	for (const char *s = path; at >= 0;) {
		size_t n = strcspn(s, "/");

		if (!n || n > NAME_MAX) {
			close(at);
			errno = n ? ENAMETOOLONG : ENOENT;
			return -1;
		}
		memcpy(part, s, n);
		part[n] = '\0';
		next = s[n] ? openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			    : open_regular(at, part);
		saved = errno;
		close(at);
		errno = saved;
		if (!s[n])
			return next;
		at = next;
		s += n + 1;
	}
	return -1;
}

/* What stands behind the folder DIR in PATH; NULL where PATH is not below it. */
static const char *behind(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

/* A data folder may have been moved, or be named in several ways: then the last of the fixed
 * folders in the path says where the file is. */
static const char *behind_fixed(const char *path)
{
	static const char *const FIXED[] = {
	    "/uploads/", "/documents/", "/screenshots/", "/outputs/"};
	const char *found = NULL, *at;

	for (size_t i = 0; i < COUNT(FIXED); i++)
		for (at = path; (at = strstr(at, FIXED[i])); at++)
			if (!found || at > found)
				found = at;
	return found ? found + 1 : NULL;
}

const char *store_relative(struct ctx *cx, const char *path)
{
	char real[PATH_MAX];
	const char *rest = behind(path, store_data(cx));

	if (!rest && realpath(store_data(cx), real))
		rest = behind(path, real);
	if (!rest)
		rest = behind_fixed(path);
	return !rest || !*rest || text_starts(rest, "../") || strstr(rest, "/../") ||
		text_ends(rest, "/..")
	    ? NULL
	    : rest;
}

int store_open_file(struct ctx *cx, const char *path)
{
	const char *rest = store_relative(cx, path), *slash = rest ? strchr(rest, '/') : NULL;
	int dir, fd, saved;

	errno = ENOENT;
	if (!slash)
		return -1;
	dir = store_open_fixed(
	    cx, arena_strndup(cx->arena, rest, (size_t)(slash - rest)), false, NULL);
	fd = dir < 0 ? -1 : store_open_at(dir, slash + 1);
	saved = errno;
	if (dir >= 0)
		close(dir);
	errno = saved;
	return fd;
}

enum rc store_failed(struct ctx *cx, const char *what, int cause)
{
	bool full = cause == ENOSPC || cause == EDQUOT;

	if (!cx->err.rc)
		snprintf(cx->err.cause, sizeof cx->err.cause, "%s: %s", what, strerror(cause));
	return ctx_fail(cx, full ? RC_FULL : RC_IO, "%s",
	    full ? "Insufficient storage" : "Internal server error");
}

bool store_temp_open(struct store_temp *t, int dir)
{
	char id[ID_SIZE];

	t->dir = dir;
	snprintf(t->name, sizeof t->name, STORE_TEMP "%s", id_new(id));
	t->fd = openat(dir, t->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return t->fd >= 0;
}

bool store_temp_write(struct store_temp *t, const char *data, size_t n)
{
	while (n) {
		ssize_t w = write(t->fd, data, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return false;
		data += w;
		n -= (size_t)w;
	}
	return true;
}

bool store_temp_close(struct store_temp *t, const char *name)
{
	bool ok = name && fsync(t->fd) == 0;
	int saved = errno;

	if (close(t->fd) < 0 && ok) {
		ok = false;
		saved = errno;
	}
	if (ok && renameat(t->dir, t->name, t->dir, name) == 0)
		return true;
	if (ok)
		saved = errno;
	unlinkat(t->dir, t->name, 0);
	errno = saved;
	return false;
}
