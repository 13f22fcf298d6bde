/*  shown: a run on the user's terminal, as its lines come in: run, and enclave attach. */
#ifndef KURTOSIS_CLI_SHOWN_H
#define KURTOSIS_CLI_SHOWN_H

#include "cli/render.h"
#include "sdk/sdk.h"

#define SHOWN_SIDE_BY_SIDE 64 /* instructions at the same time whose results are told apart */

/* An instruction that runs beside others. */
typedef struct {
    char *id;
    char *text; /* as it was shown */
} shown_instruction_t;

typedef struct {
    render_options_t options;
    str_t text; /* what is to be written at the next pause */
    shown_instruction_t running[SHOWN_SIDE_BY_SIDE];
    char *last; /* id of the instruction that was shown last; NULL for none */
    bool has_begun; /* a line came */
    bool has_finished, is_successful;
    bool has_failed; /* an error came */
} shown_t;

/* Start from (shown_t){.options = ..., .text = STR_EMPTY}. */
void shown_done(shown_t *self);
#define AUTO_SHOWN __attribute__((cleanup(shown_done))) shown_t

/* For starlark_run_config_t, with a shown_t as its argument: takes a line; writes what came. */
int shown_line(void *self, const ApiContainerApi__StarlarkRunResponseLine *line, err_t **err);
void shown_pause(void *self);

/* From now on Ctrl-C says that the run goes on, and how to see it; exit code 1. */
void shown_interrupts(const char *enclave);
/* Wraps the error of a run that was cut off with what can be done; that of one which did not begin
 * is left as it is. Returns -1. */
int shown_cut_off(const shown_t *self, const char *enclave, err_t **err);

#endif
