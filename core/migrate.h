/* The schema of the database, brought up to date in place.
 *
 * Migrations (sql/schema) run forward only, each in one transaction, under the shared write lock.
 * A database that already holds data is copied beside itself first. Tables that an earlier version
 * of Stagent wrote get the columns they lack. What was there stays there, so that Stagent 0.7.0
 * can still read the file. */
#ifndef CORE_MIGRATE_H
#define CORE_MIGRATE_H

#include "core/conf.h"
#include "core/err.h"

struct migration {
	const char *name, *sql;
};
extern const struct migration MIGRATIONS[]; /* ends with a NULL name */

#define DB_FILE "stagent.db"

/* Creates or updates <data.dir>/stagent.db. Harmless when there is nothing to do. */
enum rc migrate_run(const struct conf *c, struct err *e);

#endif
