/* Skills of other programs: front matter, descriptions, tags, likeness. */
#include "tests/unit/arena_case.h"

#include "core/front.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "jobrunner/skill.h"

static void test_front_block(void **state UNUSED)
{
	const char *rest = NULL;

	assert_string_equal(front_block(a, "---\na: 1\n---\nbody", &rest), "a: 1\n");
	assert_string_equal(rest, "body");
	assert_string_equal(front_block(a, "---\r\na: 1\r\n---", &rest), "a: 1\r\n");
	assert_string_equal(rest, "");
	assert_string_equal(front_block(a, "---\n---\n", &rest), "");
	assert_null(front_block(a, "---\na: 1\n", &rest));
	assert_null(front_block(a, "\n---\n---\n", &rest));
	assert_null(front_block(a, "----\n---\n", &rest));
	assert_null(front_block(a, "", &rest));
}

static void test_front_line(void **state UNUSED)
{
	static const char TEXT[] = "---\nname : \"q\" \nempty:\nb: >-\n x: 1\n---\nafter: 2\n";

	assert_string_equal(front_line(a, TEXT, "name"), "\"q\"");
	assert_string_equal(front_line(a, TEXT, "b"), ">-");
	assert_string_equal(front_line(a, TEXT, "x"), "1");
	assert_null(front_line(a, TEXT, "empty"));
	assert_null(front_line(a, TEXT, "after"));
	assert_null(front_line(a, "name: x\n", "name"));
}

static void test_front(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "", "{}" },
		{ "---\na: b: c\n---\n", "{\"a\":\"b: c\"}" },
		{ "---\na: 'x'\nb: \"y\"\nc: \"\n---\n",
		    "{\"a\":\"x\",\"b\":\"y\",\"c\":\"\\\"\"}" },
		{ "---\na: |\n  one\n  two\n\n  three\nb: >-\n four\n---\n",
		    "{\"a\":\"one two three\",\"b\":\"four\"}" },
		{ "---\nt:\n  - Bash\n  - 'Read'\nu:\n- x\n- y\nv:\n  p\n  q\n---\n",
		    "{\"t\":\"Bash, Read\",\"u\":\"x, y\",\"v\":\"p, q\"}" },
		{ "---\ndescription: >\n  - no list\n  - at all\n---\n",
		    "{\"description\":\"- no list - at all\"}" },
		{ "---\n# a: comment\nno colon\na: 1\n  deeper: 2\na: 3\n---\n", "{\"a\":\"3\"}" },
		{ "---\r\na: 1\r\n---\r\n", "{\"a\":\"1\"}" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(json_text(a, skill_front(a, ROWS[i][0])), ROWS[i][1]);
}

static const char *describe(const char *skill, const char *readme, const char *repo)
{
	return skill_describe(a, &(struct skill_texts){ "qa", skill, readme, repo });
}

static void test_description_sources(void **state UNUSED)
{
	static const char LONG[] = "---\ndescription: Longer than twenty chars\n---\nA good paragraph.";
	static const char SHORT[] = "---\ndescription: short\n---\nYou are a tester.\n";
	static const char TABLE[] = "| `/QA` | x | Runs [all](http://x) **tests** |\n";
	static const char ITEM[] = "- **qa** \xe2\x80\x94 Checks what was built\n";
	static const char ITEM_2[] = "* `qa`: Checks what was built\n";
	static const char HEADING[] = "# x\n## The /qa skill\n\n---\nSays what is wrong here.\n";

	assert_string_equal(describe(LONG, "Readme paragraph here.", TABLE),
	    "Longer than twenty chars");
	assert_string_equal(describe(SHORT, "# T\n\nReadme *paragraph* here.", TABLE),
	    "Readme paragraph here.");
	assert_string_equal(describe(SHORT, "", TABLE), "Runs all tests");
	assert_string_equal(describe(SHORT, "", ITEM), "Checks what was built");
	assert_string_equal(describe(SHORT, "", ITEM_2), "Checks what was built");
	assert_string_equal(describe(SHORT, "", "- qa-web: Checks the web\n- qa - Checks the rest"),
	    "Checks the rest");
	assert_string_equal(describe(SHORT, "", HEADING), "Says what is wrong here.");
	assert_string_equal(describe(SHORT, "", "| qa | short |\n- qax: Not this one\n"), "short");
	assert_string_equal(describe("Body with a paragraph.", "", ""), "Body with a paragraph.");
	assert_string_equal(describe("", "", ""), "qa");
	assert_int_equal(strlen(describe(arena_printf(a, "%0300d words here", 7), "", "")), 200);
}

static void test_good_paragraphs(void **state UNUSED)
{
	static const char *const BAD[] = { "Too short", "You must do it all now", "you are an agent",
		"Run the tests of the product", "NOTE: something is important", "$ make all the things",
		"Uses Bash for everything it does", "# A heading that is long enough",
		"- an item that is long enough", "1. a step that is long enough",
		"> a quote that is long enough", "<b>some HTML that is long</b>",
		"```\ncode that is long enough here\n```", "<!-- a comment\nthat goes on\n-->",
		"What you do is what you get as you like it, and so on and so forth, with words",
		"When the user says something", "| a | table that is long |",
		"- an item\n  that goes on for quite a while", "> a quote\nthat goes on for a while",
		"A heading that is long enough\n---", "A heading that is long enough\n=====" };
	static const char GOOD[] = "Looks at pages and says what is wrong.";

	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_string_equal(describe(BAD[i], "", ""), "qa");
	for (size_t i = 0; i < COUNT(BAD); i++)
		assert_string_equal(
		    describe(arena_printf(a, "%s\n\n%s\n", BAD[i], GOOD), "", ""), GOOD);
	assert_string_equal(describe("- an item\n# T\nLooks at pages.", "", ""), "Looks at pages.");
	assert_string_equal(describe("Looks at pages\nand says *more*.\n\nx", "", ""),
	    "Looks at pages and says more.");
	assert_string_equal(describe("Reads what Readers read already.", "", ""),
	    "Reads what Readers read already.");
}

static void test_put_description(void **state UNUSED)
{
	static const char *const ROWS[][2] = {
		{ "body", "---\nname: New\ndescription: New: text, here\n---\n\nbody" },
		{ "---\nname: x\n---\nbody", "---\nname: x\ndescription: New: text, here\n---\nbody" },
		{ "---\ndescription: old\nname: x\n---\nbody",
		    "---\ndescription: New: text, here\nname: x\n---\nbody" },
		{ "---\ndescription: one that is long enough\n---\n",
		    "---\ndescription: one that is long enough\n---\n" },
		{ "---\ndescription: >\n  a\n\n  b\nname: x\n---\n",
		    "---\ndescription: New: text, here\nname: x\n---\n" },
		{ "---\ndescription: a\n- b\nname: x\ndescription : c\n---\n",
		    "---\ndescription: New: text, here\nname: x\n---\n" },
		{ "---\ndescription: |\n  a block of more\n  than twenty\n---\n",
		    "---\ndescription: |\n  a block of more\n  than twenty\n---\n" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(skill_put_description(a, ROWS[i][0], "New: text, here"),
		    ROWS[i][1]);
}

static void check_tags(const char *folder, const char *skill, const char *readme,
    const char *expected)
{
	json_t *tags = json_keep(a, json_array());

	skill_add_tags(a, tags, folder, skill, readme, skill_front(a, skill));
	assert_string_equal(json_text(a, tags), expected);
}

static void test_tags(void **state UNUSED)
{
	check_tags("X-Y", "", "", "[\"x-y\"]");
	check_tags("f", "OWASP vulnerabilities. insecurity, contesting", "",
	    "[\"f\",\"security\"]");
	check_tags("f", "security debugging refactored", "a database",
	    "[\"f\",\"security\",\"refactoring\",\"debugging\",\"database\"]");
	check_tags("f", "# One heading\n## Using the pages today\n### It is so\n#### Deeper level\n",
	    "", "[\"f\",\"pages\",\"today\"]");
	check_tags("f", "---\nallowed-tools: Agent, WebFetch, Bash(git:*)\n---\n", "",
	    "[\"f\",\"cli\",\"web\",\"orchestration\"]");
	check_tags("f", "```\n## Comment lines\n```\n", "", "[\"f\"]");
	check_tags("f",
	    "## alpha bravo\n## charlie delta\n## echoes foxtrot\n## golfing hotels\n"
	    "## india juliet\n## kilos limas\n", "sql",
	    "[\"f\",\"alpha\",\"bravo\",\"charlie\",\"delta\",\"echoes\",\"foxtrot\",\"golfing\","
	    "\"hotels\",\"india\",\"juliet\",\"database\"]");
}

static void test_words(void **state UNUSED)
{
	assert_true(skill_has_word("An API.", "api", true));
	assert_false(skill_has_word("APIs", "api", true));
	assert_true(skill_has_word("APIs", "api", false));
	assert_false(skill_has_word("rapid", "api", false));
	assert_true(skill_has_word("rapid /api", "api", true));
	assert_false(skill_has_word("x", "", true));
}

static void test_likeness(void **state UNUSED)
{
	static const char ONE[] = "gardens flowers trees water";

	assert_true(skill_likeness(ONE, "Water the TREES, flowers and gardens") == 1);
	assert_true(skill_likeness(ONE, "ships boats") == 0);
	assert_true(skill_likeness(ONE, "gardens flowers ships boats") == 2.0 / 6);
	assert_true(skill_likeness("", "") == 0);
	assert_true(skill_likeness("the and with", "the and with") == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_front_block, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_front_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_front, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_description_sources, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_good_paragraphs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_put_description, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tags, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_likeness, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
