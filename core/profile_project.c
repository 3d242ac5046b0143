/* The profiles of a project: read in place at every look, never written. Whatever stands in the
 * folder is somebody else's: what cannot be read gives nothing and is said in the log, and no link
 * leads out of the project. */
#include <stdlib.h>
#include <unistd.h>

#include "core/front.h"
#include "core/json_in.h"
#include "core/log.h"
#include "core/profile_int.h"
#include "core/text.h"

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* Whether PATH, with all links followed, is below the folder TOP, which has none. */
static bool is_inside(const char *path, const char *top)
{
	char *real = realpath(path, NULL);
	size_t n = strlen(top);
	bool inside = real && strncmp(real, top, n) == 0 && (real[n] == '/' || n == 1);

	free(real);
	return inside;
}

static const char *skill_text(struct arena *a, const char *path)
{
	size_t n;
	const char *text = file_read(a, path, PROFILE_FILE_MAX, &n);

	return text && text_is_utf8(text, n) ? text : NULL;
}

/* A folder with only SKILL.md. */
static const char *read_minimal(struct arena *a, const char *folder, const char *skill,
    struct profile *out)
{
	const char *name = front_line(a, skill, "name");
	const char *description = front_line(a, skill, "description");
	json_t *doc = json_pack("{s:s, s:s, s:s, s:[s], s:[s]}", "id", folder, "name",
	    name ? name : folder, "domain", "work", "tags", "project-skill", "supportedRuntimes",
	    "claude-code");

	if (!doc)
		return "its name is not well-formed";
	profile_fill(a, folder, json_keep(a, doc), skill, out);
	out->description = description ? description : arena_printf(a, "Project skill: %s", folder);
	return NULL;
}

static const char *read_full(struct arena *a, const char *folder, const char *yaml,
    const char *skill, struct profile *out)
{
	const char *why;
	size_t n;
	const char *text = file_read(a, yaml, PROFILE_FILE_MAX, &n);
	json_t *doc;

	if (!text)
		return "profile.yaml cannot be read";
	doc = yaml_read(a, text, n, &why);
	if (!doc)
		return why;
	why = profile_problems(a, doc);
	if (!why)
		profile_fill(a, folder, doc, skill, out);
	return why;
}

/* Whether there is a profile in the folder of ROOT, which is in the project TOP. */
static bool read_folder(struct arena *a, const char *top, const char *root, const char *folder,
    struct profile *out)
{
	const char *yaml = arena_printf(a, "%s/%s/profile.yaml", root, folder);
	const char *path = arena_printf(a, "%s/%s/SKILL.md", root, folder), *skill, *why;

	if (!is_there(path))
		return false;
	skill = skill_text(a, path);
	if (!is_inside(path, top) || (is_there(yaml) && !is_inside(yaml, top)))
		why = "a link leads out of the project";
	else if (!skill)
		why = "SKILL.md cannot be read";
	else if (is_there(yaml))
		why = read_full(a, folder, yaml, skill, out);
	else
		why = read_minimal(a, folder, skill, out);
	if (why)
		log_warn("profile folder %s/%s passed over: %s", root, folder, why);
	return !why;
}

const struct profile *const *profile_list_project(const struct conf *c, struct arena *a,
    const char *dir, size_t *n)
{
	const char *root = arena_printf(a, "%s/.claude/skills", dir);
	struct dirent **names = NULL;
	int count = scandir(root, &names, profile_is_folder_name, file_by_bytes);
	const struct profile **list =
	    arena_array(a, const struct profile *, PROFILE_FOLDERS_MAX);
	char *top = realpath(dir, NULL);

	*n = 0;
	for (int i = 0; i < count; i++) {
		struct profile *p = arena_new_of(a, struct profile);
		const struct profile *same;

		if (top && *n < PROFILE_FOLDERS_MAX && !arena_exhausted(a) &&
		    read_folder(a, top, root, arena_strdup(a, names[i]->d_name), p)) {
			same = profile_find(c, p->id);
			p->in_project = true;
			p->builtin = same && same->builtin;
			p->origin = p->builtin ? NULL : "manual";
			list[(*n)++] = p;
		}
		free(names[i]);
	}
	free(names);
	free(top);
	return list;
}
