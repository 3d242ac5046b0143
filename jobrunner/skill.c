/* Skills: the front matter. */
#include "jobrunner/skill.h"

#include "core/front.h"
#include "core/json_in.h"
#include "core/text.h"

const char *skill_folder(const char *path, const char *repo)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : *path ? path : repo;
}

const char *skill_body(struct arena *a, const char *text)
{
	const char *rest;

	return front_block(a, text, &rest) ? rest : text;
}

/* A value that is being read: its own line, then the indented ones. */
struct value {
	const char *key;
	const char *text; /* so far */
	bool block, list; /* goes on; after an empty value */
};

static const char *unquoted(struct arena *a, const char *s)
{
	size_t n = strlen(s);

	return n >= 2 && (*s == '"' || *s == '\'') && s[n - 1] == *s
	    ? arena_strndup(a, s + 1, n - 2) : s;
}

static bool is_block_mark(const char *s)
{
	return (*s == '|' || *s == '>') && (!s[1] || ((s[1] == '+' || s[1] == '-') && !s[2]));
}

static void begin(struct arena *a, struct value *v, const char *line, const char *colon)
{
	const char *text = text_trim(a, colon + 1);

	v->key = text_trim(a, arena_strndup(a, line, (size_t)(colon - line)));
	v->list = !*text;
	v->block = v->list || is_block_mark(text);
	v->text = v->block ? "" : unquoted(a, text);
}

static void go_on(struct arena *a, struct value *v, const char *line)
{
	const char *text = text_trim(a, line), *glue = v->list ? ", " : " ";

	if (!v->block || !*text)
		return;
	if (text_starts(text, "- ") && strcmp(v->key, "description") != 0) {
		text = unquoted(a, text_trim(a, text + 2));
		glue = ", ";
	}
	v->text = *v->text ? arena_printf(a, "%s%s%s", v->text, glue, text) : text;
}

static void store(json_t *front, const struct value *v)
{
	if (v->key && *v->key)
		json_object_set_new(front, v->key, json_string(v->text));
}

static const char *next_line(struct arena *a, const char **p)
{
	size_t n = strcspn(*p, "\n");
	const char *line = arena_strndup(a, *p, n && (*p)[n - 1] == '\r' ? n - 1 : n);

	*p += n + ((*p)[n] == '\n');
	return line;
}

json_t *skill_front(struct arena *a, const char *text)
{
	json_t *front = json_keep(a, json_object());
	const char *rest, *p = front_block(a, text, &rest);
	struct value v = { 0 };

	while (p && *p) {
		const char *line = next_line(a, &p), *colon = strchr(line, ':');
		bool inside = *line == ' ' || *line == '\t' || text_starts(line, "- ");

		if (inside && v.key) {
			go_on(a, &v, line);
		} else if (!inside && colon && *line != '#') {
			store(front, &v);
			begin(a, &v, line, colon);
		}
	}
	store(front, &v);
	return front;
}
