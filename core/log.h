/* The program's own log: one line an event on standard error,
 *   2026-01-31T12:00:00.123Z warn stagent-fcgi[4711] req=6f0c… words of the message
 * for journald, a file or a terminal to keep. Keys of providers are masked in every line. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/core.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* PROGRAM must stay valid. Lines below LEVEL are dropped. */
void log_init(const char *program, enum log_level level);
bool log_level_parse(const char *word, enum log_level *out);
/* The id that the following lines carry; NULL for none. Copied. */
void log_request(const char *id);
void log_msg(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_msg(LOG_ERROR, __VA_ARGS__)

#endif
