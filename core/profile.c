/* Profiles in four parts: reading YAML, what a profile must look like, the registry with its
 * revalidation, and what a run or a task asks of a profile. */
#include "core/profile.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

#include "core/catalog.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/model/models.h"
#include "core/text.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define FOLDERS_MAX 2000
#define PROFILE_MEMORY ((size_t)8 << 20)
#define TURNS_MAX 1000000
/* A folder's time says nothing about a change in the same moment; that long it is not trusted. */
#define SETTLE_S 2

#define YAML_DEPTH_MAX 32
#define YAML_VALUES_MAX 10000

/* --- YAML --- */

struct builder {
	struct arena *a;
	json_t *root;
	struct level {
		json_t *node;
		const char *key; /* of a map, when its value comes next */
	} levels[YAML_DEPTH_MAX];
	int depth;
	size_t values;
	const char *why;
};

static bool refuse(struct builder *b, const char *why)
{
	if (!b->why)
		b->why = why;
	return false;
}

static bool is_word(const char *s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(s, words[i]) == 0)
			return true;
	return false;
}

/* Whether S has the form of FORM, where 0 stands for any digit, up to the end of FORM. */
static bool has_form(const char *s, const char *form)
{
	for (; *form; s++, form++)
		if (*form == '0' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	return true;
}

static bool is_date(const char *s)
{
	if (!has_form(s, "0000-00-00"))
		return false;
	s += strlen("0000-00-00");
	return !*s || ((*s == 'T' || *s == 't' || *s == ' ') && has_form(s + 1, "00:00:00") &&
			  !s[1 + strspn(s + 1, "0123456789:.+-Z ")]);
}

static bool is_float(const char *s)
{
	size_t whole, fraction = 0;

	s += *s == '-' || *s == '+';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		fraction = strspn(s + 1, "0123456789");
		s += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s += s[1] == '-' || s[1] == '+' ? 2 : 1;
		if (!*s)
			return false;
		s += strspn(s, "0123456789");
	}
	return !*s;
}

/* The number that the DIGITS make; NULL where there are none or others, or where it is so large
 * that it is read as a float. */
static json_t *whole_number(const char *digits, int base, bool negative)
{
	static const char ALL[] = "0123456789abcdef";
	double v = 0;

	if (!*digits)
		return NULL;
	for (; *digits; digits++) {
		const char *p = strchr(ALL, tolower((unsigned char)*digits));

		if (!p || p - ALL >= base)
			return NULL;
		v = v * base + (double)(p - ALL);
	}
	if (v > 9e15)
		return NULL;
	return json_integer((json_int_t)(negative ? -v : v));
}

/* A plain scalar as the core schema of YAML 1.2 has it; numbers without a JSON form are null. */
static json_t *plain_scalar(const char *s)
{
	static const char *const NONE[] = { "", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN",
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF" };
	static const char *const TRUE_WORDS[] = { "true", "True", "TRUE" };
	static const char *const FALSE_WORDS[] = { "false", "False", "FALSE" };
	json_t *v = NULL;

	if (is_word(s, NONE, COUNT(NONE)))
		return json_null();
	if (is_word(s, TRUE_WORDS, COUNT(TRUE_WORDS)))
		return json_true();
	if (is_word(s, FALSE_WORDS, COUNT(FALSE_WORDS)))
		return json_false();
	if (!strchr("+-.0123456789", *s))
		return json_string(s);
	if (is_date(s))
		return json_pack("{s:s}", "date", s);
	if (text_starts(s, "0x"))
		v = whole_number(s + 2, 16, false);
	else if (text_starts(s, "0o"))
		v = whole_number(s + 2, 8, false);
	else
		v = whole_number(s + (*s == '-' || *s == '+'), 10, *s == '-');
	if (v)
		return v;
	if (!is_float(s))
		return json_string(s);
	v = json_real(strtod(s, NULL));
	return v ? v : json_null();
}

/* Puts a value, whose reference is taken, where the next one belongs. */
static bool put(struct builder *b, json_t *v)
{
	struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;

	if (!v)
		return refuse(b, "a text is not well-formed");
	if (++b->values > YAML_VALUES_MAX) {
		json_decref(v);
		return refuse(b, "too many values");
	}
	if (!top) {
		b->root = v;
	} else if (json_is_array(top->node)) {
		json_array_append_new(top->node, v);
	} else if (top->key) {
		json_object_set_new(top->node, top->key, v);
		top->key = NULL;
	} else {
		json_decref(v);
		return refuse(b, "a key must be a text");
	}
	return true;
}

static bool put_scalar(struct builder *b, const yaml_event_t *e)
{
	struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;
	const char *s = (const char *)e->data.scalar.value;

	if (strlen(s) != e->data.scalar.length || !text_is_utf8(s, e->data.scalar.length))
		return refuse(b, "a text is not well-formed");
	if (top && json_is_object(top->node) && !top->key) {
		if (json_object_get(top->node, s))
			return refuse(b, arena_printf(b->a, "the key %s is repeated", s));
		top->key = arena_strdup(b->a, s);
		return true;
	}
	return put(b, e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain_scalar(s)
								       : json_string(s));
}

static bool open_level(struct builder *b, json_t *v)
{
	if (b->depth == YAML_DEPTH_MAX) {
		json_decref(v);
		return refuse(b, "nested too deeply");
	}
	if (!put(b, v))
		return false;
	b->levels[b->depth++] = (struct level){ v, NULL };
	return true;
}

static bool take_event(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->root ? refuse(b, "there is a second document") : true;
	case YAML_ALIAS_EVENT:
		return refuse(b, "aliases are not taken");
	case YAML_SCALAR_EVENT:
		if (e->data.scalar.anchor || e->data.scalar.tag)
			return refuse(b, "anchors and tags are not taken");
		return put_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		if (e->data.sequence_start.anchor || e->data.sequence_start.tag)
			return refuse(b, "anchors and tags are not taken");
		return open_level(b, json_array());
	case YAML_MAPPING_START_EVENT:
		if (e->data.mapping_start.anchor || e->data.mapping_start.tag)
			return refuse(b, "anchors and tags are not taken");
		return open_level(b, json_object());
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	default:
		return true;
	}
}

json_t *profile_read_yaml(struct arena *a, const char *text, size_t n, const char **why)
{
	struct builder b = { .a = a };
	yaml_parser_t parser;
	yaml_event_t event;
	bool ok = true, end = false;

	if (n > FILE_SIZE_MAX) {
		*why = "larger than 1 MiB";
		return NULL;
	}
	if (!yaml_parser_initialize(&parser)) {
		*why = "out of memory";
		return NULL;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (ok && !end) {
		if (!yaml_parser_parse(&parser, &event)) {
			ok = refuse(&b, arena_printf(a, "line %zu: %s",
					    parser.problem_mark.line + 1,
					    parser.problem ? parser.problem : "malformed"));
			break;
		}
		end = event.type == YAML_STREAM_END_EVENT;
		ok = take_event(&b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	json_keep(a, b.root);
	if (ok && !b.root)
		ok = refuse(&b, "there is no document");
	*why = b.why;
	return ok ? b.root : NULL;
}

/* --- What profile.yaml must look like --- */

static const char *const DOMAIN_WORDS[] = { "work", "personal" };
static const struct word_set DOMAINS = WORDS(DOMAIN_WORDS);
static const char *const FORMAT_WORDS[] = { "stagent", "skillmd-only", "unknown" };
static const struct word_set SOURCE_FORMATS = WORDS(FORMAT_WORDS);

static const struct field TEXT_ITEM = { .type = F_STRING };
static const struct field BOOL_ITEM = { .type = F_BOOL };
static const struct field RUNTIME_ITEM = { .type = F_ENUM, .words = &RUNTIMES };

#define TEXT(key_, flags_) { .key = key_, .type = F_STRING, .flags = flags_ }
#define TEXTS(key_, flags_) \
	{ .key = key_, .type = F_ARRAY, .flags = flags_, .item = &TEXT_ITEM }
#define TESTS { .key = "tests", .type = F_ARRAY, .item = &TEST_ITEM }
#define OBJECT(key_, shape_) { .key = key_, .type = F_OBJECT, .shape = shape_ }
#define RECORD(key_, item_) { .key = key_, .type = F_RECORD, .item = item_ }
#define ABOVE_0(key_) \
	{ .key = key_, .type = F_NUMBER, .flags = F_MIN | F_ABOVE, .min = 0 }
#define SHAPE(name_, fields_) { .name = name_, .fields = fields_, .n = COUNT(fields_) }

static const struct field POLICY_FIELDS[] = { TEXTS("autoApprove", 0), TEXTS("autoDeny", 0) };
static const struct shape SHAPE_POLICY = SHAPE("ProfilePolicy", POLICY_FIELDS);

static const struct field HOOK_FIELDS[] = { TEXTS("preToolCall", 0), TEXTS("postToolCall", 0) };
static const struct shape SHAPE_HOOKS = SHAPE("ProfileHooks", HOOK_FIELDS);

static const struct field TEST_FIELDS[] = {
	TEXT("task", F_REQUIRED),
	TEXTS("expectedKeywords", F_REQUIRED),
};
static const struct shape SHAPE_TEST = SHAPE("ProfileTest", TEST_FIELDS);
static const struct field TEST_ITEM = { .type = F_OBJECT, .shape = &SHAPE_TEST };

static const struct field IMPORT_FIELDS[] = {
	{ .key = "repoUrl", .type = F_STRING, .flags = F_REQUIRED, .format = FMT_URL },
	TEXT("repoOwner", F_REQUIRED),
	TEXT("repoName", F_REQUIRED),
	TEXT("branch", F_REQUIRED),
	TEXT("filePath", F_REQUIRED),
	TEXT("commitSha", F_REQUIRED),
	TEXT("contentHash", F_REQUIRED),
	TEXT("importedAt", F_REQUIRED),
	{ .key = "sourceFormat", .type = F_ENUM, .flags = F_REQUIRED, .words = &SOURCE_FORMATS },
};
static const struct shape SHAPE_IMPORT = SHAPE("ProfileImport", IMPORT_FIELDS);

static const struct field OVERRIDE_FIELDS[] = {
	{ .key = "instructions", .type = F_STRING, .flags = F_MIN, .min = 1 },
	TEXTS("allowedTools", 0),
	RECORD("mcpServers", NULL),
	OBJECT("canUseToolPolicy", &SHAPE_POLICY),
	TESTS,
};
static const struct shape SHAPE_OVERRIDE = SHAPE("ProfileOverride", OVERRIDE_FIELDS);

static const struct field THINKING_FIELDS[] = {
	{ .key = "enabled", .type = F_BOOL, .flags = F_REQUIRED },
	ABOVE_0("budgetTokens"),
};
static const struct shape SHAPE_THINKING = SHAPE("ProfileThinking", THINKING_FIELDS);

static const struct field CAPABILITY_FIELDS[] = {
	TEXT("modelId", 0),
	OBJECT("extendedThinking", &SHAPE_THINKING),
	RECORD("serverTools", &BOOL_ITEM),
};
static const struct shape SHAPE_CAPABILITY = SHAPE("ProfileCapabilities", CAPABILITY_FIELDS);

/* One field a runtime, in the order of the catalogue. */
#define EACH_RUNTIME(shape_) \
	OBJECT("claude-code", shape_), OBJECT("openai-codex-app-server", shape_), \
	    OBJECT("anthropic-direct", shape_), OBJECT("openai-direct", shape_), \
	    OBJECT("ollama", shape_)

static const struct field OVERRIDES_FIELDS[] = { EACH_RUNTIME(&SHAPE_OVERRIDE) };
static const struct shape SHAPE_OVERRIDES = SHAPE("ProfileOverrides", OVERRIDES_FIELDS);
static const struct field CAPABILITIES_FIELDS[] = { EACH_RUNTIME(&SHAPE_CAPABILITY) };
static const struct shape SHAPE_CAPABILITIES =
    SHAPE("ProfileCapabilityOverrides", CAPABILITIES_FIELDS);

static const struct field PROFILE_FIELDS[] = {
	{ .key = "id", .type = F_STRING, .flags = F_REQUIRED | F_MIN, .min = 1 },
	{ .key = "name", .type = F_STRING, .flags = F_REQUIRED | F_MIN, .min = 1 },
	{ .key = "version", .type = F_STRING, .flags = F_REQUIRED, .format = FMT_VERSION },
	{ .key = "domain", .type = F_ENUM, .flags = F_REQUIRED, .words = &DOMAINS },
	TEXTS("tags", F_REQUIRED),
	TEXTS("allowedTools", 0),
	RECORD("mcpServers", NULL),
	OBJECT("canUseToolPolicy", &SHAPE_POLICY),
	OBJECT("hooks", &SHAPE_HOOKS),
	ABOVE_0("maxTurns"),
	TEXT("outputFormat", 0),
	TEXT("author", 0),
	{ .key = "source", .type = F_STRING, .format = FMT_URL },
	TESTS,
	OBJECT("importMeta", &SHAPE_IMPORT),
	{ .key = "supportedRuntimes", .type = F_ARRAY, .item = &RUNTIME_ITEM },
	{ .key = "preferredRuntime", .type = F_ENUM, .words = &RUNTIMES },
	OBJECT("runtimeOverrides", &SHAPE_OVERRIDES),
	OBJECT("capabilityOverrides", &SHAPE_CAPABILITIES),
};
const struct shape SHAPE_PROFILE = SHAPE("ProfileConfig", PROFILE_FIELDS);

bool profile_id_ok(const char *id)
{
	size_t n = strspn(
	    id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n >= 1 && n <= 100 && !id[n] && !strchr("._-", *id) && !strstr(id, "..");
}

const char *profile_problems(struct arena *a, const json_t *doc)
{
	struct problem *list;
	const char *line = NULL;

	if (!json_is_object(doc))
		doc = json_keep(a, json_object());
	list = shape_problems(a, &SHAPE_PROFILE, doc);
	if (!list && !profile_id_ok(json_str(doc, "id")))
		return "id may only contain letters, digits, dots, dashes and underscores "
		       "(max 100 characters)";
	for (; list; list = list->next)
		line = line ? arena_printf(a, "%s, %s", line, list->message) : list->message;
	return line;
}

/* --- The registry --- */

/* What a file or folder looks like from outside; all zeros where it is not there. */
struct stamp {
	ino_t inode;
	off_t size;
	struct timespec mtime;
};

enum root { SHIPPED, USER, ROOTS };

/* A folder with a profile.yaml. */
struct entry {
	struct profile p; /* first: a profile is found in its entry */
	bool valid;
	enum root root;
	char *folder;
	struct stamp yaml, skill;
	struct arena *mem; /* everything of p; NULL where it is not valid */
};

static struct {
	char root[ROOTS][PATH_MAX];
	struct stamp root_stamp[ROOTS];
	bool settled; /* the stamps of the roots can be trusted */
	struct entry **entries; /* shipped ones first, each in the order of their names */
	size_t n_entries;
	const struct profile **profiles;
	size_t n_profiles;
	struct entry *retired[PROFILE_RETIRED_MAX];
	size_t next_retired;
} reg;

static struct stamp stamp_of(const char *path, mode_t type)
{
	struct stat st;

	if (stat(path, &st) < 0 || (st.st_mode & S_IFMT) != type)
		return (struct stamp){ 0 };
	return (struct stamp){ st.st_ino, st.st_size, st.st_mtim };
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
	return a->inode == b->inode && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static const char *file_path(char out[PATH_MAX], enum root root, const char *folder,
    const char *file)
{
	int n = snprintf(out, PATH_MAX, "%s/%s/%s", reg.root[root], folder, file);

	return n > 0 && n < PATH_MAX ? out : "";
}

static void stamp_files(enum root root, const char *folder, struct stamp *yaml, struct stamp *skill)
{
	char path[PATH_MAX];

	*yaml = stamp_of(file_path(path, root, folder, "profile.yaml"), S_IFREG);
	*skill = stamp_of(file_path(path, root, folder, "SKILL.md"), S_IFREG);
}

/* The text of a file; NULL where it cannot be read or is too large. */
static const char *read_file(struct arena *a, const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)FILE_SIZE_MAX) {
		text = arena_alloc(a, (size_t)st.st_size + 1);
		got = read(fd, text, (size_t)st.st_size);
	}
	close(fd);
	if (got < 0 || memchr(text, '\0', (size_t)got))
		return NULL;
	*n = (size_t)got;
	return text;
}

/* The description in the front matter: the rest of the first line that has words behind
 * "description:", where a rule follows somewhere; else OTHERWISE. */
static const char *find_description(struct arena *a, const char *skill, const char *otherwise)
{
	const char *p;
	size_t n;

	if (!text_starts(skill, "---\n") && !text_starts(skill, "---\r\n"))
		return otherwise;
	p = strstr(skill, "description:");
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

static void fill(struct entry *e, const json_t *doc, const char *skill)
{
	const json_t *tags = json_object_get(doc, "tags");
	const char **tag = arena_array(e->mem, const char *, json_array_size(tags) + 1);
	size_t i;
	json_t *v;

	json_array_foreach(tags, i, v)
		tag[i] = json_string_value(v);
	e->p = (struct profile){
		.id = json_str(doc, "id"),
		.name = json_str(doc, "name"),
		.version = json_str(doc, "version"),
		.domain = json_str(doc, "domain"),
		.description = find_description(e->mem, skill, json_str(doc, "name")),
		.folder = e->folder,
		.origin = find_origin(doc),
		.preferred = json_str(doc, "preferredRuntime"),
		.instructions = skill,
		.tags = tag,
		.n_tags = json_array_size(tags),
		.runtimes = runtime_bits(json_object_get(doc, "supportedRuntimes")),
		.max_turns = (int64_t)fmin(ceil(json_num(doc, "maxTurns", 0)), TURNS_MAX),
		.doc = doc,
	};
	e->valid = true;
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

	text = read_file(e->mem, file_path(path, e->root, e->folder, "profile.yaml"), &size);
	if (!text)
		return "profile.yaml cannot be read";
	doc = profile_read_yaml(e->mem, text, size, &why);
	if (!doc)
		return why;
	if (e->root == USER)
		complete_copy(entries, n, doc);
	why = profile_problems(e->mem, doc);
	if (why)
		return why;
	if (e->skill.inode) {
		file_path(path, e->root, e->folder, "SKILL.md");
		skill = read_file(e->mem, path, &size);
		if (!skill || !text_is_utf8(skill, size))
			return "SKILL.md cannot be read";
	}
	fill(e, doc, skill);
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

static struct entry *entry_new(enum root root, const char *folder, const struct stamp *yaml,
    const struct stamp *skill, struct entry *const *entries, size_t n)
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
static struct entry *take_known(enum root root, const char *folder, const struct stamp *yaml,
    const struct stamp *skill)
{
	for (size_t i = 0; i < reg.n_entries; i++) {
		struct entry *e = reg.entries[i];

		if (e && e->root == root && strcmp(e->folder, folder) == 0 &&
		    same_stamp(&e->yaml, yaml) && same_stamp(&e->skill, skill)) {
			reg.entries[i] = NULL;
			return e;
		}
	}
	return NULL;
}

static int is_folder_name(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds the entries of one root behind the N of the new list; returns how many there are then. */
static size_t read_root(enum root root, struct entry **list, size_t n)
{
	struct dirent **names = NULL;
	int count = scandir(reg.root[root], &names, is_folder_name, by_bytes);

	for (int i = 0; i < count; i++) {
		const char *folder = names[i]->d_name;
		struct stamp yaml, skill;

		stamp_files(root, folder, &yaml, &skill);
		if (yaml.inode && n < FOLDERS_MAX) {
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
	struct entry **list = calloc(FOLDERS_MAX, sizeof *list);
	time_t now = time(NULL);
	size_t n;

	if (!list)
		abort();
	reg.settled = true;
	for (int i = 0; i < ROOTS; i++) {
		reg.root_stamp[i] = stamp_of(reg.root[i], S_IFDIR);
		if (now - reg.root_stamp[i].mtime.tv_sec < SETTLE_S)
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

/* Points the registry at the folders; true where they are others than before. */
static bool set_roots(const struct conf *c)
{
	const char *home = getenv("HOME");
	char root[ROOTS][PATH_MAX];
	bool changed = false;

	if (!home || !*home)
		home = getenv("USERPROFILE");
	snprintf(root[SHIPPED], PATH_MAX, "%s/profiles", c->share_dir);
	snprintf(root[USER], PATH_MAX, "%s/.claude/skills", home && *home ? home : ".");
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
		struct stamp now = stamp_of(reg.root[i], S_IFDIR);

		if (!same_stamp(&now, &reg.root_stamp[i]))
			return false;
	}
	return reg.settled;
}

static bool unchanged(const struct profile *p)
{
	const struct entry *e = (const struct entry *)(const void *)p;
	struct stamp yaml, skill;

	stamp_files(e->root, e->folder, &yaml, &skill);
	return same_stamp(&yaml, &e->yaml) && same_stamp(&skill, &e->skill);
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

/* --- What is asked of a profile --- */

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

const char *profile_classify(const struct conf *c, struct arena *a, const char *title,
    const char *description, const char *runtime)
{
	const char *text = text_lower(a, arena_printf(a, "%s %s", title, description));
	const char *best = PROFILE_DEFAULT;
	size_t n, most = 1;
	const struct profile *const *list = profile_list(c, &n);

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
