/* Profiles: the registry with its revalidation, and what a run or a task asks of a profile. */
#include "core/profile.h"

#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/catalog.h"
#include "core/collate.h"
#include "core/file.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/model/models.h"
#include "core/profile_int.h"
#include "core/text.h"
#include "core/yaml.h"

#define PROFILE_MEMORY ((size_t)8 << 20)
#define TURNS_MAX 1000000
enum root { SHIPPED, USER, ROOTS };

/* A folder with a profile.yaml. */
struct entry {
	struct profile p; /* first: a profile is found in its entry */
	bool valid;
	enum root root;
	char *folder;
	struct file_stamp yaml, skill;
	struct arena *mem; /* everything of p; NULL where it is not valid */
};

static struct {
	char root[ROOTS][PATH_MAX];
	struct file_stamp root_stamp[ROOTS];
	bool settled; /* the stamps of the roots can be trusted */
	struct entry **entries; /* shipped ones first, each in the order of their names */
	size_t n_entries;
	const struct profile **profiles;
	size_t n_profiles;
	struct entry *retired[PROFILE_RETIRED_MAX];
	size_t next_retired;
} reg;

static const char *file_path(char out[PATH_MAX], enum root root, const char *folder,
    const char *file)
{
	int n = snprintf(out, PATH_MAX, "%s/%s/%s", reg.root[root], folder, file);

	return n > 0 && n < PATH_MAX ? out : "";
}

static void stamp_files(enum root root, const char *folder, struct file_stamp *yaml,
    struct file_stamp *skill)
{
	char path[PATH_MAX];

	*yaml = file_stamp(file_path(path, root, folder, "profile.yaml"), S_IFREG);
	*skill = file_stamp(file_path(path, root, folder, "SKILL.md"), S_IFREG);
}

/* The description in the front matter: the rest of the first line that has words behind
 * "description:", where a rule follows somewhere; else OTHERWISE. */
static const char *find_description(struct arena *a, const char *skill, const char *otherwise)
{
	const char *p;
	size_t n;

	n = strcspn(skill, "\n");
	if (!text_starts(skill, "---") || !text_is_blank(arena_strndup(a, skill + 3, n - 3)))
		return otherwise;
	p = strstr(skill + n, "description:");
	if (!p)
		return otherwise;
	p += strlen("description:");
	p += strspn(p, " \t\r\n\v\f");
	n = strcspn(p, "\n");
	if (!n || !p[n] || !strstr(p + n, "---"))
		return otherwise;
	return text_trim(a, arena_strndup(a, p, n));
}

static const char *find_origin(const json_t *doc)
{
	const char *author = json_str(doc, "author");

	if (json_object_get(doc, "importMeta"))
		return "import";
	if (author && strcmp(author, "stagent-env") == 0)
		return "environment";
	return author && strcmp(author, "stagent-ai-assist") == 0 ? "ai-assist" : "manual";
}

static unsigned runtime_bits(const json_t *list)
{
	unsigned bits = 0;
	size_t i;
	json_t *v;

	json_array_foreach(list, i, v)
		bits |= 1u << (catalog_resolve(json_string_value(v)) - RUNTIME_CATALOG);
	return bits ? bits : 1u;
}

void profile_fill(struct arena *a, const char *folder, const json_t *doc, const char *skill,
    struct profile *out)
{
	const json_t *tags = json_object_get(doc, "tags");
	const char **tag = arena_array(a, const char *, json_array_size(tags) + 1);
	size_t i;
	json_t *v;

	json_array_foreach(tags, i, v)
		tag[i] = json_string_value(v);
	*out = (struct profile){
		.id = json_str(doc, "id"),
		.name = json_str(doc, "name"),
		.version = json_str(doc, "version"),
		.domain = json_str(doc, "domain"),
		.description = find_description(a, skill, json_str(doc, "name")),
		.folder = folder,
		.origin = find_origin(doc),
		.preferred = json_str(doc, "preferredRuntime"),
		.instructions = skill,
		.tags = tag,
		.n_tags = json_array_size(tags),
		.runtimes = runtime_bits(json_object_get(doc, "supportedRuntimes")),
		.max_turns = (int64_t)fmin(ceil(json_num(doc, "maxTurns", 0)), TURNS_MAX),
		.doc = doc,
	};
}

/* A copy of a shipped profile that was made before these keys existed gets them from the original,
 * one of the N entries. */
static void complete_copy(struct entry *const *entries, size_t n, json_t *doc)
{
	static const char *const KEYS[] = { "supportedRuntimes", "runtimeOverrides" };
	const char *id = json_str(doc, "id");

	for (size_t i = 0; id && i < n; i++)
		if (entries[i]->root == SHIPPED && entries[i]->valid &&
		    strcmp(entries[i]->p.id, id) == 0)
			for (size_t k = 0; k < COUNT(KEYS); k++)
				if (!json_object_get(doc, KEYS[k]))
					json_object_set(doc, KEYS[k],
					    json_object_get(entries[i]->p.doc, KEYS[k]));
}

/* Reads the files of an entry; the N entries are those before it. */
static const char *load_files(struct entry *e, struct entry *const *entries, size_t n)
{
	char path[PATH_MAX];
	const char *text, *why, *skill = "";
	size_t size;
	json_t *doc;

	file_path(path, e->root, e->folder, "profile.yaml");
	text = file_read(e->mem, path, PROFILE_FILE_MAX, &size);
	if (!text)
		return "profile.yaml cannot be read";
	doc = yaml_read(e->mem, text, size, &why);
	if (!doc)
		return why;
	if (e->root == USER)
		complete_copy(entries, n, doc);
	why = profile_problems(e->mem, doc);
	if (why)
		return why;
	if (e->skill.inode) {
		file_path(path, e->root, e->folder, "SKILL.md");
		skill = file_read(e->mem, path, PROFILE_FILE_MAX, &size);
		if (!skill || !text_is_utf8(skill, size))
			return "SKILL.md cannot be read";
	}
	profile_fill(e->mem, e->folder, doc, skill, &e->p);
	e->p.in_user = e->root == USER;
	e->valid = true;
	return NULL;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	arena_free(e->mem);
	free(e->folder);
	free(e);
}

/* Keeps an entry that was replaced for a while: somebody may still hold its profile. */
static void retire(struct entry *e)
{
	struct entry **place = &reg.retired[reg.next_retired++ % PROFILE_RETIRED_MAX];

	entry_free(*place);
	*place = e;
}

static struct entry *entry_new(enum root root, const char *folder, const struct file_stamp *yaml,
    const struct file_stamp *skill, struct entry *const *entries, size_t n)
{
	struct entry *e = calloc(1, sizeof *e);
	const char *why;

	if (!e || !(e->folder = strdup(folder)))
		abort();
	e->root = root;
	e->yaml = *yaml;
	e->skill = *skill;
	e->mem = arena_new(PROFILE_MEMORY);
	why = load_files(e, entries, n);
	if (why) {
		log_warn("profile folder %s/%s passed over: %s",
		    reg.root[root], folder, why);
		arena_free(e->mem);
		e->mem = NULL;
	}
	return e;
}

/* Takes the entry of an unchanged folder out of the registry. */
static struct entry *take_known(enum root root, const char *folder, const struct file_stamp *yaml,
    const struct file_stamp *skill)
{
	for (size_t i = 0; i < reg.n_entries; i++) {
		struct entry *e = reg.entries[i];

		if (e && e->root == root && strcmp(e->folder, folder) == 0 &&
		    file_same_stamp(&e->yaml, yaml) && file_same_stamp(&e->skill, skill)) {
			reg.entries[i] = NULL;
			return e;
		}
	}
	return NULL;
}

int profile_is_folder_name(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
	       !text_starts(d->d_name, PROFILE_ASIDE);
}

/* Adds the entries of one root behind the N of the new list; returns how many there are then. */
static size_t read_root(enum root root, struct entry **list, size_t n)
{
	struct dirent **names = NULL;
	int count = scandir(
	    reg.root[root], &names, profile_is_folder_name, file_by_bytes);

	for (int i = 0; i < count; i++) {
		const char *folder = names[i]->d_name;
		struct file_stamp yaml, skill;

		stamp_files(root, folder, &yaml, &skill);
		if (yaml.inode && n < PROFILE_FOLDERS_MAX) {
			list[n] = take_known(root, folder, &yaml, &skill);
			if (!list[n])
				list[n] = entry_new(root, folder, &yaml, &skill, list, n);
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

	while (i < reg.n_profiles && strcmp(reg.profiles[i]->id, id) != 0)
		i++;
	return i;
}

/* Of the entries that claim an id the last one counts; the order is that of the folders. */
static void rebuild(void)
{
	free(reg.profiles);
	reg.profiles = calloc(reg.n_entries + 1, sizeof(struct profile *));
	if (!reg.profiles)
		abort();
	reg.n_profiles = 0;
	for (size_t i = 0; i < reg.n_entries; i++) {
		struct entry *e = reg.entries[i];
		size_t place, old = e->valid ? index_of(e->p.id) : 0;

		if (!e->valid)
			continue;
		e->p.builtin = e->root == SHIPPED;
		if (old < reg.n_profiles) {
			e->p.builtin = reg.profiles[old]->builtin;
			memmove(&reg.profiles[old], &reg.profiles[old + 1],
			    (--reg.n_profiles - old) * sizeof(struct profile *));
		}
		for (place = reg.n_profiles++;
		     place > 0 && strcmp(reg.profiles[place - 1]->folder, e->folder) > 0; place--)
			reg.profiles[place] = reg.profiles[place - 1];
		reg.profiles[place] = &e->p;
	}
}

static void sweep(void)
{
	struct entry **list = calloc(PROFILE_FOLDERS_MAX, sizeof *list);
	time_t now = time(NULL);
	size_t n;

	if (!list)
		abort();
	reg.settled = true;
	for (int i = 0; i < ROOTS; i++) {
		reg.root_stamp[i] = file_stamp(reg.root[i], S_IFDIR);
		if (now - reg.root_stamp[i].mtime.tv_sec < FILE_SETTLE_S)
			reg.settled = false;
	}
	n = read_root(SHIPPED, list, 0);
	n = read_root(USER, list, n);
	for (size_t i = 0; i < reg.n_entries; i++)
		if (reg.entries[i])
			retire(reg.entries[i]);
	free(reg.entries);
	reg.entries = list;
	reg.n_entries = n;
	rebuild();
}

void profile_user_root(char out[PATH_MAX])
{
	const char *home = getenv("HOME");

	if (!home || !*home)
		home = getenv("USERPROFILE");
	snprintf(out, PATH_MAX, "%s/.claude/skills", home && *home ? home : ".");
}

/* Points the registry at the folders; true where they are others than before. */
static bool set_roots(const struct conf *c)
{
	char root[ROOTS][PATH_MAX];
	bool changed = false;

	snprintf(root[SHIPPED], PATH_MAX, "%s/profiles", c->share_dir);
	profile_user_root(root[USER]);
	for (int i = 0; i < ROOTS; i++)
		if (strcmp(root[i], reg.root[i]) != 0) {
			snprintf(reg.root[i], PATH_MAX, "%s", root[i]);
			changed = true;
		}
	return changed;
}

static bool roots_unchanged(void)
{
	for (int i = 0; i < ROOTS; i++) {
		struct file_stamp now = file_stamp(reg.root[i], S_IFDIR);

		if (!file_same_stamp(&now, &reg.root_stamp[i]))
			return false;
	}
	return reg.settled;
}

static bool unchanged(const struct profile *p)
{
	const struct entry *e = (const struct entry *)(const void *)p;
	struct file_stamp yaml, skill;

	stamp_files(e->root, e->folder, &yaml, &skill);
	return file_same_stamp(&yaml, &e->yaml) && file_same_stamp(&skill, &e->skill);
}

const struct profile *profile_find(const struct conf *c, const char *id)
{
	bool swept = set_roots(c) || !roots_unchanged();
	size_t i;

	if (swept)
		sweep();
	i = index_of(id);
	if (!swept && (i == reg.n_profiles || !unchanged(reg.profiles[i]))) {
		sweep();
		i = index_of(id);
	}
	return i < reg.n_profiles ? reg.profiles[i] : NULL;
}

const struct profile *const *profile_list(const struct conf *c, size_t *n)
{
	set_roots(c);
	sweep();
	*n = reg.n_profiles;
	return reg.profiles;
}

bool profile_supports(const struct profile *p, const char *runtime)
{
	return (p->runtimes >> (catalog_resolve(runtime) - RUNTIME_CATALOG) & 1u) != 0;
}

/* The value of the override, else the profile's; a reference that lives as long as A. */
static const json_t *pick(struct arena *a, const json_t *override, const json_t *doc,
    const char *key)
{
	json_t *v = json_object_get(override, key);

	if (!v)
		v = json_object_get(doc, key);
	return json_keep(a, json_incref(v));
}

void profile_resolve(struct arena *a, const struct profile *p, const char *runtime,
    struct profile_view *out)
{
	const char *id = catalog_resolve(runtime)->id, *instructions, *model;
	const json_t *override = json_object_get(json_object_get(p->doc, "runtimeOverrides"), id);
	const json_t *capability =
	    json_object_get(json_object_get(p->doc, "capabilityOverrides"), id);
	const json_t *policy = pick(a, override, p->doc, "canUseToolPolicy");
	const json_t *thinking = json_object_get(capability, "extendedThinking");

	instructions = json_str(override, "instructions");
	model = json_str(capability, "modelId");
	*out = (struct profile_view){
		.id = arena_strdup(a, p->id),
		.name = arena_strdup(a, p->name),
		.instructions = arena_strdup(a, instructions ? instructions : p->instructions),
		.max_turns = p->max_turns,
		.allowed_tools = pick(a, override, p->doc, "allowedTools"),
		.auto_approve = json_object_get(policy, "autoApprove"),
		.auto_deny = json_object_get(policy, "autoDeny"),
		.mcp_servers = pick(a, override, p->doc, "mcpServers"),
		.tests = pick(a, override, p->doc, "tests"),
		.model_id = model && *model ? arena_strdup(a, model) : NULL,
		.thinking = json_flag(thinking, "enabled"),
		.thinking_budget = (int64_t)fmin(
		    ceil(json_num(thinking, "budgetTokens", PROFILE_THINKING_BUDGET)), INT32_MAX),
		.server_tools = pick(a, capability, NULL, "serverTools"),
	};
}

static size_t count_hits(const struct profile *p, const char *text)
{
	size_t hits = 0;

	for (size_t i = 0; i < p->n_tags; i++)
		if (strstr(text, p->tags[i]))
			hits++;
	return hits;
}

const char *profile_choose(const struct profile *const *list, size_t n, struct arena *a,
    const char *title, const char *description, const char *runtime)
{
	const char *text = collate_lower(a, arena_printf(a, "%s %s", title, description));
	const char *best = PROFILE_DEFAULT;
	size_t most = 1;

	for (size_t i = 0; i < n; i++) {
		size_t hits = count_hits(list[i], text);

		if (hits > most && profile_supports(list[i], runtime) &&
		    strcmp(list[i]->id, PROFILE_DEFAULT) != 0) {
			most = hits;
			best = list[i]->id;
		}
	}
	return arena_strdup(a, best);
}

const char *profile_classify(const struct conf *c, struct arena *a, const char *title,
    const char *description, const char *runtime)
{
	size_t n;
	const struct profile *const *list = profile_list(c, &n);

	return profile_choose(list, n, a, title, description, runtime);
}
