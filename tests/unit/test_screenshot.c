/* Screenshots: files, thumbnail and row of real images, and what becomes of bad ones. */
#include "tests/unit/db_case.h"

#include <dirent.h>
#include <gd.h>

#include "core/base64.h"
#include "jobrunner/picture.h"
#include "jobrunner/screenshot.h"

#define TOOL "mcp__playwright__browser_take_screenshot"
#define DOCUMENTS                                                                              \
	"SELECT id, task_id, project_id, conversation_id, message_id, filename, original_name, " \
	"mime_type, size, storage_path, version, direction, category, status, source, "         \
	"extracted_text, processed_path FROM documents"
#define IHDR_AT 16

struct image {
	unsigned char *data;
	size_t n;
};

static int set_up(void **state UNUSED)
{
	set_up_db();
	sql("INSERT INTO projects (id, name, created_at, updated_at) VALUES ('p', 'P', 1, 1)",
	    NULL);
	sql("INSERT INTO tasks (id, project_id, title, created_at, updated_at) "
	    "VALUES ('t', 'p', 'T', 1, 1)",
	    NULL);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	return tear_down_db();
}

static struct image keep(void *data, int n)
{
	struct image out = { arena_alloc(cx.arena, (size_t)n), (size_t)n };

	assert_non_null(data);
	memcpy(out.data, data, out.n);
	gdFree(data);
	return out;
}

/* A PNG with a pattern; it lives in the arena. */
static struct image png(int w, int h, bool palette)
{
	gdImagePtr im = palette ? gdImageCreate(w, h) : gdImageCreateTrueColor(w, h);
	struct image out;
	void *data;
	int n;

	for (int i = 0; palette && i < 200; i++)
		gdImageColorAllocate(im, i, 255 - i, i / 2);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			gdImageSetPixel(im, x, y,
			    palette ? (x ^ y) % 200 : gdTrueColor(x % 256, y % 256, (x * y) % 256));
	data = gdImagePngPtr(im, &n);
	out = keep(data, n);
	gdImageDestroy(im);
	return out;
}

static struct image jpeg(int w, int h)
{
	gdImagePtr im = gdImageCreateTrueColor(w, h);
	struct image out;
	void *data;
	int n;

	gdImageFilledRectangle(im, 0, 0, w - 1, h - 1, gdTrueColor(200, 100, 50));
	gdImageInterlace(im, 1);
	data = gdImageJpegPtr(im, &n, 90);
	out = keep(data, n);
	gdImageDestroy(im);
	return out;
}

static enum rc store(struct image im, struct screenshot *s)
{
	const char *text = base64_encode(cx.arena, im.data, im.n);
	struct err e = { 0 };

	return screenshot_store(&cx, text, strlen(text), s, &e);
}

static struct image read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct image out = { arena_alloc(cx.arena, 1 << 20), 0 };

	assert_non_null(f);
	out.n = fread(out.data, 1, 1 << 20, f);
	fclose(f);
	return out;
}

static size_t files(void)
{
	DIR *d = opendir(arena_printf(cx.arena, "%s/screenshots", scratch));
	struct dirent *e;
	size_t n = 0;

	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	if (d)
		closedir(d);
	return n;
}

static void check_thumbnail(const struct screenshot *s, uint32_t width, uint32_t height)
{
	struct image im = read_file(s->thumbnail);
	gdImagePtr shown = gdImageCreateFromPngPtr((int)im.n, im.data);
	struct picture p;

	assert_true(picture_read(im.data, im.n, &p));
	assert_int_equal(p.kind, PICTURE_PNG);
	assert_int_equal(p.width, width);
	assert_int_equal(p.height, height);
	assert_non_null(shown);
	gdImageDestroy(shown);
}

static void test_store(void **state UNUSED)
{
	static const struct {
		int w, h;
		bool palette;
		uint32_t to_w, to_h;
	} V[] = {
		{ 1600, 900, false, 800, 450 },
		{ 801, 3, true, 800, 3 },
		{ 5000, 1, false, 800, 1 },
		{ 800, 600, false, 800, 600 },
		{ 1, 1, true, 1, 1 },
		{ 40, 3000, false, 40, 3000 },
	};

	for (size_t i = 0; i < COUNT(V); i++) {
		struct image im = png(V[i].w, V[i].h, V[i].palette), kept;
		struct screenshot s;

		assert_int_equal(store(im, &s), RC_OK);
		assert_int_equal(s.width, V[i].w);
		assert_int_equal(s.height, V[i].h);
		assert_int_equal(s.size, im.n);
		kept = read_file(s.path);
		assert_int_equal(kept.n, im.n);
		assert_memory_equal(kept.data, im.data, im.n);
		check_thumbnail(&s, V[i].to_w, V[i].to_h);
		assert_int_equal(files(), 2);
		screenshot_discard(&s);
		assert_int_equal(files(), 0);
	}
}

/* What was opaque stays so, and what was not, too. */
static void test_transparency(void **state UNUSED)
{
	gdImagePtr im = gdImageCreateTrueColor(1600, 10), small;
	unsigned char *data, *thumb;
	struct picture p;
	size_t size;
	int n;

	gdImageAlphaBlending(im, 0);
	gdImageSaveAlpha(im, 1);
	gdImageFilledRectangle(im, 0, 0, 799, 9, gdTrueColorAlpha(255, 0, 0, 0));
	gdImageFilledRectangle(im, 800, 0, 1599, 9, gdTrueColorAlpha(0, 0, 255, gdAlphaTransparent));
	data = gdImagePngPtr(im, &n);
	assert_true(picture_read(data, (size_t)n, &p));
	thumb = picture_thumbnail(&p, &size);
	assert_non_null(thumb);
	small = gdImageCreateFromPngPtr((int)size, thumb);
	assert_int_equal(gdImageGetTrueColorPixel(small, 100, 2), gdTrueColor(255, 0, 0));
	assert_int_equal(gdTrueColorGetAlpha(gdImageGetTrueColorPixel(small, 700, 2)),
	    gdAlphaTransparent);
	gdImageDestroy(im);
	gdImageDestroy(small);
	gdFree(data);
	picture_free(thumb);
}

static void test_row(void **state UNUSED)
{
	struct screenshot_owner of = { .task_id = "t", .project_id = "p" };
	struct image im = png(900, 30, false);
	struct screenshot s;
	struct stat st;

	assert_int_equal(store(im, &s), RC_OK);
	assert_int_equal(stat(s.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(tx_begin(&cx), RC_OK);
	screenshot_register(&cx, &s, &of);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	assert_string_equal(rows(DOCUMENTS),
	    arena_printf(cx.arena,
		"%s|t|p|-|-|%s.png|screenshot-%.8s.png|image/png|%zu|%s/screenshots/%s.png|1|output|"
		"screenshot|ready|screenshot|Image: 900x30\nFormat: png|"
		"%s/screenshots/%s_thumb.png\n",
		s.id, s.id, s.id, im.n, scratch, s.id, scratch, s.id));
	assert_string_equal(screenshot_payload(cx.arena, &s, TOOL),
	    arena_printf(cx.arena,
		"{\"documentId\":\"%s\",\"thumbnailUrl\":\"/api/documents/%s/file?inline=1&thumb=1\","
		"\"toolName\":\"" TOOL "\"}",
		s.id, s.id));
}

static void test_no_thumbnail(void **state UNUSED)
{
	struct screenshot_owner of = { .task_id = "t" };
	struct image whole = png(300, 200, false), cut = { whole.data, 24 };
	struct screenshot s;

	assert_int_equal(store(cut, &s), RC_OK);
	assert_null(s.thumbnail);
	assert_int_equal(s.width, 300);
	assert_int_equal(s.height, 200);
	assert_int_equal(files(), 1);
	assert_int_equal(tx_begin(&cx), RC_OK);
	screenshot_register(&cx, &s, &of);
	assert_int_equal(tx_end(&cx, RC_OK), RC_OK);
	assert_string_equal(rows("SELECT processed_path, project_id, size FROM documents"), "-|-|24\n");
	whole.n /= 2;
	assert_int_equal(store(whole, &s), RC_OK);
	assert_null(s.thumbnail);
}

/* What Claude Code makes of a large screenshot. */
static void test_jpeg(void **state UNUSED)
{
	struct image im = jpeg(1600, 900), kept, bad;
	struct screenshot s;
	struct picture p;
	gdImagePtr shown;
	int pixel;

	assert_int_equal(store(im, &s), RC_OK);
	kept = read_file(s.path);
	assert_true(picture_read(kept.data, kept.n, &p));
	assert_int_equal(p.kind, PICTURE_PNG);
	assert_int_equal(p.width, 1600);
	assert_int_equal(p.height, 900);
	assert_int_equal(s.size, kept.n);
	assert_int_equal(s.width, 1600);
	check_thumbnail(&s, 800, 450);
	shown = gdImageCreateFromPngPtr((int)kept.n, kept.data);
	pixel = gdImageGetTrueColorPixel(shown, 800, 450);
	assert_in_range(gdTrueColorGetRed(pixel), 195, 205);
	assert_in_range(gdTrueColorGetBlue(pixel), 45, 55);
	gdImageDestroy(shown);
	screenshot_discard(&s);
	im = jpeg(64, 48);
	for (size_t n = 0; n < im.n; n++) {
		bad = (struct image){ im.data, n };
		if (store(bad, &s) == RC_OK)
			screenshot_discard(&s);
	}
	assert_int_equal(files(), 0);
}

/* Scans over and over, each of them over a large picture. */
static void test_jpeg_scans(void **state UNUSED)
{
	struct image im = jpeg(64, 64), many;
	struct screenshot s;
	size_t n = im.n;

	many = (struct image){ arena_alloc(cx.arena, im.n + 3000), im.n + 3000 };
	memcpy(many.data, im.data, im.n);
	for (; n < many.n; n += 2)
		memcpy(many.data + n, "\xff\xda", 2);
	assert_int_equal(store(many, &s), RC_INVALID);
	assert_int_equal(files(), 0);
}

static void test_refused(void **state UNUSED)
{
	struct image im = png(30, 20, false);
	char *large = arena_alloc(cx.arena, SCREENSHOT_BASE64_MAX + 5);
	struct screenshot s;
	struct err e = { 0 };

	im.n = 23;
	assert_int_equal(store(im, &s), RC_INVALID);
	im.n = 0;
	assert_int_equal(store(im, &s), RC_INVALID);
	im.n = 24;
	memset(im.data + IHDR_AT, 0, 4);
	assert_int_equal(store(im, &s), RC_INVALID);
	im.data[IHDR_AT] = 0xff;
	assert_int_equal(store(im, &s), RC_INVALID);
	im.data[0] = 'x';
	assert_int_equal(store(im, &s), RC_INVALID);
	assert_int_equal(screenshot_store(&cx, "no base64!!!", 12, &s, &e), RC_INVALID);
	memset(large, 'A', SCREENSHOT_BASE64_MAX + 4);
	err_clear(&e);
	assert_int_equal(
	    screenshot_store(&cx, large, SCREENSHOT_BASE64_MAX + 4, &s, &e), RC_INVALID);
	assert_string_equal(e.msg, "larger than 20971520 characters");
	err_clear(&e);
	assert_int_equal(screenshot_store(&cx, large, SCREENSHOT_BASE64_MAX, &s, &e), RC_INVALID);
	assert_string_equal(e.msg, "not a PNG or JPEG image");
	assert_int_equal(files(), 0);
}

/* As large as may be. */
static void test_largest(void **state UNUSED)
{
	struct image im = png(30, 20, false);
	unsigned char *data = arena_alloc(cx.arena, SCREENSHOT_BASE64_MAX / 4 * 3);
	struct arena *first = cx.arena, *second = arena_new(ARENA_REQUEST_MAX * 2);
	struct screenshot s;

	memcpy(data, im.data, im.n);
	memset(data + im.n, 'x', SCREENSHOT_BASE64_MAX / 4 * 3 - im.n);
	im = (struct image){ data, SCREENSHOT_BASE64_MAX / 4 * 3 };
	cx.arena = second;
	assert_int_equal(store(im, &s), RC_OK);
	assert_int_equal(s.size, im.n);
	check_thumbnail(&s, 30, 20);
	cx.arena = first;
	arena_free(second);
}

/* A header that promises more than is decoded; nothing is, whatever follows. */
static void test_bomb(void **state UNUSED)
{
	struct image im = png(8000, 8001, true);
	struct screenshot s;

	assert_int_equal(store(im, &s), RC_OK);
	assert_null(s.thumbnail);
	assert_int_equal(s.height, 8001);
	memcpy(im.data + IHDR_AT, "\x7f\xff\xff\xff\x7f\xff\xff\xff", 8);
	assert_int_equal(store(im, &s), RC_OK);
	assert_null(s.thumbnail);
}

static bool has_thumbnail(const unsigned char *data, size_t n)
{
	struct picture p;
	size_t size;
	unsigned char *thumb = picture_read(data, n, &p) ? picture_thumbnail(&p, &size) : NULL;

	if (thumb)
		picture_free(thumb);
	return thumb != NULL;
}

/* Whatever is wrong inside, it is a thumbnail or none. */
static void test_broken(void **state UNUSED)
{
	struct image im = png(60, 40, false);
	unsigned char *copy = arena_alloc(cx.arena, im.n);
	unsigned number = 1;
	int made = 0;

	assert_true(has_thumbnail(im.data, im.n));
	for (size_t n = 0; n < im.n - 12; n += n < 200 ? 1 : 97)
		assert_false(has_thumbnail(im.data, n));
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, im.data, im.n);
		for (int k = 0; k < 4; k++) {
			number = number * 1103515245u + 12345u;
			copy[24 + (number >> 8) % (im.n - 24)] ^= (unsigned char)(number >> 3 | 1);
		}
		made += has_thumbnail(copy, im.n);
	}
	assert_in_range(made, 0, 300);
}

/* What is not the picture is not looked at: here an unknown chunk with a wrong checksum, many times,
 * between the header and the rest, and again behind the end. */
static void test_other_chunks(void **state UNUSED)
{
	static const unsigned char CHUNK[] = { 0, 0, 0, 1, 'z', 'T', 'X', 't', 'x', 1, 2, 3, 4 };
	struct image im = png(60, 40, true);
	size_t header = 33, n = im.n + 2000 * sizeof CHUNK, at = header;
	unsigned char *data = arena_alloc(cx.arena, n);

	memcpy(data, im.data, header);
	for (int i = 0; i < 1000; i++, at += sizeof CHUNK)
		memcpy(data + at, CHUNK, sizeof CHUNK);
	memcpy(data + at, im.data + header, im.n - header);
	at += im.n - header;
	for (int i = 0; i < 1000; i++, at += sizeof CHUNK)
		memcpy(data + at, CHUNK, sizeof CHUNK);
	assert_int_equal(at, n);
	assert_true(has_thumbnail(data, n));
}

static void test_no_folder(void **state UNUSED)
{
	struct screenshot s;
	struct conf other = { .data_dir = "/proc/none" }; /* nobody can make a folder there */

	cx.conf = &other;
	assert_int_equal(store(png(30, 20, false), &s), RC_IO);
	cx.conf = &conf;
}

static void test_tools(void **state UNUSED)
{
	assert_true(screenshot_is_tool(TOOL));
	assert_true(screenshot_is_tool("mcp__chrome-devtools__take_screenshot"));
	assert_false(screenshot_is_tool("mcp__playwright__browser_click"));
	assert_false(screenshot_is_tool("browser_take_screenshot"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store, set_up, tear_down),
		cmocka_unit_test(test_transparency),
		cmocka_unit_test_setup_teardown(test_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_thumbnail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jpeg, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_jpeg_scans, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_largest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bomb, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_chunks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
		cmocka_unit_test(test_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
