/* One question to Claude Code, without tools and without a session: assists, what is learned. */
#include "core/clock.h"
#include "core/json_in.h"
#include "core/text.h"
#include "jobrunner/runtimes/claude.h"
#include "jobrunner/runtimes/claude_msg.h"

#define ARGUMENT_MAX ((size_t)100 << 10)
#define ARGS_MAX     32
#define DEFAULT_MS   300000
#define TERM_MS	     2000

static const char *const ALWAYS[] = { "claude", "-p", "--output-format", "json", "--max-turns", "1",
	"--tools", "", "--no-session-persistence", "--setting-sources", "", "--strict-mcp-config" };

/* The system text goes in front of the prompt where it is too long for an argument. */
static const char *const *arguments(struct arena *a, const struct model_call *mc,
    const char **prompt)
{
	const char **argv = arena_array(a, const char *, ARGS_MAX);
	const char *system = mc->system_stable ? mc->system_stable : "";
	size_t n = 0;

	for (size_t i = 0; i < COUNT(ALWAYS); i++)
		argv[n++] = ALWAYS[i];
	*prompt = mc->prompt;
	if (strlen(system) > ARGUMENT_MAX) {
		*prompt = arena_printf(a, "%s\n\n%s", system, mc->prompt);
	} else if (*system) {
		argv[n++] = "--system-prompt";
		argv[n++] = system;
	}
	argv[n++] = "--model";
	argv[n++] = mc->model;
	return argv;
}

/* Reads until the result comes; NULL in *OUT where it ends without one. */
static enum rc wait_for_result(struct job *j, struct child *c, int64_t end, const json_t **out)
{
	*out = NULL;
	for (;;) {
		const char *line;
		const json_t *v;
		struct claude_msg m;
		size_t n;
		enum child_event ev;

		if (job_told_to_stop(j))
			return RC_CANCELLED;
		if (mono_ms() >= end)
			return RC_TIMEOUT;
		ev = child_next(c, j->signal_fd, (int)(end - mono_ms()), &line, &n);
		if (ev == CHILD_ENDED)
			return RC_OK;
		if (ev != CHILD_LINE)
			continue;
		v = json_read(j->cx->arena, line, n);
		claude_msg_read(v, &m);
		if (m.kind == CLAUDE_RESULT) {
			*out = v;
			return RC_OK;
		}
	}
}

/* The tokens of all models together; the model is the one that wrote the most. */
static void read_usage(const struct claude_result *res, struct usage *u)
{
	const char *model;
	int64_t most = -1;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)res->models, model, v) {
		struct claude_tokens t;

		claude_tokens_read(v, &t);
		u->known = true;
		u->input += t.input + t.cache_read + t.cache_write;
		u->output += t.output;
		u->cache_read += t.cache_read;
		u->cache_write += t.cache_write;
		if (t.output > most)
			snprintf(u->model, sizeof u->model, "%s", model);
		most = t.output > most ? t.output : most;
	}
}

static enum rc read_turn(struct job *j, struct child *c, const char *file, const json_t *v,
    struct turn *out, struct err *e)
{
	struct arena *a = j->cx->arena;
	struct claude_result res;

	out->text = "";
	if (v) {
		claude_result_read(a, v, &res);
		read_usage(&res, &out->usage);
		out->text = res.text;
		if (res.end == CLAUDE_DONE)
			return RC_OK;
		out->failure = *res.text ? res.text : "Claude Code has failed";
	} else {
		out->failure = program_broken(a, &PROGRAM_CLAUDE, file, NULL,
		    arena_printf(a, "Claude Code ended without an answer (%s)%s%s",
			child_status_words(a, c), *child_last_words(a, c, 1) ? ": " : "",
			child_last_words(a, c, 300)));
	}
	return err_set(e, RC_UPSTREAM, "%.500s", out->failure);
}

enum rc claude_ask(struct job *j, const struct runtime_access *access, const struct model_call *mc,
    struct turn *out, struct err *e)
{
	struct arena *a = j->cx->arena;
	const char *prompt, *const *argv = arguments(a, mc, &prompt);
	const char *const *env = claude_env(j->cx, a, access->key);
	const char *home = program_home(j->cx->conf, a, &PROGRAM_CLAUDE);
	int64_t end = mono_ms() + (mc->total_timeout_ms ? mc->total_timeout_ms : DEFAULT_MS);
	const json_t *v;
	struct child *c;
	enum rc rc;

	if (!env || !home)
		return err_set(e, RC_IO, "The private home of Claude Code cannot be made");
	child_adopt();
	c = child_start(
	    &(struct child_spec){ access->program, argv, program_env(a, env), home }, e);
	if (!c)
		return e->rc;
	child_send(c, prompt, strlen(prompt));
	child_close_input(c);
	rc = wait_for_result(j, c, end, &v);
	child_end(c, rc == RC_OK ? TERM_MS : 0, TERM_MS);
	if (rc == RC_TIMEOUT)
		err_set(e, rc, "Claude Code did not answer in time");
	else if (rc == RC_OK)
		rc = read_turn(j, c, access->program, v, out, e);
	child_free(c);
	return rc;
}
