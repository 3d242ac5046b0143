/* Files as answers. */
#include "fcgi/reply_file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/text.h"

#define BLOCK	     65536
#define NAME_MAX_SENT 1024u /* bytes: the web server takes only so much of headers */
#define TYPE_MAX     255u
#define NOT_PLAIN    "\"\\/"

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

static const char *last_part(const char *name)
{
	const char *from = name;

	for (const char *s = name; *s; s++)
		if (*s == '/' || *s == '\\')
			from = s + 1;
	return from;
}

/* NAME with one underscore for each character that is not printable ASCII, or that quoting would
 * need. */
static const char *ascii_name(struct arena *a, const char *name)
{
	char *out = arena_strdup(a, name), *w = out;

	for (const char *s = name; *s; s++)
		if (((unsigned char)*s & 0xc0) != 0x80)
			*w++ = *s >= 0x20 && *s <= 0x7e && !strchr(NOT_PLAIN, *s) ? *s : '_';
	*w = '\0';
	return out;
}

static const char *encoded_name(struct arena *a, const char *name)
{
	static const char KEPT[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	static const char HEX[] = "0123456789ABCDEF";
	char *out = arena_alloc(a, 3 * strlen(name) + 1), *w = out;

	for (const unsigned char *s = (const unsigned char *)name; *s; s++) {
		if (strchr(KEPT, *s)) {
			*w++ = (char)*s;
			continue;
		}
		*w++ = '%';
		*w++ = HEX[*s >> 4];
		*w++ = HEX[*s & 15];
	}
	return out;
}

static const char *disposition_of(struct arena *a, bool shown, const char *name)
{
	const char *kind = shown ? "inline" : "attachment", *part;
	size_t n = strlen(name);

	if (n > NAME_MAX_SENT)
		for (n = NAME_MAX_SENT; ((unsigned char)name[n] & 0xc0) == 0x80;)
			n--;
	part = arena_strndup(a, name, n);
	if (is_plain(part) && !strpbrk(part, NOT_PLAIN))
		return arena_printf(a, "%s; filename=\"%s\"", kind, part);
	return arena_printf(a, "%s; filename=\"%s\"; filename*=UTF-8''%s", kind,
	    ascii_name(a, part), encoded_name(a, part));
}

const char *disposition(struct arena *a, bool shown, const char *name)
{
	return disposition_of(a, shown, last_part(name));
}

static void send_head(struct request *rq, const struct file_reply *f, int64_t size)
{
	bool valid = *f->type && strlen(f->type) <= TYPE_MAX && is_plain(f->type) &&
	    *f->type != ' ';
	const char *head = arena_printf(rq->cx.arena,
	    "Status: 200 OK\r\nContent-Type: %s\r\nContent-Disposition: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\nContent-Length: %lld\r\n\r\n",
	    valid ? f->type : "application/octet-stream",
	    disposition_of(rq->cx.arena, f->shown, f->whole ? f->name : last_part(f->name)),
	    (long long)size);

	rq->status = 200;
	rq->sent = true;
	FCGX_PutStr(head, (int)strlen(head), rq->fcgi->out);
}

/* Sends SIZE bytes; what the file lacks of that when it is read is known only when the headers are
 * out, so that the client sees an answer that is cut. */
static void send_body(struct request *rq, int fd, int64_t size)
{
	static char block[BLOCK];

	while (size > 0) {
		ssize_t n = read(fd, block, size < BLOCK ? (size_t)size : BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_warn(
			    "%s: the file ends %lld bytes too early", rq->uri, (long long)size);
			return;
		}
		if (FCGX_PutStr(block, (int)n, rq->fcgi->out) != (int)n)
			return;
		size -= n;
	}
}

enum rc reply_file(struct request *rq, const struct file_reply *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0) {
		close(f->fd);
		return err_internal(&rq->cx.err, RC_IO, "%s", strerror(errno));
	}
	send_head(rq, f, st.st_size);
	if (!rq->head)
		send_body(rq, f->fd, st.st_size);
	close(f->fd);
	return RC_OK;
}
