/* The extractors: what becomes of texts, images, word processors' files, slides, sheets and PDFs. */
#include "tests/unit/pack_case.h"

#include <gd.h>

#include "core/text.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/symbols.h"

#define W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""
#define VML "xmlns:v=\"urn:schemas-microsoft-com:vml\""
#define MC "xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\""
#define END { NULL, NULL, 0 }

typedef enum rc (*extractor)(int fd, struct out *o, struct err *e);

static struct buf text;
static struct err err;

static bool keep(void *arg UNUSED, const char *data, size_t n)
{
	buf_add(&text, data, n);
	return true;
}

/* The text that FN makes of the file, which is closed; or the words of the failure. */
static const char *extract_fd(extractor fn, int fd)
{
	struct out o;

	buf_clear(&text);
	err_clear(&err);
	out_init(&o, keep, NULL);
	fn(fd, &o, &err);
	assert_true(out_end(&o));
	close(fd);
	return err.rc ? err.msg : buf_text(&text);
}

static const char *extract(extractor fn, const char *data, size_t n)
{
	return extract_fd(fn, make_file(data, n));
}

/* ---- texts ---- */

static void test_plain(void **state UNUSED)
{
	assert_string_equal(extract(extract_plain, "", 0), "");
	assert_string_equal(extract(extract_plain, "\xef\xbb\xbf" "a\r\nb\0c", 9),
	    "\xef\xbb\xbf" "a\r\nb\xef\xbf\xbd" "c");
	assert_string_equal(extract(extract_csv, "\xef\xbb\xbf" "a,b\n", 7), "a,b\n");
	assert_string_equal(extract(extract_csv, "\xef\xbb", 2), "\xef\xbf\xbd");
}

/* One U+FFFD for every maximal part that is no UTF-8. */
static void test_repair(void **state UNUSED)
{
#define BAD "\xef\xbf\xbd"
	static const struct {
		const char *in, *out;
	} CASES[] = {
		{ "\x80", BAD },
		{ "\xc0\x80", BAD BAD },
		{ "\xe2\x82", BAD },
		{ "\xe2\x82x", BAD "x" },
		{ "\xf0\x9f\x98", BAD },
		{ "\xf0\x80\x80\x80", BAD BAD BAD BAD },
		{ "\xed\xa0\x80", BAD BAD BAD },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
		{ "\xf5g", BAD "g" },
		{ "a\xe4\xb8\xad\xf0\x9f\x98\x80z", "a\xe4\xb8\xad\xf0\x9f\x98\x80z" },
	};

	for (size_t i = 0; i < COUNT(CASES); i++)
		assert_string_equal(
		    extract(extract_plain, CASES[i].in, strlen(CASES[i].in)), CASES[i].out);
}

/* 5,000,000 units, and no half of a character. */
static void test_limit(void **state UNUSED)
{
	size_t n = 4 * EXTRACT_UNITS_MAX;
	char *data = malloc(n + 1);

	data[0] = 'x';
	for (size_t i = 1; i + 4 <= n; i += 4)
		memcpy(data + i, "\xf0\x9f\x98\x80", 4);
	extract(extract_plain, data, n - 3);
	assert_int_equal(err.rc, RC_OK);
	assert_int_equal(text.len, 1 + 4 * ((EXTRACT_UNITS_MAX - 1) / 2));
	free(data);
}

/* ---- images ---- */

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
#define IMAGE(bytes) extract(extract_image, bytes, sizeof(bytes) - 1)

static void test_images(void **state UNUSED)
{
	assert_string_equal(IMAGE(PNG_HEAD "\0\0\x03\x20\0\0\x02\x58"), "Image: 800x600\nFormat: png");
	assert_string_equal(IMAGE("\xff\xd8\xff\xe0\0\x04zz\xff\xff\xc4\0\x03z\xff\xc2\0\x11\x08\x01\x02\x03\x04"),
	    "Image: 772x258\nFormat: jpg");
	assert_string_equal(IMAGE("GIF89a\x01\x02\x03\x00"), "Image: 513x3\nFormat: gif");
	assert_string_equal(IMAGE("RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x40\x41\x10\x80"),
	    "Image: 320x16\nFormat: webp");
	assert_string_equal(IMAGE("RIFF....WEBPVP8L....\x2f\x63\x40\x0c\0"), "Image: 100x50\nFormat: webp");
	assert_string_equal(IMAGE("RIFF....WEBPVP8X....\0\0\0\0\x1f\x03\0\x57\x02\0"),
	    "Image: 800x600\nFormat: webp");
}

static void test_no_images(void **state UNUSED)
{
	static const char CUT[] = "Not an image, or its header is cut off";
	static const struct {
		const char *bytes;
		size_t n;
		const char *format;
	} OTHERS[] = {
#define OTHER(format, bytes) { bytes, sizeof(bytes) - 1, format }
		OTHER("svg", "<?xml version=\"1.0\"?>\n<svg width=\"1\">"), OTHER("bmp", "BM......"),
		OTHER("ico", "\0\0\1\0\1\0"), OTHER("cur", "\0\0\2\0\1\0"), OTHER("tiff", "II\x2a\0...."),
		OTHER("tiff", "MM\0\x2a...."), OTHER("psd", "8BPS...."), OTHER("heif", "\0\0\0\x18""ftypheic"),
		OTHER("jp2", "\0\0\0\x0cjP  \r\n\x87\n"), OTHER("j2c", "\xff\x4f\xff\x51.."),
		OTHER("jxl", "\xff\x0a.."), OTHER("ktx", "\xabKTX 11\xbb"), OTHER("dds", "DDS ...."),
		OTHER("icns", "icns...."), OTHER("pnm", "P6\n3 2\n255\n"),
		OTHER("tga", "\0\0\2\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0"),
	};
	char expected[64];

	for (size_t i = 0; i < COUNT(OTHERS); i++) {
		snprintf(expected, sizeof expected, "Unsupported image format: %s", OTHERS[i].format);
		assert_string_equal(extract(extract_image, OTHERS[i].bytes, OTHERS[i].n), expected);
	}
	assert_string_equal(IMAGE(""), CUT);
	assert_string_equal(IMAGE(PNG_HEAD "\0\0\x03\x20\0\0\x02"), CUT);
	assert_string_equal(IMAGE("\xff\xd8\xff\xe0\xff\xff"), CUT);
	assert_string_equal(IMAGE("\xff\xd8\xff\xe0\0\0\xff\xc0\0\x11\x08\1\1\1\1"), CUT);
	assert_string_equal(IMAGE("GIF89a\1"), CUT);
	assert_string_equal(IMAGE("RIFF....WEBPALPH......................"), CUT);
	assert_string_equal(IMAGE("just a text"), CUT);
}

/* Of every format comes a PNG of 800 pixels. */
static void test_thumbnails(void **state UNUSED)
{
	gdImagePtr im = gdImageCreateTrueColor(1600, 10);
	void *data[4];
	int n[4];

	data[0] = gdImagePngPtr(im, &n[0]);
	data[1] = gdImageJpegPtr(im, &n[1], 80);
	data[2] = gdImageGifPtr(im, &n[2]);
	data[3] = gdImageWebpPtr(im, &n[3]);
	for (int i = 0; i < 4; i++) {
		extract(extract_thumbnail, data[i], (size_t)n[i]);
		assert_int_equal(err.rc, RC_OK);
		assert_memory_equal(text.data, PNG_HEAD "\0\0\x03\x20\0\0\0\x05", 24);
		extract(extract_thumbnail, data[i], (size_t)n[i] / 8);
		gdFree(data[i]);
	}
	gdImageDestroy(im);
	extract(extract_thumbnail, "GIF89a\xff\xff\xff\xff", 10);
	assert_int_equal(err.rc, RC_INVALID);
	extract(extract_thumbnail, "", 0);
	assert_int_equal(err.rc, RC_INVALID);
}

/* ---- word processors ---- */

static const char *word_xml(const char *xml)
{
	const struct part parts[] = { { "word/document.xml", xml, 0 }, END };

	return extract_fd(extract_word, make_pack(parts));
}
#define WORD(body) word_xml("<w:document " W " " VML " " MC "><w:body>" body "</w:body></w:document>")
#define P(content) "<w:p>" content "</w:p>"
#define R(content) "<w:r>" content "</w:r>"
#define T(s) R("<w:t>" s "</w:t>")

static void test_word_texts(void **state UNUSED)
{
	assert_string_equal(WORD(P(T("One &amp; two")) P("") P(T("thr") T("ee"))),
	    "One & two\n\n\n\nthree\n\n");
	assert_string_equal(WORD(P(R("<w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t>"
				     "<w:br w:type=\"page\"/><w:noBreakHyphen/><w:softHyphen/>"))),
	    "a\tb\nc\xe2\x80\x91\xc2\xad\n\n");
	assert_string_equal(WORD(P("<w:hyperlink>" T("link") "</w:hyperlink><w:ins>" T("in") "</w:ins>"
				   "<w:del>" T("out") "</w:del><w:smartTag>" T("tag") "</w:smartTag>"
				   "<w:bookmarkStart/><w:proofErr>" T("err") "</w:proofErr>"
				   R("<w:delText>gone</w:delText><w:instrText>PAGE</w:instrText>"
				     "<w:footnoteReference/><w:drawing>" P(T("drawn")) "</w:drawing>"))),
	    "linkintag\n\n");
	assert_string_equal(WORD(P(R("<w:sym w:font=\"Wingdings\" w:char=\"F028\"/>"
				     "<w:sym w:font=\"Symbol\" w:char=\"61\"/>"
				     "<w:sym w:font=\"Unknown\" w:char=\"F028\"/>"))),
	    "\xf0\x9f\x95\xbf\xce\xb1\n\n");
	/* White space between the elements is none of the text. */
	assert_string_equal(WORD("\n <w:p>\n  <w:r>\n" "<w:t xml:space=\"preserve\"> x </w:t></w:r> </w:p>\n"),
	    " x \n\n");
}

static void test_word_tables(void **state UNUSED)
{
	assert_string_equal(WORD("<w:tbl><w:tblPr/><w:tr><w:tc><w:tcPr/>" P(T("a")) "</w:tc><w:tc>" P(T("b"))
				 "</w:tc></w:tr><w:tr><w:trPr><w:del/></w:trPr><w:tc>" P(T("deleted"))
				 "</w:tc></w:tr><w:tr><w:tc><w:tcPr><w:vMerge w:val=\"restart\"/></w:tcPr>"
				 P(T("c")) "</w:tc></w:tr><w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr>"
				 P(T("merged")) "</w:tc><w:tc>" P(T("d")) "</w:tc></w:tr></w:tbl>"),
	    "a\n\nb\n\nc\n\nd\n\n");
}

static void test_word_controls(void **state UNUSED)
{
	assert_string_equal(WORD("<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>" P(T("in control"))
				 "</w:sdtContent></w:sdt>" P("<w:sdt><w:sdtPr><w14:checkbox "
				 "xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\"/></w:sdtPr>"
				 "<w:sdtContent>" T("X") "</w:sdtContent></w:sdt>" T("box"))),
	    "in control\n\nbox\n\n");
	assert_string_equal(WORD(P("<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" T("one")) P(T(" two")) P(T("x"))),
	    "one two\n\nx\n\n");
	assert_string_equal(WORD(P("<mc:AlternateContent><mc:Choice>" T("new") "</mc:Choice><mc:Fallback>"
				   T("old") "</mc:Fallback></mc:AlternateContent>")),
	    "old\n\n");
}

/* The paragraphs of a text box come behind the one that holds it. */
static void test_word_boxes(void **state UNUSED)
{
	assert_string_equal(WORD(P(T("before ") R("<w:pict><v:shape><v:textbox><w:txbxContent>" P(T("box one"))
				   P(T("box two")) "</w:txbxContent></v:textbox></v:shape></w:pict>") T("after"))
				 P(T("next"))),
	    "before after\n\nbox one\n\nbox two\n\nnext\n\n");
	assert_string_equal(WORD(P(R("<w:pict><v:group><v:rect><v:textbox><w:txbxContent>"
				     P(T("outer") R("<w:pict><v:shape><v:textbox><w:txbxContent>" P(T("inner"))
				       "</w:txbxContent></v:textbox></v:shape></w:pict>"))
				     "</w:txbxContent></v:textbox></v:rect></v:group></w:pict>"))),
	    "\n\nouter\n\ninner\n\n");
}

static void test_word_files(void **state UNUSED)
{
	const struct part elsewhere[] = {
		{ "_rels/.rels",
		  "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
		  "<Relationship Id=\"a\" Target=\"/docs/main.xml\" Type=\"http://purl.oclc.org/ooxml/"
		  "officeDocument/relationships/officeDocument\"/></Relationships>", 0 },
		{ "docs/main.xml",
		  "<document xmlns=\"http://purl.oclc.org/ooxml/wordprocessingml/main\"><body><p><r><t>strict"
		  "</t></r></p></body></document>", 0 }, END };
	const struct part none[] = { { "a", "b", 0 }, END };

	assert_string_equal(extract_fd(extract_word, make_pack(elsewhere)), "strict\n\n");
	extract_fd(extract_word, make_pack(none));
	assert_non_null(strstr(err.msg, "Could not find main document part."));
	word_xml("<w:document " W "/>");
	assert_non_null(strstr(err.msg, "Could not find the body element"));
	word_xml("<w:document " W "><w:body><w:p></w:body></w:document>");
	assert_int_equal(err.rc, RC_INVALID);
	word_xml("<!DOCTYPE d [<!ENTITY a \"b\">]><w:document " W "><w:body/></w:document>");
	assert_int_equal(err.rc, RC_INVALID);
	extract(extract_word, "no zip", 6);
	assert_int_equal(err.rc, RC_INVALID);
}

static void test_symbols(void **state UNUSED)
{
	assert_int_equal(symbol_character("symbol", "f061"), 0x3b1);
	assert_int_equal(symbol_character("Wingdings", "00FC"), symbol_character("Wingdings", "F0FC"));
	assert_int_equal(symbol_character("Symbol", "1F"), 0);
	assert_int_equal(symbol_character("Symbol", "F1FF"), 0);
	assert_int_equal(symbol_character("Symbol", ""), 0);
	assert_int_equal(symbol_character("Symbol", "6x"), 0);
}

/* ---- slides and sheets ---- */

#define A "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\""
#define SLIDE(body) "<p:sld xmlns:p=\"http://schemas.openxmlformats.org/presentationml/2006/main\" " A ">" body "</p:sld>"

static void test_slides(void **state UNUSED)
{
	const struct part parts[] = {
		{ "ppt/slides/slide10.xml", SLIDE("<a:p><a:r><a:t>ten</a:t></a:r></a:p>"), 0 },
		{ "ppt/slides/slide2.xml",
		  SLIDE("<a:p><a:r><a:t lang=\"x\">Q&amp;</a:t></a:r><a:r><a:t>A</a:t></a:r></a:p><a:p/>"
			"<a:p><a:fld><a:t>field</a:t></a:fld></a:p>"), 0 },
		{ "ppt/slides/slide3.xml", SLIDE("<a:p><a:r><a:t></a:t></a:r></a:p>"), 0 },
		{ "ppt/slides/slide4.xml",
		  SLIDE("<mc:AlternateContent " MC "><mc:Choice><a:p><a:t>four</a:t></a:p></mc:Choice>"
			"<mc:Fallback><a:p><a:t>4</a:t></a:p></mc:Fallback></mc:AlternateContent>"), 0 },
		{ "ppt/notesSlides/notesSlide1.xml", SLIDE("<a:p><a:t>notes</a:t></a:p>"), 0 },
		{ "ppt/slides/_rels/slide2.xml.rels", "<x/>", 0 }, END };
	const struct part none[] = { { "ppt/presentation.xml", "<x/>", 0 }, END };

	assert_string_equal(extract_fd(extract_slides, make_pack(parts)), "Q&A field\n\nfour\n\nten");
	assert_string_equal(extract_fd(extract_slides, make_pack(none)), "");
	assert_int_equal(err.rc, RC_OK);
	extract(extract_slides, "no zip", 6);
	assert_int_equal(err.rc, RC_INVALID);
}

#define S "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""
#define R_URI "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static void test_sheets(void **state UNUSED)
{
	const struct part parts[] = {
		{ "xl/workbook.xml",
		  "<workbook " S " xmlns:r=\"" R_URI "\"><sheets><sheet name=\"One\" r:id=\"a\"/>"
		  "<sheet name=\"Two\" r:id=\"b\"/></sheets></workbook>", 0 },
		{ "xl/_rels/workbook.xml.rels",
		  "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
		  "<Relationship Id=\"a\" Target=\"1.xml\" Type=\"" R_URI "/worksheet\"/>"
		  "<Relationship Id=\"b\" Target=\"2.xml\" Type=\"" R_URI "/worksheet\"/></Relationships>", 0 },
		{ "xl/1.xml",
		  "<worksheet " S "><sheetData><row><c t=\"str\"><v>a,\"b</v></c><c/><c><v>0.1</v></c></row><row/>"
		  "<row><c r=\"B3\" t=\"b\"><v>1</v></c></row></sheetData></worksheet>", 0 },
		{ "xl/2.xml", "<worksheet " S "><sheetData/></worksheet>", 0 }, END };

	assert_string_equal(extract_fd(extract_sheets, make_pack(parts)),
	    "--- Sheet: One ---\na,\"b,,0.1\n,true\n\n--- Sheet: Two ---\n");
	assert_string_equal(extract_fd(extract_rows, make_pack(parts)),
	    "[\"a,\\\"b\",null,\"0.1\"]\n[null,\"true\"]\n");
}

/* ---- PDF ---- */

static const char PDF[] =
    "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    "2 0 obj\n<</Type/Pages/Kids[4 0 R 5 0 R]/Count 2>>\nendobj\n"
    "3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Differences[174/fi]>>>>\nendobj\n"
    "4 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 6 0 R"
    "/Resources<</Font<</F1 3 0 R>>>>>>\nendobj\n"
    "5 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>\nendobj\n"
    "6 0 obj\n<</Length 120>>\nstream\n"
    "BT /F1 12 Tf 72 700 Td [(Hel) 20 (lo) -2000 (\\256ve)] TJ 0 -90 Td (second  ) Tj ET"
    "                                      \nendstream\nendobj\n"
    "trailer\n<</Root 1 0 R>>\n";

static void test_pdf(void **state UNUSED)
{
	if (system("command -v pdftotext >/dev/null") != 0)
		skip();
	assert_string_equal(extract(extract_pdf, PDF, sizeof PDF - 1),
	    "Hello five\nsecond\n\n-- 1 of 2 --\n\n\n\n-- 2 of 2 --\n\n");
	extract(extract_pdf, "", 0);
	assert_int_equal(err.rc, RC_INVALID);
	extract(extract_pdf, "no PDF at all\n", 14);
	assert_string_equal(err.msg, "Invalid PDF structure.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_repair),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_no_images),
		cmocka_unit_test(test_thumbnails),
		cmocka_unit_test(test_word_texts),
		cmocka_unit_test(test_word_tables),
		cmocka_unit_test(test_word_controls),
		cmocka_unit_test(test_word_boxes),
		cmocka_unit_test(test_word_files),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_slides),
		cmocka_unit_test(test_sheets),
		cmocka_unit_test(test_pdf),
	};
	int failed;

	buf_init(&text, (size_t)64 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	buf_fini(&text);
	return failed;
}
