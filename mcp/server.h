/* The tools for one client that speaks the Model Context Protocol over this process's standard
 * input and output: another program's agent.
 *
 * A call is carried out and audited in one transaction, under the name that the client gave itself
 * (actor mcp:NAME). A tool that can do harm asks the operator first, by a permission request that
 * belongs to no task; while it waits the client is served as before. However the wait ends, also by
 * the end of this process, the request is closed. */
#ifndef MCP_SERVER_H
#define MCP_SERVER_H

#include "core/ctx.h"

/* Serves the client until its input ends, it reads no more, or SIGNAL_FD is readable. CX has an
 * open database and an arena, which the server resets as it likes. Returns the exit status. */
int server_run(struct ctx *cx, int signal_fd);

#endif
