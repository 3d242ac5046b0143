/* One question to Codex, without tools and without a thread that is kept, and the test whether it
 * works. Whatever it asks for is refused. */
#include "core/clock.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/runtimes/codex.h"

#define DEFAULT_MS   300000
#define CLOSE_MS     1000
#define TERM_MS	     2000
#define MESSAGES_MAX 200000
#define WORDS_UNITS  2000

/* A conversation with a process of the program. */
struct talk {
	struct job *j;
	struct child *child;
	struct arena *event;  /* of one message */
	const char *file, *version;
	int64_t end_ms;       /* monotonic */
	int64_t number;       /* of our last request */
	const char *why;      /* what went wrong, in the job's arena */
};

/* The program itself is at fault. */
static enum rc broken(struct talk *t, const char *what)
{
	struct arena *a = t->j->cx->arena;
	const char *words = t->child ? child_last_words(a, t->child, 300) : "";

	if (t->child && child_status(t->child) >= 0)
		what = arena_printf(a, "%s (%s)", what, child_status_words(a, t->child));
	if (*words)
		what = arena_printf(a, "%s: %s", what, words);
	t->why = program_broken(a, &PROGRAM_CODEX, t->file, t->version, what);
	return RC_UPSTREAM;
}

static bool send(struct talk *t, json_t *v)
{
	const char *text = json_text(t->j->cx->arena, json_keep(t->j->cx->arena, v));

	return child_send(t->child, text, strlen(text));
}

static void refuse(struct talk *t, const struct codex_msg *m)
{
	if (m->method == CODEX_ASKS_COMMAND || m->method == CODEX_ASKS_FILES)
		send(t, codex_answer(m->id, codex_decision(false)));
	else
		send(t, codex_refusal(m->id, "Not allowed here"));
}

/* The next message that is no request; good until the next call. UNTIL: monotonic. */
static enum rc next(struct talk *t, int64_t until, struct codex_msg *m)
{
	until = until < t->end_ms ? until : t->end_ms;
	for (int i = 0; i < MESSAGES_MAX; i++) {
		const char *line;
		size_t n;
		enum child_event ev;

		if (job_told_to_stop(t->j))
			return RC_CANCELLED;
		if (mono_ms() >= until)
			return RC_TIMEOUT;
		arena_reset(t->event);
		ev = child_next(t->child, t->j->signal_fd, (int)(until - mono_ms()), &line, &n);
		if (ev == CHILD_ENDED)
			return broken(t, "Codex ended before it had answered");
		if (ev != CHILD_LINE || !codex_read(t->event, json_read(t->event, line, n), m))
			continue;
		if (m->kind != CODEX_REQUEST)
			return RC_OK;
		refuse(t, m);
	}
	return broken(t, "Codex sends what cannot be understood");
}

/* Makes a request and waits for its answer, at most MS. */
static enum rc call(struct talk *t, const char *method, json_t *params, int64_t ms,
    const json_t **result)
{
	int64_t until = mono_ms() + ms;
	struct codex_msg m;
	enum rc rc;

	send(t, codex_request(++t->number, method, params));
	do
		rc = next(t, until, &m);
	while (rc == RC_OK && !(m.kind == CODEX_ANSWER && m.number == t->number));
	if (rc == RC_TIMEOUT && mono_ms() < t->end_ms)
		return broken(t, "Codex does not answer");
	if (rc != RC_OK)
		return rc;
	if (m.error) {
		t->why = arena_printf(t->j->cx->arena, "Codex refuses %s: %s", method, m.error);
		return t->version ? RC_UPSTREAM : broken(t, t->why);
	}
	*result = json_keep(t->j->cx->arena, json_incref((json_t *)(uintptr_t)m.result));
	return RC_OK;
}

static void talk_end(struct talk *t)
{
	if (t->child)
		child_end(t->child, CLOSE_MS, TERM_MS);
	child_free(t->child);
	if (t->event)
		arena_free(t->event);
}

/* Starts the program and greets it. */
static enum rc talk_begin(struct talk *t, struct job *j, const struct runtime_access *access,
    int64_t ms)
{
	struct arena *a = j->cx->arena;
	const char *home = program_home(j->cx->conf, a, &PROGRAM_CODEX);
	struct codex_command cmd;
	struct err e = { 0 };
	const json_t *result;
	enum rc rc;

	*t = (struct talk){ .j = j, .file = access->program, .end_ms = mono_ms() + ms };
	t->event = arena_new(ARENA_REQUEST_MAX * 4);
	t->why = codex_command(j->cx, a, access, home ? home : "/", &cmd);
	if (t->why)
		return RC_IO;
	child_adopt();
	t->child = child_start(
	    &(struct child_spec){ access->program, cmd.argv, program_env(a, cmd.env), home, NULL }, &e);
	if (!t->child)
		return broken(t, arena_printf(a, "Codex cannot be started: %s", e.msg));
	rc = call(t, "initialize", codex_greeting(), CODEX_INIT_MS, &result);
	if (rc != RC_OK)
		return rc;
	t->version = codex_version(a, result);
	if (!program_version_ok(&PROGRAM_CODEX, t->version))
		return broken(t, "Codex is too old");
	send(t, codex_notice("initialized"));
	return RC_OK;
}

static enum rc start_turn(struct talk *t, const struct runtime_access *access,
    const struct model_call *mc, const char **thread, struct usage *u)
{
	struct arena *a = t->j->cx->arena;
	json_t *params = json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:[], s:o}", "cwd",
	    program_home(t->j->cx->conf, a, &PROGRAM_CODEX), "approvalPolicy", "never", "sandbox",
	    "read-only", "ephemeral", 1, "serviceName", "stagent", "developerInstructions",
	    client_system_text(a, mc->system_stable, mc->system_rest), "environments", "config",
	    codex_thread_config(access));
	const char *model;
	const json_t *result;
	enum rc rc;

	if (mc->model)
		json_object_set_new(params, "model", json_string(mc->model));
	rc = call(t, "thread/start", params, CODEX_THREAD_MS, &result);
	if (rc != RC_OK)
		return rc;
	*thread = json_str(json_object_get(result, "thread"), "id");
	model = json_str(result, "model");
	snprintf(u->model, sizeof u->model, "%s", model ? model : "");
	if (!*thread)
		return broken(t, "Codex has started a thread without an id");
	params = json_pack("{s:s, s:[{s:s, s:s, s:[]}]}", "threadId", *thread, "input", "type",
	    "text", "text", mc->prompt, "text_elements");
	if (mc->schema)
		json_object_set_new(
		    params, "outputSchema", json_deep_copy(json_read_text(a, mc->schema)));
	return call(t, "turn/start", params, CODEX_TURN_MS, &result);
}

static void take_text(struct talk *t, const json_t *item, struct turn *out)
{
	const char *type = json_str(item, "type"), *text = json_str(item, "text");

	if (text && type && strcmp(type, "agentMessage") == 0)
		out->text = arena_strdup(t->j->cx->arena, text);
}

/* Reads until the turn of THREAD has ended. */
static enum rc read_turn(struct talk *t, const char *thread, struct turn *out)
{
	struct arena *a = t->j->cx->arena;
	struct codex_msg m;
	struct codex_tokens tokens;
	const char *status, *words;
	enum rc rc;

	for (;;) {
		rc = next(t, t->end_ms, &m);
		if (rc != RC_OK)
			return rc;
		if (!m.thread || strcmp(m.thread, thread) != 0)
			continue;
		if (m.method == CODEX_ITEM_COMPLETED)
			take_text(t, m.object, out);
		if (m.method == CODEX_USAGE && codex_read_tokens(&m, &tokens)) {
			out->usage.known = true;
			out->usage.input = tokens.input;
			out->usage.output = tokens.output;
		}
		if (m.method == CODEX_TURN_COMPLETED)
			break;
	}
	status = json_str(m.object, "status");
	if (status && strcmp(status, "completed") == 0)
		return RC_OK;
	words = codex_error_words(a, json_object_get(m.object, "error"));
	t->why = words ? text_cut(a, arena_strdup(a, words), WORDS_UNITS) : "Codex turn failed";
	return RC_UPSTREAM;
}

enum rc codex_ask(struct job *j, const struct runtime_access *access, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	const char *thread = NULL;
	struct talk t;
	enum rc rc;

	out->text = "";
	rc = talk_begin(&t, j, access, mc->total_timeout_ms ? mc->total_timeout_ms : DEFAULT_MS);
	if (rc == RC_OK)
		rc = start_turn(&t, access, mc, &thread, &out->usage);
	if (rc == RC_OK)
		rc = read_turn(&t, thread, out);
	talk_end(&t);
	if (rc == RC_TIMEOUT)
		return err_set(e, rc, "Codex did not answer in time");
	if (rc == RC_OK || rc == RC_CANCELLED)
		return rc;
	out->failure = t.why ? t.why : "Codex turn failed";
	return err_set(e, rc, "%.500s", out->failure);
}

const char *codex_probe(struct job *j, const struct runtime_access *access, enum rc *rc)
{
	const json_t *result;
	struct talk t;

	*rc = talk_begin(&t, j, access, CODEX_INIT_MS + CODEX_THREAD_MS);
	if (*rc == RC_OK)
		*rc = call(&t, "account/read", json_pack("{s:b}", "refreshToken", 0), CODEX_INIT_MS,
		    &result);
	if (*rc == RC_OK && !json_is_boolean(json_object_get(result, "requiresOpenaiAuth")))
		*rc = broken(&t, "Codex does not say whether it needs a login");
	talk_end(&t);
	return *rc == RC_OK ? NULL : t.why ? t.why : "Codex does not answer";
}
