/* Reading the services' keys; see keys_file.h. */
#include "ctl/keys_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

#define LINE_MAX_BYTES 8192
#define LINES_MAX 1000

static const char *unquoted(struct arena *a, const char *value)
{
	size_t n = strlen(value);

	if (n >= 2 && (*value == '"' || *value == '\'') && value[n - 1] == *value)
		return arena_strndup(a, value + 1, n - 2);
	return value;
}

static void take_line(struct arena *a, const char *line)
{
	const char *text = text_trim(a, line), *eq = strchr(text, '=');
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	if (eq && n && text + n + strspn(text + n, " \t") == eq)
		setenv(arena_strndup(a, text, n), unquoted(a, text_trim(a, eq + 1)), 0);
}

const char *keys_file_path(struct arena *a, const char *conf_file)
{
	const char *slash = strrchr(conf_file, '/');

	return arena_printf(a, "%.*skeys", slash ? (int)(slash - conf_file) + 1 : 0, conf_file);
}

void keys_file_load(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	if (!f)
		return;
	for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, f); i++)
		take_line(a, line);
	explicit_bzero(line, sizeof line);
	fclose(f);
}
