/* PDF through pdftotext (poppler-utils), which writes the text in the order of the content stream,
 * a form feed behind each page. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uninorm.h>

#include "core/text.h"
#include "jobrunner/extract/extract_int.h"

#define TEXT_MAX     ((size_t)64 << 20)
#define MESSAGES_MAX ((size_t)16 << 10)

/* Starts pdftotext on FD; its output comes from *OUT, its messages go to the file MESSAGES, which
 * never makes it wait. */
static pid_t start(int fd, int *out, int messages)
{
	int text[2];
	pid_t pid;

	if (pipe(text) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fd, STDIN_FILENO);
		dup2(text[1], STDOUT_FILENO);
		dup2(messages, STDERR_FILENO);
		close(text[0]);
		close(text[1]);
		execlp("pdftotext", "pdftotext", "-raw", "-enc", "UTF-8", "-eol", "unix", "-", "-",
		    (char *)NULL);
		_exit(127);
	}
	close(text[1]);
	*out = text[0];
	return pid;
}

/* ---- the text ---- */

/* Whether C is a ligature or a presentation form, which stands for other letters. */
static bool is_form(ucs4_t c)
{
	return (c >= 0xfb00 && c <= 0xfb06) || (c >= 0xfb50 && c <= 0xfdff) ||
	    (c >= 0xfe70 && c <= 0xfefc);
}

/* Adds the N bytes of a line, blanks at its end left out, forms as the letters they stand for. */
static void add_line(struct out *o, const char *s, size_t n)
{
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	for (size_t i = 0, len; i < n; i += len) {
		const unsigned char *u = (const unsigned char *)s + i;
		uint8_t letters[64];
		size_t letters_n = sizeof letters;

		len = *u < 0x80 ? 1 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : 4;
		if (len == 3 && is_form((ucs4_t)(u[0] & 0x0f) << 12 | (ucs4_t)(u[1] & 0x3f) << 6 |
				    (u[2] & 0x3f)) &&
		    u8_normalize(UNINORM_NFKC, u, len, letters, &letters_n))
			out_add(o, (const char *)letters, letters_n);
		else
			out_add(o, s + i, len);
	}
}

/* A page: its lines, those that are empty left out. */
static void add_page(struct out *o, const char *s, size_t n)
{
	bool any = false;

	for (const char *end = s + n; s < end; s++) {
		const char *lf = memchr(s, '\n', (size_t)(end - s));
		size_t len = (size_t)((lf ? lf : end) - s);

		if (strspn(s, " \t") < len) {
			if (any)
				out_str(o, "\n");
			any = true;
			add_line(o, s, len);
		}
		s += len;
	}
}

static size_t count_pages(const char *s, size_t n)
{
	size_t pages = 0;

	for (const char *end = s + n; (s = memchr(s, '\f', (size_t)(end - s))); s++)
		pages++;
	return pages;
}

static void add_pages(struct out *o, const char *s, size_t n)
{
	size_t total = count_pages(s, n);
	const char *end = s + n, *ff;
	char mark[64];

	for (size_t page = 1; page <= total && !o->full; page++, s = ff + 1) {
		ff = memchr(s, '\f', (size_t)(end - s));
		add_page(o, s, (size_t)(ff - s));
		snprintf(mark, sizeof mark, "\n\n-- %zu of %zu --\n\n", page, total);
		out_str(o, mark);
	}
}

/* ---- */

static enum rc explain(const char *messages, struct err *e)
{
	if (strstr(messages, "Incorrect password"))
		return err_set(e, RC_INVALID, "No password given");
	return err_set(e, RC_INVALID, "Invalid PDF structure.");
}

static bool empty_file(int fd)
{
	char c;

	return pread(fd, &c, 1, 0) == 0;
}

/* What pdftotext says of the file FD, in *TEXT and *MESSAGES (for free()); how it ended. */
static enum rc run(int fd, char **text, size_t *n, char **messages, int *status, struct err *e)
{
	int out, words = memfd_create("messages", MFD_CLOEXEC);
	size_t words_n = 0;
	pid_t pid;
	enum rc rc;

	*text = *messages = NULL;
	pid = words < 0 ? -1 : start(fd, &out, words);
	if (pid < 0)
		return err_set(e, RC_IO, "pdftotext cannot be started: %s", strerror(errno));
	rc = extract_read(out, TEXT_MAX, text, n, e);
	close(out);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	if (lseek(words, 0, SEEK_SET) == 0)
		extract_read(words, MESSAGES_MAX, messages, &words_n, e);
	close(words);
	if (*messages && words_n)
		(*messages)[words_n - 1] = '\0';
	return rc;
}

enum rc extract_pdf(int fd, struct out *o, struct err *e)
{
	struct buf repaired;
	char *text, *messages;
	size_t n = 0;
	int status = 0;
	enum rc rc;

	if (empty_file(fd))
		return err_set(
		    e, RC_INVALID, "The PDF file is empty, i.e. its size is zero bytes.");
	rc = run(fd, &text, &n, &messages, &status, e);
	if (rc == RC_OK && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		rc = err_set(e, RC_IO, "pdftotext was not found");
	if (rc == RC_OK && status && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
		rc = explain(messages ? messages : "", e);
	if (rc == RC_OK && !count_pages(text ? text : "", n))
		rc = explain("", e);
	if (rc == RC_OK) {
		buf_init(&repaired, 3 * TEXT_MAX);
		text_repair(&repaired, text, n);
		add_pages(o, buf_text(&repaired), repaired.len);
		buf_fini(&repaired);
	}
	free(text);
	free(messages);
	return rc;
}
