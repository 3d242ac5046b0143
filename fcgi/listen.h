/* The listening FastCGI socket, and the lock that keeps a second master away. */
#ifndef FCGI_LISTEN_H
#define FCGI_LISTEN_H

#include "core/conf.h"

/* Takes the lock <run.dir>/fcgi.lock for the life of the process; says so and returns false where
 * another master keeps it for longer than a moment. */
bool listen_lock(const struct conf *conf);

/* The non-blocking socket that connections are accepted from: the one systemd passes (LISTEN_FDS),
 * else one bound to http.socket, mode 0660, of the group http.socket_group. A socket file that is
 * left over is replaced at once, without a moment in which there is none. -1 after a message. Call
 * it under the lock. */
int listen_open(const struct conf *conf);

/* Removes the socket file if it is still ours. */
void listen_unlink(void);

#endif
