/* /api/settings: keys, routing, limits, tool servers. Spending is in h_budgets.c. */
#include "core/domain/settings.h"

#include <pwd.h>
#include <unistd.h>

#include "core/domain/provider.h"
#include "fcgi/handlers.h"

typedef enum rc (*put_fn)(struct ctx *cx, const json_t *in);
typedef void (*write_fn)(struct ctx *cx, struct jw *w);

static enum rc show(struct request *rq, write_fn write)
{
	write(&rq->cx, reply(rq, 200));
	return RC_OK;
}

/* Stores what the body says and answers with what is in force then. */
static enum rc change(struct request *rq, put_fn put, write_fn write)
{
	enum rc rc = put(&rq->cx, rq->in);

	return rc != RC_OK ? rc : show(rq, write);
}

static enum rc one_text(struct request *rq, const char *key, const char *value)
{
	struct jw *w = reply(rq, 200);

	jw_obj(w);
	jw_kstr(w, key, value);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_auth_get(struct request *rq)
{
	return show(rq, settings_write_auth);
}

enum rc h_auth_put(struct request *rq)
{
	return change(rq, settings_put_auth, settings_write_auth);
}

enum rc h_openai_get(struct request *rq)
{
	return show(rq, settings_write_openai);
}

enum rc h_openai_put(struct request *rq)
{
	return change(rq, settings_put_openai, settings_write_openai);
}

enum rc h_providers_get(struct request *rq)
{
	return show(rq, providers_write);
}

enum rc h_routing_get(struct request *rq)
{
	return one_text(rq, "preference", settings_routing(&rq->cx));
}

enum rc h_routing_put(struct request *rq)
{
	enum rc rc = settings_put_routing(&rq->cx, rq->in);

	return rc != RC_OK ? rc : h_routing_get(rq);
}

enum rc h_chat_default_get(struct request *rq)
{
	return one_text(rq, "defaultModel", settings_chat_model(&rq->cx));
}

enum rc h_chat_default_put(struct request *rq)
{
	const json_t *answer;
	struct jw *w;
	enum rc rc = settings_put_chat(&rq->cx, rq->in, &answer);

	if (rc != RC_OK)
		return rc;
	w = reply(rq, 200);
	jw_obj(w);
	jw_kjson(w, "defaultModel", answer);
	jw_end_obj(w);
	return RC_OK;
}

enum rc h_runtime_limits_get(struct request *rq)
{
	return show(rq, settings_write_runtime);
}

enum rc h_runtime_limits_put(struct request *rq)
{
	return change(rq, settings_put_runtime, settings_write_runtime);
}

enum rc h_ollama_get(struct request *rq)
{
	return show(rq, settings_write_ollama);
}

enum rc h_ollama_put(struct request *rq)
{
	enum rc rc = settings_put_ollama(&rq->cx, rq->in);

	return rc != RC_OK ? rc : reply_ok(rq, 200);
}

enum rc h_learning_get(struct request *rq)
{
	return show(rq, settings_write_learning);
}

enum rc h_learning_put(struct request *rq)
{
	return change(rq, settings_put_learning, settings_write_learning);
}

enum rc h_browser_tools_get(struct request *rq)
{
	return show(rq, settings_write_browser);
}

enum rc h_browser_tools_put(struct request *rq)
{
	return change(rq, settings_put_browser, settings_write_browser);
}

enum rc h_web_search_get(struct request *rq)
{
	return show(rq, settings_write_search);
}

enum rc h_web_search_put(struct request *rq)
{
	return change(rq, settings_put_search, settings_write_search);
}

enum rc h_author_get(struct request *rq)
{
	char space[4096];
	struct passwd pw, *found = NULL;
	const char *name;

	if (getpwuid_r(geteuid(), &pw, space, sizeof space, &found) == 0 && found)
		name = found->pw_name;
	else
		name = arena_printf(rq->cx.arena, "uid %lu", (unsigned long)geteuid());
	return one_text(rq, "author", name);
}
