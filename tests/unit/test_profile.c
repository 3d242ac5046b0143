/* Profiles: the YAML reader, validation, the registry and its revalidation, what a run asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/profile.h"
#include "core/yaml.h"

static struct arena *a;
static char dir[64];
static struct conf conf;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static int set_up(void **state UNUSED)
{
	log_init("test", LOG_ERROR);
	a = arena_new(ARENA_REQUEST_MAX);
	snprintf(dir, sizeof dir, "/tmp/test-profile-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("HOME", dir, 1), 0);
	conf = (struct conf){ .share_dir = arena_printf(a, "%s/share", dir) };
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes DIR/PATH, making its folders. */
static void write_file(const char *path, const char *text)
{
	char *full = arena_printf(a, "%s/%s", dir, path);
	FILE *f;

	for (char *p = full + strlen(dir) + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(full, 0700);
			*p = '/';
		}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void write_profile(const char *root, const char *folder, const char *id, const char *more)
{
	write_file(arena_printf(a, "%s/%s/profile.yaml", root, folder),
	    arena_printf(a, "id: %s\nname: Name %s\nversion: 1.0.0\ndomain: work\n%s", id, id,
		*more ? more : "tags: []\n"));
}

#define SHIPPED "share/profiles"
#define USER    ".claude/skills"

static void remove_folder(const char *root, const char *folder)
{
	assert_int_equal(nftw(arena_printf(a, "%s/%s/%s", dir, root, folder), remove_one, 8,
			     FTW_DEPTH | FTW_PHYS),
	    0);
}

static void check_list(const char *expected)
{
	size_t n;
	const struct profile *const *list = profile_list(&conf, &n);
	const char *ids = "";

	for (size_t i = 0; i < n; i++)
		ids = arena_printf(a, "%s%s%s", ids, i ? " " : "", list[i]->id);
	assert_string_equal(ids, expected);
}

static void check_yaml(const char *yaml, const char *json)
{
	const char *why = NULL;
	const json_t *v = yaml_read(a, yaml, strlen(yaml), &why);

	if (!v)
		fail_msg("%s: %s", yaml, why);
	assert_string_equal(json_text(a, v), json);
	assert_null(why);
}

static void test_yaml_scalars(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "x", "\"x\"" },
		{ "yes", "\"yes\"" },
		{ "off", "\"off\"" },
		{ "~", "null" },
		{ "null", "null" },
		{ "''", "\"\"" },
		{ "'1'", "\"1\"" },
		{ "\"true\"", "\"true\"" },
		{ "true", "true" },
		{ "TRUE", "true" },
		{ "tRUE", "\"tRUE\"" },
		{ "False", "false" },
		{ "1", "1" },
		{ "-12", "-12" },
		{ "+7", "7" },
		{ "007", "7" },
		{ "0x1F", "31" },
		{ "0xg", "\"0xg\"" },
		{ "0o17", "15" },
		{ "0o18", "\"0o18\"" },
		{ "1.5", "1.5" },
		{ "1.", "1" },
		{ ".5", "0.5" },
		{ "1e3", "1000" },
		{ "1e", "\"1e\"" },
		{ "1e+", "\"1e+\"" },
		{ "1.2.3", "\"1.2.3\"" },
		{ "1_000", "\"1_000\"" },
		{ ".", "\".\"" },
		{ "+", "\"+\"" },
		{ ".inf", "null" },
		{ ".nan", "null" },
		{ "1e999", "null" },
		{ "123456789012345678901234567890", "1.2345678901234568e+29" },
		{ "2024-01-31", "{\"date\":\"2024-01-31\"}" },
		{ "2024-01-31T10:00:00Z", "{\"date\":\"2024-01-31T10:00:00Z\"}" },
		{ "2024-01-31 10:00:00 or so", "\"2024-01-31 10:00:00 or so\"" },
		{ "'2024-01-31'", "\"2024-01-31\"" },
		{ "2024-01-31x", "\"2024-01-31x\"" },
		{ "1:30", "\"1:30\"" },
		{ "\"\\u00e9\\n\"", "\"é\\n\"" },
		{ "a # comment", "\"a\"" },
		{ "a#b", "\"a#b\"" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		check_yaml(ROWS[i][0], ROWS[i][1]);
}

static void test_yaml_structures(void **state UNUSED)
{
	check_yaml("a: 1\nb:\n  - x\n  - y: [1, {z: ~}]\nc: {}\nd:\n",
	    "{\"a\":1,\"b\":[\"x\",{\"y\":[1,{\"z\":null}]}],\"c\":{},\"d\":null}");
	check_yaml("a: |\n  one\n  two\nb: |-\n  one\nc: >\n  one\n  two\nd: >-\n  x\n  y\n",
	    "{\"a\":\"one\\ntwo\\n\",\"b\":\"one\",\"c\":\"one two\\n\",\"d\":\"x y\"}");
	check_yaml("# a comment\n---\n1: x\n'2': y\n...\n", "{\"1\":\"x\",\"2\":\"y\"}");
	check_yaml("\xef\xbb\xbf" "a: b\nc: d\n", "{\"a\":\"b\",\"c\":\"d\"}");
	check_yaml("{\"a\":[1,\"b\"]}", "{\"a\":[1,\"b\"]}");
}

static void check_refused(const char *yaml, size_t n, const char *word)
{
	const char *why = NULL;

	assert_null(yaml_read(a, yaml, n, &why));
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("%.40s: refused with \"%s\", not \"%s\"", yaml, why, word);
}

static void test_yaml_refused(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "", "no document" },
		{ "# only a comment\n", "no document" },
		{ "a: 1\n---\nb: 2\n", "second document" },
		{ "a: &x 1\nb: *x\n", "anchors" },
		{ "b: *x\n", "alias" },
		{ "a: !!str 1\n", "tags" },
		{ "a: !x {}\n", "tags" },
		{ "a: &x []\n", "anchors" },
		{ "a: 1\na: 2\n", "repeated" },
		{ "? [a]\n: b\n", "key" },
		{ "a: [1\n", "line" },
		{ "a:\n\t- b\n", "line" },
		{ "a: \"\\0\"\n", "well-formed" },
		{ "a: \"\\ud800\"\n", "line" },
		{ "a: \xff\n", "" },
	};
	struct buf b;

	for (size_t i = 0; i < COUNT(ROWS); i++)
		check_refused(ROWS[i][0], strlen(ROWS[i][0]), ROWS[i][1]);
	check_refused("a: b\0c", 6, "");
	buf_init(&b, 2 << 20);
	for (int i = 0; i < 33; i++)
		buf_char(&b, '[');
	check_refused(buf_text(&b), b.len, "deep");
	for (int i = 0; i < 5000; i++)
		buf_str(&b, "[{");
	check_refused(buf_text(&b), b.len, "deep");
	buf_clear(&b);
	for (int i = 0; i < 10001; i++)
		buf_str(&b, "- x\n");
	check_refused(buf_text(&b), b.len, "too many");
	buf_clear(&b);
	for (int i = 0; i < 300000; i++)
		buf_str(&b, "aaaa");
	check_refused(buf_text(&b), b.len, "1 MiB");
	buf_fini(&b);
}

static void check_problems(const char *json, const char *expected)
{
	const char *problems = profile_problems(a, json_read_text(a, json));

	if (!expected)
		assert_null(problems);
	else
		assert_string_equal(problems ? problems : "none", expected);
}

#define GOOD "\"id\":\"a\",\"name\":\"A\",\"version\":\"1.0.0\",\"domain\":\"work\",\"tags\":[]"
#define EXPECTED_STRING "Invalid input: expected string, received undefined"
#define RUNTIME_OPTIONS \
	"Invalid option: expected one of \"claude-code\"|\"openai-codex-app-server\"|" \
	"\"anthropic-direct\"|\"openai-direct\"|\"ollama\""
#define BAD_ID \
	"id may only contain letters, digits, dots, dashes and underscores (max 100 characters)"

static void check_written(const char *json, const char *expected)
{
	const json_t *v = json_read_text(a, json);
	const char *text = yaml_write(a, v), *why;

	assert_non_null(v);
	assert_non_null(text);
	if (expected)
		assert_string_equal(text, expected);
	assert_string_equal(json_text(a, yaml_read(a, text, strlen(text), &why)), json_text(a, v));
}

static void test_yaml_written(void **state UNUSED)
{
	check_written("{\"a\":\"x\",\"b\":[],\"c\":{},\"d\":[1,1.5,true,null,\"\"]}",
	    "a: x\nb: []\nc: {}\nd:\n- 1\n- 1.5\n- true\n- null\n- \"\"\n");
	check_written("{\"yes\":\"no\",\"1\":\"2\",\"~\":\"2026-01-01\",\"k: v\":\"a: b\"}",
	    "\"yes\": \"no\"\n\"1\": \"2\"\n\"~\": \"2026-01-01\"\n\"k: v\": \"a: b\"\n");
	check_written("{\"a\":\"one\\ntwo\\n\"}", "a: |\n  one\n  two\n");
	check_written("{\"a\":\"  lead\\n x\\n\\n\",\"b\":\"\\n\",\"c\":\"\\t\\r\\u0001\\u007f\\u0085\"}", NULL);
	check_written("{\"a\":\"\\ufeff\\u2028 \\ud83d\\ude00 # x\",\"b\":\"- x\",\"c\":\"? y\"}", NULL);
	check_written("[1e-7,1e21,-0.5,9007199254740991,\".inf\",\"0x1f\",\"*a\",\"&a\",\"!t\",\"%d\"]", NULL);
	check_written("{\"a\":{\"b\":[{\"c\":[[\"d\"]]},[]]}}", NULL);
}

static void test_yaml_unwritable(void **state UNUSED)
{
	json_t *deep = json_keep(a, json_array()), *at = deep;

	for (int i = 0; i < YAML_DEPTH_MAX + 1; i++) {
		json_array_append_new(at, json_array());
		at = json_array_get(at, 0);
	}
	assert_null(yaml_write(a, deep));
	deep = json_keep(a, json_array());
	for (int i = 0; i <= YAML_VALUES_MAX; i++)
		json_array_append_new(deep, json_integer(i));
	assert_null(yaml_write(a, deep));
}

static void check_picked(const char *doc, const char *expected)
{
	const json_t *v = json_read_text(a, doc);

	assert_string_equal(json_text(a, shape_pick(a, &SHAPE_PROFILE, v)), expected);
}

static void test_picked(void **state UNUSED)
{
	check_picked("{\"x\":1,\"tags\":[\"b\"],\"id\":\"a\",\"hooks\":{\"z\":1,\"postToolCall\":[]}}",
	    "{\"id\":\"a\",\"tags\":[\"b\"],\"hooks\":{\"postToolCall\":[]}}");
	check_picked("{\"tests\":[{\"expectedKeywords\":[],\"q\":1,\"task\":\"t\"}],"
		     "\"mcpServers\":{\"s\":{\"any\":[1]}}}",
	    "{\"mcpServers\":{\"s\":{\"any\":[1]}},"
	    "\"tests\":[{\"task\":\"t\",\"expectedKeywords\":[]}]}");
}

/* What a project has is listed and never becomes one of everybody's. */
static void test_project(void **state UNUSED)
{
	const struct profile *const *list;
	size_t n;

	write_profile(SHIPPED, "a", "a", "");
	write_profile("p/.claude/skills", "one", "a", "");
	write_file("p/.claude/skills/one/SKILL.md", "");
	write_file("p/.claude/skills/two/SKILL.md", "---\nname: Two\n---\n");
	write_profile("p/.claude/skills", "three", "three", "");
	list = profile_list_project(&conf, a, arena_printf(a, "%s/p", dir), &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0]->id, "a");
	assert_true(list[0]->builtin && list[0]->in_project);
	assert_null(list[0]->origin);
	assert_string_equal(list[1]->name, "Two");
	assert_string_equal(list[1]->origin, "manual");
	check_list("a");
	profile_list_project(&conf, a, arena_printf(a, "%s/none", dir), &n);
	assert_int_equal(n, 0);
}

static void test_problems(void **state UNUSED)
{
	check_problems("{" GOOD ",\"unknown\":{\"x\":1}}", NULL);
	check_problems("{}",
	    EXPECTED_STRING ", " EXPECTED_STRING ", " EXPECTED_STRING
	    ", Invalid option: expected one of \"work\"|\"personal\", "
	    "Invalid input: expected array, received undefined");
	check_problems("[]", profile_problems(a, NULL));
	check_problems("{\"id\":\"\",\"name\":\"\",\"version\":\"1.0\",\"domain\":\"x\","
		       "\"tags\":[\"a\",5]}",
	    "Too small: expected string to have >=1 characters, "
	    "Too small: expected string to have >=1 characters, "
	    "Invalid string: must match pattern /^\\d+\\.\\d+\\.\\d+$/, "
	    "Invalid option: expected one of \"work\"|\"personal\", "
	    "Invalid input: expected string, received number");
	check_problems("{" GOOD ",\"maxTurns\":0,\"source\":\"x\",\"mcpServers\":[]}",
	    "Invalid input: expected record, received array, "
	    "Too small: expected number to be >0, Invalid URL");
	check_problems("{" GOOD ",\"canUseToolPolicy\":{\"autoDeny\":[1]},\"hooks\":[]}",
	    "Invalid input: expected string, received number, "
	    "Invalid input: expected object, received array");
	check_problems("{" GOOD ",\"supportedRuntimes\":[\"x\"],\"preferredRuntime\":5}",
	    RUNTIME_OPTIONS ", " RUNTIME_OPTIONS);
	check_problems("{" GOOD ",\"tests\":[{\"task\":\"t\"}],\"importMeta\":{}}",
	    "Invalid input: expected array, received undefined, " EXPECTED_STRING
	    ", " EXPECTED_STRING ", " EXPECTED_STRING ", " EXPECTED_STRING ", " EXPECTED_STRING
	    ", " EXPECTED_STRING ", " EXPECTED_STRING ", " EXPECTED_STRING
	    ", Invalid option: expected one of \"stagent\"|\"skillmd-only\"|\"unknown\"");
	check_problems("{" GOOD ",\"runtimeOverrides\":{\"ollama\":{\"instructions\":\"\"},"
		       "\"other\":5},\"capabilityOverrides\":{\"ollama\":{\"modelId\":1,"
		       "\"extendedThinking\":{\"budgetTokens\":0},\"serverTools\":{\"a\":1}}}}",
	    "Too small: expected string to have >=1 characters, "
	    "Invalid input: expected string, received number, "
	    "Invalid input: expected boolean, received undefined, "
	    "Too small: expected number to be >0, "
	    "Invalid input: expected boolean, received number");
	check_problems("{\"id\":\"../x\",\"name\":\"A\",\"version\":\"1.0.0\",\"domain\":\"work\","
		       "\"tags\":[]}",
	    BAD_ID);
}

static void test_ids(void **state UNUSED)
{
	char *lots = arena_alloc(a, 102);

	memset(lots, 'x', 100);
	assert_true(profile_id_ok(lots));
	lots[100] = 'x';
	assert_false(profile_id_ok(lots));
	assert_true(profile_id_ok("a"));
	assert_true(profile_id_ok("9.a_b-C"));
	assert_false(profile_id_ok(""));
	assert_false(profile_id_ok(".a"));
	assert_false(profile_id_ok("-a"));
	assert_false(profile_id_ok("a..b"));
	assert_false(profile_id_ok("a/b"));
	assert_false(profile_id_ok("a b"));
	assert_false(profile_id_ok("é"));
}

static void test_empty(void **state UNUSED)
{
	check_list("");
	assert_null(profile_find(&conf, "general"));
	assert_string_equal(profile_classify(&conf, a, "x", "", NULL), "general");
}

static void test_registry(void **state UNUSED)
{
	const struct profile *p;

	write_profile(SHIPPED, "b", "b", "");
	write_profile(SHIPPED, "a", "a", "");
	write_file(SHIPPED "/b/SKILL.md", "---\nname: b\ndescription: About b\n---\n\nBe b.\n");
	write_profile(USER, "Z", "z", "");
	write_profile(USER, "aa", "twice", "author: first\ntags: []\n");
	write_profile(USER, "ab", "twice", "author: second\ntags: []\n");
	write_profile(USER, "c", "b", "author: me\ntags: [x, y]\n");
	write_file(USER "/plain/SKILL.md", "---\nname: plain\n---\n");
	write_file(USER "/loose-file", "x");
	write_profile(USER, "broken", "broken", "tags: [\n");
	write_profile(USER, "invalid", "invalid", "tags: 5\n");
	write_profile(USER, "bad-id", "a/b", "");
	check_list("z a twice b");
	p = profile_find(&conf, "b");
	assert_non_null(p);
	assert_true(p->builtin);
	assert_string_equal(p->folder, "c");
	assert_string_equal(p->name, "Name b");
	assert_string_equal(p->description, "Name b");
	assert_string_equal(p->instructions, "");
	assert_int_equal(p->n_tags, 2);
	assert_string_equal(p->tags[1], "y");
	assert_string_equal(json_str(profile_find(&conf, "twice")->doc, "author"), "second");
	assert_false(profile_find(&conf, "twice")->builtin);
	assert_null(profile_find(&conf, "plain"));
	assert_null(profile_find(&conf, "invalid"));
	remove_folder(USER, "c");
	p = profile_find(&conf, "b");
	assert_string_equal(p->description, "About b");
	assert_non_null(strstr(p->instructions, "Be b."));
	assert_string_equal(p->origin, "manual");
}

/* Changes show at once, whichever way they come. */
static void test_changes(void **state UNUSED)
{
	const struct profile *old;

	write_profile(USER, "a", "a", "");
	old = profile_find(&conf, "a");
	assert_non_null(old);
	assert_ptr_equal(profile_find(&conf, "a"), old);
	write_profile(USER, "b", "b", "");
	assert_non_null(profile_find(&conf, "b"));
	assert_ptr_equal(profile_find(&conf, "a"), old);
	write_file(USER "/a/SKILL.md", "new");
	assert_string_equal(profile_find(&conf, "a")->instructions, "new");
	assert_string_equal(old->instructions, "");
	write_profile(USER, "a", "c", "tags: [later]\n");
	assert_null(profile_find(&conf, "a"));
	assert_non_null(profile_find(&conf, "c"));
	check_list("c b");
	remove_folder(USER, "b");
	assert_null(profile_find(&conf, "b"));
	write_profile(USER, "a", "c", "tags: 5\n");
	assert_null(profile_find(&conf, "c"));
	for (int i = 0; i < PROFILE_RETIRED_MAX + 10; i++) {
		write_file(USER "/a/SKILL.md", arena_printf(a, "%*d", i, i));
		check_list("");
	}
	remove_folder(USER, "a");
	assert_int_equal(setenv("HOME", "/nonexistent", 1), 0);
	check_list("");
}

static void check_description(const char *skill, const char *expected)
{
	const struct profile *p;

	write_profile(USER, "d", "d", "");
	write_file(USER "/d/SKILL.md", skill);
	p = profile_find(&conf, "d");
	assert_non_null(p);
	assert_string_equal(p->description, expected);
}

static void test_descriptions(void **state UNUSED)
{
	check_description("---\nname: d\ndescription: In the front\n---\n", "In the front");
	check_description("---\nname: d\ndescription: \"quoted\"  \n---\n", "\"quoted\"");
	check_description("---\nname: d\n---\nText\n", "Name d");
	check_description("No front matter\ndescription: x\n---\n", "Name d");
	check_description("---\nx\n---\ndescription: later\n---\n", "later");
	check_description("---\nx\n---\ndescription: later\n", "Name d");
	check_description("---\nmy description:\n\n  next line\n---\n", "next line");
	check_description("---\r\ndescription: dos\r\n---\r\n", "dos");
	check_description("---\ndescription:", "Name d");
	check_description("--- \t\ndescription: x\n---", "x");
	check_description("----\ndescription: x\n---", "Name d");
	check_description("", "Name d");
}

static void test_fields(void **state UNUSED)
{
	const struct profile *p;

	write_profile(USER, "f", "f",
	    "tags: [t]\nmaxTurns: 2.5\npreferredRuntime: ollama\nauthor: stagent-env\n"
	    "supportedRuntimes: [ollama, anthropic-direct, ollama]\n");
	p = profile_find(&conf, "f");
	assert_non_null(p);
	assert_int_equal(p->max_turns, 3);
	assert_string_equal(p->preferred, "ollama");
	assert_string_equal(p->origin, "environment");
	assert_int_equal(p->runtimes, 1u << 2 | 1u << 4);
	assert_true(profile_supports(p, "ollama"));
	assert_true(profile_supports(p, "anthropic-direct"));
	assert_false(profile_supports(p, "claude-code"));
	assert_false(profile_supports(p, NULL));
	write_profile(USER, "f", "f",
	    "tags: []\nsupportedRuntimes: []\nauthor: stagent-ai-assist\n");
	p = profile_find(&conf, "f");
	assert_int_equal(p->runtimes, 1);
	assert_true(profile_supports(p, NULL));
	assert_true(profile_supports(p, ""));
	assert_int_equal(p->max_turns, 0);
	assert_null(p->preferred);
	assert_string_equal(p->origin, "ai-assist");
	write_file(USER "/f/SKILL.md", "\xff\xfe");
	assert_null(profile_find(&conf, "f"));
}

/* A copy of a shipped profile that is older than some keys. */
static void test_old_copy(void **state UNUSED)
{
	const struct profile *p;

	write_profile(SHIPPED, "g", "g",
	    "tags: []\nsupportedRuntimes: [ollama]\n"
	    "runtimeOverrides: {ollama: {instructions: Local}}\n");
	write_profile(USER, "g", "g", "tags: []\nmaxTurns: 9\n");
	p = profile_find(&conf, "g");
	assert_true(p->builtin);
	assert_int_equal(p->max_turns, 9);
	assert_true(profile_supports(p, "ollama"));
	assert_non_null(json_object_get(p->doc, "runtimeOverrides"));
	write_profile(USER, "g", "g", "tags: []\nsupportedRuntimes: [openai-direct]\n");
	p = profile_find(&conf, "g");
	assert_false(profile_supports(p, "ollama"));
}

static void test_resolve(void **state UNUSED)
{
	struct profile_view v;

	write_profile(USER, "r", "r",
	    "tags: []\nallowedTools: [Read]\nmaxTurns: 7\n"
	    "canUseToolPolicy: {autoApprove: [Read], autoDeny: [Bash]}\n"
	    "mcpServers: {s: {command: x}}\n"
	    "runtimeOverrides:\n  ollama:\n    instructions: Short\n    allowedTools: []\n"
	    "    canUseToolPolicy: {autoDeny: [Write]}\n"
	    "capabilityOverrides:\n  anthropic-direct:\n    modelId: m\n"
	    "    extendedThinking: {enabled: true}\n"
	    "  openai-direct:\n    extendedThinking: {enabled: true, budgetTokens: 99}\n"
	    "    serverTools: {web: false}\n");
	write_file(USER "/r/SKILL.md", "Long");
	profile_resolve(a, profile_find(&conf, "r"), "ollama", &v);
	assert_string_equal(v.instructions, "Short");
	assert_string_equal(json_text(a, v.allowed_tools), "[]");
	assert_null(v.auto_approve);
	assert_string_equal(json_text(a, v.auto_deny), "[\"Write\"]");
	assert_string_equal(json_text(a, v.mcp_servers), "{\"s\":{\"command\":\"x\"}}");
	assert_int_equal(v.max_turns, 7);
	assert_null(v.model_id);
	assert_false(v.thinking);
	profile_resolve(a, profile_find(&conf, "r"), "openai-direct", &v);
	assert_int_equal(v.thinking_budget, 99);
	assert_string_equal(json_text(a, v.server_tools), "{\"web\":false}");
	profile_resolve(a, profile_find(&conf, "r"), "anthropic-direct", &v);
	for (int i = 0; i < PROFILE_RETIRED_MAX + 2; i++) {
		write_file(USER "/r/SKILL.md", arena_printf(a, "%*d", i, i));
		assert_non_null(profile_find(&conf, "r"));
	}
	remove_folder(USER, "r");
	assert_null(profile_find(&conf, "r"));
	assert_string_equal(v.id, "r");
	assert_string_equal(v.instructions, "Long");
	assert_string_equal(json_text(a, v.auto_approve), "[\"Read\"]");
	assert_string_equal(json_text(a, v.auto_deny), "[\"Bash\"]");
	assert_string_equal(v.model_id, "m");
	assert_true(v.thinking);
	assert_int_equal(v.thinking_budget, PROFILE_THINKING_BUDGET);
}

static void check_classified(const char *title, const char *description, const char *expected)
{
	const char *id = profile_classify(&conf, a, title, description, "claude-code");

	assert_string_equal(id, expected);
}

static void test_classify(void **state UNUSED)
{
	write_profile(SHIPPED, "a", "a", "tags: [audit, security, Upper]\n");
	write_profile(SHIPPED, "b", "b", "tags: [audit, security, review]\n");
	write_profile(SHIPPED, "c", "c",
	    "tags: [audit, security, review, x, y]\nsupportedRuntimes: [ollama]\n");
	write_profile(SHIPPED, "general", "general", "tags: [audit, security, review, z]\n");
	check_classified("Security AUDIT", "", "a");
	check_classified("Security audit", "with reviewers", "b");
	check_classified("security", "", "general");
	check_classified("security upper Upper", "", "general");
	check_classified("security", "audit", "a");
	write_profile(SHIPPED, "e", "e", "tags: [m\xc3\xbcll, gr\xc3\xbcn, x]\n");
	check_classified("M\xc3\x9cLL, GR\xc3\x9cN", "", "e");
	assert_string_equal(
	    profile_classify(&conf, a, "xy security audit review", "", "ollama"), "c");
}

/* What ships, seen from this file. */
static void test_shipped(void **state UNUSED)
{
	const struct profile *const *list;
	size_t n;

	conf.share_dir = arena_printf(a, "%.*sshare",
	    (int)(sizeof __FILE__ - sizeof "tests/unit/test_profile.c"), __FILE__);
	list = profile_list(&conf, &n);
	assert_int_equal(n, 20);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(list[i]->id, list[i]->folder);
		assert_true(list[i]->builtin);
		assert_string_equal(list[i]->version, "1.0.0");
		assert_string_equal(list[i]->origin, "manual");
		assert_true(list[i]->max_turns > 0);
	}
	assert_int_equal(profile_find(&conf, "general")->max_turns, 30);
	assert_int_equal(profile_find(&conf, "general")->runtimes, 31);
	assert_int_equal(profile_find(&conf, "sweep")->runtimes, 1);
	assert_int_equal(profile_find(&conf, "travel-planner")->runtimes, 31 & ~2);
	check_classified("security audit of the login code", "[[say done]]", "code-reviewer");
	check_classified("research and report on the market", "[[say done]]", "researcher");
	check_classified("a review", "[[say done]]", "general");
	check_classified("hello", "[[say done]]", "general");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_yaml_scalars, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_yaml_structures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_yaml_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_yaml_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_yaml_unwritable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_picked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_project, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_problems, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ids, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_registry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_descriptions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_old_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resolve, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_classify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shipped, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
