/* What is not a log: the list of pending approvals, and answers that wait for a job.
 *
 * The list is made once for all streams and shared by those that are being sent it; a stream that
 * was slow skips to the newest. It cannot be made anew later (it has changed by then), so slow
 * readers hold old lists, up to a limit. */
#include "fcgi/hub_int.h"

#include "core/domain/notification.h"
#include "core/log.h"
#include "fcgi/hub_record.h"

#define KEY_MAX 8192u

enum { JOB_STATE, JOB_STATUS, JOB_RESULT };

void list_put(struct hub *h, struct list *l)
{
	if (!l || --l->refs)
		return;
	h->list_bytes -= l->len;
	free(l->data);
	free(l);
}

/* The (notificationId, createdAt) pairs as text. */
static char *read_key(struct hub *h)
{
	struct q *q = db_query(h->cx.db, Q_STREAM_APPROVALS, "");
	struct buf b;

	buf_init(&b, KEY_MAX);
	while (db_next(q))
		buf_printf(&b, "%s %lld\n", db_text(q, 0), (long long)db_int(q, 1));
	if (!b.data)
		buf_str(&b, "\n");
	if (b.failed)
		buf_fini(&b);
	else
		buf_text(&b);
	return b.data;
}

static struct list *make_list(struct hub *h)
{
	struct list *l = must(calloc(1, sizeof *l));
	struct jw w = jw_on(&h->json);
	struct buf b;

	buf_clear(&h->json);
	buf_str(&h->json, "data: ");
	pending_approvals_write(&h->cx, &w);
	buf_str(&h->json, "\n\n");
	buf_init(&b, 2 * ROW_MAX);
	if (!h->json.failed)
		rec_stdout(&b, 1, h->json.data, h->json.len);
	if (!b.data || b.failed) {
		err_internal(&h->cx.err, RC_TOOLARGE, "list of approvals too long");
		buf_fini(&b);
	}
	*l = (struct list){ .refs = 1, .len = b.len, .data = b.data };
	h->list_bytes += l->len;
	return l;
}

/* Closes the streams that hold outdated lists; they are slow, and come back. */
static void limit_lists(struct hub *h)
{
	for (struct link *l = h->blocked.next, *next; l != &h->blocked; l = next) {
		struct stream *s = link_of(l, struct stream);

		next = l->next;
		if (h->list_bytes - h->list->len <= LISTS_MAX)
			return;
		if (s->list && s->list != h->list)
			stream_close(h, s);
	}
}

static void send_to_all(struct hub *h)
{
	for (struct link *l = h->approvals.next, *next; l != &h->approvals; l = next) {
		next = l->next;
		list_send(h, link_of(l, struct stream));
	}
}

void list_look(struct hub *h, bool fresh)
{
	struct list *l = NULL;
	int64_t version;
	bool changed;
	char *key;

	if (!feed_open(h))
		return;
	feed_begin(h);
	version = db_version(h->cx.db);
	if (h->list && fresh && version == h->list_version)
		return;
	db_begin_read(h->cx.db);
	key = read_key(h);
	changed = !h->list_key || !key || strcmp(h->list_key, key) != 0;
	if (changed || fresh || !h->list)
		l = make_list(h);
	db_end_read(h->cx.db);
	arena_reset(h->cx.arena);
	if (!feed_ok(h)) {
		list_put(h, l);
		free(key);
		return;
	}
	free(h->list_key);
	h->list_key = key;
	if (!l)
		return;
	list_put(h, h->list);
	h->list = l;
	h->list_version = version;
	limit_lists(h);
	if (changed) {
		h->list_number++;
		send_to_all(h);
	}
}

bool list_send(struct hub *h, struct stream *s)
{
	if (s->fresh) {
		list_look(h, true);
		if (!feed_open(h) || s->state == ST_DEAD)
			return false;
		s->fresh = false;
		s->cursor = -1;
	}
	if (!h->list || s->cursor == h->list_number)
		return true;
	s->cursor = h->list_number;
	s->list = h->list;
	s->list->refs++;
	if (stream_send(h, s, PART_LIST, s->list->data, s->list->len, 0)) {
		list_put(h, s->list);
		s->list = NULL;
		return true;
	}
	if (s->state != ST_DEAD && !s->part_off) {
		/* Nothing went: the newest will do when it can be written to. */
		s->part = PART_NONE;
		s->cursor = -1;
		list_put(h, s->list);
		s->list = NULL;
	}
	return false;
}

/* Jobs. */

bool job_look(struct hub *h, struct stream *s)
{
	const char *state;
	bool over;
	struct q *q;

	if (!feed_open(h))
		return true;
	feed_begin(h);
	q = db_query(h->cx.db, Q_STREAM_JOB, "i", s->cursor);
	state = db_next(q) ? db_text(q, JOB_STATE) : NULL;
	over = !state || strcmp(state, "done") == 0 || strcmp(state, "failed") == 0;
	db_done(q);
	if (!feed_ok(h) || !over)
		return true;
	job_answer(h, s, ANSWER_RESULT, 0);
	return false;
}

void jobs_look(struct hub *h)
{
	for (struct link *l = h->jobs.next, *next; l != &h->jobs; l = next) {
		next = l->next;
		job_look(h, link_of(l, struct stream));
	}
}

static int error_body(struct buf *b, const struct stream *s, int status, const char *message)
{
	struct jw w = jw_on(b);

	buf_clear(b);
	jw_obj(&w);
	if (s->is_test)
		jw_kbool(&w, "connected", false);
	jw_kstr(&w, "error", message);
	jw_end_obj(&w);
	return s->is_test ? 200 : status;
}

static int settled_body(struct buf *b)
{
	buf_str(b, "{\"ok\":true}");
	return 200;
}

/* The job's own answer in h->json; returns its status. */
static int result_body(struct hub *h, const struct stream *s)
{
	struct q *q;
	int status = 500;

	if (!feed_open(h))
		return error_body(&h->json, s, status, "Internal server error");
	feed_begin(h);
	q = db_query(h->cx.db, Q_STREAM_JOB, "i", s->cursor);
	if (db_next(q) && !db_is_null(q, JOB_STATUS)) {
		status = (int)db_int(q, JOB_STATUS);
		if (!db_is_null(q, JOB_RESULT))
			buf_add(&h->json, db_text(q, JOB_RESULT), db_text_len(q, JOB_RESULT));
	} else {
		status = error_body(&h->json, s, status, "Internal server error");
	}
	db_done(q);
	if (!feed_ok(h) || h->json.failed)
		return error_body(&h->json, s, 500, "Internal server error");
	return status;
}

void job_answer(struct hub *h, struct stream *s, enum answer answer, size_t from)
{
	struct buf *out = &h->scratch, *body = &h->json, head;
	int status = 0;

	buf_clear(body);
	buf_clear(out);
	s->answer = (uint8_t)answer;
	s->beat = INT64_MAX;
	if (s->settled)
		status = settled_body(body);
	else if (answer == ANSWER_RESULT)
		status = result_body(h, s);
	else if (answer == ANSWER_TIMEOUT)
		status = error_body(body, s, 500, s->word->text);
	else
		status = error_body(body, s, 503, "Service is restarting");
	buf_init(&head, 512);
	buf_printf(&head, "Status: %d %s\r\n", status, status < 300 ? "OK" : "Error");
	if (status != 204)
		buf_printf(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
		    body->len);
	if (status == 503)
		buf_str(&head, "Retry-After: 1\r\n");
	buf_str(&head, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n");
	rec_stdout(out, 1, head.data, head.len);
	if (!s->head && status != 204)
		rec_stdout(out, 1, body->data, body->len);
	rec_end(out, 1);
	buf_fini(&head);
	if (out->failed || from >= out->len)
		stream_close(h, s);
	else if (stream_send(h, s, PART_JOB, out->data, out->len, from))
		stream_close(h, s);
	if (out->cap > SPAN_KEEP)
		buf_fini(out);
	if (body->cap > SPAN_KEEP)
		buf_fini(body);
}
