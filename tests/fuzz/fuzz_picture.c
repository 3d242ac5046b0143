/* Images: whatever they are, they become a PNG of the right size, or nothing. */
#include "jobrunner/picture.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct picture p, small;
	unsigned char *made;
	size_t n;

	if (!picture_read(data, size, &p))
		return 0;
	require(p.kind != PICTURE_NONE && p.width && p.height);
	if ((uint64_t)p.width * p.height > 1u << 20)
		return 0; /* takes its time */
	made = picture_thumbnail(&p, &n);
	if (!made)
		return 0;
	require(picture_read(made, n, &small) && small.kind == PICTURE_PNG);
	require(small.width <= PICTURE_THUMBNAIL_WIDTH && small.width <= p.width);
	require(small.height <= p.height);
	picture_free(made);
	return 0;
}
