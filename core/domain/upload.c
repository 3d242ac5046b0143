/* The upload folder is flat: <document id>.<ext>, and files under way, whose names begin with a
 * dot. */
#include "core/domain/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/domain/document.h"
#include "core/store.h"
#include "core/text.h"

#define EXTENSION_MAX	     32u
#define EXTENSION_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-"
#define ORPHAN_S	     86400
#define NAMES_MAX	     100000u /* that one cleanup looks at */

const char *upload_stored_name(struct arena *a, const char *id, const char *given)
{
	char ext[EXTENSION_MAX + 1];
	const char *base = given, *dot;
	size_t n = 0;

	for (const char *s = given; *s; s++)
		if (*s == '/' || *s == '\\')
			base = s + 1;
	dot = strrchr(base, '.');
	for (const char *s = dot ? dot + 1 : base; *s && n < EXTENSION_MAX; s++)
		if (strchr(EXTENSION_CHARACTERS, *s))
			ext[n++] = *s;
	ext[n] = '\0';
	return n ? arena_printf(a, "%s.%s", id, ext) : id;
}

const char *upload_type(const char *stored)
{
	static const struct {
		const char *ext, *type;
	} TYPES[] = {
		{ "txt", "text/plain" },
		{ "md", "text/markdown" },
		{ "json", "application/json" },
		{ "js", "text/javascript" },
		{ "ts", "text/typescript" },
		{ "py", "text/x-python" },
		{ "html", "text/html" },
		{ "css", "text/css" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
		{ "gif", "image/gif" },
		{ "svg", "image/svg+xml" },
		{ "pdf", "application/pdf" },
	};
	const char *dot = strrchr(stored, '.');

	for (size_t i = 0; dot && i < COUNT(TYPES); i++)
		if (strcasecmp(dot + 1, TYPES[i].ext) == 0)
			return TYPES[i].type;
	return "application/octet-stream";
}

/* Whether NAME is ID, or ID with an extension; an id ends at the first dot. */
static bool belongs(const char *name, const char *id)
{
	size_t n = strcspn(name, ".");

	return strcmp(name, id) == 0 || (strlen(id) == n && strncmp(name, id, n) == 0);
}

static bool is_name(const char *id)
{
	return *id && *id != '.' && !strchr(id, '/');
}

/* The stored name of the document ID, by its row or, where that does not know, by the folder. */
static const char *find_stored(struct ctx *cx, int dir, const char *id)
{
	const char *found = db_get_text(cx->db, cx->arena, Q_DOCUMENT_FILENAME, "t", id);
	struct dirent *e;
	DIR *d;

	if (found && belongs(found, id) && faccessat(dir, found, F_OK, 0) == 0)
		return found;
	found = NULL;
	d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (d && !found && (e = readdir(d)))
		if (belongs(e->d_name, id))
			found = arena_strdup(cx->arena, e->d_name);
	if (d)
		closedir(d);
	return found;
}

int upload_open(struct ctx *cx, const char *id, const char **name)
{
	int dir, fd;

	if (!is_name(id))
		return -1;
	dir = store_open_fixed(cx, "uploads", false, NULL);
	if (dir < 0)
		return -1;
	*name = id;
	fd = store_open_at(dir, id);
	if (fd < 0) {
		*name = find_stored(cx, dir, id);
		fd = *name ? store_open_at(dir, *name) : -1;
	}
	close(dir);
	return fd;
}

/* ---- removal ---- */

/* Removes the file NAME, which may have gone with its row. One without a row is removed by whoever
 * finds it first. */
static enum rc remove_file(struct ctx *cx, const char *name, bool had_row)
{
	int dir = store_open_fixed(cx, "uploads", false, NULL), failed = 0;

	if (dir < 0 || unlinkat(dir, name, 0) < 0)
		failed = errno;
	if (dir >= 0)
		close(dir);
	if (!failed || (failed == ENOENT && had_row))
		return RC_OK;
	if (failed == ENOENT)
		return ctx_fail(cx, RC_NOTFOUND, "File not found");
	snprintf(cx->err.cause, sizeof cx->err.cause, "uploads: %s", strerror(failed));
	return ctx_fail(cx, RC_IO, "Failed to delete file");
}

/* The document whose stored file NAME is; NULL for none. */
static const char *owner_of(struct ctx *cx, const char *name)
{
	return db_get_text(cx->db, cx->arena, Q_DOCUMENT_BY_FILE, "tt",
	    arena_strndup(cx->arena, name, strcspn(name, ".")), name);
}

enum rc upload_delete(struct ctx *cx, const char *id)
{
	const char *name, *owner;
	int fd = upload_open(cx, id, &name);
	bool had_row;
	enum rc rc;

	if (fd < 0)
		return ctx_fail(cx, RC_NOTFOUND, "File not found");
	close(fd);
	had_row = owner_of(cx, name) != NULL;
	if ((rc = tx_begin(cx)) != RC_OK)
		return rc;
	owner = owner_of(cx, name);
	if (had_row && !owner) /* somebody else is removing it */
		return tx_end(cx, ctx_fail(cx, RC_NOTFOUND, "File not found"));
	if (owner) {
		document_remove(cx, owner);
		audit(cx, "document.delete", "document", owner, NULL);
	}
	rc = tx_end(cx, RC_OK);
	return rc == RC_OK ? remove_file(cx, name, owner != NULL) : rc;
}

/* ---- cleanup ---- */

struct cleanup {
	struct ctx *cx;
	struct jw *w;
	int dir;
	int64_t now, skipped;
	struct buf errors;
	struct jw errors_w;
};

/* Whether the file NAME, of the given age, is to be kept. */
static bool is_kept(struct cleanup *c, const char *name, const struct stat *st)
{
	const char *id;

	if (c->now - st->st_mtim.tv_sec < ORPHAN_S)
		return true;
	if (*name == '.')
		return false;
	id = arena_strndup(c->cx->arena, name, strcspn(name, "."));
	return !text_is_utf8(id, strlen(id)) ||
	    db_get_int(c->cx->db, 0, Q_DOCUMENT_EXISTS, "t", id) || c->cx->err.rc;
}

static void clean_one(struct cleanup *c, const char *name)
{
	struct stat st;

	if (fstatat(c->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	if (is_kept(c, name, &st)) {
		c->skipped++;
	} else if (unlinkat(c->dir, name, 0) == 0 || errno == ENOENT) {
		if (c->w)
			jw_str(c->w, text_as_utf8(c->cx->arena, name, strlen(name)));
	} else {
		jw_str(&c->errors_w, arena_printf(c->cx->arena, "%s: %s",
		    text_as_utf8(c->cx->arena, name, strlen(name)), strerror(errno)));
	}
}

static void clean_all(struct cleanup *c)
{
	DIR *d = fdopendir(dup(c->dir));
	struct dirent *e;

	for (size_t n = 0; d && n < NAMES_MAX && (e = readdir(d)); n++)
		clean_one(c, e->d_name);
	if (d)
		closedir(d);
}

enum rc upload_cleanup(struct ctx *cx, struct jw *w)
{
	struct cleanup c = { .cx = cx, .w = w, .now = now_s() };

	buf_init(&c.errors, 1 << 20);
	c.errors_w = jw_on(&c.errors);
	c.dir = store_open_fixed(cx, "uploads", false, NULL);
	if (w) {
		jw_obj(w);
		jw_key(w, "deleted");
		jw_arr(w);
	}
	jw_arr(&c.errors_w);
	if (c.dir >= 0) {
		clean_all(&c);
		close(c.dir);
	}
	jw_end_arr(&c.errors_w);
	if (w) {
		jw_end_arr(w);
		jw_key(w, "errors");
		jw_raw(w, buf_text(&c.errors), c.errors.len);
		jw_kint(w, "skipped", c.skipped);
		jw_end_obj(w);
	}
	buf_fini(&c.errors);
	return cx->err.rc;
}
