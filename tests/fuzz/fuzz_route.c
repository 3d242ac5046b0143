/* A request line, METHOD PATH?QUERY: it comes to a row of the route table with the segments that its
 * path names, or to an answer that says why not; where it is sent elsewhere, it is sent to this
 * server and only once. Query values are what their escapes stand for, and never empty. */
#include "fcgi/route.h"
#include "tests/fuzz/fuzz.h"

static const char *const METHODS[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
	"BREW" };

static size_t segments(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] != '\0';
	return n;
}

static void begin(struct request *rq, struct arena *a, const char *method, char *uri)
{
	char *q = strchr(uri, '?');

	*rq = (struct request){ .cx = { .arena = a }, .method = method, .uri = uri, .path = uri,
		.query = q ? q + 1 : "", .head = strcmp(method, "HEAD") == 0 };
	if (q)
		*q = '\0';
}

static void check_found(const struct request *rq)
{
	require(rq->route && segments(rq->route->path) == rq->n_segments);
	require(strcmp(rq->route->method, rq->head ? "GET" : rq->method) == 0);
	require((strchr(rq->route->path, '{') != NULL) == (rq->id != NULL));
	for (size_t i = 0; i < rq->n_segments; i++)
		require(text_is_utf8(rq->segments[i], strlen(rq->segments[i])));
}

static void check_moved(struct arena *a, const struct request *rq)
{
	struct request again;
	bool done;

	require(rq->location[0] == '/' && rq->location[1] != '/');
	require(!strpbrk(rq->location, "\r\n") || strpbrk(rq->uri, "\r\n") ||
	    strpbrk(rq->query, "\r\n"));
	begin(&again, a, rq->method, arena_strdup(a, rq->location));
	require(strcmp(again.query, rq->query) == 0);
	route_find(&again, &done);
	require(!again.location);
	buf_fini(&again.out);
}

static void check_query(struct request *rq)
{
	static const char *const KEYS[] = { "a", "status", "taskId", "limit", "type" };

	for (size_t i = 0; i < COUNT(KEYS); i++) {
		const char *value = query_get(rq, KEYS[i]);

		require(!value || (*value && strlen(value) <= strlen(rq->query)));
		require(query_flag(rq, KEYS[i]) == (value && strcmp(value, "true") == 0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(FUZZ_ARENA_MAX);
	const char *text = (const char *)data + 1;
	struct request rq;
	bool done;
	enum rc rc;

	if (size && size < 1 << 16) {
		begin(&rq, a, METHODS[data[0] % COUNT(METHODS)],
		    fuzz_line(a, &text, (const char *)data + size));
		rc = route_find(&rq, &done);
		if (rc != RC_OK)
			require(!done && *rq.cx.err.msg);
		else if (!done)
			check_found(&rq);
		else if (rq.location)
			check_moved(a, &rq);
		else
			require(rq.allow && strstr(rq.allow, "OPTIONS"));
		check_query(&rq);
		buf_fini(&rq.out);
	}
	arena_free(a);
	return 0;
}
