/* Runs that a command-line client drives. See client.h. */
#include "jobrunner/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/text.h"

#define START_MS      60000
#define SILENCE_MS    (15 * 60 * 1000)
#define LOOK_AGAIN_MS 1000
#define MAKE_ROOM_MS  10000
#define RUBBISH_MAX   10000
#define WORDS_UNITS   500
#define ENV_EXTRA_MAX 16

enum client_event {
	CLIENT_MESSAGE,
	CLIENT_DECIDED,
	CLIENT_DUE,
	CLIENT_PARK,   /* it waits for a person only, and long enough */
	CLIENT_STOP,   /* the run was cancelled, or is to be interrupted; comes once */
	CLIENT_SILENT, /* nothing came in time: at the start, for a step, or at all */
	CLIENT_BROKEN, /* it floods us with what makes no sense */
	CLIENT_ENDED,  /* the process has ended and everything was read */
	CLIENT_LOST,   /* cl->rc says why */
};

/* ---- start and end ---- */

static void note_pid(struct client *cl)
{
	struct run *r = cl->r;
	pid_t pid = child_pid(cl->child);

	cl->rc = run_tx_begin(r);
	if (cl->rc != RC_OK)
		return;
	db_run(r->cx->db, Q_RUN_SET_CHILD, "ttit", r->task.id, r->job->run_id, (int64_t)pid,
	    child_start_time(r->cx->arena, pid));
	cl->rc = tx_end(r->cx, RC_OK);
}

enum rc client_start(struct client *cl, struct run *r, const struct program *p,
    const char *const *argv, const char *const *extra, const char *secret, struct err *e)
{
	struct child_spec spec = { r->access.program, argv, NULL, r->workdir, secret };
	const char *marked[ENV_EXTRA_MAX + 1] = { 0 };
	size_t n = 0;

	marked[n++] = arena_printf(r->arena, CHILD_MARK "%s", r->job->run_id);
	while (*extra && n < ENV_EXTRA_MAX)
		marked[n++] = *extra++;
	spec.env = program_env(r->arena, marked);

	*cl = (struct client){ .r = r, .program = p };
	cl->event = arena_new(ARENA_REQUEST_MAX * 4);
	child_adopt();
	cl->child = child_start(&spec, e);
	if (!cl->child)
		return e->rc;
	cl->heard_ms = mono_ms();
	note_pid(cl);
	return RC_OK;
}

/* The file is replaced by every run of the task, and is as private as the folder. */
static void keep_stderr(struct client *cl)
{
	struct run *r = cl->r;
	const char *text = child_stderr(r->arena, cl->child);
	const char *dir = arena_printf(r->arena, "%s/runs", r->cx->conf->data_dir);
	int fd;

	if (!*text)
		return;
	mkdir(dir, 0700);
	fd = open(arena_printf(r->arena, "%s/%s.log", dir, r->task.id),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_warn("run %s: its log: %s", r->job->run_id, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void client_end(struct client *cl, int close_ms, int term_ms)
{
	if (cl->child)
		child_end(cl->child, close_ms, term_ms);
}

void client_free(struct client *cl)
{
	if (cl->child) {
		child_end(cl->child, 0, 0);
		keep_stderr(cl);
		child_free(cl->child);
	}
	cl->child = NULL;
	while (cl->n_pending)
		client_forget(cl, &cl->pending[0]);
	cl->r->cx->arena = cl->r->arena;
	if (cl->event)
		arena_free(cl->event);
	cl->event = NULL;
}

const char *client_failure(struct client *cl, const char *what)
{
	struct arena *a = cl->r->arena;
	const char *words = child_last_words(a, cl->child, WORDS_UNITS);

	if (child_status(cl->child) >= 0)
		what = arena_printf(a, "%s (%s)", what, child_status_words(a, cl->child));
	if (*words)
		what = arena_printf(a, "%s: %s", what, words);
	if (cl->spoke && program_version_ok(cl->program, cl->version))
		return what;
	return program_broken(a, cl->program, cl->r->access.program, cl->version, what);
}

int client_fail(struct run *r, const char *result, const char *error)
{
	return run_end(r, &(struct ending){ .status = "failed", .result = result,
			      .error = *error ? error : result });
}

int client_stopped(struct run *r, const char *why, const char *error)
{
	return client_fail(r, arena_printf(r->arena, "Task stopped: %s", why), error);
}

bool client_goes_on(const struct run *r)
{
	return (r->resume || r->restarted || r->unparked) && r->task.session_id &&
	    *r->task.session_id;
}

int client_session_gone(struct client *cl)
{
	static const char EXPIRED[] = "Session expired \xe2\x80\x94 re-queue for fresh start";
	struct run *r = cl->r;

	client_end(cl, CLIENT_CLOSE_MS, CLIENT_TERM_MS);
	if (r->resume && !r->restarted && !r->unparked)
		return run_end(r, &(struct ending){ .status = "failed", .result = EXPIRED,
				      .error = EXPIRED, .session_gone = true });
	if (!client_has_acted(r) && !r->resume)
		return CLIENT_BEGINS_ANEW;
	return run_end(r, &(struct ending){ .status = "failed",
			      .result = "Task stopped: interrupted",
			      .error = "The runner was restarted, and the session is gone",
			      .interrupted = true });
}

const char *client_system_text(struct arena *a, const char *stable, const char *rest)
{
	stable = stable ? stable : "";
	rest = rest ? rest : "";
	return arena_printf(a, "%s%s%s", stable, *stable && *rest ? "\n\n" : "", rest);
}

/* ---- messages ---- */

void client_note_version(struct client *cl, const char *version)
{
	const struct program *p = cl->program;

	cl->version = version ? arena_strdup(cl->r->arena, version) : NULL;
	if (version && program_version_ok(p, version))
		log_info("run %s: %s %s", cl->r->job->run_id, p->label, version);
	else
		log_warn("run %s: %s %s is older than %d.%d", cl->r->job->run_id, p->label,
		    version ? version : "without a version", p->oldest[0], p->oldest[1]);
}

void client_expect(struct client *cl, int64_t ms)
{
	cl->step_until_ms = ms ? mono_ms() + ms : 0;
}

bool client_send(struct client *cl, json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT);
	bool ok = text && child_send(cl->child, text, strlen(text));

	free(text);
	json_decref(v);
	return ok;
}

/* The earliest moment at which silence is a failure; a request that waits for a person is none. */
static int64_t silence_until(const struct client *cl)
{
	int64_t until = cl->heard_ms + (cl->spoke ? SILENCE_MS : START_MS);

	if (cl->step_until_ms && cl->step_until_ms < until)
		until = cl->step_until_ms;
	return cl->n_pending && cl->spoke ? INT64_MAX : until;
}

/* A line as a message; NULL where it is none. */
static const json_t *read_message(struct client *cl, const char *line, size_t n)
{
	const json_t *v = json_read(cl->event, line, n);

	if (!json_is_object(v)) {
		cl->rubbish++;
		child_remember(cl->child, line, n < 4096 ? n : 4096);
		return NULL;
	}
	cl->heard_ms = mono_ms();
	cl->rubbish = 0;
	return v;
}

/* ---- requests ---- */

/* While F works on a call, what it makes lives with the pending request. */
static enum rc on_call(struct client *cl, struct pending *p,
    enum rc (*f)(struct run *, struct call *))
{
	enum rc rc;

	cl->r->cx->arena = p->arena;
	rc = f(cl->r, &p->call);
	cl->r->cx->arena = cl->event;
	return rc;
}

struct pending *client_pending(struct client *cl, const char *id)
{
	for (size_t i = 0; i < cl->n_pending; i++)
		if (strcmp(cl->pending[i].id, id) == 0)
			return &cl->pending[i];
	return NULL;
}

struct pending *client_request(struct client *cl, const char *id, int kind, const char *call_id,
    const char *name, const json_t *input, const char *title, const char *body)
{
	struct pending *p = &cl->pending[cl->n_pending];
	struct arena *a;

	if (cl->n_pending == CLIENT_PENDING_MAX)
		return NULL;
	a = arena_new(ARENA_REQUEST_MAX * 2);
	*p = (struct pending){ .arena = a, .id = arena_strdup(a, id), .kind = kind,
		.since_ms = mono_ms() };
	p->of = (struct tool_call){ .id = arena_strdup(a, call_id), .name = arena_strdup(a, name),
		.input = json_keep(a, json_incref((json_t *)(uintptr_t)input)) };
	p->call.title = title ? arena_strdup(a, title) : NULL;
	p->call.body = body ? arena_strdup(a, body) : NULL;
	p->call.of = &p->of;
	cl->n_pending++;
	cl->rc = on_call(cl, p, call_note);
	if (cl->rc == RC_OK)
		cl->rc = on_call(cl, p, call_decide);
	return cl->rc == RC_OK ? p : NULL;
}

void client_forget(struct client *cl, struct pending *p)
{
	struct arena *a = p->arena;
	size_t at = (size_t)(p - cl->pending);

	memmove(p, p + 1, (cl->n_pending - at - 1) * sizeof *p);
	cl->n_pending--;
	for (size_t i = at; i < cl->n_pending; i++)
		cl->pending[i].call.of = &cl->pending[i].of;
	arena_free(a);
}

void client_withdraw(struct client *cl, struct pending *p)
{
	struct run *r = cl->r;

	r->cx->arena = p->arena;
	if (call_is(&p->call, "asked"))
		cl->rc = call_withdraw(r, &p->call, "Request withdrawn");
	r->cx->arena = cl->event;
	client_forget(cl, p);
}

static struct pending *decided(struct client *cl)
{
	for (size_t i = 0; i < cl->n_pending; i++)
		if (!call_is(&cl->pending[i].call, "asked"))
			return &cl->pending[i];
	return NULL;
}

/* Looks at all open requests. */
static void look(struct client *cl)
{
	for (size_t i = 0; i < cl->n_pending && cl->rc == RC_OK; i++)
		if (call_is(&cl->pending[i].call, "asked"))
			cl->rc = on_call(cl, &cl->pending[i], call_look);
}

static bool may_park(struct client *cl)
{
	struct run *r = cl->r;
	int64_t waited = INT64_MAX, quiet = mono_ms() - cl->heard_ms;

	if (!cl->n_pending || cl->busy)
		return false;
	for (size_t i = 0; i < cl->n_pending; i++)
		if (mono_ms() - cl->pending[i].since_ms < waited)
			waited = mono_ms() - cl->pending[i].since_ms;
	if (quiet < waited)
		waited = quiet;
	return waited > r->cx->conf->runs_park_s * 1000 ||
	    (waited > MAKE_ROOM_MS && run_others_wait(r));
}

static int park(struct client *cl)
{
	struct run *r = cl->r;
	int64_t until = 0;
	enum rc rc;

	for (size_t i = 0; i < cl->n_pending; i++) {
		int64_t d = call_deadline(r, &cl->pending[i].call);

		if (d && (!until || d < until))
			until = d;
	}
	client_end(cl, 0, 2000);
	rc = run_park(r, &cl->pending[0].call, until);
	if (rc != RC_OK)
		return run_leave(r, rc);
	/* An answer has come meanwhile: the same, at once. */
	rc = run_tx_begin(r);
	if (rc != RC_OK)
		return run_leave(r, rc);
	db_run(r->cx->db, Q_RUN_PARK, "tt", r->task.id, r->job->run_id);
	rc = tx_end(r->cx, RC_OK);
	return run_leave(r, rc == RC_OK ? RC_TIMEOUT : rc);
}

/* ---- tools of ours ---- */

/* What became of the same call in the process before this one, if the client may not know. */
static bool replay(struct run *r, struct call *c)
{
	struct arena *a = r->cx->arena;
	struct q *q = db_query(r->cx->db, Q_CALL_LOST, "ttt", r->job->run_id, c->of->name,
	    c->input_text);
	const char *id;

	if (!db_next(q))
		return false;
	id = arena_strdup(a, db_text(q, 0));
	c->result = db_is_null(q, 1) ? NULL : arena_strdup(a, db_text(q, 1));
	c->is_error = db_int(q, 2) != 0;
	db_done(q);
	db_run(r->cx->db, Q_CALL_SEEN, "tt", r->job->run_id, id);
	if (!c->result) {
		c->result = tool_error_text(a, CALL_UNKNOWN_OUTCOME);
		c->is_error = true;
	}
	db_run(r->cx->db, Q_CALL_DONE, "tttb", r->job->run_id, c->of->id, c->result, c->is_error);
	c->state = "done";
	return true;
}

static enum rc try_replay(struct run *r, struct call *c)
{
	enum rc rc;

	if (!(r->restarted || r->unparked) || !call_is(c, "decided") || !c->allowed)
		return RC_OK;
	rc = run_tx_begin(r);
	if (rc != RC_OK)
		return rc;
	replay(r, c);
	return tx_end(r->cx, RC_OK);
}

enum rc client_tool(struct client *cl, const char *call_id, const char *name, const json_t *input,
    const char **text, bool *is_error)
{
	struct run *r = cl->r;
	struct tool_call of = { .id = call_id, .name = name,
		.input = (json_t *)(uintptr_t)input };
	struct call c = { .of = &of };
	enum rc rc = call_note(r, &c);

	if (rc == RC_OK)
		rc = call_decide(r, &c);
	if (rc == RC_OK && call_is(&c, "asked"))
		rc = call_withdraw(r, &c, "The client did not ask for this call");
	if (rc == RC_OK)
		rc = try_replay(r, &c);
	if (rc == RC_OK)
		rc = call_carry_out(r, &c);
	*text = c.result ? c.result : "";
	*is_error = c.is_error;
	return rc;
}

enum rc client_note(struct client *cl, const char *call_id, const char *name,
    const json_t *input)
{
	struct tool_call of = { .id = call_id, .name = name,
		.input = (json_t *)(uintptr_t)input };
	struct call c = { .of = &of };

	return call_note(cl->r, &c);
}

enum rc client_seen(struct client *cl, const char *call_id)
{
	struct run *r = cl->r;
	enum rc rc = run_tx_begin(r);

	if (rc != RC_OK)
		return rc;
	db_run(r->cx->db, Q_CALL_SEEN, "tt", r->job->run_id, call_id);
	run_note_progress(r);
	return tx_end(r->cx, RC_OK);
}

void client_note_lost(struct run *r)
{
	db_run(r->cx->db, Q_CALLS_NOTE_LOST, "t", r->job->run_id);
}

bool client_has_acted(struct run *r)
{
	return db_get_int(r->cx->db, 0, Q_CALL_COUNT, "t", r->job->run_id) > 0;
}

/* ---- waiting ---- */

/* How long to wait at most for something to come. */
static int wait_ms(const struct client *cl, int64_t due_ms)
{
	int64_t ms = silence_until(cl) - mono_ms();

	if (cl->n_pending && ms > LOOK_AGAIN_MS)
		ms = LOOK_AGAIN_MS;
	if (due_ms >= 0 && due_ms < ms)
		ms = due_ms;
	return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

/* What there is without waiting for the child, or -1. */
static int at_once(struct client *cl, struct pending **p)
{
	if (cl->rc != RC_OK)
		return CLIENT_LOST;
	*p = decided(cl);
	if (*p)
		return CLIENT_DECIDED;
	if (!cl->told && job_told_to_stop(cl->r->job)) {
		cl->told = true;
		return CLIENT_STOP;
	}
	if (cl->rubbish > RUBBISH_MAX)
		return CLIENT_BROKEN;
	return -1;
}

/* The next thing that happens; DUE_MS: see due_in. */
static enum client_event next(struct client *cl, int64_t due_ms, const json_t **msg,
    struct pending **p)
{
	int64_t due_at = due_ms < 0 ? INT64_MAX : mono_ms() + due_ms;

	for (;;) {
		const char *line;
		size_t n;
		enum child_event ev;
		int now;

		arena_reset(cl->event);
		cl->r->cx->arena = cl->event;
		now = at_once(cl, p);
		if (now >= 0)
			return (enum client_event)now;
		ev = child_next(cl->child, cl->told ? -1 : cl->r->job->signal_fd,
		    wait_ms(cl, due_at == INT64_MAX ? -1 : due_at - mono_ms()), &line, &n);
		if (ev == CHILD_LINE && (*msg = read_message(cl, line, n)))
			return CLIENT_MESSAGE;
		if (ev == CHILD_ENDED)
			return CLIENT_ENDED;
		if (ev == CHILD_LONG)
			cl->rubbish++;
		if (ev != CHILD_LINE)
			look(cl);
		if (mono_ms() >= due_at)
			return CLIENT_DUE;
		if (mono_ms() >= silence_until(cl))
			return CLIENT_SILENT;
		if (may_park(cl))
			return CLIENT_PARK;
	}
}

/* ---- the loop ---- */

static int end_cancelled(struct client *cl)
{
	client_end(cl, 0, CLIENT_HURRY_MS);
	return run_end_cancelled(cl->r);
}

/* The run is no longer wanted: the client ends its turn, and with it the run. */
static int cancelled(struct client *cl, const struct client_driver *d, void *arg)
{
	bool again = cl->stopping;

	cl->stopping = true;
	cl->told = true;
	cl->rc = RC_OK;
	while (cl->n_pending)
		client_forget(cl, &cl->pending[0]);
	return !again && d->interrupt(arg) ? CLIENT_GOES_ON : end_cancelled(cl);
}

/* Told to stop: cancelled, or the runner ends and somebody else goes on. */
static int on_stop(struct client *cl, const struct client_driver *d, void *arg)
{
	struct run *r = cl->r;
	enum rc rc = run_tx_begin(r);

	if (rc == RC_OK)
		rc = tx_end(r->cx, RC_OK);
	if (rc == RC_CANCELLED)
		return cancelled(cl, d, arg);
	d->flush(arg);
	client_end(cl, 0, CLIENT_CLOSE_MS);
	if (rc == RC_OK && run_took_too_long(r))
		return client_stopped(r, "error", RUN_TOO_LONG);
	return run_leave(r, rc == RC_OK ? RC_TIMEOUT : rc);
}

static int on_lost(struct client *cl, const struct client_driver *d, void *arg)
{
	if (cl->rc == RC_CANCELLED)
		return cancelled(cl, d, arg);
	client_end(cl, 0, CLIENT_HURRY_MS);
	return run_leave(cl->r, cl->rc);
}

static int on_silence(struct client *cl, const struct client_driver *d, void *arg,
    const char *what)
{
	d->flush(arg);
	if (cl->stopping)
		return end_cancelled(cl);
	client_end(cl, 0, CLIENT_TERM_MS);
	return d->silent(arg,
	    arena_printf(cl->r->arena, "%s %s", cl->program->label, what));
}

static int on_ended(struct client *cl, const struct client_driver *d, void *arg)
{
	d->flush(arg);
	client_end(cl, 0, 0);
	return cl->stopping ? run_end_cancelled(cl->r) : d->ended(arg);
}

static int step(struct client *cl, const struct client_driver *d, void *arg)
{
	const json_t *msg;
	struct pending *p;

	switch (next(cl, d->due_in(arg), &msg, &p)) {
	case CLIENT_MESSAGE:
		return d->message(arg, msg);
	case CLIENT_DECIDED:
		d->decided(arg, p);
		return CLIENT_GOES_ON;
	case CLIENT_DUE:
		d->due(arg);
		return CLIENT_GOES_ON;
	case CLIENT_PARK:
		d->flush(arg);
		return park(cl);
	case CLIENT_STOP:
		return on_stop(cl, d, arg);
	case CLIENT_SILENT:
		return on_silence(cl, d, arg, "does not answer");
	case CLIENT_BROKEN:
		return on_silence(cl, d, arg, "sends what cannot be understood");
	case CLIENT_ENDED:
		return on_ended(cl, d, arg);
	default:
		return on_lost(cl, d, arg);
	}
}

int client_drive(struct client *cl, const struct client_driver *d, void *arg)
{
	int code = CLIENT_GOES_ON;

	while (code == CLIENT_GOES_ON)
		code = step(cl, d, arg);
	return code;
}
