/* Office files: whatever a part or an archive holds, an extractor writes UTF-8 without zeros or fails
 * with words. The first byte says whether the rest is a part or the whole archive, and of what kind. */
#include <sys/mman.h>
#include <unistd.h>
#include <zip.h>

#include "core/buf.h"
#include "jobrunner/extract/extract_int.h"
#include "tests/fuzz/fuzz.h"

#define TEXT_MAX ((size_t)64 << 20)
#define S "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define RELATION(id, type, target)                                                                 \
	"<Relationship Id=\"" id "\" Type=\"" OFFICE "/" type "\" Target=\"" target "\"/>"

struct part {
	const char *name, *text;
};

static const struct part WORKBOOK[] = {
	{ "xl/workbook.xml",
	  "<workbook " S " xmlns:r=\"" OFFICE "\"><sheets><sheet name=\"S\" r:id=\"a\"/></sheets></workbook>" },
	{ "xl/_rels/workbook.xml.rels",
	  "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
	  RELATION("a", "worksheet", "s.xml") RELATION("b", "sharedStrings", "t.xml")
	  RELATION("c", "styles", "f.xml") "</Relationships>" },
	{ "xl/t.xml", "<sst " S "><si><t>shared</t></si></sst>" },
	{ "xl/f.xml", "<styleSheet " S "><cellXfs><xf/><xf numFmtId=\"14\"/></cellXfs></styleSheet>" },
};

/* Of each kind: the part that is replaced, and what else there is. */
static const struct {
	enum rc (*fn)(int fd, struct out *o, struct err *e);
	const char *name;
	const struct part *others;
	size_t n;
} KINDS[] = {
	{ extract_word, "word/document.xml", NULL, 0 },
	{ extract_slides, "ppt/slides/slide1.xml", NULL, 0 },
	{ extract_sheets, "xl/s.xml", WORKBOOK, COUNT(WORKBOOK) },
	{ extract_rows, "xl/s.xml", WORKBOOK, COUNT(WORKBOOK) },
	{ extract_sheets, "xl/workbook.xml", WORKBOOK + 1, COUNT(WORKBOOK) - 1 },
	{ extract_sheets, "xl/f.xml", WORKBOOK, COUNT(WORKBOOK) - 1 },
};

static bool keep(void *arg, const char *data, size_t n)
{
	buf_add(arg, data, n);
	return true;
}

static void add(zip_t *zip, const char *name, const void *data, size_t n)
{
	zip_int64_t i = zip_file_add(zip, name, zip_source_buffer(zip, data, n, 0), ZIP_FL_OVERWRITE);

	require(i >= 0 && zip_set_file_compression(zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) == 0);
}

/* Writes an archive with the part of KIND to FD. */
static void write_pack(int fd, size_t kind, const uint8_t *data, size_t size)
{
	zip_error_t problem;
	zip_source_t *whole = zip_source_buffer_create(NULL, 0, 0, &problem);
	zip_t *zip = zip_open_from_source(whole, ZIP_TRUNCATE, &problem);
	char block[65536];
	zip_int64_t n;

	require(zip != NULL);
	zip_source_keep(whole);
	for (size_t i = 0; i < KINDS[kind].n; i++)
		add(zip, KINDS[kind].others[i].name, KINDS[kind].others[i].text,
		    strlen(KINDS[kind].others[i].text));
	add(zip, KINDS[kind].name, data, size);
	require(zip_close(zip) == 0 && zip_source_open(whole) == 0);
	while ((n = zip_source_read(whole, block, sizeof block)) > 0)
		require(write(fd, block, (size_t)n) == n);
	zip_source_close(whole);
	zip_source_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct buf text;
	struct out o;
	size_t kind;
	int fd;

	if (!size)
		return 0;
	kind = data[0] % COUNT(KINDS);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (data[0] & 0x80)
		require(write(fd, data + 1, size - 1) == (ssize_t)size - 1);
	else
		write_pack(fd, kind, data + 1, size - 1);
	lseek(fd, 0, SEEK_SET);
	buf_init(&text, TEXT_MAX);
	out_init(&o, keep, &text);
	require((KINDS[kind].fn(fd, &o, &e) == RC_OK) == (e.rc == RC_OK));
	require(out_end(&o) && o.units <= EXTRACT_UNITS_MAX);
	require(!text.len || (text_is_utf8(text.data, text.len) && !memchr(text.data, 0, text.len)));
	require(e.rc == RC_OK || *e.msg);
	buf_fini(&text);
	close(fd);
	return 0;
}
