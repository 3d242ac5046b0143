/* The messages of `codex app-server`. See codex_msg.h. */
#include "jobrunner/runtimes/codex_msg.h"

#include "core/buf.h"
#include "core/json_in.h"
#include "core/json_out.h"
#include "core/text.h"

#define QUESTIONS_MAX 20
#define BODY_MAX ((size_t)1 << 20)
#define REFUSED -32601
#define SHELL_MEANS "|&;<>()*?[]{}#~!\n\t" /* something, outside of quotes */

static const struct method {
	const char *name;
	enum codex_kind kind;
	enum codex_method method;
} METHODS[] = {
	{ "thread/started", CODEX_NOTICE, CODEX_THREAD_STARTED },
	{ "turn/started", CODEX_NOTICE, CODEX_TURN_STARTED },
	{ "turn/completed", CODEX_NOTICE, CODEX_TURN_COMPLETED },
	{ "item/started", CODEX_NOTICE, CODEX_ITEM_STARTED },
	{ "item/completed", CODEX_NOTICE, CODEX_ITEM_COMPLETED },
	{ "item/agentMessage/delta", CODEX_NOTICE, CODEX_MESSAGE_DELTA },
	{ "item/commandExecution/outputDelta", CODEX_NOTICE, CODEX_OUTPUT_DELTA },
	{ "item/plan/delta", CODEX_NOTICE, CODEX_PLAN_DELTA },
	{ "thread/tokenUsage/updated", CODEX_NOTICE, CODEX_USAGE },
	{ "error", CODEX_NOTICE, CODEX_ERROR },
	{ "warning", CODEX_NOTICE, CODEX_WARNING },
	{ "configWarning", CODEX_NOTICE, CODEX_WARNING },
	{ "deprecationNotice", CODEX_NOTICE, CODEX_WARNING },
	{ "serverRequest/resolved", CODEX_NOTICE, CODEX_RESOLVED },
	{ "item/commandExecution/requestApproval", CODEX_REQUEST, CODEX_ASKS_COMMAND },
	{ "item/fileChange/requestApproval", CODEX_REQUEST, CODEX_ASKS_FILES },
	{ "item/tool/requestUserInput", CODEX_REQUEST, CODEX_ASKS_PERSON },
	{ "item/tool/call", CODEX_REQUEST, CODEX_CALLS_TOOL },
	{ "item/permissions/requestApproval", CODEX_REQUEST, CODEX_ASKS_RIGHTS },
	{ "mcpServer/elicitation/request", CODEX_REQUEST, CODEX_ASKS_FORM },
};

/* ---- reading ---- */

static enum codex_method find_method(const char *name, enum codex_kind kind)
{
	for (size_t i = 0; i < COUNT(METHODS); i++)
		if (METHODS[i].kind == kind && strcmp(METHODS[i].name, name) == 0)
			return METHODS[i].method;
	return CODEX_OTHER;
}

static const json_t *object_or_null(const json_t *v)
{
	return json_is_object(v) ? v : NULL;
}

static bool is_id(const json_t *v)
{
	return json_is_integer(v) || json_is_string(v);
}

static void read_answer(const json_t *v, struct codex_msg *m)
{
	const json_t *id = json_object_get(v, "id"), *error = json_object_get(v, "error");

	m->kind = CODEX_ANSWER;
	m->number = json_is_integer(id) ? json_integer_value(id) : -1;
	m->result = error ? NULL : object_or_null(json_object_get(v, "result"));
	if (!m->result)
		m->error = json_str(error, "message");
	if (!m->result && !m->error)
		m->error = "an answer without a result";
}

/* The ids stand beside the item or turn, or in it. */
static void read_ids(struct codex_msg *m)
{
	const json_t *turn = object_or_null(json_object_get(m->params, "turn"));
	const json_t *item = object_or_null(json_object_get(m->params, "item"));

	m->object = turn ? turn : item;
	m->thread = json_str(m->params, "threadId");
	m->turn = json_str(m->params, "turnId");
	m->item = json_str(m->params, m->method == CODEX_CALLS_TOOL ? "callId" : "itemId");
	if (!m->thread)
		m->thread = json_str(json_object_get(m->params, "thread"), "id");
	if (!m->turn)
		m->turn = json_str(turn, "id");
	if (!m->item)
		m->item = json_str(item, "id");
}

bool codex_read(struct arena *a, const json_t *v, struct codex_msg *m)
{
	const char *name = json_str(v, "method");
	const json_t *id = json_object_get(v, "id"), *about;

	*m = (struct codex_msg){ .number = -1, .name = name ? name : "" };
	if (!name && is_id(id))
		read_answer(v, m);
	if (!name)
		return m->kind != CODEX_NOTHING;
	m->kind = is_id(id) ? CODEX_REQUEST : CODEX_NOTICE;
	m->method = find_method(name, m->kind);
	m->params = object_or_null(json_object_get(v, "params"));
	read_ids(m);
	about = m->method == CODEX_RESOLVED ? json_object_get(m->params, "requestId") : id;
	if (is_id(about))
		m->id = json_text(a, about);
	if (m->method == CODEX_MESSAGE_DELTA || m->method == CODEX_OUTPUT_DELTA ||
	    m->method == CODEX_PLAN_DELTA)
		m->delta = json_str(m->params, "delta");
	return true;
}

static int64_t count(const json_t *v, const char *key)
{
	const json_t *n = json_object_get(v, key);

	return json_is_integer(n) && json_integer_value(n) > 0 ? json_integer_value(n) : 0;
}

bool codex_read_tokens(const struct codex_msg *m, struct codex_tokens *t)
{
	const json_t *total =
	    json_object_get(json_object_get(m->params, "tokenUsage"), "total");

	*t = (struct codex_tokens){ count(total, "inputTokens"), count(total, "outputTokens") };
	return json_is_object(total);
}

const char *codex_error_words(struct arena *a, const json_t *error)
{
	const char *words = json_str(error, "message");
	const char *more = json_str(error, "additionalDetails");

	if (!words || !*words)
		return more && *more ? more : NULL;
	return more && *more && strcmp(more, words) != 0
	    ? arena_printf(a, "%s: %s", words, more) : words;
}

const char *codex_turn_text(const json_t *turn)
{
	const json_t *items = json_object_get(turn, "items");

	for (size_t i = json_array_size(items); i-- > 0;) {
		const json_t *item = json_array_get(items, i);
		const char *type = json_str(item, "type"), *text = json_str(item, "text");

		if (text && type && strcmp(type, "agentMessage") == 0)
			return text;
	}
	return NULL;
}

/* ---- commands ---- */

/* The word of a shell command at *AT, without its quotes; moves behind it. NULL where it is not
 * plain: an expansion, an operator, an open quote. */
static const char *plain_word(struct arena *a, const char **at)
{
	char *out = arena_alloc(a, strlen(*at) + 1), quote = 0;
	const char *s = *at;
	size_t n = 0;

	for (; *s && (quote || *s != ' '); s++) {
		if (quote == '\'') {
			if (*s == '\'')
				quote = 0;
			else
				out[n++] = *s;
		} else if (*s == '\\' && (!quote || strchr("\"\\$`\n", s[1]))) {
			if (!s[1] || s[1] == '\n')
				return NULL;
			out[n++] = *++s;
		} else if (*s == '"' || (*s == '\'' && !quote)) {
			quote = quote ? 0 : *s;
		} else if (strchr("$`", *s) || (!quote && strchr(SHELL_MEANS, *s))) {
			return NULL;
		} else {
			out[n++] = *s;
		}
	}
	*at = *s ? s + 1 : s;
	return quote ? NULL : out;
}

static bool is_shell(const char *word)
{
	static const char *const NAMES[] = { "bash", "sh", "zsh", "dash", "ksh" };
	const char *slash = strrchr(word, '/'), *name = slash ? slash + 1 : word;

	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (strcmp(NAMES[i], name) == 0)
			return true;
	return false;
}

const char *codex_unwrap(struct arena *a, const char *command)
{
	const char *at = command, *shell = plain_word(a, &at), *flag, *inner;

	if (!shell || !is_shell(shell))
		return command;
	flag = plain_word(a, &at);
	if (!flag || (strcmp(flag, "-lc") != 0 && strcmp(flag, "-c") != 0) || !*at)
		return command;
	inner = plain_word(a, &at);
	return inner && !*at ? inner : command;
}

/* ---- what is asked for ---- */

static json_t *text_or_null(const json_t *v, const char *key)
{
	const char *s = json_str(v, key);

	return s ? json_string(s) : json_null();
}

static void add_path(json_t *paths, const char *path, size_t *n)
{
	if (path && ++*n <= CODEX_PATHS_MAX)
		json_array_append_new(paths, json_string(path));
}

json_t *codex_paths(const json_t *item)
{
	const json_t *changes = json_object_get(item, "changes");
	json_t *paths = json_array();
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);

		add_path(paths, json_str(change, "path"), &n);
		add_path(paths, json_str(json_object_get(change, "kind"), "move_path"), &n);
	}
	/* Not a path, so that no rule about paths covers what is not listed. */
	if (n > CODEX_PATHS_MAX)
		json_array_append_new(
		    paths, json_pack("{s:I}", "more", (json_int_t)(n - CODEX_PATHS_MAX)));
	return paths;
}

static bool given(const json_t *params, const char *key)
{
	const json_t *v = json_object_get(params, key);

	return v && !json_is_null(v);
}

/* More than the running of a command: text for one that runs, or rights for it. Its text is not
 * named "command", so that no rule about commands covers it. */
static json_t *special_input(struct arena *a, const json_t *params, const char *command)
{
	static const char *const MORE[] = { "additionalPermissions", "networkApprovalContext" };
	json_t *in = json_pack("{s:o, s:s?, s:o, s:o, s:o}", "kind", text_or_null(params, "kind"),
	    "text", command ? codex_unwrap(a, command) : NULL, "cwd", text_or_null(params, "cwd"),
	    "reason", text_or_null(params, "reason"), "approvalId",
	    text_or_null(params, "approvalId"));

	for (size_t i = 0; i < COUNT(MORE); i++)
		if (given(params, MORE[i]))
			json_object_set_new(
			    in, MORE[i], json_deep_copy(json_object_get(params, MORE[i])));
	return in;
}

json_t *codex_command_input(struct arena *a, const json_t *params)
{
	const char *command = json_str(params, "command"), *kind = json_str(params, "kind");

	if (!command || (kind && strcmp(kind, "command") != 0) ||
	    given(params, "additionalPermissions") || given(params, "networkApprovalContext"))
		return special_input(a, params, command);
	return json_pack("{s:s, s:o, s:o, s:o}", "command", codex_unwrap(a, command), "cwd",
	    text_or_null(params, "cwd"), "reason", text_or_null(params, "reason"), "approvalId",
	    text_or_null(params, "approvalId"));
}

json_t *codex_files_input(const json_t *params, const json_t *paths)
{
	json_t *in = json_pack("{s:o, s:o}", "reason", text_or_null(params, "reason"), "grantRoot",
	    text_or_null(params, "grantRoot"));

	if (json_array_size(paths)) {
		json_object_set(in, "file_path", json_array_get(paths, 0));
		json_object_set_new(in, "paths", json_deep_copy(paths));
	}
	return in;
}

static json_t *options(const json_t *question)
{
	const json_t *from = json_object_get(question, "options");
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(from) && i < QUESTIONS_MAX; i++) {
		const json_t *o = json_array_get(from, i);

		if (json_str(o, "label"))
			json_array_append_new(out, json_pack("{s:o, s:o}", "label",
						       text_or_null(o, "label"), "description",
						       text_or_null(o, "description")));
	}
	return out;
}

json_t *codex_questions_input(const json_t *params)
{
	const json_t *from = json_object_get(params, "questions");
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(from) && i < QUESTIONS_MAX; i++) {
		const json_t *q = json_array_get(from, i);

		if (json_str(q, "question"))
			json_array_append_new(out, json_pack("{s:o, s:o, s:o, s:b}", "question",
						       text_or_null(q, "question"), "header",
						       text_or_null(q, "header"), "options",
						       options(q), "multiSelect", 0));
	}
	return json_pack("{s:o}", "questions", out);
}

const char *codex_questions_body(struct arena *a, const json_t *params)
{
	const json_t *from = json_object_get(params, "questions");
	struct buf b;
	const char *text;

	buf_init(&b, BODY_MAX);
	for (size_t i = 0; i < json_array_size(from) && i < QUESTIONS_MAX; i++) {
		const char *q = json_str(json_array_get(from, i), "question");

		if (q)
			buf_printf(&b, "%s%s", b.len ? "\n" : "", q);
	}
	text = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return text;
}

/* ---- what is sent ---- */

json_t *codex_request(int64_t number, const char *method, json_t *params)
{
	return json_pack("{s:I, s:s, s:o}", "id", (json_int_t)number, "method", method, "params",
	    params);
}

json_t *codex_notice(const char *method)
{
	return json_pack("{s:s}", "method", method);
}

static json_t *id_value(const char *id)
{
	json_error_t e;

	return json_loads(id, JSON_DECODE_ANY, &e);
}

json_t *codex_answer(const char *id, json_t *result)
{
	return json_pack("{s:o, s:o}", "id", id_value(id), "result", result);
}

json_t *codex_refusal(const char *id, const char *words)
{
	return json_pack("{s:o, s:{s:i, s:s}}", "id", id_value(id), "error", "code", REFUSED,
	    "message", words);
}

json_t *codex_decision(bool accept)
{
	return json_pack("{s:s}", "decision", accept ? "accept" : "decline");
}

json_t *codex_tool_result(const char *text, bool success)
{
	return json_pack("{s:[{s:s, s:s}], s:b}", "contentItems", "type", "inputText", "text", text,
	    "success", success);
}

json_t *codex_person_answers(const json_t *params, const json_t *answers)
{
	const json_t *from = json_object_get(params, "questions");
	json_t *out = json_object();

	for (size_t i = 0; i < json_array_size(from) && i < QUESTIONS_MAX; i++) {
		const json_t *q = json_array_get(from, i);
		const char *id = json_str(q, "id"), *text = json_str(q, "question");
		const char *answer = text ? json_str(answers, text) : NULL;

		if (id && answer)
			json_object_set_new(out, id, json_pack("{s:[s]}", "answers", answer));
	}
	return json_pack("{s:o}", "answers", out);
}

json_t *codex_tools(const json_t *tools)
{
	json_t *out = json_array();
	const json_t *t;
	size_t i;

	json_array_foreach(tools, i, t)
		json_array_append_new(out,
		    json_pack("{s:s, s:O, s:O, s:O}", "type", "function", "name",
			json_object_get(t, "name"), "description",
			json_object_get(t, "description"), "inputSchema",
			json_object_get(t, "input_schema")));
	return out;
}
