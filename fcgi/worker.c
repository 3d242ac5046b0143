/* The worker's loop: wait, accept, answer.
 *
 * libfcgi misses SIGTERM while it blocks in accept, so the listening socket does not block and is
 * waited for together with a signalfd; the wait is exclusive, so that a connection wakes one worker
 * and not all of them. */
#include "fcgi/worker.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/id.h"
#include "core/log.h"
#include "core/migrate.h"
#include "core/text.h"
#include "fcgi/master.h"
#include "fcgi/route.h"

#define PEER_TIMEOUT_S 10
/* After a body of this size what it took goes back to the system. */
#define BODY_LARGE (1 << 20)

struct worker {
	const struct conf *conf;
	struct db *db;
	struct arena *arena;
	struct buf out;
	int epoll_fd, signal_fd;
	bool knows_secret; /* R_SECRET */
	FCGX_Request fcgi;
};

static const char *param(FCGX_Request *f, const char *name)
{
	const char *v = FCGX_GetParam(name, f->envp);

	return v ? v : "";
}

/* An id for the logs: the client's, where it is harmless, else a short random one. */
static const char *request_id(struct arena *a, const char *given)
{
	size_t n = strspn(given, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");

	if (n >= 8 && n <= 64 && !given[n])
		return given;
	return arena_strndup(a, id_make(a), 13);
}

static void read_request(struct worker *wk, struct request *rq)
{
	FCGX_Request *f = &wk->fcgi;
	const char *length = param(f, "CONTENT_LENGTH"), *q;
	struct arena *a = wk->arena;

	*rq = (struct request){ .fcgi = f, .status = 200, .out = wk->out, .content_length = -1 };
	rq->cx.arena = a;
	rq->cx.db = wk->db;
	rq->cx.conf = wk->conf;
	rq->method = param(f, "REQUEST_METHOD");
	rq->uri = param(f, "REQUEST_URI");
	rq->host = param(f, "HTTP_HOST");
	rq->origin = param(f, "HTTP_ORIGIN");
	rq->fetch_site = param(f, "HTTP_SEC_FETCH_SITE");
	rq->last_event_id = param(f, "HTTP_LAST_EVENT_ID");
	rq->content_type = param(f, "CONTENT_TYPE");
	rq->request_id = request_id(a, param(f, "HTTP_X_REQUEST_ID"));
	if (*length && !text_to_int(length, 0, INT64_MAX, &rq->content_length))
		rq->content_length = INT64_MAX;
	q = strchr(rq->uri, '?');
	rq->path = q ? arena_strndup(a, rq->uri, (size_t)(q - rq->uri)) : rq->uri;
	rq->query = q ? q + 1 : "";
	rq->head = strcmp(rq->method, "HEAD") == 0;
	ctx_begin(&rq->cx, "api", rq->request_id);
}

/* Reads, parses and checks the body where the operation takes one. */
static enum rc take_body(struct request *rq)
{
	enum rc rc;

	if ((!rq->route->body && !(rq->route->flags & R_JSON)) || rq->route->flags & R_LATE)
		return RC_OK;
	rc = request_json(rq);
	if (rc != RC_OK || !rq->route->body || rq->route->flags & R_JSON)
		return rc;
	return shape_check(rq->cx.arena, rq->route->body, rq->in, &rq->cx.err);
}

static bool changes_state(const struct request *rq)
{
	return strcmp(rq->route->method, "GET") != 0;
}

static enum rc serve(struct request *rq)
{
	bool done;
	enum rc rc = guard_host(rq);

	if (rc == RC_OK)
		rc = route_find(rq, &done);
	if (rc != RC_OK || done)
		return rc;
	if (changes_state(rq) && (rc = guard_origin(rq)) != RC_OK)
		return rc;
	if ((rc = take_body(rq)) != RC_OK)
		return rc;
	rc = rq->route->handler(rq);
	if (rc == RC_OK && rq->cx.err.rc)
		rc = rq->cx.err.rc;
	if (rc == RC_OK && arena_exhausted(rq->cx.arena))
		rc = ctx_fail(&rq->cx, RC_TOOLARGE, "Request needs too much memory");
	return rc;
}

static void answer(struct worker *wk)
{
	struct request rq;
	enum rc rc;

	read_request(wk, &rq);
	log_request(rq.request_id);
	rc = serve(&rq);
	if (db_in_tx(wk->db)) {
		log_error("%s left a transaction open", rq.route ? rq.route->op : rq.uri);
		db_end(wk->db, RC_BUG);
	}
	db_end_read(wk->db);
	if (rc != RC_OK) {
		if (!rq.cx.err.rc)
			err_internal(&rq.cx.err, rc, "%s", rc_name(rc));
		reply_error(&rq);
	}
	reply_finish(&rq);
	wk->knows_secret = rq.route && rq.route->flags & R_SECRET;
	wk->out = rq.out;
	if (rq.passed) {
		FCGX_Detach(&wk->fcgi);
		FCGX_Free(&wk->fcgi, 1);
		FCGX_InitRequest(&wk->fcgi, wk->fcgi.listen_sock, FCGI_FAIL_ACCEPT_ON_INTR);
	} else {
		FCGX_Finish_r(&wk->fcgi);
	}
	log_request(NULL);
	db_use(wk->db, NULL);
	arena_reset(wk->arena);
	if (rq.content_length > BODY_LARGE)
		malloc_trim(0);
}

/* Whether SIGTERM has come; also waits for a connection where none is there. */
static bool wait_for_work(struct worker *wk)
{
	struct epoll_event ev;
	struct signalfd_siginfo si;

	while (epoll_wait(wk->epoll_fd, &ev, 1, -1) < 0 && errno == EINTR)
		;
	return read(wk->signal_fd, &si, sizeof si) != sizeof si;
}

static void serve_until_told(struct worker *wk)
{
	const struct timeval limit = { .tv_sec = PEER_TIMEOUT_S };
	int64_t served = 0;

	while (!wk->knows_secret &&
	    (!wk->conf->pool_requests || served < wk->conf->pool_requests)) {
		if (FCGX_Accept_r(&wk->fcgi) < 0) {
			if (!wait_for_work(wk))
				return;
			continue;
		}
		setsockopt(wk->fcgi.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		setsockopt(wk->fcgi.ipcFd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
		answer(wk);
		served++;
		if (served % 64 == 0) {
			struct signalfd_siginfo si;

			if (read(wk->signal_fd, &si, sizeof si) == sizeof si)
				return;
		}
	}
}

static bool watch(struct worker *wk, int listen_fd)
{
	struct epoll_event conn = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = listen_fd };
	struct epoll_event sig = { .events = EPOLLIN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	wk->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	wk->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sig.data.fd = wk->signal_fd;
	return wk->signal_fd >= 0 && wk->epoll_fd >= 0 &&
	       epoll_ctl(wk->epoll_fd, EPOLL_CTL_ADD, listen_fd, &conn) == 0 &&
	       epoll_ctl(wk->epoll_fd, EPOLL_CTL_ADD, wk->signal_fd, &sig) == 0;
}

int worker_main(const struct conf *conf, int listen_fd)
{
	struct worker wk = { .conf = conf };
	struct db_options o = { conf_path(conf->data_dir, DB_FILE), conf->db_synchronous, false,
		false };
	struct err e = { 0 };

	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "200", 1);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 1);
	if (!watch(&wk, listen_fd)) {
		log_error("cannot watch the socket: %s", strerror(errno));
		return 1;
	}
	if (db_open(&wk.db, &o, &e) != RC_OK) {
		log_error("%s", e.cause);
		return 1;
	}
	wk.arena = arena_new(ARENA_REQUEST_MAX);
	FCGX_Init();
	FCGX_InitRequest(&wk.fcgi, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR);
	master_child_ready();
	serve_until_told(&wk);
	db_close(wk.db);
	arena_free(wk.arena);
	buf_fini(&wk.out);
	return 0;
}
