/* Query strings, bodies and answers over libfcgi. */
#include "fcgi/request.h"

#include <stdio.h>
#include <unistd.h>

#include "core/log.h"
#include "core/text.h"

/* An answer up to this size is sent with its length; a longer one leaves in pieces of it. */
#define PIECE ((size_t)64 << 10)
/* The largest answer that is kept whole. */
#define WHOLE ((size_t)16 << 20)

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool url_decode(struct arena *a, const char *s, size_t n, char **out)
{
	char *w = *out = arena_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++) {
		if (s[i] != '%') {
			*w++ = s[i];
			continue;
		}
		if (i + 2 >= n || hex(s[i + 1]) < 0 || hex(s[i + 2]) < 0)
			return false;
		*w = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
		if (!*w++)
			return false;
		i += 2;
	}
	return text_is_utf8(*out, (size_t)(w - *out));
}

/* Form decoding: '+' is a blank; broken escapes stay as they are, and so does that of a zero byte,
 * which no text of ours can hold. */
static char *form_decode(struct arena *a, const char *s, size_t n)
{
	char *out = arena_alloc(a, n + 1), *w = out;

	for (size_t i = 0; i < n; i++) {
		char c = '\0';

		if (s[i] == '%' && i + 2 < n && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0)
			c = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
		if (c)
			i += 2;
		else
			c = s[i] == '+' ? ' ' : s[i];
		*w++ = c;
	}
	return out;
}

const char *query_get_raw(struct request *rq, const char *key)
{
	for (const char *p = rq->query; *p;) {
		size_t n = strcspn(p, "&"), k = strcspn(p, "=&");

		if (k && strcmp(form_decode(rq->cx.arena, p, k), key) == 0)
			return k < n ? form_decode(rq->cx.arena, p + k + 1, n - k - 1) : "";
		p += n + (p[n] == '&');
	}
	return NULL;
}

const char *query_get(struct request *rq, const char *key)
{
	const char *value = query_get_raw(rq, key);

	return value && *value ? value : NULL;
}

bool query_flag(struct request *rq, const char *key)
{
	const char *v = query_get(rq, key);

	return v && strcmp(v, "true") == 0;
}

enum rc request_body(struct request *rq, size_t max, char **text, size_t *n)
{
	struct buf b;
	char *piece;
	int got;

	if (rq->content_length > (int64_t)max)
		return ctx_fail(&rq->cx, RC_TOOLARGE, "Request body too large");
	buf_init(&b, max + 1);
	while ((piece = buf_reserve(&b, 8192 < max + 1 - b.len ? 8192 : max + 1 - b.len)) &&
	       b.len <= max && (got = FCGX_GetStr(piece, (int)(b.cap - b.len - 1), rq->fcgi->in)) > 0)
		b.len += (size_t)got;
	if (b.len > max) {
		buf_fini(&b);
		return ctx_fail(&rq->cx, RC_TOOLARGE, "Request body too large");
	}
	*n = b.len;
	*text = arena_strndup(rq->cx.arena, buf_text(&b), b.len);
	buf_fini(&b);
	if (rq->content_length >= 0 && (int64_t)*n < rq->content_length)
		return ctx_fail(&rq->cx, RC_INVALID, "Request body is incomplete");
	return RC_OK;
}

enum rc request_json_lenient(struct request *rq)
{
	char *text;
	size_t n;
	enum rc rc = request_body(rq, (size_t)rq->cx.conf->http_body_max, &text, &n);

	if (rc == RC_OK)
		rq->in = json_read(rq->cx.arena, text, n);
	return rc;
}

enum rc request_json(struct request *rq)
{
	enum rc rc = request_json_lenient(rq);

	if (rc == RC_OK && !rq->in)
		rc = ctx_fail(&rq->cx, RC_INVALID, "Invalid JSON body");
	return rc;
}

enum rc request_cells(struct request *rq)
{
	char *text;
	size_t n;
	enum rc rc = request_body(rq, (size_t)rq->cx.conf->http_body_max, &text, &n);

	if (rc == RC_OK && !(rq->in = json_read_cells(rq->cx.arena, text, n)))
		rc = ctx_fail(&rq->cx, RC_INVALID, "Invalid JSON body");
	return rc;
}

static const char *reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} R[] = { { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
		{ 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 409, "Conflict" },
		{ 413, "Content Too Large" }, { 421, "Misdirected Request" },
		{ 429, "Too Many Requests" }, { 500, "Internal Server Error" },
		{ 503, "Service Unavailable" }, { 507, "Insufficient Storage" } };

	for (size_t i = 0; i < COUNT(R); i++)
		if (R[i].status == status)
			return R[i].text;
	return "";
}

/* The header block; LENGTH is -1 where the body's size is not known yet. */
static void send_headers(struct request *rq, int64_t length)
{
	char head[1024];
	int n = snprintf(head, sizeof head, "Status: %d %s\r\n", rq->status, reason(rq->status));

	if (rq->status != 204 && rq->status != 308)
		n += snprintf(head + n, sizeof head - (size_t)n,
		    "Content-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
		    "Cache-Control: no-store\r\n");
	if (rq->status == 503)
		n += snprintf(head + n, sizeof head - (size_t)n, "Retry-After: 1\r\n");
	if (rq->allow)
		n += snprintf(head + n, sizeof head - (size_t)n, "Allow: %s\r\n", rq->allow);
	if (rq->next_cursor)
		n += snprintf(head + n, sizeof head - (size_t)n, "X-Next-Cursor: %s\r\n",
		    rq->next_cursor);
	if (length >= 0 && rq->status != 204)
		n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %lld\r\n",
		    (long long)length);
	FCGX_PutStr(head, n, rq->fcgi->out);
	if (rq->location) {
		FCGX_PutS("Location: ", rq->fcgi->out);
		FCGX_PutS(rq->location, rq->fcgi->out);
		FCGX_PutS("\r\n", rq->fcgi->out);
	}
	FCGX_PutStr("\r\n", 2, rq->fcgi->out);
	rq->sent = true;
}

static bool send_piece(void *arg, const char *data, size_t n)
{
	struct request *rq = arg;

	if (!rq->sent)
		send_headers(rq, -1);
	return rq->head || FCGX_PutStr(data, (int)n, rq->fcgi->out) == (int)n;
}

void reply_keep_whole(struct request *rq)
{
	rq->out.max = WHOLE;
}

struct jw *reply(struct request *rq, int status)
{
	rq->status = status;
	if (!rq->out.max)
		rq->out.max = PIECE;
	buf_clear(&rq->out);
	buf_set_sink(&rq->out, send_piece, rq);
	rq->w = jw_on(&rq->out);
	return &rq->w;
}

enum rc reply_success(struct request *rq)
{
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_kbool(w, "success", true);
	jw_end_obj(w);
	return RC_OK;
}

enum rc reply_ok(struct request *rq, int status)
{
	struct jw *w = reply(rq, status);

	jw_obj(w);
	jw_kbool(w, "ok", true);
	jw_end_obj(w);
	return RC_OK;
}

void reply_error(struct request *rq)
{
	const struct err *e = &rq->cx.err;
	int status = e->status ? e->status : rc_http_status(e->rc);
	struct jw *w;

	if (e->cause[0])
		log_msg(status >= 500 ? LOG_ERROR : LOG_WARN, "%s %s: %s: %s", rq->method, rq->uri,
		    rc_name(e->rc), e->cause);
	if (rq->sent)
		return;
	w = reply(rq, status);
	if (e->body) {
		jw_raw(w, e->body, strlen(e->body));
		return;
	}
	jw_obj(w);
	jw_kstr(w, "error", err_text(e));
	jw_end_obj(w);
}

enum rc reply_through_hub(struct request *rq, struct hub_ticket *t)
{
	enum rc rc;

	t->fcgi_id = (uint16_t)rq->fcgi->requestId;
	t->head = rq->head;
	rc = hub_pass(rq->cx.conf->run_dir, rq->fcgi->ipcFd, t);
	if (rc != RC_OK)
		return ctx_fail(&rq->cx, rc, "Too many streams");
	rq->passed = true;
	return RC_OK;
}

void reply_finish(struct request *rq)
{
	if (rq->passed)
		return;
	if (!rq->sent)
		send_headers(rq, (int64_t)rq->out.len);
	buf_flush(&rq->out);
	if (rq->out.max != PIECE)
		buf_fini(&rq->out);
	rq->out.max = PIECE;
}
