/* Spreadsheets: every kind of cell, merged areas, order of sheets, and files that are wrong. */
#include "tests/unit/pack_case.h"

#include "core/text.h"
#include "jobrunner/extract/xlsx.h"

#define MAIN "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define STRICT_MAIN "xmlns=\"http://purl.oclc.org/ooxml/spreadsheetml/main\""
#define REL "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
#define RELATIONS(more)                                                                            \
	"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" more \
	"</Relationships>"
#define RELATION(id, type, target)                                                                 \
	"<Relationship Id=\"" id "\" Type=\"" REL "/" type "\" Target=\"" target "\"/>"
#define WORKBOOK(more, sheets)                                                                     \
	"<workbook " MAIN " xmlns:r=\"" REL "\">" more "<sheets>" sheets "</sheets></workbook>"
#define SHEET(rows) "<worksheet " MAIN "><sheetData>" rows "</sheetData></worksheet>"
#define BOOK_RELATIONS                                                                             \
	{ "xl/_rels/workbook.xml.rels",                                                            \
	  RELATIONS(RELATION("r1", "worksheet", "worksheets/sheet1.xml")                           \
		    RELATION("r2", "sharedStrings", "/xl/sharedStrings.xml")                       \
		    RELATION("r3", "styles", "../xl/./styles.xml")), 0 }
#define ONE_SHEET { "xl/workbook.xml", WORKBOOK("", "<sheet name=\"S\" r:id=\"r1\"/>"), 0 }
#define END { NULL, NULL, 0 }

static struct buf out;
static struct err err;

static bool show(void *arg UNUSED, uint32_t number, const struct xlsx_cell *cells, size_t n)
{
	static const char MARK[] = ".?ntbde";
	char room[NUM_TEXT_SIZE];
	size_t len;

	assert_true(n > 0 && cells[n - 1].type != XLSX_NONE);
	buf_printf(&out, "%u:", number);
	for (size_t i = 0; i < n; i++) {
		const char *text = xlsx_text(&cells[i], ' ', room, &len);

		buf_printf(&out, " %c(%.*s)", MARK[cells[i].type], (int)len, text);
	}
	buf_char(&out, '\n');
	return true;
}

/* All sheets of the archive of PARTS as a text, or the words of the error. */
static const char *read_all(const struct part *parts)
{
	int fd = make_pack(parts);
	struct xlsx *x;
	enum rc rc = RC_OK;

	err_clear(&err);
	buf_clear(&out);
	x = xlsx_open(fd, NULL, &err);
	close(fd);
	for (size_t i = 0; x && rc == RC_OK && i < xlsx_sheets(x); i++) {
		buf_printf(&out, "[%s]\n", xlsx_sheet_name(x, i));
		rc = xlsx_read(x, i, show, NULL, &err);
	}
	xlsx_close(x);
	return err.rc == RC_OK ? buf_text(&out) : err.msg;
}

/* The one sheet with ROWS as a text. */
static const char *read_sheet(const char *sheet)
{
	const struct part parts[] = {
		ONE_SHEET, BOOK_RELATIONS,
		{ "xl/sharedStrings.xml",
		  "<sst " MAIN "><si><t>plain</t></si><si><r><t xml:space=\"preserve\">rich </t></r>"
		  "<r><rPr><b/></rPr><t>text</t></r><rPh sb=\"0\" eb=\"1\"><t>hint</t></rPh></si>"
		  "<si><t></t></si><si><t>a_x000D_b_x005F_x0041_ &lt;_xD83D__xDE00_</t></si></sst>", 0 },
		{ "xl/styles.xml",
		  "<styleSheet " MAIN "><numFmts><numFmt numFmtId=\"164\" formatCode=\"YYYY\\-MM\"/>"
		  "<numFmt numFmtId=\"165\" formatCode=\"0.00&quot; days&quot;[$-ds]\\d_y\"/></numFmts>"
		  "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf numFmtId=\"0\"/>"
		  "<xf numFmtId=\"14\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/>"
		  "<xf numFmtId=\"46\"/><xf numFmtId=\"37\"/></cellXfs></styleSheet>", 0 },
		{ "xl/worksheets/sheet1.xml", sheet, 0 }, END };

	return read_all(parts);
}

#define assert_rows(rows, expected) assert_string_equal(read_sheet(SHEET(rows)), "[S]\n" expected)

static void test_kinds(void **state UNUSED)
{
	assert_rows("<row><c t=\"s\"><v>0</v></c><c t=\"s\"><v>1</v></c><c t=\"s\"><v>2</v></c>"
		    "<c t=\"s\"><v>3</v></c></row>",
	    "1: t(plain) t(rich text) t() t(a\rb_x0041_ <\xf0\x9f\x98\x80)\n");
	assert_rows("<row r=\"3\"><c r=\"B3\"><v>1.50</v></c><c r=\"D3\" t=\"b\"><v>1</v></c>"
		    "<c t=\"b\"><v>0</v></c><c t=\"e\"><v>#DIV/0!</v></c></row>",
	    "3: .() n(1.5) .() b(true) b(false) e(#DIV/0!)\n");
	assert_rows("<row><c><v> 1E3 </v></c><c><v>0.30000000000000004</v></c><c><v>1e21</v></c>"
		    "<c><v>-0</v></c><c><v>1e999</v></c><c><v>0x10</v></c></row>",
	    "1: n(1000) n(0.30000000000000004) n(1e+21) n(0) t(1e999) t(0x10)\n");
	assert_rows("<row><c t=\"inlineStr\"><is><r><t>in</t></r><r><t>line</t></r></is></c>"
		    "<c t=\"inlineStr\"><is><t/></is></c><c t=\"str\"><v>s&amp;t</v></c><c><v/></c></row>",
	    "1: t(inline) t() t(s&t)\n");
	assert_rows("<row><c><f>A2</f><v>7</v></c><c t=\"str\"><f>B2</f><v></v></c><c><f>C2</f></c>"
		    "<c/></row><row/><row><c/></row><row><c><v>1</v></c></row>",
	    "1: n(7) t() ?()\n4: n(1)\n");
}

static void test_dates(void **state UNUSED)
{
	assert_rows("<row><c s=\"1\"><v>46118</v></c><c s=\"2\"><v>46118.562673611115</v></c>"
		    "<c s=\"3\"><v>46118</v></c><c s=\"4\"><v>0.5</v></c><c s=\"5\"><v>1</v></c>"
		    "<c s=\"99\"><v>1</v></c><c s=\"1\" t=\"s\"><v>0</v></c></row>",
	    "1: d(2026-04-06) d(2026-04-06 13:30:15) n(46118) d(1899-12-30 12:00:00) n(1) n(1) "
	    "t(plain)\n");
	assert_rows("<row><c s=\"1\"><v>46118.9999999</v></c><c s=\"1\"><v>99999999</v></c>"
		    "<c s=\"1\"><v>-1</v></c><c t=\"d\"><v>2026-02-03T04:05:06</v></c>"
		    "<c t=\"d\"><v>soon</v></c></row>",
	    "1: d(2026-04-07) n(99999999) d(1899-12-29) d(2026-02-03 04:05:06) t(soon)\n");
}

static void test_1904(void **state UNUSED)
{
	const struct part parts[] = {
		{ "xl/workbook.xml",
		  WORKBOOK("<workbookPr date1904=\"true\"/>", "<sheet name=\"S\" r:id=\"r1\"/>"), 0 },
		BOOK_RELATIONS,
		{ "xl/styles.xml",
		  "<styleSheet " MAIN "><cellXfs><xf numFmtId=\"22\"/></cellXfs></styleSheet>", 0 },
		{ "xl/worksheets/sheet1.xml", SHEET("<row><c><v>0</v></c><c><v>1.25</v></c></row>"), 0 },
		END };

	assert_string_equal(read_all(parts), "[S]\n1: d(1904-01-01) d(1904-01-02 06:00:00)\n");
}

#define MERGED(rows, areas)                                                                        \
	"<worksheet " MAIN "><sheetData>" rows "</sheetData><mergeCells>" areas "</mergeCells></worksheet>"

static void test_merged(void **state UNUSED)
{
	assert_string_equal(read_sheet(MERGED("<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>x</t></is>"
					      "</c><c r=\"B2\"><v>9</v></c></row>"
					      "<row r=\"6\"><c r=\"C6\"><v>1</v></c></row>",
				"<mergeCell ref=\"A2:B4\"/>")),
	    "[S]\n2: t(x) t(x)\n3: t(x) t(x)\n4: t(x) t(x)\n6: .() .() n(1)\n");
	/* Its own cell has no value: neither have the others. */
	assert_string_equal(read_sheet(MERGED("<row><c r=\"B1\"><v>9</v></c></row>",
				"<mergeCell ref=\"A1:B3\"/><mergeCell ref=\"oops\"/>")),
	    "[S]\n");
	assert_string_equal(read_sheet(MERGED("<row><c/><c><v>1</v></c></row>",
				"<mergeCell ref=\"B1:C2\"/><mergeCell ref=\"E1:F1\"/>")),
	    "[S]\n1: .() n(1) n(1)\n2: .() n(1) n(1)\n");
}

static void test_order(void **state UNUSED)
{
	const struct part parts[] = {
		{ "_rels/.rels", RELATIONS(RELATION("a", "officeDocument", "/book/main.xml")), 0 },
		{ "book/main.xml",
		  "<x:workbook xmlns:x=\"http://purl.oclc.org/ooxml/spreadsheetml/main\" "
		  "xmlns:rr=\"http://purl.oclc.org/ooxml/officeDocument/relationships\"><x:sheets>"
		  "<x:sheet name=\"B &amp; &lt;\" state=\"hidden\" rr:id=\"two\"/>"
		  "<x:sheet name=\"Chart\" rr:id=\"chart\"/>"
		  "<x:sheet name=\"A\" rr:id=\"one\"/></x:sheets></x:workbook>", 0 },
		{ "book/_rels/main.xml.rels",
		  RELATIONS(RELATION("one", "worksheet", "s/1.xml") RELATION("chart", "chartsheet", "c.xml")
			    RELATION("two", "worksheet", "/other/2.xml")), 0 },
		{ "book/s/1.xml", "<x:worksheet xmlns:x=\"http://purl.oclc.org/ooxml/spreadsheetml/main\">"
		  "<x:sheetData><x:row><x:c><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>", 0 },
		{ "other/2.xml", SHEET("<row><c><v>2</v></c></row>"), 0 }, END };

	assert_string_equal(read_all(parts), "[B & <]\n1: n(2)\n[A]\n1: n(1)\n");
}

static bool first_only(void *arg, uint32_t number UNUSED, const struct xlsx_cell *cells UNUSED,
    size_t n UNUSED)
{
	return ++*(int *)arg < 1;
}

static void test_stop(void **state UNUSED)
{
	const struct part parts[] = { ONE_SHEET, BOOK_RELATIONS,
		{ "xl/worksheets/sheet1.xml", SHEET("<row><c><v>1</v></c></row><row><c><v>1</v></c></row>"),
		  0 }, END };
	int fd = make_pack(parts), n = 0;
	struct xlsx *x = xlsx_open(fd, NULL, &err);

	assert_non_null(x);
	assert_int_equal(xlsx_read(x, 0, first_only, &n, &err), RC_OK);
	assert_int_equal(n, 1);
	xlsx_close(x);
	close(fd);
}

static void test_wrong(void **state UNUSED)
{
	static const char *const SHEETS[] = {
		SHEET("<row r=\"2\"/><row r=\"2\"/>"),
		SHEET("<row r=\"1048577\"/>"),
		SHEET("<row><c r=\"A2\"><v>1</v></c></row>"),
		SHEET("<row><c r=\"XFE1\"><v>1</v></c></row>"),
		SHEET("<row><c t=\"s\"><v>4</v></c></row>"),
		SHEET("<row><c t=\"s\"><v>-1</v></c></row>"),
		SHEET("<row><c>"),
		"<!DOCTYPE x [<!ENTITY e \"boom\">]>" SHEET("<row><c><v>&e;</v></c></row>"),
		"",
	};
	const struct part none[] = { { "a.txt", "b", 0 }, END };
	const struct part no_sheet[] = { ONE_SHEET, BOOK_RELATIONS, END };

	for (size_t i = 0; i < COUNT(SHEETS); i++) {
		read_sheet(SHEETS[i]);
		if (err.rc != RC_INVALID)
			fail_msg("%s was read: %s", SHEETS[i], buf_text(&out));
	}
	assert_string_equal(read_all(none), "The archive holds no workbook");
	read_all(no_sheet);
	assert_int_equal(err.rc, RC_INVALID);
}

/* Archives that are none, or unpack to too much. */
static void test_archives(void **state UNUSED)
{
	static char blanks[3 << 20];
	const struct pack_limits small = { .total = 4 << 20, .part = 2 << 20, .parts = 3 };
	const struct pack_limits tight = { .total = 64 << 20, .part = 8 << 20, .parts = 9, .ratio = 200 };
	struct part parts[] = { ONE_SHEET, BOOK_RELATIONS,
		{ "xl/worksheets/sheet1.xml", blanks, sizeof blanks }, END, END };
	struct xlsx *x;
	int fd = make_file("PK\3\4 no archive", 15);

	assert_null(xlsx_open(fd, NULL, &err));
	close(fd);
	memset(blanks, ' ', sizeof blanks);
	fd = make_pack(parts);
	for (int i = 0; i < 2; i++) {
		x = xlsx_open(fd, i ? &tight : &small, &err);
		assert_non_null(x);
		err_clear(&err);
		assert_int_equal(xlsx_read(x, 0, show, NULL, &err), RC_TOOLARGE);
		xlsx_close(x);
	}
	close(fd);
	parts[3] = (struct part){ "another", "", 0 };
	fd = make_pack(parts);
	err_clear(&err);
	assert_null(xlsx_open(fd, &small, &err));
	assert_int_equal(err.rc, RC_TOOLARGE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_1904),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_archives),
	};
	int failed;

	buf_init(&out, 1 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&out);
	return failed;
}
