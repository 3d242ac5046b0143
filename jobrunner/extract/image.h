/* What an image's header says. */
#ifndef JOBRUNNER_EXTRACT_IMAGE_H
#define JOBRUNNER_EXTRACT_IMAGE_H

#include "core/core.h"

struct image {
	const char *format; /* png, jpg, gif, webp */
	uint32_t width, height;
};

/* Reads a header of the four formats; false where the N bytes have none, or it is cut off. */
bool image_read(const unsigned char *d, size_t n, struct image *out);

#endif
