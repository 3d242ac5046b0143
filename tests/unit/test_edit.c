/* Changes of a configuration file's text: the one line, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ctl/edit.h"

static const struct {
	const char *what, *text, *value, *want;
	size_t found;
} CASES[] = {
	{ "an empty file", "", "4", "runs.max = 4\n", 0 },
	{ "at the end", "a = 1\n", "4", "a = 1\nruns.max = 4\n", 0 },
	{ "at the end of a line without an end", "a = 1", "4", "a = 1\nruns.max = 4\n", 0 },
	{ "at the end, CRLF", "a = 1\r\n", "4", "a = 1\r\nruns.max = 4\r\n", 0 },
	{ "at the end, CRLF but for the last line", "a = 1\r\nb", "4",
	    "a = 1\r\nb\r\nruns.max = 4\r\n", 0 },
	{ "below the comment", "# Runs\n#runs.max = 16\n\n#b =\n", "4",
	    "# Runs\n#runs.max = 16\nruns.max = 4\n\n#b =\n", 0 },
	{ "below a comment without an end", "x = 1\n#runs.max=16", "4",
	    "x = 1\n#runs.max=16\nruns.max = 4\n", 0 },
	{ "below a comment, CRLF", "#runs.max = 16\r\nb = 1\r\n", "4",
	    "#runs.max = 16\r\nruns.max = 4\r\nb = 1\r\n", 0 },
	{ "below the last of two comments", "#runs.max = 1\n#b\n  #runs.max = 2\nc = 1\n", "4",
	    "#runs.max = 1\n#b\n  #runs.max = 2\nruns.max = 4\nc = 1\n", 0 },
	{ "prose is no such comment", "# runs.max = 3 would do\n#runs.max\nb = 1\n", "4",
	    "# runs.max = 3 would do\n#runs.max\nb = 1\nruns.max = 4\n", 0 },
	{ "replaced", "a = 1\nruns.max = 2\nb = 3\n", "4", "a = 1\nruns.max = 4\nb = 3\n", 1 },
	{ "replaced where it stands, not at its comment", "runs.max = 2\n#runs.max = 16\n", "4",
	    "runs.max = 4\n#runs.max = 16\n", 1 },
	{ "replaced in every notation", " \truns.max\t=2 # no comment\n", "4", "runs.max = 4\n", 1 },
	{ "replaced, CRLF", "runs.max = 2\r\nb = 1\n", "4", "runs.max = 4\r\nb = 1\n", 1 },
	{ "replaced, no end", "runs.max = 2", "4", "runs.max = 4", 1 },
	{ "the last one counts", "runs.max = 1\na = 1\nruns.max=2\nruns.max = 3\nb = 1\n", "4",
	    "a = 1\nruns.max = 4\nb = 1\n", 3 },
	{ "names that begin or end alike", "runs.max_per_runtime = 1\nxruns.max = 2\nruns.ma = 3\n"
	    "a.runs.max = 1\nruns.max x = 1\n", "4",
	    "runs.max_per_runtime = 1\nxruns.max = 2\nruns.ma = 3\na.runs.max = 1\n"
	    "runs.max x = 1\nruns.max = 4\n", 0 },
	{ "a value that names it", "a = runs.max = 1\n", "4", "a = runs.max = 1\nruns.max = 4\n", 0 },
	{ "strange bytes stay", "\xff\x01 \n\n\n \t\n=\n#\n", "4",
	    "\xff\x01 \n\n\n \t\n=\n#\nruns.max = 4\n", 0 },
	{ "blanks, # and quotes", "", "a \"b\" # 'c' = d", "runs.max = a \"b\" # 'c' = d\n", 0 },
	{ "an empty value", "runs.max = 2\n", "", "runs.max =\n", 1 },
	{ "unset", "a = 1\nruns.max = 2\nb = 3\n", NULL, "a = 1\nb = 3\n", 1 },
	{ "unset, all of them", "runs.max=1\n#runs.max = 5\nruns.max = 2", NULL,
	    "#runs.max = 5\n", 2 },
	{ "unset, not there", "a = 1\n#runs.max = 2", NULL, "a = 1\n#runs.max = 2", 0 },
	{ "unset, empty", "", NULL, "", 0 },
	{ "the same again", "a = 1\nruns.max = 4\n", "4", "a = 1\nruns.max = 4\n", 1 },
};

static void every_case(void **state UNUSED)
{
	struct buf out;

	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT(CASES); i++) {
		size_t found;

		buf_clear(&out);
		found = edit_option(&out, CASES[i].text, strlen(CASES[i].text), "runs.max",
		    CASES[i].value);
		if (strcmp(buf_text(&out), CASES[i].want) != 0 || found != CASES[i].found)
			fail_msg("%s: %zu found, \"%s\"", CASES[i].what, found, buf_text(&out));
	}
	buf_fini(&out);
}

/* Only the N bytes are read: a buffer of exactly that size, for the memory checker to watch. */
static void every_prefix(void **state UNUSED)
{
	static const char TEXT[] = "#runs.max = 16\r\n  runs.max \t= 3\r\nb = 1\n";
	struct buf out;

	buf_init(&out, 4096);
	for (size_t n = 0; n < sizeof TEXT; n++) {
		char *exact = malloc(n ? n : 1);

		assert_non_null(exact);
		memcpy(exact, TEXT, n);
		buf_clear(&out);
		edit_option(&out, exact, n, "runs.max", "4");
		assert_non_null(strstr(buf_text(&out), "runs.max = 4"));
		free(exact);
	}
	buf_fini(&out);
}

/* An output that is full says so. */
static void a_full_buffer(void **state UNUSED)
{
	struct buf out;

	buf_init(&out, 8);
	edit_option(&out, "a = 1\n", 6, "runs.max", "4");
	assert_true(out.failed);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(a_full_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
