/* GET /api/openapi.json: the interface described, generated from the routes, shapes and models. */
#include "fcgi/handlers.h"

/* A model's row as a JSON Schema object. */
static void write_column(struct jw *w, const struct column *c)
{
	static const char *const TYPES[] = { [COL_TEXT] = "string", [COL_ID] = "string",
		[COL_INT] = "integer", [COL_NUM] = "number", [COL_BOOL] = "boolean",
		[COL_TIME] = "string", [COL_JSON] = NULL, [COL_PACKED] = "string",
		[COL_SECRET] = "null" };
	const char *type = TYPES[c->type];

	jw_obj(w);
	if (type) {
		jw_key(w, "type");
		if (c->flags & COL_NULL)
			jw_arr(w);
		jw_str(w, type);
		if (c->flags & COL_NULL) {
			jw_str(w, "null");
			jw_end_arr(w);
		}
	}
	if (c->type == COL_TIME)
		jw_kstr(w, "format", "date-time");
	if (c->words) {
		jw_key(w, "enum");
		jw_arr(w);
		for (size_t i = 0; i < c->words->n; i++)
			jw_str(w, c->words->words[i]);
		jw_end_arr(w);
	}
	if (c->flags & COL_READONLY)
		jw_kbool(w, "readOnly", true);
	if (c->doc)
		jw_kstr(w, "description", c->doc);
	jw_end_obj(w);
}

static void write_model(struct jw *w, const struct model *m)
{
	jw_key(w, m->name);
	jw_obj(w);
	jw_kstr(w, "type", "object");
	jw_kstr(w, "description", m->doc);
	jw_key(w, "properties");
	jw_obj(w);
	for (size_t i = 0; i < m->n_cols; i++) {
		jw_key(w, m->cols[i].key);
		write_column(w, &m->cols[i]);
	}
	jw_end_obj(w);
	jw_key(w, "required");
	jw_arr(w);
	for (size_t i = 0; i < m->n_cols; i++)
		jw_str(w, m->cols[i].key);
	jw_end_arr(w);
	jw_end_obj(w);
}

static void write_error_schemas(struct jw *w)
{
	static const char ERRORS[] =
	    "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"oneOf\":["
	    "{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"formErrors\","
	    "\"fieldErrors\"],\"properties\":{\"formErrors\":{\"type\":\"array\",\"items\":{"
	    "\"type\":\"string\"}},\"fieldErrors\":{\"type\":\"object\",\"additionalProperties\":{"
	    "\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}]}}}";

	jw_key(w, "Error");
	jw_raw(w, ERRORS, sizeof ERRORS - 1);
}

static bool first_with_body(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (ROUTES[j].body == ROUTES[i].body)
			return false;
	return ROUTES[i].body != NULL;
}

/* Answers that are files and not rows. */
static const struct shape *const ANSWERED[] = { &SHAPE_BLUEPRINT_SHOWN };

static void write_components(struct jw *w)
{
	jw_key(w, "components");
	jw_obj(w);
	jw_key(w, "schemas");
	jw_obj(w);
	for (size_t i = 0; MODELS[i]; i++)
		write_model(w, MODELS[i]);
	for (size_t i = 0; i < ROUTES_N; i++)
		if (first_with_body(i)) {
			jw_key(w, ROUTES[i].body->name);
			shape_json_schema(w, ROUTES[i].body);
		}
	for (size_t i = 0; i < COUNT(ANSWERED); i++) {
		jw_key(w, ANSWERED[i]->name);
		shape_json_schema(w, ANSWERED[i]);
	}
	write_error_schemas(w);
	jw_end_obj(w);
	jw_end_obj(w);
}

static void write_param(struct jw *w, const char *name, size_t n, const char *in, const char *doc)
{
	jw_obj(w);
	jw_key(w, "name");
	jw_strn(w, name, n);
	jw_kstr(w, "in", in);
	if (strcmp(in, "path") == 0)
		jw_kbool(w, "required", true);
	jw_key(w, "schema");
	jw_obj(w);
	jw_kstr(w, "type", "string");
	jw_end_obj(w);
	if (doc)
		jw_kstr(w, "description", doc);
	jw_end_obj(w);
}

static void write_params(struct jw *w, const struct route *r)
{
	jw_key(w, "parameters");
	jw_arr(w);
	for (const char *p = r->path; (p = strchr(p, '{')); p++) {
		size_t n = strcspn(p + 1, "}");

		write_param(w, p + 1, n, "path", NULL);
	}
	for (const struct param *q = r->query; q && q->name; q++)
		write_param(w, q->name, strlen(q->name), "query", q->doc);
	jw_end_arr(w);
}

/* "content":{TYPE:{"schema":SCHEMA}} */
static void write_schema(struct jw *w, const char *type, const char *schema)
{
	jw_key(w, "content");
	jw_obj(w);
	jw_key(w, type);
	jw_obj(w);
	jw_key(w, "schema");
	jw_raw(w, schema, strlen(schema));
	jw_end_obj(w);
	jw_end_obj(w);
}

/* "content":{TYPE:{"schema":…}} with a reference to NAME, or a free object where there is none. */
static void write_content(struct jw *w, const char *type, const char *name, bool list)
{
	jw_key(w, "content");
	jw_obj(w);
	jw_key(w, type);
	jw_obj(w);
	jw_key(w, "schema");
	jw_obj(w);
	if (list) {
		jw_kstr(w, "type", "array");
		jw_key(w, "items");
		jw_obj(w);
	}
	if (name) {
		jw_key(w, "$ref");
		buf_printf(w->b, "\"#/components/schemas/%s\"", name);
		w->comma = true;
	} else {
		jw_kstr(w, "type", strcmp(type, "text/event-stream") == 0 ? "string" : "object");
	}
	if (list)
		jw_end_obj(w);
	jw_end_obj(w);
	jw_end_obj(w);
	jw_end_obj(w);
}

static void write_responses(struct jw *w, const struct route *r)
{
	static const char ANY[] =
	    "{\"type\":\"string\",\"contentMediaType\":\"application/octet-stream\"}";
	const char *status = r->flags & R_CREATED ? "201"
	    : r->flags & R_ACCEPTED		  ? "202"
	    : r->flags & R_EMPTY		  ? "204"
						  : "200";
	bool stream = (r->flags & R_STREAM) != 0;

	jw_key(w, "responses");
	jw_obj(w);
	jw_key(w, status);
	jw_obj(w);
	jw_kstr(
	    w, "description", stream ? "An event stream; each data line is one object" : "Done");
	if (r->reply)
		write_schema(w, "application/json", r->reply);
	else if (r->flags & R_FILE)
		write_schema(w, "*/*", ANY);
	else if (!(r->flags & R_EMPTY))
		write_content(w, stream ? "text/event-stream" : "application/json",
		    r->model && !stream ? r->model->name : NULL, (r->flags & R_LIST) != 0);
	jw_end_obj(w);
	jw_key(w, "4XX");
	jw_obj(w);
	jw_kstr(w, "description", "Refused");
	write_content(w, "application/json", "Error", false);
	jw_end_obj(w);
	jw_key(w, "5XX");
	jw_obj(w);
	jw_kstr(w, "description", "Failed here");
	write_content(w, "application/json", "Error", false);
	jw_end_obj(w);
	jw_end_obj(w);
}

static void write_operation(struct jw *w, struct arena *a, const struct route *r)
{
	const char *tag = r->path + strlen("/api/");

	jw_key(w, arena_strdup(a, strcmp(r->method, "GET") == 0      ? "get"
				  : strcmp(r->method, "POST") == 0   ? "post"
				  : strcmp(r->method, "PUT") == 0    ? "put"
				  : strcmp(r->method, "PATCH") == 0  ? "patch"
								     : "delete"));
	jw_obj(w);
	jw_kstr(w, "operationId", r->op);
	jw_kstr(w, "summary", r->doc);
	jw_key(w, "tags");
	jw_arr(w);
	jw_strn(w, tag, strcspn(tag, "/."));
	jw_end_arr(w);
	write_params(w, r);
	if (r->body || r->form || (r->flags & R_JSON)) {
		jw_key(w, "requestBody");
		jw_obj(w);
		jw_kbool(w, "required", true);
		if (r->form)
			write_schema(w, "multipart/form-data", r->form);
		else
			write_content(w, "application/json", r->body ? r->body->name : NULL, false);
		jw_end_obj(w);
	}
	write_responses(w, r);
	jw_end_obj(w);
}

static bool first_of_path(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(ROUTES[j].path, ROUTES[i].path) == 0)
			return false;
	return true;
}

static void write_paths(struct jw *w, struct arena *a)
{
	jw_key(w, "paths");
	jw_obj(w);
	for (size_t i = 0; i < ROUTES_N; i++) {
		if (!first_of_path(i))
			continue;
		jw_key(w, ROUTES[i].path);
		jw_obj(w);
		for (size_t j = i; j < ROUTES_N; j++)
			if (strcmp(ROUTES[j].path, ROUTES[i].path) == 0)
				write_operation(w, a, &ROUTES[j]);
		jw_end_obj(w);
	}
	jw_end_obj(w);
}

static void write_tags(struct jw *w)
{
	const char *last = "";
	size_t last_n = 0;

	jw_key(w, "tags");
	jw_arr(w);
	for (size_t i = 0; i < ROUTES_N; i++) {
		const char *tag = ROUTES[i].path + strlen("/api/");
		size_t n = strcspn(tag, "/.");

		if (n == last_n && memcmp(tag, last, n) == 0)
			continue;
		last = tag;
		last_n = n;
		jw_obj(w);
		jw_key(w, "name");
		jw_strn(w, tag, n);
		jw_end_obj(w);
	}
	jw_end_arr(w);
}

enum rc h_openapi(struct request *rq)
{
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_kstr(w, "openapi", "3.1.0");
	jw_key(w, "info");
	jw_obj(w);
	jw_kstr(w, "title", "Stagent");
	jw_kstr(w, "version", PACKAGE_VERSION);
	jw_kstr(w, "description", "A local, governed workspace for AI agents");
	jw_key(w, "license");
	jw_obj(w);
	jw_kstr(w, "name", "Apache-2.0");
	jw_kstr(w, "identifier", "Apache-2.0");
	jw_end_obj(w);
	jw_end_obj(w);
	jw_key(w, "servers");
	jw_arr(w);
	jw_obj(w);
	jw_kstr(w, "url", "/");
	jw_end_obj(w);
	jw_end_arr(w);
	jw_key(w, "security");
	jw_arr(w);
	jw_end_arr(w);
	write_tags(w);
	write_paths(w, rq->cx.arena);
	write_components(w);
	jw_end_obj(w);
	return RC_OK;
}
