/*  progress: one line at the bottom of the terminal that says what goes on: a spinner, a bar, a
 * text.
 *
 *  Only where a person sits there (out_is_interactive); elsewhere all of these do nothing. Any
 * thread.
 */
#ifndef KURTOSIS_CLI_PROGRESS_H
#define KURTOSIS_CLI_PROGRESS_H

#include "base/str.h"

#include <stdint.h>

#define PROGRESS_CELLS 20 /* of the bar */
#define PROGRESS_TURN_MS 250

/* Shows a line until progress_end; total 0 shows an empty bar. text is copied. */
void progress_set(const char *text, uint32_t step, uint32_t total);
void progress_end(void);
/* Around other output: takes the line away and puts it back. */
void progress_hide(void);
void progress_show(void);

/* The line itself, for tests: "⣾   ████░░ text". */
void progress_line(str_t *out, unsigned turn, const char *text, uint32_t step, uint32_t total,
                   bool coloured);

#endif
