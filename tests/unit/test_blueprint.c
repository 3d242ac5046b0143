/* Blueprints: the whole of YAML, the words of the schema, templates and conditions, addresses, the
 * registry and its revalidation, the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/blueprint.h"
#include "core/blueprint_store.h"
#include "core/domain/blueprint.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/log.h"
#include "core/profile.h"
#include "core/template.h"

static struct arena *a;
static char dir[64];
static struct conf conf;
static struct ctx cx;

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
    struct FTW *ftw UNUSED)
{
	return remove(path);
}

static int set_up(void **state UNUSED)
{
	log_init("test", LOG_ERROR);
	a = arena_new(ARENA_REQUEST_MAX);
	snprintf(dir, sizeof dir, "/tmp/test-blueprint-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("HOME", dir, 1), 0);
	conf = (struct conf){ .share_dir = arena_printf(a, "%s/share", dir), .data_dir = dir };
	cx = (struct ctx){ .arena = a, .conf = &conf };
	return 0;
}

static int tear_down(void **state UNUSED)
{
	arena_free(a);
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- YAML ---- */

static void check_yaml(const char *yaml, const char *json)
{
	const char *why = NULL;
	const json_t *v = yaml_read_whole(a, yaml, strlen(yaml), &why);

	if (!v)
		fail_msg("%s: %s", yaml, why ? why : "no document");
	assert_string_equal(json_text(a, v), json);
	assert_null(why);
}

static void test_yaml_whole(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "0b101", "5" },
		{ "0b2", "\"0b2\"" },
		{ "yes", "\"yes\"" },
		{ "!!str 5", "\"5\"" },
		{ "!!int '5'", "5" },
		{ "!!float 5", "5" },
		{ "!!bool 'true'", "true" },
		{ "!!null ''", "null" },
		{ "! 5", "\"5\"" },
		{ "!!map {a: !!seq [x]}", "{\"a\":[\"x\"]}" },
		{ "a: &x 1\nb: *x\n", "{\"a\":1,\"b\":1}" },
		{ "a: &x {k: [1, &y 2]}\nb: *x\nc: *y\n",
		    "{\"a\":{\"k\":[1,2]},\"b\":{\"k\":[1,2]},\"c\":2}" },
		{ "a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}" },
		{ "&k key: 1\nb: *k\n", "{\"key\":1,\"b\":\"key\"}" },
		{ "a: &x k\n*x : 2\n", "{\"a\":\"k\",\"k\":2}" },
		{ "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n  r: 4\n",
		    "{\"a\":{\"p\":1,\"q\":2},\"b\":{\"p\":1,\"q\":3,\"r\":4}}" },
		{ "a: &x {p: 1}\nb: {p: 2, <<: *x}\n", "{\"a\":{\"p\":1},\"b\":{\"p\":2}}" },
		{ "- &x {p: 1}\n- &y {p: 2, q: 2}\n- <<: [*x, *y]\n",
		    "[{\"p\":1},{\"p\":2,\"q\":2},{\"p\":1,\"q\":2}]" },
		{ "<<: {a: 1}\nb: 2\n", "{\"a\":1,\"b\":2}" },
		{ "'<<': {a: 1}\n", "{\"<<\":{\"a\":1}}" },
		{ "{\"a\": \"\\ud83d\\ude00\", \"b\": \"\\/\"}", "{\"a\":\"😀\",\"b\":\"/\"}" },
		{ "\xef\xbb\xbf{\"a\": \"\\ud83d\\ude00\"}", "{\"a\":\"😀\"}" },
		{ "{\"date\": \"2024-01-31\"}", "{\"date\":\"2024-01-31\"}" },
		{ "---\n", "null" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		check_yaml(ROWS[i][0], ROWS[i][1]);
}

static void test_yaml_dates(void **state UNUSED)
{
	const char *why;
	const json_t *v = yaml_read_whole(a, "[2024-01-31, '2024-01-31']", 26, &why);

	assert_string_equal(yaml_date(json_array_get(v, 0)), "2024-01-31");
	assert_string_equal(json_kind(json_array_get(v, 0)), "Date");
	assert_null(yaml_date(json_array_get(v, 1)));
}

static void check_refused(const char *yaml, const char *word)
{
	const char *why = NULL;

	assert_null(yaml_read_whole(a, yaml, strlen(yaml), &why));
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("%.40s: refused with \"%s\", not \"%s\"", yaml, why, word);
}

static void test_yaml_refused(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "a: 1\n---\nb: 2\n", "second document" },
		{ "b: *x\n", "nothing is called x" },
		{ "a: &x [*x]\n", "part of itself" },
		{ "a: !x 1\n", "cannot be read as !x" },
		{ "a: !!int x\n", "cannot be read" },
		{ "a: !!set {x}\n", "unknown tag" },
		{ "a: !!map [x]\n", "unknown tag" },
		{ "a: 1\na: 2\n", "repeated" },
		{ "{\"b\": \"\\ud83d\\ude00\", \"a\": 1, \"a\": 2}", "line" },
		{ "? [a]\n: b\n", "key" },
		{ "<<: 1\n", "merge" },
		{ "<<: [1]\n", "merge" },
		{ "a: [1\n", "line" },
		{ "a: b: c\n", "line" },
		{ "a:\n\t- b\n", "line" },
		{ "a: \"\\0\"\n", "well-formed" },
	};
	const char *why = "";

	for (size_t i = 0; i < COUNT(ROWS); i++)
		check_refused(ROWS[i][0], ROWS[i][1]);
	assert_null(yaml_read_whole(a, " \t\n", 3, &why));
	assert_null(why);
	assert_null(yaml_read_whole(a, "# only words\n", 13, &why));
	assert_null(why);
}

static const char *repeated(const char *head, const char *piece, int n, const char *tail)
{
	const char *text;
	struct buf b;

	buf_init(&b, 4 << 20);
	buf_str(&b, head);
	for (int i = 0; i < n; i++)
		buf_str(&b, piece);
	buf_str(&b, tail);
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

static void test_yaml_limits(void **state UNUSED)
{
	const char *deep = repeated(repeated("", "[", 100, ""), "]", 100, "");
	const char *bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n", *why;

	assert_non_null(yaml_read_whole(a, deep, strlen(deep), &why));
	check_refused(repeated("", "[", 101, ""), "deep");
	check_refused(repeated("a: &x ", "[", 60, repeated("", "]", 60,
			  repeated("\nb: ", "[", 60, repeated("*x", "]", 60, "")))),
	    "deep");
	for (char c = 'a'; c < 'j'; c++)
		bomb = arena_printf(a, "%s%c: &%c [%s]\n", bomb, c + 1, c + 1,
		    repeated("", arena_printf(a, "*%c,", c), 10, ""));
	check_refused(bomb, "too many values");
	check_refused(repeated("a: &x ", "texttext", 10000, repeated("\nb: [", "*x,", 200, "]\n")),
	    "too large");
	check_refused(repeated("", "- &a x\n", 1001, ""), "too many anchors");
	check_refused(repeated("", "aaaa", 300000, ""), "1 MiB");
}

/* ---- the schema ---- */

#define HEAD "id: x\nname: N\ndescription: ''\nversion: 1.0.0\ndomain: work\ntags: []\n"
#define TAIL "pattern: sequence\nvariables: []\nsteps:\n" \
	     "- {name: s, profileId: p, promptTemplate: t, requiresApproval: false}\n"

static void check_reading(const char *yaml, const char *expected)
{
	const char *why;
	const json_t *doc = blueprint_read(a, yaml, strlen(yaml), &why);

	assert_string_equal(doc ? json_text(a, doc) : why, expected);
}

static void test_schema(void **state UNUSED)
{
	check_reading(HEAD TAIL,
	    "{\"id\":\"x\",\"name\":\"N\",\"description\":\"\",\"version\":\"1.0.0\",\"domain\":"
	    "\"work\",\"tags\":[],\"pattern\":\"sequence\",\"variables\":[],\"steps\":[{\"name\":"
	    "\"s\",\"profileId\":\"p\",\"promptTemplate\":\"t\",\"requiresApproval\":false}]}");
	check_reading("", "Invalid blueprint: Invalid input: expected object, received undefined");
	check_reading("~", "Invalid blueprint: Invalid input: expected object, received null");
	check_reading("2024-01-31",
	    "Invalid blueprint: Invalid input: expected object, received Date");
	check_reading("name: 2024-01-31\n" "id: ../x\ndescription: {a: b}\nversion: 1.0\n"
		      "domain: work\ntags: []\n" TAIL,
	    "Invalid blueprint: Invalid input: expected string, received Date, "
	    "Invalid input: expected string, received object, "
	    "Invalid input: expected string, received number, "
	    "id may only contain letters, digits, dot, dash and underscore");
	check_reading(HEAD "pattern: sequence\nvariables:\n- {id: v, type: text, label: 2024-01-31, "
			   "required: yes, options: [{value: 1}, 2024-01-31], min: '1'}\nsteps: []\n"
			   "source: nowhere\ndifficulty: easy\nauthor: ~\n",
	    "Invalid blueprint: Invalid input: expected string, received Date, "
	    "Invalid input: expected boolean, received string, "
	    "Invalid input: expected string, received number, "
	    "Invalid input: expected string, received undefined, "
	    "Invalid input: expected object, received Date, "
	    "Invalid input: expected number, received string, "
	    "Too small: expected array to have >=1 items, "
	    "Invalid input: expected string, received null, Invalid URL, "
	    "Invalid option: expected one of \"beginner\"|\"intermediate\"|\"advanced\"");
}

static const json_t *variable_default(const char *text)
{
	const char *why, *yaml = arena_printf(a,
	    HEAD "pattern: sequence\nvariables:\n- {id: v, type: text, label: V, required: false, "
		 "default: %s}\nsteps:\n- {name: s, profileId: p, promptTemplate: t, "
		 "requiresApproval: false}\n",
	    text);
	const json_t *doc = blueprint_read(a, yaml, strlen(yaml), &why);

	assert_non_null(doc);
	return json_object_get(json_array_get(json_object_get(doc, "variables"), 0), "default");
}

static void test_default(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "3.0", "3" },
		{ "~", "null" },
		{ "false", "false" },
		{ "2024-01-31", "\"2024-01-31T00:00:00.000Z\"" },
		{ "2024-01-31T10:11:12Z", "\"2024-01-31T10:11:12.000Z\"" },
		{ "2024-13-31", "\"2024-13-31\"" },
		{ "[a, {b: 2024-01-31}]", "[\"a\",{\"b\":\"2024-01-31T00:00:00.000Z\"}]" },
		{ "{date: x}", "{\"date\":\"x\"}" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(json_text(a, variable_default(ROWS[i][0])), ROWS[i][1]);
}

static void test_ids(void **state UNUSED)
{
	static const char *const GOOD[] = { "a", "0", "A.b_c-d", "a..b" };
	static const char *const BAD[] = { "", ".a", "-a", "_a", "a/b", "..", "../a", "a b", "é",
		"a\n", "a%2f" };
	const char *longest = repeated("", "a", BLUEPRINT_ID_MAX, "");

	for (size_t i = 0; i < COUNT(GOOD); i++)
		assert_true(blueprint_id_ok(GOOD[i]));
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_false(blueprint_id_ok(BAD[i]));
	assert_true(blueprint_id_ok(longest));
	assert_false(blueprint_id_ok(arena_printf(a, "%sa", longest)));
}

/* ---- templates ---- */

static const json_t *values(void)
{
	return json_read_text(a, "{\"a\":\"A\",\"n\":1.50,\"z\":0,\"t\":true,\"f\":false,\"e\":\"\","
				 "\"w\":\"false\",\"no\":null,\"l\":[1,\"x\",null,[2,3],{}],\"o\":{},"
				 "\"x\":\"{{a}}{{#if a}}{{/if}}\",\"a-b\":\"dash\",\"el\":[]}");
}

static void test_templates(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "{{a}} {{n}} {{z}} {{t}} {{f}}", "A 1.5 0 true false" },
		{ "[{{e}}{{no}}{{missing}}]", "[]" },
		{ "{{l}} {{o}} [{{el}}]", "1,x,,2,3,[object Object] [object Object] []" },
		{ "{{ a }} {{a }} {a} {{a-b}} {{}} {{a}", "{{ a }} {{a }} {a} {{a-b}} {{}} {{a}" },
		{ "{{{a}}}", "{A}" },
		{ "{{x}}", "{{a}}{{#if a}}{{/if}}" },
		{ "{{#if a}}yes{{/if}}{{#if e}}no{{/if}}", "yes" },
		{ "{{#if z}}0{{/if}}{{#if w}}w{{/if}}{{#if f}}f{{/if}}{{#if no}}n{{/if}}{{#if o}}o{{/if}}"
		  "{{#if el}}l{{/if}}{{#if missing}}m{{/if}}",
		    "0wol" },
		{ "{{#if  \t\na}}x{{/if}}", "x" },
		{ "{{#ifa}}x{{/if}}", "{{#ifa}}x{{/if}}" },
		{ "{{#if a }}x{{/if}}", "{{#if a }}x{{/if}}" },
		{ "{{#if a}}x{{/if }}", "{{#if a}}x{{/if }}" },
		{ "{{# if a}}x{{/if}}", "{{# if a}}x{{/if}}" },
		{ "{{#if a}}x", "{{#if a}}x" },
		{ "x{{/if}}", "x{{/if}}" },
		{ "{{#if a}}1{{#if e}}2{{/if}}3{{/if}}4", "1{{#if e}}23{{/if}}4" },
		{ "{{#if e}}1{{#if a}}2{{/if}}3{{/if}}4", "3{{/if}}4" },
		{ "{{#if {{#if a}}x{{/if}}", "{{#if x" },
		{ "{{#if a}}{{a}}{{/if}}{{{{a}}}}", "A{{A}}" },
		{ "a\n\n\nb\n\nc\n\n\n\n\nd", "a\n\nb\n\nc\n\nd" },
		{ " \n\t x \n\n", "x" },
		{ "a\n{{#if e}}\nb\n{{/if}}\n\nc", "a\n\nc" },
		{ "", "" },
	};
	struct buf b;

	for (size_t i = 0; i < COUNT(ROWS); i++) {
		buf_init(&b, TEMPLATE_MAX);
		template_resolve(&b, ROWS[i][0], values());
		assert_string_equal(buf_text(&b), ROWS[i][1]);
		buf_fini(&b);
	}
}

static void test_template_limit(void **state UNUSED)
{
	const json_t *large = json_keep(a, json_pack("{s:s}", "v", repeated("", "x", 100000, "")));
	struct buf b;

	buf_init(&b, 2 * TEMPLATE_MAX);
	template_resolve(&b, repeated("", "{{v}}", 100, ""), large);
	assert_false(b.failed);
	assert_int_equal(b.len, 100 * 100000);
	template_resolve(&b, repeated("", "{{v}}", 200, ""), large);
	assert_true(b.failed);
	buf_fini(&b);
}

static void test_conditions(void **state UNUSED)
{
	static const char *const TRUE_ONES[] = { "a", " a ", "{{a}}", " {{ a }} ", "z", "w", "o",
		"{{a-b}}", "", "  " };
	static const char *const FALSE_ONES[] = { "e", "no", "f", "missing", "{{}}", "{{ }}", "!a",
		"{{a", "a b", "{{{a}}}" };

	for (size_t i = 0; i < COUNT(TRUE_ONES); i++)
		assert_true(template_condition(a, TRUE_ONES[i], values()));
	for (size_t i = 0; i < COUNT(FALSE_ONES); i++)
		assert_false(template_condition(a, FALSE_ONES[i], values()));
}

/* ---- addresses ---- */

static void test_addresses(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "https://raw.githubusercontent.com/o/r/main/x.yaml", "/o/r/main/x.yaml" },
		{ " http://RAW.githubusercontent.com:80/o?token=1#top ", "/o?token=1" },
		{ "https://raw.githubusercontent.com", "" },
		{ "https://github.com/o/r/blob/main/a/b.yaml", "/o/r/main/a/b.yaml" },
		{ "HTTPS://GitHub.com:443/o/r.git/tree/v1/x%20y.yml?plain=1#L3", "/o/r.git/v1/x%20y.yml" },
		{ "https://github.com/o/r/blob/main/a b\"é.yaml", "/o/r/main/a%20b%22%C3%A9.yaml" },
		{ "https://github.com/o/r/blob/main/", NULL },
		{ "https://github.com/o/r/blob/main", NULL },
		{ "https://github.com/o/r/raw/main/x", NULL },
		{ "https://github.com/o//blob/main/x", NULL },
		{ "https://github.com/o/r", NULL },
		{ "https://github.com", NULL },
		{ "https://github.com.evil.example/o/r/blob/main/x", NULL },
		{ "https://github.com@evil.example/o/r/blob/main/x", NULL },
		{ "https://me@github.com/o/r/blob/main/x", NULL },
		{ "https://github.com:444/o/r/blob/main/x", NULL },
		{ "https://github.com\\@evil.example/o/r/blob/main/x", NULL },
		{ "https://evil.example/https://github.com/o/r/blob/main/x", NULL },
		{ "https://gist.github.com/o/r/blob/main/x", NULL },
		{ "ftp://github.com/o/r/blob/main/x", NULL },
		{ "github.com/o/r/blob/main/x", NULL },
		{ "https://", NULL },
		{ "x", NULL },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++) {
		const char *got = blueprint_parse_url(a, ROWS[i][0]);

		if ((got != NULL) != (ROWS[i][1] != NULL) || (got && strcmp(got, ROWS[i][1]) != 0))
			fail_msg("%s gives %s", ROWS[i][0], got ? got : "nothing");
	}
}

/* ---- the registry ---- */

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

static void write_blueprint(const char *path, const char *id, const char *name)
{
	write_file(path,
	    arena_printf(a, "id: %s\nname: %s\ndescription: ''\nversion: 1.0.0\ndomain: work\n"
			    "tags: []\n" TAIL,
		id, name));
}

static void check_list(const char *expected)
{
	size_t n;
	const struct blueprint *const *list = blueprint_list(&conf, &n);
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s%s%s=%s", text, i ? " " : "", list[i]->id,
		    list[i]->shipped ? "*" : "", json_str(list[i]->doc, "name"));
	assert_string_equal(text, expected);
}

static void remove_file(const char *path)
{
	assert_int_equal(unlink(arena_printf(a, "%s/%s", dir, path)), 0);
}

static void test_registry(void **state UNUSED)
{
	check_list("");
	write_blueprint("share/blueprints/b.yaml", "b", "B");
	write_blueprint("share/blueprints/a.yaml", "a", "A");
	check_list("a*=A b*=B");
	write_blueprint("blueprints/z.yml", "z", "Z");
	write_blueprint("blueprints/k.yaml", "a", "mine");
	write_blueprint("blueprints/x.txt", "x", "X");
	write_file("blueprints/bad.yaml", "id: [\n");
	write_file("blueprints/worse.yaml", "id: worse\n");
	check_list("a=mine b*=B z=Z");
	write_blueprint("blueprints/z.yml", "z", "Y");
	check_list("a=mine b*=B z=Y");
	write_blueprint("blueprints/zz.yaml", "z", "last");
	check_list("a=mine b*=B z=last");
	remove_file("blueprints/k.yaml");
	write_blueprint("blueprints/bad.yaml", "good", "mended");
	check_list("a*=A b*=B good=mended z=last");
	assert_null(blueprint_find(&conf, "../share/blueprints/a"));
	assert_null(blueprint_find(&conf, "worse"));
	assert_string_equal(blueprint_find(&conf, "z")->file, "zz.yaml");
}

static void test_user_files(void **state UNUSED)
{
	const char *const *files;

	write_blueprint("blueprints/one.yaml", "x", "one");
	write_blueprint("blueprints/x.yaml", "y", "two");
	write_file("blueprints/broken.yaml", ":");
	files = blueprint_user_files(&conf, a, "x");
	assert_string_equal(files[0], "one.yaml");
	assert_null(files[1]);
	assert_string_equal(blueprint_user_files(&conf, a, "broken")[0], "broken.yaml");
	assert_null(blueprint_user_files(&conf, a, "../x")[0]);
	assert_null(blueprint_user_files(&conf, a, "none")[0]);
}

static void test_store(void **state UNUSED)
{
	const char *path = arena_printf(a, "%s/blueprints/x.yaml", dir), *outside;

	assert_int_equal(blueprint_store_remove(&cx, "x.yaml"), RC_NOTFOUND);
	assert_int_equal(blueprint_store_create(&cx, "x", "one"), RC_OK);
	assert_int_equal(blueprint_store_create(&cx, "x", "two"), RC_CONFLICT);
	assert_int_equal(blueprint_store_remove(&cx, "x.yaml"), RC_OK);
	assert_int_equal(blueprint_store_remove(&cx, "x.yaml"), RC_NOTFOUND);
	outside = arena_printf(a, "%s/outside", dir);
	assert_int_equal(symlink(outside, path), 0);
	assert_int_equal(blueprint_store_create(&cx, "x", "three"), RC_CONFLICT);
	assert_int_equal(access(outside, F_OK), -1);
	write_file("outside", "kept");
	assert_int_equal(blueprint_store_remove(&cx, "x.yaml"), RC_OK);
	assert_int_equal(access(outside, F_OK), 0);
	assert_int_equal(rmdir(arena_printf(a, "%s/blueprints", dir)), 0);
}

/* ---- those that ship ---- */

/* Every name in the text is a variable. */
static void check_names(const json_t *variables, const char *text)
{
	for (const char *p = text; (p = strstr(p, "{{")); p += 2) {
		const char *name = strncmp(p, "{{#if ", 6) == 0 ? p + 6 : p + 2;
		size_t n = strcspn(name, "}"), found = 0, i;
		json_t *v;

		if (strncmp(name, "/if}}", 5) == 0)
			continue;
		json_array_foreach(variables, i, v)
			found += strlen(json_str(v, "id")) == n &&
			    strncmp(json_str(v, "id"), name, n) == 0;
		if (!found)
			fail_msg("%.*s is no variable", (int)n, name);
	}
}

static void test_shipped(void **state UNUSED)
{
	struct conf shipped = { .data_dir = dir, .share_dir = arena_printf(a, "%.*sshare",
		(int)(strlen(__FILE__) - strlen("tests/unit/test_blueprint.c")), __FILE__) };
	const struct blueprint *const *list;
	size_t n, s;
	json_t *step;

	list = blueprint_list(&shipped, &n);
	assert_int_equal(n, 13);
	for (size_t i = 0; i < n; i++) {
		const struct blueprint *b = list[i];

		assert_string_equal(b->file, arena_printf(a, "%s.yaml", b->id));
		assert_string_equal(json_str(b->doc, "author"), "stagent");
		json_array_foreach(json_object_get(b->doc, "steps"), s, step) {
			check_names(json_object_get(b->doc, "variables"),
			    json_str(step, "promptTemplate"));
			assert_non_null(profile_find(&shipped, json_str(step, "profileId")));
		}
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_yaml_whole),
		CASE(test_yaml_dates),
		CASE(test_yaml_refused),
		CASE(test_yaml_limits),
		CASE(test_schema),
		CASE(test_default),
		CASE(test_ids),
		CASE(test_templates),
		CASE(test_template_limit),
		CASE(test_conditions),
		CASE(test_addresses),
		CASE(test_registry),
		CASE(test_user_files),
		CASE(test_store),
		CASE(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
