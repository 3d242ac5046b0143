/* Folders that agents write into. Everything goes by descriptors, so that a link that an agent puts
 * anywhere leads nobody out of the folder. Fixed parents (outputs, documents) may be links: they
 * are the operator's. */
#include "jobrunner/output_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "core/store.h"
#include "core/text.h"
#include "jobrunner/outputs.h"

#define REMOVE_DEPTH_MAX 64
#define REMOVE_ROUNDS_MAX 10000

struct dirent *output_next_entry(DIR *d)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(d);
	} while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	return e;
}

void output_dir_sweep(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d && (e = output_next_entry(d)))
		if (text_starts(e->d_name, STORE_TEMP) && !outputs_mime(e->d_name))
			unlinkat(dir, e->d_name, 0);
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static bool empty(int top, int fd, int depth, bool *again);

/* Removes the entry NAME of DIR. Folders at the greatest depth are moved up to TOP instead, for
 * another round. */
static bool remove_entry(int top, int dir, const char *name, int depth, bool *again)
{
	char to[ID_SIZE];
	int fd;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return true;
	fd = store_open_own(dir, name);
	if (fd < 0)
		return false;
	if (depth == REMOVE_DEPTH_MAX) {
		close(fd);
		*again = true;
		return renameat(dir, name, top, id_new(to)) == 0;
	}
	return empty(top, fd, depth + 1, again) && unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* Removes what is in the folder FD, which is closed. */
static bool empty(int top, int fd, int depth, bool *again)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	bool ok = true;
	int saved;

	if (!d) {
		saved = errno;
		close(fd);
		errno = saved;
		return false;
	}
	while (ok && (e = output_next_entry(d)))
		ok = remove_entry(top, fd, e->d_name, depth, again);
	saved = errno;
	ok = ok && saved == 0;
	closedir(d);
	errno = saved;
	return ok;
}

bool output_dir_empty(int dir)
{
	bool again = true, ok = true;

	for (int i = 0; ok && again && i < REMOVE_ROUNDS_MAX; i++) {
		int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		again = false;
		ok = fd >= 0 && empty(dir, fd, 0, &again);
	}
	return ok && !again;
}

enum rc outputs_prepare(struct ctx *cx, const char *task_id, bool fresh, const char **dir)
{
	int fd = store_open(cx, "outputs", task_id, true, dir);
	bool ok = fd >= 0 && (!fresh || output_dir_empty(fd));
	int cause = errno;

	if (fd >= 0)
		close(fd);
	if (ok)
		return RC_OK;
	if (!cx->err.rc)
		snprintf(cx->err.cause, sizeof cx->err.cause, "outputs/%s: %s", task_id,
		    strerror(cause));
	return ctx_fail(cx,
	    cause == EINVAL                        ? RC_INVALID
		: cause == ENOSPC || cause == EDQUOT ? RC_FULL
						     : RC_IO,
	    "The task's output folder cannot be prepared: %s", strerror(cause));
}

/* Fills BLOCK as far as the file goes. */
static ssize_t read_block(int fd, char *block)
{
	size_t n = 0;

	while (n < OUTPUT_BLOCK) {
		ssize_t r = read(fd, block + n, OUTPUT_BLOCK - n);

		if (r < 0 && errno != EINTR)
			return -1;
		if (r == 0)
			break;
		n += r > 0 ? (size_t)r : 0;
	}
	return (ssize_t)n;
}

bool output_same_bytes(int a, int b)
{
	char block_a[OUTPUT_BLOCK], block_b[OUTPUT_BLOCK];
	ssize_t na, nb;

	do {
		na = read_block(a, block_a);
		nb = read_block(b, block_b);
		if (na < 0 || na != nb || memcmp(block_a, block_b, (size_t)na) != 0)
			return false;
	} while (na == OUTPUT_BLOCK);
	return true;
}

/* Renames the file NAME, where there is one, to the first free of NAME-1, NAME-2 ... */
static bool move_aside(int dir, const char *name)
{
	const char *ending = strrchr(name, '.');
	char to[NAME_MAX + 1];

	if (faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return true;
	for (int i = 1; i < 1000; i++) {
		snprintf(to, sizeof to, "%.*s-%d%s", (int)(ending - name), name, i, ending);
		if (faccessat(dir, to, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return renameat(dir, name, dir, to) == 0;
	}
	return false;
}

/* Writes the whole TEXT as NAME. */
static bool write_file(int dir, const char *name, const char *text)
{
	struct store_temp t;
	bool ok;

	if (!store_temp_open(&t, dir))
		return false;
	ok = store_temp_write(&t, text, strlen(text)) && move_aside(dir, name);
	return store_temp_close(&t, ok ? name : NULL);
}

const char *outputs_keep_result(struct ctx *cx, const char *task_id, const char *result)
{
	static const char KEPT[] =
	    "\n\n[Cut here at 1 MiB; the output document " RESULT_FILE " has the whole text.]";
	static const char LOST[] = "\n\n[Cut here at 1 MiB; the rest could not be stored.]";
	const char *note = KEPT;
	size_t n = RESULT_MAX - sizeof KEPT;
	int dir;

	if (strlen(result) <= RESULT_MAX)
		return result;
	dir = store_open(cx, "outputs", task_id, true, NULL);
	if (dir < 0 || !write_file(dir, RESULT_FILE, result)) {
		log_warn("result of task %s: %s", task_id, strerror(errno));
		note = LOST;
	}
	if (dir >= 0)
		close(dir);
	while (((unsigned char)result[n] & 0xc0) == 0x80)
		n--;
	return arena_printf(cx->arena, "%.*s%s", (int)n, result, note);
}
