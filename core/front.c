/* Front matter, line by line. It is no YAML here: other programs write what they like. */
#include "core/front.h"

#include "core/text.h"

/* The length of the line at S with its end. */
static size_t line_length(const char *s)
{
	size_t n = strcspn(s, "\n");

	return n + (s[n] == '\n');
}

static bool is_rule(struct arena *a, const char *s, size_t n)
{
	return n >= 3 && n < 64 && memcmp(s, "---", 3) == 0 &&
	       text_is_blank(arena_strndup(a, s + 3, n - 3));
}

const char *front_block(struct arena *a, const char *text, const char **rest)
{
	size_t n = line_length(text);
	const char *from = text + n, *p = from;

	if (!is_rule(a, text, n))
		return NULL;
	for (; *p; p += n) {
		n = line_length(p);
		if (is_rule(a, p, n)) {
			*rest = p + n;
			return arena_strndup(a, from, (size_t)(p - from));
		}
	}
	return NULL;
}

const char *front_line(struct arena *a, const char *text, const char *key)
{
	const char *rest, *p = front_block(a, text, &rest);

	for (; p && *p; p += line_length(p)) {
		size_t n = strcspn(p, "\n");
		const char *colon = memchr(p, ':', n), *value;

		if (!colon ||
		    strcmp(text_trim(a, arena_strndup(a, p, (size_t)(colon - p))), key) != 0)
			continue;
		value = text_trim(a, arena_strndup(a, colon + 1, (size_t)(p + n - colon - 1)));
		if (*value)
			return value;
	}
	return NULL;
}
