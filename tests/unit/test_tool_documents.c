/* The tools of documents: what they say, what they refuse, and whose files they take. */
#include "tests/unit/tool_case.h"

static char work[32];

/* A project, a task in it, and a folder that the run works in. */
static void begin(struct fixture *f)
{
	json_t *p = good(f, "create_project", "{\"name\":\"P\"}"), *t;

	f->env.project_id = json_str(p, "id");
	t = good(f, "create_task", "{\"title\":\"T\"}");
	f->env.task_id = json_str(t, "id");
	snprintf(work, sizeof work, "/tmp/test-work-XXXXXX");
	assert_non_null(mkdtemp(work));
	f->env.workdir = work;
}

static void end(struct fixture *f UNUSED)
{
	nftw(work, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_work(struct fixture *f, const char *name)
{
	return arena_printf(f->cx.arena, "%s/%s", work, name);
}

/* Brings in the file NAME of the work folder; its id. */
static const char *upload(struct fixture *f, const char *name, const char *more)
{
	write_file(in_work(f, name), "content");
	return json_str(good(f, "upload_document", arena_printf(f->cx.arena, "{\"file_path\":\"%s/%s\"%s}", work, name,
						       more)), "documentId");
}

/* What extraction would make of it. */
static void extracted(struct fixture *f, const char *id, const char *text)
{
	assert_int_equal(tx_begin(&f->cx), RC_OK);
	db_get_text(f->cx.db, f->cx.arena, Q_EXTRACT_DONE, "tttti", id, text, NULL, NULL, (int64_t)1);
	assert_int_equal(tx_end(&f->cx, RC_OK), RC_OK);
}

static const char *compact(struct fixture *f, const char *tool, const char *format, const char *id)
{
	return json_text(f->cx.arena, good(f, tool, with_id(f, format, id)));
}

static void uploads(void **state)
{
	struct fixture *f = *state;
	json_t *got;

	begin(f);
	write_file(in_work(f, "a.PY"), "print()");
	got = good(f, "upload_document", arena_printf(f->cx.arena, "{\"file_path\":\"%s/a.PY\",\"metadata\":{\"k\":\"v\"}}", work));
	assert_string_equal(json_str(got, "status"), "uploaded");
	assert_string_equal(json_str(got, "processingStatus"), "queued");
	assert_string_equal(json_str(got, "originalName"), "a.PY");
	assert_string_equal(json_str(got, "mimeType"), "text/x-python");
	assert_int_equal(json_num(got, "size", 0), 7);
	got = good(f, "get_document", with_id(f, "{\"documentId\":\"$\"}", json_str(got, "documentId")));
	assert_string_equal(json_str(got, "direction"), "output");
	assert_string_equal(json_str(got, "category"), "{\"k\":\"v\"}");
	assert_string_equal(json_str(got, "projectId"), f->env.project_id);
	assert_string_equal(json_str(got, "status"), "processing");
	end(f);
}

/* Only files of the run's folders, whatever else the rules of paths allow. */
static void foreign_files(void **state)
{
	struct fixture *f = *state;
	const char *outside = "Access denied: path is outside the folders of this run";
	char other[] = "/tmp/test-other-XXXXXX";
	const char *file, *link;

	begin(f);
	assert_non_null(mkdtemp(other));
	file = arena_printf(f->cx.arena, "%s/x.txt", other);
	link = in_work(f, "link.txt");
	write_file(file, "x");
	assert_int_equal(symlink(file, link), 0);
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$\"}", file), outside);
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$\"}", link), outside);
	bad(f, "upload_document", "{\"file_path\":\"/etc/passwd\"}",
	    "Access denied: path points to a restricted system directory");
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$\"}", below(f, DB_FILE)),
	    "Access denied: path points to a restricted system directory");
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$\"}", work), arena_printf(f->cx.arena, "Not a file: %s", work));
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$/none\"}", work),
	    arena_printf(f->cx.arena, "File not found: %s/none", work));
	write_file(in_work(f, "y.txt"), "y");
	bad(f, "upload_document", with_id(f, "{\"file_path\":\"$/y.txt\",\"taskId\":\"none\"}", work), "Task not found");
	nftw(other, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	end(f);
}

static void lists(void **state)
{
	struct fixture *f = *state;
	const char *a, *b;

	begin(f);
	a = upload(f, "a.txt", "");
	b = upload(f, "b.txt", arena_printf(f->cx.arena, ",\"projectId\":\"\",\"taskId\":\"%s\",\"direction\":\"input\"", f->env.task_id));
	assert_int_equal(json_array_size(good(f, "list_documents", "{}")), 1);
	assert_int_equal(json_array_size(good(f, "list_documents", "{\"projectId\":\"\"}")), 2);
	assert_int_equal(json_array_size(good(f, "list_documents", "{\"projectId\":\"\",\"direction\":\"input\"}")), 1);
	assert_int_equal(json_array_size(good(f, "list_documents", "{\"status\":\"ready\"}")), 0);
	assert_int_equal(json_array_size(good(f, "find_related_documents", "{}")), 0);
	extracted(f, a, "text");
	assert_int_equal(json_array_size(good(f, "find_related_documents", "{\"query\":\"A.T\"}")), 1);
	assert_int_equal(json_array_size(good(f, "find_related_documents", "{\"query\":\"_.txt\"}")), 0);
	assert_int_equal(json_array_size(good(f, "find_related_documents", "{\"sourceWorkflowId\":\"w\"}")), 0);
	f->env.project_id = NULL;
	bad(f, "find_related_documents", "{}",
	    "No project context \xe2\x80\x94 specify a projectId or set an active project");
	bad(f, "get_document", "{\"documentId\":\"no\"}", "Document not found: no");
	assert_true(a && b);
	end(f);
}

static void contents(void **state)
{
	struct fixture *f = *state;
	const char *id;

	begin(f);
	id = upload(f, "a.txt", "");
	bad(f, "read_document_content", with_id(f, "{\"documentId\":\"$\"}", id),
	    "Document not ready (status: processing). Wait for preprocessing to complete.");
	extracted(f, id, "");
	extracted(f, id, NULL);
	bad(f, "update_document", "{\"documentId\":\"no\"}", "Document not found: no");
	assert_string_equal(compact(f, "update_document", "{\"documentId\":\"$\",\"reprocess\":true}", id),
	    arena_printf(f->cx.arena, "{\"documentId\":\"%s\",\"updatedFields\":[\"processingStatus\"],"
				      "\"processingStatus\":\"queued\"}", id));
	extracted(f, id, NULL);
	bad(f, "read_document_content", with_id(f, "{\"documentId\":\"$\"}", id),
	    "No extracted text available for this document.");
	good(f, "update_document", with_id(f, "{\"documentId\":\"$\",\"reprocess\":true}", id));
	extracted(f, id, "a\xf0\x9f\x98\x80\xc3\xbc z");
	assert_string_equal(compact(f, "read_document_content", "{\"documentId\":\"$\"}", id),
	    arena_printf(f->cx.arena, "{\"documentId\":\"%s\",\"originalName\":\"a.txt\",\"content\":\"a\xf0\x9f\x98\x80\xc3\xbc z\","
				      "\"totalLength\":6}", id));
	assert_string_equal(json_str(good(f, "read_document_content", with_id(f, "{\"documentId\":\"$\",\"offset\":3,\"limit\":2}", id)),
				"content"), "\xc3\xbc ");
	assert_string_equal(json_str(good(f, "read_document_content", with_id(f, "{\"documentId\":\"$\",\"offset\":99}", id)),
				"content"), "");
	assert_string_equal(compact(f, "update_document", "{\"documentId\":\"$\",\"metadata\":{}}", id),
	    arena_printf(f->cx.arena, "{\"documentId\":\"%s\",\"updatedFields\":[\"metadata\"],"
				      "\"processingStatus\":\"ready\"}", id));
	end(f);
}

static void deletion(void **state)
{
	struct fixture *f = *state;
	const char *id, *linked;

	begin(f);
	id = upload(f, "a.txt", "");
	linked = upload(f, "b.txt", arena_printf(f->cx.arena, ",\"taskId\":\"%s\"", f->env.task_id));
	assert_string_equal(compact(f, "delete_document", "{\"documentId\":\"$\"}", id),
	    "{\"success\":true,\"message\":\"Document deleted.\"}");
	bad(f, "delete_document", with_id(f, "{\"documentId\":\"$\"}", id), arena_printf(f->cx.arena, "Document not found: %s", id));
	bad(f, "delete_document", with_id(f, "{\"documentId\":\"$\"}", linked),
	    arena_printf(f->cx.arena, "Document is linked to task %s. Set cascadeDelete to true to confirm deletion.",
		f->env.task_id));
	assert_string_equal(compact(f, "delete_document", "{\"documentId\":\"$\",\"cascadeDelete\":true}", linked),
	    arena_printf(f->cx.arena, "{\"success\":true,\"message\":\"Document deleted. Task link removed: %s\"}",
		f->env.task_id));
	assert_int_equal(access(arena_printf(f->cx.arena, "%s/uploads/%s.txt", f->dir, linked), F_OK), -1);
	end(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(uploads),
		TEST(foreign_files),
		TEST(lists),
		TEST(contents),
		TEST(deletion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
