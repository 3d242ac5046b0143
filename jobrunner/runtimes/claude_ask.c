/* One question to Claude Code, without tools and without a session: assists, what is learned, the
 * connection test. */
#include "core/clock.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/runtimes/claude.h"
#include "jobrunner/runtimes/claude_msg.h"

#define ARGUMENT_MAX ((size_t)100 << 10)
#define ARGS_MAX     32
#define DEFAULT_MS   300000
#define PROBE_MS     20000
#define TERM_MS	     2000
#define WORDS_UNITS  300
#define NO_HOME	     "The private home of Claude Code cannot be made"

static const char *const ALWAYS[] = { "claude", "-p", "--max-turns", "1", "--tools", "",
	"--no-session-persistence", "--setting-sources", "", "--strict-mcp-config" };

/* A question and what has come of it. */
struct exchange {
	struct job *j;
	const char *file; /* the program */
	struct child *c;
	const json_t *result;  /* the client's last message, or NULL */
	const char *source;    /* of the key, as the client names it; or NULL */
	const char *trouble;   /* why it repeats a call to the provider, or NULL */
	bool refused;          /* ... and it is the key */
	bool stop_if_refused;  /* does not wait for the repetitions then */
};

static const char *const *arguments(struct arena *a, const char *const *more, size_t n_more)
{
	const char **argv = arena_array(a, const char *, ARGS_MAX);

	memcpy(argv, ALWAYS, sizeof ALWAYS);
	memcpy(argv + COUNT(ALWAYS), more, n_more * sizeof *more);
	return argv;
}

static void on_message(struct exchange *x, const char *line, size_t n)
{
	struct arena *a = x->j->cx->arena;
	const json_t *v = json_read(a, line, n);
	struct claude_msg m;

	claude_msg_read(v, &m);
	if (m.kind == CLAUDE_RESULT) {
		x->result = v;
	} else if (m.kind == CLAUDE_INIT) {
		x->source = m.source;
	} else if (m.kind == CLAUDE_RETRY) {
		x->refused = m.status == 401 || m.status == 403;
		x->trouble = m.status ? arena_printf(a, "HTTP %lld %s", (long long)m.status,
					    m.words ? m.words : "")
				      : m.words;
	}
}

/* Reads until the result comes, or the client ends without one. */
static enum rc wait_for_result(struct exchange *x, int64_t end)
{
	struct job *j = x->j;

	while (!x->result && !(x->refused && x->stop_if_refused)) {
		const char *line;
		size_t n;
		enum child_event ev;

		if (job_told_to_stop(j))
			return RC_CANCELLED;
		if (mono_ms() >= end)
			return RC_TIMEOUT;
		ev = child_next(x->c, j->signal_fd, (int)(end - mono_ms()), &line, &n);
		if (ev == CHILD_ENDED)
			return RC_OK;
		if (ev == CHILD_LINE)
			on_message(x, line, n);
	}
	return RC_OK;
}

/* Starts the program, puts the question, and ends it; x->c is left to be freed. RC_OK whatever it
 * has said. */
static enum rc put_question(struct exchange *x, const struct runtime_access *access,
    const char *const *argv, const char *prompt, int64_t ms, struct err *e)
{
	struct arena *a = x->j->cx->arena;
	const char *const *env = claude_env(x->j->cx, a, access->key);
	const char *home = program_home(x->j->cx->conf, a, &PROGRAM_CLAUDE);
	int64_t end = mono_ms() + ms;
	enum rc rc;

	x->file = access->program;
	if (!env || !home)
		return err_set(e, RC_IO, NO_HOME);
	child_adopt();
	x->c = child_start(&(struct child_spec){ x->file, argv, program_env(a, env), home,
			       claude_secret(access->key) },
	    e);
	if (!x->c)
		return e->rc;
	child_send(x->c, prompt, strlen(prompt));
	child_close_input(x->c);
	rc = wait_for_result(x, end);
	child_end(x->c, rc == RC_OK && x->result ? TERM_MS : 0, TERM_MS);
	if (rc == RC_TIMEOUT)
		err_set(e, rc, "Claude Code did not answer in time");
	return rc;
}

/* What is wrong where it ended without a result. */
static const char *no_answer(const struct exchange *x)
{
	struct arena *a = x->j->cx->arena;
	const char *words = child_last_words(a, x->c, WORDS_UNITS);

	return program_broken(a, &PROGRAM_CLAUDE, x->file, NULL,
	    arena_printf(a, "Claude Code ended without an answer (%s)%s%s",
		child_status_words(a, x->c), *words ? ": " : "", words));
}

/* ---- questions ---- */

static enum rc read_turn(const struct exchange *x, struct turn *out, struct err *e)
{
	struct claude_result res;

	out->text = "";
	if (x->result) {
		claude_result_read(x->j->cx->arena, x->result, &res);
		out->usage = res.usage;
		out->text = res.text;
		if (res.end == CLAUDE_DONE)
			return RC_OK;
		out->failure = *res.text ? res.text : "Claude Code has failed";
	} else {
		out->failure = no_answer(x);
	}
	return err_set(e, RC_UPSTREAM, "%.500s", out->failure);
}

/* The system text goes in front of the prompt where it is too long for an argument. */
static const char *const *question(struct arena *a, const struct model_call *mc,
    const char **prompt)
{
	const char *system = mc->system_stable ? mc->system_stable : "";
	const char *const more[] = { "--output-format", "json", "--model", mc->model,
		"--system-prompt", system };
	bool as_argument = *system && strlen(system) <= ARGUMENT_MAX;

	*prompt = *system && !as_argument ? arena_printf(a, "%s\n\n%s", system, mc->prompt)
					  : mc->prompt;
	return arguments(a, more, as_argument ? 6 : 4);
}

enum rc claude_ask(struct job *j, const struct runtime_access *access, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	struct exchange x = { .j = j };
	const char *prompt, *const *argv = question(j->cx->arena, mc, &prompt);
	int64_t ms = mc->total_timeout_ms ? mc->total_timeout_ms : DEFAULT_MS;
	enum rc rc = put_question(&x, access, argv, prompt, ms, e);

	if (rc == RC_OK)
		rc = read_turn(&x, out, e);
	child_free(x.c);
	return rc;
}

/* ---- the connection test ---- */

/* Why it is not connected; NULL where it is. */
static const char *judge(const struct exchange *x, enum rc rc, const struct err *e)
{
	struct arena *a = x->j->cx->arena;
	struct claude_result res;

	if (rc != RC_OK && !x->c)
		return program_broken(a, &PROGRAM_CLAUDE, x->file, NULL,
		    arena_printf(a, "Claude Code cannot be started: %s", e->msg));
	if (rc != RC_OK)
		return x->trouble ? arena_printf(a, "%s: %s", e->msg, x->trouble)
				  : arena_strdup(a, e->msg);
	if (!x->result && x->refused)
		return arena_printf(a, "The provider refuses the key: %s", x->trouble);
	if (!x->result)
		return no_answer(x);
	claude_result_read(a, x->result, &res);
	if (res.end == CLAUDE_DONE || res.end == CLAUDE_MAX_TURNS)
		return NULL;
	return *res.text ? res.text : "Claude Code has failed";
}

enum rc claude_probe(struct job *j, const struct runtime_access *access, const char **source,
    const char **error)
{
	const char *const more[] = { "--output-format", "stream-json", "--verbose", "--model",
		access->model };
	struct exchange x = { .j = j, .stop_if_refused = true };
	struct err e = { 0 };
	const char *const *argv = arguments(j->cx->arena, more, COUNT(more));
	enum rc rc = put_question(&x, access, argv, "ping", PROBE_MS, &e);

	if (rc != RC_CANCELLED) {
		*source = x.source;
		*error = judge(&x, rc, &e);
	}
	child_free(x.c);
	return rc == RC_CANCELLED ? rc : RC_OK;
}
