/* Case, accents and the order of names. */
#include "core/collate.h"

#include <ctype.h>

#define FIRST_FOLDED 0xc0u
#define COMBINING(c) ((c) >= 0x300 && (c) < 0x370)

/* U+00C0 to U+017F without case and accents. */
static const char *const FOLDED[] = { "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e",
	"i", "i", "i", "i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y",
	"th", "ss", "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",
	"i", "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y",
	"a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d", "d", "d",
	"e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g", "g", "g", "g", "g",
	"h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i", "i", "i", "ij", "ij", "j",
	"j", "k", "k", "q", "l", "l", "l", "l", "l", "l", "l", "l", "l", "l", "n", "n", "n", "n",
	"n", "n", "n", "n", "n", "o", "o", "o", "o", "o", "o", "oe", "oe", "r", "r", "r", "r",
	"r", "r", "s", "s", "s", "s", "s", "s", "s", "s", "t", "t", "t", "t", "t", "t", "u", "u",
	"u", "u", "u", "u", "u", "u", "u", "u", "u", "u", "w", "w", "y", "y", "y", "z", "z", "z",
	"z", "z", "z", "s" };

/* Of the characters before digits, in their order. */
static const char MARKS[] = "\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/* The character at *S, and the step behind it; a byte that is no UTF-8 stands for itself. */
static unsigned next_char(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	unsigned n = *p < 0xc0 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
	unsigned c = n ? *p & (0x3fu >> n) : *p;

	for (unsigned i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			(*s)++;
			return *p;
		}
		c = c << 6 | (p[i] & 0x3fu);
	}
	*s += n + 1;
	return c;
}

static unsigned lower(unsigned c)
{
	if (c < 0x80)
		return (unsigned)tolower((int)c);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
	    (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if (c == 0x178)
		return 0xff;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if (c >= 0x100 && c <= 0x177 && c != 0x130 && c != 0x131 && c != 0x138 && c != 0x149)
		return c | 1;
	return c;
}

/* Writes C, which is below U+0800, as UTF-8; returns its length. */
static size_t put_char(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = (char)(0xc0 | c >> 6);
	out[1] = (char)(0x80 | (c & 0x3f));
	return 2;
}

const char *collate_lower(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, 2 * strlen(s) + 1), *w = out;

	while (*s) {
		const char *from = s;
		unsigned c = next_char(&s), l = lower(c);

		if (l == c) {
			memcpy(w, from, (size_t)(s - from));
			w += s - from;
		} else {
			w += put_char(w, l);
		}
	}
	return out;
}

struct reader {
	const char *s, *rest; /* REST: what is left of a letter that folds into two */
};

static unsigned weight(unsigned c)
{
	const char *mark = c < 0x80 ? strchr(MARKS, (int)c) : NULL;

	if (c >= '0' && c <= '9')
		return 0x100 + c;
	if (c >= 0x80 || isalpha((int)c))
		return 0x200 + c;
	return mark ? 1 + (unsigned)(mark - MARKS) : 0x80 + c;
}

/* The weight of the next character; 0 at the end. */
static unsigned next_weight(struct reader *r)
{
	unsigned c;

	if (r->rest && *r->rest)
		return weight((unsigned char)*r->rest++);
	do {
		if (!*r->s)
			return 0;
		c = lower(next_char(&r->s));
	} while (COMBINING(c));
	if (c < FIRST_FOLDED || c >= FIRST_FOLDED + COUNT(FOLDED) || !*FOLDED[c - FIRST_FOLDED])
		return weight(c);
	r->rest = FOLDED[c - FIRST_FOLDED];
	return weight((unsigned char)*r->rest++);
}

int collate_names(const char *a, const char *b)
{
	struct reader ra = { a, NULL }, rb = { b, NULL };
	unsigned wa, wb;

	do {
		wa = next_weight(&ra);
		wb = next_weight(&rb);
	} while (wa && wa == wb);
	return (wa > wb) - (wa < wb);
}
