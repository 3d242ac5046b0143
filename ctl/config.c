/* stagentctl config: the options with their values, and changes of the configuration file. What is
 * written is checked against the table of options before, so that the programs take it. */
#include <stdio.h>

#include "core/text.h"
#include "ctl/conf_file.h"
#include "ctl/ctl.h"
#include "ctl/edit.h"

#define GROUP "stagent" /* that the programs run with, see conf/stagent.sysusers */
#define HEADER \
	"# Stagent's configuration, see stagent.conf(5); \"stagentctl config\" lists all options.\n\n"
#define KEYS_FILE SYSCONFDIR "/stagent/keys"
#define NAME_MAX_BYTES 64
#define NEAR_MAX 3

struct edit {
	const char *name, *value;         /* VALUE is NULL for unset */
	const struct conf_option *option; /* NULL: no such one, which can be unset only */
	const char *path;                 /* the real file */
	bool changed, created;
};

/* What it takes for a change of the file to count, by who reads the option. */
static const struct {
	unsigned reader;
	const char *how;
} EFFECTS[] = {
	{ READ_MASTER, "restart stagent-fcgi (systemctl restart stagent-fcgi)" },
	{ READ_POOL, "reload stagent-fcgi (systemctl reload stagent-fcgi, or SIGHUP)" },
	{ READ_RUNNER, "restart stagent-jobrunner (systemctl restart stagent-jobrunner)" },
	{ READ_RUNS, "runs that begin from now on read it by themselves" },
	{ READ_CLIENTS, "MCP clients start stagent-mcp anew" },
};

static void print_effects(const struct conf_option *o)
{
	const char *first = "effect";

	for (size_t i = 0; i < COUNT(EFFECTS); i++)
		if (o->readers & EFFECTS[i].reader) {
			printf("    %-8s %s\n", first, EFFECTS[i].how);
			first = "";
		}
}

static void print_value(const struct conf *c, const struct conf_option *o)
{
	struct buf b;

	buf_init(&b, 2 * CONF_LINE_MAX);
	conf_show(c, o, &b);
	printf("%s = %s\n", o->name, buf_text(&b));
	buf_fini(&b);
}

static void print_source(const struct conf *c, const struct conf_option *o)
{
	switch (c->from[o - CONF_OPTIONS]) {
	case CONF_DEFAULT:
		puts("    from     the default");
		break;
	case CONF_FILE:
		printf("    from     the file %s\n", c->file);
		break;
	case CONF_ENVIRONMENT:
		printf("    from     the environment, %s\n", o->env);
		break;
	case CONF_COMMAND_LINE:
		puts("    from     the command line, -o");
		break;
	}
}

static int show_one(const struct conf *c, const struct conf_option *o)
{
	print_value(c, o);
	printf("    %s\n", o->help);
	if (*o->otherwise)
		printf("    default  %s\n", o->otherwise);
	print_source(c, o);
	if (o->type == OPT_INT)
		printf("    bounds   %lld to %lld\n", (long long)o->min, (long long)o->max);
	if (o->type == OPT_WORD)
		printf("    words    %s\n", o->words);
	if (o->secret)
		printf("    set it   as a line %s=... of %s, and restart the services\n", o->env,
		    KEYS_FILE);
	else
		print_effects(o);
	return 0;
}

/* Changes of single bytes that make one name of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_BYTES + 1], n = strlen(b);

	if (n > NAME_MAX_BYTES || strlen(a) > NAME_MAX_BYTES)
		return NAME_MAX_BYTES;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static int unknown(const char *name)
{
	const struct conf_option *near[NEAR_MAX];
	size_t n = 0, len = strlen(name);

	for (size_t d = 0; d <= 1 + len / 4 && d < NAME_MAX_BYTES; d++)
		for (size_t i = 0; i < CONF_OPTIONS_N && n < NEAR_MAX; i++) {
			const char *known = CONF_OPTIONS[i].name;
			bool part = len >= 3 && strstr(known, name);

			if (part ? d == 0 : distance(name, known) == d)
				near[n++] = &CONF_OPTIONS[i];
		}
	fprintf(stderr, "stagentctl: unknown option %s; %s", name,
	    n ? "did you mean" : "\"stagentctl config\" lists them");
	for (size_t i = 0; i < n; i++)
		fprintf(stderr, "%s %s", !i ? "" : i + 1 < n ? "," : " or", near[i]->name);
	fputs(n ? "?\n" : "\n", stderr);
	return 2;
}

int ctl_config(struct ctx *cx, int argc, char **argv)
{
	const struct conf_option *o;

	if (argc > 1)
		return ctl_usage("config");
	if (argc == 1) {
		o = conf_find(argv[0]);
		return o ? show_one(cx->conf, o) : unknown(argv[0]);
	}
	for (size_t i = 0; i < CONF_OPTIONS_N; i++) {
		printf("# %s\n", CONF_OPTIONS[i].help);
		print_value(cx->conf, &CONF_OPTIONS[i]);
	}
	return 0;
}

/* Changes. */

bool ctl_config_edits(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[0], "config") == 0 &&
	    (strcmp(argv[1], "set") == 0 || strcmp(argv[1], "unset") == 0);
}

/* Why a line of the file cannot hold the value; NULL where it can. */
static const char *unwritable(const struct edit *e)
{
	const char *s = e->value, *blank = " \t";
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (((unsigned char)s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f)
			return "a value is one line without control characters";
	if (n && (strchr(blank, s[0]) || strchr(blank, s[n - 1])))
		return "the file keeps no blanks at the ends of a value";
	if (strlen(e->name) + n + sizeof " = \r\n" > CONF_LINE_MAX)
		return "the value is too long for a line of the file";
	if (!n && *e->option->otherwise)
		return "it cannot be empty; \"stagentctl config unset\" brings the default back";
	return NULL;
}

static int refuse(const char *name, const char *why)
{
	fprintf(stderr, "stagentctl: %s: %s\n", name, why);
	return 2;
}

/* Whether the option may be set so; else says why, and returns the exit status. */
static int check(const struct edit *e)
{
	const struct conf_option *o = e->option;
	const char *why;
	char words[512];

	if (!o)
		return e->value ? unknown(e->name) : 0;
	if (!e->value)
		return 0;
	if (o->secret) {
		fprintf(stderr,
		    "stagentctl: %s is a secret, and everybody on this machine can see a command "
		    "line: put it into %s as a line %s=..., or into the environment\n",
		    o->name, KEYS_FILE, o->env);
		return 2;
	}
	why = unwritable(e);
	if (why)
		return refuse(o->name, why);
	if (!conf_fits(o, e->value, words, sizeof words)) {
		fprintf(stderr, "stagentctl: %s\n", words);
		return 2;
	}
	return 0;
}

static enum rc change(struct ctx *cx, struct edit *e, const char *path)
{
	struct conf_file f;
	struct buf text;
	size_t found;

	buf_init(&text, 2 * CONF_FILE_MAX);
	if (conf_file_open(&f, path, &cx->err) != RC_OK)
		goto out;
	e->created = f.fd < 0;
	if (e->created && e->value)
		buf_str(&f.text, HEADER);
	found = edit_option(&text, buf_text(&f.text), f.text.len, e->name, e->value);
	e->changed = e->value ? e->created || text.len != f.text.len ||
		memcmp(text.data, f.text.data, text.len) != 0 : found > 0;
	e->path = arena_strdup(cx->arena, f.path);
	if (e->changed)
		conf_file_replace(&f, &text, GROUP, &cx->err);
out:
	conf_file_close(&f);
	buf_fini(&text);
	return cx->err.rc;
}

/* A value in force that is not the file's. */
static void warn_stronger(const struct conf *c, const struct conf_option *o)
{
	enum conf_source from = c->from[o - CONF_OPTIONS];

	if (from == CONF_ENVIRONMENT)
		printf("    but      %s is set in this environment, and stronger than the file\n",
		    o->env);
	if (from == CONF_COMMAND_LINE)
		puts("    but      -o on this command line is stronger than the file");
}

static void report(const struct edit *e)
{
	if (!e->changed)
		printf("%s: %s is %s\n", e->path, e->name,
		    e->value ? "so already" : "not set there");
	else if (e->value)
		printf("%s%s: %s = %s\n", e->path, e->created ? " (new)" : "", e->name, e->value);
	else
		printf("%s: %s is no longer set\n", e->path, e->name);
}

/* The row that names the change, where there is a database. */
static void note(struct ctx *cx, const struct edit *e)
{
	const char *detail = NULL;

	switch (ctl_open(cx)) {
	case RC_OK:
		break;
	case RC_NOTFOUND:
		return;
	default:
		goto failed;
	}
	if (e->value)
		detail = text_mask_keys(cx->arena,
		    text_as_utf8(cx->arena, e->value, strlen(e->value)));
	if (tx_begin(cx) == RC_OK) {
		audit(cx, e->value ? "config.set" : "config.unset", "option", e->name, detail);
		tx_end(cx, RC_OK);
	}
	db_close(cx->db);
	if (!cx->err.rc)
		return;
failed:
	fprintf(stderr, "stagentctl: done, but the audit has no row of it: %s\n",
	    cx->err.cause[0] ? cx->err.cause : cx->err.msg);
}

int ctl_config_edit(struct ctx *cx, struct conf *conf, const char *file, int argc, char **argv,
    int next)
{
	bool set = strcmp(argv[next + 1], "set") == 0;
	struct edit e = { 0 };
	int status;

	if (argc - next != (set ? 4 : 3))
		return ctl_usage("config");
	e.name = argv[next + 2];
	e.value = set ? argv[next + 3] : NULL;
	e.option = conf_find(e.name);
	status = check(&e);
	if (status)
		return status;
	if (change(cx, &e, file ? file : CONF_FILE_DEFAULT) != RC_OK)
		return ctl_failed(cx);
	if (!e.changed && !e.option)
		return unknown(e.name);
	report(&e);
	if (!conf_load(conf, argc, argv, &next)) {
		fputs("stagentctl: that is still wrong, and no program starts with it\n", stderr);
		return 2;
	}
	if (e.option && e.changed)
		print_effects(e.option);
	if (e.option)
		warn_stronger(conf, e.option);
	if (e.changed)
		note(cx, &e);
	return 0;
}
