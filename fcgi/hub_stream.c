/* One stream of the hub: how it opens and ends, what its socket takes, its clock.
 *
 * A stream is in one of the lists of struct hub according to its state, and has exactly one timer
 * while it lives. Whatever sends may close it or block it: callers look at the state afterwards. A
 * closed stream stays readable (dead) until the loop's turn is over. */
#include "fcgi/hub_int.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "fcgi/hub_record.h"

#define STUCK_BEATS (STALL_MS / BEAT_MS)
#define DRAIN_ROUNDS 16

static const char HEADERS[] = "Status: 200 OK\r\n"
			      "Content-Type: text/event-stream\r\n"
			      "Cache-Control: no-cache\r\n"
			      "Connection: keep-alive\r\n"
			      "X-Accel-Buffering: no\r\n"
			      "X-Content-Type-Options: nosniff\r\n\r\n";
static const char FULL[] = "Status: 503 Service Unavailable\r\n"
			   "Content-Type: application/json\r\n"
			   "Retry-After: 1\r\n"
			   "Cache-Control: no-store\r\n"
			   "X-Content-Type-Options: nosniff\r\n\r\n"
			   "{\"error\":\"Too many streams\"}";
static const char BEAT[] = ": keepalive\n\n";
static const char FAILED[] = "data: {\"type\":\"error\",\"message\":\"Database query failed\"}\n\n";
static const char RETRY[] = "retry: 500\n\n";

static void add(struct buf *b, const char *s)
{
	rec_stdout(b, 1, s, strlen(s));
}

void stream_texts(struct hub *h)
{
	for (int i = 0; i < TEXT_COUNT; i++)
		buf_init(&h->texts[i], 4096);
	add(&h->texts[TEXT_HEADERS], HEADERS);
	add(&h->texts[TEXT_BEAT], BEAT);
	add(&h->texts[TEXT_ERROR], FAILED);
	add(&h->texts[TEXT_HEAD], HEADERS);
	add(&h->texts[TEXT_RETRY], RETRY);
	add(&h->texts[TEXT_LATE], HEADERS);
	add(&h->texts[TEXT_LATE], RETRY);
	add(&h->texts[TEXT_FULL], FULL);
	for (int i = TEXT_LAST; i < TEXT_COUNT; i++)
		rec_end(&h->texts[i], 1);
}

/* Bytes (with the kernel's overhead) that the other side has not taken yet. */
static uint32_t waiting(const struct stream *s)
{
	int n = 0;

	return ioctl(s->fd, SIOCOUTQ, &n) == 0 && n > 0 ? (uint32_t)n : 0;
}

static void arm(struct hub *h, struct stream *s)
{
	int64_t due = s->beat;

	if (s->state == ST_BLOCKED && s->blocked + STALL_MS < due)
		due = s->blocked + STALL_MS;
	if (s->one_task && s->state == ST_LIVE && s->quiet + LINGER_MS < due)
		due = s->quiet + LINGER_MS;
	timer_set(h, s, due);
}

static struct link *home(struct hub *h, struct stream *s)
{
	if (s->state == ST_READY)
		return &h->ready;
	if (s->state == ST_BLOCKED)
		return &h->blocked;
	if (s->state == ST_DEAD)
		return &h->dead;
	if (s->kind == HUB_APPROVALS)
		return &h->approvals;
	if (s->kind == HUB_JOB)
		return &h->jobs;
	return s->task ? &s->task->live : &h->all_logs;
}

static void enter(struct hub *h, struct stream *s, enum state state)
{
	struct epoll_event ev = { .events = EPOLLRDHUP, .data.ptr = s };
	bool was = s->state == ST_BLOCKED, is = state == ST_BLOCKED;

	link_drop(&s->link);
	s->state = (uint8_t)state;
	link_append(home(h, s), &s->link);
	if (is)
		ev.events |= EPOLLOUT;
	if (was != is)
		epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, s->fd, &ev);
	arm(h, s);
}

static void block(struct hub *h, struct stream *s)
{
	if (s->kind == HUB_LOGS && s->state == ST_LIVE)
		s->cursor = h->tip;
	s->blocked = h->now;
	s->outq = waiting(s);
	enter(h, s, ST_BLOCKED);
}

/* Closing a Unix socket with unread bytes would reset it, and the peer might lose the end. */
static void drain(int fd)
{
	char waste[4096];

	for (int i = 0; i < DRAIN_ROUNDS; i++)
		if (recv(fd, waste, sizeof waste, MSG_DONTWAIT) <= 0)
			return;
}

/* Forgets the stream; the connection itself may live on elsewhere. */
static void leave(struct hub *h, struct stream *s)
{
	timer_drop(h, s);
	/* Closing alone is not enough while the worker still holds its copy. */
	epoll_ctl(h->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
	close(s->fd);
	s->fd = -1;
	link_drop(&s->link);
	s->state = ST_DEAD;
	link_append(&h->dead, &s->link);
	h->step_key.valid = false; /* it may name a word that goes now */
	word_put(&h->tasks, s->task);
	word_put(&h->events, s->word);
	list_put(h, s->list);
	s->task = s->word = NULL;
	s->list = NULL;
	if (!--h->n_kind[s->kind] && s->kind == HUB_LOGS)
		feed_idle(h);
}

void stream_close(struct hub *h, struct stream *s)
{
	if (s->state == ST_DEAD)
		return;
	drain(s->fd);
	shutdown(s->fd, SHUT_RDWR);
	leave(h, s);
}

/* Bytes taken, or -1 where the connection is gone. */
static ssize_t put(const struct stream *s, const char *data, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = send(s->fd, data + done, n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (got > 0)
			done += (size_t)got;
		else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		else if (got < 0 && errno != EINTR)
			return -1;
	}
	return (ssize_t)done;
}

bool stream_send(struct hub *h, struct stream *s, enum part part, char *data, size_t len,
    size_t from)
{
	ssize_t n;

	if (rec_id(data) != s->fcgi_id)
		rec_set_id(data, len, s->fcgi_id);
	n = put(s, data + from, len - from);
	if (n < 0) {
		stream_close(h, s);
		return false;
	}
	if (n)
		s->wrote = true;
	from += (size_t)n;
	s->part = from < len ? (uint8_t)part : PART_NONE;
	s->part_off = from < len ? from : 0;
	if (from < len)
		block(h, s);
	return from == len;
}

void stream_text(struct hub *h, struct stream *s, enum text text)
{
	struct buf *b = &h->texts[text];

	s->text = (uint8_t)text;
	if (stream_send(h, s, PART_TEXT, b->data, b->len, 0) && text >= TEXT_LAST)
		stream_close(h, s);
}

bool stream_span(struct hub *h, struct stream *s, struct span *sp)
{
	size_t i = 0, begin = 0;
	bool all = stream_send(h, s, PART_ROW, sp->b.data, sp->b.len, 0);

	s->quiet = h->now;
	if (all || s->state == ST_DEAD)
		return all;
	while (sp->rows[i].end <= s->part_off)
		begin = sp->rows[i++].end;
	s->cursor = i ? sp->rows[i - 1].row : sp->rows[0].row - 1;
	s->part_off -= begin;
	if (!s->part_off) {
		s->part = PART_NONE;
		return false;
	}
	s->part_row = sp->rows[i].row;
	s->part_sum = (uint32_t)hash_bytes(sp->b.data + begin, sp->rows[i].end - begin);
	return false;
}

/* The rest of a row that was cut. A row that is no longer there cannot be finished: the client
 * sees a broken connection and comes back. */
static bool resume_row(struct hub *h, struct stream *s)
{
	struct buf *b = &h->step.b;

	if (!feed_row(h, s)) {
		if (h->stopping || feed_open(h))
			stream_close(h, s);
		return false;
	}
	rec_set_id(b->data, b->len, s->fcgi_id);
	if ((uint32_t)hash_bytes(b->data, b->len) != s->part_sum || s->part_off >= b->len) {
		stream_close(h, s);
		return false;
	}
	if (!stream_send(h, s, PART_ROW, b->data, b->len, s->part_off))
		return false;
	s->cursor = s->part_row;
	s->quiet = h->now;
	return true;
}

static bool resume(struct hub *h, struct stream *s)
{
	struct buf *b = &h->texts[s->text];

	switch (s->part) {
	case PART_TEXT:
		if (!stream_send(h, s, PART_TEXT, b->data, b->len, s->part_off))
			return false;
		if (s->text >= TEXT_LAST)
			stream_close(h, s);
		return s->state != ST_DEAD;
	case PART_ROW:
		return resume_row(h, s);
	case PART_LIST:
		if (!stream_send(h, s, PART_LIST, s->list->data, s->list->len, s->part_off))
			return false;
		list_put(h, s->list);
		s->list = NULL;
		return true;
	default:
		job_answer(h, s, s->answer, s->part_off);
		return false;
	}
}

void stream_pump(struct hub *h, struct stream *s)
{
	if (s->part && !resume(h, s))
		return;
	if (s->final) {
		stream_text(h, s, s->final);
		return;
	}
	if (s->kind == HUB_LOGS && !feed_step(h, s))
		return;
	if (s->kind == HUB_APPROVALS && !list_send(h, s))
		return;
	if (s->kind == HUB_JOB && !job_look(h, s))
		return;
	if (s->state == ST_READY)
		enter(h, s, ST_LIVE);
}

void stream_event(struct hub *h, struct stream *s, uint32_t events)
{
	if (s->state == ST_DEAD)
		return;
	if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) {
		if (s->bound && !s->answer)
			left_note(h, s->cursor);
		stream_close(h, s);
	} else if ((events & EPOLLOUT) && s->state == ST_BLOCKED) {
		enter(h, s, ST_READY);
	}
}

/* Whether a blocked stream has taken nothing for too long. Nothing is sent to it meanwhile, so any
 * byte that left its socket shows. */
static bool stalled(struct hub *h, struct stream *s)
{
	uint32_t n = waiting(s);

	if (n < s->outq) {
		s->outq = n;
		s->blocked = h->now;
		return false;
	}
	return h->now >= s->blocked + STALL_MS;
}

static void beat(struct hub *h, struct stream *s)
{
	uint32_t n;

	do
		s->beat += BEAT_MS;
	while (s->beat <= h->now);
	if (s->state == ST_BLOCKED || s->part)
		return;
	/* Little said and nothing heard: a reader that hangs does not fill its socket for hours. */
	n = waiting(s);
	s->stuck = n && !s->wrote && n >= s->outq ? (uint8_t)(s->stuck + 1) : 0;
	if (s->stuck >= STUCK_BEATS) {
		stream_close(h, s);
		return;
	}
	stream_text(h, s, TEXT_BEAT);
	if (s->state == ST_DEAD)
		return;
	s->wrote = false;
	s->outq = waiting(s);
}

/* Ends the stream of a task that has ended, once it has been sent the last row: what was written
 * together with the final state is read after the state. */
static void end_if_over(struct hub *h, struct stream *s)
{
	int64_t quiet = s->quiet;
	bool over = feed_task_ended(h, s);

	if (over)
		feed_look(h);
	if (s->state != ST_LIVE || s->quiet != quiet)
		return;
	if (over)
		stream_text(h, s, TEXT_END);
	else
		s->quiet = h->now;
}

void stream_timer(struct hub *h, struct stream *s)
{
	if (s->state == ST_BLOCKED && stalled(h, s)) {
		stream_close(h, s);
		return;
	}
	if (s->beat <= h->now && s->kind == HUB_JOB) {
		s->beat = INT64_MAX;
		if (!s->part && job_look(h, s))
			job_answer(h, s, ANSWER_TIMEOUT, 0);
	} else if (s->beat <= h->now) {
		beat(h, s);
	}
	if (s->one_task && s->state == ST_LIVE && s->quiet + LINGER_MS <= h->now)
		end_if_over(h, s);
	if (s->state != ST_DEAD)
		arm(h, s);
}

static void begin(struct hub *h, struct stream *s, bool full)
{
	if (full)
		stream_text(h, s, TEXT_FULL);
	else if (s->kind == HUB_JOB && h->stopping)
		job_answer(h, s, ANSWER_STOP, 0);
	else if (s->kind != HUB_JOB)
		stream_text(h, s, h->stopping ? TEXT_LATE : s->head ? TEXT_HEAD : TEXT_HEADERS);
	if (s->state == ST_NEW)
		enter(h, s, ST_READY);
}

void stream_open(struct hub *h, const struct hub_ticket *t, int fd)
{
	struct epoll_event ev = { .events = EPOLLRDHUP };
	struct stream *s = must(calloc(1, sizeof *s));
	size_t streams = h->n_kind[HUB_LOGS] + h->n_kind[HUB_APPROVALS];
	bool is_job = t->kind == HUB_JOB;

	*s = (struct stream){ .source = SRC_STREAM, .kind = (uint8_t)t->kind, .fd = fd,
		.fcgi_id = t->fcgi_id, .head = t->head, .one_task = t->one_task, .fresh = true,
		.bound = is_job && t->bound,
		.settled = is_job && t->settled,
		.is_test = is_job && t->is_test,
		.cursor = is_job ? t->job : t->after, .since_s = t->since_s,
		.beat = h->now + (is_job ? t->timeout_ms : BEAT_MS), .quiet = h->now };
	s->tail = t->tail > UINT16_MAX ? UINT16_MAX : (uint16_t)t->tail;
	link_init(&s->link);
	ev.data.ptr = s;
	if (epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		log_warn("cannot watch a connection: %s", strerror(errno));
		close(fd);
		free(s);
		return;
	}
	if (!is_job && t->filter_task)
		s->task = word_get(&h->tasks, t->task);
	if (is_job || t->filter_event)
		s->word = word_get(&h->events, is_job ? t->timeout_text : t->event);
	h->n_kind[s->kind]++;
	begin(h, s,
	    (!is_job && streams >= h->max_streams) ||
		streams + h->n_kind[HUB_JOB] > h->max_all);
}

/* A waiting answer moves to the hub that follows this one. */
static bool move_job(struct hub *h, struct stream *s)
{
	struct hub_ticket t = { .kind = HUB_JOB, .fcgi_id = s->fcgi_id, .head = s->head,
		.bound = s->bound,
		.settled = s->settled,
		.is_test = s->is_test,
		.job = s->cursor, .timeout_ms = s->beat > h->now ? s->beat - h->now : 0 };
	size_t n = strlen(s->word->text);

	memcpy(t.timeout_text, s->word->text, n < HUB_TEXT_MAX ? n : HUB_TEXT_MAX - 1);
	if (hub_pass_once(h->conf->run_dir, s->fd, &t, 0) != RC_OK)
		return false;
	leave(h, s);
	return true;
}

void stream_stop(struct hub *h, struct stream *s)
{
	if (s->kind != HUB_JOB) {
		s->final = TEXT_RETRY;
		if (!s->part && s->state != ST_BLOCKED)
			stream_text(h, s, TEXT_RETRY);
	} else if (!s->part && !move_job(h, s)) {
		job_answer(h, s, ANSWER_STOP, 0);
	}
}
