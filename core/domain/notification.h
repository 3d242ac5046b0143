/* Notifications and the approvals that wait among them. */
#ifndef CORE_DOMAIN_NOTIFICATION_H
#define CORE_DOMAIN_NOTIFICATION_H

#include <jansson.h>
#include "core/ctx.h"
#include "core/json_out.h"

/* The answer that closes a request whose time is over. */
#define NOTIFICATION_TIMED_OUT \
	"{\"behavior\":\"deny\",\"message\":\"Permission request timed out\"}"

/* Writes a notification inside the caller's transaction and returns its id. BODY, TOOL and INPUT
 * may be NULL. */
const char *notification_add(struct ctx *cx, const char *task, const char *type, const char *title,
    const char *body, const char *tool, const char *input);
/* The same under an id that the caller has made. */
void notification_add_as(struct ctx *cx, const char *id, const char *task, const char *type,
    const char *title, const char *body, const char *tool, const char *input);
/* Stores the answer RESPONSE (JSON text) where none is stored yet; false where there was one. Wakes
 * whoever waits for it. Inside the caller's transaction. */
bool notification_answer(struct ctx *cx, const char *id, const char *task, const char *response);
/* Closes the open requests of a task with a denial that says MESSAGE. Inside a transaction. */
void notification_close_of_task(struct ctx *cx, const char *task, const char *message);

/* Closes what clients of stagent-mcp asked for and can no longer wait for, because they died: any
 * request of theirs that is older than the longest wait. A transaction. */
enum rc notification_close_lost(struct ctx *cx);

void notification_write_list(struct ctx *cx, struct jw *w, bool unread, const char *type);
int64_t notification_count_unread(struct ctx *cx, const char *type);
enum rc notification_write(struct ctx *cx, struct jw *w, const char *id);
enum rc notification_set_read(struct ctx *cx, const char *id, bool read);
enum rc notification_read_all(struct ctx *cx);
/* Deleting an open request refuses it. */
enum rc notification_delete(struct ctx *cx, const char *id);

/* The open requests as the array of GET /api/notifications/pending-approvals. */
void pending_approvals_write(struct ctx *cx, struct jw *w);

#endif
