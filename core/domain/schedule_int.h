/* What the files of schedules share. */
#ifndef CORE_DOMAIN_SCHEDULE_INT_H
#define CORE_DOMAIN_SCHEDULE_INT_H

#include "core/domain/heartbeat.h"
#include "core/domain/schedule.h"
#include "core/interval.h"

#define FIRINGS_ANY INT64_MAX

/* A row; in the arena. */
struct schedule {
	const char *id, *project_id, *name, *prompt, *cron, *agent, *profile, *status, *type;
	const char *checklist, *channels; /* JSON texts */
	struct heartbeat_hours hours;
	bool recurs;
	int64_t max_firings;              /* FIRINGS_ANY: no limit */
	int64_t firing_count;
	int64_t expires_at, next_fire_at; /* 0: none */
	int64_t suppression_count;
	bool has_budget;
	double budget, spent;
	int64_t reset_at;                /* since when was spent; 0: never reset */
};

/* RC_NOTFOUND, "Schedule not found", where there is none. */
enum rc schedule_load(struct ctx *cx, const char *id, struct schedule *out);
bool schedule_is(const struct schedule *s, const char *status);
bool schedule_is_heartbeat(const struct schedule *s);

/* A new one from a request body, but for what needs the database; *DOCUMENTS gets the list of them,
 * or NULL. */
enum rc schedule_read_new(struct ctx *cx, const json_t *in, struct schedule *out,
    const json_t **documents);
/* The changes of a request body, made to *S. */
enum rc schedule_read_changes(struct ctx *cx, const json_t *in, struct schedule *s);

#endif
