/* The route table's row, and how a path finds its row. Adding an endpoint is a row in routes.c. */
#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include "core/model/models.h"
#include "fcgi/request.h"

enum {
	R_JSON = 1,    /* takes a JSON body that the handler itself checks; a shape only describes it */
	R_LIST = 2,    /* answers an array of the model */
	R_CREATED = 4, /* answers 201 */
	R_STREAM = 8,  /* an event stream */
	R_ACCEPTED = 16, /* answers 202 */
	R_FOREIGN = 32, /* called by other sites: no origin check */
	R_FILE = 128,   /* answers a file, of whatever type */
	R_EMPTY = 256,  /* answers 204 */
	R_LATE = 64,    /* the handler takes the body itself; the shape only describes it */
	R_SECRET = 128, /* the body has a secret: the worker that has seen it ends, its memory with it */
};

struct param {
	const char *name, *doc;
};

struct route {
	const char *method, *path; /* {name} stands for any one segment */
	const char *op;            /* operation id */
	enum rc (*handler)(struct request *rq);
	const struct shape *body;  /* checked before the handler runs (not R_JSON); NULL: none is read */
	const struct model *model; /* of the answer; NULL: an object of its own */
	unsigned flags;
	const char *doc;
	const struct param *query; /* documented query keys, NULL name at the end; or NULL */
	const char *reply; /* JSON Schema of an answer that is not simply the model; or NULL */
	const char *form;  /* JSON Schema of the body, a multipart form; or NULL */
};

/* Every operation there is (routes.c). */
extern const struct route ROUTES[];
extern const size_t ROUTES_N;

/* Splits the path, follows the routing rules of the interface, and fills rq->route, or says why
 * not: RC_NOTFOUND, RC_INVALID (malformed), or an answer that is complete already (308, 204, 405),
 * for which *DONE is set. */
enum rc route_find(struct request *rq, bool *done);

/* Looks at Host, Origin and Sec-Fetch-Site before anything else happens. */
enum rc guard_host(struct request *rq);
enum rc guard_origin(struct request *rq);

#endif
