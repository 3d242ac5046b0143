/* HTTP calls to model providers: libcurl, one call at a time in a run's process, cancellable at any
 * moment, with bounds on everything that comes in. Retries as in the wire protocols. */
#ifndef JOBRUNNER_HTTP_H
#define JOBRUNNER_HTTP_H

#include "core/arena.h"
#include "core/err.h"

#define HTTP_REQUEST_MAX ((size_t)32 << 20)

struct http;

/* CANCEL_FD is watched during every wait; readable means: stop now (RC_CANCELLED). -1: none. */
struct http *http_new(int cancel_fd);
void http_free(struct http *h);

/* Receives the body of a 2xx answer piece by piece; false breaks the call off, for good where the
 * request has no `acted`, else as a broken connection would. */
typedef bool (*http_sink)(void *arg, const char *data, size_t n);

struct http_request {
	const char *url;
	const char *const *headers; /* "name: value", NULL at the end */
	const char *body;           /* NULL: GET */
	size_t body_len;
	http_sink sink;
	void *sink_arg;
	/* Whether something was received that forbids a repetition; asked before each one. */
	bool (*acted)(void *arg);
	/* Whether the 2xx answer is complete, however the connection ends; NULL: it is where the
	 * transfer ended well. What is not complete counts as a broken connection. */
	bool (*whole)(void *arg);
	/* Called before each repetition, to forget what a broken try has left. */
	void (*restart)(void *arg);
	long connect_timeout_ms; /* 0: 15 s */
	long idle_timeout_ms;    /* without a byte; 0: 10 min */
	long first_timeout_ms;   /* the same before the answer begins; 0: as idle_timeout_ms */
	long total_timeout_ms;   /* 0: none */
	int repeats;             /* at most so many; the protocols say 2 */
	int redirects;           /* at most so many are followed, by the same protocol */
	bool keep_server_errors; /* a 500 with a body is final (Ollama) */
	const char *final_word;  /* an error whose body has it is final; NULL: none */
};

struct http_answer {
	long status;             /* 0: no answer */
	char request_id[128];    /* header request-id or x-request-id */
	/* Of a status >= 300, up to 64 KiB, as UTF-8 with masked keys; in the arena; never NULL. */
	char *error_body;
	const char *redirect;    /* where a redirect that was not followed leads, or NULL */
	bool context_exceeded;   /* set by adapters */
	/* The headers x-ratelimit-remaining and x-ratelimit-reset; -1 where they are no numbers. */
	int64_t rate_left, rate_reset_s;
};

/* Does the call. RC_OK for a 2xx answer that was received whole. Else E has the error text of the
 * protocols ("HTTP STATUS TYPE: MESSAGE", or curl's words), keys masked, and *ANS what is known.
 * RC_CANCELLED when the cancel descriptor became readable. */
enum rc http_call(struct http *h, struct arena *a, const struct http_request *rq,
    struct http_answer *ans, struct err *e);

/* Notes "HTTP STATUS TYPE: MESSAGE (request-id ID)", masked and cut to fit, as RC_UPSTREAM: for
 * errors that a provider reports inside of a 2xx answer. TYPE may be NULL. */
enum rc http_fail(struct arena *a, const struct http_answer *ans, long status, const char *type,
    const char *message, struct err *e);

#endif
