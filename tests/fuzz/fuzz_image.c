/* Images and texts: what has a header has a format; the text is UTF-8 without zeros; and repairing it
 * again changes nothing. */
#include <sys/mman.h>
#include <unistd.h>

#include "core/buf.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/image.h"
#include "tests/fuzz/fuzz.h"

static bool keep(void *arg, const char *data, size_t n)
{
	buf_add(arg, data, n);
	return true;
}

static void extract(enum rc (*fn)(int fd, struct out *o, struct err *e), const uint8_t *data,
    size_t size, struct buf *text, struct err *e)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct out o;

	require(write(fd, data, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	out_init(&o, keep, text);
	require((fn(fd, &o, e) == RC_OK) == (e->rc == RC_OK));
	require(out_end(&o));
	require(!text->len || (text_is_utf8(text->data, text->len) && !memchr(text->data, 0, text->len)));
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text, again;
	struct image im;
	struct err e = { 0 };

	buf_init(&text, 4 * size + 1024);
	buf_init(&again, 4 * size + 1024);
	extract(extract_image, data, size, &text, &e);
	require((e.rc == RC_OK) == (size && image_read(data, size, &im)));
	err_clear(&e);
	buf_clear(&text);
	extract(extract_plain, data, size, &text, &e);
	require(e.rc == RC_OK);
	text_repair(&again, buf_text(&text), text.len);
	require(again.len == text.len && (!text.len || memcmp(again.data, text.data, text.len) == 0));
	buf_fini(&text);
	buf_fini(&again);
	return 0;
}
