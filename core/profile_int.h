/* What the files that read and write profile folders share. */
#ifndef CORE_PROFILE_INT_H
#define CORE_PROFILE_INT_H

#include <dirent.h>
#include <limits.h>

#include "core/file.h"
#include "core/profile.h"
#include "core/yaml.h"

#define PROFILE_FILE_MAX YAML_SIZE_MAX
#define PROFILE_FOLDERS_MAX 2000
/* Begins the names of what is being written or removed; nobody reads that as a profile. */
#define PROFILE_ASIDE ".stagent-"

/* The folder of the user's profiles. */
void profile_user_root(char out[PATH_MAX]);
/* Filter for scandir(3). */
int profile_is_folder_name(const struct dirent *d);
/* Fills OUT from DOC, which is valid, and SKILL; they and FOLDER must live as long as A. */
void profile_fill(struct arena *a, const char *folder, const json_t *doc, const char *skill,
    struct profile *out);

#endif
