/*  lines: what a run says, as messages of the API. */
#ifndef KURTOSIS_APIC_RUN_LINES_H
#define KURTOSIS_APIC_RUN_LINES_H

#include "apic/plan/plan.h"
#include "bus/schema/api_container.pb-c.h"

typedef ApiContainerApi__StarlarkRunResponseLine run_line_t;

/* Takes the line (bus_message_destroy). Called by one thread at a time. */
typedef void run_sink_fn(void *arg, run_line_t *line);

typedef struct {
    run_sink_fn *sink;
    void *arg;
} run_lines_t;

typedef enum { RUN_INTERPRETATION, RUN_VALIDATION, RUN_EXECUTION } run_phase_t;

/* texts: NULL-terminated. id may be NULL: none. */
void run_lines_progress(const run_lines_t *self, const char *const *texts, size_t step,
                        size_t total, const char *id);
/* id NULL: none, for steps that run one after the other. */
void run_lines_instruction(const run_lines_t *self, const plan_step_t *step, const char *id);
/* The result is cut after PLAN_RESULT_MAX bytes. */
void run_lines_result(const run_lines_t *self, const str_t *result, int64_t duration_ns,
                      const char *id);
void run_lines_error(const run_lines_t *self, run_phase_t phase, const char *text);
/* output may be NULL or "": none. */
void run_lines_finished(const run_lines_t *self, bool successful, const char *output,
                        int64_t duration_ns);
void run_lines_warning(const run_lines_t *self, const char *text);
void run_lines_info(const run_lines_t *self, const char *text);
/* Asks the client for a repository. */
void run_lines_wanted(const run_lines_t *self, const char *id, const char *url,
                      const char *version);
/* A sink that appends the line, packed, to a str_t. */
void run_lines_pack(void *str, run_line_t *line);

#endif
