/* The permission check: the layers that decide on a tool call without a person, in the order of
 * the interface; the first that decides wins. */
#include "core/json_in.h"
#include "core/policy.h"
#include "core/setting.h"
#include "jobrunner/run.h"

/* External tools that only read. */
static const char *const READ_ONLY[] = {
	"mcp__exa__web_search_exa",
	"mcp__exa__find_similar",
	"mcp__exa__get_contents",
	"mcp__chrome-devtools__take_screenshot",
	"mcp__chrome-devtools__take_snapshot",
	"mcp__chrome-devtools__take_memory_snapshot",
	"mcp__chrome-devtools__list_pages",
	"mcp__chrome-devtools__list_console_messages",
	"mcp__chrome-devtools__list_network_requests",
	"mcp__chrome-devtools__get_console_message",
	"mcp__chrome-devtools__get_network_request",
	"mcp__chrome-devtools__lighthouse_audit",
	"mcp__chrome-devtools__performance_start_trace",
	"mcp__chrome-devtools__performance_stop_trace",
	"mcp__chrome-devtools__performance_analyze_insight",
	"mcp__playwright__browser_snapshot",
	"mcp__playwright__browser_console_messages",
	"mcp__playwright__browser_network_requests",
	"mcp__playwright__browser_tabs",
	"mcp__playwright__browser_take_screenshot",
};

static bool listed(const json_t *list, const char *tool)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
		if (json_is_string(item) && policy_same_tool(json_string_value(item), tool))
			return true;
	return false;
}

static bool read_only(const char *tool)
{
	for (size_t i = 0; i < COUNT(READ_ONLY); i++)
		if (strcmp(READ_ONLY[i], tool) == 0)
			return true;
	return false;
}

/* The same call was decided before in this run. */
static enum verdict cached(struct run *r, const char *tool, const char *input_text,
    const char **message, const json_t **final_input)
{
	struct q *q =
	    db_query(r->cx->db, Q_CALL_DECISION, "ttt", r->job->run_id, tool, input_text);
	enum verdict v = VERDICT_ASK;

	if (!db_next(q))
		return v;
	v = db_int(q, 0) ? VERDICT_ALLOW : VERDICT_DENY;
	if (!db_is_null(q, 1))
		*message = arena_strdup(r->cx->arena, db_text(q, 1));
	if (!db_is_null(q, 2))
		*final_input = json_read_text(r->cx->arena, db_text(q, 2));
	db_done(q);
	return v;
}

enum verdict permit(struct run *r, const char *tool, const json_t *input, const char *input_text,
    const char **message, const json_t **final_input)
{
	const struct tool *t = tool_find(tool);

	*message = NULL;
	*final_input = input;
	if (strcmp(tool, "AskUserQuestion") == 0)
		return VERDICT_ASK;
	if (listed(r->profile.auto_deny, tool)) {
		*message = arena_printf(r->cx->arena, "Profile policy denies %s", tool);
		return VERDICT_DENY;
	}
	if (listed(r->profile.auto_approve, tool) || read_only(tool) ||
	    (t && (t->flags & TOOL_FREE)))
		return VERDICT_ALLOW;
	if (policy_match_any(r->cx->arena, permission_list(r->cx), tool, input, r->workdir))
		return VERDICT_ALLOW;
	return cached(r, tool, input_text, message, final_input);
}
