/*  render: the lines of a Starlark run as the user reads them. */
#ifndef KURTOSIS_CLI_RENDER_H
#define KURTOSIS_CLI_RENDER_H

#include "bus/schema/api_container.pb-c.h"
#include "cli/output.h"

typedef enum {
    RENDER_DESCRIPTION,
    RENDER_BRIEF,
    RENDER_DETAILED,
    RENDER_EXECUTABLE,
    RENDER_OUTPUT_ONLY,
} render_verbosity_t;

/* By its word, whatever its case; RENDER_DESCRIPTION for others. */
render_verbosity_t render_verbosity(const char *word);

typedef struct {
    render_verbosity_t verbosity;
    bool is_dry_run;
} render_options_t;

/* Appends what the line looks like, newlines included; nothing for progress. Instructions that run side by side have an id;
 * of those, print is not announced. */
void render_line(const render_options_t *options,
                 const ApiContainerApi__StarlarkRunResponseLine *line, bool coloured, str_t *out);

/* Appends a canonical instruction, which is one line, laid out over several. */
void render_starlark(str_t *out, const char *text);

#endif
