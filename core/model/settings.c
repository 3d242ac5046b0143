/* Settings: words and request bodies. */
#include "core/model/models.h"

static const char *const PREFERENCE_WORDS[] = { "cost", "latency", "quality", "manual" };
const struct word_set ROUTING_PREFERENCES = WORDS(PREFERENCE_WORDS);

static const char *const CHAT_WORDS[] = { "haiku", "sonnet", "opus", "gpt-5.4-mini",
	"gpt-5.3-codex", "gpt-5.4" };
const struct word_set CHAT_MODELS = WORDS(CHAT_WORDS);

static const char *const PLAN_WORDS[] = { "pro", "max_5x", "max_20x" };
const struct word_set CLAUDE_PLANS = WORDS(PLAN_WORDS);

static const char *const METHOD_WORDS[] = { "api_key", "oauth" };
static const struct word_set AUTH_METHODS = WORDS(METHOD_WORDS);

static const struct field AUTH[] = {
	{ .key = "method", .type = F_ENUM, .flags = F_REQUIRED, .words = &AUTH_METHODS,
	    .doc = "How Claude is paid for; a key alone means api_key" },
	{ .key = "apiKey", .type = F_STRING, .prefix = "sk-ant-",
	    .message_prefix = "API key must start with sk-ant-",
	    .doc = "Stored encrypted, never returned" },
};
const struct shape SHAPE_AUTH = { "AnthropicAuth", AUTH, COUNT(AUTH) };

static const struct field OPENAI[] = {
	{ .key = "apiKey", .type = F_STRING, .flags = F_REQUIRED, .prefix = "sk-",
	    .message_prefix = "API key must start with sk-",
	    .doc = "Stored encrypted, never returned" },
};
const struct shape SHAPE_OPENAI_AUTH = { "OpenAiAuth", OPENAI, COUNT(OPENAI) };
