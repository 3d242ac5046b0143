/* Permissions: request bodies. The allow list is a setting, not a table. */
#include "core/model/models.h"

static const struct field PATTERN[] = {
	{ "pattern", F_STRING, F_REQUIRED | F_MIN, .min = 1,
	    .doc = "For example Read, Bash(command:git *) or mcp__server__*" },
};
const struct shape SHAPE_PERMISSION = { "PermissionPattern", PATTERN, COUNT(PATTERN),
	.plain = "pattern (string) is required" };

static const struct field PRESET[] = {
	{ "presetId", F_STRING, F_REQUIRED | F_MIN, .min = 1,
	    .doc = "read-only, git-safe or full-auto" },
};
const struct shape SHAPE_PRESET = { "PermissionPreset", PRESET, COUNT(PRESET),
	.plain = "presetId (string) is required" };
