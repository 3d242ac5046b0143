/* Images by libgd. What is decoded takes memory by what its header promises, so that is looked at
 * first; and of a PNG only the chunks that make the picture are handed on, so that no text or profile
 * is unpacked, and libpng has nothing to say about them.
 *
 * The library is loaded with the first image: it and the twenty that it needs would take a megabyte of
 * every process of the job runner. */
#include "jobrunner/picture.h"

#include <dlfcn.h>
#include <gd.h>
#include <limits.h>
#include <stdlib.h>

#include "core/log.h"

#define IHDR_END    24u
#define MAGIC_SIZE  8u
#define CHUNK_EXTRA 12u /* length, type, checksum */
#define SCANS_MAX   200 /* of a JPEG; each is a walk over the whole picture */

#define GD_LIBRARY "libgd.so.3"
#define GD_FUNCTIONS(F)                                                                            \
	F(gdFree) F(gdImageAlphaBlending) F(gdImageCopyResampled) F(gdImageCreateFromGifPtr)       \
	F(gdImageCreateFromJpegPtr) F(gdImageCreateFromPngPtr) F(gdImageCreateFromWebpPtr)         \
	F(gdImageCreateTrueColor) F(gdImageDestroy) F(gdImagePngPtr)                               \
	F(gdImageSaveAlpha) F(gdSetErrorMethod)

static struct {
#define MEMBER(name) __typeof__(name) *name;
	GD_FUNCTIONS(MEMBER)
#undef MEMBER
} gd;

/* ---- the library ---- */

/* A bad image is no news to whoever reads our standard error. */
static void be_quiet(int priority UNUSED, const char *format UNUSED, va_list args UNUSED)
{
}

static bool load(void)
{
	static bool tried, ok;
	void *lib;

	if (tried)
		return ok;
	tried = true;
	lib = dlopen(GD_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	ok = lib != NULL;
#define FIND(name) ok = ok && (gd.name = (__typeof__(gd.name))dlsym(lib, #name)) != NULL;
	GD_FUNCTIONS(FIND)
#undef FIND
	if (ok)
		gd.gdSetErrorMethod(be_quiet);
	else
		log_warn("images cannot be read: %s", dlerror());
	return ok;
}

/* ---- headers ---- */

static const unsigned char PNG_BEGIN[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13,
	'I', 'H', 'D', 'R' };

static uint32_t number(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t short_number(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static bool read_png(struct picture *p)
{
	if (p->n < IHDR_END || memcmp(p->data, PNG_BEGIN, sizeof PNG_BEGIN) != 0)
		return false;
	p->kind = PICTURE_PNG;
	p->width = number(p->data + sizeof PNG_BEGIN);
	p->height = number(p->data + sizeof PNG_BEGIN + 4);
	return true;
}

/* Whether a JPEG segment has the size. */
static bool is_frame(unsigned marker)
{
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
	    marker != 0xcc;
}

static bool read_jpeg(struct picture *p)
{
	const unsigned char *d = p->data;
	size_t at = 2;

	if (p->n < 4 || d[0] != 0xff || d[1] != 0xd8)
		return false;
	while (at + 9 <= p->n && d[at] == 0xff) {
		if (d[at + 1] == 0xff) {
			at++;
			continue;
		}
		if (is_frame(d[at + 1])) {
			p->kind = PICTURE_JPEG;
			p->height = short_number(d + at + 5);
			p->width = short_number(d + at + 7);
			return true;
		}
		at += 2 + short_number(d + at + 2);
	}
	return false;
}

bool picture_read(const unsigned char *data, size_t n, struct picture *out)
{
	*out = (struct picture){ .data = data, .n = n };
	if (n <= INT_MAX && (read_png(out) || read_jpeg(out)) && out->width && out->height &&
	    out->width <= INT32_MAX && out->height <= INT32_MAX)
		return true;
	out->kind = PICTURE_NONE;
	return false;
}

/* ---- decoding ---- */

/* Whether the picture needs a chunk of this TYPE. Those of which there may be one are taken once. */
static bool is_picture(const unsigned char *type, unsigned *seen)
{
	static const char ONCE[][5] = { "IHDR", "PLTE", "tRNS", "IEND" };

	for (unsigned i = 0; i < COUNT(ONCE); i++)
		if (memcmp(type, ONCE[i], 4) == 0) {
			bool first = !(*seen & 1u << i);

			*seen |= 1u << i;
			return first;
		}
	return memcmp(type, "IDAT", 4) == 0;
}

/* Copies the picture of the N bytes at IN; returns its length. Nothing is looked at behind the end
 * chunk, or a chunk that is cut. */
static size_t copy_picture(const unsigned char *in, size_t n, unsigned char *out)
{
	size_t at = MAGIC_SIZE, len = MAGIC_SIZE, size;
	unsigned seen = 0;

	memcpy(out, in, MAGIC_SIZE);
	for (; n - at >= CHUNK_EXTRA; at += size) {
		size = number(in + at) + (size_t)CHUNK_EXTRA;
		if (size > n - at)
			break;
		if (is_picture(in + at + 4, &seen)) {
			memcpy(out + len, in + at, size);
			len += size;
		}
		if (memcmp(in + at + 4, "IEND", 4) == 0)
			break;
	}
	return len;
}

static gdImagePtr decode_png(const struct picture *p)
{
	unsigned char *copy = malloc(p->n);
	gdImagePtr im;

	if (!copy)
		return NULL;
	im = gd.gdImageCreateFromPngPtr((int)copy_picture(p->data, p->n, copy), copy);
	free(copy);
	return im;
}

static gdImagePtr decode_jpeg(const struct picture *p)
{
	size_t scans = 0;

	for (size_t i = 0; i + 1 < p->n; i++)
		scans += p->data[i] == 0xff && p->data[i + 1] == 0xda;
	return scans <= SCANS_MAX
	    ? gd.gdImageCreateFromJpegPtr((int)p->n, (void *)(uintptr_t)p->data)
	    : NULL;
}

static gdImagePtr decode(const struct picture *p)
{
	if ((uint64_t)p->width * p->height > PICTURE_PIXELS_MAX || !load())
		return NULL;
	switch (p->kind) {
	case PICTURE_PNG:
		return decode_png(p);
	case PICTURE_JPEG:
		return decode_jpeg(p);
	case PICTURE_GIF:
		return gd.gdImageCreateFromGifPtr((int)p->n, (void *)(uintptr_t)p->data);
	case PICTURE_WEBP:
		return gd.gdImageCreateFromWebpPtr((int)p->n, (void *)(uintptr_t)p->data);
	default:
		return NULL;
	}
}

/* ---- encoding ---- */

/* IM as a PNG; it is gone then. */
static unsigned char *encode(gdImagePtr im, size_t *size)
{
	unsigned char *out;
	int n = 0;

	if (!im)
		return NULL;
	out = gd.gdImagePngPtr(im, &n);
	gd.gdImageDestroy(im);
	*size = n > 0 ? (size_t)n : 0;
	return out;
}

static gdImagePtr scaled(gdImagePtr from)
{
	int w = gdImageSX(from), h = gdImageSY(from), to_w = w, to_h = h;
	gdImagePtr to;

	if (w > PICTURE_THUMBNAIL_WIDTH) {
		to_w = PICTURE_THUMBNAIL_WIDTH;
		to_h = (int)(((int64_t)h * to_w + w / 2) / w);
	}
	to = gd.gdImageCreateTrueColor(to_w, to_h > 0 ? to_h : 1);
	if (!to)
		return NULL;
	gd.gdImageAlphaBlending(to, 0);
	gd.gdImageSaveAlpha(to, 1);
	gd.gdImageCopyResampled(to, from, 0, 0, 0, 0, gdImageSX(to), gdImageSY(to), w, h);
	return to;
}

unsigned char *picture_as_png(const struct picture *p, size_t *size)
{
	return encode(decode(p), size);
}

unsigned char *picture_thumbnail(const struct picture *p, size_t *size)
{
	gdImagePtr im = decode(p), small;

	if (!im)
		return NULL;
	small = scaled(im);
	gd.gdImageDestroy(im);
	return encode(small, size);
}

void picture_free(unsigned char *data)
{
	if (data)
		gd.gdFree(data);
}
