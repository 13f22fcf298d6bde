/*  job: one run on a thread of its own, and the lines it has said that its client has not read yet.
 */
#ifndef KURTOSIS_APIC_RUN_JOB_H
#define KURTOSIS_APIC_RUN_JOB_H

#include "apic/run/lines.h"

typedef struct run_job run_job_t;

/* Starts work(arg, lines) on a thread. *ret_job holds one
 * reference, for the reader. */
int run_job_new(void (*work)(void *arg, const run_lines_t *lines), void *arg, run_job_t **ret_job,
                err_t **err);
/* The next line (yours). Waits; NULL when there is none left and the run has ended, or cancel_fd is
 * readable. */
run_line_t *run_job_next(run_job_t *self, int cancel_fd);
/* The reader goes; lines to come are thrown away, and the run goes on. Clears *self_p. */
void run_job_leave(run_job_t **self_p);

#endif
