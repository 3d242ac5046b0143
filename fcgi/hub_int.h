/* Inside of the stream hub: what its source files share.
 *
 *   hub.c         start, the loop, tickets of the workers, the end
 *   hub_stream.c  one stream: its states, what it is sent, its clock
 *   hub_feed.c    log rows: reading, fan-out, catching up
 *   hub_list.c    the list of pending approvals, and answers that wait for a job
 *   hub_left.c    jobs whose client has left
 *   hub_util.c    words (task ids, event names), timers, lists
 *
 * The database is the buffer. A stream that keeps pace is LIVE: it has been sent everything up to
 * the hub's tip, and each new row is read and formatted once for all of them. A stream whose
 * socket is full is BLOCKED and remembers only how far it came; when it can be written to again it
 * is READY and reads on by itself until it has reached the tip. What was cut in the middle (a
 * record must be finished before anything else is said) is made anew from the database and sent
 * from that byte on, so nothing is kept of it either. */
#ifndef FCGI_HUB_INT_H
#define FCGI_HUB_INT_H

#include "core/json_out.h"
#include "fcgi/hub.h"

#define BEAT_MS 15000     /* between two keep-alive comments */
#define STALL_MS 60000    /* a reader that takes nothing for so long is closed */
#define LINGER_MS 10000   /* from the last row of an ended task to the end of its stream */
#define LOOK_MS 250       /* between two looks at the database where no bell rings */
#define PAUSE_MS 2000     /* after a database error */
#define STOP_MS 1500      /* for the streams to end after SIGTERM */
#define ROUND_ROWS 500    /* rows of one round of the live feed */
#define STEP_ROWS 50      /* rows of one step of a stream that catches up */
#define STEP_SCAN 2000    /* rows that such a step looks at */
#define SPAN_SOFT ((size_t)64 << 10)   /* a span with that many bytes is complete */
#define SPAN_KEEP ((size_t)1 << 20)    /* buffers above this are given back after use */
#define ROW_MAX ((size_t)96 << 20)     /* no row may be longer on the wire */
#define LISTS_MAX ((size_t)8 << 20)    /* bytes of outdated lists that slow readers hold */
#define LEFT_MAX 256                   /* jobs that wait to be cancelled */
#define SEEN_MAX 1024                  /* rows remembered to notice reused row numbers */

struct link {
	struct link *prev, *next;
};

/* A text that several streams name: the id of a task with its live streams, or an event. */
struct word {
	struct word *next;
	struct link live;
	unsigned refs, stamp;
	uint32_t hash;
	char text[];
};

struct words {
	struct word **slots;
	size_t n, size; /* size: a power of two, or 0 */
};

/* What epoll hands back begins with one of these. */
enum source { SRC_LISTEN, SRC_WORKER, SRC_SIGNAL, SRC_BELL, SRC_STREAM };

enum state { ST_NEW, ST_LIVE, ST_READY, ST_BLOCKED, ST_DEAD };

/* Fixed texts, encoded once. */
enum text {
	TEXT_HEADERS, /* of an event stream */
	TEXT_BEAT,
	TEXT_ERROR,
	TEXT_LAST, /* from here on they end the stream */
	TEXT_HEAD = TEXT_LAST, /* headers only */
	TEXT_END,
	TEXT_RETRY, /* come back soon */
	TEXT_LATE,  /* the same for a stream that is not open yet */
	TEXT_FULL,  /* too many streams */
	TEXT_COUNT
};

/* What a stream was in the middle of when its socket was full. */
enum part { PART_NONE, PART_TEXT, PART_ROW, PART_LIST, PART_JOB };

/* The answer of a HUB_JOB ticket. */
enum answer { ANSWER_NONE, ANSWER_RESULT, ANSWER_TIMEOUT, ANSWER_STOP };

/* An encoded list of pending approvals, shared by the streams that are being sent it. */
struct list {
	unsigned refs;
	size_t len;
	char *data;
};

struct stream {
	uint8_t source;
	uint8_t kind, state, part, text; /* text: of PART_TEXT */
	uint8_t final;                   /* text that ends it once the part is through, or 0 */
	uint8_t answer, stuck;           /* stuck: beats without sign of life */
	bool bound;                      /* the job ends with its client */
	bool settled;                    /* the answer does not depend on the job's */
	bool is_test;                    /* a failure is an answer */
	uint16_t fcgi_id, tail;
	bool head, one_task, fresh, wrote; /* fresh: its place is not looked up yet */
	int fd;
	uint32_t timer, outq; /* place in the heap + 1; bytes in the socket when last looked */
	uint32_t part_sum;    /* to be sure that a row is still the same */
	size_t part_off;
	int64_t part_row;
	struct link link; /* in the list of its state */
	struct word *task; /* filter, or NULL */
	struct word *word; /* event filter, or NULL; for a job the text of its timeout */
	struct list *list; /* of PART_LIST */
	int64_t cursor;    /* last row sent, while not live; the number of the last list; the job */
	int64_t since_s;
	int64_t beat;    /* next keep-alive, or a job's deadline */
	int64_t blocked; /* since when nothing was taken */
	int64_t quiet;   /* last row, or last look at the task's state */
};

struct span_row {
	int64_t row, time_s;
	size_t end; /* in the span's buffer */
	struct word *task, *event;
};

/* Encoded log rows, one behind the other. */
struct span {
	struct buf b;
	size_t n;
	struct span_row rows[ROUND_ROWS];
};

struct timer {
	int64_t due;
	struct stream *s;
};

struct worker_conn {
	uint8_t source;
	int fd;
	struct link link;
};

struct hub {
	const struct conf *conf;
	struct ctx cx;
	int epoll_fd, listen_fd, bell_fd, signal_fd;
	char *socket_path, *db_path;
	uint64_t socket_ino;
	int64_t now; /* monotonic ms, read once a turn of the loop */
	struct buf texts[TEXT_COUNT], scratch, json;

	struct timer *timers;
	size_t n_timers, cap_timers;
	size_t n_kind[HUB_JOB + 1], max_streams, max_all;
	struct link all_logs; /* live log streams without a task */
	struct link approvals, jobs, ready, blocked, dead, workers;
	struct words tasks, events;
	unsigned stamp;

	int64_t version, next_look, pause_until;
	bool rung, more; /* more: the last round ended before the rows did */

	bool tip_known;
	int64_t tip; /* live streams have all rows up to here */
	struct {
		int64_t row;
		uint64_t hash;
	} seen[SEEN_MAX];
	size_t n_seen;

	struct span live, chosen, step;
	struct {
		const struct word *task, *event;
		int64_t since_s, after, upto, version;
		bool valid;
	} step_key;

	struct list *list;
	char *list_key;
	int64_t list_number, list_version;
	size_t list_bytes;

	struct ctx left_cx; /* its connection is open while it is used */
	int64_t left[LEFT_MAX], left_due;
	size_t n_left;

	bool told, stopping; /* told: SIGTERM is there */
	int64_t stop_at;
};

/* hub_util.c */

static inline void link_init(struct link *l)
{
	l->prev = l->next = l;
}

static inline bool link_empty(const struct link *l)
{
	return l->next == l;
}

void link_drop(struct link *l);
void link_append(struct link *head, struct link *l);
#define link_of(l, type) ((type *)(void *)((char *)(l) - offsetof(type, link)))

/* The word for TEXT with one more reference; made where there is none. */
struct word *word_get(struct words *w, const char *text);
/* The word where it exists, else NULL. */
struct word *word_find(const struct words *w, const char *text);
void word_put(struct words *w, struct word *word); /* gives one reference back; NULL is allowed */

/* A stream has one timer; setting it again moves it. */
void timer_set(struct hub *h, struct stream *s, int64_t due);
void timer_drop(struct hub *h, struct stream *s);
/* The stream whose timer is due, with the timer taken off; or NULL. */
struct stream *timer_next(struct hub *h);

uint64_t hash_bytes(const char *p, size_t n);
/* Memory or exit: the master starts a new hub. */
void *must(void *p);

/* hub_stream.c */

void stream_texts(struct hub *h);
/* Takes a ticket and its descriptor over; says something at once, or closes it. */
void stream_open(struct hub *h, const struct hub_ticket *t, int fd);
void stream_close(struct hub *h, struct stream *s);
/* Sends bytes FROM.. of the LEN bytes at DATA (whole records). False where not all went: then the
 * stream is blocked with this PART noted, or dead. */
bool stream_send(struct hub *h, struct stream *s, enum part part, char *data, size_t len,
    size_t from);
void stream_text(struct hub *h, struct stream *s, enum text text);
/* Sends rows; notes the row where it stopped. */
bool stream_span(struct hub *h, struct stream *s, struct span *sp);
/* Goes on with a stream that is ready. */
void stream_pump(struct hub *h, struct stream *s);
void stream_event(struct hub *h, struct stream *s, uint32_t events);
void stream_timer(struct hub *h, struct stream *s);
/* SIGTERM: tells the stream to come back and ends it. */
void stream_stop(struct hub *h, struct stream *s);

/* hub_feed.c: work that begins with feed_begin may fail in the database; feed_ok says whether it
 * did, tells the log streams, and begins the pause. */

void feed_begin(struct hub *h);
bool feed_ok(struct hub *h);
/* Whether the database may be asked now. */
bool feed_open(struct hub *h);
/* Reads what is new and sends it. */
void feed_look(struct hub *h);
/* One step towards the tip. True where the stream is there. */
bool feed_step(struct hub *h, struct stream *s);
/* The stream's part_row, encoded in h->step; false where it is gone or another one. */
bool feed_row(struct hub *h, struct stream *s);
/* Whether the task of a stream has ended or does not exist. */
bool feed_task_ended(struct hub *h, const struct stream *s);
/* The last log stream is gone. */
void feed_idle(struct hub *h);

/* hub_list.c */

/* Sends the list to the live streams if others wait now than before. FRESH: also makes it anew
 * where anything in the database has changed. */
void list_look(struct hub *h, bool fresh);
/* The newest list to a stream that does not have it; false where it is not all gone. */
bool list_send(struct hub *h, struct stream *s);
void list_put(struct hub *h, struct list *l); /* gives one reference back; NULL is allowed */
/* Looks whether the jobs that streams wait for have ended. */
void jobs_look(struct hub *h);
/* The same for one. True where it still waits. */
bool job_look(struct hub *h, struct stream *s);
/* Sends the answer that s->answer names, from byte FROM on. */
void job_answer(struct hub *h, struct stream *s, enum answer answer, size_t from);

/* hub_left.c */

/* Notes that nobody waits for the job any more. */
void left_note(struct hub *h, int64_t job);
/* Cancels what was noted, where the write lock is free. */
void left_look(struct hub *h);
/* The same with a few tries, before the hub ends. */
void left_finish(struct hub *h);

/* hub_pass.c */

/* hub_pass without another try; waits WAIT_MS for the hub to say that it has the ticket. A hub that
 * is silent but alive counts as one that is busy and will take it. */
enum rc hub_pass_once(const char *run_dir, int fd, const struct hub_ticket *t, int wait_ms);

#endif
