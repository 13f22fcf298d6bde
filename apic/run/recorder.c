/*  recorder: see recorder.h. */
#include "apic/run/recorder.h"

#include "base/clock.h"

void
run_recorder_init(run_recorder_t *self, const run_world_t *world, const run_plan_t *plan)
{
    self->world = world;
    self->plan = plan;
    self->n_waiting = 0;
    self->since = 0;
    pthread_mutex_init(&self->lock, NULL);
}

/* With the lock held. */
static int
flush(run_recorder_t *self, err_t **err)
{
    const size_t count = self->n_waiting;
    self->n_waiting = 0;
    return count ? run_edits_done(self->world, self->plan, self->waiting, count, err) : 0;
}

int
run_recorder_add(run_recorder_t *self, size_t index, err_t **err)
{
    const bool can_wait = self->plan->steps[index]->kind->order == PLAN_ORDER_PRINT;
    int rc = 0;
    pthread_mutex_lock(&self->lock);
    if (!self->n_waiting)
        self->since = clock_ns();
    self->waiting[self->n_waiting++] = index;
    if (!can_wait || self->n_waiting == RUN_RECORD_STEPS ||
        clock_ns() - self->since >= RUN_RECORD_MS * NS_PER_MS)
        rc = flush(self, err);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

int
run_recorder_done(run_recorder_t *self, err_t **err)
{
    const int rc = flush(self, err);
    pthread_mutex_destroy(&self->lock);
    return rc;
}
