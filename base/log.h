/*  log: one line a decision, to stderr.
 *
 *      2026-01-31T10:20:30.123Z info engine enclave.created name=blue-lake uuid=3f...
 *
 *  A line is: time, level, actor, event, then key=value pairs (a value with blanks is quoted). Events have
 *  fixed names, so people and tests can search for them. Libraries return errors and stay silent; the one
 *  who decides logs, once. Any thread; a line is written with one write(2).
 */
#ifndef KURTOSIS_BASE_LOG_H
#define KURTOSIS_BASE_LOG_H

#include "base/err.h"

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level_t;

/* Names this process's actor in its lines and sets the lowest level written. Call once, before threads.
 * actor is copied. */
void log_init(const char *actor, log_level_t lowest);
/* "debug", "info", "warn(ing)", "error", "trace" (= debug), "fatal"/"panic" (= error). -1 for others. */
int log_level_parse(const char *name, log_level_t *ret_level);

/* event: a fixed dotted name. format: "key=%s other=%d", may be "". */
#define log_debug(event, ...) log_write(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_write(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_write(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_write(LOG_ERROR, event, __VA_ARGS__)
void log_write(log_level_t level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with error="the whole chain" at the end; err stays the caller's. */
void log_err(log_level_t level, const char *event, const err_t *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
