/* Error records and the table from codes to HTTP statuses. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/text.h"

static const struct {
	const char *name;
	int status;
} RCS[] = {
	[RC_OK] = { "ok", 200 },
	[RC_INVALID] = { "invalid", 400 },
	[RC_DENIED] = { "denied", 403 },
	[RC_NOTFOUND] = { "not-found", 404 },
	[RC_CONFLICT] = { "conflict", 409 },
	[RC_TOOLARGE] = { "too-large", 413 },
	[RC_LIMIT] = { "limit", 429 },
	[RC_BUSY] = { "busy", 503 },
	[RC_FULL] = { "disk-full", 507 },
	[RC_UPSTREAM] = { "upstream", 500 },
	[RC_TIMEOUT] = { "timeout", 500 },
	[RC_CANCELLED] = { "cancelled", 500 },
	[RC_FENCED] = { "fenced", 500 },
	[RC_IO] = { "io", 500 },
	[RC_CORRUPT] = { "corrupt", 500 },
	[RC_BUG] = { "bug", 500 },
};

/* A text that was cut must not end in half a character. */
static void drop_half(char *s, size_t size)
{
	size_t n = strlen(s), start = n;

	if (n + 1 < size || !n)
		return;
	while (start && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start)
		start--;
	if (!text_is_utf8(s + start, n - start))
		s[start] = '\0';
}

enum rc err_set(struct err *e, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (e->rc)
		return e->rc;
	e->rc = rc;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	drop_half(e->msg, sizeof e->msg);
	return rc;
}

enum rc err_internal(struct err *e, enum rc rc, const char *fmt, ...)
{
	va_list ap;

	if (e->rc)
		return e->rc;
	e->rc = rc;
	snprintf(e->msg, sizeof e->msg, "Internal server error");
	va_start(ap, fmt);
	vsnprintf(e->cause, sizeof e->cause, fmt, ap);
	va_end(ap);
	return rc;
}

void err_clear(struct err *e)
{
	*e = (struct err){ 0 };
}

const char *err_text(const struct err *e)
{
	return e->whole ? e->whole : e->msg;
}

int rc_http_status(enum rc rc)
{
	return (unsigned)rc < COUNT(RCS) ? RCS[rc].status : 500;
}

const char *rc_name(enum rc rc)
{
	return (unsigned)rc < COUNT(RCS) ? RCS[rc].name : "?";
}
