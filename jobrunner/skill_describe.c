/* The description of a skill, and its place in the front matter. */
#include "jobrunner/skill.h"

#include <ctype.h>
#include <strings.h>

#include "core/front.h"
#include "core/json_in.h"
#include "core/text.h"

#define GOOD_UNITS 20        /* a description in the front matter that is longer stands */
#define DESCRIPTION_UNITS 200
#define PARAGRAPH_UNITS 15
#define CELL_UNITS 10
#define LINE_UNITS 15
#define LINES_BELOW 4
#define CELLS_MAX 32
#define NAME_UNITS 40
#define YOU_MAX 2
#define YOU_PERCENT 8

/* ---- Markdown ---- */

/* "[text](address)" at S: the length of it, and its text; 0 where there is none. */
static size_t link_at(const char *s, const char **text, size_t *n)
{
	const char *close = *s == '[' ? strchr(s, ']') : NULL, *end;

	if (!close || close[1] != '(' || !(end = strchr(close, ')')))
		return 0;
	*text = s + 1;
	*n = (size_t)(close - s - 1);
	return (size_t)(end - s + 1);
}

const char *skill_plain(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) + 1), *w = out;

	while (*text) {
		const char *inner;
		size_t n, length = link_at(text, &inner, &n);

		if (length) {
			memcpy(w, inner, n);
			w += n;
			text += length;
		} else if (*text == '*' || *text == '`' || *text == '~') {
			text++;
		} else if (text_starts(text, "__")) {
			text += 2;
		} else {
			*w++ = *text++;
		}
	}
	*w = '\0';
	return text_trim(a, out);
}

static const char *next_line(struct arena *a, const char **p)
{
	size_t n = strcspn(*p, "\n");
	const char *line = arena_strndup(a, *p, n);

	*p += n + ((*p)[n] == '\n');
	return text_trim(a, line);
}

static bool is_rule(const char *line)
{
	return strlen(line) >= 3 && strchr("-*_=", *line) && !line[strspn(line, "-*_= ")];
}

static bool is_numbered(const char *line)
{
	size_t n = strspn(line, "0123456789");

	return n && (line[n] == '.' || line[n] == ')') && line[n + 1] == ' ';
}

/* What makes the line before it a heading. */
static bool is_underline(const char *line)
{
	return is_rule(line) && (!line[strspn(line, "=")] || !line[strspn(line, "-")]);
}

static bool is_item(const char *line)
{
	return text_starts(line, "- ") || text_starts(line, "* ") || text_starts(line, "+ ") ||
	       is_numbered(line);
}

/* A line that is no part of a paragraph of prose. */
static bool is_other(const char *line)
{
	return *line == '#' || *line == '<' || *line == '>' || *line == '|' || is_item(line) ||
	       is_rule(line);
}

/* Whether LINE belongs to a list or a quote, as the line before does where LISTED. */
static bool is_listed(const char *line, bool listed)
{
	if (is_item(line) || *line == '>')
		return true;
	return listed && *line && !is_other(line);
}

static bool is_fence(const char *line)
{
	return text_starts(line, "```") || text_starts(line, "~~~");
}

/* ---- good paragraphs ---- */

static bool is_instruction(const char *text)
{
	static const char *const BEGINNINGS[] = { "you are", "you must", "you should", "you will",
		"your role", "your job", "your task", "your goal", "run the", "execute", "always",
		"never", "when the user", "when asked", "this skill", "this tool", "this agent",
		"if the user", "before you", "before running", "before starting",
		"before completing", "after you", "after running", "after starting",
		"after completing", "do not", "don't", "don\xe2\x80\x99t", "make sure", "important:",
		"note:", "\xe2\x9a\xa0", "warning", "todo" };

	for (size_t i = 0; i < COUNT(BEGINNINGS); i++)
		if (strncasecmp(text, BEGINNINGS[i], strlen(BEGINNINGS[i])) == 0)
			return true;
	return false;
}

static bool names_tool(const char *text)
{
	static const char *const TOOLS[] = { "Bash", "Read", "Write", "Edit", "Glob", "Grep",
		"WebFetch", "WebSearch", "Agent", "AskUserQuestion" };

	for (size_t i = 0; i < COUNT(TOOLS); i++)
		for (const char *p = text; (p = strstr(p, TOOLS[i])); p++)
			if ((p == text || !isalnum((unsigned char)p[-1])) &&
			    !isalnum((unsigned char)p[strlen(TOOLS[i])]))
				return true;
	return false;
}

static bool talks_to_you(const char *text)
{
	size_t words = 0, you = 0;

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " \t\n.,;:!?()\"'");

		words += n > 0;
		you += n == 3 && strncasecmp(p, "you", 3) == 0;
		p += n ? n : 1;
	}
	return you > YOU_MAX || you * 100 > words * YOU_PERCENT;
}

static bool is_good(const char *text)
{
	return text_units(text) >= PARAGRAPH_UNITS && *text != '$' && !is_instruction(text) &&
	       !talks_to_you(text) && !names_tool(text);
}

/* The first good paragraph, or NULL. */
static const char *good_paragraph(struct arena *a, const char *text)
{
	const char *p = text, *found = "";
	bool code = false, comment = false, listed = false;

	do {
		const char *line = *p ? next_line(a, &p) : "";
		bool inside = comment;

		if (!code && text_starts(line, "<!--"))
			comment = inside = true;
		if (comment && strstr(line, "-->"))
			comment = false;
		if (!inside && is_fence(line))
			code = !code;
		listed = !inside && !code && !is_fence(line) && is_listed(line, listed);
		if (*found && is_underline(line))
			found = "";
		if (!inside && !code && !listed && *line && !is_fence(line) && !is_other(line)) {
			found = *found ? arena_printf(a, "%s %s", found, line) : line;
			if (strlen(found) < 4096 && *p)
				continue;
		}
		found = skill_plain(a, found);
		if (is_good(found))
			return found;
		found = "";
	} while (*p);
	return NULL;
}

/* ---- what a repository's README says ---- */

static bool is_name(struct arena *a, const char *text, const char *name)
{
	text = skill_plain(a, text);
	return strcasecmp(text + (*text == '/'), name) == 0;
}

/* The last other cell of a table row that has the name in a cell; NULL where it has not. */
static const char *from_row(struct arena *a, const char *line, const char *name)
{
	const char *cells[CELLS_MAX], *last = NULL;
	size_t n = 0, named = CELLS_MAX;

	if (!strchr(line, '|'))
		return NULL;
	for (const char *p = line + (*line == '|'); *p && n < CELLS_MAX;) {
		size_t length = strcspn(p, "|");

		cells[n] = text_trim(a, arena_strndup(a, p, length));
		if (named == CELLS_MAX && is_name(a, cells[n], name))
			named = n;
		n++;
		p += length + (p[length] == '|');
	}
	if (named == CELLS_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (i != named && *cells[i])
			last = cells[i];
	last = last ? skill_plain(a, last) : NULL;
	return last && text_units(last) > CELL_UNITS ? last : NULL;
}

/* The text of a list item "NAME: TEXT" or "NAME - TEXT", with any dash. */
static const char *from_item(struct arena *a, const char *line, const char *name)
{
	static const char *const MARKS[] = { "\xe2\x80\x94", "\xe2\x80\x93", ":", "- " };
	const char *text;
	size_t n = strlen(name);

	if (!is_item(line))
		return NULL;
	text = skill_plain(a, line + strcspn(line, " "));
	text += *text == '/';
	if (strncasecmp(text, name, n) != 0)
		return NULL;
	text += n + strspn(text + n, " ");
	for (size_t i = 0; i < COUNT(MARKS); i++)
		if (text_starts(text, MARKS[i])) {
			text = text_trim(a, text + strlen(MARKS[i]));
			return text_units(text) > CELL_UNITS ? text : NULL;
		}
	return NULL;
}

/* The first line of some length below a heading that has the name. */
static const char *from_heading(struct arena *a, const char *line, const char *below,
    const char *name)
{
	size_t level = strspn(line, "#");

	if (level < 1 || level > 4 || line[level] != ' ' || !skill_has_word(line, name, true))
		return NULL;
	for (int i = 0; i < LINES_BELOW && *below; i++) {
		const char *text = next_line(a, &below);

		if (*text != '#' && *text != '|' && !is_rule(text) && text_units(text) > LINE_UNITS)
			return skill_plain(a, text);
	}
	return NULL;
}

typedef const char *(*finder)(struct arena *a, const char *line, const char *below,
    const char *name);

static const char *find_row(struct arena *a, const char *line, const char *below UNUSED,
    const char *name)
{
	return from_row(a, line, name);
}

static const char *find_item(struct arena *a, const char *line, const char *below UNUSED,
    const char *name)
{
	return from_item(a, line, name);
}

static const char *find_in_repo(struct arena *a, const char *readme, const char *name)
{
	static const finder FINDERS[] = { find_row, find_item, from_heading };

	for (size_t i = 0; i < COUNT(FINDERS); i++)
		for (const char *p = readme; *p;) {
			const char *line = next_line(a, &p), *found = FINDERS[i](a, line, p, name);

			if (found)
				return found;
		}
	return NULL;
}

/* ---- the description ---- */

const char *skill_describe(struct arena *a, const struct skill_texts *t)
{
	const char *front = json_str(skill_front(a, t->skill), "description");
	const char *text = front && text_units(front) > GOOD_UNITS ? front : NULL;

	if (!text)
		text = good_paragraph(a, skill_body(a, t->readme));
	if (!text && *t->name)
		text = find_in_repo(a, t->repo_readme, t->name);
	if (!text)
		text = good_paragraph(a, skill_body(a, t->skill));
	if (!text)
		text = front && *front ? front : t->name;
	if (text_units(text) <= DESCRIPTION_UNITS)
		return text;
	return arena_printf(a, "%s...", text_cut(a, text, DESCRIPTION_UNITS - 3));
}

/* A name for a text without front matter. */
static const char *name_from(struct arena *a, const char *description)
{
	static const char *const ENDS[] = { ".", "\xe2\x80\x94", ":", "," };
	size_t n = strlen(description);

	for (size_t i = 0; i < COUNT(ENDS); i++) {
		const char *end = strstr(description, ENDS[i]);

		if (end && (size_t)(end - description) < n)
			n = (size_t)(end - description);
	}
	return text_trim(a, text_cut(a, arena_strndup(a, description, n), NAME_UNITS));
}

/* Whether the N bytes at LINE begin the description as skill_front reads it. */
static bool is_description(struct arena *a, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n);

	return colon && *line != ' ' && *line != '\t' &&
	       strcmp(text_trim(a, arena_strndup(a, line, (size_t)(colon - line))),
		   "description") == 0;
}

/* The front matter with LINE in the place of its description, of which all lines go; at its end where
 * it has none. */
static const char *with_description(struct arena *a, const char *block, const char *line)
{
	size_t length = strlen(line);
	char *out = arena_alloc(a, strlen(block) + length + 1), *w = out;
	bool skip = false, put = false;

	while (*block) {
		size_t n = strcspn(block, "\n");
		bool inside = strchr(" \t\r\n", *block) || text_starts(block, "- ");
		bool found = is_description(a, block, n), first = found && !put;

		n += block[n] == '\n';
		skip = found || (skip && inside);
		if (first)
			w = mempcpy(w, line, length);
		if (!skip)
			w = mempcpy(w, block, n);
		put = put || first;
		block += n;
	}
	if (!put)
		w = mempcpy(w, line, length);
	*w = '\0';
	return out;
}

const char *skill_put_description(struct arena *a, const char *text, const char *description)
{
	const char *rest, *block = front_block(a, text, &rest);
	const char *now = block ? json_str(skill_front(a, text), "description") : NULL;

	if (!block)
		return arena_printf(a, "---\nname: %s\ndescription: %s\n---\n\n%s",
		    name_from(a, description), description, text);
	if (now && text_units(now) > GOOD_UNITS)
		return text;
	return arena_printf(a, "---\n%s---\n%s",
	    with_description(a, block, arena_printf(a, "description: %s\n", description)), rest);
}
