/* Log rows: read once, formatted once, sent to everyone who wants them.
 *
 * The live feed goes from the tip (the last row that all live streams have) upwards. A stream that
 * is behind reads in steps of its own until it is at the tip; as streams that fell behind together
 * ask for the same rows one after the other, the last step is kept and used again.
 *
 * Row numbers grow with every insertion (sql/schema/0004_log_rows.sql), but a VACUUM may give all of
 * them anew. So the last rows are remembered with their ids, and when the row at the tip is not the
 * one it was, the tip goes back to the newest row that is still the same. */
#include "fcgi/hub_int.h"

#include "core/clock.h"
#include "core/domain/task.h"
#include "core/log.h"
#include "core/model/models.h"
#include "fcgi/hub_record.h"

#define ROUND_MS 100    /* a live round hands over to others after that long */
#define TAIL_SCAN 20000 /* rows looked through for the newest that pass a filter */

/* Columns of the STREAM_ statements. */
enum { C_ROW, C_TASK, C_EVENT, C_TIME, C_LOG };

void feed_begin(struct hub *h)
{
	ctx_begin(&h->cx, "hub", NULL);
}

/* Every log stream that can be told is told. Telling may close it, hence the copy. */
static void tell_error(struct hub *h)
{
	size_t n = h->n_timers;
	struct stream **all = must(malloc((n + 1) * sizeof *all));

	for (size_t i = 0; i < n; i++)
		all[i] = h->timers[i].s;
	for (size_t i = 0; i < n; i++) {
		struct stream *s = all[i];

		if (s->kind == HUB_LOGS && !s->part &&
		    (s->state == ST_LIVE || s->state == ST_READY))
			stream_text(h, s, TEXT_ERROR);
	}
	free(all);
}

static void failed(struct hub *h)
{
	log_error("streams: %s", *h->cx.err.cause ? h->cx.err.cause : h->cx.err.msg);
	db_close(h->cx.db);
	h->cx.db = NULL;
	h->pause_until = h->now + PAUSE_MS;
	h->step_key.valid = false;
	tell_error(h);
}

bool feed_ok(struct hub *h)
{
	if (!h->cx.err.rc)
		return true;
	failed(h);
	return false;
}

bool feed_open(struct hub *h)
{
	struct db_options o = { h->db_path, "normal", true, false };

	if (h->now < h->pause_until)
		return false;
	if (h->cx.db)
		return true;
	err_clear(&h->cx.err);
	db_open(&h->cx.db, &o, &h->cx.err);
	h->version = -1;
	h->list_version = -1;
	return feed_ok(h);
}

/* Spans. */

static void span_clear(struct hub *h, struct span *sp)
{
	for (size_t i = 0; i < sp->n; i++) {
		word_put(&h->tasks, sp->rows[i].task);
		word_put(&h->events, sp->rows[i].event);
	}
	sp->n = 0;
	buf_clear(&sp->b);
	if (sp->b.cap > SPAN_KEEP)
		buf_fini(&sp->b);
	if (h->json.cap > SPAN_KEEP)
		buf_fini(&h->json);
}

static bool span_full(const struct span *sp, size_t rows)
{
	return sp->n >= rows || sp->b.len >= SPAN_SOFT;
}

static struct word *hold(struct word *w)
{
	if (w)
		w->refs++;
	return w;
}

/* Formats the current row of Q behind the others. */
static void span_add(struct hub *h, struct span *sp, struct q *q)
{
	struct jw w = jw_on(&h->json);
	struct span_row *r = &sp->rows[sp->n];

	buf_clear(&h->json);
	buf_printf(&h->json, "id: %lld\ndata: ", (long long)db_int(q, C_ROW));
	row_json(&w, q, &MODEL_LOG, C_LOG);
	buf_str(&h->json, "\n\n");
	if (!h->json.failed)
		rec_stdout(&sp->b, 1, h->json.data, h->json.len);
	if (h->json.failed || sp->b.failed) {
		log_error("log row %lld is too long to be sent", (long long)db_int(q, C_ROW));
		sp->b.failed = false;
		sp->b.len = sp->n ? sp->rows[sp->n - 1].end : 0;
		return;
	}
	*r = (struct span_row){ .row = db_int(q, C_ROW), .time_s = db_int(q, C_TIME),
		.end = sp->b.len };
	sp->n++;
}

/* The tip. */

static uint64_t id_hash(struct q *q, int col)
{
	return hash_bytes(db_text(q, col), db_text_len(q, col));
}

static void note_seen(struct hub *h, int64_t row, uint64_t hash)
{
	if (h->n_seen == SEEN_MAX) {
		memmove(h->seen, h->seen + SEEN_MAX / 2, sizeof h->seen / 2);
		h->n_seen = SEEN_MAX / 2;
	}
	h->seen[h->n_seen].row = row;
	h->seen[h->n_seen].hash = hash;
	h->n_seen++;
	h->tip = row;
}

/* Where the live feed begins: behind the last row there is. */
static void tip_load(struct hub *h)
{
	struct q *q = db_query(h->cx.db, Q_STREAM_LOG_IDS, "i", (int64_t)SEEN_MAX / 2);
	size_t n = 0;

	while (n < SEEN_MAX / 2 && db_next(q)) {
		n++;
		h->seen[SEEN_MAX / 2 - n].row = db_int(q, 0);
		h->seen[SEEN_MAX / 2 - n].hash = id_hash(q, 1);
	}
	db_done(q);
	memmove(h->seen, h->seen + SEEN_MAX / 2 - n, n * sizeof h->seen[0]);
	h->n_seen = n;
	h->tip = n ? h->seen[n - 1].row : 0;
	h->tip_known = !h->cx.err.rc;
}

static bool still_there(struct hub *h, size_t i)
{
	struct q *q = db_query(h->cx.db, Q_STREAM_LOG_ID, "i", h->seen[i].row);
	bool same = db_next(q) && id_hash(q, 0) == h->seen[i].hash;

	db_done(q);
	return same;
}

/* Goes back where the newest rows were deleted; to the last row there is, where all that we
 * remember are gone. */
static void tip_check(struct hub *h)
{
	size_t n = h->n_seen;

	if (!n || still_there(h, n - 1))
		return;
	while (n && !h->cx.err.rc && !still_there(h, n - 1))
		n--;
	if (h->cx.err.rc)
		return;
	h->n_seen = n;
	if (n)
		h->tip = h->seen[n - 1].row;
	else
		tip_load(h);
	h->step_key.valid = false;
	for (size_t i = 0; i < h->n_timers; i++) {
		struct stream *s = h->timers[i].s;

		if (s->kind == HUB_LOGS && s->state != ST_LIVE && s->cursor > h->tip)
			s->cursor = h->tip;
	}
	log_debug("streams: log rows were deleted, going on behind row %lld", (long long)h->tip);
}

/* The live feed. */

static bool passes(const struct stream *s, const char *event, int64_t time_s)
{
	return (!s->word || strcmp(s->word->text, event) == 0) && time_s >= s->since_s;
}

/* The rows of the live span that S wants; the last choice serves streams that want the same. */
static struct span *choose(struct hub *h, const struct stream *s, const struct stream **last)
{
	struct span *from = &h->live, *to = &h->chosen;

	if (!s->task && !s->word && !s->since_s)
		return from;
	if (*last && (*last)->task == s->task && (*last)->word == s->word &&
	    (*last)->since_s == s->since_s)
		return to;
	*last = s;
	to->n = 0;
	buf_clear(&to->b);
	for (size_t i = 0; i < from->n; i++) {
		const struct span_row *r = &from->rows[i];
		size_t begin = i ? from->rows[i - 1].end : 0;

		if ((s->task && r->task != s->task) || (s->word && r->event != s->word) ||
		    r->time_s < s->since_s)
			continue;
		buf_add(&to->b, from->b.data + begin, r->end - begin);
		to->rows[to->n++] =
		    (struct span_row){ .row = r->row, .time_s = r->time_s, .end = to->b.len };
	}
	return to;
}

/* Sends the live span to the streams of one list. */
static void send_list(struct hub *h, struct link *list)
{
	const struct stream *last = NULL;

	for (struct link *l = list->next, *next; l != list; l = next) {
		struct stream *s = link_of(l, struct stream);
		struct span *sp = choose(h, s, &last);

		next = l->next;
		if (sp->n)
			stream_span(h, s, sp);
		if (s->state == ST_DEAD && last == s)
			last = NULL;
	}
}

static void flush(struct hub *h)
{
	struct span *sp = &h->live;

	if (!sp->n)
		return;
	h->stamp++;
	send_list(h, &h->all_logs);
	for (size_t i = 0; i < sp->n; i++) {
		struct word *task = sp->rows[i].task;

		if (task && task->stamp != h->stamp) {
			task->stamp = h->stamp;
			send_list(h, &task->live);
		}
	}
	span_clear(h, sp);
	if (h->chosen.b.cap > SPAN_KEEP)
		buf_fini(&h->chosen.b);
}

/* Formats the row if any live stream may want it. */
static void take_row(struct hub *h, struct q *q)
{
	struct word *task = word_find(&h->tasks, db_text(q, C_TASK));
	size_t n = h->live.n;

	note_seen(h, db_int(q, C_ROW), id_hash(q, C_LOG));
	if (task && link_empty(&task->live))
		task = NULL;
	if (!task && link_empty(&h->all_logs))
		return;
	span_add(h, &h->live, q);
	if (h->live.n > n) {
		h->live.rows[n].task = hold(task);
		h->live.rows[n].event = hold(word_find(&h->events, db_text(q, C_EVENT)));
	}
}

static void round_of_rows(struct hub *h)
{
	int64_t began = mono_ms(), n = 0;
	struct q *q;

	h->more = false;
	if (!h->tip_known)
		tip_load(h);
	tip_check(h);
	q = db_query(h->cx.db, Q_STREAM_LOGS, "iii", h->tip, INT64_MAX, (int64_t)ROUND_ROWS);
	while (!h->more && db_next(q)) {
		n++;
		take_row(h, q);
		if (span_full(&h->live, ROUND_ROWS)) {
			flush(h);
			h->more = mono_ms() - began > ROUND_MS;
		}
	}
	db_done(q);
	flush(h);
	if (n == ROUND_ROWS)
		h->more = true;
}

void feed_look(struct hub *h)
{
	int64_t version;
	bool changed;

	h->rung = false;
	h->next_look = h->now + LOOK_MS;
	if (!h->n_timers || !feed_open(h))
		return;
	feed_begin(h);
	version = db_version(h->cx.db);
	changed = version != h->version;
	h->version = version;
	if ((changed || h->more) && h->n_kind[HUB_LOGS])
		round_of_rows(h);
	if (!feed_ok(h))
		return;
	if (changed && h->n_kind[HUB_APPROVALS])
		list_look(h, false);
	if (changed && h->n_kind[HUB_JOB])
		jobs_look(h);
}

void feed_idle(struct hub *h)
{
	h->tip_known = false;
	h->more = false;
}

/* Catching up. */

/* Goes back from the tip over the wanted number of rows that S may see. */
static int64_t tail_start(struct hub *h, const struct stream *s)
{
	bool filter = s->word || s->since_s;
	int64_t limit = filter ? TAIL_SCAN : s->tail, row = 0;
	struct q *q = s->task
	    ? db_query(h->cx.db, Q_STREAM_TASK_LOGS_DOWN, "iit", h->tip, limit, s->task->text)
	    : db_query(h->cx.db, Q_STREAM_LOGS_DOWN, "ii", h->tip, limit);

	for (unsigned n = 0; n < s->tail && db_next(q);) {
		row = db_int(q, C_ROW);
		n += passes(s, db_text(q, C_EVENT), db_int(q, C_TIME));
	}
	db_done(q);
	return row ? row - 1 : 0;
}

/* Finds the place where a new stream begins. */
static void start(struct hub *h, struct stream *s)
{
	int64_t from = 0;

	/* Its client knows more than we do, or wants the newest rows. */
	if (s->cursor > h->tip || s->tail)
		round_of_rows(h);
	if (s->since_s > 0)
		from = db_get_int(h->cx.db, h->tip + 1, Q_STREAM_LOGS_SINCE, "i", s->since_s) - 1;
	if (s->tail) {
		int64_t tail = tail_start(h, s);

		if (tail > from)
			from = tail;
	}
	if (from > s->cursor)
		s->cursor = from;
	s->fresh = h->cx.err.rc != RC_OK;
}

static bool step_is_for(const struct hub *h, const struct stream *s)
{
	return h->step_key.valid && h->step_key.task == s->task && h->step_key.event == s->word &&
	       h->step_key.since_s == s->since_s && h->step_key.after == s->cursor &&
	       h->step_key.version == h->version;
}

static void step_fill(struct hub *h, const struct stream *s)
{
	struct span *sp = &h->step;
	bool filter = s->word || s->since_s;
	int64_t limit = filter ? STEP_SCAN : STEP_ROWS, n = 0, upto = h->tip;
	struct q *q;

	span_clear(h, sp);
	if (s->task)
		q = db_query(h->cx.db, Q_STREAM_TASK_LOGS, "iiit", s->cursor, h->tip, limit,
		    s->task->text);
	else
		q = db_query(h->cx.db, Q_STREAM_LOGS, "iii", s->cursor, h->tip, limit);
	while (db_next(q)) {
		upto = db_int(q, C_ROW);
		if (passes(s, db_text(q, C_EVENT), db_int(q, C_TIME)))
			span_add(h, sp, q);
		if (span_full(sp, STEP_ROWS))
			break;
		n++;
	}
	db_done(q);
	if (n < limit && !span_full(sp, STEP_ROWS))
		upto = h->tip;
	h->step_key.task = s->task;
	h->step_key.event = s->word;
	h->step_key.since_s = s->since_s;
	h->step_key.after = s->cursor;
	h->step_key.upto = upto;
	h->step_key.version = h->version;
	h->step_key.valid = true;
}

bool feed_step(struct hub *h, struct stream *s)
{
	if (!feed_open(h))
		return false;
	feed_begin(h);
	if (!h->tip_known)
		tip_load(h);
	if (s->fresh)
		start(h, s);
	if (s->cursor < h->tip && !step_is_for(h, s))
		step_fill(h, s);
	if (!feed_ok(h))
		return false;
	if (s->cursor < h->tip) {
		int64_t upto = h->step_key.upto;

		if (h->step.n && !stream_span(h, s, &h->step))
			return false;
		s->cursor = upto;
	}
	return s->cursor >= h->tip;
}

bool feed_row(struct hub *h, struct stream *s)
{
	struct q *q;

	h->step_key.valid = false;
	if (!feed_open(h))
		return false;
	feed_begin(h);
	span_clear(h, &h->step);
	q = db_query(h->cx.db, Q_STREAM_LOGS, "iii", s->part_row - 1, s->part_row, (int64_t)1);
	if (db_next(q))
		span_add(h, &h->step, q);
	db_done(q);
	return feed_ok(h) && h->step.n;
}

bool feed_task_ended(struct hub *h, const struct stream *s)
{
	const char *status;
	bool over;
	struct q *q;

	if (!feed_open(h))
		return false;
	feed_begin(h);
	q = db_query(h->cx.db, Q_STREAM_TASK_STATUS, "t", s->task->text);
	status = db_next(q) ? db_text(q, 0) : NULL;
	over = !status || task_has_ended(status);
	db_done(q);
	return feed_ok(h) && over;
}
