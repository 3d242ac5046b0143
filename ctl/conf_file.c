/* Replaced by rename(2), so a reader sees the old text or the new one, and the text is on the disk
 * before the name is. */
#include "ctl/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LOCK_TRIES 500
#define LOCK_STEP_MS 20
#define ACL "system.posix_acl_access"
#define ACL_MAX 4096

static enum rc fail(struct err *e, const char *what)
{
	return err_set(e, errno == ENOSPC || errno == EDQUOT ? RC_FULL : RC_IO, "%s: %s%s", what,
	    strerror(errno), errno == EACCES || errno == EROFS ? " (run it as root)" : "");
}

/* The path without symbolic links; of a file that does not exist, that of its folder. */
static enum rc resolve(struct conf_file *f, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir, *real;
	size_t size;
	struct stat st;

	f->path = realpath(path, NULL);
	if (f->path && stat(f->path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, RC_INVALID, "%s is not a file", path);
	if (f->path)
		return RC_OK;
	if (errno != ENOENT)
		return fail(e, path);
	if (lstat(path, &st) == 0)
		return err_set(e, RC_NOTFOUND, "%s is a link to a file that does not exist", path);
	if (!*name || strlen(name) > NAME_MAX)
		return err_set(e, RC_INVALID, "%s is not the name of a file", path);
	dir = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	real = dir ? realpath(dir, NULL) : NULL;
	if (!real) {
		err_set(e, RC_NOTFOUND, "the folder of %s: %s", path, strerror(errno));
		free(dir);
		return e->rc;
	}
	size = strlen(real) + strlen(name) + 2;
	f->path = malloc(size);
	if (f->path)
		snprintf(f->path, size, "%s/%s", real[1] ? real : "", name);
	free(dir);
	free(real);
	return f->path ? RC_OK : err_set(e, RC_IO, "out of memory");
}

static enum rc open_dir(struct conf_file *f, struct err *e)
{
	size_t n;
	char *dir;

	f->name = strrchr(f->path, '/') + 1;
	n = (size_t)(f->name - f->path);
	if (snprintf(f->fresh, sizeof f->fresh, ".%s.new", f->name) > NAME_MAX)
		return err_set(e, RC_INVALID, "the name of %s is too long", f->path);
	dir = strndup(f->path, n);
	f->dir_fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (f->dir_fd < 0)
		fail(e, dir ? dir : f->path);
	free(dir);
	return e->rc;
}

/* Whether the open file is still the one of that name, and nobody else's. */
static bool is_ours(const struct conf_file *f)
{
	struct stat st, now;

	return fstat(f->fresh_fd, &st) == 0 &&
	    fstatat(f->dir_fd, f->fresh, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == now.st_dev && st.st_ino == now.st_ino && st.st_nlink == 1 &&
	    S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

/* The file that is locked goes with every change, so whoever waited for it looks for the next. */
static enum rc lock(struct conf_file *f, struct err *e)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		f->fresh_fd = openat(f->dir_fd, f->fresh,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		if (f->fresh_fd < 0)
			return fail(e, f->path);
		if (flock(f->fresh_fd, LOCK_EX | LOCK_NB) == 0 && is_ours(f))
			return RC_OK;
		close(f->fresh_fd);
		f->fresh_fd = -1;
		poll(NULL, 0, LOCK_STEP_MS);
	}
	return err_set(e, RC_BUSY, "%s: somebody else is changing it, by way of %s beside it",
	    f->path, f->fresh);
}

static enum rc read_all(struct conf_file *f, struct err *e)
{
	struct stat st;
	ssize_t n;
	char *to;

	f->fd = openat(f->dir_fd, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (f->fd < 0)
		return errno == ENOENT ? RC_OK : fail(e, f->path);
	if (fstat(f->fd, &st) < 0)
		return fail(e, f->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, RC_INVALID, "%s is not a file", f->path);
	do {
		to = buf_reserve(&f->text, 4096);
		if (!to)
			return err_set(e, RC_TOOLARGE, "%s is larger than %zu bytes", f->path,
			    CONF_FILE_MAX);
		n = read(f->fd, to, 4096);
		f->text.len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		return fail(e, f->path);
	if (f->text.len && memchr(f->text.data, '\0', f->text.len))
		return err_set(e, RC_INVALID, "%s is not a text", f->path);
	return RC_OK;
}

enum rc conf_file_open(struct conf_file *f, const char *path, struct err *e)
{
	*f = (struct conf_file){ .dir_fd = -1, .fresh_fd = -1, .fd = -1 };
	buf_init(&f->text, CONF_FILE_MAX + 4096);
	if (resolve(f, path, e) != RC_OK || open_dir(f, e) != RC_OK)
		return e->rc;
	return lock(f, e) == RC_OK ? read_all(f, e) : e->rc;
}

static bool keep_rights(const struct conf_file *f)
{
	struct stat old, now;
	char acl[ACL_MAX];
	ssize_t n;

	if (fstat(f->fd, &old) < 0 || fstat(f->fresh_fd, &now) < 0)
		return false;
	if ((old.st_uid != now.st_uid || old.st_gid != now.st_gid) &&
	    fchown(f->fresh_fd, old.st_uid, old.st_gid) < 0)
		return false;
	if (fchmod(f->fresh_fd, old.st_mode & 07777) < 0)
		return false;
	n = fgetxattr(f->fd, ACL, acl, sizeof acl);
	return n > 0 ? fsetxattr(f->fresh_fd, ACL, acl, (size_t)n, 0) == 0
		     : errno == ENODATA || errno == ENOTSUP;
}

static bool new_rights(const struct conf_file *f, const char *group)
{
	const struct group *g = geteuid() == 0 ? getgrnam(group) : NULL;

	return (!g || fchown(f->fresh_fd, (uid_t)-1, g->gr_gid) == 0) &&
	    fchmod(f->fresh_fd, 0640) == 0;
}

static bool write_all(int fd, const struct buf *text)
{
	if (ftruncate(fd, 0) < 0)
		return false;
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

enum rc conf_file_replace(struct conf_file *f, const struct buf *text, const char *group,
    struct err *e)
{
	if (text->failed || text->len > CONF_FILE_MAX)
		return err_set(e, RC_TOOLARGE, "%s would be larger than %zu bytes", f->path,
		    CONF_FILE_MAX);
	if (!write_all(f->fresh_fd, text) || !(f->fd >= 0 ? keep_rights(f) : new_rights(f, group)) ||
	    fsync(f->fresh_fd) < 0 ||
	    renameat(f->dir_fd, f->fresh, f->dir_fd, f->name) < 0) {
		int why = errno;

		return err_set(e, why == ENOSPC || why == EDQUOT ? RC_FULL : RC_IO,
		    "%s is unchanged: %s", f->path, strerror(why));
	}
	close(f->fresh_fd); /* and with it the lock: what is now the file must not be removed */
	f->fresh_fd = -1;
	if (fsync(f->dir_fd) < 0)
		return fail(e, f->path);
	return RC_OK;
}

void conf_file_close(struct conf_file *f)
{
	if (f->fresh_fd >= 0) {
		unlinkat(f->dir_fd, f->fresh, 0);
		close(f->fresh_fd);
	}
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd >= 0)
		close(f->dir_fd);
	buf_fini(&f->text);
	free(f->path);
}
