/* Profiles: what profile.yaml must look like. */
#include "core/profile.h"

#include "core/json_in.h"
#include "core/model/models.h"

static const char *const DOMAIN_WORDS[] = { "work", "personal" };
static const struct word_set DOMAINS = WORDS(DOMAIN_WORDS);
static const char *const FORMAT_WORDS[] = { "stagent", "skillmd-only", "unknown" };
static const struct word_set SOURCE_FORMATS = WORDS(FORMAT_WORDS);

static const struct field TEXT_ITEM = { .type = F_STRING };
static const struct field BOOL_ITEM = { .type = F_BOOL };
static const struct field RUNTIME_ITEM = { .type = F_ENUM, .words = &RUNTIMES };

#define TEXT(key_, flags_) { .key = key_, .type = F_STRING, .flags = flags_ }
#define FILLED(key_, flags_) \
	{ .key = key_, .type = F_STRING, .flags = F_MIN | F_BRIEF | flags_, .min = 1 }
#define TEXTS(key_, flags_) \
	{ .key = key_, .type = F_ARRAY, .flags = flags_, .item = &TEXT_ITEM }
#define TESTS { .key = "tests", .type = F_ARRAY, .item = &TEST_ITEM }
#define OBJECT(key_, shape_) { .key = key_, .type = F_OBJECT, .shape = shape_ }
#define RECORD(key_, item_) { .key = key_, .type = F_RECORD, .item = item_ }
#define ABOVE_0(key_) \
	{ .key = key_, .type = F_NUMBER, .flags = F_MIN | F_ABOVE, .min = 0 }
#define SHAPE(name_, fields_) { .name = name_, .fields = fields_, .n = COUNT(fields_) }

static const struct field POLICY_FIELDS[] = { TEXTS("autoApprove", 0), TEXTS("autoDeny", 0) };
static const struct shape SHAPE_POLICY = SHAPE("ProfilePolicy", POLICY_FIELDS);

static const struct field HOOK_FIELDS[] = { TEXTS("preToolCall", 0), TEXTS("postToolCall", 0) };
static const struct shape SHAPE_HOOKS = SHAPE("ProfileHooks", HOOK_FIELDS);

static const struct field TEST_FIELDS[] = {
	TEXT("task", F_REQUIRED),
	TEXTS("expectedKeywords", F_REQUIRED),
};
static const struct shape SHAPE_TEST = SHAPE("ProfileTest", TEST_FIELDS);
static const struct field TEST_ITEM = { .type = F_OBJECT, .shape = &SHAPE_TEST };

static const struct field IMPORT_FIELDS[] = {
	{ .key = "repoUrl", .type = F_STRING, .flags = F_REQUIRED, .format = FMT_URL },
	TEXT("repoOwner", F_REQUIRED),
	TEXT("repoName", F_REQUIRED),
	TEXT("branch", F_REQUIRED),
	TEXT("filePath", F_REQUIRED),
	TEXT("commitSha", F_REQUIRED),
	TEXT("contentHash", F_REQUIRED),
	TEXT("importedAt", F_REQUIRED),
	{ .key = "sourceFormat", .type = F_ENUM, .flags = F_REQUIRED, .words = &SOURCE_FORMATS },
};
static const struct shape SHAPE_IMPORT = SHAPE("ProfileImport", IMPORT_FIELDS);

static const struct field OVERRIDE_FIELDS[] = {
	FILLED("instructions", 0),
	TEXTS("allowedTools", 0),
	RECORD("mcpServers", NULL),
	OBJECT("canUseToolPolicy", &SHAPE_POLICY),
	TESTS,
};
static const struct shape SHAPE_OVERRIDE = SHAPE("ProfileOverride", OVERRIDE_FIELDS);

static const struct field THINKING_FIELDS[] = {
	{ .key = "enabled", .type = F_BOOL, .flags = F_REQUIRED },
	ABOVE_0("budgetTokens"),
};
static const struct shape SHAPE_THINKING = SHAPE("ProfileThinking", THINKING_FIELDS);

static const struct field CAPABILITY_FIELDS[] = {
	TEXT("modelId", 0),
	OBJECT("extendedThinking", &SHAPE_THINKING),
	RECORD("serverTools", &BOOL_ITEM),
};
static const struct shape SHAPE_CAPABILITY = SHAPE("ProfileCapabilities", CAPABILITY_FIELDS);

/* One field a runtime, in the order of the catalogue. */
#define EACH_RUNTIME(shape_) \
	OBJECT("claude-code", shape_), OBJECT("openai-codex-app-server", shape_), \
	    OBJECT("anthropic-direct", shape_), OBJECT("openai-direct", shape_), \
	    OBJECT("ollama", shape_)

static const struct field OVERRIDES_FIELDS[] = { EACH_RUNTIME(&SHAPE_OVERRIDE) };
static const struct shape SHAPE_OVERRIDES = SHAPE("ProfileOverrides", OVERRIDES_FIELDS);
static const struct field CAPABILITIES_FIELDS[] = { EACH_RUNTIME(&SHAPE_CAPABILITY) };
static const struct shape SHAPE_CAPABILITIES =
    SHAPE("ProfileCapabilityOverrides", CAPABILITIES_FIELDS);

static const struct field PROFILE_FIELDS[] = {
	FILLED("id", F_REQUIRED),
	FILLED("name", F_REQUIRED),
	{ .key = "version", .type = F_STRING, .flags = F_REQUIRED, .format = FMT_VERSION },
	{ .key = "domain", .type = F_ENUM, .flags = F_REQUIRED, .words = &DOMAINS },
	TEXTS("tags", F_REQUIRED),
	TEXTS("allowedTools", 0),
	RECORD("mcpServers", NULL),
	OBJECT("canUseToolPolicy", &SHAPE_POLICY),
	OBJECT("hooks", &SHAPE_HOOKS),
	ABOVE_0("maxTurns"),
	TEXT("outputFormat", 0),
	TEXT("author", 0),
	{ .key = "source", .type = F_STRING, .format = FMT_URL },
	TESTS,
	OBJECT("importMeta", &SHAPE_IMPORT),
	{ .key = "supportedRuntimes", .type = F_ARRAY, .item = &RUNTIME_ITEM },
	{ .key = "preferredRuntime", .type = F_ENUM, .words = &RUNTIMES },
	OBJECT("runtimeOverrides", &SHAPE_OVERRIDES),
	OBJECT("capabilityOverrides", &SHAPE_CAPABILITIES),
	{ .key = "skillMd", .type = F_STRING, .flags = F_NULLABLE,
	    .doc = "The instructions; absent or null: none" },
};
/* profile.yaml has all but the last. */
const struct shape SHAPE_PROFILE = { .name = "ProfileConfig", .fields = PROFILE_FIELDS,
	.n = COUNT(PROFILE_FIELDS) - 1 };
const struct shape SHAPE_PROFILE_BODY = SHAPE("ProfileBody", PROFILE_FIELDS);

const char PROFILE_ID_RULE[] = "id may only contain letters, digits, dots, dashes and underscores "
			       "(max 100 characters)";

bool profile_name_ok(const char *id)
{
	size_t n = strspn(
	    id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n >= 1 && !id[n] && !strchr("._-", *id) && !strstr(id, "..");
}

bool profile_id_ok(const char *id)
{
	return strlen(id) <= 100 && profile_name_ok(id);
}

const char *profile_shape_problems(struct arena *a, const json_t *doc)
{
	struct problem *list;
	const char *line = NULL;

	if (!json_is_object(doc))
		doc = json_keep(a, json_object());
	list = shape_problems(a, &SHAPE_PROFILE, doc);
	for (; list; list = list->next)
		line = line ? arena_printf(a, "%s, %s", line, list->message) : list->message;
	return line;
}

const char *profile_problems(struct arena *a, const json_t *doc)
{
	const char *line = profile_shape_problems(a, doc);

	return !line && !profile_id_ok(json_str(doc, "id")) ? PROFILE_ID_RULE : line;
}

static const struct column IMPORT_COLUMNS[] = {
	{ "id", "id", COL_ID, COL_READONLY, NULL, NULL },
	{ "repo_url", "repoUrl", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "repo_owner", "repoOwner", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "repo_name", "repoName", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "branch", "branch", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "commit_sha", "commitSha", COL_TEXT, COL_READONLY, NULL, NULL },
	{ "profile_ids", "profileIds", COL_JSON, COL_READONLY, NULL, "Those that were written" },
	{ "skill_count", "skillCount", COL_INT, COL_READONLY, NULL, NULL },
	{ "last_checked_at", "lastCheckedAt", COL_TIME, COL_NULL | COL_READONLY, NULL, NULL },
	{ "created_at", "createdAt", COL_TIME, COL_READONLY, NULL, NULL },
};
const struct model MODEL_REPO_IMPORT = { "RepoImport", "repo_import", "repo_imports",
	IMPORT_COLUMNS, COUNT(IMPORT_COLUMNS), "An import of profiles from a repository" };
