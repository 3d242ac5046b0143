/* Encoding of FastCGI records. */
#include "fcgi/hub_record.h"

enum { VERSION = 1, TYPE_END_REQUEST = 3, TYPE_STDOUT = 6 };

static void header(char *p, unsigned type, uint16_t id, size_t n)
{
	p[0] = VERSION;
	p[1] = (char)type;
	p[2] = (char)(id >> 8);
	p[3] = (char)(id & 0xff);
	p[4] = (char)(n >> 8);
	p[5] = (char)(n & 0xff);
	p[6] = 0; /* padding */
	p[7] = 0; /* reserved */
}

void rec_stdout(struct buf *b, uint16_t id, const char *data, size_t n)
{
	while (n) {
		size_t part = n < REC_CONTENT_MAX ? n : REC_CONTENT_MAX;
		char *p = buf_reserve(b, REC_HEADER + part);

		if (!p)
			return;
		header(p, TYPE_STDOUT, id, part);
		memcpy(p + REC_HEADER, data, part);
		b->len += REC_HEADER + part;
		data += part;
		n -= part;
	}
}

void rec_end(struct buf *b, uint16_t id)
{
	char *p = buf_reserve(b, 3 * REC_HEADER);

	if (!p)
		return;
	header(p, TYPE_STDOUT, id, 0);
	header(p + REC_HEADER, TYPE_END_REQUEST, id, 8);
	memset(p + 2 * REC_HEADER, 0, 8); /* exit status 0, FCGI_REQUEST_COMPLETE, reserved */
	b->len += 3 * REC_HEADER;
}

uint16_t rec_id(const char *data)
{
	const unsigned char *p = (const unsigned char *)data;

	return (uint16_t)(p[2] << 8 | p[3]);
}

void rec_set_id(char *data, size_t n, uint16_t id)
{
	while (n >= REC_HEADER) {
		const unsigned char *p = (const unsigned char *)data;
		size_t size = REC_HEADER + ((size_t)p[4] << 8 | p[5]) + p[6];

		data[2] = (char)(id >> 8);
		data[3] = (char)(id & 0xff);
		if (size > n)
			return;
		data += size;
		n -= size;
	}
}
