/* Commands that show: status, jobs, approvals, audit, config. */
#include <stdio.h>
#include <time.h>

#include "core/clock.h"
#include "core/domain/context.h"
#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/migrate.h"
#include "core/policy.h"
#include "core/text.h"
#include "ctl/ctl.h"

#define ROWS 50

static void counts(struct ctx *cx, const char *what, enum stmt stmt)
{
	struct q *q = db_query(cx->db, stmt, "");

	printf("%-8s", what);
	while (db_next(q))
		printf("  %s %lld", db_text(q, 0), (long long)db_int(q, 1));
	putchar('\n');
}

static int64_t today(void)
{
	time_t t = time(NULL);
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm);
}

int ctl_status(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	struct q *q;

	counts(cx, "tasks", Q_CTL_TASK_COUNTS);
	counts(cx, "jobs", Q_CTL_JOB_COUNTS);
	printf("%-8s  $%.4f\n", "today",
	    (double)db_get_int(cx->db, 0, Q_CTL_SPEND, "i", today()) / 1e6);
	q = db_query(cx->db, Q_CTL_RUNS, "");
	while (db_next(q))
		printf("run       %s  %-16s %3lld turns  $%.4f  %llds  %s  %s\n", db_text(q, 0),
		    db_text(q, 2), (long long)db_int(q, 3), (double)db_int(q, 4) / 1e6,
		    (long long)(cx->now - db_int(q, 5)),
		    db_is_null(q, 6) ? "-" : db_text(q, 6), db_text(q, 1));
	return cx->err.rc ? ctl_failed(cx) : 0;
}

int ctl_jobs(struct ctx *cx, int argc, char **argv)
{
	bool all = argc > 0 && strcmp(argv[0], "all") == 0;
	struct q *q = db_query(cx->db, Q_CTL_JOBS, "bi", all, (int64_t)ROWS);
	char iso[TIME_ISO_SIZE];

	while (db_next(q))
		printf("%8lld  %-12s %-8s %-36s %-16s %3lld tries  %s  %s\n",
		    (long long)db_int(q, 0), db_text(q, 1), db_text(q, 4), db_text(q, 2),
		    db_text(q, 3), (long long)db_int(q, 5),
		    db_int(q, 6) == INT64_MAX ? "-" : time_iso_ms(iso, db_int(q, 6)),
		    db_text(q, 7));
	return cx->err.rc ? ctl_failed(cx) : 0;
}

/* The text with every line indented, and control characters as blanks. */
static void print_indented(const char *s)
{
	fputs("    text   ", stdout);
	for (; *s; s++)
		if (*s == '\n')
			fputs("\n           ", stdout);
		else
			putchar((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
	putchar('\n');
}

static int list_approvals(struct ctx *cx)
{
	struct q *q = db_query(cx->db, Q_CTL_APPROVALS, "");
	char iso[TIME_ISO_SIZE];

	while (db_next(q)) {
		const char *tool = arena_strdup(cx->arena, db_text(q, 3));
		const json_t *input = json_read_text(cx->arena, db_text(q, 4));

		printf("%s  %s  %s\n", db_text(q, 0), time_iso(iso, db_int(q, 1)), tool);
		if (db_is_null(q, 6))
			printf("    %s   %s\n", strcmp(db_text(q, 5), "-") == 0 ? "task" : "from",
			    db_text(q, 5));
		else
			printf("    task   %s (%s)\n", db_text(q, 5), db_text(q, 6));
		printf("    wants  %s\n",
		    policy_summary(cx->arena, db_text(q, 2), tool, input));
		if (text_starts(db_text(q, 2), "context_proposal") ||
		    (!input && strcmp(db_text(q, 2), "agent_message") == 0))
			print_indented(db_text(q, 7));
	}
	return cx->err.rc ? ctl_failed(cx) : 0;
}

int ctl_approvals(struct ctx *cx, int argc, char **argv)
{
	json_t *in;
	char *task, *type;
	bool allow;

	if (argc == 0)
		return list_approvals(cx);
	allow = strcmp(argv[0], "allow") == 0;
	if (argc < 2 || (!allow && strcmp(argv[0], "deny") != 0)) {
		fputs("usage: stagentctl approvals [allow ID [always] | deny ID [MESSAGE]]\n",
		    stderr);
		return 2;
	}
	type = db_get_text(cx->db, cx->arena, Q_CTL_NOTIFICATION_TYPE, "t", argv[1]);
	if (type && text_starts(type, "context_proposal")) {
		if (context_decide_notification(cx, argv[1], allow) != RC_OK)
			return ctl_failed(cx);
		puts(allow ? "approved" : "rejected");
		return 0;
	}
	in = json_keep(cx->arena, json_pack("{s:s, s:s}", "notificationId", argv[1], "behavior",
				      allow ? "allow" : "deny"));
	if (!in)
		return ctl_failed(cx);
	if (argc > 2 && allow && strcmp(argv[2], "always") == 0)
		json_object_set_new(in, "alwaysAllow", json_true());
	if (argc > 2 && !allow)
		json_object_set_new(in, "message", json_string(argv[2]));
	task = db_get_text(cx->db, cx->arena, Q_NOTIFICATION_REQUEST, "t", argv[1]);
	if (task_respond(cx, task ? task : "", in) != RC_OK)
		return ctl_failed(cx);
	puts(allow ? "allowed" : "denied");
	return 0;
}

int ctl_audit(struct ctx *cx, int argc, char **argv)
{
	struct q *q = db_query(
	    cx->db, Q_CTL_AUDIT, "ti", argc > 0 ? argv[0] : NULL, (int64_t)ROWS);
	char iso[TIME_ISO_SIZE];

	while (db_next(q))
		printf("%s  %-10s %-20s %-12s %s  %s\n", time_iso_ms(iso, db_int(q, 0)),
		    db_text(q, 1), db_text(q, 2), db_text(q, 3), db_text(q, 4), db_text(q, 5));
	return cx->err.rc ? ctl_failed(cx) : 0;
}

int ctl_config(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	for (size_t i = 0; i < CONF_OPTIONS_N; i++) {
		struct buf b;

		buf_init(&b, 8192);
		conf_show(cx->conf, &CONF_OPTIONS[i], &b);
		printf("# %s\n%s = %s\n", CONF_OPTIONS[i].help, CONF_OPTIONS[i].name, buf_text(&b));
		buf_fini(&b);
	}
	return 0;
}

int ctl_migrate(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	if (!conf_make_dirs(cx->conf) || migrate_run(cx->conf, &cx->err) != RC_OK)
		return ctl_failed(cx);
	puts("the database is up to date");
	return 0;
}
