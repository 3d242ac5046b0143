/* The fixed catalogue of runtimes: ids, labels, providers, and what each can do. */
#ifndef CORE_CATALOG_H
#define CORE_CATALOG_H

#include "core/core.h"

enum runtime_can {
	CAN_RESUME = 1,
	CAN_CANCEL = 2,
	CAN_APPROVALS = 4,
	CAN_MCP_SERVERS = 8,
	CAN_PROFILE_TESTS = 16,
	CAN_TASK_ASSIST = 32,
	CAN_PROFILE_ASSIST = 64,
	CAN_HEALTH_CHECK = 128,
};

struct runtime_info {
	const char *id, *label, *provider;
	unsigned can;
};

#define RUNTIMES_N 5
/* In the order of every list of runtimes. */
extern const struct runtime_info RUNTIME_CATALOG[RUNTIMES_N];

/* The runtime of an id; NULL for an unknown one. */
const struct runtime_info *catalog_find(const char *id);
/* The same, with the default runtime for NULL, empty and unknown ids. */
const struct runtime_info *catalog_resolve(const char *id);

#endif
