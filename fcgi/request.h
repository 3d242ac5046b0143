/* One request as handlers see it: what was asked, checked and parsed, and the answer being made. */
#ifndef FCGI_REQUEST_H
#define FCGI_REQUEST_H

#include <fcgiapp.h>
#include "core/ctx.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "fcgi/hub.h"

#define SEGMENTS_MAX 12

struct route;

struct request {
	struct ctx cx;
	FCGX_Request *fcgi;
	const char *method, *uri; /* as they came */
	const char *path, *query; /* without the query; behind the '?' or "" */
	const char *host, *origin, *fetch_site, *last_event_id, *request_id;
	const char *content_type;
	int64_t content_length; /* -1: not said */
	char *segments[SEGMENTS_MAX]; /* of the path, percent-decoded */
	size_t n_segments;
	const struct route *route;
	const char *id;  /* the path's first variable segment, or NULL */
	const char *id2; /* the second */
	const json_t *in; /* the body, valid by the route's shape; NULL where none is taken */
	bool head;

	/* The answer. */
	int status;
	struct buf out;
	struct jw w;
	const char *allow, *location, *next_cursor;
	bool sent;    /* headers are out */
	bool passed;  /* the hub has the connection */
	int64_t started_us;
};

/* The first value of a query key, decoded; NULL where it is missing or empty. */
const char *query_get(struct request *rq, const char *key);
/* The same, with "" for an empty one. */
const char *query_get_raw(struct request *rq, const char *key);
/* Whether its text is exactly "true". */
bool query_flag(struct request *rq, const char *key);
/* Decodes percent escapes into the arena; false where one is malformed, or the text no UTF-8. */
bool url_decode(struct arena *a, const char *s, size_t n, char **out);

/* Reads at most MAX bytes of the body; RC_TOOLARGE above. */
enum rc request_body(struct request *rq, size_t max, char **text, size_t *n);

/* Reads the body as JSON into rq->in. */
enum rc request_json(struct request *rq);
/* The same where a body that is missing or not JSON counts as an empty one: rq->in is NULL then. */
enum rc request_json_lenient(struct request *rq);

/* As request_json, for a body with cells of users' tables (json_read_cells). */
enum rc request_cells(struct request *rq);

/* Begins a JSON answer with this status; write the value to rq->w. */
struct jw *reply(struct request *rq, int status);
/* Before reply(): the answer is kept whole until its end, so that headers can be decided then. */
void reply_keep_whole(struct request *rq);
/* {"success":true} */
enum rc reply_success(struct request *rq);
/* {"ok":true} */
enum rc reply_ok(struct request *rq, int status);
/* The answer for a failure: rq->cx.err decides. */
void reply_error(struct request *rq);
/* Hands the connection to the hub; the handler then returns RC_OK. */
enum rc reply_through_hub(struct request *rq, struct hub_ticket *t);
/* Sends what is there. Called once, after the handler. */
void reply_finish(struct request *rq);

#endif
