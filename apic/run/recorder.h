/*  recorder: records the steps of a run as they are done. */
#ifndef KURTOSIS_APIC_RUN_RECORDER_H
#define KURTOSIS_APIC_RUN_RECORDER_H

#include "apic/run/edits.h"

#include <pthread.h>

#define RUN_RECORD_STEPS 256u /* steps that are recorded at once */
#define RUN_RECORD_MS 100     /* a step that changes nothing waits so long for others */

/* Embedded. Steps that change nothing (prints) are recorded in one go with those that follow; every
 * other step is recorded, with all before it, when run_recorder_add returns. So a process that is
 * killed forgets at most that it has printed something. Any thread. */
typedef struct {
    const run_world_t *world;
    const run_plan_t *plan;
    pthread_mutex_t lock; /* of what follows */
    size_t waiting[RUN_RECORD_STEPS];
    size_t n_waiting;
    int64_t since; /* when the first of them was done */
} run_recorder_t;

void run_recorder_init(run_recorder_t *self, const run_world_t *world, const run_plan_t *plan);
/* Step index of the plan has been done. */
int run_recorder_add(run_recorder_t *self, size_t index, err_t **err);
/* Records what waits. The recorder is gone after. */
int run_recorder_done(run_recorder_t *self, err_t **err);

#endif
