/* Base64 by libcrypto, which reads more than it should: blanks and misplaced padding are refused
 * here. */
#include "core/base64.h"

#include <openssl/evp.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

const char *base64_encode(struct arena *a, const unsigned char *data, size_t n)
{
	unsigned char *out = arena_alloc(a, (n + 2) / 3 * 4 + 1);

	EVP_EncodeBlock(out, data, (int)n);
	return (const char *)out;
}

unsigned char *base64_decode(struct arena *a, const char *s, size_t n, size_t *size)
{
	size_t letters, pad;
	unsigned char *out;

	if (n % 4 != 0 || n > BASE64_MAX)
		return NULL;
	letters = strspn(s, LETTERS);
	if (letters > n)
		letters = n;
	pad = n - letters;
	if (pad > 2 || strncmp(s + letters, "==", pad) != 0)
		return NULL;
	out = arena_alloc(a, n / 4 * 3 + 1);
	if (EVP_DecodeBlock(out, (const unsigned char *)s, (int)n) < 0)
		return NULL;
	*size = n / 4 * 3 - pad;
	return out;
}
