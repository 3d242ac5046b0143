/* Documents: which paths may be read, copies, metadata, removal, and the upload folder. */
#include "tests/unit/db_case.h"

#include <fcntl.h>
#include <time.h>
#include <utime.h>

#include "core/domain/document.h"
#include "core/domain/document_path.h"
#include "core/domain/upload.h"
#include "core/issues.h"
#include "core/json_in.h"
#include "core/model/models.h"
#include "core/store.h"
#include "core/text.h"

#define DAY_S 86400

static char home[80];

static const char *below(const char *dir, const char *name)
{
	return arena_printf(cx.arena, "%s/%s", dir, name);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The home folder is below /tmp as the data folder is; what tells them apart is only the rules. */
static int set_up(void **state UNUSED)
{
	set_up_db();
	snprintf(home, sizeof home, "%s/home", scratch);
	assert_int_equal(mkdir(home, 0700), 0);
	setenv("HOME", home, 1);
	sql("INSERT INTO projects (id, name, created_at, updated_at) VALUES ('p', 'P', 1, 1)", NULL);
	sql("INSERT INTO tasks (id, project_id, title, created_at, updated_at) "
	    "VALUES ('t', 'p', 'T', 1, 1)",
	    NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static json_t *json(const char *text)
{
	json_t *v = json_read_text(cx.arena, text);

	assert_non_null(v);
	return v;
}

/* ---- paths ---- */

/* What document_open says of PATH: the file's name, or the words of the refusal. */
static const char *look_in(const char *path, const char *const *roots)
{
	struct document_source s;
	enum rc rc;

	err_clear(&cx.err);
	rc = document_open(&cx, path, roots, &s);
	if (s.fd >= 0)
		close(s.fd);
	assert_true((rc == RC_OK) == (s.fd >= 0));
	return rc == RC_OK ? s.name : arena_strdup(cx.arena, cx.err.msg);
}

static const char *look(const char *path)
{
	return look_in(path, NULL);
}

#define RESTRICTED "Access denied: path points to a restricted system directory"
#define SENSITIVE  "Access denied: path points to a sensitive home directory"
#define ELSEWHERE  "Access denied: path must be under the user's home directory or /tmp"

static void test_places(void **state UNUSED)
{
	static const char *const SYSTEM[] = { "/etc/passwd", "/etc", "/var/log/x", "/proc/self/mem",
		"/sys", "//etc//passwd", "/tmp/../etc/passwd", "/dev/null", "/root/x" };
	const char *data = scratch;

	for (size_t i = 0; i < COUNT(SYSTEM); i++)
		assert_string_equal(look(SYSTEM[i]), RESTRICTED);
	assert_string_equal(look("/usr/bin/env"), ELSEWHERE);
	assert_string_equal(look("/tmpfile"), ELSEWHERE);
	assert_string_equal(look("/"), ELSEWHERE);
	assert_string_equal(look(below(data, DB_FILE)), RESTRICTED);
	assert_string_equal(look(data), RESTRICTED);
	assert_string_equal(look(below(data, "uploads/../" DB_FILE)), RESTRICTED);
	mkdir(below(data, "uploads"), 0700);
	put(below(data, "uploads/x.txt"), "x");
	assert_string_equal(look(below(data, "uploads/x.txt")), "x.txt");
	assert_string_equal(look(below(data, "uploads2/x.txt")), RESTRICTED);
}

/* In a home folder that is not in the data folder. */
static void test_home(void **state UNUSED)
{
	char dir[] = "/tmp/test-home-XXXXXX";
	const char *ssh;

	assert_non_null(mkdtemp(dir));
	setenv("HOME", dir, 1);
	ssh = below(dir, ".sshfoo");
	mkdir(ssh, 0700);
	put(below(ssh, "key"), "k");
	put(below(dir, ".envrc"), "k");
	put(below(dir, ".profile"), "p");
	mkdir(below(dir, "sub"), 0700);
	mkdir(below(dir, "sub/.ssh"), 0700);
	put(below(dir, "sub/.ssh/x"), "x");
	assert_string_equal(look(below(ssh, "key")), SENSITIVE);
	assert_string_equal(look(below(dir, ".envrc")), SENSITIVE);
	assert_string_equal(look(below(dir, "./sub/../.ssh/none")), SENSITIVE);
	assert_string_equal(look(below(dir, ".profile")), ".profile");
	assert_string_equal(look(below(dir, "sub/.ssh/x")), "x");
	assert_string_equal(look(dir), arena_printf(cx.arena, "Not a file: %s", dir));
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path of a million folders is refused as fast as any other. */
static void test_deep_path(void **state UNUSED)
{
	enum { DEPTH = 1000000 };
	char *path = arena_alloc(cx.arena, 2 * DEPTH + 5);
	clock_t start = clock();

	memcpy(path, "/tmp", 4);
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(path + 4 + 2 * i, "/a", 2);
	assert_true(text_starts(look(path), "File not found: /tmp/a/a"));
	memcpy(path, "/etc", 4);
	assert_true(text_starts(look(path), "Access denied"));
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

/* Links are followed before the rules are asked, and not when the file is opened. */
static void test_links(void **state UNUSED)
{
	char dir[] = "/tmp/test-links-XXXXXX";
	const char *roots[] = { NULL, NULL };
	const char *link, *file;

	assert_non_null(mkdtemp(dir));
	roots[0] = below(dir, "inside");
	mkdir(roots[0], 0700);
	file = below(dir, "inside/real.txt");
	put(file, "x");
	put(below(dir, "outside.txt"), "x");
	link = below(dir, "inside/link.txt");
	assert_int_equal(symlink(file, link), 0);
	assert_string_equal(look(link), "link.txt");
	assert_string_equal(look_in(link, roots), "link.txt");
	unlink(link);
	assert_int_equal(symlink("../outside.txt", link), 0);
	assert_string_equal(look_in(link, roots), "Access denied: path is outside the folders of this run");
	unlink(link);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	assert_string_equal(look(link), RESTRICTED);
	unlink(link);
	assert_int_equal(symlink(scratch, link), 0);
	assert_string_equal(look(below(link, DB_FILE)), RESTRICTED);
	unlink(link);
	assert_int_equal(symlink("link.txt", link), 0);
	assert_string_equal(look(link), arena_printf(cx.arena, "File not found: %s", link));
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void test_no_files(void **state UNUSED)
{
	char dir[] = "/tmp/test-files-XXXXXX";
	char *name = arena_alloc(cx.arena, 6001);

	assert_non_null(mkdtemp(dir));
	memset(name, 'n', 6000);
	memcpy(name, "/tmp/", 5);
	assert_int_equal(mkfifo(below(dir, "pipe"), 0600), 0);
	assert_string_equal(look("relative.txt"), "File not found: relative.txt");
	assert_string_equal(look("~/x"), "File not found: ~/x");
	assert_string_equal(look(""), "File not found: ");
	assert_string_equal(look("/tmp/none-of-that-name/x"), "File not found: /tmp/none-of-that-name/x");
	assert_string_equal(look(below(dir, "pipe")), arena_printf(cx.arena, "Not a file: %s/pipe", dir));
	assert_string_equal(look("/tmp"), "Not a file: /tmp");
	look(name);
	assert_string_equal(err_text(&cx.err), arena_printf(cx.arena, "File not found: %s", name));
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- copies ---- */

static enum rc take(const char *body, struct document_new *d)
{
	err_clear(&cx.err);
	return document_take(&cx, json(body), TYPES_OF_OPERATION, NULL, d);
}

static const char *body_for(const char *path, const char *more)
{
	return arena_printf(cx.arena, "{\"file_path\":\"%s\"%s}", path, more);
}

static void test_take(void **state UNUSED)
{
	char path[] = "/tmp/test-take-XXXXXX.MD";
	struct document_new d;

	assert_true(mkstemps(path, 3) >= 0);
	put(path, "text");
	assert_int_equal(take(body_for(path, ",\"taskId\":\"t\",\"metadata\":{\"b\":\"1\",\"a\":\"\xc3\xbc\"}"), &d),
	    RC_OK);
	assert_string_equal(d.mime, "text/markdown");
	assert_string_equal(d.filename, arena_printf(cx.arena, "%s.md", d.id));
	assert_int_equal(access(d.path, F_OK), 0);
	assert_string_equal(rows("SELECT task_id, project_id, direction, version, category, status, size FROM documents"),
	    "t|-|output|1|{\"b\":\"1\",\"a\":\"\xc3\xbc\"}|processing|4\n");
	/* Output documents of one name are counted; input ones are not. */
	assert_int_equal(take(body_for(path, ",\"taskId\":\"t\""), &d), RC_OK);
	assert_int_equal(take(body_for(path, ",\"projectId\":\"p\",\"taskId\":\"\""), &d), RC_OK);
	assert_int_equal(take(body_for(path, ",\"projectId\":\"p\",\"metadata\":{}"), &d), RC_OK);
	assert_int_equal(take(body_for(path, ",\"direction\":\"input\",\"projectId\":\"p\""), &d), RC_OK);
	assert_int_equal(take(body_for(path, ""), &d), RC_OK);
	assert_string_equal(rows("SELECT version, category, direction FROM documents ORDER BY rowid LIMIT 9 OFFSET 1"),
	    "2|-|output\n1|-|output\n2|-|output\n1|-|input\n1|-|output\n");
	assert_int_equal(take(body_for(path, ",\"taskId\":\"no\""), &d), RC_NOTFOUND);
	assert_string_equal(cx.err.msg, "Task not found");
	assert_int_equal(take(body_for(path, ",\"projectId\":\"no\""), &d), RC_NOTFOUND);
	assert_string_equal(cx.err.msg, "Project not found");
	assert_string_equal(rows("SELECT count(*) FROM documents"), "6\n");
	assert_string_equal(rows("SELECT DISTINCT kind, state FROM jobs"), "extract|ready\n");
	unlink(path);
}

/* ---- changes ---- */

static void add_document(const char *id, const char *category)
{
	const char *path = arena_printf(cx.arena, "%s/uploads/%s.txt", scratch, id);

	mkdir(below(scratch, "uploads"), 0700);
	put(path, "x");
	sql("INSERT INTO documents (id, filename, original_name, mime_type, size, storage_path, category, status, "
	    "created_at, updated_at) VALUES (?, ?, 'o', 'text/plain', 1, ?, ?, 'ready', 1, 1)",
	    id, arena_printf(cx.arena, "%s.txt", id), path, category, NULL);
}

static enum rc update(const char *id, const char *body)
{
	err_clear(&cx.err);
	return document_update(&cx, id, json(body), "Document not found");
}

static void test_metadata(void **state UNUSED)
{
	static const char *const CASES[][3] = {
		{ "{\"k\":\"old\",\"n\":1}", "{\"k\":\"new\",\"x\":\"y\"}", "{\"k\":\"new\",\"n\":1,\"x\":\"y\"}" },
		{ "plain label", "{\"a\":\"b\"}", "{\"a\":\"b\"}" },
		{ "[1,2]", "{\"a\":\"b\"}", "{\"a\":\"b\"}" },
		{ "\"text\"", "{}", "{}" },
		{ "{\"a\": \"\\u00fc\" }", "{}", "{\"a\":\"\xc3\xbc\"}" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++) {
		const char *id = arena_printf(cx.arena, "d%zu", i);

		add_document(id, CASES[i][0]);
		assert_int_equal(update(id, arena_printf(cx.arena, "{\"category\":\"lost\",\"metadata\":%s}",
					    CASES[i][1])), RC_OK);
		assert_string_equal(rows(arena_printf(cx.arena, "SELECT category FROM documents WHERE id = '%s'", id)),
		    arena_printf(cx.arena, "%s\n", CASES[i][2]));
	}
}

static void test_update(void **state UNUSED)
{
	add_document("d", "c");
	assert_int_equal(update("d", "{\"taskId\":\"t\",\"projectId\":\"p\"}"), RC_OK);
	assert_string_equal(rows("SELECT task_id, project_id, category, status FROM documents"), "t|p|c|ready\n");
	assert_int_equal(update("d", "{\"taskId\":null,\"category\":\"\"}"), RC_OK);
	assert_string_equal(rows("SELECT task_id, project_id, category, status FROM documents"), "-|p||ready\n");
	sql("UPDATE documents SET extracted_text = 'x', processing_error = 'y'", NULL);
	assert_int_equal(update("d", "{\"reprocess\":false}"), RC_OK);
	assert_string_equal(rows("SELECT status, extracted_text FROM documents"), "ready|x\n");
	assert_int_equal(update("d", "{\"reprocess\":true}"), RC_OK);
	assert_string_equal(rows("SELECT status, extracted_text, processing_error FROM documents"),
	    "processing|-|-\n");
	assert_int_equal(update("none", "{}"), RC_NOTFOUND);
	assert_int_equal(update("d", "{\"taskId\":\"none\",\"category\":\"z\"}"), RC_NOTFOUND);
	assert_string_equal(rows("SELECT category FROM documents"), "\n");
}

static void bind_everywhere(const char *id)
{
	sql("INSERT INTO project_document_defaults VALUES ('b', 'p', ?, 1)", id, NULL);
	sql("INSERT INTO workflows (id, name, definition, created_at, updated_at) VALUES ('w', 'W', '{}', 1, 1)", NULL);
	sql("INSERT INTO workflow_document_inputs (id, workflow_id, document_id, created_at) VALUES ('b', 'w', ?, 1)", id, NULL);
}

static void test_delete(void **state UNUSED)
{
	const char *path = below(scratch, "uploads/d.txt"), *thumb = below(scratch, "documents/thumbs/d.png");

	add_document("d", NULL);
	mkdir(below(scratch, "documents"), 0700);
	mkdir(below(scratch, "documents/thumbs"), 0700);
	put(thumb, "png");
	bind_everywhere("d");
	update("d", "{\"taskId\":\"t\"}");
	err_clear(&cx.err);
	assert_int_equal(document_delete(&cx, "d", false, "Document not found", "Sure?"), RC_CONFLICT);
	assert_string_equal(cx.err.msg, "Document is linked to task t. Sure?");
	assert_int_equal(access(path, F_OK), 0);
	err_clear(&cx.err);
	assert_int_equal(document_delete(&cx, "d", true, "Document not found", "Sure?"), RC_OK);
	assert_string_equal(rows("SELECT count(*) FROM documents"), "0\n");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(thumb, F_OK), -1);
	assert_int_equal(document_delete(&cx, "d", true, "Document not found", "Sure?"), RC_NOTFOUND);
}

static bool is_stored(const char *path, const char *text)
{
	char got[16] = "";
	int fd = store_open_file(&cx, path);

	if (fd < 0)
		return false;
	assert_true(read(fd, got, sizeof got - 1) >= 0);
	close(fd);
	return strcmp(got, text) == 0;
}

/* What rows say of the data folder may be of another time, or another name of it. */
static void test_stored_paths(void **state UNUSED)
{
	const char *alias = arena_printf(cx.arena, "%s-alias", scratch);

	mkdir(below(scratch, "uploads"), 0700);
	mkdir(below(scratch, "uploads/sub"), 0700);
	put(below(scratch, "uploads/sub/a.txt"), "a");
	assert_int_equal(symlink("/etc", below(scratch, "uploads/etc")), 0);
	assert_int_equal(symlink(scratch, alias), 0);
	assert_true(is_stored(below(scratch, "uploads/sub/a.txt"), "a"));
	assert_true(is_stored("/home/other/uploads/.stagent/uploads/sub/a.txt", "a"));
	assert_false(is_stored("/home/other/.stagent/uploads/b.txt", "a"));
	assert_false(is_stored(below(scratch, "uploads/etc/hostname"), ""));
	assert_false(is_stored(below(scratch, "uploads/sub"), ""));
	assert_false(is_stored(below(scratch, "uploads/../uploads/sub/a.txt"), "a"));
	assert_false(is_stored("/etc/hostname", ""));
	assert_false(is_stored("uploads", ""));
	conf.data_dir = arena_printf(cx.arena, "%s/", alias);
	assert_true(is_stored(below(scratch, "uploads/sub/a.txt"), "a"));
	assert_true(is_stored(below(alias, "uploads/sub/a.txt"), "a"));
	conf.data_dir = scratch;
	unlink(alias);
}

/* ---- uploads ---- */

static void test_stored_names(void **state UNUSED)
{
	static const char *const CASES[][2] = {
		{ "a.txt", "id.txt" }, { "A.TXT", "id.TXT" }, { "README", "id.README" }, { ".profile", "id.profile" },
		{ "name.", "id" }, { "", "id" }, { "a.b/c", "id.c" }, { "a.b\\c.d e", "id.de" }, { "x.\xc3\xbc", "id" },
		{ "x.tar.gz", "id.gz" }, { "x.a_b+c-d", "id.a_b+c-d" },
		{ "x.0123456789012345678901234567890123456789", "id.01234567890123456789012345678901" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(upload_stored_name(cx.arena, "id", CASES[i][0]), CASES[i][1]);
	assert_string_equal(upload_type("id.JPEG"), "image/jpeg");
	assert_string_equal(upload_type("id.webp"), "application/octet-stream");
	assert_string_equal(upload_type("id"), "application/octet-stream");
}

static bool opens(const char *id, const char *expected)
{
	const char *name = NULL;
	int fd = upload_open(&cx, id, &name);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && strcmp(name, expected) == 0;
}

static void test_open_upload(void **state UNUSED)
{
	assert_false(opens("abc", "abc"));
	add_document("abc", NULL);
	put(below(scratch, "uploads/rowless.md"), "x");
	put(below(scratch, "uploads/two.tar.gz"), "x");
	assert_int_equal(symlink("/etc/hostname", below(scratch, "uploads/link.txt")), 0);
	assert_true(opens("abc", "abc.txt"));
	assert_true(opens("abc.txt", "abc.txt"));
	assert_true(opens("rowless", "rowless.md"));
	assert_false(opens("ab", "abc.txt"));
	assert_false(opens("abc.tx", "abc.txt"));
	assert_true(opens("two", "two.tar.gz"));
	assert_false(opens("two.tar", "two.tar.gz"));
	assert_false(opens("link", "link.txt"));
	assert_false(opens("", ""));
	assert_false(opens(".", "."));
	assert_false(opens("../" DB_FILE, ""));
}

static void age(const char *path, int64_t seconds)
{
	const struct utimbuf t = { time(NULL) - seconds, time(NULL) - seconds };

	assert_int_equal(utime(path, &t), 0);
}

static void test_cleanup(void **state UNUSED)
{
	static const char *const OLD[] = { "kept.txt", "orphan.txt", "orphan2", ".new-temp", ".other" };
	struct buf b;
	struct jw w = jw_on(&b);
	json_t *got;

	buf_init(&b, 65536);
	assert_int_equal(upload_cleanup(&cx, &w), RC_OK);
	assert_string_equal(buf_text(&b), "{\"deleted\":[],\"errors\":[],\"skipped\":0}");
	add_document("kept", NULL);
	for (size_t i = 0; i < COUNT(OLD); i++) {
		const char *path = arena_printf(cx.arena, "%s/uploads/%s", scratch, OLD[i]);

		put(path, "x");
		age(path, DAY_S);
	}
	put(below(scratch, "uploads/young.txt"), "x");
	age(below(scratch, "uploads/young.txt"), DAY_S - 100);
	put(below(scratch, "uploads/.new-young"), "x");
	mkdir(below(scratch, "uploads/folder"), 0700);
	buf_clear(&b);
	w = jw_on(&b);
	assert_int_equal(upload_cleanup(&cx, &w), RC_OK);
	got = json(buf_text(&b));
	assert_int_equal(json_array_size(json_object_get(got, "deleted")), 4);
	assert_int_equal(json_num(got, "skipped", 0), 3);
	assert_int_equal(access(below(scratch, "uploads/kept.txt"), F_OK), 0);
	assert_int_equal(access(below(scratch, "uploads/orphan.txt"), F_OK), -1);
	assert_int_equal(access(below(scratch, "uploads/.new-temp"), F_OK), -1);
	assert_int_equal(access(below(scratch, "uploads/.other"), F_OK), -1);
	assert_int_equal(access(below(scratch, "uploads/.new-young"), F_OK), 0);
	buf_fini(&b);
}

/* ---- issues ---- */

static const char *issues(const struct shape *s, const char *body)
{
	err_clear(&cx.err);
	return issues_check(cx.arena, s, json(body), &cx.err) == RC_OK
	    ? "fine"
	    : cx.err.body + strlen("{\"error\":\"Invalid request body\",\"details\":");
}

static void test_issues(void **state UNUSED)
{
	assert_string_equal(issues(&SHAPE_DOCUMENT_CREATE, "{\"file_path\":\"/x\",\"other\":1}"), "fine");
	assert_string_equal(issues(&SHAPE_DOCUMENT_CREATE, "[]"),
	    "[{\"expected\":\"object\",\"code\":\"invalid_type\",\"path\":[],\"message\":\"Invalid input: expected object, "
	    "received array\"}]}");
	assert_string_equal(issues(&SHAPE_DOCUMENT_CREATE, "{\"direction\":1,\"file_path\":[]}"),
	    "[{\"expected\":\"string\",\"code\":\"invalid_type\",\"path\":[\"file_path\"],\"message\":\"Invalid input: expected "
	    "string, received array\"},{\"origin\":\"array\",\"code\":\"too_small\",\"minimum\":1,\"inclusive\":true,"
	    "\"path\":[\"file_path\"],\"message\":\"Too small: expected array to have >=1 items\"},{\"code\":\"invalid_value\","
	    "\"values\":[\"input\",\"output\"],\"path\":[\"direction\"],\"message\":\"Invalid option: expected one of "
	    "\\\"input\\\"|\\\"output\\\"\"}]}");
	assert_string_equal(issues(&SHAPE_DOCUMENT_UPDATE, "{\"taskId\":null,\"metadata\":{\"b\":1,\"a\":\"x\",\"c\":null},"
				   "\"reprocess\":\"yes\"}"),
	    "[{\"expected\":\"string\",\"code\":\"invalid_type\",\"path\":[\"metadata\",\"b\"],\"message\":\"Invalid input: expected "
	    "string, received number\"},{\"expected\":\"string\",\"code\":\"invalid_type\",\"path\":[\"metadata\",\"c\"],"
	    "\"message\":\"Invalid input: expected string, received null\"},{\"expected\":\"boolean\",\"code\":\"invalid_type\","
	    "\"path\":[\"reprocess\"],\"message\":\"Invalid input: expected boolean, received string\"}]}");
	assert_non_null(strstr(issues(&SHAPE_DOCUMENT_UPDATE, "{\"projectId\":\"x\"}"),
	    "\"code\":\"invalid_format\",\"format\":\"uuid\",\"pattern\":\"/^([0-9a-fA-F]{8}-"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_places),
		TEST(test_home),
		TEST(test_deep_path),
		TEST(test_links),
		TEST(test_no_files),
		TEST(test_take),
		TEST(test_metadata),
		TEST(test_update),
		TEST(test_delete),
		TEST(test_stored_paths),
		TEST(test_stored_names),
		TEST(test_open_upload),
		TEST(test_cleanup),
		TEST(test_issues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
