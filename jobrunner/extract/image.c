/* Images: their format and size, from the headers alone; and thumbnails. */
#include <strings.h>

#include "core/text.h"
#include "jobrunner/extract/extract_int.h"
#include "jobrunner/extract/image.h"
#include "jobrunner/picture.h"

#define FILE_MAX ((size_t)64 << 20)
#define SVG_LOOK 4096u /* bytes of a text in which <svg has to stand */

static uint32_t big16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const unsigned char *p)
{
	return big16(p) << 16 | big16(p + 2);
}

static uint32_t little16(const unsigned char *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t little24(const unsigned char *p)
{
	return (uint32_t)p[2] << 16 | little16(p);
}

static bool has(const unsigned char *d, size_t n, size_t at, const char *magic, size_t magic_n)
{
	return n >= at + magic_n && memcmp(d + at, magic, magic_n) == 0;
}
#define HAS(at, magic) has(d, n, (at), (magic), sizeof(magic) - 1)

/* ---- the four formats ---- */

static bool read_png(const unsigned char *d, size_t n, struct image *out)
{
	if (!HAS(0, "\x89PNG\r\n\x1a\n") || !HAS(12, "IHDR") || n < 24)
		return false;
	*out = (struct image){ "png", big32(d + 16), big32(d + 20) };
	return true;
}

static bool is_frame(unsigned char marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	    marker != 0xcc;
}

/* Markers that stand alone. */
static bool is_bare(unsigned char marker)
{
	return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

static bool read_jpeg(const unsigned char *d, size_t n, struct image *out)
{
	size_t at = 2;

	if (!HAS(0, "\xff\xd8\xff"))
		return false;
	while (at + 4 <= n && d[at] == 0xff) {
		if (d[at + 1] == 0xff) {
			at++;
		} else if (is_bare(d[at + 1])) {
			at += 2;
		} else if (is_frame(d[at + 1])) {
			if (at + 9 > n)
				return false;
			*out = (struct image){ "jpg", big16(d + at + 7), big16(d + at + 5) };
			return true;
		} else {
			if (big16(d + at + 2) < 2)
				return false;
			at += 2 + big16(d + at + 2);
		}
	}
	return false;
}

static bool read_gif(const unsigned char *d, size_t n, struct image *out)
{
	if ((!HAS(0, "GIF87a") && !HAS(0, "GIF89a")) || n < 10)
		return false;
	*out = (struct image){ "gif", little16(d + 6), little16(d + 8) };
	return true;
}

static bool read_webp(const unsigned char *d, size_t n, struct image *out)
{
	uint32_t bits;

	*out = (struct image){ .format = "webp" };
	if (!HAS(0, "RIFF") || !HAS(8, "WEBP"))
		return false;
	if (HAS(12, "VP8 ") && HAS(23, "\x9d\x01\x2a") && n >= 30) {
		out->width = little16(d + 26) & 0x3fff;
		out->height = little16(d + 28) & 0x3fff;
		return true;
	}
	if (HAS(12, "VP8L") && HAS(20, "\x2f") && n >= 25) {
		bits = little24(d + 21) | (uint32_t)d[24] << 24;
		out->width = (bits & 0x3fff) + 1;
		out->height = (bits >> 14 & 0x3fff) + 1;
		return true;
	}
	if (HAS(12, "VP8X") && n >= 30) {
		out->width = little24(d + 24) + 1;
		out->height = little24(d + 27) + 1;
		return true;
	}
	return false;
}

/* ---- others ---- */

static bool is_svg(const unsigned char *d, size_t n)
{
	size_t look = n < SVG_LOOK ? n : SVG_LOOK;

	if (memchr(d, '\0', look))
		return false;
	for (size_t i = 0; i + 5 <= look; i++)
		if (memcmp(d + i, "<svg", 4) == 0 && strchr(" \t\r\n>/", d[i + 4]))
			return true;
	return false;
}

static bool is_pnm(const unsigned char *d, size_t n)
{
	return n >= 3 && d[0] == 'P' && d[1] >= '1' && d[1] <= '7' && strchr(" \t\r\n", d[2]);
}

/* A type that every reader writes into the first 18 bytes in the same way. */
static bool is_tga(const unsigned char *d, size_t n)
{
	static const unsigned char KINDS[] = { 1, 2, 3, 9, 10, 11 };

	return n >= 18 && d[1] <= 1 && memchr(KINDS, d[2], sizeof KINDS) &&
	    (d[16] == 8 || d[16] == 16 || d[16] == 24 || d[16] == 32) && little16(d + 12) &&
	    little16(d + 14);
}

/* What else the file is that has a name; NULL. */
static const char *other_format(const unsigned char *d, size_t n)
{
	static const struct {
		const char *format, *magic;
		size_t at, magic_n;
	} MAGICS[] = {
#define MAGIC(format, at, magic) { format, magic, at, sizeof(magic) - 1 }
		MAGIC("bmp", 0, "BM"),
		MAGIC("tiff", 0, "II\x2a\0"),
		MAGIC("tiff", 0, "MM\0\x2a"),
		MAGIC("psd", 0, "8BPS"),
		MAGIC("heif", 4, "ftypheic"),
		MAGIC("heif", 4, "ftypheix"),
		MAGIC("heif", 4, "ftypmif1"),
		MAGIC("heif", 4, "ftypmsf1"),
		MAGIC("heif", 4, "ftyphevc"),
		MAGIC("heif", 4, "ftyphevx"),
		MAGIC("heif", 4, "ftypavif"),
		MAGIC("jp2", 4, "jP  \r\n\x87\n"),
		MAGIC("j2c", 0, "\xff\x4f\xff\x51"),
		MAGIC("jxl", 4, "JXL \r\n\x87\n"),
		MAGIC("jxl", 0, "\xff\x0a"),
		MAGIC("ktx", 1, "KTX 11"),
		MAGIC("ktx", 1, "KTX 20"),
		MAGIC("dds", 0, "DDS "),
		MAGIC("icns", 0, "icns"),
#undef MAGIC
	};

	for (size_t i = 0; i < COUNT(MAGICS); i++)
		if (has(d, n, MAGICS[i].at, MAGICS[i].magic, MAGICS[i].magic_n))
			return MAGICS[i].format;
	/* Without an image in it the beginning is that of a TGA. */
	if (n >= 6 && little16(d + 4) && (HAS(0, "\0\0\1\0") || HAS(0, "\0\0\2\0")))
		return d[2] == 1 ? "ico" : "cur";
	return is_pnm(d, n) ? "pnm" : is_svg(d, n) ? "svg" : is_tga(d, n) ? "tga" : NULL;
}

bool image_read(const unsigned char *d, size_t n, struct image *out)
{
	return read_png(d, n, out) || read_jpeg(d, n, out) || read_gif(d, n, out) ||
	    read_webp(d, n, out);
}

enum rc extract_image(int fd, struct out *o, struct err *e)
{
	struct image im;
	const char *other;
	char *data, text[64];
	size_t n;
	enum rc rc = extract_read(fd, FILE_MAX, &data, &n, e);

	if (rc == RC_OK && n && image_read((const unsigned char *)data, n, &im)) {
		snprintf(text, sizeof text, "Image: %ux%u\nFormat: %s", im.width, im.height,
		    im.format);
		out_str(o, text);
	} else if (rc == RC_OK) {
		other = n ? other_format((const unsigned char *)data, n) : NULL;
		rc = other ? err_set(e, RC_INVALID, "Unsupported image format: %s", other)
			   : err_set(e, RC_INVALID, "Not an image, or its header is cut off");
	}
	free(data);
	return rc;
}

static enum picture_kind kind_of(const char *format)
{
	static const struct {
		const char *format;
		enum picture_kind kind;
	} KINDS[] = { { "png", PICTURE_PNG }, { "jpg", PICTURE_JPEG }, { "gif", PICTURE_GIF },
		{ "webp", PICTURE_WEBP } };

	for (size_t i = 0; i < COUNT(KINDS); i++)
		if (strcmp(format, KINDS[i].format) == 0)
			return KINDS[i].kind;
	return PICTURE_NONE;
}

enum rc extract_thumbnail(int fd, struct out *o, struct err *e)
{
	struct picture p = { .kind = PICTURE_NONE };
	struct image im;
	unsigned char *small = NULL;
	char *data;
	size_t n, size = 0;
	enum rc rc = extract_read(fd, FILE_MAX, &data, &n, e);

	if (rc == RC_OK && n && image_read((const unsigned char *)data, n, &im))
		p = (struct picture){ (const unsigned char *)data, n, kind_of(im.format), im.width,
			im.height };
	if (p.kind != PICTURE_NONE)
		small = picture_thumbnail(&p, &size);
	if (small)
		buf_add(&o->buf, (const char *)small, size);
	else if (rc == RC_OK)
		rc = err_set(e, RC_INVALID, "The image cannot be decoded");
	picture_free(small);
	free(data);
	return rc;
}
