/* Tools: the question to the operator. Whoever runs it has asked already; the answers come as an
 * argument beside the questions. */
#include "core/json_in.h"
#include "jobrunner/tools/tools_int.h"

static const struct field OPTION[] = {
	{ "label", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 100, .doc = "The choice, in short" },
	{ "description", F_STRING, F_MAX, .max = 300, .doc = "What the choice means" },
};
static const struct shape OPTION_SHAPE = { "Option", OPTION, COUNT(OPTION) };
static const struct field OPTION_ITEM = { .type = F_OBJECT, .shape = &OPTION_SHAPE };

static const struct field QUESTION[] = {
	{ "question", F_STRING, F_REQUIRED | F_MIN | F_MAX, 1, 500, .doc = "The whole question" },
	{ "header", F_STRING, F_MAX, .max = 40, .doc = "A word or two above it" },
	{ "options", F_ARRAY, F_MAX, .max = 6, .item = &OPTION_ITEM,
	    .doc = "What can be chosen: two to six; leave it out for a free answer" },
	{ "multiSelect", F_BOOL, .doc = "Whether several choices are possible" },
};
static const struct shape QUESTION_SHAPE = { "Question", QUESTION, COUNT(QUESTION) };
static const struct field QUESTION_ITEM = { .type = F_OBJECT, .shape = &QUESTION_SHAPE };

static const struct field ASK[] = {
	{ "questions", F_ARRAY, F_REQUIRED | F_MIN | F_MAX, 1, 4, .item = &QUESTION_ITEM,
	    .doc = "One to four questions that are asked together" },
};
const struct shape PARAMS_ASK_USER = { "AskUserQuestion", ASK, COUNT(ASK) };

enum rc tool_ask_user(struct tool_env *env UNUSED, const json_t *args, json_t **out)
{
	json_t *answers = json_object_get(args, "answers");

	*out = json_pack("{s:O, s:o}", "questions", json_object_get(args, "questions"), "answers",
	    json_is_object(answers) ? json_incref(answers) : json_object());
	return RC_OK;
}
