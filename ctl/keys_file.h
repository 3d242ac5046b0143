/* The file from which systemd gives the services their keys, "keys" beside the configuration file. */
#ifndef CTL_KEYS_FILE_H
#define CTL_KEYS_FILE_H

#include "core/arena.h"

/* The one beside CONF_FILE. */
const char *keys_file_path(struct arena *a, const char *conf_file);
/* Puts its variables into the environment, where they are not set already. Lines are NAME=value, the
 * value perhaps in quotation marks; others are passed over, and so is a file that cannot be read. */
void keys_file_load(struct arena *a, const char *path);

#endif
