/* Making ids. */
#include "core/id.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#define ID_BYTES 16

void random_bytes(void *p, size_t n)
{
	char *c = p;

	while (n) {
		ssize_t got = getrandom(c, n, 0);

		if (got > 0) {
			c += got;
			n -= (size_t)got;
		}
	}
}

/* Writes 16 bytes as an id of version 4. */
static char *write_id(char out[ID_SIZE], unsigned char r[ID_BYTES])
{
	static const char HEX[] = "0123456789abcdef";
	char *w = out;

	r[6] = (unsigned char)((r[6] & 0x0f) | 0x40);
	r[8] = (unsigned char)((r[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < ID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*w++ = '-';
		*w++ = HEX[r[i] >> 4];
		*w++ = HEX[r[i] & 15];
	}
	*w = '\0';
	return out;
}

char *id_new(char out[ID_SIZE])
{
	/* Fetched in portions; a process that was forked meanwhile must not use its parent's. */
	static unsigned char pool[512];
	static size_t left;
	static pid_t owner;

	if (left < ID_BYTES || owner != getpid()) {
		random_bytes(pool, sizeof pool);
		left = sizeof pool;
		owner = getpid();
	}
	left -= ID_BYTES;
	return write_id(out, pool + left);
}

char *id_of_part(char out[ID_SIZE], const char *seed, int64_t n)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char text[128];
	int length = snprintf(text, sizeof text, "%s/%" PRId64, seed, n);

	if (length < 0 || (size_t)length >= sizeof text ||
	    !EVP_Digest(text, (size_t)length, hash, NULL, EVP_sha256(), NULL))
		abort();
	return write_id(out, hash);
}

char *id_make(struct arena *a)
{
	return id_new(arena_alloc(a, ID_SIZE));
}
