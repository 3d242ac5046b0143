/* From an agent's folder to documents.
 *
 * Nothing in the folder is trusted: it is walked by descriptors, entry by entry in order of name,
 * without following a link, and only regular files are read. A copy is whole (written, synced,
 * renamed) before any row names it; one that no row names, left by a process that died before its
 * transaction, is replaced by the next of that name. Texts are taken in here while they are small
 * and clean; the others are extracted. The folders themselves are the business of output_dir.c. */
#include "jobrunner/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/domain/document.h"
#include "core/id.h"
#include "core/text.h"
#include "jobrunner/output_dir.h"

#define ENTRIES_MAX 20000u
#define TEXT_MAX ((size_t)1 << 20)
#define TEXTS_MAX ((size_t)8 << 20)
#define NAMED_MAX 20u
#define STEM_BYTES 200u
#define NAME_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* A file that becomes a document. */
struct output {
	const char *original; /* path below the folder */
	const char *filename, *path; /* of the copy */
	const char *mime;
	const char *text; /* NULL: to be extracted */
	int64_t size, version;
};

struct output_list {
	size_t n;
	struct output items[OUTPUT_FILES_MAX];
};

struct scan {
	struct ctx *cx;
	const struct task *task;
	struct output_list *list;
	int to;              /* the folder of the copies; -1 until it is needed */
	const char *to_path;
	size_t entries, files, texts;
	struct buf text;     /* of the current file; failed where it is too long */
	struct buf problem;
	size_t left_out;
};

const char *outputs_mime(const char *name)
{
	static const struct {
		const char *ending, *mime;
	} CAPTURED[] = {
		{ ".md", "text/markdown" },
		{ ".txt", "text/plain" },
		{ ".json", "application/json" },
		{ ".csv", "text/csv" },
		{ ".html", "text/html" },
	};
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *dot = strrchr(base, '.');

	for (size_t i = 0; dot && dot > base && i < COUNT(CAPTURED); i++)
		if (strcasecmp(dot, CAPTURED[i].ending) == 0)
			return CAPTURED[i].mime;
	return NULL;
}

static bool is_plain(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return text_is_utf8(s, strlen(s));
}

/* Notes that the file or folder PATH was left out. */
static void leave_out(struct scan *s, const char *path, const char *why)
{
	char *shown;

	if (s->left_out++ >= NAMED_MAX)
		return;
	shown = arena_strdup(s->cx->arena, path);
	if (!is_plain(path))
		for (char *p = shown; *p; p++)
			if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
				*p = '?';
	buf_printf(&s->problem, "%s%s: %s", s->problem.len ? "; " : "", shown, why);
}

static int64_t next_version(struct ctx *cx, const struct task *t, const char *original)
{
	if (t->project_id)
		return 1 + db_get_int(cx->db, 0, Q_OUTPUT_VERSION_IN_PROJECT, "tt", t->project_id,
			       original);
	return 1 + db_get_int(cx->db, 0, Q_OUTPUT_VERSION_IN_TASK, "tt", t->id, original);
}

/* The name of a copy, without version and ending: "data/Q 1.csv" gives "data__Q-1". */
static const char *stem(struct arena *a, const char *original)
{
	const char *slash = strrchr(original, '/'), *base = slash ? slash + 1 : original;
	const char *dot = strrchr(base, '.');
	char *out = arena_alloc(a, 2 * strlen(original) + 1), *w = out;
	size_t n;

	for (const char *p = original; p < base; p++) {
		if (*p == '/')
			*w++ = '_';
		*w++ = *p == '/' ? '_' : *p;
	}
	for (const char *p = base; p < dot;) {
		size_t run = strspn(p, NAME_CHARACTERS);

		if (run > (size_t)(dot - p))
			run = (size_t)(dot - p);
		memcpy(w, p, run);
		w += run;
		p += run;
		run = strcspn(p, NAME_CHARACTERS);
		if (p < dot && run)
			*w++ = '-';
		p += run;
	}
	n = strlen(out);
	if (n > STEM_BYTES) {
		for (n = STEM_BYTES; ((unsigned char)out[n] & 0xc0) == 0x80;)
			n--;
		out[n] = '\0';
	}
	return out;
}

static bool taken(struct ctx *cx, const struct task *t, const struct output_list *list,
    const struct output *o)
{
	for (size_t i = 0; i < list->n; i++)
		if (&list->items[i] != o && strcmp(list->items[i].filename, o->filename) == 0)
			return true;
	if (db_get_int(cx->db, 0, Q_OUTPUT_NAME_TAKEN, "tt", t->id, o->filename))
		return true;
	return access(o->path, F_OK) == 0 &&
	       db_get_int(cx->db, 0, Q_OUTPUT_PATH_TAKEN, "t", o->path);
}

/* Names the copy of O in the folder DIR by its version. */
static void name_copy(struct ctx *cx, const struct task *t, const struct output_list *list,
    const char *dir, struct output *o)
{
	const char *start = stem(cx->arena, o->original), *ending = strrchr(o->original, '.');
	char number[16] = "";

	for (int n = 2;; n++) {
		o->filename = arena_printf(
		    cx->arena, "%s-v%lld%s%s", start, (long long)o->version, number, ending);
		o->path = arena_printf(cx->arena, "%s/%s", dir, o->filename);
		if (!taken(cx, t, list, o))
			return;
		snprintf(number, sizeof number, "-%d", n);
	}
}

/* Whether the file FD has the bytes of the newest version that this task made of it. */
static bool is_unchanged(struct scan *s, int fd, int64_t size, const char *original)
{
	struct q *q = db_query(s->cx->db, Q_OUTPUT_NEWEST, "tt", s->task->id, original);
	int other = -1;
	bool same;

	if (!db_next(q))
		return false;
	if (db_int(q, 1) == size)
		other = open(db_text(q, 0), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	db_done(q);
	same = other >= 0 && output_same_bytes(fd, other);
	if (other >= 0)
		close(other);
	return same;
}

/* The file's text, where it can be taken as it is. */
static const char *clean_text(struct scan *s, const char *mime)
{
	const char *text = buf_text(&s->text);
	size_t n = s->text.len;

	if (s->text.failed || s->texts + n > TEXTS_MAX || memchr(text, 0, n) ||
	    !text_is_utf8(text, n))
		return NULL;
	if (strcmp(mime, "text/csv") == 0 && n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		n -= 3;
	}
	s->texts += n;
	return arena_strndup(s->cx->arena, text, n);
}

/* Copies the file FD, which is at its beginning, to O's name. False with errno. */
static bool copy_file(struct scan *s, int fd, struct output *o)
{
	char block[OUTPUT_BLOCK];
	struct store_temp temp;
	ssize_t n = -1;

	buf_clear(&s->text);
	o->size = 0;
	if (!store_temp_open(&temp, s->to))
		return false;
	while ((n = read(fd, block, sizeof block)) > 0) {
		o->size += n;
		if (o->size > OUTPUT_FILE_MAX) {
			errno = EFBIG;
			break;
		}
		if (!store_temp_write(&temp, block, (size_t)n))
			break;
		buf_add(&s->text, block, (size_t)n);
	}
	if (!store_temp_close(&temp, n == 0 ? o->filename : NULL))
		return false;
	o->text = clean_text(s, o->mime);
	return true;
}

/* The folder of the copies, made when the first one comes. */
static bool open_target(struct scan *s)
{
	if (s->to >= 0)
		return true;
	s->to = store_open(s->cx, "documents/output", s->task->id, true, &s->to_path);
	if (s->to >= 0)
		output_dir_sweep(s->to);
	return s->to >= 0;
}

static void capture(struct scan *s, int fd, int64_t size, const char *path)
{
	struct output *o = &s->list->items[s->list->n];

	if (is_unchanged(s, fd, size, path))
		return;
	if (!open_target(s) || lseek(fd, 0, SEEK_SET) < 0) {
		leave_out(s, path, strerror(errno));
		return;
	}
	*o = (struct output){ .original = path, .mime = outputs_mime(path) };
	o->version = next_version(s->cx, s->task, path);
	name_copy(s->cx, s->task, s->list, s->to_path, o);
	if (s->cx->err.rc)
		return;
	if (copy_file(s, fd, o))
		s->list->n++;
	else
		leave_out(s, path, strerror(errno));
}

/* Why the entry, whose name would be captured, is left out; NULL for no reason. */
static const char *objection(const struct scan *s, const char *path, const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "symbolic link";
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_size > OUTPUT_FILE_MAX)
		return "larger than 50 MB";
	if (s->files == OUTPUT_FILES_MAX)
		return "more than 500 files";
	return is_plain(path) ? NULL : "characters that a name cannot have";
}

static void scan_file(struct scan *s, int dir, const char *name, const char *path, struct stat *st)
{
	const char *why = objection(s, path, st);
	int fd;

	if (why) {
		leave_out(s, path, why);
		return;
	}
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0) {
		leave_out(s, path, strerror(errno));
	} else if ((why = objection(s, path, st))) {
		leave_out(s, path, why);
	} else {
		s->files++;
		capture(s, fd, st->st_size, path);
	}
	if (fd >= 0)
		close(fd);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in the folder D, in order; as many as the whole walk may still see. */
static const char **list_names(struct scan *s, DIR *d, const char *path, size_t *n)
{
	struct arena *a = s->cx->arena;
	const char **names = NULL;
	size_t cap = 0;
	struct dirent *e;

	*n = 0;
	while ((e = output_next_entry(d)) && s->entries < ENTRIES_MAX) {
		s->entries++;
		if (*n == cap) {
			const char **old = names;

			cap = cap ? cap * 2 : 64;
			names = arena_array(a, const char *, cap);
			if (*n)
				memcpy(names, old, *n * sizeof *names);
		}
		names[(*n)++] = arena_strdup(a, e->d_name);
	}
	if (e)
		leave_out(s, path, "too many entries, the rest was not looked at");
	else if (errno)
		leave_out(s, path, strerror(errno));
	if (*n)
		qsort(names, *n, sizeof *names, by_name);
	return names;
}

static void scan_dir(struct scan *s, int fd, const char *path, int level);

/* A subfolder at LEVEL of the folder DIR. */
static void enter(struct scan *s, int dir, const char *name, const char *path, int level)
{
	int fd;

	if (level > OUTPUT_LEVELS_MAX) {
		leave_out(s, path, "more than 16 levels");
		return;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		scan_dir(s, fd, path, level);
	else
		leave_out(s, path, strerror(errno));
}

/* Walks the folder FD, which is closed; PATH: where it is, "." for the first. */
static void scan_dir(struct scan *s, int fd, const char *path, int level)
{
	DIR *d = fdopendir(fd);
	const char **names;
	size_t n;

	if (!d) {
		leave_out(s, path, strerror(errno));
		close(fd);
		return;
	}
	names = list_names(s, d, path, &n);
	for (size_t i = 0; i < n && !s->cx->err.rc; i++) {
		const char *at = level ? arena_printf(s->cx->arena, "%s/%s", path, names[i])
				       : names[i];
		struct stat st;

		if (fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			enter(s, fd, names[i], at, level + 1);
		else if (outputs_mime(names[i]))
			scan_file(s, fd, names[i], at, &st);
	}
	closedir(d);
}

enum rc outputs_collect(struct ctx *cx, const struct task *t, struct output_list **out,
    const char **problem)
{
	struct scan s = { .cx = cx, .task = t, .to = -1 };
	int from;

	s.list = arena_new_of(cx->arena, struct output_list);
	buf_init(&s.text, TEXT_MAX);
	buf_init(&s.problem, NAMED_MAX * 8192);
	from = store_open(cx, "outputs", t->id, false, NULL);
	if (from >= 0)
		scan_dir(&s, from, ".", 0);
	else if (errno != ENOENT)
		leave_out(&s, ".", strerror(errno));
	if (s.to >= 0) {
		if (fsync(s.to) < 0)
			leave_out(&s, "copies", strerror(errno));
		close(s.to);
	}
	if (s.left_out > NAMED_MAX)
		buf_printf(&s.problem, "; and %zu more", s.left_out - NAMED_MAX);
	*problem = s.left_out ? arena_strdup(cx->arena, buf_text(&s.problem)) : NULL;
	buf_fini(&s.text);
	buf_fini(&s.problem);
	if (cx->err.rc) {
		outputs_discard(cx, s.list);
		s.list = NULL;
	}
	*out = s.list;
	return cx->err.rc;
}

/* Another task of the project has registered the same name since the copy was made: the copy gets
 * the number that is now the next. */
static void renumber(struct ctx *cx, const struct task *t, const struct output_list *list,
    struct output *o, int64_t version)
{
	const char *old = o->path, *old_name = o->filename;
	const char *dir = arena_strndup(cx->arena, old, (size_t)(strrchr(old, '/') - old));

	o->version = version;
	name_copy(cx, t, list, dir, o);
	if (rename(old, o->path) < 0) {
		o->path = old;
		o->filename = old_name;
	}
}

void outputs_register(struct ctx *cx, const struct task *t, struct output_list *list)
{
	for (size_t i = 0; i < list->n && !cx->err.rc; i++) {
		struct output *o = &list->items[i];
		int64_t version = next_version(cx, t, o->original);
		const char *id;

		if (version != o->version)
			renumber(cx, t, list, o, version);
		id = id_make(cx->arena);
		db_run(cx->db, Q_OUTPUT_INSERT, "ttttttititti", id, t->id, t->project_id,
		    o->filename, o->original, o->mime, o->size, o->path, o->version,
		    o->text ? "ready" : "uploaded", o->text, cx->now);
		if (!o->text)
			document_queue(cx, id);
	}
}

void outputs_discard(struct ctx *cx UNUSED, struct output_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		unlink(list->items[i].path);
	list->n = 0;
}
