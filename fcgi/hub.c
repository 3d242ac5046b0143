/* The stream hub's process: start, the loop, the tickets of the workers, the end.
 *
 * One thread, one epoll loop, one database connection that is only read from. A turn of the loop:
 * what epoll has, due timers, a look at the database where a bell rang or it is time, then the
 * streams that catch up, for a bounded time each. */
#include "fcgi/hub_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/migrate.h"
#include "fcgi/master.h"

#define EVENTS 256
#define TICKETS_A_TURN 64
#define PUMP_MS 20
#define BACKLOG 512
#define FILES_RESERVED 400u /* worker connections, database, the rest */

static void watch(struct hub *h, int fd, void *source)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = source };

	epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

/* Tickets. */

static bool ended(const char *text)
{
	return memchr(text, 0, HUB_TEXT_MAX) != NULL;
}

static bool valid(const struct hub_ticket *t)
{
	return t->kind >= HUB_LOGS && t->kind <= HUB_JOB && ended(t->task) && ended(t->event) &&
	       ended(t->timeout_text) && t->after >= 0 && t->tail >= 0 && t->timeout_ms >= 0 &&
	       t->timeout_ms < INT64_MAX / 2 && (t->filter_task || !t->one_task);
}

static void take_ticket(struct hub *h, const struct hub_ticket *t, int fd)
{
	if (!valid(t)) {
		log_error("hub: bad ticket");
		close(fd);
	} else if (h->stopping && hub_pass_once(h->conf->run_dir, fd, t, 0) == RC_OK) {
		close(fd); /* the hub that follows has it */
	} else {
		stream_open(h, t, fd);
	}
}

/* Receives one message; -1 where there is none, 0 where the connection has ended or must end: the
 * worker then tries again. */
static int receive(struct hub *h, int from)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct hub_ticket t;
	struct iovec iov = { &t, sizeof t };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
		.msg_controllen = sizeof control.space };
	ssize_t n;
	struct cmsghdr *c;
	int fd = -1;

	do
		n = recvmsg(from, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof fd))
			memcpy(&fd, CMSG_DATA(c), sizeof fd);
	if (fd < 0) {
		log_error("hub: a ticket without a connection (too many open files?)");
		return 0;
	}
	if (n != (ssize_t)sizeof t || (m.msg_flags & MSG_TRUNC)) {
		log_error("hub: a ticket of another version");
		close(fd);
		return 0;
	}
	/* From here on the connection is ours; a worker that does not hear this tries again. */
	send(from, "+", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	take_ticket(h, &t, fd);
	return 1;
}

static void worker_gone(struct worker_conn *w)
{
	link_drop(&w->link);
	close(w->fd);
	free(w);
}

static void worker_ready(struct hub *h, struct worker_conn *w)
{
	int got = 1;

	for (int i = 0; i < TICKETS_A_TURN && got > 0; i++)
		got = receive(h, w->fd);
	if (!got)
		worker_gone(w);
}

static void accept_workers(struct hub *h)
{
	int fd;

	while ((fd = accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct worker_conn *w = must(calloc(1, sizeof *w));

		w->source = SRC_WORKER;
		w->fd = fd;
		link_append(&h->workers, &w->link);
		watch(h, fd, w);
	}
}

/* Start. */

/* Binds the socket beside its place and moves it there, so that a worker finds the old hub or the
 * new one, but never none. */
static bool listen_to_workers(struct hub *h)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = h->socket_path;
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s.%d", path, (int)getpid());
	struct stat st;
	mode_t mask;
	bool ok;

	if (n < 0 || (size_t)n >= sizeof a.sun_path) {
		log_error("hub: the name of the run folder is too long");
		return false;
	}
	h->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(a.sun_path);
	mask = umask(0177);
	ok = bind(h->listen_fd, (struct sockaddr *)&a, sizeof a) == 0;
	umask(mask);
	if (!ok || listen(h->listen_fd, BACKLOG) < 0 || stat(a.sun_path, &st) < 0 ||
	    rename(a.sun_path, path) < 0) {
		log_error("hub: cannot listen at %s: %s", path, strerror(errno));
		return false;
	}
	h->socket_ino = st.st_ino;
	return true;
}

/* As many streams as there may be open files. */
static void set_limits(struct hub *h)
{
	struct rlimit r;
	size_t files = 1024;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		files = r.rlim_max > 1u << 22 ? 1u << 22 : (size_t)r.rlim_max;
	}
	h->max_all = files > 2 * FILES_RESERVED ? files - FILES_RESERVED : files / 2;
	h->max_streams = (size_t)h->conf->streams_max;
}

static bool open_signals(struct hub *h)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	h->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return h->signal_fd >= 0;
}

static void init_memory(struct hub *h)
{
	struct link *lists[] = { &h->all_logs, &h->approvals, &h->jobs, &h->ready, &h->blocked,
		&h->dead, &h->workers };

	for (size_t i = 0; i < COUNT(lists); i++)
		link_init(lists[i]);
	buf_init(&h->json, ROW_MAX);
	buf_init(&h->scratch, 2 * ROW_MAX);
	buf_init(&h->live.b, 2 * ROW_MAX);
	buf_init(&h->chosen.b, 2 * ROW_MAX);
	buf_init(&h->step.b, 2 * ROW_MAX);
	stream_texts(h);
	if (asprintf(&h->socket_path, "%s/%s", h->conf->run_dir, HUB_SOCKET) < 0 ||
	    asprintf(&h->db_path, "%s/%s", h->conf->data_dir, DB_FILE) < 0)
		must(NULL);
	h->cx.conf = h->conf;
	h->cx.arena = arena_new(ARENA_REQUEST_MAX);
	h->left_cx = h->cx;
	h->version = h->list_version = -1;
	h->now = mono_ms();
}

static const uint8_t LISTEN = SRC_LISTEN, SIGNAL = SRC_SIGNAL, BELL = SRC_BELL;

static bool start(struct hub *h)
{
	init_memory(h);
	set_limits(h);
	if (!open_signals(h) || !feed_open(h))
		return false;
	h->pause_until = 0;
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	h->bell_fd = bell_open(BELL_HUB);
	if (h->bell_fd < 0)
		log_warn("hub: no bell, looking every %d ms", LOOK_MS);
	if (h->epoll_fd < 0 || !listen_to_workers(h))
		return false;
	watch(h, h->listen_fd, (void *)(uintptr_t)&LISTEN);
	watch(h, h->signal_fd, (void *)(uintptr_t)&SIGNAL);
	if (h->bell_fd >= 0)
		watch(h, h->bell_fd, (void *)(uintptr_t)&BELL);
	return true;
}

/* The end. */

/* No new tickets; those that are on their way are taken. A worker that comes too late sees the
 * connection end and asks the next hub. */
static void refuse_tickets(struct hub *h)
{
	struct stat st;

	if (stat(h->socket_path, &st) == 0 && st.st_ino == h->socket_ino)
		unlink(h->socket_path);
	accept_workers(h);
	close(h->listen_fd);
	h->listen_fd = -1;
	while (!link_empty(&h->workers)) {
		struct worker_conn *w = link_of(h->workers.next, struct worker_conn);

		shutdown(w->fd, SHUT_RD);
		while (receive(h, w->fd) > 0)
			;
		worker_gone(w);
	}
}

static void begin_stop(struct hub *h)
{
	struct signalfd_siginfo si;
	size_t n = h->n_timers;
	struct stream **all;

	h->told = false;
	if (read(h->signal_fd, &si, sizeof si) != sizeof si || h->stopping)
		return;
	h->stopping = true;
	h->stop_at = h->now + STOP_MS;
	log_debug("hub: stopping with %zu connections", n);
	all = must(malloc((n + 1) * sizeof *all));
	for (size_t i = 0; i < n; i++)
		all[i] = h->timers[i].s;
	refuse_tickets(h);
	for (size_t i = 0; i < n; i++)
		if (all[i]->state != ST_DEAD)
			stream_stop(h, all[i]);
	free(all);
}

static void bury(struct hub *h)
{
	while (!link_empty(&h->dead)) {
		struct stream *s = link_of(h->dead.next, struct stream);

		link_drop(&s->link);
		free(s);
	}
}

static void finish(struct hub *h)
{
	while (h->n_timers)
		stream_close(h, h->timers[0].s);
	left_finish(h);
	bury(h);
	list_put(h, h->list);
	free(h->list_key);
	free(h->timers);
	free(h->socket_path);
	free(h->db_path);
	for (int i = 0; i < TEXT_COUNT; i++)
		buf_fini(&h->texts[i]);
	buf_fini(&h->json);
	buf_fini(&h->scratch);
	buf_fini(&h->live.b);
	buf_fini(&h->chosen.b);
	buf_fini(&h->step.b);
	db_close(h->cx.db);
	arena_free(h->cx.arena);
	close(h->epoll_fd);
	close(h->signal_fd);
	if (h->bell_fd >= 0)
		close(h->bell_fd);
	free(h);
}

/* The loop. */

static int wait_ms(const struct hub *h)
{
	bool paused = h->now < h->pause_until && !h->stopping;
	int64_t until = h->stopping ? h->stop_at : INT64_MAX;

	if (h->n_timers && !h->stopping) {
		until = h->timers[0].due;
		if (h->next_look < until)
			until = h->next_look;
	}
	if (!link_empty(&h->ready) || h->rung || h->more)
		if (!paused || h->pause_until < until)
			until = paused ? h->pause_until : h->now;
	if (h->n_left && h->left_due < until)
		until = h->left_due;
	if (until == INT64_MAX)
		return -1;
	until -= h->now;
	return until < 0 ? 0 : until > BEAT_MS ? BEAT_MS : (int)until;
}

static void handle(struct hub *h, const struct epoll_event *ev)
{
	switch (*(const uint8_t *)ev->data.ptr) {
	case SRC_LISTEN:
		accept_workers(h);
		break;
	case SRC_WORKER:
		worker_ready(h, ev->data.ptr);
		break;
	case SRC_SIGNAL:
		h->told = true; /* later: stopping frees what other events may point to */
		break;
	case SRC_BELL:
		bell_clear(h->bell_fd);
		h->rung = true;
		break;
	default:
		stream_event(h, ev->data.ptr, ev->events);
	}
}

/* Lets each stream that is behind make a step, round and round, for a while. */
static void pump(struct hub *h)
{
	int64_t until = mono_ms() + PUMP_MS;

	while (!link_empty(&h->ready) && (h->now >= h->pause_until || h->stopping)) {
		struct stream *s = link_of(h->ready.next, struct stream);

		link_drop(&s->link);
		link_append(&h->ready, &s->link);
		stream_pump(h, s);
		if (mono_ms() >= until)
			return;
	}
}

static void turn(struct hub *h)
{
	struct epoll_event ev[EVENTS];
	int n = epoll_wait(h->epoll_fd, ev, EVENTS, wait_ms(h));
	struct stream *s;

	h->now = mono_ms();
	for (int i = 0; i < n; i++)
		handle(h, &ev[i]);
	if (h->told)
		begin_stop(h);
	if (!h->stopping) {
		while ((s = timer_next(h)))
			stream_timer(h, s);
		if (h->rung || h->more || h->now >= h->next_look)
			feed_look(h);
	}
	pump(h);
	left_look(h);
	bury(h);
}

int hub_main(const struct conf *conf)
{
	struct hub *h = must(calloc(1, sizeof *h));

	h->conf = conf;
	if (!start(h)) {
		log_error("hub: cannot start");
		return 1;
	}
	log_debug("hub: ready for %zu streams, %zu connections", h->max_streams, h->max_all);
	master_child_ready();
	while (!h->stopping || (h->n_timers && h->now < h->stop_at))
		turn(h);
	finish(h);
	return 0;
}
