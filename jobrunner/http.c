/* Provider calls over libcurl: one multi handle that keeps connections between the calls of a run,
 * one easy handle a try, and around the tries the repetition rules of the wire protocols.
 *
 * Promises: http and https only, no redirects, certificates are checked; no wait outlasts the
 * cancel descriptor; every try sends the same bytes; texts that leave here are UTF-8 and show no
 * keys. What an answer means is left to the adapters. */
#include "jobrunner/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <strings.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"

#define EXIT_NOMEM       83
#define ERROR_BODY_MAX   ((size_t)64 << 10)
#define ERROR_TEXT_UNITS 300
#define TYPE_MAX         120
#define CONNECT_MS       15000
#define IDLE_MS          (10 * 60 * 1000)
#define POLL_MAX_MS      60000
#define SETTLE_MS        2000 /* for the end of a transfer whose answer is whole already */
#define TOLD_MAX_MS      60000
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS   8000

struct http {
	CURLM *multi;
	int cancel_fd;
};

struct attempt {
	const struct http_request *rq;
	CURL *easy;
	CURLcode code;
	long status;
	struct buf error;
	curl_off_t moved; /* bytes in either direction so far */
	int64_t moved_ms;
	bool refused; /* the sink wants no more */
	char text[CURL_ERROR_SIZE];
};

struct http *http_new(int cancel_fd)
{
	struct http *h = calloc(1, sizeof *h);

	if (h && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		*h = (struct http){ curl_multi_init(), cancel_fd };
	if (!h || !h->multi) {
		log_error("out of memory");
		exit(EXIT_NOMEM);
	}
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 2L);
	return h;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	free(h);
}

/* Number of bytes of S that are at most MAX and split no character. */
static int fit(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n > max)
		for (n = max; n && ((unsigned char)s[n] & 0xc0) == 0x80;)
			n--;
	return (int)n;
}

enum rc http_fail(struct arena *a, const struct http_answer *ans, long status, const char *type,
    const char *message, struct err *e)
{
	const char *tail = "", *head;
	size_t used;

	type = text_mask_keys(a, type ? type : "");
	message = text_mask_keys(a, message);
	head = arena_printf(a, "HTTP %ld%s%.*s%s", status, *type ? " " : "", fit(type, TYPE_MAX),
	    type, *message ? ": " : "");
	if (*ans->request_id)
		tail = arena_printf(a, " (request-id %s)", ans->request_id);
	used = strlen(head) + strlen(tail) + 1;
	return err_set(e, RC_UPSTREAM, "%s%.*s%s", head, fit(message, sizeof e->msg - used),
	    message, tail);
}

static bool is_success(long status)
{
	return status >= 200 && status < 300;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct attempt *t = arg;
	size_t room = ERROR_BODY_MAX - t->error.len;

	n *= size;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (is_success(t->status)) {
		t->refused = t->rq->sink && !t->rq->sink(t->rq->sink_arg, data, n);
		return t->refused ? 0 : n;
	}
	buf_add(&t->error, data, n < room ? n : room);
	return n <= room ? n : 0;
}

/* The request's headers for curl; false where one would break out of its line. */
static bool make_headers(const struct http_request *rq, struct curl_slist **out)
{
	/* Bodies go out at once, without waiting for leave. */
	*out = curl_slist_append(NULL, "Expect:");
	for (const char *const *h = rq->headers; h && *h; h++) {
		if (strpbrk(*h, "\r\n"))
			return false;
		*out = curl_slist_append(*out, *h);
	}
	return true;
}

static bool attempt_init(struct attempt *t, const struct http_request *rq,
    struct curl_slist *headers)
{
	CURL *c = curl_easy_init();

	*t = (struct attempt){ .rq = rq, .easy = c, .moved_ms = mono_ms() };
	buf_init(&t->error, ERROR_BODY_MAX);
	if (!c)
		return false;
	curl_easy_setopt(c, CURLOPT_URL, rq->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, rq->redirects > 0 ? 1L : 0L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)rq->redirects);
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR,
	    strncasecmp(rq->url, "https:", 6) == 0 ? "https" : "http");
	curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
	    rq->connect_timeout_ms ? rq->connect_timeout_ms : CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->text);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A cancellation does not wait for a name that is being resolved. */
	curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
#endif
	if (rq->body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body_len);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body);
	}
	return true;
}

static void attempt_fini(struct attempt *t)
{
	curl_easy_cleanup(t->easy);
	buf_fini(&t->error);
}

/* Notes when bytes have moved last. */
static void watch(struct attempt *t, int64_t now)
{
	curl_off_t up = 0, down = 0;
	long head = 0;

	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &head);
	if (up + down + head == t->moved)
		return;
	t->moved = up + down + head;
	t->moved_ms = now;
}

static bool is_whole(const struct attempt *t)
{
	const struct http_request *rq = t->rq;

	if (!is_success(t->status))
		return false;
	return rq->whole ? rq->whole(rq->sink_arg) : t->code == CURLE_OK;
}

static bool is_finished(struct http *h, struct attempt *t)
{
	int left;
	const CURLMsg *m = curl_multi_info_read(h->multi, &left);

	if (m)
		t->code = m->data.result;
	return m != NULL;
}

/* Runs the transfer until it has ended or its time is over. RC_OK says only that it has ended. */
static enum rc drive(struct http *h, struct attempt *t, int64_t deadline, struct err *e)
{
	const struct http_request *rq = t->rq;
	long idle_ms;
	struct curl_waitfd cancel = { .fd = h->cancel_fd, .events = CURL_WAIT_POLLIN };
	unsigned n_fds = h->cancel_fd >= 0;
	int running;

	t->code = CURLE_AGAIN;
	for (;;) {
		int64_t now, end;
		bool settling;

		idle_ms = rq->idle_timeout_ms ? rq->idle_timeout_ms : IDLE_MS;
		if (!t->status && rq->first_timeout_ms)
			idle_ms = rq->first_timeout_ms;
		if (curl_multi_perform(h->multi, &running) != CURLM_OK)
			return err_internal(e, RC_IO, "curl_multi_perform failed");
		if (is_finished(h, t))
			return RC_OK;
		now = mono_ms();
		watch(t, now);
		settling = rq->whole && is_whole(t);
		end = t->moved_ms + (settling ? SETTLE_MS : idle_ms);
		if (settling && now >= end)
			return RC_OK;
		if (now >= deadline)
			return err_set(e, RC_TIMEOUT, "Request timed out");
		if (now >= end)
			return err_set(e, RC_TIMEOUT, "Nothing received for %ld s", idle_ms / 1000);
		end = end < deadline ? end : deadline;
		if (curl_multi_poll(h->multi, &cancel, n_fds,
			end - now < POLL_MAX_MS ? (int)(end - now) : POLL_MAX_MS, NULL) != CURLM_OK)
			return err_internal(e, RC_IO, "curl_multi_poll failed");
		if (n_fds && cancel.revents)
			return err_set(e, RC_CANCELLED, "Cancelled");
	}
}

static enum rc transfer(struct http *h, struct attempt *t, int64_t deadline, struct err *e)
{
	enum rc rc;

	if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK)
		return err_internal(e, RC_IO, "curl_multi_add_handle failed");
	rc = drive(h, t, deadline, e);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &t->status);
	if (t->code == CURLE_AGAIN)
		curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
	curl_multi_remove_handle(h->multi, t->easy);
	return rc;
}

/* Whether the connection failed or broke, so that another try may fare better. */
static bool is_transient(CURLcode code)
{
	switch (code) {
	case CURLE_OK: /* ended well, but before the answer was whole */
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_HTTP3:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

/* The value of a header of the last answer, or "". */
static const char *header(const struct attempt *t, const char *name)
{
	struct curl_header *h;
	CURLHcode code = curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h);

	return code == CURLHE_OK ? h->value : "";
}

static bool may_repeat(const struct attempt *t)
{
	const struct http_request *rq = t->rq;
	const char *should = header(t, "x-should-retry");

	if (rq->acted && rq->acted(rq->sink_arg))
		return false;
	if (t->status < 300)
		return t->refused ? rq->acted != NULL : is_transient(t->code);
	if (t->status < 400 || strcasecmp(should, "false") == 0)
		return false;
	if (rq->final_word && t->error.len &&
	    memmem(t->error.data, t->error.len, rq->final_word, strlen(rq->final_word)))
		return false;
	if (strcasecmp(should, "true") == 0)
		return true;
	if (rq->keep_server_errors && t->status == 500 && t->error.len)
		return false;
	return t->status == 408 || t->status == 409 || t->status == 429 || t->status >= 500;
}

/* A header that is a plain decimal number, in units of SCALE milliseconds; -1 where it is none. */
static int64_t decimal_ms(const char *s, double scale)
{
	char *end;
	double v;

	if (!*s || strspn(s, "0123456789.") != strlen(s))
		return -1;
	v = strtod(s, &end) * scale;
	if (*end)
		return -1;
	return v < 1e15 ? (int64_t)v : (int64_t)1e15;
}

/* The wait that the server asks for; -1 where it does not. */
static int64_t told_ms(const struct attempt *t)
{
	const char *after = header(t, "retry-after");
	int64_t ms = decimal_ms(header(t, "retry-after-ms"), 1);
	time_t date;

	if (ms < 0)
		ms = decimal_ms(after, 1000);
	if (ms < 0 && *after && (date = curl_getdate(after, NULL)) >= 0) {
		ms = (int64_t)date * 1000 - now_ms();
		ms = ms < 0 ? 0 : ms;
	}
	return ms;
}

/* The wait before repetition N (from 0); -1 where the server wants a longer one than we give. */
static int64_t pause_ms(const struct attempt *t, int n)
{
	int64_t told = told_ms(t), ms = BACKOFF_FIRST_MS;
	uint32_t dice;

	if (told >= 0 && told <= TOLD_MAX_MS)
		return told;
	if (told > TOLD_MAX_MS && t->status == 429)
		return -1;
	while (n-- > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	random_bytes(&dice, sizeof dice);
	return ms - (int64_t)(dice % (uint64_t)(ms / 4 + 1));
}

static enum rc wait_ms(const struct http *h, int64_t ms, struct err *e)
{
	struct pollfd p = { .fd = h->cancel_fd, .events = POLLIN };
	int64_t end = mono_ms() + ms;

	do {
		ms = end - mono_ms();
		if (poll(&p, 1, ms > 0 ? (int)ms : 0) > 0)
			return err_set(e, RC_CANCELLED, "Cancelled");
	} while (ms > 0);
	return RC_OK;
}

static int64_t number_header(const struct attempt *t, const char *name)
{
	int64_t v;

	return text_to_int(header(t, name), 0, INT64_MAX, &v) ? v : -1;
}

static void fill_answer(struct arena *a, const struct attempt *t, struct http_answer *ans)
{
	const char *id = header(t, "request-id"), *body;
	char *to = NULL;

	ans->status = t->status;
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	ans->redirect = to ? arena_strdup(a, to) : NULL;
	if (!*id)
		id = header(t, "x-request-id");
	id = text_as_utf8(a, id, strlen(id));
	snprintf(ans->request_id, sizeof ans->request_id, "%.*s",
	    fit(id, sizeof ans->request_id - 1), id);
	body = t->error.len ? text_as_utf8(a, t->error.data, t->error.len) : "";
	ans->error_body = arena_strdup(a, text_mask_keys(a, body));
	ans->rate_left = number_header(t, "x-ratelimit-remaining");
	ans->rate_reset_s = number_header(t, "x-ratelimit-reset");
}

/* The words for a status that is no success, from the body where that has any. */
static enum rc refuse(struct arena *a, const struct http_answer *ans, struct err *e)
{
	const char *body = ans->error_body;
	const json_t *error = json_object_get(json_read_text(a, body), "error");
	const char *type = json_str(error, "type"), *code = json_str(error, "code");
	const char *message = json_is_string(error) ? json_string_value(error)
						    : json_str(error, "message");

	if (type && code && strcmp(type, code) != 0)
		type = arena_printf(a, "%s (%s)", type, code);
	if (!message)
		message = text_cut(a, text_trim(a, body), ERROR_TEXT_UNITS);
	return http_fail(a, ans, ans->status, type ? type : code, message, e);
}

static enum rc fail(struct arena *a, const struct attempt *t, const struct http_answer *ans,
    struct err *e)
{
	const char *text = *t->text ? t->text : curl_easy_strerror(t->code);

	if (t->status >= 300)
		return refuse(a, ans, e);
	if (is_success(t->status) && t->rq->whole)
		return err_set(e, RC_UPSTREAM, "Stream ended unexpectedly");
	text = text_mask_keys(a, text_as_utf8(a, text, strlen(text)));
	return err_set(e, RC_UPSTREAM, "%.*s", fit(text, sizeof e->msg - 1), text);
}

/* One try and its verdict. *AGAIN_MS is the wait before the next one; -1: there is none. */
static enum rc attempt_run(struct http *h, struct arena *a, struct attempt *t, int64_t deadline,
    int n, struct http_answer *ans, int64_t *again_ms, struct err *e)
{
	enum rc rc = transfer(h, t, deadline, e);

	*again_ms = -1;
	fill_answer(a, t, ans);
	if (rc != RC_OK || is_whole(t))
		return rc;
	if (n < t->rq->repeats && may_repeat(t))
		*again_ms = pause_ms(t, n);
	if (*again_ms > deadline - mono_ms())
		*again_ms = -1;
	return fail(a, t, ans, e);
}

/* The tries, until one succeeds or may not be repeated. */
static enum rc attempts(struct http *h, struct arena *a, const struct http_request *rq,
    struct curl_slist *headers, struct http_answer *ans, struct err *e)
{
	int64_t deadline = rq->total_timeout_ms ? mono_ms() + rq->total_timeout_ms : INT64_MAX;
	int64_t again_ms;
	struct attempt t;

	for (int n = 0;; n++) {
		struct err why = { 0 };
		enum rc rc;

		if (!attempt_init(&t, rq, headers))
			return err_internal(e, RC_IO, "no curl handle");
		rc = attempt_run(h, a, &t, deadline, n, ans, &again_ms, &why);
		attempt_fini(&t);
		if (rc != RC_OK && rc != RC_CANCELLED)
			log_warn("provider call: %s%s %s", *why.cause ? why.cause : why.msg,
			    again_ms < 0 ? "" : ", trying again", ans->error_body);
		if (again_ms < 0) {
			if (rc != RC_OK)
				*e = why;
			return rc;
		}
		rc = wait_ms(h, again_ms, e);
		if (rc != RC_OK)
			return rc;
		if (rq->restart)
			rq->restart(rq->sink_arg);
	}
}

enum rc http_call(struct http *h, struct arena *a, const struct http_request *rq,
    struct http_answer *ans, struct err *e)
{
	struct curl_slist *headers = NULL;
	enum rc rc;

	*ans = (struct http_answer){ .error_body = arena_strdup(a, "") };
	if (rq->body && rq->body_len > HTTP_REQUEST_MAX)
		return err_set(e, RC_TOOLARGE, "Request too large");
	rc = wait_ms(h, 0, e);
	if (rc == RC_OK && !make_headers(rq, &headers))
		rc = err_set(e, RC_INVALID, "A request header has a line break in it");
	if (rc == RC_OK)
		rc = attempts(h, a, rq, headers, ans, e);
	curl_slist_free_all(headers);
	return rc;
}
