/* stagent-extract KIND: the text of the file on standard input to standard output. It is started by
 * the job runner, which has set its limits; where it fails it says why on standard error, in one
 * line. */
#include <errno.h>
#include <unistd.h>

#include "jobrunner/extract/extract_int.h"

static const struct {
	const char *kind;
	enum rc (*fn)(int fd, struct out *o, struct err *e);
} KINDS[] = {
	{ "text", extract_plain },
	{ "csv", extract_csv },
	{ "pdf", extract_pdf },
	{ "image", extract_image },
	{ "word", extract_word },
	{ "slides", extract_slides },
	{ "sheets", extract_sheets },
	{ "rows", extract_rows },
	{ "thumbnail", extract_thumbnail },
};

static bool to_stdout(void *arg UNUSED, const char *data, size_t n)
{
	while (n) {
		ssize_t w = write(STDOUT_FILENO, data, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		data += w;
		n -= (size_t)w;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct out o;
	enum rc rc = RC_BUG;

	out_init(&o, to_stdout, NULL);
	for (size_t i = 0; argc == 2 && i < COUNT(KINDS); i++)
		if (strcmp(argv[1], KINDS[i].kind) == 0)
			rc = KINDS[i].fn(STDIN_FILENO, &o, &e);
	if (rc == RC_BUG && !e.rc)
		err_set(&e, RC_BUG, "usage: stagent-extract KIND <FILE");
	if (!out_end(&o) && !e.rc)
		err_set(&e, RC_IO, "the text cannot be written: %s", strerror(errno));
	if (!e.rc)
		return 0;
	fprintf(stderr, "%s\n", e.msg);
	return 1;
}
