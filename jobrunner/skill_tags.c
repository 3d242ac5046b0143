/* Tags from texts, and how alike two texts are. */
#include "jobrunner/skill.h"

#include <ctype.h>
#include <strings.h>

#include "core/json_in.h"
#include "core/text.h"

#define HEADINGS_MAX 5
#define HEADING_WORDS 2
#define WORDS_MAX 4000 /* of a text that are counted */
#define LIKENESS_MEMORY ((size_t)8 << 20)

/* Sorted. */
static const char *const STOP_WORDS[] = { "about", "above", "across", "after", "again",
	"against", "agent", "agents", "all", "also", "always", "and", "any", "are", "based",
	"because", "been", "before", "being", "below", "best", "between", "both", "but", "can",
	"could", "does", "doing", "done", "down", "during", "each", "either", "else", "even",
	"every", "example", "examples", "few", "file", "files", "first", "follow", "following",
	"for", "from", "further", "general", "get", "guide", "had", "has", "have", "having",
	"here", "how", "important", "input", "inputs", "instructions", "into", "introduction",
	"its", "just", "like", "make", "many", "more", "most", "much", "must", "need", "needs",
	"never", "next", "none", "not", "note", "notes", "once", "one", "only", "other", "our",
	"out", "output", "outputs", "over", "overview", "own", "phase", "please", "process",
	"purpose", "rules", "run", "same", "section", "should", "skill", "skills", "some",
	"step", "steps", "such", "summary", "than", "that", "the", "their", "them", "then",
	"there", "these", "they", "this", "those", "through", "too", "tool", "tools", "under",
	"until", "upon", "usage", "use", "used", "user", "users", "uses", "using", "very",
	"want", "was", "well", "were", "what", "when", "where", "whether", "which", "while",
	"who", "whom", "whose", "why", "will", "with", "within", "without", "would", "yes",
	"you", "your", "yours" };

/* In the order in which the subjects become tags. */
static const struct cue {
	const char *subject, *word;
	bool whole;
} CUES[] = {
	{ "code-review", "code review", true },
	{ "security", "security", true },
	{ "security", "owasp", false },
	{ "security", "vulnerabilit", false },
	{ "qa", "qa", true },
	{ "qa", "quality assurance", false },
	{ "testing", "testing", true },
	{ "testing", "test suite", false },
	{ "design", "design", true },
	{ "design", "ui/ux", false },
	{ "design", "frontend design", false },
	{ "devops", "deployment", true },
	{ "devops", "ci/cd", false },
	{ "devops", "infrastructure", false },
	{ "shipping", "ship", true },
	{ "shipping", "release", true },
	{ "shipping", "changelog", false },
	{ "research", "research", true },
	{ "research", "investigat", false },
	{ "planning", "planning", true },
	{ "planning", "architect", false },
	{ "refactoring", "refactor", false },
	{ "performance", "performance", true },
	{ "performance", "benchmark", false },
	{ "accessibility", "accessibility", true },
	{ "accessibility", "a11y", false },
	{ "documentation", "document", false },
	{ "api", "api", true },
	{ "database", "database", true },
	{ "database", "sql", true },
	{ "browser", "browser", true },
	{ "browser", "playwright", true },
	{ "browser", "puppeteer", false },
	{ "automation", "automation", true },
	{ "workflow", "workflow", false },
	{ "linting", "lint", false },
	{ "migration", "migrat", false },
	{ "monitoring", "monitor", false },
	{ "debugging", "debug", false },
	{ "ai", "prompt", true },
	{ "ai", "llm", true },
	{ "ai", "ai", true },
};

static int compare_words(const void *key, const void *word)
{
	return strcmp(key, *(const char *const *)word);
}

static bool is_stop_word(const char *word)
{
	return bsearch(word, STOP_WORDS, COUNT(STOP_WORDS), sizeof *STOP_WORDS, compare_words);
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

bool skill_has_word(const char *text, const char *word, bool whole)
{
	size_t n = strlen(word);

	for (const char *p = text; n && (p = strcasestr(p, word)); p++)
		if ((p == text || !is_word_char(p[-1])) && (!whole || !is_word_char(p[n])))
			return true;
	return false;
}

static bool has_tag(const json_t *tags, const char *tag)
{
	size_t i;
	json_t *v;

	json_array_foreach(tags, i, v)
		if (strcmp(json_string_value(v), tag) == 0)
			return true;
	return false;
}

static void add_tag(json_t *tags, const char *tag)
{
	if (*tag && json_array_size(tags) < SKILL_TAGS_MAX && !has_tag(tags, tag))
		json_array_append_new(tags, json_string(tag));
}

static void add_subjects(json_t *tags, const char *text)
{
	for (size_t i = 0; i < COUNT(CUES); i++)
		if (skill_has_word(text, CUES[i].word, CUES[i].whole))
			add_tag(tags, CUES[i].subject);
}

/* The length of the run of letters at S. */
static size_t letters(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]))
		n++;
	return n;
}

static void add_heading(struct arena *a, json_t *tags, const char *line)
{
	int taken = 0;

	for (size_t n; *line && *line != '\n' && taken < HEADING_WORDS; line += n ? n : 1) {
		const char *word;

		n = letters(line);
		if (n < 4 || n > 19)
			continue;
		word = text_lower(a, arena_strndup(a, line, n));
		if (is_stop_word(word))
			continue;
		add_tag(tags, word);
		taken++;
	}
}

/* Whether the line is a heading of level 2 or 3; its text then. */
static const char *heading_text(const char *line)
{
	size_t n = strspn(line, "#");

	return (n == 2 || n == 3) && line[n] == ' ' ? line + n : NULL;
}

static void add_headings(struct arena *a, json_t *tags, const char *body)
{
	int n = 0;
	bool code = false;

	for (const char *p = body; *p && n < HEADINGS_MAX;) {
		const char *text = heading_text(p);

		if (text_starts(p, "```"))
			code = !code;
		if (text && !code) {
			add_heading(a, tags, text);
			n++;
		}
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
}

void skill_add_tags(struct arena *a, json_t *tags, const char *folder, const char *skill,
    const char *readme, const json_t *front)
{
	const char *tools = json_str(front, "allowed-tools"), *body = skill_body(a, skill);

	add_tag(tags, text_lower(a, folder));
	add_subjects(tags, body);
	add_headings(a, tags, body);
	if (tools && skill_has_word(tools, "Bash", true))
		add_tag(tags, "cli");
	if (tools && (skill_has_word(tools, "WebFetch", true) ||
			 skill_has_word(tools, "WebSearch", true)))
		add_tag(tags, "web");
	if (tools && skill_has_word(tools, "Agent", true))
		add_tag(tags, "orchestration");
	add_subjects(tags, readme);
}

/* ---- likeness ---- */

struct keyword {
	const char *word;
	size_t count, place; /* PLACE keeps the order of equal ones */
};

static int by_word(const void *pa, const void *pb)
{
	const struct keyword *a = pa, *b = pb;
	int c = strcmp(a->word, b->word);

	return c ? c : (a->place > b->place) - (a->place < b->place);
}

static int by_count(const void *pa, const void *pb)
{
	const struct keyword *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

static size_t all_words(struct arena *a, const char *text, struct keyword *out)
{
	static const char CHARS[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t n = 0;

	for (const char *p = text_lower(a, text); *p && n < WORDS_MAX;) {
		size_t length = strspn(p, CHARS);

		if (length >= 4 && length <= 29) {
			const char *word = arena_strndup(a, p, length);

			if (!is_stop_word(word)) {
				out[n] = (struct keyword){ word, 1, n };
				n++;
			}
		}
		p += length ? length : 1;
	}
	return n;
}

/* The most frequent words of a text; returns their number. */
static size_t keywords(struct arena *a, const char *text, struct keyword *list)
{
	size_t n = all_words(a, text, list), kept = 0;

	qsort(list, n, sizeof *list, by_word);
	for (size_t i = 0; i < n; i++)
		if (kept && strcmp(list[kept - 1].word, list[i].word) == 0)
			list[kept - 1].count++;
		else
			list[kept++] = list[i];
	qsort(list, kept, sizeof *list, by_count);
	return kept < SKILL_KEYWORDS_MAX ? kept : SKILL_KEYWORDS_MAX;
}

double skill_likeness(const char *one, const char *other)
{
	struct arena *a = arena_new(LIKENESS_MEMORY);
	struct keyword *list = arena_array(a, struct keyword, WORDS_MAX);
	struct keyword mine[SKILL_KEYWORDS_MAX];
	size_t n_mine = keywords(a, one, list), n, common = 0;

	memcpy(mine, list, n_mine * sizeof *mine);
	n = keywords(a, other, list);
	for (size_t i = 0; i < n_mine; i++)
		for (size_t k = 0; k < n; k++)
			common += strcmp(mine[i].word, list[k].word) == 0;
	arena_free(a);
	return n_mine + n ? (double)common / (double)(n_mine + n - common) : 0;
}
