/* The user's blueprint files on disk. */
#include "core/blueprint_store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/blueprint.h"
#include "core/file.h"
#include "core/id.h"
#include "core/text.h"

#define LEFT_AFTER_S 3600 /* what was set aside and is older was left by a crash */

static enum rc fail(struct ctx *cx, const char *what)
{
	int why = errno;

	if (why == ENOSPC || why == EDQUOT)
		return ctx_fail(cx, RC_FULL, "Insufficient storage");
	return err_internal(&cx->err, RC_IO, "%s: %s", what, strerror(why));
}

/* Makes the name of a new folder below DIR last. */
static bool sync_folder(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return ok;
}

/* The user's folder, or -1. */
static int open_root(struct ctx *cx, bool make)
{
	const char *path = blueprint_user_root(cx->arena, cx->conf);

	if (make && mkdir(path, 0700) == 0 && !sync_folder(cx->conf->data_dir))
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int is_aside(const struct dirent *d)
{
	return text_starts(d->d_name, BLUEPRINT_ASIDE);
}

/* Removes what a crash has left aside. */
static void remove_left(struct ctx *cx, int root)
{
	struct dirent **names = NULL;
	int n = scandir(blueprint_user_root(cx->arena, cx->conf), &names, is_aside, NULL);

	for (int i = 0; i < n; i++) {
		struct stat st;

		if (fstatat(root, names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && time(NULL) - st.st_ctime > LEFT_AFTER_S)
			unlinkat(root, names[i]->d_name, 0);
		free(names[i]);
	}
	free(names);
}

/* False with errno, EEXIST where there is one already. */
static bool create(struct ctx *cx, int root, const char *file, const char *text)
{
	const char *aside = arena_printf(cx->arena, "%s%s", BLUEPRINT_ASIDE, id_make(cx->arena));
	int why;

	if (file_is_there(root, file)) {
		errno = EEXIST;
		return false;
	}
	if (!file_write_new(root, aside, text, 0600))
		return false;
	if (file_rename_new(root, aside, root, file))
		return fsync(root) == 0;
	why = errno;
	unlinkat(root, aside, 0);
	errno = why;
	return false;
}

enum rc blueprint_store_create(struct ctx *cx, const char *id, const char *text)
{
	int root = open_root(cx, true);
	enum rc rc = RC_OK;

	if (root < 0)
		return fail(cx, "The folder of blueprints cannot be opened");
	remove_left(cx, root);
	if (!create(cx, root, arena_printf(cx->arena, "%s.yaml", id), text))
		rc = errno == EEXIST ? RC_CONFLICT : fail(cx, "The blueprint cannot be written");
	close(root);
	return rc;
}

enum rc blueprint_store_remove(struct ctx *cx, const char *file)
{
	int root = open_root(cx, false);
	enum rc rc = RC_OK;

	if (root < 0)
		return errno == ENOENT ? RC_NOTFOUND
				       : fail(cx, "The folder of blueprints cannot be opened");
	if (unlinkat(root, file, 0) < 0)
		rc = errno == ENOENT ? RC_NOTFOUND : fail(cx, "The blueprint cannot be removed");
	else if (fsync(root) < 0)
		rc = fail(cx, "The blueprint cannot be removed");
	close(root);
	return rc;
}
