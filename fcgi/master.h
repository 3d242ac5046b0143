/* The master: holds the listening FastCGI socket, starts the workers and the stream hub as
 * processes of their own (fork and exec of this program), starts anew what dies, and replaces all
 * of them, one after the other and without losing a request, on SIGHUP. It has no database
 * connection and serves nothing itself.
 *
 * Signals: SIGTERM, SIGINT end everything (5 s, then SIGKILL); SIGHUP reads the configuration and
 * the program file anew, brings the schema up to date and replaces the children. */
#ifndef FCGI_MASTER_H
#define FCGI_MASTER_H

#include "core/conf.h"

/* First argument of the children's command lines; the program's own follow. */
#define MODE_WORKER "--worker"
#define MODE_HUB "--hub"
#define MODE_MIGRATE "--migrate"

/* Where a child finds the listening socket, and the pipe on which it says that it is ready. */
#define CHILD_LISTEN_FD 3
#define CHILD_READY_FD 4

/* Runs until SIGTERM. ARGC and ARGV are those of main, for the children. Call it under listen_lock,
 * with no database connection open. Returns the exit status. */
int master_main(const struct conf *conf, int argc, char **argv);

/* In a child: tells the master that requests will be served from now on; its predecessor may go.
 * Does nothing in other processes. A child that does not call it counts as ready after a second. */
void master_child_ready(void);

#endif
