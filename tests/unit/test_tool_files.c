/* write_output_file: which names it takes, that it stays inside its folder, and what it leaves. */
#include "tests/unit/tool_case.h"

static const char *output(struct fixture *f, const char *name, const char *content)
{
	const char *text;
	json_t *args = json_keep(
	    f->cx.arena, json_pack("{s:s, s:s}", "filename", name, "content", content));

	tool_run(&f->env, tool_find("write_output_file"), args, &text);
	return text;
}

static void refuses(struct fixture *f, const char *name, const char *message)
{
	assert_string_equal(output(f, name, "x"), tool_error_text(f->cx.arena, message));
}

static void file_names(void **state)
{
	const char *type = "Unsupported file type. Use .md, .txt, .json, .csv or .html";
	struct fixture *f = *state;
	char name[300];

	refuses(f, "/etc/x.md", "Invalid filename");
	refuses(f, "../x.md", "Invalid filename");
	refuses(f, "a/../x.md", "Invalid filename");
	refuses(f, "a/..", "Invalid filename");
	refuses(f, "a\nb.md", "Invalid filename");
	refuses(f, "a\x7f.md", "Invalid filename");
	refuses(f, "a\xc2\x85.md", "Invalid filename");
	refuses(f, "a.md/", "Invalid filename");
	refuses(f, ".", "Invalid filename");
	refuses(f, "1/2/3/4/5/6/7/8/x.md", "Invalid filename");
	refuses(f, "x.exe", type);
	refuses(f, "x", type);
	refuses(f, ".md", type);
	refuses(f, "x.md.sh", type);
	refuses(f, "x.mdx", type);
	memset(name, 'x', sizeof name);
	snprintf(name + 198, 4, ".md");
	refuses(f, name,
	    "Invalid arguments: filename: Too big: expected string to have <=200 characters");
	refuses(f, "",
	    "Invalid arguments: filename: Too small: expected string to have >=1 characters");
	assert_non_null(strstr(output(f, "1/2/3/4/5/6/7/x.md", "x"), "/out/1/2/3/4/5/6/7/x.md"));
	assert_non_null(strstr(output(f, "./b//c.HTML", "x"), "/out/b/c.HTML"));
	assert_non_null(strstr(output(f, "a..b.txt", "x"), "/out/a..b.txt"));
	assert_non_null(strstr(output(f, "\xc3\xa4 \xf0\x9f\x98\x80.csv", "x"), "/out/"));
}

static const char *content_of(struct fixture *f, const char *name)
{
	char text[64];
	FILE *file = fopen(below(f, name), "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof text, file);
	fclose(file);
	return arena_strndup(f->cx.arena, text, n);
}

static void file_links(void **state)
{
	struct fixture *f = *state;

	mkdir(below(f, "out"), 0700);
	mkdir(below(f, "secret"), 0700);
	write_file(below(f, "secret/a.md"), "keep");
	assert_int_equal(symlink(below(f, "secret"), below(f, "out/link")), 0);
	assert_int_equal(symlink(below(f, "secret/a.md"), below(f, "out/a.md")), 0);
	write_file(below(f, "out/plain"), "");
	mkdir(below(f, "out/folder.md"), 0700);
	refuses(f, "link/a.md", "Invalid filename");
	refuses(f, "link/b/a.md", "Invalid filename");
	refuses(f, "plain/a.md", "Invalid filename");
	refuses(f, "folder.md", "Invalid filename");
	assert_null(strstr(output(f, "a.md", "new"), "error"));
	assert_string_equal(content_of(f, "secret/a.md"), "keep");
	assert_string_equal(content_of(f, "out/a.md"), "new");
}

static int n_entries;

static int count_entry(const char *path UNUSED, const struct stat *st UNUSED, int type UNUSED)
{
	n_entries++;
	return 0;
}

static void file_contents(void **state)
{
	struct fixture *f = *state;
	char *big = malloc((1 << 20) + 2);
	json_t *v = json_read_text(f->cx.arena, output(f, "d/a.md", "first"));

	assert_int_equal(json_num(v, "size", -1), 5);
	output(f, "d/a.md", "");
	assert_string_equal(content_of(f, "out/d/a.md"), "");
	output(f, "d/a.md", "\xc3\xa4");
	assert_string_equal(content_of(f, "out/d/a.md"), "\xc3\xa4");
	ftw(below(f, "out"), count_entry, 8);
	assert_int_equal(n_entries, 3);
	assert_non_null(big);
	memset(big, 'x', (1 << 20) + 1);
	big[1 << 20] = '\0';
	assert_null(strstr(output(f, "big.txt", big), "error"));
	big[1 << 20] = 'x';
	big[(1 << 20) + 1] = '\0';
	assert_string_equal(output(f, "big.txt", big),
	    "{\"error\":\"Invalid arguments: content: Too big: expected string to have "
	    "<=1048576 characters\"}");
	for (int i = 0; i < 1 << 20; i += 2)
		memcpy(big + i, "\xc3\xa4", 2);
	assert_string_equal(
	    output(f, "big.txt", big), "{\"error\":\"Content is larger than 1 MiB\"}");
	free(big);
	f->env.output_dir = NULL;
	refuses(f, "a.md", "This run has no output folder");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_names),
		TEST(file_links),
		TEST(file_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
