/* Blueprints: the registry with its revalidation. */
#include "core/blueprint.h"

#include <limits.h>
#include <stdio.h>

#include "core/file.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"

#define BLUEPRINT_MEMORY ((size_t)32 << 20)

enum root { SHIPPED, USER, ROOTS };

/* A file that may hold a blueprint. */
struct entry {
	struct blueprint b;
	enum root root;
	char *file;
	struct file_stamp stamp;
	bool settled;      /* it was read long enough after its last change to trust the stamp */
	struct arena *mem; /* everything of b; NULL where the file holds no blueprint */
};

static struct {
	char root[ROOTS][PATH_MAX];
	struct entry **entries; /* shipped ones first, each in the order of their names */
	size_t n_entries;
	const struct blueprint **list;
	size_t n_list;
} reg;

static const char *file_path(char out[PATH_MAX], enum root root, const char *file)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", reg.root[root], file);

	return n > 0 && n < PATH_MAX ? out : "";
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	arena_free(e->mem);
	free(e->file);
	free(e);
}

/* Reads the file with memory of its own, so that of what was read only the blueprint stays. */
static const char *load(struct entry *e, struct arena *work)
{
	char path[PATH_MAX];
	const char *text, *why;
	const json_t *doc;
	size_t n;

	text = file_read(work, file_path(path, e->root, e->file), BLUEPRINT_SIZE_MAX, &n);
	if (!text)
		return "it cannot be read, or is no text, or is larger than 1 MiB";
	doc = blueprint_read(work, text, n, &why);
	if (!doc)
		return why;
	e->mem = arena_new(BLUEPRINT_MEMORY);
	json_keep(e->mem, json_incref((json_t *)(uintptr_t)doc));
	e->b = (struct blueprint){ json_str(doc, "id"), e->file, e->root == SHIPPED, doc };
	return NULL;
}

static struct entry *entry_new(enum root root, const char *file, const struct file_stamp *stamp)
{
	struct entry *e = calloc(1, sizeof *e);
	struct arena *work = arena_new(BLUEPRINT_MEMORY);
	const char *why;

	if (!e || !(e->file = strdup(file)))
		abort();
	e->root = root;
	e->stamp = *stamp;
	e->settled = time(NULL) - stamp->mtime.tv_sec >= FILE_SETTLE_S;
	why = load(e, work);
	if (why)
		log_warn("blueprint file %s/%s passed over: %.1000s", reg.root[root], file, why);
	arena_free(work);
	return e;
}

/* Takes the entry of an unchanged file out of the registry. */
static struct entry *take_known(enum root root, const char *file, const struct file_stamp *stamp)
{
	for (size_t i = 0; i < reg.n_entries; i++) {
		struct entry *e = reg.entries[i];

		if (e && e->root == root && e->settled && strcmp(e->file, file) == 0 &&
		    file_same_stamp(&e->stamp, stamp)) {
			reg.entries[i] = NULL;
			return e;
		}
	}
	return NULL;
}

static int is_file_name(const struct dirent *d)
{
	return text_ends(d->d_name, ".yaml") || text_ends(d->d_name, ".yml");
}

/* Adds the entries of one root behind the N of the new list; returns how many there are then. */
static size_t read_root(enum root root, struct entry **list, size_t n)
{
	struct dirent **names = NULL;
	int count = scandir(reg.root[root], &names, is_file_name, file_by_bytes);

	for (int i = 0; i < count; i++) {
		const char *file = names[i]->d_name;
		char path[PATH_MAX];
		struct file_stamp stamp = file_stamp(file_path(path, root, file), S_IFREG);

		if (stamp.inode && n < BLUEPRINT_FILES_MAX) {
			list[n] = take_known(root, file, &stamp);
			if (!list[n])
				list[n] = entry_new(root, file, &stamp);
			n++;
		}
		free(names[i]);
	}
	free(names);
	return n;
}

static size_t index_of(const char *id)
{
	size_t i = 0;

	while (i < reg.n_list && strcmp(reg.list[i]->id, id) != 0)
		i++;
	return i;
}

/* Of the entries that claim an id the last one counts, in the place of the first. */
static void rebuild(void)
{
	free(reg.list);
	reg.list = calloc(reg.n_entries + 1, sizeof(struct blueprint *));
	if (!reg.list)
		abort();
	reg.n_list = 0;
	for (size_t i = 0; i < reg.n_entries; i++) {
		const struct entry *e = reg.entries[i];
		size_t place = e->mem ? index_of(e->b.id) : 0;

		if (!e->mem)
			continue;
		reg.list[place] = &e->b;
		if (place == reg.n_list)
			reg.n_list++;
	}
}

static void set_roots(const struct conf *c)
{
	snprintf(reg.root[SHIPPED], PATH_MAX, "%s/blueprints", c->share_dir);
	snprintf(reg.root[USER], PATH_MAX, "%s/blueprints", c->data_dir);
}

static void sweep(const struct conf *c)
{
	struct entry **list = calloc(BLUEPRINT_FILES_MAX, sizeof *list);
	size_t n;

	if (!list)
		abort();
	set_roots(c);
	n = read_root(SHIPPED, list, 0);
	n = read_root(USER, list, n);
	for (size_t i = 0; i < reg.n_entries; i++)
		entry_free(reg.entries[i]);
	free(reg.entries);
	reg.entries = list;
	reg.n_entries = n;
	rebuild();
}

const struct blueprint *blueprint_find(const struct conf *c, const char *id)
{
	size_t i;

	if (!blueprint_id_ok(id))
		return NULL;
	sweep(c);
	i = index_of(id);
	return i < reg.n_list ? reg.list[i] : NULL;
}

const struct blueprint *const *blueprint_list(const struct conf *c, size_t *n)
{
	sweep(c);
	*n = reg.n_list;
	return reg.list;
}

const char *blueprint_user_root(struct arena *a, const struct conf *c)
{
	return arena_printf(a, "%s/blueprints", c->data_dir);
}

const char *const *blueprint_user_files(const struct conf *c, struct arena *a, const char *id)
{
	const char *own = arena_printf(a, "%s.yaml", id), **out;
	size_t n = 0;

	sweep(c);
	out = arena_array(a, const char *, reg.n_entries + 1);
	for (size_t i = 0; blueprint_id_ok(id) && i < reg.n_entries; i++) {
		const struct entry *e = reg.entries[i];

		if (e->root == USER &&
		    (e->mem ? strcmp(e->b.id, id) == 0 : strcmp(e->file, own) == 0))
			out[n++] = arena_strdup(a, e->file);
	}
	return out;
}
