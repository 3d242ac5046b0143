/* Images from untrusted hands: how large PNGs and JPEGs are, and PNGs made of images. */
#ifndef JOBRUNNER_PICTURE_H
#define JOBRUNNER_PICTURE_H

#include "core/core.h"

#define PICTURE_THUMBNAIL_WIDTH 800
#define PICTURE_PIXELS_MAX 64000000u /* an image of more is not decoded */

enum picture_kind { PICTURE_NONE, PICTURE_PNG, PICTURE_JPEG, PICTURE_GIF, PICTURE_WEBP };

struct picture {
	const unsigned char *data; /* borrowed */
	size_t n;
	enum picture_kind kind;
	uint32_t width, height;
};

/* What the N bytes are, from the headers alone; false (PICTURE_NONE) where they are no PNG or JPEG
 * with a size. */
bool picture_read(const unsigned char *data, size_t n, struct picture *out);
/* The image as a PNG; and one of at most PICTURE_THUMBNAIL_WIDTH pixels in width, of the same shape
 * and never larger than it was. For picture_free; NULL where it cannot be decoded. */
unsigned char *picture_as_png(const struct picture *p, size_t *size);
unsigned char *picture_thumbnail(const struct picture *p, size_t *size);
void picture_free(unsigned char *data);

#endif
