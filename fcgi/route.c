/* From a request line to a row of the route table. */
#include "fcgi/route.h"

#include <stdio.h>

#include "core/text.h"

/* One trailing slash or doubled slashes: where the client should go instead; else NULL. */
static const char *cleaned(struct request *rq)
{
	size_t n = strlen(rq->path);
	char *out, *w;

	if (*rq->path != '/' || (!strstr(rq->path, "//") && !(n > 1 && rq->path[n - 1] == '/')))
		return NULL;
	out = w = arena_alloc(rq->cx.arena, n + strlen(rq->query) + 2);
	for (const char *p = rq->path; *p; p++)
		if (*p != '/' || w == out || w[-1] != '/')
			*w++ = *p;
	if (w > out + 1 && w[-1] == '/')
		*--w = '\0';
	if (*rq->query) {
		*w++ = '?';
		memcpy(w, rq->query, strlen(rq->query));
	}
	return out;
}

static enum rc split(struct request *rq)
{
	const char *p = rq->path;

	while (*p == '/') {
		size_t n = strcspn(++p, "/");

		if (!n && !*p)
			break;
		if (rq->n_segments == SEGMENTS_MAX)
			return ctx_fail(&rq->cx, RC_NOTFOUND, "Not found");
		if (!url_decode(rq->cx.arena, p, n, &rq->segments[rq->n_segments++]))
			return ctx_fail(&rq->cx, RC_INVALID, "Malformed URL");
		p += n;
	}
	return RC_OK;
}

/* Whether the path fits; *VARIABLES gets a bit for each segment that is a variable, the first
 * segment the highest, so that the smaller number is the better fit. */
static bool fits(const struct request *rq, const char *pattern, unsigned *variables)
{
	size_t i = 0;

	*variables = 0;
	while (*pattern == '/') {
		size_t n = strcspn(++pattern, "/");

		if (i == rq->n_segments)
			return false;
		if (*pattern == '{')
			*variables |= 1u << (SEGMENTS_MAX - i);
		else if (strlen(rq->segments[i]) != n || memcmp(rq->segments[i], pattern, n) != 0)
			return false;
		pattern += n;
		i++;
	}
	return i == rq->n_segments;
}

/* The methods of a path, in alphabetical order, with those that come by themselves. */
static const char *allow(struct arena *a, const char *path)
{
	static const char *const ORDER[] = { "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST",
		"PUT" };
	char list[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < COUNT(ORDER); i++) {
		const char *m = strcmp(ORDER[i], "HEAD") == 0 ? "GET" : ORDER[i];
		bool has = strcmp(m, "OPTIONS") == 0;

		for (size_t r = 0; !has && r < ROUTES_N; r++)
			has = strcmp(ROUTES[r].path, path) == 0 && strcmp(ROUTES[r].method, m) == 0;
		if (has)
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
			    ORDER[i]);
	}
	return arena_strdup(a, list);
}

/* Remembers what stands in the places of the variables. */
static void take_variables(struct request *rq, const char *pattern)
{
	size_t i = 0;

	while (*pattern == '/') {
		if (*++pattern == '{') {
			if (!rq->id)
				rq->id = rq->segments[i];
			else
				rq->id2 = rq->segments[i];
		}
		pattern += strcspn(pattern, "/");
		i++;
	}
}

static enum rc by_method(struct request *rq, const char *path, bool *done)
{
	const char *method = rq->head ? "GET" : rq->method;

	for (size_t i = 0; i < ROUTES_N; i++)
		if (strcmp(ROUTES[i].path, path) == 0 && strcmp(ROUTES[i].method, method) == 0) {
			rq->route = &ROUTES[i];
			take_variables(rq, path);
			return RC_OK;
		}
	*done = true;
	rq->allow = allow(rq->cx.arena, path);
	if (strcmp(rq->method, "OPTIONS") == 0) {
		rq->status = 204;
		return RC_OK;
	}
	jw_obj(reply(rq, 405));
	jw_kstr(&rq->w, "error", "Method not allowed");
	jw_end_obj(&rq->w);
	return RC_OK;
}

enum rc route_find(struct request *rq, bool *done)
{
	const char *path = NULL;
	unsigned best = ~0u, variables;
	enum rc rc;

	*done = false;
	rq->location = cleaned(rq);
	if (rq->location) {
		*done = true;
		rq->status = 308;
		return RC_OK;
	}
	if ((rc = split(rq)) != RC_OK)
		return rc;
	for (size_t i = 0; i < ROUTES_N; i++)
		if (ROUTES[i].path != path && fits(rq, ROUTES[i].path, &variables) &&
		    variables < best) {
			best = variables;
			path = ROUTES[i].path;
		}
	if (!path)
		return ctx_fail(&rq->cx, RC_NOTFOUND, "Not found");
	return by_method(rq, path, done);
}
