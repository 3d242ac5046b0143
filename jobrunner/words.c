/* Words of a text. */
#include "jobrunner/words.h"

#include <strings.h>

#define BLANKS " \t\r\n\v\f"

bool word_next(const char **s, struct word *out)
{
	*s += strspn(*s, BLANKS);
	out->s = *s;
	out->n = strcspn(*s, BLANKS);
	*s += out->n;
	return out->n > 0;
}

int word_compare(const void *pa, const void *pb)
{
	const struct word *a = pa, *b = pb;
	int c = strncasecmp(a->s, b->s, a->n < b->n ? a->n : b->n);

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

size_t word_set(const char *text, struct word *out, size_t max)
{
	size_t n = 0, kept = 0;

	while (n < max && word_next(&text, &out[n]))
		n++;
	qsort(out, n, sizeof *out, word_compare);
	for (size_t i = 0; i < n; i++)
		if (!kept || word_compare(&out[kept - 1], &out[i]) != 0)
			out[kept++] = out[i];
	return kept;
}
