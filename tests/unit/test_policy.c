/* Permission patterns, presets, and what is shown of a request. */
#include "tests/unit/arena_case.h"

#include "core/json_in.h"
#include "core/policy.h"
#include "core/text.h"

struct row {
	const char *pattern, *tool, *input;
	bool matches;
};

static void check_rows(const struct row *rows, size_t n, const char *workdir)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		const json_t *input = json_read_text(a, r->input);

		assert_true(json_is_object(input));
		if (policy_match(a, r->pattern, r->tool, input, workdir) != r->matches)
			fail_msg("%s on %s %s: expected %s", r->pattern, r->tool, r->input,
			    r->matches ? "a match" : "no match");
	}
}

/* The table of examples in the engine's description, line by line. */
static void test_examples(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "Read", "Read", "{\"file_path\":\"/a\"}", true },
		{ "Read", "ReadX", "{}", false },
		{ "read", "Read", "{\"file_path\":\"/a\"}", false },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git status\"}", true },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"gitk\"}", false },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git\"}", false },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git status; rm -rf x\"}", false },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git log | head\"}", false },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git commit -m 'a; b'\"}", true },
		{ "Bash(command:git *)", "Bash", "{\"command\":\"git commit -m \\\"$(id)\\\"\"}",
		    false },
		{ "Bash(command:ls -la)", "Bash", "{\"command\":\"ls -la\"}", true },
		{ "Bash(command:ls -la)", "Bash", "{\"command\":\"ls -la /\"}", false },
		{ "Bash(command:*)", "Bash", "{\"command\":\"a; b | c > d\"}", true },
		{ "Bash", "Bash", "{\"command\":\"a; b | c > d\"}", true },
		{ "Bash(*)", "Bash", "{\"command\":\"a; b | c > d\"}", true },
		{ "Bash(git *)", "Bash", "{\"command\":\"git push\"}", true },
		{ "Bash(npm test)", "Bash", "{\"command\":\"npm test\"}", true },
		{ "Bash(git:*)", "Bash", "{\"command\":\"git push\"}", true },
		{ "Bash(git:*)", "Bash", "{\"command\":\"rm -rf x\"}", false },
		{ "Write(src/**)", "Write", "{\"file_path\":\"src/a/b.c\"}", true },
		{ "Write(src/**)", "Write", "{\"file_path\":\"src/../secret\"}", false },
		{ "get_settings(key:runtime.*)", "get_settings",
		    "{\"key\":\"runtime.maxTurns\"}", true },
		{ "get_settings(key:*x)", "get_settings", "{\"key\":\"ax\"}", false },
		{ "t(u:http://*)", "t", "{\"u\":\"http://x\"}", true },
		{ "t(n:5)", "t", "{\"n\":5}", true },
		{ "t(z:)", "t", "{}", true },
		{ "t(z:*)", "t", "{}", true },
		{ "mcp__srv__look", "mcp__srv__look", "{\"a\":1}", true },
		{ "mcp__srv__*", "mcp__srv__look", "{\"a\":1}", true },
		{ "create_task", "mcp__stagent__create_task", "{\"title\":\"x\"}", true },
		{ "Bash(command:x", "Bash", "{\"command\":\"x\"}", false },
		{ "Bash(command:x", "Read", "{}", false },
	};

	check_rows(ROWS, COUNT(ROWS), NULL);
}

/* What the recorded scenarios of the permissions domain show. */
static void test_recorded(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "list_views", "list_views", "{\"x\":1}", true },
		{ "list_views", "list_viewsx", "{}", false },
		{ "List_views", "list_views", "{}", false },
		{ "list_views(n:5)", "list_views", "{\"n\":5}", true },
		{ "list_views(zz:)", "list_views", "{\"n\":5}", true },
		{ "list_views(n:*)", "list_views", "{}", true },
		{ "list_views(n:a*c)", "list_views", "{\"n\":\"abc\"}", false },
		{ "list_views(zz)", "list_views", "{\"n\":\"yy\"}", false },
		{ "list_views(n:5", "list_views", "{\"n\":5}", false },
		{ "list_views(u:http://*)", "list_views", "{\"u\":\"http://x\"}", true },
		{ "mcp__s__t", "mcp__s__t", "{\"q\":1}", true },
		{ "get_settings(*)", "get_settings", "{\"key\":\"u\"}", true },
		{ "mcp__srv1__*", "mcp__srv1__look", "{\"a\":\"b\"}", true },
		{ "Bash(git:*)", "Bash", "{\"command\":\"rm -rf /srv/1\"}", false },
		{ "Bash(git *)", "Bash", "{\"command\":\"git status 1\"}", true },
	};

	check_rows(ROWS, COUNT(ROWS), NULL);
}

static void test_names(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "mcp__stagent__create_task", "create_task", "{}", true },
		{ "create_task", "create_task", "{}", true },
		{ "create_*", "mcp__stagent__create_task", "{}", true },
		{ "mcp__stagent__*", "create_task", "{}", true },
		{ "mcp__stagent__create*", "create_task", "{}", true },
		{ "mcp__stagent__create*", "delete_task", "{}", false },
		{ "mcp__*", "create_task", "{}", false },
		{ "mcp__stagent__create_task(title:x)", "create_task", "{\"title\":\"x\"}", true },
		{ "create_task(title:x)", "mcp__stagent__create_task", "{\"title\":\"y\"}", false },
		{ "create_task", "mcp__other__create_task", "{}", false },
		{ "mcp__*", "Bash", "{\"command\":\"x\"}", false },
		{ "mcp__*", "bash", "{\"command\":\"x\"}", false },
		{ "mcp__stagent__Bash", "Bash", "{\"command\":\"x\"}", false },
		{ "mcp__stagent__*", "mcp__stagent2__x", "{}", false },
		{ "Bash", "mcp__stagent__Bash", "{}", false },
		{ "*", "Read", "{}", false },
		{ "", "Read", "{}", false },
		{ "(*)", "Read", "{}", false },
		{ "Read(*", "Read", "{}", false },
		{ "Read(*) ", "Read", "{}", false },
		{ "Re*(*)", "Read", "{}", false },
		{ "mcp__a*b", "mcp__a*b", "{}", true },
		{ "mcp__a*b", "mcp__axb", "{}", false },
		{ "  Read", "Read", "{}", false },
		{ "Read", "", "{}", false },
	};

	check_rows(ROWS, COUNT(ROWS), NULL);
	assert_true(policy_same_tool("create_task", "mcp__stagent__create_task"));
	assert_true(policy_same_tool("mcp__stagent__create_task", "create_task"));
	assert_true(policy_same_tool("Bash", "Bash"));
	assert_false(policy_same_tool("bash", "Bash"));
	assert_false(policy_same_tool("Bash*", "Bash"));
	assert_false(policy_same_tool("", "Bash"));
}

static void test_values(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "t(k:true)", "t", "{\"k\":true}", true },
		{ "t(k:)", "t", "{\"k\":null}", true },
		{ "t(k:)", "t", "{\"k\":\"a\"}", false },
		{ "t(k:1.5)", "t", "{\"k\":1.5}", true },
		{ "t(k:1)", "t", "{\"k\":1.0}", true },
		{ "t(k:[1,2])", "t", "{\"k\":[1, 2]}", true },
		{ "t(k: x)", "t", "{\"k\":\" x\"}", true },
		{ "t(k: x)", "t", "{\"k\":\"x\"}", false },
		{ "t(k:a:b)", "t", "{\"k\":\"a:b\"}", true },
		{ "t(k:a)b)", "t", "{\"k\":\"a)b\"}", true },
		{ "t(:x)", "t", "{\"\":\"x\"}", true },
		{ "t(abc)", "t", "{\"n\":1,\"k\":\"abc\",\"l\":\"d\"}", true },
		{ "t(d)", "t", "{\"n\":1,\"k\":\"abc\",\"l\":\"d\"}", false },
		{ "t(a*c)", "t", "{\"k\":\"abbc\"}", true },
		{ "t(a*c*)", "t", "{\"k\":\"abbcx\"}", true },
		{ "t(*b*)", "t", "{\"k\":\"abc\"}", true },
		{ "t(a**c)", "t", "{\"k\":\"ac\"}", true },
		{ "t(a*b*c)", "t", "{\"k\":\"acb\"}", false },
		{ "t(ab*ba)", "t", "{\"k\":\"aba\"}", false },
		{ "t(**)", "t", "{}", true },
		{ "t(x)", "t", "{}", false },
		{ "WebFetch(url:https://a/*)", "WebFetch", "{\"url\":\"https://a/b\"}", true },
		{ "WebFetch(ftp*)", "WebFetch", "{\"url\":\"ftp.a\",\"prompt\":\"x\"}", true },
		{ "WebSearch(cats)", "WebSearch", "{\"query\":\"cats\"}", true },
		{ "Grep(TODO*)", "Grep", "{\"pattern\":\"TODO..x\",\"path\":\"/a\"}", true },
		{ "t(a*)", "t", "{\"k\":\"\\u00e9a\"}", false },
	};

	check_rows(ROWS, COUNT(ROWS), NULL);
	assert_true(policy_match(a, "t(z:)", "t", NULL, NULL));
	assert_false(policy_match(a, "t(z:x)", "t", NULL, NULL));
}

static void test_commands(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "Bash(git:*)", "Bash", "{\"command\":\"git\"}", true },
		{ "Bash(git:*)", "Bash", "{\"command\":\"gitk\"}", false },
		{ "Bash(git:*)", "Bash", "{\"command\":\"git push && rm x\"}", false },
		{ "Bash(git:*)", "Bash", "{\"cmd\":\"git push\"}", true },
		{ "Bash(npm run:*)", "Bash", "{\"command\":\"npm run x\"}", true },
		{ "Bash(npm run:*)", "Bash", "{\"command\":\"npm runx\"}", false },
		{ "Bash(npm run t:unit:*)", "Bash", "{\"command\":\"npm run t:unit -v\"}", true },
		{ "Bash(:*)", "Bash", "{\"command\":\" rm\"}", false },
		{ "Bash(git:)", "Bash", "{\"command\":\"rm\"}", false },
		{ "Bash(git:s*)", "Bash", "{\"command\":\"git s\"}", false },
		{ "Bash(cmd:ls*)", "Bash", "{\"cmd\":\"ls -l\"}", true },
		{ "Bash(cmd:ls*)", "Bash", "{\"cmd\":\"ls\",\"command\":\"rm x\"}", false },
		{ "Bash(cmd:ls)", "Bash", "{\"cmd\":\"ls\",\"command\":\"rm x\"}", false },
		{ "Bash(command:ls*)", "Bash", "{\"command\":null,\"cmd\":\"ls\"}", false },
		{ "Bash(ls*)", "Bash", "{\"command\":null,\"cmd\":\"ls\"}", true },
		{ "Bash(ls*)", "Bash", "{\"command\":[\"ls\"]}", false },
		{ "Bash(description:show*)", "Bash",
		    "{\"command\":\"rm x; ls\",\"description\":\"show\"}", false },
		{ "Bash(description:show*)", "Bash",
		    "{\"command\":\"ls\",\"description\":\"show\"}", true },
		{ "Bash(command:a; b)", "Bash", "{\"command\":\"a; b\"}", true },
		{ "Bash(a; b)", "Bash", "{\"command\":\"a; b\"}", true },
		{ "Bash(a;*)", "Bash", "{\"command\":\"a; b\"}", false },
		{ "Bash(*b)", "Bash", "{\"command\":\"a; b\"}", false },
		{ "Bash(command:*x)", "Bash", "{\"command\":\"*x\"}", true },
		{ "Bash()", "Bash", "{}", false },
		{ "bash(cmd:git *)", "bash", "{\"cmd\":\"git a; b\"}", false },
		{ "bash(git:*)", "bash", "{\"cmd\":\"rm x\"}", false },
	};

	check_rows(ROWS, COUNT(ROWS), NULL);
}

/* Commands that begin with "git " and what a POSIX shell would make of them. */
static void test_shell_quoting(void **state UNUSED)
{
	static const char *const SIMPLE[] = {
		"git a",
		"git commit -m 'a; b && c | d > e `f` $(g)\nh'",
		"git commit -m \"it's\" -m 'x;y'",
		"git commit -m it\\'s",
		"git commit -m \"say \\\"hi\\\"\"",
		"git commit -m 'say \"hi\"; x'",
		"git log $HOME --grep '${x}'",
		"git log ${HOME}",
		"git log --grep='a'\\''b'",
		"git ls-files \\( a \\)",
		"git log -n1 #note",
		"git show a#b",
		"git log \"(a)\"",
	};
	static const char *const NOT[] = {
		"git a;b",
		"git a&",
		"git a|b",
		"git a>b",
		"git a<b",
		"git a\nb",
		"git `b`",
		"git $(b)",
		"git \"$(b)\"",
		"git \"`b`\"",
		"git \"'$(b)'\"",
		"git \"it's\"; b 'x'",
		"git it\\'s; b 'x'",
		"git 'a' ; b 'c'",
		"git 'a",
		"git \"a",
		"git \\\\'a'; b",
		"git $'\\'' ; b '",
		"git \"${x:-\"'\"}\" ; b ; echo \"${x:-\"'\"}\"",
		"git a # '\n b #'",
		"git a # ' ; b '",
		"git $['1'] ; b",
		"git =(b)",
		"git *(e:'b':)",
		"git (b)",
		"git a \\; b",
	};

	for (size_t i = 0; i < COUNT(SIMPLE) + COUNT(NOT); i++) {
		bool simple = i < COUNT(SIMPLE);
		const char *command = simple ? SIMPLE[i] : NOT[i - COUNT(SIMPLE)];
		json_t *input = json_keep(a, json_pack("{s:s}", "command", command));

		if (policy_match(a, "Bash(git *)", "Bash", input, NULL) != simple)
			fail_msg("%s: expected %s", command, simple ? "a match" : "no match");
	}
}

static void test_paths(void **state UNUSED)
{
	static const struct row ROWS[] = {
		{ "Write(/w/src/*)", "Write", "{\"file_path\":\"src/a\"}", true },
		{ "Write(/w/src/*)", "Write", "{\"file_path\":\"/w/./src//a\"}", true },
		{ "Write(/w/src/*)", "Write", "{\"file_path\":\"other/a\"}", false },
		{ "Write(/w/src/a)", "Write", "{\"file_path\":\"src/a\"}", true },
		{ "Write(src/**)", "Write", "{\"file_path\":\"/w/src/a\"}", true },
		{ "Write(src/**)", "Write", "{\"file_path\":\"/x/src/a\"}", false },
		{ "Write(src/**)", "Write", "{\"file_path\":\"/wx/src/a\"}", false },
		{ "Write(src/**)", "Write", "{\"file_path\":\"./src/a\"}", true },
		{ "Write(./src/**)", "Write", "{\"file_path\":\"src/a\"}", true },
		{ "Write(./*)", "Write", "{\"file_path\":\"/etc/passwd\"}", false },
		{ "Write(./*)", "Write", "{\"file_path\":\"/w/a\"}", true },
		{ "Write(file_path:./*)", "Write", "{\"file_path\":\"/etc/passwd\"}", false },
		{ "Write(file_path:./*)", "Write", "{\"file_path\":\"a\"}", true },
		{ "Write(src/**)", "Write", "{\"file_path\":\"/w/src/../../etc/x\"}", false },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/..\"}", false },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/..a\"}", true },
		{ "Write(src/../b)", "Write", "{\"file_path\":\"src/../b\"}", true },
		{ "Write(b)", "Write", "{\"file_path\":\"src/../b\"}", false },
		{ "Write(file_path:src/*)", "Write", "{\"file_path\":\"src/../b\"}", false },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/a\",\"paths\":[\"src/a\",\"src/b\"]}",
		    true },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/a\",\"paths\":[\"src/a\",\"b\"]}",
		    false },
		{ "Write(file_path:src/a)", "Write",
		    "{\"file_path\":\"src/a\",\"paths\":[\"src/a\",\"src/b\"]}", false },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/a\",\"grantRoot\":\"/w\"}", false },
		{ "Write(src/*)", "Write", "{\"file_path\":\"src/a\",\"grantRoot\":null}", true },
		{ "Write", "Write", "{\"file_path\":\"src/a\",\"paths\":[\"src/a\",\"b\"]}", true },
		{ "Write(path:src/*)", "Write", "{\"path\":\"src/b\"}", true },
		{ "Write(path:s/*)", "Write", "{\"path\":\"s/b\",\"file_path\":\"/x\"}", false },
		{ "Write(*)", "Write", "{\"file_path\":\"../x\"}", true },
		{ "Write(file_path:*)", "Write", "{\"file_path\":\"../x\"}", true },
		{ "Edit(*.md)", "Edit", "{\"file_path\":\"a/b.md\"}", true },
		{ "LS(src*)", "LS", "{\"path\":\"src/../..\"}", false },
		{ "NotebookEdit(n/*)", "NotebookEdit", "{\"notebook_path\":\"n/../x\"}", false },
		{ "Glob(src/*)", "Glob", "{\"pattern\":\"src/../../*\"}", false },
		{ "Glob(src/*)", "Glob", "{\"pattern\":\"src/*.c\"}", true },
		{ "upload_document(file_path:/d/*)", "upload_document",
		    "{\"file_path\":\"/d/../etc/x\"}", false },
		{ "t(path:http://a//*)", "t", "{\"path\":\"http://a//b\"}", true },
	};

	check_rows(ROWS, COUNT(ROWS), "/w");
	check_rows(ROWS, COUNT(ROWS), "/w/.//");
	assert_true(policy_match(a, "Write(etc/*)", "Write",
	    json_read_text(a, "{\"file_path\":\"/etc/x\"}"), "/"));
	assert_true(policy_match(a, "Write(/etc/*)", "Write",
	    json_read_text(a, "{\"file_path\":\"etc/x\"}"), "/"));
	assert_false(policy_match(a, "Write(/w/*)", "Write",
	    json_read_text(a, "{\"file_path\":\"x\"}"), NULL));
	assert_false(policy_match(a, "Write(/x/*)", "Write",
	    json_read_text(a, "{\"file_path\":\"x\"}"), "/w/../x"));
}

static void test_list(void **state UNUSED)
{
	const json_t *list = json_read_text(a, "[1,\"Read\",\"Bash(git *)\"]");

	assert_true(policy_match_any(a, list, "Read", NULL, NULL));
	assert_false(policy_match_any(a, list, "Write", NULL, NULL));
	assert_false(policy_match_any(a, NULL, "Read", NULL, NULL));
}

static void check_suggested(const char *tool, const char *input, const char *expected)
{
	const json_t *v = json_read_text(a, input);
	const char *pattern = policy_suggest(a, tool, v);

	assert_string_equal(pattern, expected);
}

static void test_suggest(void **state UNUSED)
{
	check_suggested("Bash", "{\"command\":\"  git\\tpush \"}", "Bash(command:git *)");
	check_suggested("Bash", "{\"command\":\"ls\"}", "Bash(command:ls *)");
	check_suggested("Bash", "{\"cmd\":\"ls\"}", "Bash");
	check_suggested("Bash", "{\"command\":5}", "Bash");
	check_suggested("bash", "{\"cmd\":\"ls\"}", "bash");
	check_suggested("Read", "{\"file_path\":\"/a\"}", "Read");
	check_suggested("Bash", "{\"command\":\" \"}", "Bash(command: )");
	assert_string_equal(policy_suggest(a, "t", NULL), "t");
}

static void test_presets(void **state UNUSED)
{
	const struct policy_preset *p = policy_preset_find("git-safe");
	const json_t *list = json_read_text(a,
	    "[\"x\",\"Bash(command:git *)\",\"Edit\",\"Write\",\"NotebookRead\",\"LS\","
	    "\"Grep\",\"Glob\",\"Read\"]");

	assert_non_null(p);
	assert_string_equal(p->name, "Git Safe");
	assert_string_equal(p->risk, "medium");
	assert_int_equal(p->n_patterns, 8);
	assert_string_equal(p->patterns[7], "Bash(command:git *)");
	assert_true(policy_preset_active(p, list));
	assert_true(policy_preset_active(policy_preset_find("read-only"), list));
	assert_false(policy_preset_active(policy_preset_find("full-auto"), list));
	assert_int_equal(policy_preset_find("full-auto")->n_patterns, 11);
	assert_null(policy_preset_find("Git-Safe"));
	assert_false(policy_preset_active(p, NULL));
}

static void check_summary(const char *tool, const char *input, const char *expected)
{
	const json_t *v = json_read_text(a, input);

	assert_string_equal(policy_summary(a, "permission_required", tool, v), expected);
}

static void test_summary(void **state UNUSED)
{
	const char *neutral = policy_summary(a, "permission_required", NULL, NULL), *s;
	char *lots = arena_alloc(a, 300);

	check_summary("Bash", "{\"command\":\"  git push \"}", "git push");
	check_summary("bash", "{\"cmd\":\"ls\"}", "ls");
	check_summary("Bash", "{\"n\":1,\"command\":5,\"cmd\":\"ls\",\"z\":\"y\"}", "ls");
	check_summary("Bash", "{\"n\":1,\"command\":5}", "n: 1");
	check_summary("Bash", "{\"command\":\" \",\"x\":\"y\"}", " ");
	check_summary("Bash", "{\"command\":null,\"cmd\":\"ls\"}", "ls");
	check_summary("edit", "{\"path\":\" /a\"}", "/a");
	check_summary("Write", "{\"content\":\"c\",\"file_path\":\"/a\"}", "/a");
	check_summary("list_projects", "{\"status\":\"active\"}", "active");
	check_summary("t", "{\"a\":1,\"b\":\" x \"}", " x ");
	check_summary("t", "{\"a\":true,\"b\":2}", "a: true");
	check_summary("t", "{\"a\":{\"b\":[1,\"é\"]}}", "a: {\"b\":[1,\"é\"]}");
	check_summary("t", "{\"a\":null}", "a: null");
	check_summary("t", "[1,\"x\"]", "x");
	check_summary("t", "[1,2]", "0: 1");
	check_summary("t", "{}", neutral);
	check_summary("t", "[]", neutral);
	memset(lots, 'x', 299);
	s = policy_summary(a, "permission_required", "t",
	    json_keep(a, json_pack("{s:s}", "a", lots)));
	assert_int_equal(text_units(s), 120);
	assert_true(text_ends(s, "x…"));
	lots[120] = '\0';
	s = policy_summary(a, "permission_required", "t",
	    json_keep(a, json_pack("{s:s}", "a", lots)));
	assert_string_equal(s, lots);
	assert_non_null(strstr(policy_summary(a, "context_proposal", "general", NULL), "general"));
	assert_string_not_equal(policy_summary(a, "context_proposal_batch", NULL, NULL), "");
}

static void test_label(void **state UNUSED)
{
	static const char *const ROWS[][3] = {
		{ "context_proposal_batch", "x", "Workflow Learning" },
		{ "context_proposal", "general", "Context Proposal" },
		{ "permission_required", NULL, "Tool" },
		{ "permission_required", "Bash", "Bash" },
		{ "permission_required", "mcp__srv__look", "MCP srv/look" },
		{ "permission_required", "mcp__srv__a__b", "MCP srv/a__b" },
		{ "permission_required", "mcp__srv", "MCP srv/tool" },
		{ "permission_required", "mcp__srv__", "MCP srv/tool" },
		{ "permission_required", "mcp__", "MCP server/tool" },
		{ "permission_required", "mcp____x", "MCP server/x" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_string_equal(policy_label(a, ROWS[i][0], ROWS[i][1]), ROWS[i][2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_shell_quoting),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_label),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
