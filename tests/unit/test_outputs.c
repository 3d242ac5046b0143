/* Output files: what is captured from a folder that an agent had to itself, and what is not. */
#include "tests/unit/db_case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/domain/task.h"
#include "jobrunner/output_dir.h"
#include "jobrunner/outputs.h"

#define DOCUMENTS                                                                            \
	"SELECT original_name, filename, version, mime_type, size, status, extracted_text "  \
	"FROM documents WHERE direction = 'output' ORDER BY rowid"

static struct task task;
static const char *out_dir;

static int set_up(void **state UNUSED)
{
	set_up_db();
	sql("INSERT INTO projects (id, name, created_at, updated_at) VALUES ('p', 'P', 1, 1)",
	    NULL);
	sql("INSERT INTO tasks (id, project_id, title, created_at, updated_at) "
	    "VALUES ('t1', NULL, 'T', 1, 1), ('t2', 'p', 'T', 1, 1), ('t3', 'p', 'T', 1, 1)",
	    NULL);
	task = (struct task){ .id = "t1", .title = "T" };
	assert_int_equal(outputs_prepare(&cx, "t1", true, &out_dir), RC_OK);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static const char *in(const char *dir, const char *name)
{
	return arena_printf(cx.arena, "%s/%s", dir, name);
}

static void put_n(const char *name, const char *text, size_t n)
{
	char *path = arena_strdup(cx.arena, in(out_dir, name));
	int fd;

	for (char *p = path + strlen(out_dir) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0755);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void put(const char *name, const char *text)
{
	put_n(name, text, strlen(text));
}

static const char *get(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Collects and registers; returns what was left out. */
static const char *collect(void)
{
	struct output_list *list;
	const char *problem;

	assert_int_equal(outputs_collect(&cx, &task, &list, &problem), RC_OK);
	assert_int_equal(tx_begin(&cx), RC_OK);
	outputs_register(&cx, &task, list);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	return problem;
}

static void test_captured(void **state UNUSED)
{
	const char *copy = in(scratch, "documents/output/t1/data__Q-1-final--v1.csv");
	struct stat st;

	put("report.md", "# R");
	put("data/Q 1 (final).csv", "a,b");
	put("notes.txt", "n");
	put("skip.py", "print(1)");
	put("page.HTML", "<p>x</p>");
	put("data.json", "{}");
	put("README", "none");
	put(".md", "none");
	assert_null(collect());
	assert_string_equal(rows(DOCUMENTS),
	    "data/Q 1 (final).csv|data__Q-1-final--v1.csv|1|text/csv|3|ready|a,b\n"
	    "data.json|data-v1.json|1|application/json|2|ready|{}\n"
	    "notes.txt|notes-v1.txt|1|text/plain|1|ready|n\n"
	    "page.HTML|page-v1.HTML|1|text/html|8|ready|<p>x</p>\n"
	    "report.md|report-v1.md|1|text/markdown|3|ready|# R\n");
	assert_string_equal(
	    rows("SELECT DISTINCT task_id, project_id, direction, category, source FROM documents"),
	    "t1|-|output|-|upload\n");
	assert_string_equal(
	    rows("SELECT storage_path FROM documents WHERE mime_type = 'text/csv'"),
	    arena_printf(cx.arena, "%s\n", copy));
	assert_string_equal(get(copy), "a,b");
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in(scratch, "documents/output/t1"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_nothing(void **state UNUSED)
{
	assert_null(collect());
	assert_int_equal(rmdir(out_dir), 0);
	assert_null(collect());
	assert_string_equal(rows(DOCUMENTS), "");
	assert_false(exists(in(scratch, "documents")));
}

static void test_names(void **state UNUSED)
{
	put("a/b  c/\xc3\x9c x.y.md", "1");
	put("a b.md", "2");
	put("a-b.md", "3");
	put("a(b.md", "4");
	put("--..md", "5");
	put("x- y.md", "6");
	put("x..txt", "7");
	assert_null(collect());
	assert_string_equal(
	    rows("SELECT original_name, filename FROM documents ORDER BY rowid"),
	    "--..md|--.-v1.md\n"
	    "a/b  c/\xc3\x9c x.y.md|a__b  c__-x.y-v1.md\n"
	    "a b.md|a-b-v1.md\n"
	    "a(b.md|a-b-v1-2.md\n"
	    "a-b.md|a-b-v1-3.md\n"
	    "x- y.md|x--y-v1.md\n"
	    "x..txt|x.-v1.txt\n");
}

static void test_long_names(void **state UNUSED)
{
	char name[256] = { 0 };

	memset(name, 'n', 250);
	put(arena_printf(cx.arena, "%s/%s.md", name, name), "1");
	put(arena_printf(cx.arena, "%s/%.249s.md", name, name), "2");
	assert_null(collect());
	assert_string_equal(
	    rows("SELECT count(*), max(length(filename)) FROM documents"), "2|208\n");
}

static void test_versions_of_task(void **state UNUSED)
{
	put("r.md", "one");
	put("same.md", "same");
	assert_null(collect());
	put("r.md", "two");
	assert_null(collect());
	assert_null(collect());
	put("r.md", "one");
	assert_null(collect());
	assert_string_equal(
	    rows("SELECT filename, version, extracted_text FROM documents ORDER BY rowid"),
	    "r-v1.md|1|one\nsame-v1.md|1|same\nr-v2.md|2|two\nr-v3.md|3|one\n");
	assert_int_equal(unlink(in(scratch, "documents/output/t1/r-v3.md")), 0);
	assert_null(collect());
	assert_string_equal(rows("SELECT max(version) FROM documents"), "4\n");
}

static void test_versions_of_project(void **state UNUSED)
{
	task = (struct task){ .id = "t2", .project_id = "p", .title = "T" };
	assert_int_equal(outputs_prepare(&cx, "t2", true, &out_dir), RC_OK);
	put("r.md", "one");
	assert_null(collect());
	task.id = "t3";
	assert_int_equal(outputs_prepare(&cx, "t3", true, &out_dir), RC_OK);
	put("r.md", "one");
	assert_null(collect());
	assert_string_equal(rows("SELECT task_id, project_id, filename, version FROM documents"),
	    "t2|p|r-v1.md|1\nt3|p|r-v2.md|2\n");
}

/* Two tasks of a project end at once: both have collected before one registers. */
static void test_version_race(void **state UNUSED)
{
	struct output_list *a, *b;
	const char *problem;

	task = (struct task){ .id = "t2", .project_id = "p", .title = "T" };
	assert_int_equal(outputs_prepare(&cx, "t2", true, &out_dir), RC_OK);
	put("r.md", "one");
	assert_int_equal(outputs_collect(&cx, &task, &a, &problem), RC_OK);
	task.id = "t3";
	assert_int_equal(outputs_prepare(&cx, "t3", true, &out_dir), RC_OK);
	put("r.md", "two");
	assert_int_equal(outputs_collect(&cx, &task, &b, &problem), RC_OK);
	assert_int_equal(tx_begin(&cx), RC_OK);
	outputs_register(&cx, &task, b);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	task.id = "t2";
	assert_int_equal(tx_begin(&cx), RC_OK);
	outputs_register(&cx, &task, a);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	assert_string_equal(rows("SELECT task_id, filename, version FROM documents ORDER BY rowid"),
	    "t3|r-v1.md|1\nt2|r-v2.md|2\n");
	assert_string_equal(get(in(scratch, "documents/output/t2/r-v2.md")), "one");
	assert_false(exists(in(scratch, "documents/output/t2/r-v1.md")));
}

static void test_texts(void **state UNUSED)
{
	size_t big = ((size_t)1 << 20) + 1;
	char *lots = arena_alloc(cx.arena, big + 1);

	memset(lots, 'x', big);
	put("a.csv", "\xef\xbb\xbf" "a,b\r\n");
	put("b.md", "\xef\xbb\xbfkept");
	put_n("c.md", "a\0b", 3);
	put("d.md", "\xff");
	put("e.md", "");
	put_n("f.md", lots, big);
	put_n("g.md", lots, big - 1);
	assert_null(collect());
	assert_string_equal(rows("SELECT original_name, size, status, length(extracted_text), "
				 "hex(substr(extracted_text, 1, 2)) FROM documents"),
	    "a.csv|8|ready|5|612C\n"
	    "b.md|7|ready|5|EFBBBF6B\n"
	    "c.md|3|processing|-|\n"
	    "d.md|1|processing|-|\n"
	    "e.md|0|ready|0|\n"
	    "f.md|1048577|processing|-|\n"
	    "g.md|1048576|ready|1048576|7878\n");
}

/* Small texts, but many: only some are taken in at once. */
static void test_texts_together(void **state UNUSED)
{
	size_t big = (size_t)1 << 20;
	char *lots = arena_alloc(cx.arena, big + 1);

	memset(lots, 'x', big);
	for (int i = 0; i < 10; i++)
		put_n(arena_printf(cx.arena, "f%d.md", i), lots, big);
	assert_null(collect());
	assert_string_equal(rows("SELECT status, count(*) FROM documents GROUP BY 1"),
	    "processing|2\nready|8\n");
}

static void test_links_and_devices(void **state UNUSED)
{
	put("ok.md", "1");
	assert_int_equal(symlink("/etc/passwd", in(out_dir, "passwd.txt")), 0);
	assert_int_equal(symlink("ok.md", in(out_dir, "also.md")), 0);
	assert_int_equal(symlink("/etc", in(out_dir, "folder")), 0);
	assert_int_equal(symlink("/etc", in(out_dir, "etc.md")), 0);
	assert_int_equal(mkfifo(in(out_dir, "pipe.md"), 0600), 0);
	assert_int_equal(mkdir(in(out_dir, "folder.md"), 0700), 0);
	assert_string_equal(collect(), "also.md: symbolic link; etc.md: symbolic link; "
				       "passwd.txt: symbolic link; pipe.md: not a regular file");
	assert_string_equal(rows("SELECT original_name FROM documents"), "ok.md\n");
}

static void test_limits(void **state UNUSED)
{
	char deep[128] = "";
	int fd;

	fd = open(in(out_dir, "huge.txt"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, OUTPUT_FILE_MAX + 1), 0);
	close(fd);
	fd = open(in(out_dir, "large.txt"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, OUTPUT_FILE_MAX), 0);
	close(fd);
	for (int i = 0; i < OUTPUT_LEVELS_MAX; i++)
		snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "d/");
	put(arena_printf(cx.arena, "%sok.md", deep), "1");
	put(arena_printf(cx.arena, "%sd/no.md", deep), "2");
	put("new\nline.md", "3");
	put("bad\xff.md", "4");
	assert_string_equal(collect(),
	    "bad?.md: characters that a name cannot have; "
	    "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d: more than 16 levels; "
	    "huge.txt: larger than 50 MB; "
	    "new?line.md: characters that a name cannot have");
	assert_string_equal(rows("SELECT original_name, size FROM documents ORDER BY rowid"),
	    "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/ok.md|1\nlarge.txt|52428800\n");
}

static void test_too_many(void **state UNUSED)
{
	const char *problem;

	for (int i = 0; i < OUTPUT_FILES_MAX + 25; i++)
		put(arena_printf(cx.arena, "f%03d.md", i), "x");
	problem = collect();
	assert_non_null(strstr(problem, "f500.md: more than 500 files; f501.md"));
	assert_non_null(strstr(problem, "; and 5 more"));
	assert_string_equal(rows("SELECT count(*), max(original_name) FROM documents"),
	    "500|f499.md\n");
}

static void test_discard(void **state UNUSED)
{
	struct output_list *list;
	const char *problem;

	put("r.md", "one");
	assert_int_equal(outputs_collect(&cx, &task, &list, &problem), RC_OK);
	assert_true(exists(in(scratch, "documents/output/t1/r-v1.md")));
	assert_int_equal(tx_begin(&cx), RC_OK);
	outputs_register(&cx, &task, list);
	assert_int_equal(tx_end(&cx, RC_CANCELLED), RC_CANCELLED);
	outputs_discard(&cx, list);
	assert_false(exists(in(scratch, "documents/output/t1/r-v1.md")));
	assert_string_equal(rows(DOCUMENTS), "");
}

/* A copy that cannot be written leaves nothing, and nothing else suffers. */
static void test_copy_fails(void **state UNUSED)
{
	struct rlimit before, small;
	struct output_list *list;
	const char *problem;

	put_n("a.md", arena_alloc(cx.arena, 200000), 200000);
	put("b.md", "small");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(outputs_collect(&cx, &task, &list, &problem), RC_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_string_equal(problem, "a.md: File too large");
	assert_true(exists(in(scratch, "documents/output/t1/b-v1.md")));
	outputs_discard(&cx, list);
	assert_int_equal(rmdir(in(scratch, "documents/output/t1")), 0);
}

/* A process that died after copying leaves a copy that no row names. */
static void test_left_copies(void **state UNUSED)
{
	struct output_list *list;
	const char *problem;

	put("r.md", "one");
	assert_int_equal(outputs_collect(&cx, &task, &list, &problem), RC_OK);
	sql("INSERT INTO documents (id, filename, original_name, mime_type, size, storage_path, "
	    "created_at, updated_at) VALUES ('d', 'x', 'x', 'text/plain', 1, ?1, 1, 1)",
	    in(scratch, "documents/output/t1/s-v1.md"), NULL);
	assert_int_equal(close(open(in(scratch, "documents/output/t1/s-v1.md"),
			     O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(close(open(in(scratch, "documents/output/t1/.new-1"),
			     O_CREAT | O_WRONLY, 0600)), 0);
	put("r.md", "two");
	put("s.md", "three");
	assert_null(collect());
	assert_string_equal(rows("SELECT filename FROM documents WHERE task_id = 't1'"),
	    "r-v1.md\ns-v1-2.md\n");
	assert_string_equal(get(in(scratch, "documents/output/t1/r-v1.md")), "two");
	assert_false(exists(in(scratch, "documents/output/t1/.new-1")));
}

static void test_database_fails(void **state UNUSED)
{
	struct output_list *list;
	const char *problem;

	put("r.md", "one");
	sql("DROP TABLE documents", NULL);
	assert_int_not_equal(outputs_collect(&cx, &task, &list, &problem), RC_OK);
	assert_null(list);
	assert_false(exists(in(scratch, "documents/output/t1/r-v1.md")));
}

static void test_prepare(void **state UNUSED)
{
	char path[128], victim[128];
	const char *again;

	snprintf(path, sizeof path, "%s", out_dir);
	snprintf(victim, sizeof victim, "%s/victim", scratch);
	assert_int_equal(mkdir(victim, 0700), 0);
	assert_int_equal(close(open(in(victim, "keep"), O_CREAT | O_WRONLY, 0600)), 0);
	put("a/b/c.md", "1");
	assert_int_equal(symlink(victim, in(out_dir, "a/link")), 0);
	assert_int_equal(chmod(in(out_dir, "a/b"), 0500), 0);
	assert_int_equal(chmod(in(out_dir, "a"), 0), 0);
	assert_int_equal(outputs_prepare(&cx, "t1", false, &again), RC_OK);
	assert_string_equal(again, path);
	assert_true(exists(in(out_dir, "a")));
	assert_int_equal(outputs_prepare(&cx, "t1", true, &again), RC_OK);
	assert_false(exists(in(out_dir, "a")));
	assert_true(exists(in(victim, "keep")));

	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(outputs_prepare(&cx, "t1", true, &again), RC_OK);
	assert_true(exists(in(victim, "keep")));
	assert_null(collect());
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(outputs_prepare(&cx, "../x", true, &again), RC_INVALID);
	assert_non_null(strstr(cx.err.msg, "cannot be prepared"));
	err_clear(&cx.err);
}

static void test_prepare_deep(void **state UNUSED)
{
	int fd = open(out_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *again;

	for (int i = 0; i < 3000; i++) {
		int sub;

		assert_int_equal(mkdirat(fd, "dd", 0700), 0);
		sub = openat(fd, "dd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = sub;
	}
	close(fd);
	assert_int_equal(outputs_prepare(&cx, "t1", true, &again), RC_OK);
	assert_false(exists(in(out_dir, "dd")));
	assert_int_equal(rmdir(out_dir), 0);
}

/* What stands in the place of the folder does not stop the end of a run. */
static void test_folder_is_link(void **state UNUSED)
{
	assert_int_equal(rmdir(out_dir), 0);
	assert_int_equal(symlink("/etc", out_dir), 0);
	assert_string_equal(collect(), ".: Not a directory");
}

static void test_result(void **state UNUSED)
{
	char *text = arena_alloc(cx.arena, RESULT_MAX + 100);
	const char *kept;

	memset(text, 'a', RESULT_MAX);
	assert_ptr_equal(outputs_keep_result(&cx, "t1", text), text);
	put("result.md", "the agent's own");
	for (size_t i = 0; i < 40; i += 2)
		memcpy(text + RESULT_MAX - 90 + i, "\xc3\xa9", 2);
	text[RESULT_MAX] = 'b';
	kept = outputs_keep_result(&cx, "t1", text);
	assert_true(strlen(kept) <= RESULT_MAX && strlen(kept) > RESULT_MAX - 100);
	assert_non_null(strstr(kept, "result.md has the whole text"));
	assert_null(collect());
	assert_string_equal(rows("SELECT original_name, size, status FROM documents"),
	    "result-1.md|15|ready\nresult.md|1048577|processing\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_captured, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_versions_of_task, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_versions_of_project, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_version_race, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_texts_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_links_and_devices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_discard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_left_copies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_database_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_prepare, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_prepare_deep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folder_is_link, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_result, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
