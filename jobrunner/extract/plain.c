/* Texts as they are: what is not UTF-8 becomes U+FFFD. */
#include "core/text.h"
#include "jobrunner/extract/extract_int.h"

#define MARK   "\xef\xbb\xbf"
#define MARK_N 3u

/* At most 4 bytes a unit are needed. */
#define READ_MAX ((size_t)4 * EXTRACT_UNITS_MAX)

static enum rc extract(int fd, struct out *o, bool without_mark, struct err *e)
{
	struct buf repaired;
	char *data;
	size_t n, skip;
	enum rc rc = extract_read(fd, READ_MAX, &data, &n, e);

	if (rc == RC_OK) {
		skip = without_mark && n >= MARK_N && memcmp(data, MARK, MARK_N) == 0 ? MARK_N : 0;
		buf_init(&repaired, 3 * READ_MAX);
		text_repair(&repaired, data ? data + skip : "", n - skip);
		if (repaired.failed)
			rc = err_set(e, RC_TOOLARGE, "Out of memory");
		out_add(o, buf_text(&repaired), repaired.len);
		buf_fini(&repaired);
	}
	free(data);
	return rc;
}

enum rc extract_plain(int fd, struct out *o, struct err *e)
{
	return extract(fd, o, false, e);
}

enum rc extract_csv(int fd, struct out *o, struct err *e)
{
	return extract(fd, o, true, e);
}
