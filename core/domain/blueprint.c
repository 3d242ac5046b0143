/* Blueprints: lists, one blueprint, create, remove, and making workflows from them. */
#include "core/domain/blueprint.h"

#include <stdio.h>
#include <strings.h>

#include "core/blueprint_store.h"
#include "core/domain/workflow.h"
#include "core/id.h"
#include "core/json_in.h"
#include "core/template.h"
#include "core/text.h"

#define NAME_UNITS_MAX 100
#define DEFINITION_MAX ((size_t)10 << 20)

void blueprint_write(struct jw *w, const json_t *doc, bool builtin)
{
	const char *key;
	json_t *v;

	jw_obj(w);
	json_object_foreach((json_t *)(uintptr_t)doc, key, v)
		jw_kjson(w, key, v);
	jw_kbool(w, "isBuiltin", builtin);
	jw_end_obj(w);
}

void blueprint_write_list(struct ctx *cx, struct jw *w)
{
	size_t n;
	const struct blueprint *const *list = blueprint_list(cx->conf, &n);

	jw_arr(w);
	for (size_t i = 0; i < n; i++)
		blueprint_write(w, list[i]->doc, list[i]->shipped);
	jw_end_arr(w);
}

enum rc blueprint_write_one(struct ctx *cx, struct jw *w, const char *id)
{
	const struct blueprint *b = blueprint_find(cx->conf, id);

	if (!b)
		return ctx_fail(cx, RC_NOTFOUND, "Blueprint not found");
	blueprint_write(w, b->doc, b->shipped);
	return RC_OK;
}

/* ---- changes ---- */

static enum rc note(struct ctx *cx, const char *op, const char *id)
{
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	audit(cx, op, "blueprint", id, NULL);
	return tx_end(cx, RC_OK);
}

enum rc blueprint_create(struct ctx *cx, const char *text, const json_t **doc)
{
	const char *why, *id;
	enum rc rc;

	if (strlen(text) > BLUEPRINT_SIZE_MAX)
		return ctx_fail(cx, RC_INVALID, "Blueprint is too large (max 1MB)");
	*doc = blueprint_read(cx->arena, text, strlen(text), &why);
	if (!*doc)
		return ctx_fail(cx, RC_INVALID, "%s", why);
	id = json_str(*doc, "id");
	rc = *blueprint_user_files(cx->conf, cx->arena, id)
	    ? RC_CONFLICT : blueprint_store_create(cx, id, text);
	if (rc == RC_CONFLICT)
		return ctx_fail(cx, RC_INVALID, "Blueprint \"%s\" already exists", id);
	return rc != RC_OK ? rc : note(cx, "blueprint.create", id);
}

enum rc blueprint_remove(struct ctx *cx, const char *id)
{
	const struct blueprint *b = blueprint_find(cx->conf, id);
	const char *const *files;
	size_t removed = 0;
	enum rc rc;

	if (b && b->shipped)
		return ctx_fail(cx, RC_DENIED, "Cannot delete built-in blueprints");
	for (files = blueprint_user_files(cx->conf, cx->arena, id); *files; files++) {
		rc = blueprint_store_remove(cx, *files);
		if (rc != RC_OK && rc != RC_NOTFOUND)
			return rc;
		removed += rc == RC_OK;
	}
	if (!removed)
		return ctx_fail(cx, RC_INVALID, "Blueprint \"%s\" not found", id);
	return note(cx, "blueprint.delete", id);
}

/* ---- addresses ---- */

/* S with everything escaped that does not belong in an address. */
static const char *plain_address(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, 3 * strlen(s) + 1), *w = out;

	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		bool plain = *p > ' ' && *p < 0x7f && !strchr("\"<>\\^`{|}", *p);

		w += snprintf(w, 4, plain ? "%c" : "%%%02X", *p);
	}
	return out;
}

/* The part of an http(s) address behind the host, without the fragment; NULL where it is none,
 * or has a user or a port of its own. */
static const char *split_host(struct arena *a, const char *url, const char **host)
{
	bool safe = strncasecmp(url, "https://", 8) == 0;
	size_t scheme = safe ? 8 : strncasecmp(url, "http://", 7) == 0 ? 7 : 0, n;
	const char *end = url + scheme, *own = safe ? ":443" : ":80";

	if (!scheme)
		return NULL;
	n = strcspn(end, "/\\?#");
	*host = text_lower(a, arena_strndup(a, end, n));
	if (text_ends(*host, own))
		*host = arena_strndup(a, *host, n - strlen(own));
	return arena_strndup(a, end + n, strcspn(end + n, "#"));
}

/* Takes the next segment off *PATH; NULL where it is empty or the last one. */
static const char *next_segment(struct arena *a, const char **path)
{
	const char *from = *path + 1;
	size_t n = **path == '/' ? strcspn(from, "/") : 0;

	if (!n || !from[n])
		return NULL;
	*path = from + n;
	return arena_strndup(a, from, n);
}

/* OWNER/REPO/BRANCH/FILE of /OWNER/REPO/(tree|blob)/BRANCH/FILE; NULL where it is none. */
static const char *blob_path(struct arena *a, const char *path)
{
	const char *owner, *repo, *word, *branch;

	path = arena_strndup(a, path, strcspn(path, "?"));
	if (!(owner = next_segment(a, &path)) || !(repo = next_segment(a, &path)) ||
	    !(word = next_segment(a, &path)) || !(branch = next_segment(a, &path)) || !path[1] ||
	    (strcmp(word, "tree") != 0 && strcmp(word, "blob") != 0))
		return NULL;
	return arena_printf(a, "/%s/%s/%s%s", owner, repo, branch, path);
}

const char *blueprint_parse_url(struct arena *a, const char *url)
{
	const char *host = "", *path = split_host(a, text_trim(a, url), &host);

	if (path && strcmp(host, "github.com") == 0)
		path = blob_path(a, path);
	else if (strcmp(host, "raw.githubusercontent.com") != 0)
		path = NULL;
	return path ? plain_address(a, path) : NULL;
}

/* ---- making workflows ---- */

struct making {
	struct ctx *cx;
	const json_t *doc, *values;
	json_t *skipped; /* names of steps */
	size_t kept;
};

/* The values of the body, and the defaults of what it does not have. */
static json_t *all_values(struct arena *a, const json_t *doc, const json_t *given)
{
	json_t *all = json_keep(a, json_is_object(given) ? json_copy((json_t *)(uintptr_t)given)
							  : json_object());
	const json_t *variable;
	size_t i;

	json_array_foreach(json_object_get(doc, "variables"), i, variable) {
		const char *id = json_str(variable, "id");
		json_t *otherwise = json_object_get(variable, "default");

		if (otherwise && !json_object_get(all, id))
			json_object_set(all, id, otherwise);
	}
	return all;
}

/* A required variable needs a value in the body, whatever its default. */
static enum rc check_required(struct ctx *cx, const json_t *doc, const json_t *given)
{
	const json_t *variable, *v;
	const char *words;
	struct buf b;
	size_t i, n = 0;

	buf_init(&b, DEFINITION_MAX);
	json_array_foreach(json_object_get(doc, "variables"), i, variable) {
		v = json_object_get(given, json_str(variable, "id"));
		if (!json_flag(variable, "required") || (v && !json_is_null(v) &&
			(!json_is_string(v) || *json_string_value(v))))
			continue;
		buf_printf(&b, "%s\"%s\" is required", n++ ? ", " : "",
		    json_str(variable, "label"));
	}
	words = n ? arena_strdup(cx->arena, buf_text(&b)) : NULL;
	buf_fini(&b);
	return n ? ctx_fail(cx, RC_INVALID, "Missing required variables: %s", words) : RC_OK;
}

/* TEXT with the values in it; false where the result is too large. */
static bool write_prompt(struct jw *w, const char *text, const json_t *values)
{
	struct buf b;
	bool ok;

	buf_init(&b, TEMPLATE_MAX);
	template_resolve(&b, text, values);
	jw_kstr(w, "prompt", buf_text(&b));
	ok = !b.failed;
	buf_fini(&b);
	return ok && !w->b->failed;
}

/* The steps that remain; false where they are too large. */
static bool write_steps(struct making *m, struct jw *w)
{
	const json_t *step;
	bool ok = true;
	size_t i;

	json_array_foreach(json_object_get(m->doc, "steps"), i, step) {
		const char *condition = json_str(step, "condition");
		char id[ID_SIZE];

		if (condition && !template_condition(m->cx->arena, condition, m->values)) {
			json_array_append(m->skipped, json_object_get(step, "name"));
			continue;
		}
		m->kept++;
		jw_obj(w);
		jw_kstr(w, "id", id_new(id));
		jw_kstr(w, "name", json_str(step, "name"));
		ok = write_prompt(w, json_str(step, "promptTemplate"), m->values);
		jw_kbool(w, "requiresApproval", json_flag(step, "requiresApproval"));
		jw_kstr(w, "agentProfile", json_str(step, "profileId"));
		jw_end_obj(w);
		if (!ok)
			break;
	}
	return ok;
}

/* The definition as it is stored; NULL with a failure where there is none. */
static const char *make_definition(struct making *m)
{
	struct buf b;
	struct jw w = jw_on(&b);
	const char *text = NULL;
	bool ok;

	buf_init(&b, DEFINITION_MAX);
	jw_obj(&w);
	jw_kstr(&w, "pattern", json_str(m->doc, "pattern"));
	jw_key(&w, "steps");
	jw_arr(&w);
	ok = write_steps(m, &w);
	jw_end_arr(&w);
	jw_kstr(&w, "_blueprintId", json_str(m->doc, "id"));
	jw_end_obj(&w);
	if (!m->kept)
		ctx_fail(m->cx, RC_INVALID, "All steps were skipped by conditions \xe2\x80\x94 "
					    "at least one step must remain");
	else if (!ok || b.failed)
		ctx_fail(m->cx, RC_TOOLARGE, "The workflow is too large");
	else
		text = arena_strndup(m->cx->arena, b.data, b.len);
	buf_fini(&b);
	return text;
}

/* The blueprint's name and the value of its first variable. */
static const char *make_name(struct making *m)
{
	struct arena *a = m->cx->arena;
	const json_t *first = json_array_get(json_object_get(m->doc, "variables"), 0);
	const char *name = json_str(m->doc, "name"), *id = first ? json_str(first, "id") : "topic";
	struct buf b;

	buf_init(&b, TEMPLATE_MAX);
	template_resolve(&b, arena_printf(a, "%s: {{%s}}", name, id), m->values);
	if (b.failed)
		ctx_fail(m->cx, RC_TOOLARGE, "The workflow is too large");
	else if (b.len)
		name = arena_strdup(a, buf_text(&b));
	buf_fini(&b);
	return name;
}

/* The project of the body; any value but null has to name one. */
static enum rc check_project(struct ctx *cx, const json_t *v, const char **project)
{
	*project = json_string_value(v);
	if (!v || json_is_null(v) ||
	    (*project && db_get_int(cx->db, 0, Q_PROJECT_EXISTS, "t", *project)))
		return RC_OK;
	return ctx_fail(cx, RC_INVALID, "Project not found");
}

/* The project is looked for, and the row written, in one transaction. */
static enum rc store(struct ctx *cx, const json_t *in, const char *name, const char *definition,
    const char **workflow)
{
	const char *project;
	enum rc rc = tx_begin(cx);

	if (rc != RC_OK)
		return rc;
	rc = check_project(cx, json_object_get(in, "projectId"), &project);
	if (rc == RC_OK)
		rc = workflow_add(cx, project, text_cut(cx->arena, name, NAME_UNITS_MAX),
		    definition, workflow);
	return tx_end(cx, rc);
}

enum rc blueprint_instantiate(struct ctx *cx, struct jw *w, const char *id, const json_t *in)
{
	const json_t *given = json_object_get(in, "variables");
	struct making m = { .cx = cx };
	const struct blueprint *b;
	const char *name, *definition, *workflow;
	enum rc rc;

	if (!json_is_object(given) && !json_is_array(given))
		return ctx_fail(cx, RC_INVALID, "variables object is required");
	b = blueprint_find(cx->conf, id);
	if (!b)
		return ctx_fail(cx, RC_INVALID, "Blueprint \"%s\" not found", id);
	rc = check_required(cx, b->doc, given);
	if (rc != RC_OK)
		return rc;
	m.doc = b->doc;
	m.values = all_values(cx->arena, b->doc, given);
	m.skipped = json_keep(cx->arena, json_array());
	definition = make_definition(&m);
	name = definition ? make_name(&m) : NULL;
	rc = cx->err.rc;
	if (rc == RC_OK)
		rc = store(cx, in, name, definition, &workflow);
	if (rc != RC_OK)
		return rc;
	jw_obj(w);
	jw_kstr(w, "workflowId", workflow);
	jw_kstr(w, "name", name);
	jw_kint(w, "stepsCount", (int64_t)m.kept);
	jw_kjson(w, "skippedSteps", m.skipped);
	jw_end_obj(w);
	return RC_OK;
}
