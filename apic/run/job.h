/*  job: one run on a thread of its own. */
#ifndef KURTOSIS_APIC_RUN_JOB_H
#define KURTOSIS_APIC_RUN_JOB_H

#include "apic/run/feed.h"

/* Calls work(arg, lines) on a thread; lines go into the feed, which it holds, and which ends when
 * work returns. */
int run_job_start(void (*work)(void *arg, const run_lines_t *lines), void *arg, run_feed_t *feed,
                  err_t **err);

#endif
