/* The user's profile folders on disk. */
#include "core/profile_store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "core/id.h"
#include "core/log.h"
#include "core/profile_int.h"
#include "core/text.h"

#define YAML_NAME "profile.yaml"
#define SKILL_NAME "SKILL.md"
#define LEFT_AFTER_S 3600 /* what was set aside and is older was left by a crash */
#define TREE_FDS 8

static enum rc fail(struct ctx *cx, const char *what)
{
	int why = errno;
	enum rc rc = why == ENOSPC || why == EDQUOT ? RC_FULL : RC_IO;

	log_error("%s: %s", what, strerror(why));
	return ctx_fail(cx, rc, "%s: %s", what, strerror(why));
}

/* The user's folder of profiles, or -1. */
static int open_root(bool make)
{
	char path[PATH_MAX];

	profile_user_root(path);
	if (make)
		file_make_path(path, 0755);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_folder(int root, const char *name)
{
	return openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static const char *aside_name(struct arena *a)
{
	return arena_printf(a, "%s%s", PROFILE_ASIDE, id_make(a));
}

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

/* Removes what was set aside under NAME. */
static void remove_aside(const char *name)
{
	char root[PATH_MAX], path[PATH_MAX];

	profile_user_root(root);
	if (snprintf(path, sizeof path, "%s/%s", root, name) < (int)sizeof path &&
	    nftw(path, remove_one, TREE_FDS, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
		log_warn("cannot remove %s: %s", path, strerror(errno));
}

static int is_aside(const struct dirent *d)
{
	return text_starts(d->d_name, PROFILE_ASIDE);
}

/* Removes what a crash has left aside. */
static void remove_left(int root)
{
	char path[PATH_MAX];
	struct dirent **names = NULL;
	int n;

	profile_user_root(path);
	n = scandir(path, &names, is_aside, NULL);
	for (int i = 0; i < n; i++) {
		struct stat st;

		if (fstatat(root, names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    time(NULL) - st.st_ctime > LEFT_AFTER_S)
			remove_aside(names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

/* Moves both files from the folder FROM into the folder NAME, which has neither. */
static bool move_files(int root, int from, const char *name)
{
	int to = open_folder(root, name);
	bool ok = to >= 0 &&
	    file_rename_new(from, SKILL_NAME, to, SKILL_NAME) &&
	    file_rename_new(from, YAML_NAME, to, YAML_NAME) && fsync(to) == 0;
	int why = errno;

	if (to >= 0)
		close(to);
	errno = why;
	return ok;
}

/* Whether NAME is, or leads to, something that a new profile must not touch. */
static bool is_taken(int root, const char *name)
{
	int dir = open_folder(root, name);
	bool taken;

	if (dir < 0)
		return errno != ENOENT;
	taken = file_is_there(dir, YAML_NAME) || file_is_there(dir, SKILL_NAME);
	close(dir);
	return taken;
}

static bool put_in_place(int root, const char *aside, int dir, const char *name)
{
	if (file_rename_new(root, aside, root, name))
		return fsync(root) == 0;
	return errno == EEXIST && !is_taken(root, name) && move_files(root, dir, name);
}

/* Makes a folder with both files; false with errno, EEXIST where there is one already. */
static bool create(struct ctx *cx, int root, const char *id, const char *yaml, const char *skill)
{
	const char *aside = aside_name(cx->arena);
	bool ok;
	int dir, why;

	if (is_taken(root, id)) {
		errno = EEXIST;
		return false;
	}
	if (mkdirat(root, aside, 0755) < 0)
		return false;
	dir = open_folder(root, aside);
	ok = dir >= 0 && file_write_new(dir, YAML_NAME, yaml, 0644) &&
	    file_write_new(dir, SKILL_NAME, skill, 0644) && fsync(dir) == 0 &&
	    put_in_place(root, aside, dir, id);
	why = errno;
	if (dir >= 0)
		close(dir);
	if (file_is_there(root, aside))
		remove_aside(aside);
	errno = why;
	return ok;
}

enum rc profile_store_create(struct ctx *cx, const char *id, const char *yaml, const char *skill)
{
	int root = open_root(true);
	enum rc rc = RC_OK;

	if (root < 0)
		return fail(cx, "The folder of profiles cannot be opened");
	remove_left(root);
	if (!create(cx, root, id, yaml, skill))
		rc = errno == EEXIST ? RC_CONFLICT : fail(cx, "The profile cannot be written");
	close(root);
	return rc;
}

bool profile_store_has(const char *folder)
{
	int root = open_root(false), dir;
	bool has;

	if (root < 0)
		return false;
	dir = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	has = dir >= 0 && file_is_there(dir, YAML_NAME);
	if (dir >= 0)
		close(dir);
	close(root);
	return has;
}

/* Writes a file aside and puts it in the place of NAME. */
static bool replace_file(struct ctx *cx, int dir, const char *name, const char *text)
{
	const char *aside = aside_name(cx->arena);

	if (!file_write_new(dir, aside, text, 0644))
		return false;
	if (renameat(dir, aside, dir, name) == 0)
		return true;
	unlinkat(dir, aside, 0);
	return false;
}

enum rc profile_store_replace(struct ctx *cx, const char *folder, const char *yaml,
    const char *skill)
{
	int root = open_root(false);
	int dir = root >= 0 ? open_folder(root, folder) : -1;
	enum rc rc = RC_OK;

	if (root >= 0)
		close(root);
	if (dir < 0 && (errno == ELOOP || errno == ENOTDIR))
		return ctx_fail(cx, RC_INVALID,
		    "The profile's folder is a link; change it where it leads to");
	if (dir < 0)
		return fail(cx, "The profile's folder cannot be opened");
	if (!replace_file(cx, dir, SKILL_NAME, skill) || !replace_file(cx, dir, YAML_NAME, yaml) ||
	    fsync(dir) < 0)
		rc = fail(cx, "The profile cannot be written");
	close(dir);
	return rc;
}

enum rc profile_store_remove(struct ctx *cx, const char *folder)
{
	const char *aside = aside_name(cx->arena);
	int root = open_root(false);
	enum rc rc = RC_OK;

	if (root < 0)
		return fail(cx, "The folder of profiles cannot be opened");
	remove_left(root);
	if (renameat(root, folder, root, aside) < 0 || fsync(root) < 0)
		rc = fail(cx, "The profile cannot be removed");
	else
		remove_aside(aside);
	close(root);
	return rc;
}

static const char *read_in(struct arena *a, const char *root, const char *folder, const char *name)
{
	size_t n;

	return file_read(a, arena_printf(a, "%s/%s/%s", root, folder, name), PROFILE_FILE_MAX, &n);
}

/* Gives a copy that has lost its profile.yaml a new one, where its SKILL.md is still the shipped one:
 * another may be a skill of somebody else. */
static bool mend(struct ctx *cx, int root, const char *from, const char *folder)
{
	char user[PATH_MAX];
	const char *yaml, *shipped, *skill;
	int dir = open_folder(root, folder);
	bool ok = true;

	if (dir >= 0 && !file_is_there(dir, YAML_NAME)) {
		profile_user_root(user);
		yaml = read_in(cx->arena, from, folder, YAML_NAME);
		shipped = read_in(cx->arena, from, folder, SKILL_NAME);
		skill = read_in(cx->arena, user, folder, SKILL_NAME);
		if (yaml && shipped && skill && strcmp(shipped, skill) == 0)
			ok = replace_file(cx, dir, YAML_NAME, yaml);
	}
	if (dir >= 0)
		close(dir);
	return ok;
}

static bool copy(struct ctx *cx, int root, const char *from, const char *folder)
{
	const char *yaml = read_in(cx->arena, from, folder, YAML_NAME);
	const char *skill = read_in(cx->arena, from, folder, SKILL_NAME);

	return !yaml || create(cx, root, folder, yaml, skill ? skill : "") || errno == EEXIST;
}

void profile_store_copy_shipped(struct ctx *cx)
{
	static bool said; /* once a process is enough */
	const char *from = arena_printf(cx->arena, "%s/profiles", cx->conf->share_dir);
	struct dirent **names = NULL;
	int n = scandir(from, &names, profile_is_folder_name, file_by_bytes);
	int root = n > 0 ? open_root(true) : -1;
	bool failed = n > 0 && root < 0;

	for (int i = 0; i < n; i++) {
		const char *folder = names[i]->d_name;

		if (!failed)
			failed = is_taken(root, folder) ? !mend(cx, root, from, folder)
							: !copy(cx, root, from, folder);
		free(names[i]);
	}
	if (failed && !said)
		log_warn("shipped profiles cannot be copied: %s", strerror(errno));
	said = failed;
	free(names);
	if (root >= 0)
		close(root);
}
