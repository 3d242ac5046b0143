/* Paths are looked at in two forms: as a text, without dots and doubled slashes, and with the links
 * in it followed. Both have to pass. */
#include "core/domain/document_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store.h"
#include "core/text.h"

#define RESTRICTED "Access denied: path points to a restricted system directory"
#define SENSITIVE  "Access denied: path points to a sensitive home directory"
#define ELSEWHERE  "Access denied: path must be under the user's home directory or /tmp"
#define OUTSIDE	   "Access denied: path is outside the folders of this run"

/* A folder as it is named, and as what it really is. */
struct place {
	const char *given, *real;
};

/* PATH without ".", ".." and doubled slashes; in the arena. */
static char *cleaned(struct arena *a, const char *path)
{
	char *out = arena_alloc(a, strlen(path) + 2), *w = out;

	for (const char *s = path; *s;) {
		size_t n = strcspn(s, "/");

		if (n == 2 && s[0] == '.' && s[1] == '.') {
			while (w > out && *--w != '/')
				;
		} else if (n && !(n == 1 && *s == '.')) {
			*w++ = '/';
			memcpy(w, s, n);
			w += n;
		}
		s += n + (s[n] == '/');
	}
	if (w == out)
		*w++ = '/';
	*w = '\0';
	return out;
}

/* PATH, which is clean, with the links in the longest part of it that exists followed. One that no
 * file can have stays as it is. */
static const char *followed(struct arena *a, const char *path)
{
	char *head = arena_strdup(a, path), *cut, real[PATH_MAX];
	const char *rest = "";

	if (strlen(path) >= PATH_MAX)
		return path;
	while (!realpath(head, real)) {
		cut = strrchr(head, '/');
		if (!cut || cut == head) {
			real[0] = '\0';
			rest = path;
			break;
		}
		*cut = '\0';
		rest = path + (cut - head);
	}
	if (strcmp(real, "/") == 0)
		real[0] = '\0';
	return *real || *rest ? arena_printf(a, "%s%s", real, rest) : "/";
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 1)
		return true;
	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

static struct place place_of(struct arena *a, const char *dir)
{
	const char *given = cleaned(a, dir);

	return (struct place){ given, followed(a, given) };
}

static bool below_place(const char *path, const struct place *p)
{
	return below(path, p->given) || below(path, p->real);
}

static bool below_part(struct arena *a, const char *path, const struct place *p, const char *part)
{
	return below(path, arena_printf(a, "%s/%s", p->given, part)) ||
	    below(path, arena_printf(a, "%s/%s", p->real, part));
}

static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	struct passwd *pw = home && *home == '/' ? NULL : getpwuid(getuid());

	return pw ? pw->pw_dir : home && *home == '/' ? home : "/nonexistent";
}

/* Whether PATH is in a folder of the home folder HOME that holds secrets. */
static bool is_sensitive(const char *path, const char *home)
{
	static const char *const BEGINS[] = { ".ssh", ".gnupg", ".aws", ".config", ".env" };
	size_t n = strcmp(home, "/") == 0 ? 0 : strlen(home);

	if (!below(path, home) || path[n] != '/')
		return false;
	for (size_t i = 0; i < COUNT(BEGINS); i++)
		if (text_starts(path + n + 1, BEGINS[i]))
			return true;
	return false;
}

/* Why PATH, in one of its forms, may not be read; NULL where it may. */
static const char *objection(struct ctx *cx, const char *path)
{
	static const char *const SYSTEM[] = { "/etc", "/var", "/proc", "/sys", "/dev", "/root" };
	static const char *const OPEN[] = { "uploads", "outputs", "documents", "screenshots" };
	struct arena *a = cx->arena;
	struct place data = place_of(a, store_data(cx)), home = place_of(a, home_dir()),
		     tmp = place_of(a, "/tmp");

	for (size_t i = 0; i < COUNT(OPEN); i++)
		if (below_part(a, path, &data, OPEN[i]))
			return NULL;
	for (size_t i = 0; i < COUNT(SYSTEM); i++)
		if (below(path, SYSTEM[i]))
			return RESTRICTED;
	if (below_place(path, &data))
		return RESTRICTED;
	if (is_sensitive(path, home.given) || is_sensitive(path, home.real))
		return SENSITIVE;
	return below_place(path, &home) || below_place(path, &tmp) ? NULL : ELSEWHERE;
}

static bool within(struct arena *a, const char *path, const char *const *roots)
{
	for (; *roots; roots++) {
		struct place p = place_of(a, *roots);

		if (below_place(path, &p))
			return true;
	}
	return false;
}

static enum rc open_checked(struct ctx *cx, const char *given, const char *real,
    struct document_source *out)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), saved;
	struct stat st;

	out->fd = root < 0 ? -1 : store_open_at(root, real + 1);
	saved = errno;
	if (root >= 0)
		close(root);
	if (out->fd < 0)
		return ctx_fail(cx, RC_INVALID, "%s: %s",
		    saved == EISDIR || !real[1] ? "Not a file" : "File not found", given);
	if (fstat(out->fd, &st) < 0)
		return err_internal(&cx->err, RC_IO, "%s: %s", real, strerror(errno));
	out->size = st.st_size;
	return RC_OK;
}

enum rc document_open(struct ctx *cx, const char *given, const char *const *roots,
    struct document_source *out)
{
	const char *text, *real, *why;

	*out = (struct document_source){ .fd = -1 };
	if (*given != '/')
		return ctx_fail(cx, RC_INVALID, "File not found: %s", given);
	text = cleaned(cx->arena, given);
	real = followed(cx->arena, text);
	why = objection(cx, text);
	if (!why)
		why = objection(cx, real);
	if (!why && roots && (!within(cx->arena, text, roots) || !within(cx->arena, real, roots)))
		why = OUTSIDE;
	if (why)
		return ctx_fail(cx, RC_DENIED, "%s", why);
	out->name = strrchr(text, '/') + 1;
	return open_checked(cx, given, real, out);
}
