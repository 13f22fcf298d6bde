/*  job: a run's thread. */
#include "apic/run/job.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    void (*work)(void *arg, const run_lines_t *lines);
    void *arg;
    run_feed_t *feed;
} job_t;

static void *
thread(void *arg)
{
    job_t *self = arg;
    const run_lines_t lines = {run_feed_add, self->feed};
    self->work(self->arg, &lines);
    run_feed_end(self->feed);
    run_feed_drop(&self->feed);
    free(self);
    return NULL;
}

int
run_job_start(void (*work)(void *arg, const run_lines_t *lines), void *arg, run_feed_t *feed,
              err_t **err)
{
    job_t *self = malloc(sizeof(*self));
    pthread_t id;
    pthread_attr_t attributes;
    if (!self)
        abort();
    *self = (job_t){work, arg, run_feed_hold(feed)};
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    const int failed = pthread_create(&id, &attributes, thread, self);
    pthread_attr_destroy(&attributes);
    if (!failed)
        return 0;
    run_feed_drop(&self->feed);
    free(self);
    return err_fail(err, ERR_LIMIT, "no thread can be started for a run: %s", strerror(failed));
}
