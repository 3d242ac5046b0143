/* Commands that show: status, jobs, approvals, audit. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/domain/context.h"
#include "core/domain/task.h"
#include "core/json_in.h"
#include "core/migrate.h"
#include "core/policy.h"
#include "core/text.h"
#include "ctl/ctl.h"

#define ROWS 50

/* A copy for the terminal: what models, files and clients wrote must not move its cursor. Control
 * characters, those of C1 too, are blanks. */
static const char *plain(struct ctx *cx, const char *s)
{
	char *copy = arena_strdup(cx->arena, s ? s : "");

	for (unsigned char *p = (unsigned char *)copy; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = ' ';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			*p = p[1] = ' ';
	return copy;
}

/* The end of a list, of N rows. That there are none is no part of the output. */
static int listed(struct ctx *cx, size_t n, const char *none)
{
	if (cx->err.rc)
		return ctl_failed(cx);
	if (!n)
		fprintf(stderr, "%s\n", none);
	return 0;
}

static void counts(struct ctx *cx, const char *what, enum stmt stmt)
{
	struct q *q = db_query(cx->db, stmt, "");
	size_t n = 0;

	printf("%-8s", what);
	for (; db_next(q); n++)
		printf("  %s %lld", db_text(q, 0), (long long)db_int(q, 1));
	puts(n ? "" : "  none");
}

enum ctl_runner ctl_runner(struct ctx *cx)
{
	int fd = open(conf_path(cx->conf->data_dir, "runner.lock"), O_RDONLY | O_CLOEXEC);
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	if (fd < 0)
		return errno == ENOENT ? RUNNER_DOWN : RUNNER_UNKNOWN;
	close(fd);
	return held ? RUNNER_WORKS : RUNNER_DOWN;
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
	static const char *const RUNNER[] = {
		[RUNNER_WORKS] = "at work",
		[RUNNER_DOWN] =
		    "down: nothing runs until it is started (systemctl start stagent-jobrunner)",
		[RUNNER_UNKNOWN] = "unknown: its lock cannot be read",
	};
	struct q *q;

	printf("%-8s  %s\n", "runner", RUNNER[ctl_runner(cx)]);
	counts(cx, "tasks", Q_CTL_TASK_COUNTS);
	counts(cx, "jobs", Q_CTL_JOB_COUNTS);
	printf("%-8s  $%.4f\n", "today",
	    (double)db_get_int(cx->db, 0, Q_CTL_SPEND, "i", today()) / 1e6);
	q = db_query(cx->db, Q_CTL_RUNS, "");
	while (db_next(q))
		printf("run       %s  %-16s %3lld turns  $%.4f  %llds  %s  %s\n", db_text(q, 0),
		    db_text(q, 2), (long long)db_int(q, 3), (double)db_int(q, 4) / 1e6,
		    (long long)(cx->now - db_int(q, 5)),
		    db_is_null(q, 6) ? "-" : db_text(q, 6), plain(cx, db_text(q, 1)));
	return cx->err.rc ? ctl_failed(cx) : 0;
}

int ctl_jobs(struct ctx *cx, int argc, char **argv)
{
	bool all = argc == 1 && strcmp(argv[0], "all") == 0;
	char iso[TIME_ISO_SIZE];
	struct q *q;
	size_t n = 0;

	if (argc && !all)
		return ctl_usage("jobs");
	q = db_query(cx->db, Q_CTL_JOBS, "bi", all, (int64_t)ROWS);
	for (; db_next(q); n++)
		printf("%8lld  %-12s %-8s %-36s %-16s %3lld tries  %s  %s\n",
		    (long long)db_int(q, 0), db_text(q, 1), db_text(q, 4), db_text(q, 2),
		    db_text(q, 3), (long long)db_int(q, 5),
		    db_int(q, 6) == INT64_MAX ? "-" : time_iso_ms(iso, db_int(q, 6)),
		    plain(cx, db_text(q, 7)));
	return listed(cx, n, all ? "no jobs" : "no jobs that wait, are at work or have failed");
}

/* The text with every line indented. */
static void print_indented(struct ctx *cx, const char *s)
{
	fputs("    text   ", stdout);
	for (size_t n; (n = strcspn(s, "\n")), s[n]; s += n + 1)
		printf("%s\n           ", plain(cx, arena_strndup(cx->arena, s, n)));
	puts(plain(cx, s));
}

static int list_approvals(struct ctx *cx)
{
	struct q *q = db_query(cx->db, Q_CTL_APPROVALS, "");
	char iso[TIME_ISO_SIZE];
	size_t n = 0;

	for (; db_next(q); n++) {
		const char *tool = arena_strdup(cx->arena, db_text(q, 3));
		const json_t *input = json_read_text(cx->arena, db_text(q, 4));

		printf("%s  %s  %s\n", db_text(q, 0), time_iso(iso, db_int(q, 1)),
		    plain(cx, tool));
		if (db_is_null(q, 6))
			printf("    %s   %s\n", strcmp(db_text(q, 5), "-") == 0 ? "task" : "from",
			    plain(cx, db_text(q, 5)));
		else
			printf("    task   %s (%s)\n", plain(cx, db_text(q, 5)), db_text(q, 6));
		printf("    wants  %s\n",
		    plain(cx, policy_summary(cx->arena, db_text(q, 2), tool, input)));
		if (text_starts(db_text(q, 2), "context_proposal") ||
		    (!input && strcmp(db_text(q, 2), "agent_message") == 0))
			print_indented(cx, db_text(q, 7));
	}
	return listed(cx, n, "nothing waits for an answer");
}

/* Whether a notification of TYPE asks for something. */
static bool is_request(const char *type)
{
	return strcmp(type, "permission_required") == 0 || strcmp(type, "agent_message") == 0 ||
	       text_starts(type, "context_proposal");
}

int ctl_approvals(struct ctx *cx, int argc, char **argv)
{
	json_t *in;
	char *task, *type;
	bool allow, always;

	if (argc == 0)
		return list_approvals(cx);
	allow = strcmp(argv[0], "allow") == 0;
	always = allow && argc == 3 && strcmp(argv[2], "always") == 0;
	if (argc < 2 || argc > 3 || (!allow && strcmp(argv[0], "deny") != 0) ||
	    (allow && argc == 3 && !always))
		return ctl_usage("approvals");
	type = db_get_text(cx->db, cx->arena, Q_CTL_NOTIFICATION_TYPE, "t", argv[1]);
	if (type && !is_request(type)) {
		ctx_fail(cx, RC_INVALID, "%s asks for nothing: it is of the type %s", argv[1], type);
		return ctl_failed(cx);
	}
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
	if (always)
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
	char iso[TIME_ISO_SIZE];
	struct q *q;
	size_t n = 0;

	if (argc > 1)
		return ctl_usage("audit");
	q = db_query(cx->db, Q_CTL_AUDIT, "ti", argc > 0 ? argv[0] : NULL, (int64_t)ROWS);
	for (; db_next(q); n++)
		printf("%s  %-10s %-20s %-12s %s  %s\n", time_iso_ms(iso, db_int(q, 0)),
		    plain(cx, db_text(q, 1)), db_text(q, 2), db_text(q, 3),
		    plain(cx, db_text(q, 4)), plain(cx, db_text(q, 5)));
	return listed(cx, n, argc ? "no entries about that" : "no entries");
}

int ctl_migrate(struct ctx *cx, int argc UNUSED, char **argv UNUSED)
{
	if (!conf_make_dirs(cx->conf))
		return 1; /* it has said why */
	if (migrate_run(cx->conf, &cx->err) != RC_OK)
		return ctl_failed(cx);
	puts("the database is up to date");
	return 0;
}
