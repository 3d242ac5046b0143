/* Files that are data of ours. */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct file_stamp file_stamp(const char *path, mode_t type)
{
	struct stat st;

	if (stat(path, &st) < 0 || (st.st_mode & S_IFMT) != type)
		return (struct file_stamp){ 0 };
	return (struct file_stamp){ st.st_ino, st.st_size, st.st_mtim };
}

bool file_same_stamp(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->inode == b->inode && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

const char *file_read(struct arena *a, const char *path, size_t max, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)max) {
		text = arena_alloc(a, (size_t)st.st_size + 1);
		got = read(fd, text, (size_t)st.st_size);
	}
	close(fd);
	if (got < 0 || memchr(text, '\0', (size_t)got))
		return NULL;
	*n = (size_t)got;
	return text;
}

void file_make_path(char *path, mode_t mode)
{
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(path, mode);
			*p = '/';
		}
	mkdir(path, mode);
}

bool file_is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool write_all(int fd, const char *text)
{
	size_t n = strlen(text);

	while (n) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		text += put;
		n -= (size_t)put;
	}
	return true;
}

bool file_write_new(int dir, const char *name, const char *text, mode_t mode)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	bool ok;
	int why;

	if (fd < 0)
		return false;
	ok = write_all(fd, text) && fsync(fd) == 0;
	why = errno;
	if (close(fd) < 0 && ok) {
		ok = false;
		why = errno;
	}
	if (!ok)
		unlinkat(dir, name, 0);
	errno = why;
	return ok;
}

bool file_rename_new(int from, const char *name, int to, const char *as)
{
	if (renameat2(from, name, to, as, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (file_is_there(to, as)) {
		errno = EEXIST;
		return false;
	}
	return renameat(from, name, to, as) == 0;
}

int file_by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}
