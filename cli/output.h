/*  output: what the user sees. Results go to stdout, all else to stderr; colours only where it is a
 * terminal. */
#ifndef KURTOSIS_CLI_OUTPUT_H
#define KURTOSIS_CLI_OUTPUT_H

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <stdint.h>

typedef enum {
    OUT_PLAIN,
    OUT_BOLD,
    OUT_RED,
    OUT_GREEN,
    OUT_YELLOW,
    OUT_BLUE,
    OUT_MAGENTA,
    OUT_CYAN,
    OUT_WHITE,
    OUT_BRIGHT_RED,
    OUT_BRIGHT_BLUE,
    OUT_BRIGHT_WHITE,
    OUT_STYLES
} out_style_t;

/* Looks at the terminal and the environment; level is the lowest one logged. First of all. */
void out_init(log_level_t level);
/* Is a person sitting there: stdout is a terminal and CI is not "true"? */
bool out_is_interactive(void);

/* Appends text in a style when coloured; else the text alone. */
void out_style(str_t *out, out_style_t style, bool coloured, const char *text);
bool out_coloured(void); /* is stdout coloured? */

/* Writes to stdout. A progress line on the terminal makes room (progress.h). Any thread. */
void out_text(const char *text);
void out_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void out_bytes(const void *bytes, size_t size);
/* -1 when something that was written to stdout did not get there, e.g. because a disk is full. The
 * program ends by itself, with exit code 1, when stdout is a pipe that nobody reads any more. */
int out_check(err_t **err);
/* Writes to stderr. */
void out_error_line(out_style_t style, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "INFO[2024-01-25T13:56:29-05:00] text" to stderr. */
void out_log(log_level_t level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define out_debug(...) out_log(LOG_DEBUG, __VA_ARGS__)
#define out_info(...) out_log(LOG_INFO, __VA_ARGS__)
#define out_warn(...) out_log(LOG_WARN, __VA_ARGS__)
#define out_error(...) out_log(LOG_ERROR, __VA_ARGS__)
/* The message between lines of '=', as log lines. */
void out_spotlight(const char *message);

/* An error chain as people read it: one line a link, all but the first indented by two blanks,
 * position lines gone. Yours, free(). */
char *out_clean_error(const char *text);
char *out_error_text(const err_t *err);
/* "Error:  <message>" in red on stderr. */
void out_report(const err_t *err);

/* --------------------------------------------------------------------------------------- tables */

/* Rows of cells; each column as wide as its longest cell and three blanks, the last one not padded.
 */
typedef struct {
    size_t columns, cells;
    char **texts;
    out_style_t *styles;
    bool has_header; /* first row in bold */
} out_table_t;
void out_table_init(out_table_t *self, size_t columns);
void out_table_done(out_table_t *self);
void out_table_add(out_table_t *self, out_style_t style, const char *text); /* the next cell */
void out_table_header(out_table_t *self, const char *const *names);         /* columns of them */
void out_table_write(const out_table_t *self, bool coloured, str_t *out);

/* -------------------------------------------------------------------------------------- numbers */

/* RFC 1123 in local time: "Mon, 02 Jan 2006 15:04:05 MST". */
void out_time(str_t *out, int64_t seconds);
/* "  12", "1.5K", "3.0M". */
void out_size(str_t *out, uint64_t bytes);

#endif
