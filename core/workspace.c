/* The launch folder and its git branch. */
#include "core/workspace.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"

#define FILE_MAX_BYTES 4096
#define UP_MAX 256
#define BRANCH_PREFIX "ref: refs/heads/"

/* The first line of a small file; NULL where there is none. */
static const char *first_line(struct arena *a, const char *path)
{
	char text[FILE_MAX_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	return arena_strndup(a, text, strcspn(text, "\r\n"));
}

/* The folder that DOTGIT, a worktree's .git file in DIR, points to. */
static const char *linked_git_dir(struct arena *a, const char *dir, const char *dotgit)
{
	const char *line = first_line(a, dotgit);

	if (!line || !text_starts(line, "gitdir: "))
		return NULL;
	line += strlen("gitdir: ");
	return *line == '/' ? line : arena_printf(a, "%s/%s", dir, line);
}

/* What HEAD says in the nearest repository at or above DIR. */
static const char *find_head(struct arena *a, const char *dir)
{
	for (int up = 0; up < UP_MAX; up++) {
		const char *dotgit = arena_printf(a, "%s/.git", dir), *git = dotgit, *head;
		const char *slash = strrchr(dir, '/');
		struct stat st;

		if (stat(dotgit, &st) == 0) {
			if (S_ISREG(st.st_mode))
				git = linked_git_dir(a, dir, dotgit);
			head = git ? first_line(a, arena_printf(a, "%s/HEAD", git)) : NULL;
			if (head || !S_ISDIR(st.st_mode))
				return head;
		}
		if (!slash)
			return NULL;
		dir = arena_strndup(a, dir, (size_t)(slash - dir));
	}
	return NULL;
}

/* In a repository with reftable storage HEAD names a branch that cannot exist. */
static const char *branch_of(struct arena *a, const char *cwd)
{
	const char *head = find_head(a, strcmp(cwd, "/") == 0 ? "" : cwd);

	if (!head || !text_starts(head, BRANCH_PREFIX))
		return NULL;
	head += strlen(BRANCH_PREFIX);
	return *head && strcmp(head, ".invalid") != 0 && text_is_utf8(head, strlen(head)) ? head
											  : NULL;
}

void workspace_read_at(struct arena *a, const char *cwd, struct workspace *out)
{
	const char *slash;
	struct stat st;
	size_t n = strlen(cwd);

	while (n > 1 && cwd[n - 1] == '/')
		n--;
	out->cwd = arena_strndup(a, cwd, n);
	slash = strrchr(out->cwd, '/');
	out->folder = slash ? slash + 1 : out->cwd;
	out->branch = branch_of(a, out->cwd);
	out->worktree =
	    stat(arena_printf(a, "%s/.git", out->cwd), &st) == 0 && S_ISREG(st.st_mode);
}

void workspace_read(struct arena *a, struct workspace *out)
{
	const char *launched = getenv("STAGENT_LAUNCH_CWD");
	char cwd[PATH_MAX];

	if (!launched || !*launched)
		launched = getcwd(cwd, sizeof cwd) ? cwd : "/";
	workspace_read_at(a, launched, out);
}
