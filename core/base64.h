/* Base64 with the standard letters and padding, as RFC 4648 has it: nothing else is read. */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "core/arena.h"

#define BASE64_MAX ((size_t)64 << 20) /* characters */

/* The text of N bytes, in the arena. */
const char *base64_encode(struct arena *a, const unsigned char *data, size_t n);
/* The bytes of the N characters at S, in the arena, and how many; NULL where they are no base64 or
 * too many. S is a part of a text. */
unsigned char *base64_decode(struct arena *a, const char *s, size_t n, size_t *size);

#endif
