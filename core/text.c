/* Text rules: UTF-8 walking, UTF-16 lengths, trimming, key masking. */
#include "core/text.h"

#include "core/buf.h"

#include <errno.h>
#include <locale.h>
#include <wctype.h>

#define HIDDEN_MAX 4
#define HIDDEN_MIN 8

/* Secrets that this process uses (text_hide). */
static char *hidden[HIDDEN_MAX];
static size_t hidden_next;

/* Length in bytes of the character that starts at S (valid UTF-8), 1 where it is malformed. */
static size_t step(const char *s)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
	return n;
}

/* Decodes the character at S and says how many bytes it took. */
static uint32_t decode(const char *s, size_t *n)
{
	const unsigned char *u = (const unsigned char *)s;

	*n = step(s);
	switch (*n) {
	case 2:
		return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
	case 3:
		return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
	case 4:
		return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 |
		       (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f);
	default:
		return u[0];
	}
}

bool text_is_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n;

	while (p < end) {
		unsigned char c = *p;
		size_t len = c < 0x80 ? 1
		    : c < 0xc2		? 0
		    : c < 0xe0		? 2
		    : c < 0xf0		? 3
		    : c < 0xf5		? 4
					: 0;

		if (!len || (size_t)(end - p) < len)
			return false;
		for (size_t i = 1; i < len; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
		    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
			return false;
		p += len;
	}
	return true;
}

char *text_as_utf8(struct arena *a, const char *s, size_t n)
{
	char *out = arena_strndup(a, s, n);
	size_t i = 0;

	while (i < n) {
		size_t len = 1;

		while (len <= 4 && !(i + len <= n && text_is_utf8(s + i, len)))
			len++;
		if (len > 4 || !s[i]) {
			out[i] = '?';
			len = 1;
		}
		i += len;
	}
	return out;
}

/* Length of the sequence that LEAD begins, with the bounds of its second byte; 1 where it begins
 * none. */
static size_t sequence(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	return lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1;
}

void text_repair(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + n, *good = p;
	unsigned char low, high;

	while (p < end) {
		size_t len = sequence(*p, &low, &high), got = 1;

		while (got < len && p + got < end && p[got] >= low && p[got] <= high) {
			got++;
			low = 0x80;
			high = 0xbf;
		}
		if (got < len || !*p || (len == 1 && *p >= 0x80)) {
			buf_add(out, (const char *)good, (size_t)(p - good));
			buf_add(out, "\xef\xbf\xbd", 3);
			good = p + got;
		}
		p += got;
	}
	buf_add(out, (const char *)good, (size_t)(p - good));
}

char *text_repaired(struct arena *a, const char *s, size_t n)
{
	struct buf b;
	char *out;

	buf_init(&b, 3 * n);
	text_repair(&b, s, n);
	out = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return out;
}

size_t text_encode(char *out, uint32_t c)
{
	unsigned char *u = (unsigned char *)out;
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char LEAD[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n; i-- > 1; c >>= 6)
		u[i] = (unsigned char)(0x80 | (c & 0x3f));
	u[0] = (unsigned char)(LEAD[n] | c);
	return n;
}

size_t text_units(const char *s)
{
	size_t units = 0;

	while (*s) {
		size_t n = step(s);

		units += n == 4 ? 2 : 1;
		s += n;
	}
	return units;
}

size_t text_prefix(const char *s, size_t units)
{
	const char *p = s;

	while (*p) {
		size_t n = step(p), u = n == 4 ? 2 : 1;

		if (u > units)
			break;
		units -= u;
		p += n;
	}
	return (size_t)(p - s);
}

const char *text_cut(struct arena *a, const char *s, size_t units)
{
	size_t n = text_prefix(s, units);

	return s[n] ? arena_strndup(a, s, n) : s;
}

const char *text_ellipsis(struct arena *a, const char *s, size_t units)
{
	size_t n = text_prefix(s, units);

	if (!s[n])
		return s;
	return arena_printf(a, "%.*s\xe2\x80\xa6", (int)text_prefix(s, units - 1), s);
}

static bool is_space(uint32_t c)
{
	return (c >= 9 && c <= 13) || c == ' ' || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000 || c == 0xfeff;
}

void text_trim_span(const char **s, size_t *n)
{
	const char *p = *s, *limit = *s + *n, *end;
	size_t size;

	while (p < limit && is_space(decode(p, &size)))
		p += size;
	*s = end = p;
	while (p < limit) {
		bool space = is_space(decode(p, &size));

		p += size;
		if (!space)
			end = p;
	}
	*n = (size_t)(end - *s);
}

const char *text_trim(struct arena *a, const char *s)
{
	const char *end;
	size_t n;

	while (*s && is_space(decode(s, &n)))
		s += n;
	end = s;
	for (const char *p = s; *p; p += n)
		if (!is_space(decode(p, &n)))
			end = p + n;
	return *end ? arena_strndup(a, s, (size_t)(end - s)) : s;
}

bool text_is_blank(const char *s)
{
	size_t n;

	while (*s && is_space(decode(s, &n)))
		s += n;
	return !*s;
}

char *text_squeeze(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, strlen(s) + 1), *w = out;
	bool gap = false;

	for (size_t n; *s; s += n) {
		if (is_space(decode(s, &n))) {
			gap = w > out;
			continue;
		}
		if (gap)
			*w++ = ' ';
		gap = false;
		memcpy(w, s, n);
		w += n;
	}
	*w = '\0';
	return out;
}

char *text_lower(struct arena *a, const char *s)
{
	char *t = arena_strdup(a, s);

	for (char *p = t; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return t;
}

char *text_lower_all(struct arena *a, const char *s, size_t n, size_t *out_n)
{
	static locale_t unicode;
	char *out = arena_alloc(a, 2 * n + 1), *w = out;
	const char *end = s + n;
	size_t size;

	if (!unicode)
		unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	while (s < end) {
		uint32_t c = decode(s, &size);

		if (c < 0x80 || !unicode || size == 1) {
			*w++ = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
			s++;
			continue;
		}
		w += text_encode(w, (uint32_t)towlower_l((wint_t)c, unicode));
		s += size;
	}
	*out_n = (size_t)(w - out);
	return out;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Length of the key at S, 0 where there is none. Inside a word ("risk-assessment") only what cannot
 * be anything else is one. */
static size_t key_length(const char *s, bool in_word)
{
	size_t n = 3;

	if (!text_starts(s, "sk-") ||
	    (in_word && !text_starts(s, "sk-ant-") && !text_starts(s, "sk-proj-")))
		return 0;
	while (is_word(s[n]) || s[n] == '-' || s[n] == '_')
		n++;
	return n >= 11 ? n : 0;
}

/* Length of the hidden text that S begins with, 0 where it begins with none. */
static size_t hidden_length(const char *s)
{
	size_t longest = 0;

	for (size_t i = 0; i < HIDDEN_MAX; i++) {
		size_t n = hidden[i] && *hidden[i] == *s ? strlen(hidden[i]) : 0;

		if (n > longest && strncmp(s, hidden[i], n) == 0)
			longest = n;
	}
	return longest;
}

static bool hides(const char *s)
{
	for (size_t i = 0; i < HIDDEN_MAX; i++)
		if (hidden[i] && strstr(s, hidden[i]))
			return true;
	return false;
}

void text_hide(const char *secret)
{
	size_t n = secret ? strlen(secret) : 0;
	char **place = &hidden[hidden_next % HIDDEN_MAX];

	if (n < HIDDEN_MIN || hidden_length(secret) == n)
		return;
	free(*place);
	*place = strdup(secret);
	hidden_next++;
}

const char *text_mask_keys(struct arena *a, const char *s)
{
	const char *from = s;
	char *out, *w;

	if (!strstr(s, "sk-") && !hides(s))
		return s;
	/* A secret is longer than its mask. */
	out = w = arena_alloc(a, strlen(s) + 1);
	while (*s) {
		size_t n = hidden_length(s);

		if (!n)
			n = key_length(s, s > from && is_word(s[-1]));
		if (n) {
			memcpy(w, "sk-***", 6);
			w += 6;
			s += n;
		} else {
			*w++ = *s++;
		}
	}
	*w = '\0';
	return out;
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool text_to_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	char *end;
	long long v;

	if (!((*s >= '0' && *s <= '9') || (*s == '-' && s[1] >= '0' && s[1] <= '9')))
		return false;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno || *end || v < min || v > max)
		return false;
	*out = v;
	return true;
}
