/* What protects an API without passwords on a person's own machine: only the configured names are
 * answered (a name that a stranger's DNS points at us is not), and nothing that changes state is
 * taken from another site's page. */
#include <strings.h>

#include "core/text.h"
#include "fcgi/route.h"

/* Length of the name in front of a port; a bracketed IPv6 address keeps its brackets. */
static size_t name_length(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;

	return end ? (size_t)(end + 1 - host) : strcspn(host, ":");
}

enum rc guard_host(struct request *rq)
{
	size_t n = name_length(rq->host);

	for (const char *p = rq->cx.conf->http_hosts; *p;) {
		size_t len;

		p += strspn(p, " \t,");
		len = strcspn(p, " \t,");
		if (len && len == n && strncasecmp(p, rq->host, n) == 0)
			return RC_OK;
		p += len;
	}
	rq->cx.err.status = 421;
	return ctx_fail(&rq->cx, RC_DENIED, "Host not allowed");
}

enum rc guard_origin(struct request *rq)
{
	const char *o = rq->origin;

	if (rq->route->flags & R_FOREIGN)
		return RC_OK;
	if (strcmp(rq->fetch_site, "cross-site") == 0)
		goto refuse;
	if (!*o)
		return RC_OK;
	if (text_starts(o, "http://"))
		o += 7;
	else if (text_starts(o, "https://"))
		o += 8;
	else
		goto refuse;
	if (strcasecmp(o, rq->host) == 0)
		return RC_OK;
refuse:
	return ctx_fail(&rq->cx, RC_DENIED, "Cross-origin request refused");
}
