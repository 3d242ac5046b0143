/* A worker: one process, one thread, one database connection, one request at a time. */
#ifndef FCGI_WORKER_H
#define FCGI_WORKER_H

#include "core/conf.h"

/* Serves requests from the non-blocking listening socket until SIGTERM, or until pool.requests
 * were served. Returns the exit status. */
int worker_main(const struct conf *conf, int listen_fd);

#endif
